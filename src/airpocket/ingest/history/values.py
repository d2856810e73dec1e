"""Raw cells into numbers and times by a strict grammar; the first cell that doesn't fit is named."""

from dataclasses import dataclass
from typing import NoReturn

import polars as pl
from polars.exceptions import ComputeError, PolarsError

from airpocket.domain.errors import BadTable
from airpocket.domain.units import EARLIEST, format_time
from airpocket.ingest.history.files import ROW
from airpocket.ingest.history.rules import TimeRule

LARGEST = 1e18  # no figure of any market is larger: 1e30 is damage, not data
UTC_US = pl.Datetime("us", "UTC")

# ASCII digits only: Python's float() would take 1_000, full-width digits, nan and blanks
_DECIMAL = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?$"
_WHOLE = r"^(?:0|[1-9][0-9]{0,18})$"
_SIGNED = r"^-?(?:0|[1-9][0-9]{0,17})$"
_DECIMAL_SECONDS = r"^([1-9][0-9]{9})(?:\.([0-9]{1,9}))?$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MOMENT = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,6})?)?(.*)$"
_OFFSET = r"^(Z|[+-][0-9]{2}:[0-9]{2})$"
_PER_SECOND = {"us": 1_000_000, "ms": 1_000, "s": 1}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column of cells came from, to name a bad one."""

    file: str
    rows: pl.Series
    column: str

    def fail(self, problem: str, row: int | None = None) -> NoReturn:
        raise BadTable(self.file, problem, row=row, column=self.column)

    def refuse(self, bad: pl.Series, problem: str, shown: pl.Series | None = None) -> None:
        """Raise at the first true of `bad`; `{}` in the problem becomes the cell."""
        index = bad.fill_null(value=False).arg_max() if bad.any() else None
        if index is None:
            return
        cell = "" if shown is None else shown[index]
        self.fail(problem.replace("{}", repr(cell)[:60]), int(self.rows[index]))


def column_of(frame: pl.DataFrame, name: str, file: str) -> tuple[pl.Series, Place]:
    """A column by name, and the place to blame."""
    if name not in frame.columns or name == ROW:
        known = ", ".join(each for each in frame.columns if each != ROW)
        raise BadTable(file, f"no such column; the file has {known[:300]}", column=name)
    return frame[name], Place(file, frame[ROW], name)


def to_floats(cells: pl.Series, place: Place) -> pl.Series:
    """Float64, null where the cell is empty; NaN, infinities and anything else that is no number fail."""
    if cells.dtype == pl.String:
        place.refuse(~cells.str.contains(_DECIMAL), "{} is not a plain decimal number", cells)
        numbers = cells.cast(pl.Float64, strict=False)
        vanished = (numbers == 0.0) & cells.str.contains(r"^[^eE]*[1-9]")
        place.refuse(vanished, "{} is too small for a number", cells)
    elif cells.dtype.is_numeric():
        numbers = cells.cast(pl.Float64)
    elif cells.dtype == pl.Null:
        return cells.cast(pl.Float64)
    else:
        place.fail(f"holds {cells.dtype}, not numbers")
    place.refuse(numbers.is_nan() | numbers.is_infinite(), "{} is not a finite number", cells)
    place.refuse(numbers.abs() > LARGEST, "{} is larger than any market figure", cells)
    # −0 becomes 0; an unknown stays unknown
    return pl.select(pl.when(numbers == 0.0).then(0.0).otherwise(numbers)).to_series()


def to_ints(cells: pl.Series, place: Place) -> pl.Series:
    """Int64; a fraction, a sign where none fits, or too many digits fail."""
    if cells.dtype == pl.String:
        place.refuse(~cells.str.contains(_SIGNED), "{} is not a whole number", cells)
        return cells.cast(pl.Int64, strict=False)
    if cells.dtype.is_integer():
        whole = cells.cast(pl.Int64, strict=False)
    elif cells.dtype.is_float():
        fits = (cells.round() == cells) & (cells.abs() < 2.0**53)
        place.refuse(~fits, "{} is not a whole number", cells)
        whole = cells.cast(pl.Int64, strict=False)
    else:
        place.fail(f"holds {cells.dtype}, not whole numbers")
    place.refuse(whole.is_null() & cells.is_not_null(), "{} does not fit 64 bits", cells)
    return whole


def to_texts(cells: pl.Series, place: Place) -> pl.Series:
    """String without control characters."""
    if not isinstance(cells.dtype, pl.String | pl.Categorical | pl.Enum):
        place.fail(f"holds {cells.dtype}, not text")
    texts = cells.cast(pl.String)
    odd = texts.str.contains(r"[\p{Cc}\x{202a}-\x{202e}\x{2066}-\x{2069}]")
    place.refuse(odd, "{} holds control characters", texts)
    place.refuse(texts.str.len_chars() == 0, "is empty")
    return texts


def read_times(frame: pl.DataFrame, rule: TimeRule, file: str) -> pl.Series:
    """Datetime(µs, UTC) for every row, by the unit and zone that the mapping declares, never by guess.

    Raises:
        BadTable: not that unit, a zone missing, empty, or before 2009.
    """
    if rule.constant_ns is not None:
        constant = pl.Series([rule.constant_ns // 1_000], dtype=pl.Int64).cast(UTC_US)
        return constant.new_from_index(0, frame.height)
    cells, place = column_of(frame, rule.column, file)
    place.refuse(cells.is_null(), "is empty")
    times = _times(cells, rule, place)
    earliest = pl.Series([EARLIEST // 1_000], dtype=pl.Int64).cast(UTC_US)[0]
    early = times < earliest
    if early.any():
        moment = times.filter(early).dt.epoch("us")[0] * 1_000
        place.refuse(early, f"is {format_time(moment)}: before 2009; is the unit of time right?")
    return times


def _times(cells: pl.Series, rule: TimeRule, place: Place) -> pl.Series:
    if isinstance(cells.dtype, pl.Datetime):
        return _stamped(cells, cells.dtype, rule, place)
    if cells.dtype == pl.Date:
        if rule.unit not in ("", "date"):
            place.fail(f"holds dates, but the mapping says unit '{rule.unit}'")
        return _zoned(cells.cast(pl.Datetime("us")), rule.zone or "UTC", place)
    if rule.unit in _PER_SECOND:
        return _counted(cells, rule.unit, place)
    if rule.unit == "decimal_s":
        return _decimal_seconds(cells, place)
    if rule.unit == "":
        place.fail("needs 'unit' in the mapping: us, ms, s, iso or date")
    if cells.dtype != pl.String:
        place.fail(f"holds {cells.dtype}, but the mapping says unit '{rule.unit}'")
    if rule.unit == "date":
        place.refuse(~cells.str.contains(_DATE), "{} is not a date like 2025-10-10", cells)
        days = cells.str.to_date("%Y-%m-%d", strict=False)
        place.refuse(days.is_null(), "{} is not a date like 2025-10-10", cells)
        return _zoned(days.cast(pl.Datetime("us")), rule.zone or "UTC", place)
    return _moments(cells, rule.zone, place)


def _stamped(cells: pl.Series, dtype: pl.Datetime, rule: TimeRule, place: Place) -> pl.Series:
    if rule.unit:
        place.fail(f"is a timestamp already, but the mapping says unit '{rule.unit}'")
    exact = cells.cast(pl.Datetime("us", dtype.time_zone))
    if dtype.time_zone is None:
        if not rule.zone:
            place.fail("has timestamps without a time zone: say 'zone' in the mapping")
        return _zoned(exact, rule.zone, place)
    if rule.zone:
        place.fail(f"is in {dtype.time_zone} already: leave 'zone' out of the mapping")
    return exact.dt.convert_time_zone("UTC")


def _counted(cells: pl.Series, unit: str, place: Place) -> pl.Series:
    if cells.dtype == pl.String:
        place.refuse(~cells.str.contains(_WHOLE), "{} is not a count of " + unit, cells)
    counts = to_ints(cells, place)
    low, high = 1_230_768_000, 4_102_444_800  # 2009 and 2100, s: checked before any multiplication
    outside = (counts < low * _PER_SECOND[unit]) | (counts >= high * _PER_SECOND[unit])
    place.refuse(outside, "{} is no time in " + unit + " between 2009 and 2100", cells)
    return (counts * (1_000_000 // _PER_SECOND[unit])).cast(UTC_US)


def _decimal_seconds(cells: pl.Series, place: Place) -> pl.Series:
    """'1746057600.0647' → µs, exactly: no float in between; digits beyond µs are cut off."""
    if cells.dtype != pl.String:
        place.fail(f"holds {cells.dtype}, not text")
    parts = cells.str.extract_groups(_DECIMAL_SECONDS).struct.unnest()
    place.refuse(parts["1"].is_null(), "{} is no time in seconds", cells)
    fraction = parts["2"].fill_null("").str.slice(0, 6).str.pad_end(6, "0")
    return (parts["1"].cast(pl.Int64) * 1_000_000 + fraction.cast(pl.Int64)).cast(UTC_US)


def _moments(cells: pl.Series, zone: str, place: Place) -> pl.Series:
    """ISO text: an offset on every row and no `zone`, or a `zone` and no offset anywhere."""
    shape = "{} is not a time like 2025-10-10T20:00:00Z"
    place.refuse(~cells.str.contains(_MOMENT), shape, cells)
    parts = cells.str.extract_groups(_MOMENT).struct.unnest()
    offset = parts["4"]
    if zone:
        place.refuse(offset != "", "{} must be without offset, the mapping gives a zone", cells)
    else:
        place.refuse(offset == "", "{} has no time zone: say 'zone' in the mapping", cells)
        place.refuse(~offset.str.contains(_OFFSET), shape, cells)
    text = parts["1"] + "T" + parts["2"] + parts["3"].fill_null(":00")
    naive = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    place.refuse(naive.is_null(), shape, cells)
    if zone:
        return _zoned(naive, zone, place)
    signs = offset.str.slice(0, 1).replace_strict({"Z": 0, "+": 1, "-": -1}, return_dtype=pl.Int64)
    minutes = offset.str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0) * 60
    minutes = minutes + offset.str.slice(4, 2).cast(pl.Int64, strict=False).fill_null(0)
    return (naive.cast(pl.Int64) - signs * minutes * 60_000_000).cast(UTC_US)


def _zoned(naive: pl.Series, zone: str, place: Place) -> pl.Series:
    try:
        return naive.dt.replace_time_zone(zone).dt.convert_time_zone("UTC")
    except (ComputeError, PolarsError) as error:
        line = str(error).splitlines()[0][:160]
        place.fail(f"cannot be read as {zone} time: {line}")
