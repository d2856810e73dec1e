"""Rows against what their kind allows: values, times, order, repeats; the first bad one is named."""

from dataclasses import dataclass, replace

import polars as pl

from airpocket.domain.errors import BadTable, UnknownInstrument
from airpocket.domain.instruments import instrument
from airpocket.domain.kinds import Check, Column, Kind, split_name
from airpocket.domain.units import DAY_NS, format_interval, format_time
from airpocket.ingest.history.files import ROW
from airpocket.ingest.history.table import Part
from airpocket.ingest.history.values import Place

JUMP = 500.0  # neighbouring closes: a coin in thousands or a wrong decimal, no market
SERIES = ("venue", "symbol")
FILE = "__file"

_PROBLEMS: dict[Check, str] = {
    "positive": "{} must be above 0",
    "nonnegative": "{} must not be negative",
    "fraction": "{} is no fraction between -1 and 1",
    "percent": "{} is no percentage between -100 and 100",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A part fit for the store: in ts order per series, no key twice."""

    part: Part
    collapsed: int  # rows that repeated another one exactly
    moved: int  # rows that came before their predecessor


def check_part(part: Part, now: int) -> Checked:
    """All checks of one part; `now` in ns, nothing may lie beyond it.

    Raises:
        BadTable: names file, row and column.
    """
    kind, interval_ns = split_name(part.kind)
    for column in kind.columns:
        _check_column(part, column)
    _check_symbols(part)
    _check_times(part, kind, interval_ns, now)
    _check_shape(part, kind)
    part, moved = _in_order(part)
    part, collapsed = _once(part, kind)
    if kind.name in ("bar", "mark_bar", "index_bar"):
        _check_jumps(part, interval_ns)
    return Checked(part, collapsed, moved)


def _place(part: Part, column: str) -> Place:
    return Place(part.file, part.frame[ROW], column)


def _check_column(part: Part, column: Column) -> None:
    cells, place = part.frame[column.name], _place(part, column.name)
    if not column.nullable:
        place.refuse(cells.is_null(), "is empty")
    if column.check != "any":
        place.refuse(~_allowed(cells, column.check), _PROBLEMS[column.check], cells)
    if column.choices:
        known = ", ".join(column.choices)
        place.refuse(~cells.is_in(list(column.choices)), "{} is none of " + known, cells)


def _allowed(cells: pl.Series, check: Check) -> pl.Series:
    if check == "positive":
        return cells > 0
    if check == "nonnegative":
        return cells >= 0
    return cells.abs() <= (1 if check == "fraction" else 100)


def _check_symbols(part: Part) -> None:
    if part.other_symbols:
        return
    names = part.frame.select(SERIES).unique(maintain_order=True)
    for venue, symbol in names.iter_rows():
        try:
            instrument(venue, symbol.partition("~")[0])
        except UnknownInstrument as error:
            match = (part.frame["venue"] == venue) & (part.frame["symbol"] == symbol)
            _place(part, "symbol").refuse(match, str(error))


def _check_times(part: Part, kind: Kind, interval_ns: int, now: int) -> None:
    ts, usable = part.frame["ts"].dt.epoch("us"), part.frame["usable_from"].dt.epoch("us")
    place, now_us = _place(part, "ts"), now // 1_000
    shown = part.frame["ts"].dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
    place.refuse(ts > now_us, "{} lies in the future, beyond " + format_time(now), shown)
    place.refuse(ts + interval_ns // 1_000 > now_us, "the bar of {} has not closed yet", shown)
    if 0 < interval_ns <= DAY_NS:
        name = format_interval(interval_ns)
        place.refuse(ts % (interval_ns // 1_000) != 0, "{} is no open of a " + name + " bar", shown)
    known = ts + interval_ns // 1_000
    if kind.name == "open_interest":
        known = known + part.frame["averaged_s"] * 1_000_000
    when = part.frame["usable_from"].dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
    _place(part, "usable_from").refuse(
        usable < known, "{}: before the row's own interval is over, nobody can know it", when
    )


def _check_shape(part: Part, kind: Kind) -> None:
    """High and low enclose open and close; a trade has a size."""
    frame = part.frame
    if {"open", "high", "low", "close"} <= set(frame.columns):
        high, low = frame["high"], frame["low"]
        _place(part, "high").refuse(high < low, "{} is below the low", high)
        for name in ("open", "close"):
            outside = (frame[name] > high) | (frame[name] < low)
            _place(part, name).refuse(outside, "{} lies outside low to high", frame[name])
    if kind.name == "bar":
        over = frame["taker_buy"] > frame["volume"] * (1 + 1e-9)
        _place(part, "taker_buy").refuse(
            over, "{} is more than the whole volume", frame["taker_buy"]
        )
    if kind.name == "trade":
        _place(part, "size").refuse(frame["size"] == 0, "a trade of size {} is none", frame["size"])


def _in_order(part: Part) -> tuple[Part, int]:
    back = part.frame.select(pl.col("ts").diff().over(SERIES).cast(pl.Int64) < 0).to_series()
    moved = int(back.sum())
    if moved and not part.unordered:
        _place(part, "ts").refuse(
            back,
            "comes before the row above it; a file that may be unordered says 'unordered = true'",
        )
    frame = part.frame.sort(*SERIES, "ts", maintain_order=True)
    return replace(part, frame=frame), moved


def _once(part: Part, kind: Kind) -> tuple[Part, int]:
    frame, collapsed = once(part.frame.with_columns(pl.lit(part.file).alias(FILE)), kind)
    return replace(part, frame=frame.drop(FILE)), collapsed


def once(frame: pl.DataFrame, kind: Kind) -> tuple[pl.DataFrame, int]:
    """Rows that repeat another exactly become one, and how many went; `frame` carries __file and __row.

    Raises:
        BadTable: two rows say different things under one key.
    """
    key = [*SERIES, *kind.key]
    if not frame.select(pl.struct(key).is_duplicated().any()).item():
        return frame, 0
    kept = frame.unique(pl.exclude(ROW, FILE, "__step"), keep="first", maintain_order=True)
    again = kept.filter(pl.struct(key).is_duplicated())
    if again.height:
        first = again.row(0, named=True)
        same = again.filter(pl.all_horizontal(pl.col(name) == first[name] for name in key))
        other = same.row(1, named=True)
        where = f"row {first[ROW]}" + (f" of {first[FILE]}" if first[FILE] != other[FILE] else "")
        shown = f"{first['venue']} {first['symbol']} at {first['ts']:%Y-%m-%dT%H:%M:%SZ}"
        problem = f"says something else about {shown} than {where}: {_differing(first, other)}"
        raise BadTable(other[FILE], problem, row=other[ROW], column="ts")
    return kept, frame.height - kept.height


def _differing(one: dict[str, object], two: dict[str, object]) -> str:
    names = [name for name in one if name not in (ROW, FILE) and one[name] != two[name]]
    return ", ".join(f"{name} {two[name]!r}, not {one[name]!r}" for name in names)


def _check_jumps(part: Part, interval_ns: int) -> None:
    frame = part.frame.with_columns(
        (pl.col("close") / pl.col("close").shift()).over(SERIES).alias("ratio"),
        pl.col("ts").diff().over(SERIES).cast(pl.Int64).alias("step"),
    )
    near = frame["step"] == interval_ns // 1_000
    jump = near & ((frame["ratio"] > JUMP) | (frame["ratio"] < 1 / JUMP))
    _place(part, "close").refuse(
        jump, "{} is more than 500 times its neighbour: another unit or contract?", frame["close"]
    )
