"""The cells of one archive file, read column by column; times must lie in the day of the file's name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from airpocket.domain.errors import BadTable
from airpocket.domain.units import SECOND_NS
from airpocket.ingest.history.files import ROW, first_line, parse_csv, read_bytes, unzip
from airpocket.ingest.history.rules import TimeRule
from airpocket.ingest.history.streams import content
from airpocket.ingest.history.values import (
    UTC_US,
    Place,
    column_of,
    read_times,
    to_floats,
    to_ints,
    to_texts,
)

_SLACK = timedelta(hours=1)  # a day's metrics end with the row of the next midnight


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file's cells as text with their row numbers, and the date in its name ('' where it has none).

    `early` is how much before that day its first row may lie, beyond the usual hour.
    """

    file: str
    cells: pl.DataFrame
    date: str = ""  # 2025-01 or 2025-01-31
    early: timedelta = timedelta(0)

    @property
    def rows(self) -> pl.Series:
        """Row numbers, for the frame to be made."""
        return self.cells[ROW]

    @property
    def height(self) -> int:
        return self.cells.height

    def place(self, name: str) -> Place:
        return column_of(self.cells, name, self.file)[1]

    def with_cells(self, cells: pl.DataFrame) -> "Sheet":
        """The same file, fewer rows."""
        return Sheet(self.file, cells, self.date, self.early)

    def floats(self, name: str) -> pl.Series:
        """Numbers; an empty cell is null."""
        return to_floats(*column_of(self.cells, name, self.file))

    def given(self, name: str) -> pl.Series:
        """Numbers of a column that may not be empty where the store's own column may be."""
        cells, place = column_of(self.cells, name, self.file)
        place.refuse(cells.is_null(), "is empty")
        return to_floats(cells, place)

    def ints(self, name: str) -> pl.Series:
        """Whole numbers, none empty."""
        cells, place = column_of(self.cells, name, self.file)
        place.refuse(cells.is_null(), "is empty")
        return to_ints(cells, place)

    def texts(self, name: str) -> pl.Series:
        """Texts, none empty."""
        cells, place = column_of(self.cells, name, self.file)
        place.refuse(cells.is_null(), "is empty")
        return to_texts(cells, place)

    def words(self, name: str, meaning: Mapping[str, str]) -> pl.Series:
        """Each text as what it means; one without a meaning is refused."""
        cells, place = column_of(self.cells, name, self.file)
        bad = ~cells.is_in(list(meaning)) | cells.is_null()
        place.refuse(bad, "{} is neither " + " nor ".join(meaning), cells)
        return cells.replace_strict(dict(meaning), return_dtype=pl.String)

    def times(self, name: str, unit: str, zone: str = "") -> pl.Series:
        """Times in `unit` (iso without offset: in `zone`), all in the day or month of the file's name."""
        times = read_times(self.cells, TimeRule(name, unit, zone), self.file)
        if self.date:
            first, last = span_of_date(self.date, self.file)
            outside = (times < first - _SLACK - self.early) | (times > last + _SLACK)
            shown = times.dt.to_string("%Y-%m-%dT%H:%M:%SZ")
            problem = "{} lies outside " + self.date + ", the file's own name"
            self.place(name).refuse(outside, problem, shown)
        return times


def read_sheet(path: Path, file: str, date: str = "", *, early: timedelta = timedelta(0)) -> Sheet:
    """A packed CSV whose first line names its columns.

    Raises:
        BadTable: damaged, or no rows.
    """
    raw = parse_csv(unpacked(path, file), file)
    if raw.height == 0:
        raise BadTable(file, "has a header and no rows")
    return Sheet(file, raw.with_row_index(ROW, offset=1), date, early)


def unpacked(path: Path, file: str) -> bytes:
    """The whole file, unpacked where its name says that it is packed."""
    if path.suffix == ".zip":
        return unzip(path, file)
    return content(path, file) if path.suffix in (".gz", ".lz4") else read_bytes(path, file)


def need_columns(sheet: Sheet, layout: Sequence[str], what: str) -> None:
    """Refuse a file that lacks a column of its documented layout.

    Raises:
        BadTable: names the layout.
    """
    if not set(layout) <= set(sheet.cells.columns):
        raise BadTable(sheet.file, f"is no {what}: the header is not {', '.join(layout)}", row=0)


def span_of_date(date: str, file: str) -> tuple[datetime, datetime]:
    """First moment and end of '2025-01' or '2025-01-31'.

    Raises:
        BadTable: no date.
    """
    try:
        if len(date) == len("2025-01"):
            first = datetime.strptime(date, "%Y-%m").replace(tzinfo=UTC)
            return first, (first + timedelta(days=31)).replace(day=1)
        first = datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadTable(file, f"{date} in the name is no date") from error
    return first, first + timedelta(days=1)


def date_span_ns(date: str, file: str) -> tuple[int, int]:
    """`span_of_date` in ns."""
    first, end = span_of_date(date, file)
    return int(first.timestamp()) * SECOND_NS, int(end.timestamp()) * SECOND_NS


def later(times: pl.Series, ns: int) -> pl.Series:
    """Every time, so many ns later."""
    return (times.cast(pl.Int64) + ns // 1_000).cast(UTC_US)


def starts_with_names(text: bytes) -> bool:
    """Whether the first line names columns, as against holding data."""
    fields = first_line(text)
    return bool((fields and fields[0][:1].isalpha()) or fields[0][:1] == "_")
