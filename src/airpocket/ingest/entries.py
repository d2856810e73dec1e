"""Hand-written TOML files as checked entries: what is wrong names file, entry and field."""

import math
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, cast

from airpocket.domain.errors import BadInput
from airpocket.domain.units import TimeNs, parse_time


class Entry:
    """One TOML table read field by field; `done` refuses fields that nothing has asked for."""

    def __init__(self, label: str, data: dict[str, Any]) -> None:
        self.label = label
        self._data = data
        self._asked: dict[str, None] = {}

    def fail(self, problem: str, field: str = "") -> NoReturn:
        """Raise BadInput naming file, entry and field."""
        raise BadInput(f"{self.label}{f', field {field!r}' if field else ''}: {problem}")

    def get(self, field: str) -> object:
        self._asked[field] = None
        return self._data.get(field)

    def text(self, field: str) -> str:
        """A text that is not empty.

        Raises:
            BadInput: missing, empty, or no text.
        """
        value = self.get(field)
        if value is None:
            self.fail("is missing", field)
        if not isinstance(value, str) or not value.strip():
            self.fail(f"must be a text that is not empty, not {value!r}", field)
        return value.strip()

    def maybe_text(self, field: str) -> str:
        """A text, or '' where the field is missing."""
        return "" if self.get(field) is None else self.text(field)

    def choice(self, field: str, choices: Sequence[str]) -> str:
        """One of `choices`."""
        value = self.text(field)
        if value not in choices:
            self.fail(f"must be one of {', '.join(choices)}, not {value!r}", field)
        return value

    def positive(self, field: str) -> float:
        """A finite number above zero.

        Raises:
            BadInput: missing, no number, not finite, zero or below.
        """
        value = self.get(field)
        if value is None:
            self.fail("is missing", field)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(f"must be a number, not {value!r}", field)
        if not (math.isfinite(value) and value > 0):
            self.fail(f"must be above zero and finite, not {value!r}", field)
        return float(value)

    def number(self, field: str) -> float:
        """A finite number that is not zero.

        Raises:
            BadInput: missing, no number, not finite, or zero.
        """
        value = self.get(field)
        if value is None:
            self.fail("is missing", field)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(f"must be a number, not {value!r}", field)
        if not math.isfinite(value) or value == 0:
            self.fail(f"must be finite and not zero, not {value!r}", field)
        return float(value)

    def maybe_positive(self, field: str) -> float | None:
        """A finite number above zero, or None where the field is missing."""
        return None if self.get(field) is None else self.positive(field)

    def time(self, field: str) -> TimeNs:
        """A moment with its time zone, as text or as a TOML date-time with offset."""
        value = self.get(field)
        if value is None:
            self.fail("is missing; write it like 2025-10-10T20:00Z", field)
        try:
            return parse_time(str(value))
        except ValueError as error:
            self.fail(str(error), field)

    def entries(self, field: str) -> list["Entry"]:
        """An array of tables, [[field]], numbered from 1.

        Raises:
            BadInput: missing, empty, or something else than an array of tables.
        """
        if self.get(field) is None:
            self.fail(f"holds no [[{field}]]")
        return self.maybe_entries(field)

    def maybe_entries(self, field: str) -> list["Entry"]:
        """The same, or none where the field is missing."""
        value = self.get(field)
        if value is None:
            return []
        items = cast("list[object]", value) if isinstance(value, list) else [None]
        if not items or not all(isinstance(item, dict) for item in items):
            self.fail(f"write every {field} as a table of its own, [[{field}]]", field)
        return [
            Entry(f"{self.label}, {field} {number}", cast("dict[str, Any]", item))
            for number, item in enumerate(items, 1)
        ]

    def maybe_table(self, field: str) -> "Entry | None":
        """One table, [field], or None where it is missing."""
        value = self.get(field)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.fail(f"write it as a table, [{field}]", field)
        return Entry(f"{self.label}, {field}", cast("dict[str, Any]", value))

    def done(self) -> None:
        """Refuse what was not asked for: a misspelt field must not be ignored."""
        for field in self._data:
            if field not in self._asked:
                near = get_close_matches(field, self._asked, n=1)
                meant = f"did you mean {near[0]!r}? " if near else ""
                self.fail(f"unknown field; {meant}known here: {', '.join(self._asked)}", field)


def read_entries(path: Path) -> Entry:
    """The top table of a TOML file.

    Raises:
        BadInput: not there, not readable, not UTF-8, or not TOML.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 text: {error}") from error
    try:
        return Entry(path.name, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path}: not TOML: {error}") from error
