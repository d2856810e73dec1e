"""The present state of an asset's markets: facts go in by `apply`, a frozen `Market` comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from airpocket.domain.errors import NothingKnown
from airpocket.domain.events import (
    Batch,
    ColumnArray,
    Event,
    FloatArray,
    IntArray,
    TextArray,
    batch_of,
)
from airpocket.domain.instruments import Instrument, instrument
from airpocket.domain.simulated import is_simulated
from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.market.bars import EMPTY_BARS, Bars, BarSeries

# Whose price an asset is quoted at when several are fresh: the deepest perpetual first.
_REFERENCE_ORDER = (
    "binance_usdm", "bybit_linear", "okx", "hyperliquid", "sim_perp", "sim_binance", "binance_spot",
    "coinbase", "kraken_spot", "sim_spot",
)  # fmt: skip

# What these say of the past may change later: their rows come in the order of being told.
_REVISED = ("flow", "transfer", "catalyst")


@dataclass(frozen=True, slots=True)
class Observations:
    """Rows of one kind of one contract, oldest first: the kind's columns plus ts and usable_from."""

    kind: str
    columns: Mapping[str, ColumnArray]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.columns["ts"])

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

    def where(self, mask: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> "Observations":
        return Observations(
            self.kind, {name: array[mask] for name, array in self.columns.items()}, self.sources
        )


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything known of one contract: its bars and its other observations by kind."""

    instrument: Instrument
    base: Bars = EMPTY_BARS
    hours: Bars = EMPTY_BARS
    four_hours: Bars = EMPTY_BARS
    days: Bars = EMPTY_BARS
    bar_sources: tuple[str, ...] = ()
    tables: Mapping[str, Observations] = field(default_factory=dict[str, Observations])

    @property
    def key(self) -> str:
        return self.instrument.key

    @property
    def simulated(self) -> bool:
        """Whether any fact of it is of an invented market."""
        tables = (source for table in self.tables.values() for source in table.sources)
        return self.instrument.simulated or any(map(is_simulated, (*self.bar_sources, *tables)))

    @property
    def price_doubted(self) -> bool:
        """Whether the recorder's last word on its price channel was not to trust it."""
        table = self.table("channel_state")
        if table is None:
            return False
        states = table.texts("state")[table.texts("channel") == "price"]
        return len(states) > 0 and str(states[-1]) in ("degraded", "halted", "delisted")

    def table(self, kind: str) -> Observations | None:
        return self.tables.get(kind)


@dataclass(frozen=True, slots=True)
class Market:
    """An asset's markets as they could be known at `now`."""

    asset: str
    now: TimeNs
    contracts: tuple[Contract, ...]

    @property
    def perps(self) -> tuple[Contract, ...]:
        return tuple(c for c in self.contracts if c.instrument.is_perp)

    @property
    def spots(self) -> tuple[Contract, ...]:
        return tuple(c for c in self.contracts if c.instrument.kind == "spot")

    @property
    def simulated(self) -> bool:
        """Whether any of it is invented: by its venue, or by what its rows say they came from."""
        return any(c.simulated for c in self.contracts)

    @property
    def reference(self) -> Contract:
        """The contract whose price stands for the asset: fresh within two hours, perpetuals first.

        One whose price the recorder found far from all other venues' stands for nobody while others are there.

        Raises:
            NothingKnown: no contract has bars.
        """
        priced = [c for c in self.contracts if len(c.base)]
        if not priced:
            raise NothingKnown(f"no price bars of {self.asset} are usable at this time")
        fresh = [c for c in priced if self.now - int(c.base.end[-1]) <= 2 * HOUR_NS]
        trusted = [c for c in fresh if not c.price_doubted] or fresh
        if trusted:
            return min(trusted, key=_preference)
        return max(priced, key=lambda c: int(c.base.end[-1]))


def _preference(contract: Contract) -> tuple[int, str]:
    venue = contract.instrument.venue
    rank = _REFERENCE_ORDER.index(venue) if venue in _REFERENCE_ORDER else len(_REFERENCE_ORDER)
    return rank, contract.key


class _ContractState:
    """What one contract accumulates."""

    def __init__(self, contract: Instrument) -> None:
        self.instrument = contract
        self.bars = BarSeries()
        self.bar_sources: dict[str, None] = {}  # a set that keeps its order
        self.chunks: dict[str, list[Batch]] = {}

    def view(self) -> Contract:
        return Contract(
            instrument=self.instrument,
            base=self.bars.base,
            hours=self.bars.hours,
            four_hours=self.bars.four_hours,
            days=self.bars.days,
            bar_sources=tuple(self.bar_sources),
            tables={kind: self._table(kind) for kind in self.chunks},
        )

    def _table(self, kind: str) -> Observations:
        chunks = self.chunks[kind]
        if len(chunks) > 1:
            chunks[:] = [_joined(chunks)]
            if kind in _REVISED:
                chunks[:] = [_ordered(chunks[0])]
        return Observations(kind, chunks[0].columns, chunks[0].sources)


def _joined(chunks: list[Batch]) -> Batch:
    first = chunks[0]
    columns: dict[str, ColumnArray] = {
        name: np.concatenate([chunk.columns[name] for chunk in chunks]) for name in first.columns
    }
    sources = tuple(dict.fromkeys(source for chunk in chunks for source in chunk.sources))
    return Batch(first.kind, first.venue, first.symbol, columns, sources)


class MarketState:
    """The one owner of market state of one asset; changed by `apply` alone.

    History hands over long batches, live hands over single events; both take the same path.
    """

    def __init__(self, asset: str) -> None:
        self.asset = asset
        self.latest = 0  # youngest usable_from applied, ns
        self._contracts: dict[tuple[str, str], _ContractState] = {}

    def apply(self, fact: Batch | Event) -> None:
        """Take facts, in ts order within each (kind, venue, symbol); revisions of slow flows in any.

        Raises:
            ValueError: rows go back in time.
            UnknownInstrument: venue or symbol is not known.
        """
        batch = fact if isinstance(fact, Batch) else batch_of(fact)
        if len(batch) == 0:
            return
        state = self._state_of(batch.venue, batch.symbol)
        if batch.family == "bar":
            state.bars.add(batch)
            state.bar_sources.update(dict.fromkeys(batch.sources))
        else:
            _append(state.chunks.setdefault(batch.kind, []), batch)
        self.latest = max(self.latest, int(batch.ints("usable_from").max()))

    def snapshot(self, now: TimeNs) -> Market:
        """The markets at `now`.

        Raises:
            ValueError: a fact was applied that could not be known at `now` (look-ahead).
        """
        if self.latest > now:
            raise ValueError(f"look-ahead: facts usable from {self.latest} in a snapshot at {now}")
        views = [self._contracts[key].view() for key in sorted(self._contracts)]
        return Market(self.asset, now, tuple(views))

    def _state_of(self, venue: str, symbol: str) -> _ContractState:
        key = (venue, symbol)
        if key not in self._contracts:
            self._contracts[key] = _ContractState(instrument(venue, symbol))
        return self._contracts[key]


def _ordered(batch: Batch) -> Batch:
    order = np.argsort(batch.ints("ts"), kind="stable")
    columns = {name: array[order] for name, array in batch.columns.items()}
    return Batch(batch.kind, batch.venue, batch.symbol, columns, batch.sources)


def _append(chunks: list[Batch], batch: Batch) -> None:
    if batch.kind in _REVISED:
        chunks.append(batch)
        return
    ts = batch.ints("ts")
    before = int(chunks[-1].ints("ts")[-1]) if chunks else int(ts[0])
    if ts[0] < before or np.any(np.diff(ts) < 0):
        raise ValueError(f"{batch.venue}:{batch.symbol} {batch.kind}: rows go back in time")
    chunks.append(batch)
