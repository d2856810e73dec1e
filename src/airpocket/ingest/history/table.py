"""One file through one table rule: raw cells become the columns of a kind, with venue, symbol and times."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import polars as pl

from airpocket.domain.errors import BadTable
from airpocket.domain.instruments import Instrument
from airpocket.domain.kinds import Column, split_name
from airpocket.ingest.history.files import ROW
from airpocket.ingest.history.rules import (
    ColumnRule,
    Drop,
    Lookup,
    Scalar,
    TableRule,
    TimeRule,
    UsableRule,
)
from airpocket.ingest.history.values import (
    UTC_US,
    Place,
    column_of,
    read_times,
    to_floats,
    to_ints,
    to_texts,
)

_CCXT = r"^([^/:\s]+)/([^/:\s]+?)(?::[^/:\s\-]+)?(?:-([0-9]{6}))?$"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one kind from one file: __row, venue, symbol, ts, usable_from and the kind's columns."""

    file: str
    kind: str  # stored name
    frame: pl.DataFrame
    rows_read: int
    left_out: tuple[tuple[str, int], ...] = ()  # reason, rows
    unordered: bool = False
    expect_step_ns: int = 0  # 0: the kind's own interval, if it has one
    other_symbols: bool = False


def of_contract(frame: pl.DataFrame, contract: Instrument) -> pl.DataFrame:
    """Rows that are all of one contract, with its venue and symbol."""
    return frame.with_columns(
        pl.lit(contract.venue).alias("venue"), pl.lit(contract.symbol).alias("symbol")
    )


def read_table(raw: pl.DataFrame, rule: TableRule, file: str) -> Part:
    """Apply the rule; nothing is checked yet beyond what conversion needs (see checks.check_part).

    Raises:
        BadTable: a column is missing, a cell is not what the rule says, or a lookup knows no value.
    """
    frame, left_out = _select(raw, rule, file)
    if rule.unpivot is not None:
        frame = _unpivot(frame, rule, file)
    ts = read_times(frame, rule.time, file)
    out = pl.DataFrame(
        {
            ROW: frame[ROW],
            "venue": _text(frame, rule.venue, "venue", file),
            "symbol": _symbols(frame, rule, file),
            "ts": ts,
            "usable_from": _usable(frame, rule.usable, ts, file),
        }
    )
    kind, _ = split_name(rule.kind)
    filled = [
        _fill(frame, out, column, rule.columns.get(column.name), file) for column in kind.columns
    ]
    return Part(
        file,
        rule.kind,
        out.with_columns(filled),
        raw.height,
        left_out,
        rule.unordered,
        rule.expect_step_ns,
        bool(rule.other_symbols),
    )


def _select(
    raw: pl.DataFrame, rule: TableRule, file: str
) -> tuple[pl.DataFrame, tuple[tuple[str, int], ...]]:
    """Rows that `where` selects less those that [[drop]] names, and how many went for which reason."""
    left_out: list[tuple[str, int]] = []
    frame = raw
    for column, values in rule.where:
        mask = _equal(frame, column, values, file)
        rest = frame.filter(mask)
        reason = f"{column} is not {' or '.join(str(value) for value in values)}"
        left_out.append((reason, frame.height - rest.height))
        frame = rest
    for drop in rule.drops:
        rest = frame.filter(~_dropped(frame, drop, rule.time, file))
        left_out.append((drop.reason, frame.height - rest.height))
        frame = rest
    if frame.height == 0:
        raise BadTable(file, f"no row is left of {raw.height} after 'where' and 'drop'")
    return frame, tuple(left_out)


def _equal(frame: pl.DataFrame, column: str, values: Sequence[Scalar], file: str) -> pl.Series:
    cells, place = column_of(frame, column, file)
    mask = pl.repeat(value=False, n=frame.height, eager=True)
    for value in values:
        mask |= _same(cells, value, place)
    return mask


def _same(cells: pl.Series, value: Scalar, place: Place) -> pl.Series:
    """Which cells equal a value of the mapping; numbers in text compare as numbers."""
    if isinstance(value, bool | str) or cells.dtype == pl.Boolean:
        if isinstance(value, str) != (cells.dtype == pl.String) or (
            isinstance(value, bool) != (cells.dtype == pl.Boolean)
        ):
            place.fail(f"holds {cells.dtype}, which never equals {value!r}")
        return cells.eq_missing(value)
    numbers = cells if cells.dtype != pl.String else cells.cast(pl.Float64, strict=False)
    return (numbers == value).fill_null(value=False)


def _dropped(frame: pl.DataFrame, drop: Drop, time: TimeRule, file: str) -> pl.Series:
    if drop.time_ns is not None:
        return read_times(frame, time, file).dt.epoch("us") == drop.time_ns // 1_000
    cells, place = column_of(frame, drop.column, file)
    if drop.null:
        return cells.is_null()
    assert drop.equals is not None
    return _same(cells, drop.equals, place)


def _unpivot(frame: pl.DataFrame, rule: TableRule, file: str) -> pl.DataFrame:
    """One row per named column; rows keep their number in the file, and their order."""
    wide = rule.unpivot
    assert wide is not None
    floats = {name: to_floats(*column_of(frame, name, file)) for name in wide.columns}
    rest = frame.drop(list(wide.columns), strict=False)
    pieces = [
        rest.with_columns(pl.lit(given).alias(wide.name), floats[name].alias(wide.value))
        for name, given in wide.columns.items()
    ]
    return pl.concat(pieces).sort(ROW, maintain_order=True)


