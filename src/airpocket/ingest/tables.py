"""Rows on their way into the store: checked at the door, cut into partitions, merged with what is there."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast

import polars as pl

from airpocket.domain.errors import BadInput, BadTable, StoreConflict
from airpocket.domain.kinds import Column, Kind, span_of, split_name
from airpocket.domain.simulated import is_simulated
from airpocket.domain.units import EARLIEST, LATEST
from airpocket.ingest.manifest import SCHEMA, Entry, safe_component

OnConflict: TypeAlias = Literal["refuse", "keep", "replace"]

TIME = pl.Datetime("us", "UTC")
_DTYPES: dict[str, pl.DataType] = {
    "f64": pl.Float64(),
    "i64": pl.Int64(),
    "str": pl.String(),
    "time": TIME,
}
_ROW_GROUP = 250_000


@dataclass(frozen=True)
class Table:
    """Rows of one series to be written: ts, usable_from, source and the kind's columns, in any order.

    Times are Datetime('us', 'UTC'); `kind` is a stored name such as bar_1h or funding.
    """

    kind: str
    venue: str
    symbol: str
    frame: pl.DataFrame


class Sort:
    """Which sort of market a store holds, real or simulated: the first rows decide, and the other is refused."""

    def __init__(self, store: Path, entries: Iterable[Entry]) -> None:
        self._store = store
        self._simulated: bool | None = None
        for entry in entries:
            self._simulated = _invented(entry.venue, entry.sources)
            return

    def take(self, table: Table) -> None:
        """
        Raises:
            StoreConflict: rows of the other sort, or of both.
        """
        if "source" not in table.frame.columns or not table.frame.height:
            return  # `checked` says what is wrong with it
        sources = [str(each) for each in table.frame["source"].unique().to_list()]
        sorts = {_invented(table.venue, (source,)) for source in sources}
        if self._simulated is not None:
            sorts.add(self._simulated)
        if len(sorts) > 1:
            series = label(table.kind, table.venue, table.symbol)
            raise StoreConflict(
                f"{self._store}: {series}: rows of simulated and of real markets don't go into one store;"
                " give each a store of its own"
            )
        self._simulated = sorts.pop()


def _invented(venue: str, sources: Iterable[str]) -> bool:
    return venue.startswith("sim_") or any(map(is_simulated, sources))


@dataclass(frozen=True, slots=True)
class Merged:
    """A partition after new rows came to it; `changed` is False when its file can stay as it is."""

    frame: pl.DataFrame
    rows_new: int
    rows_known: int
    changed: bool


def kind_named(stored: str) -> Kind:
    """The kind behind a stored name.

    Raises:
        BadInput: no kind of the store.
    """
    try:
        return split_name(stored)[0]
    except ValueError as error:
        raise BadInput(str(error)) from error


def columns_of(kind: Kind) -> tuple[Column, ...]:
    """All columns of a table of this kind, in the order in which the store keeps them."""
    return (
        Column("ts", "time"),
        Column("usable_from", "time"),
        *kind.columns,
        Column("source", "str"),
    )


def empty_frame(kind: Kind) -> pl.DataFrame:
    """No rows, but all columns with their types."""
    return pl.DataFrame(schema={c.name: _DTYPES[c.dtype] for c in columns_of(kind)})


def with_all_columns(frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """A stored table in today's columns: one that was added since it was written is null."""
    columns = columns_of(kind)
    absent = [c for c in columns if c.optional and c.name not in frame.columns]
    added = [pl.lit(None, dtype=_DTYPES[c.dtype]).alias(c.name) for c in absent]
    return frame.with_columns(added).select(c.name for c in columns)


def label(kind: str, venue: str, symbol: str) -> str:
    """A series in words for messages: 'bar_1h binance BTCUSDT'."""
    shown = [text if text.isprintable() else repr(text) for text in (venue, symbol)]
    return " ".join((kind, *(text if len(text) <= 60 else text[:57] + "…" for text in shown)))


