"""Market facts: one frozen record per kind for a single event, and the same columns as a batch of many."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from airpocket.domain.kinds import split_name
from airpocket.domain.units import format_interval

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
TextArray: TypeAlias = NDArray[np.str_]
ColumnArray: TypeAlias = NDArray[Any]  # one of the three above


class Fact(Struct, frozen=True, kw_only=True, tag_field="fact"):
    """What every event carries: whose, when (venue's clock), and from when anyone could know it.

    `heard` is our own receive time, None for bulk history that nobody heard live; live events have
    `usable_from = heard`.
    """

    venue: str
    symbol: str
    ts: int  # ns, the venue's time
    usable_from: int  # ns
    heard: int | None = None


class Bar(Fact, frozen=True, kw_only=True, tag="bar"):
    """A closed trade bar; ts is its open."""

    interval_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None = None  # coin
    volume_usd: float | None = None
    taker_buy: float | None = None  # coin


class Funding(Fact, frozen=True, kw_only=True, tag="funding"):
    """A settled funding rate, fraction per interval; positive: longs pay shorts."""

    rate: float
    interval_s: int


class OpenInterest(Fact, frozen=True, kw_only=True, tag="open_interest"):
    """Open interest, one-sided; averaged_s > 0: the mean over [ts, ts + averaged_s)."""

    amount: float
    unit: str  # coin | usd | contracts
    averaged_s: int = 0


class Ticker(Fact, frozen=True, kw_only=True, tag="ticker"):
    """Last, mark and index price at one moment; None where the venue did not say."""

    last: float | None = None
    mark: float | None = None
    index: float | None = None


class Flow(Fact, frozen=True, kw_only=True, tag="flow"):
    """One observation of a slow driver; `published`: when by its publisher's own word, ns."""

    series: str
    value: float
    unit: str
    published: int | None = None


class Depth(Fact, frozen=True, kw_only=True, tag="depth"):
    """Resting notional within a band of the mid; percent < 0: bids, > 0: asks."""

    percent: float
    notional_usd: float
    depth_coin: float | None = None


class VolIndex(Fact, frozen=True, kw_only=True, tag="vol_index"):
    """A closed bar of an implied-volatility index, per cent a year."""

    interval_ns: int
    close: float
    open: float | None = None
    high: float | None = None
    low: float | None = None


Event: TypeAlias = Bar | Funding | OpenInterest | Ticker | Flow | Depth | VolIndex


@dataclass(frozen=True, slots=True)
class Batch:
    """Many facts of one kind, venue and symbol, in ts order: what the market state takes.

    `columns` holds the kind's own columns plus ts and usable_from (int64 ns), one array each, equally
    long; a missing float is NaN. `sources` names where the rows came from.
    """

    kind: str  # stored name: bar_1h, funding
    venue: str
    symbol: str
    columns: Mapping[str, ColumnArray]
    sources: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.columns["ts"])

    @property
    def family(self) -> str:
        return split_name(self.kind)[0].name

    @property
    def interval_ns(self) -> int:
        return split_name(self.kind)[1]

    def ints(self, name: str) -> IntArray:
        """Whole numbers, −1 where unknown: the store hands a column with nulls over as floats with NaN."""
        values = np.asarray(self.columns[name])
        if values.dtype.kind == "f":
            values = np.where(np.isnan(values), -1.0, values)
        return np.asarray(values, dtype=np.int64)

    def floats(self, name: str) -> FloatArray:
        return np.asarray(self.columns[name], dtype=np.float64)

    def texts(self, name: str) -> TextArray:
        return np.asarray(self.columns[name], dtype=np.str_)

    def slice(self, start: int, stop: int) -> "Batch":
        """Rows start to stop, without copying."""
        columns = {name: array[start:stop] for name, array in self.columns.items()}
        return Batch(self.kind, self.venue, self.symbol, columns, self.sources)


def batch_of(event: Event, source: str = "") -> Batch:
    """One event as a batch of length one, so that live and history enter by the same door."""
    family = str(event.__struct_config__.tag)
    interval = getattr(event, "interval_ns", None)
    kind = family if interval is None else f"{family}_{format_interval(interval)}"
    columns: dict[str, ColumnArray] = {
        "ts": np.array([event.ts], dtype=np.int64),
        "usable_from": np.array([event.usable_from], dtype=np.int64),
    }
    for column in split_name(kind)[0].columns:
        value = getattr(event, column.name, None)
        columns[column.name] = _one(value, column.dtype)
    return Batch(kind, event.venue, event.symbol, columns, (source,) if source else ())


def _one(value: object, dtype: str) -> ColumnArray:
    if dtype == "f64":
        return np.array([np.nan if value is None else value], dtype=np.float64)
    if dtype in ("i64", "time"):
        return np.array([-1 if value is None else value], dtype=np.int64)
    return np.array([value], dtype=np.str_)
