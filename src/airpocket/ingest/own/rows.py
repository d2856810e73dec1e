"""A venue's private answers read field by field: what is missing or odd is named, never guessed."""

import math
from collections.abc import Iterator
from typing import Any, cast

from airpocket.domain.errors import UndecodableFrame


class Row:
    """One object of an answer; `where` names it in errors."""

    def __init__(self, where: str, data: object) -> None:
        if not isinstance(data, dict):
            raise UndecodableFrame(f"{where}: an object was expected, not {type(data).__name__}")
        self.where = where
        self._data = cast("dict[str, Any]", data)

    def fail(self, field: str, problem: str) -> UndecodableFrame:
        return UndecodableFrame(f"{self.where}, field {field!r}: {problem}")

    def has(self, field: str) -> bool:
        return self._data.get(field) is not None

    def names(self) -> list[str]:
        return list(self._data)

    def get(self, field: str) -> object:
        if field not in self._data:
            raise self.fail(field, "is missing")
        return self._data[field]

    def row(self, field: str) -> "Row":
        return Row(f"{self.where}, {field}", self.get(field))

    def text(self, field: str) -> str:
        value = self.get(field)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.fail(field, f"a text was expected, not {value!r}"[:120])
        return str(value)

    def number(self, field: str, *, empty: float | None = None) -> float:
        """A finite number, as a number or as text; `empty` stands for ''."""
        value = self.get(field)
        if value == "" and empty is not None:
            return empty
        try:
            found = math.nan if isinstance(value, bool) else float(cast("float", value))
        except (TypeError, ValueError):
            found = math.nan
        if not math.isfinite(found):
            raise self.fail(field, f"a number was expected, not {value!r}"[:120])
        return found

    def positive(self, field: str) -> float:
        found = self.number(field)
        if not found > 0.0:
            raise self.fail(field, f"must be above zero, not {found:g}")
        return found

    def time_ns(self, field: str) -> int:
        """Milliseconds since 1970 → ns."""
        return int(self.positive(field)) * 1_000_000


def rows_of(row: Row, field: str) -> Iterator[Row]:
    """The objects of a list."""
    value = row.get(field)
    if not isinstance(value, list):
        raise row.fail(field, "a list was expected")
    for number, each in enumerate(cast("list[object]", value), 1):
        yield Row(f"{row.where}, {field} {number}", each)


def listed(where: str, value: object) -> Iterator[Row]:
    """The objects of an answer that is a list."""
    yield from rows_of(Row(where, {"row": value}), "row")


def first(row: Row, field: str) -> Row:
    """The first object of a list that must have one."""
    for each in rows_of(row, field):
        return each
    raise row.fail(field, "is empty")


def boolean(row: Row, field: str) -> bool:
    value = row.get(field)
    if not isinstance(value, bool):
        raise row.fail(field, f"true or false was expected, not {value!r}"[:120])
    return value


def texts(row: Row, field: str) -> list[str]:
    """A list of texts."""
    value = row.get(field)
    if not isinstance(value, list) or not all(
        isinstance(e, str) for e in cast("list[object]", value)
    ):
        raise row.fail(field, "a list of texts was expected")
    return cast("list[str]", value)
