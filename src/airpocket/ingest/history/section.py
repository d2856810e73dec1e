"""One table of a TOML file, read key by key: wrong types and keys nobody asked for are errors that name them."""

import re
from collections.abc import Mapping
from typing import NoReturn, cast

from airpocket.domain.errors import BadMapping
from airpocket.domain.units import EARLIEST, LATEST, parse_interval, parse_time

_SPAN = re.compile(r"(?:[1-9]\d{0,4}[smhdw])+")


class Section:
    """Keys of one TOML table; `done` refuses those that nothing has read."""

    def __init__(self, label: str, data: Mapping[str, object]) -> None:
        self.label = label
        self._data = data
        self._asked: set[str] = set()

    def fail(self, problem: str, key: str = "") -> NoReturn:
        """Raise BadMapping, naming file, table and key."""
        raise BadMapping(f"{self.label}{f', key {key!r}' if key else ''}: {problem}")

    def get(self, key: str) -> object:
        self._asked.add(key)
        return self._data.get(key)

    def has(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._data

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default the key is required and may not be empty."""
        value = self.get(key)
        if value is None:
            return self.fail("is missing", key) if default is None else default
        if not isinstance(value, str) or not value.strip():
            self.fail(f"must be a text that is not empty, not {value!r}", key)
        return value

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            self.fail(f"must be true or false, not {value!r}", key)
        return value is True

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        items = cast("list[object]", value) if isinstance(value, list) else []
        if not items or not all(isinstance(item, str) and item for item in items):
            self.fail(f"must be a text or a list of texts, not {value!r}", key)
        return tuple(str(item) for item in items)

    def table(self, key: str) -> "Section | None":
        value = self.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.fail(f"must be a table, not {value!r}", key)
        return Section(f"{self.label}.{key}", cast("dict[str, object]", value))

    def tables(self, key: str, name: str) -> list["Section"]:
        """An array of tables, [[key]]."""
        value = self.get(key)
        if value is None:
            return []
        items = cast("list[object]", value) if isinstance(value, list) else [None]
        sections: list[Section] = []
        for number, item in enumerate(items, 1):
            if not isinstance(item, dict):
                self.fail(f"must be an array of tables, [[{key}]]", key)
            sections.append(
                Section(f"{self.label}: [[{name}]] {number}", cast("dict[str, object]", item))
            )
        return sections

    def keys(self) -> tuple[str, ...]:
        """Every key, all counted as read."""
        self._asked.update(self._data)
        return tuple(self._data)

    def time_ns(self, key: str) -> int | None:
        """A time with zone as text, or a TOML date-time with offset."""
        value = self.get(key)
        if value is None:
            return None
        try:
            return parse_time(value if isinstance(value, str) else str(value))
        except ValueError as error:
            self.fail(str(error), key)

    def span_ns(self, key: str, default: str = "") -> int:
        """'1h', '1d13h' → ns."""
        text = self.text(key, default) if default or self.has(key) else ""
        return parse_span(self, key, text) if text else 0

    def done(self) -> None:
        unknown = [key for key in self._data if key not in self._asked]
        if unknown:
            known = ", ".join(sorted(self._asked))
            self.fail(f"unknown key {unknown[0]!r}; known here: {known}")


def parse_span(section: Section, key: str, text: str) -> int:
    """'1d13h' → ns; BadMapping when it is no sum of intervals."""
    if not _SPAN.fullmatch(text):
        section.fail(f"{text!r} is no span of time; write 1h, 5m or 1d13h", key)
    total = sum(parse_interval(part) for part in re.findall(r"\d+[smhdw]", text))
    if total > LATEST - EARLIEST:
        section.fail(f"{text!r} is too long", key)
    return total