def _usable(frame: pl.DataFrame, rule: UsableRule, ts: pl.Series, file: str) -> pl.Series:
    times = [read_times(frame, each, file) for each in rule.times] or [ts]
    latest = pl.DataFrame([each.alias(str(n)) for n, each in enumerate(times)]).select(
        pl.max_horizontal(pl.all())
    )
    return (latest.to_series().cast(pl.Int64) + rule.plus_ns // 1_000).cast(UTC_US)


def _symbols(frame: pl.DataFrame, rule: TableRule, file: str) -> pl.Series:
    symbols = _text(frame, rule.symbol, "symbol", file)
    return symbols + f"~{rule.revision}" if rule.revision else symbols


def _text(frame: pl.DataFrame, rule: ColumnRule, name: str, file: str) -> pl.Series:
    """Venue or symbol of every row: never empty."""
    if rule.constant is not None:
        return pl.Series([str(rule.constant)]).new_from_index(0, frame.height)
    if rule.lookup is not None:
        return _look_up(frame, rule.lookup, file).cast(pl.String)
    cells, place = column_of(frame, rule.column, file)
    texts = to_texts(cells, place)
    place.refuse(texts.is_null(), f"is empty: no {name}")
    if rule.form == "ccxt":
        parts = texts.str.extract_groups(_CCXT).struct.unnest()
        place.refuse(parts["1"].is_null(), "{} is not written like ETH/USDT:USDT", texts)
        dated = pl.select(("_" + parts["3"]).fill_null("")).to_series()
        return parts["1"] + parts["2"] + dated
    return texts


def _fill(
    frame: pl.DataFrame, out: pl.DataFrame, column: Column, rule: ColumnRule | None, file: str
) -> pl.Series:
    """One column of the kind, in the kind's type; a column without a rule is unknown: null."""
    if rule is None:
        return _typed(pl.Series(column.name, [None]), column).new_from_index(0, frame.height)
    if rule.number:
        within = pl.int_range(pl.len()).over("venue", "symbol", "ts").cast(pl.Int64)
        return out.select(within).to_series().alias(column.name)
    if rule.time is not None:
        return read_times(frame, rule.time, file).alias(column.name)
    cells, place = _cells(frame, rule, file)
    if rule.null_if is not None:
        same = _same(cells, rule.null_if, place)
        cells = cells.zip_with(
            ~same, pl.Series([None], dtype=cells.dtype).new_from_index(0, len(cells))
        )
    return _converted(frame, cells, place, rule, column).alias(column.name)


def _typed(values: pl.Series, column: Column) -> pl.Series:
    types = {"f64": pl.Float64, "i64": pl.Int64, "str": pl.String, "time": UTC_US}
    return values.cast(types[column.dtype])


def _cells(frame: pl.DataFrame, rule: ColumnRule, file: str) -> tuple[pl.Series, Place]:
    if rule.constant is not None:
        cells = pl.Series([rule.constant]).new_from_index(0, frame.height)
        return cells, Place(file, frame[ROW], "constant")
    if rule.lookup is not None:
        return _look_up(frame, rule.lookup, file), Place(file, frame[ROW], rule.column)
    return column_of(frame, rule.column, file)


def _converted(
    frame: pl.DataFrame, cells: pl.Series, place: Place, rule: ColumnRule, column: Column
) -> pl.Series:
    if column.dtype == "str":
        return to_texts(cells, place)
    if column.dtype == "i64":
        return to_ints(cells, place)
    numbers = to_floats(cells, place)
    if rule.multiply is None:
        return numbers
    if isinstance(rule.multiply, int | float):
        product = numbers * float(rule.multiply)
    elif isinstance(rule.multiply, str):
        factors, there = column_of(frame, rule.multiply, place.file)
        product = numbers * _factors(to_floats(factors, there), there)
    else:
        product = numbers * _factors(_look_up(frame, rule.multiply, place.file), place)
    return to_floats(product, place)  # a product may overflow too


def _factors(factors: pl.Series, place: Place) -> pl.Series:
    factors = to_floats(factors, place)
    place.refuse(
        factors.is_null() | (factors <= 0.0), "multiplier {} is unknown or not positive", factors
    )
    return factors


def _look_up(frame: pl.DataFrame, lookup: Lookup, file: str) -> pl.Series:
    """The table's entry for each row; a value the table does not know is an error, never a default."""
    names = [lookup.by, lookup.column] if lookup.by else [lookup.column]
    keys = frame.select(
        column_of(frame, name, file)[0].cast(pl.String) for name in dict.fromkeys(names)
    )
    distinct = keys.unique(maintain_order=True)
    entries = [_entry(lookup, row) for row in distinct.select(names).iter_rows()]
    if None in entries:
        unknown = distinct.slice(entries.index(None), 1)
        rows = keys.with_columns(frame[ROW]).join(
            unknown, on=keys.columns, how="semi", nulls_equal=True, maintain_order="left"
        )
        shown = " ".join(str(value) for value in unknown.row(0))
        problem = f"{lookup.where} has no entry for '{shown}'"
        raise BadTable(file, problem, row=rows.row(0, named=True)[ROW], column=lookup.column)
    table = distinct.with_columns(pl.Series("__found", entries, strict=False))
    joined = keys.join(table, on=keys.columns, how="left", nulls_equal=True, maintain_order="left")
    return joined["__found"]


def _entry(lookup: Lookup, row: tuple[object, ...]) -> object:
    """A text or number; None where the table says nothing."""
    found = lookup.table.get(str(row[0])) if row[0] is not None else None
    if len(row) == 2 and isinstance(found, dict):
        inner = cast("dict[object, object]", found)
        found = inner.get(row[1])
    return found if isinstance(found, str | int | float) else None
