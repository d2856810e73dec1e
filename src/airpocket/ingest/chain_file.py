"""Reads an option chain from a CSV or Parquet file, one row an option; docs/hedge.md has the columns."""

from pathlib import Path

import numpy as np
import polars as pl

from airpocket.domain.errors import BadInput, BadTable
from airpocket.domain.events import Batch, ColumnArray, FloatArray
from airpocket.domain.units import MINUTE_NS, format_time
from airpocket.ingest.options import OptionName, read_name
from airpocket.ingest.values import BadValue

_NEEDED = ("instrument_name", "bid_price", "ask_price", "underlying_price")
_NUMBERS = (
    "bid_price", "ask_price", "underlying_price", "index_price", "open_interest", "bid_size", "ask_size",
)  # fmt: skip
_ROW = "__row"
_ONE_LOOK_NS = 10 * MINUTE_NS


def read_chain(path: Path, asset: str, now: int) -> Batch:
    """The newest chain of a file at or before `now`, as stored quotes; without a `ts` column it is of `now`.

    Prices in coin, as Deribit and OKX quote them.

    Raises:
        BadInput: unreadable, nothing by then, or nothing on the asset.
        BadTable: a column is missing, or a row is wrong; names file, row and column.
    """
    frame = _frame(path)
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        raise BadTable(
            path.name, f"is missing; there are {', '.join(frame.columns)}", column=missing[0]
        )
    frame, at = _newest(path, frame.with_row_index(_ROW, 1), now)
    told = zip(frame[_ROW].to_list(), frame["instrument_name"].to_list(), strict=True)
    names = [_named(path, int(row), text) for row, text in told]
    mine = np.array([k for k, name in enumerate(names) if name.base == asset], dtype=np.int64)
    if not len(mine):
        raise BadInput(f"{path.name}: holds no option on {asset}")
    numbers = {name: _numbers(path, frame, name)[mine] for name in _NUMBERS}
    ours = [name for name in names if name.base == asset]
    none, stamp = np.full(len(mine), np.nan), np.full(len(mine), at, dtype=np.int64)
    columns: dict[str, ColumnArray] = {
        "ts": stamp, "usable_from": stamp, "instrument": frame["instrument_name"].to_numpy()[mine].astype(np.str_),
        "expiry": np.array([name.expiry for name in ours], dtype=np.int64),
        "strike": np.array([name.strike for name in ours]),
        "option_type": np.array(["call" if name.call else "put" for name in ours]),
        "underlying_index": np.full(len(mine), ""), "underlying_price": numbers["underlying_price"],
        "bid": numbers["bid_price"], "ask": numbers["ask_price"], "mark": none, "mark_iv": none, "delta": none,
        "vega": none, "open_interest": numbers["open_interest"], "volume": none,
        "index_price": numbers["index_price"], "bid_size": numbers["bid_size"], "ask_size": numbers["ask_size"],
    }  # fmt: skip
    return Batch("option_quote", "deribit", f"{asset}-OPTIONS", columns, (path.name,))


def _frame(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(f"{path}: can't be read: {error}") from error


def _newest(path: Path, frame: pl.DataFrame, now: int) -> tuple[pl.DataFrame, int]:
    if "ts" not in frame.columns:
        return frame, now
    column = frame["ts"]
    if column.dtype == pl.String:
        try:
            column = column.str.to_datetime(time_zone="UTC", strict=True)
        except pl.exceptions.PolarsError as error:
            raise BadTable(
                path.name, f"must be times with their zone: {error}", column="ts"
            ) from error
    if not isinstance(column.dtype, pl.Datetime):
        raise BadTable(path.name, "must be times, as 2026-02-06T21:30:57Z", column="ts")
    stamps = column.dt.epoch("ns")
    usable = stamps.filter(stamps <= now).max()
    if not isinstance(usable, int):
        raise BadInput(f"{path.name}: holds no chain at or before {format_time(now)}")
    return frame.filter((stamps <= now) & (stamps > usable - _ONE_LOOK_NS)), usable


def _named(path: Path, row: int, text: object) -> OptionName:
    """One row's instrument.

    Raises:
        BadTable: it is no option's name.
    """
    try:
        return read_name(str(text).strip())
    except BadValue as error:
        raise BadTable(path.name, f"unknown symbol: {error}; options are named as ETH-27FEB26-2400-C",
                       row=row, column="instrument_name") from error  # fmt: skip


def _numbers(path: Path, frame: pl.DataFrame, name: str) -> FloatArray:
    """Floats, NaN where there is none; a text that is no number or a negative one is refused."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    column = frame[name]
    if column.dtype == pl.String:
        column = column.str.strip_chars().replace("", None)
    cast = column.cast(pl.Float64, strict=False)
    wrong = (cast.is_null() & column.is_not_null()) | (cast < 0.0).fill_null(value=False)
    if wrong.any():
        k = int(wrong.arg_max() or 0)
        raise BadTable(
            path.name, f"must be a number at least 0 or empty, not {column[k]!r}", row=int(frame[_ROW][k]),
            column=name,
        )  # fmt: skip
    return np.asarray(cast.to_numpy(), dtype=np.float64)
