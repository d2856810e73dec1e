"""What the lab hands over: one frame of facts per kind, venue and symbol, each row labelled SIMULATED."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from airpocket.domain.kinds import split_name
from airpocket.domain.simulated import SIMULATED
from airpocket.lab.scenario import FloatArray, IntArray

TIME = pl.Datetime("us", "UTC")
Values: TypeAlias = FloatArray | IntArray | NDArray[np.str_] | list[str] | list[float | None] | None

_DTYPES: dict[str, pl.DataType] = {
    "f64": pl.Float64(),
    "i64": pl.Int64(),
    "str": pl.String(),
    "time": TIME,
}


@dataclass(frozen=True, slots=True)
class BundledTable:
    """Facts of one kind (stored name, such as bar_1h), venue and symbol, in the order of the kind's key.

    `frame` has ts, usable_from (UTC, µs), source, then the kind's own columns.
    """

    kind: str
    venue: str
    symbol: str
    frame: pl.DataFrame


def source_of(seed: int) -> str:
    """The label every simulated row carries."""
    return f"{SIMULATED} seed {seed}"


def build(
    kind: str, listing: tuple[str, str], source: str, times: tuple[IntArray, IntArray],
    columns: Mapping[str, Values],
) -> BundledTable:  # fmt: skip
    """A table from arrays: `listing` is (venue, symbol), `times` is (ts, usable_from) in ns.

    A column given as None is null in every row; an optional one can be left out. Rows are put in the order
    of the kind's key.
    """
    family, _ = split_name(kind)
    ts, usable_from = times
    series = [_times("ts", ts), _times("usable_from", usable_from)]
    series.append(pl.Series("source", [source] * len(ts), dtype=pl.String))
    for column in family.columns:
        if column.optional and column.name not in columns:
            continue  # nothing is said of it
        values = columns[column.name]
        series.append(_series(column.name, values, _DTYPES[column.dtype], len(ts)))
    frame = pl.DataFrame(series).sort(family.key, maintain_order=True)
    venue, symbol = listing
    return BundledTable(kind, venue, symbol, frame)


def _times(name: str, values_ns: IntArray) -> pl.Series:
    return pl.Series(name, values_ns // 1_000, dtype=pl.Int64).cast(TIME)


def _series(name: str, values: Values, dtype: pl.DataType, rows: int) -> pl.Series:
    if values is None:
        return pl.Series(name, [None] * rows, dtype=dtype)
    if dtype == TIME and isinstance(values, np.ndarray):
        return _times(name, values.astype(np.int64))
    return pl.Series(name, values, dtype=dtype)
