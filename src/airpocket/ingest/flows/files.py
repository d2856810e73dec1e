"""Files of slow figures: published fund tables, single figures, transfers, calendars; told apart by their head."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import polars as pl

from airpocket.domain.errors import BadInput, BadTable
from airpocket.domain.flows import known_series, series_named
from airpocket.domain.slow_kinds import PARTIES
from airpocket.domain.units import DAY_NS, day_of, format_time, parse_time
from airpocket.ingest.catalysts import read_catalysts
from airpocket.ingest.flows.funds import fund_table
from airpocket.ingest.flows.told import Observation, Told, Transfer
from airpocket.ingest.tables import TIME, Table
from airpocket.ingest.values import BadValue, nonnegative, number

_MOST_BYTES = 64 * 1024 * 1024
_FIGURES = {"series", "asset", "event", "value", "unit"}
_TRANSFERS = {"time", "asset", "size", "from", "to", "tx"}


def read_file(path: Path, asset: str, now: int) -> Told:
    """A CSV file: a fund table (last column Total), figures (series, asset, event, value, unit) or transfers.

    Figures may have `published` and `first_seen`, transfers `usd`; see docs/flows.md.

    Args:
        asset: the coin of a fund table, which does not say it.
        now: nothing may be from later, ns.

    Raises:
        BadInput: unreadable, of no form known, or a value is wrong; names file, row and column.
        UndecodableFrame: a fund table with a cell that is no figure.
    """
    rows = _rows(path)
    head = [cell.strip().lower() for cell in rows[0]]
    if set(head) >= _FIGURES:
        return Told(observations=tuple(_each(path, rows, lambda row: _figure(row, now))))
    if set(head) >= _TRANSFERS:
        return Told(transfers=tuple(_each(path, rows, lambda row: _transfer(row, now))))
    if any(cell.strip().lower() == "total" for row in rows[:5] for cell in row):
        if not asset:
            raise BadInput(f"{path.name}: a fund table does not say its coin; give --asset")
        return fund_table(rows, asset, path.name, now)
    raise BadInput(
        f"{path.name}: its head is {', '.join(head[:8])}; a fund table ends with Total, figures have"
        f" {', '.join(sorted(_FIGURES))}, transfers {', '.join(sorted(_TRANSFERS))}"
    )


def _rows(path: Path) -> list[list[str]]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadInput(f"{path}: larger than {_MOST_BYTES:,} bytes")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 text: {error}") from error
    if text.lstrip()[:1] == "<":
        raise BadInput(f"{path}: an HTML page, not a CSV file")
    rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        raise BadInput(f"{path}: no rows under a head")
    return rows


T = TypeVar("T")


class _Row:
    """One row by column name; what is wrong with a cell names file, row and column."""

    def __init__(self, file: str, place: int, cells: dict[str, str]) -> None:
        self._file, self._place, self._cells = file, place, cells

    def fail(self, column: str, problem: str) -> BadTable:
        return BadTable(self._file, problem, row=self._place, column=column)

    def text(self, column: str) -> str:
        value = self._cells.get(column, "").strip()
        if not value:
            raise self.fail(column, "is empty")
        return value

    def maybe(self, column: str) -> str:
        return self._cells.get(column, "").strip()

    def number(self, column: str, read: Callable[[str, str], float]) -> float:
        try:
            return read(self.text(column), column)
        except BadValue as error:
            raise self.fail(column, str(error)) from error

    def time(self, column: str, now: int) -> int:
        """A moment with its zone, or a date, which is the start of that UTC day; nothing from later than now."""
        text = self.text(column)
        try:
            time = parse_time(f"{text}T00:00Z" if len(text) == 10 else text)
        except ValueError as error:
            raise self.fail(column, str(error)) from error
        if time > now:
            raise self.fail(column, f"{text} is in the future")
        return time


def _each(path: Path, rows: list[list[str]], read: Callable[[_Row], T]) -> list[T]:
    head = [cell.strip().lower() for cell in rows[0]]
    found: list[T] = []
    for place, row in enumerate(rows[1:], 1):
        if len(row) != len(head):
            raise BadTable(path.name, f"{len(row)} cells under {len(head)} names", row=place)
        found.append(read(_Row(path.name, place, dict(zip(head, row, strict=True)))))
    return found


def _figure(row: _Row, now: int) -> Observation:
    name, unit = row.text("series"), row.text("unit")
    series = series_named(name)
    if series is None:
        raise row.fail(
            "series", f"'{name}' is none of {', '.join(known_series())}, nor a part of one"
        )
    if unit not in series.units:
        raise row.fail("unit", f"'{unit}' is not {' or '.join(series.units)}")
    event, value = row.time("event", now), row.number("value", number)
    if event % DAY_NS:
        raise row.fail("event", f"{format_time(event)} is not the start of a UTC day")
    if value < 0.0 and not series.negative:
        raise row.fail("value", f"{value:g}: {name} can't be below zero")
    if abs(value) > series.most:
        raise row.fail(
            "value", f"{value:,.4g} {unit}: so much there is not; is it in another unit?"
        )
    published = row.time("published", now) if row.maybe("published") else None
    seen = row.time("first_seen", now) if row.maybe("first_seen") else None
    told = [each for each in (event, published, seen) if each is not None]
    if told != sorted(told):
        raise row.fail("first_seen", "event, published and first_seen must come in that order")
    return Observation(row.text("asset").upper(), name, event, value, unit, published, seen)


def _transfer(row: _Row, now: int) -> Transfer:
    for column in ("from", "to"):
        if row.text(column) not in PARTIES:
            raise row.fail(column, f"'{row.text(column)}' is none of {', '.join(PARTIES)}")
    usd = row.number("usd", nonnegative) if row.maybe("usd") else None
    return Transfer(
        row.text("asset").upper(), row.text("tx"), row.time("time", now), row.number("size", nonnegative), usd,
        row.text("from"), row.text("to"),
    )  # fmt: skip


def calendar_tables(path: Path, asset: str) -> list[Table]:
    """A calendar of docs/plan.md's format as rows for the store, filed under a coin or under ALL.

    Raises:
        BadInput: see `read_catalysts`.
    """
    rows = [
        (each.known_from // 1_000, each.known_from // 1_000, each.name, each.time // 1_000, each.kind,
         each.confidence, f"calendar {path.name}")
        for each in read_catalysts(path)
    ]  # fmt: skip
    schema = {
        "ts": TIME, "usable_from": TIME, "name": pl.String, "due": TIME, "event_kind": pl.String,
        "confidence": pl.String, "source": pl.String,
    }  # fmt: skip
    return [
        Table("catalyst", "flows", asset or "ALL", pl.DataFrame(rows, schema=schema, orient="row"))
    ]


def about(told: Told) -> str:
    """What a file holds, in words."""
    days = sorted(each.event for each in told.observations)
    span = f", {day_of(days[0])} to {day_of(days[-1])}" if days else ""
    return f"{len(told.observations):,} figures{span}, {len(told.transfers):,} transfers"