def checked(table: Table) -> pl.DataFrame:
    """The rows of a table in the store's column order and types, sorted by the kind's key.

    Raises:
        BadInput: no such kind, or venue or symbol empty or not text that UTF-8 can hold.
        BadTable: a column missing, unknown or of another type; a value missing, not finite or outside
            what the kind allows; usable_from before ts; a key twice. Names series, row and column.
    """
    kind = kind_named(table.kind)
    _check_name("venue", table.venue)
    _check_name("symbol", table.symbol)
    series = label(table.kind, table.venue, table.symbol)
    frame = _typed(table.frame, kind, series)
    for column in columns_of(kind):
        for problem, broken in _violations(column, frame[column.name]):
            _refuse(series, column.name, problem, frame, broken)
    _refuse(series, "usable_from", "is before ts", frame, frame["usable_from"] < frame["ts"])
    span = pl.duration(microseconds=split_name(table.kind)[1] // 1_000)
    early = frame.select(pl.col("usable_from") < pl.col("ts") + span)["usable_from"]
    _refuse(series, "usable_from", "is before the bar's end", frame, early)
    key = list(kind.key)
    again = ~frame.select(key).is_unique() & ~_first_of(frame, key)
    _refuse(series, "ts", f"the same {', '.join(key)} a second time", frame, again)
    return frame.sort(key)


def _first_of(frame: pl.DataFrame, key: list[str]) -> pl.Series:
    return frame.select(pl.struct(key).is_first_distinct().alias("first"))["first"]


def _check_name(what: str, text: str) -> None:
    if not text:
        raise BadInput(f"the {what} is empty")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"the {what} {text!r} is not valid text") from error


def _typed(frame: pl.DataFrame, kind: Kind, series: str) -> pl.DataFrame:
    wanted = {column.name: column for column in columns_of(kind)}
    for name in frame.columns:
        if name not in wanted:
            raise BadTable(series, f"kind '{kind.name}' has no such column", column=name)
    typed: list[pl.Series] = []
    for name, column in wanted.items():
        if name in frame.columns:
            typed.append(_typed_column(frame[name], column, series))
        elif column.optional:  # whoever did not know of it has said nothing
            typed.append(pl.Series(name, [None] * len(frame), dtype=_DTYPES[column.dtype]))
        else:
            raise BadTable(series, "the column is missing", column=name)
    return pl.DataFrame(typed)


def _typed_column(values: pl.Series, column: Column, series: str) -> pl.Series:
    dtype, found = _DTYPES[column.dtype], values.dtype
    fits = found in (dtype, pl.Null())
    if column.dtype in ("f64", "i64"):
        fits = fits or found.is_integer()
    elif column.dtype == "str":
        fits = fits or isinstance(found, pl.Categorical | pl.Enum)
    if not fits:
        raise BadTable(series, f"is {found}, must be {dtype}", column=column.name)
    try:
        typed = values.cast(dtype)
    except pl.exceptions.PolarsError as error:
        raise BadTable(series, "a value does not fit into 64 bits", column=column.name) from error
    # -0.0 and 0.0 are one value and must be the same bytes
    return typed.set(typed == 0.0, 0.0) if column.dtype == "f64" else typed


def _violations(column: Column, values: pl.Series) -> Iterator[tuple[str, pl.Series]]:
    """Each promise of a column in words of its breach, with the rows that break it."""
    if not column.nullable:
        yield "is missing", values.is_null()
    if column.dtype == "f64":
        yield "is not a finite number", ~values.is_finite()
    if column.dtype == "time":
        micros = values.dt.epoch("us")
        yield "is outside 2009–2100", (micros < EARLIEST // 1_000) | (micros >= LATEST // 1_000)
    if column.choices:
        yield f"is none of {', '.join(column.choices)}", ~values.is_in(column.choices)
    match column.check:
        case "positive":
            yield "is not positive", values <= 0
        case "nonnegative":
            yield "is negative", values < 0
        case "fraction":
            yield "is no fraction between -1 and 1", values.abs() > 1
        case "percent":
            yield "is no percentage between -100 and 100", values.abs() > 100
        case "any":
            pass


def _refuse(series: str, column: str, problem: str, frame: pl.DataFrame, broken: pl.Series) -> None:
    row = broken.fill_null(value=False).arg_max() if len(broken) else None
    if row is None or not broken[row]:
        return
    value = frame[column][row]
    shown = problem if value is None else f"{_shown(value)} {problem}"
    raise BadTable(series, shown, row=row + 1, column=column)


def _shown(value: object) -> str:
    iso = getattr(value, "isoformat", None)
    text = str(iso()).replace("+00:00", "Z") if iso else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def partitions(table: Table, frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows cut by day or month, each with the folder it belongs into, in order of time."""
    span = span_of(table.kind)
    series = f"kind={table.kind}/venue={safe_component(table.venue)}/symbol={safe_component(table.symbol)}"
    period = frame["ts"].dt.strftime("%Y-%m-%d" if span == "day" else "%Y-%m").alias("__period")
    parts = frame.with_columns(period).partition_by("__period", maintain_order=True)
    for part in parts:
        yield f"{series}/{span}={part['__period'][0]}", part.drop("__period")


def merge(old: pl.DataFrame, new: pl.DataFrame, table: Table, on_conflict: OnConflict) -> Merged:
    """Rows that are there and rows that come, one per key.

    A row whose key is there is known: equal values change nothing, a value fills a null (its source
    then reads 'old + new'), other values are a conflict. 'keep' leaves the old row as it was, 'replace'
    takes the new row whole.

    Raises:
        StoreConflict: on_conflict is 'refuse' and a value differs.
    """
    if not len(old):
        return Merged(new, len(new), 0, changed=len(new) > 0)
    if new.drop("source").equals(old.drop("source")):
        return Merged(
            old, 0, len(new), changed=False
        )  # the usual second import, at a tenth of the cost
    key = list(kind_named(table.kind).key)
    values = [name for name in new.columns if name not in (*key, "source")]
    fresh = new.join(old, on=key, how="anti", maintain_order="left")
    both = new.join(old, on=key, how="inner", suffix="_old", maintain_order="left").with_columns(
        __differs=pl.any_horizontal(
            (pl.col(v) != pl.col(f"{v}_old")).fill_null(value=False) for v in values
        ),
        __fills=pl.any_horizontal(
            pl.col(f"{v}_old").is_null() & pl.col(v).is_not_null() for v in values
        ),
    )
    conflicts = both.filter("__differs")
    if on_conflict == "refuse" and len(conflicts):
        raise StoreConflict(_conflict(conflicts.row(0, named=True), values, key, table))
    wins = pl.col("__differs") if on_conflict == "replace" else pl.lit(value=False)
    changed = both.filter(wins | (pl.col("__fills") & ~pl.col("__differs")))
    known = len(both)
    if not len(fresh) and not len(changed):
        return Merged(old, 0, known, changed=False)
    settled = changed.select(*key, *(_settled(v) for v in values), _settled_source())
    kept = old.join(settled, on=key, how="anti", maintain_order="left")
    frame = pl.concat([part.select(old.columns) for part in (kept, settled, fresh)]).sort(key)
    return Merged(frame, len(fresh), known, changed=True)


def _settled(name: str) -> pl.Expr:
    """The value of a row that changes: the new row's where it replaces, else the old filled by the new."""
    new, old = pl.col(name), pl.col(f"{name}_old")
    return pl.when("__differs").then(new).otherwise(pl.coalesce(old, new)).alias(name)


def _settled_source() -> pl.Expr:
    new, old = pl.col("source"), pl.col("source_old")
    joined = pl.when(new == old).then(old).otherwise(pl.format("{} + {}", old, new))
    return pl.when("__differs").then(new).otherwise(joined).alias("source")


def _conflict(row: dict[str, object], values: list[str], key: list[str], table: Table) -> str:
    def differ(name: str) -> bool:
        old, new = row[f"{name}_old"], row[name]
        return old is not None and new is not None and old != new

    name = next(name for name in values if differ(name))
    where = ", ".join(f"{part} {_shown(row[part])}" for part in key)
    return (
        f"{label(table.kind, table.venue, table.symbol)}, {where}: {name} is "
        f"{_shown(row[f'{name}_old'])} in the store (from {row['source_old']}) and "
        f"{_shown(row[name])} in the new rows (from {row['source']}); "
        "nothing was written: choose which to keep, or import into another store"
    )


def packed(table: Table, partition: str, frame: pl.DataFrame) -> tuple[Entry, bytes]:
    """A partition as Parquet bytes with its manifest entry; the same rows give the same bytes."""
    whole = frame.with_columns(venue=pl.lit(table.venue), symbol=pl.lit(table.symbol)).rechunk()
    buffer = io.BytesIO()
    whole.write_parquet(
        buffer,
        compression="zstd",
        row_group_size=_ROW_GROUP,
        metadata={"airpocket.schema": str(SCHEMA), "airpocket.kind": table.kind},
    )
    data = buffer.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    entry = Entry(
        path=f"{partition}/part-{digest[:12]}.parquet",
        kind=table.kind,
        venue=table.venue,
        symbol=table.symbol,
        sha256=digest,
        size=len(data),
        rows=len(frame),
        ts_first=_ns(frame["ts"].dt.epoch("us").min()),
        ts_last=_ns(frame["ts"].dt.epoch("us").max()),
        usable_first=_ns(frame["usable_from"].dt.epoch("us").min()),
        usable_last=_ns(frame["usable_from"].dt.epoch("us").max()),
        sources=tuple(frame["source"].unique().sort().to_list()),
    )
    return entry, data


def _ns(micros: object) -> int:
    return cast("int", micros) * 1_000
