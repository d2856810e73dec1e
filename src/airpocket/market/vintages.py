"""Slow series as they were known: of each day the figure last told by then, and the one told first."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import BoolArray, FloatArray, IntArray
from airpocket.domain.flows import (
    STALE_AFTER,
    FlowSeries,
    FlowState,
    missed,
    series_named,
    standing,
)
from airpocket.domain.trading_days import is_trading_day
from airpocket.domain.units import DAY_NS, day_of
from airpocket.market.state import Contract, Market, Observations

_SAME = 1e-9  # relative; two figures closer than this are one


@dataclass(frozen=True, slots=True)
class Vintages:
    """One series of one publisher at `now`, a row per day told, oldest first.

    event: the day it is about; published: by the publisher's word, −1 unsaid; values, seen: as last told by now
    and since when; first_values, first_seen: as told first. All (n,), times in ns.
    """

    series: FlowSeries
    name: str
    publisher: str
    units: tuple[str, ...]
    event: IntArray
    published: IntArray
    values: FloatArray
    seen: IntArray
    first_values: FloatArray
    first_seen: IntArray
    now: int

    def __len__(self) -> int:
        return len(self.event)

    @property
    def source(self) -> str:
        return f"{self.publisher} {self.name}"

    @property
    def revised(self) -> BoolArray:
        """(n,) whether a later figure differs from the first."""
        return differ(self.values, self.first_values)

    @property
    def missed(self) -> int:
        """Figures that should be public by now."""
        return missed(self.series, int(self.event[-1]), self.now)

    @property
    def standing(self) -> FlowState:
        return standing(self.series, int(self.event[-1]), self.now)

    @property
    def trouble(self) -> str:
        """Why nothing may be computed from it; '' where it may."""
        if len(self.units) > 1:
            return f"{self.source} comes in {' and '.join(self.units)}: its unit changed"
        if self.units and self.units[0] not in self.series.units:
            return (
                f"{self.source} comes in {self.units[0]}, not in {' or '.join(self.series.units)}"
            )
        if self.missed >= STALE_AFTER:
            last = day_of(int(self.event[-1]))
            return f"{self.source}: nothing since {last}, {self.missed} figures are overdue"
        return ""

    def gap_before(self) -> BoolArray:
        """(n,) whether figures that the cadence asks for are absent between a row and the one before it."""
        gaps = np.zeros(len(self), dtype=np.bool_)
        for at in np.flatnonzero(np.diff(self.event) > DAY_NS):
            before, until = int(self.event[at]), int(self.event[at + 1]) - 1
            gaps[at + 1] = missed(self.series, before, until + self.series.due_ns) > 0
        return gaps


def differ(one: FloatArray, other: FloatArray) -> BoolArray:
    """(n,) whether two figures are not the same to rounding."""
    return np.abs(one - other) > _SAME * np.maximum(np.abs(one), np.abs(other))


def vintages(table: Observations, name: str, publisher: str, now: int) -> Vintages | None:
    """What a table says of a series at `now`; None where it says nothing or airpocket does not know the series.

    Raises:
        ValueError: a row could not be known at `now`.
    """
    series = series_named(name)
    rows = table.texts("series") == name
    if series is None or not rows.any():
        return None
    mine = table.where(rows)
    if series.cadence == "trading day":  # the 0 of a holiday is no flow
        days = mine.ints("ts")
        mine = mine.where(np.fromiter(map(is_trading_day, days.tolist()), np.bool_, len(days)))
        if len(mine) == 0:
            return None
    event, seen = mine.ints("ts"), mine.ints("usable_from")
    if int(seen.max()) > now:
        raise ValueError(f"look-ahead: {publisher} {name} of {int(seen.max())} asked for at {now}")
    order = np.lexsort((seen, event))
    event, seen = event[order], seen[order]
    first = np.flatnonzero(np.diff(event, prepend=event[0] - 1))
    last = np.append(first[1:], len(event)) - 1
    values = mine.floats("value")[order]
    said = mine.ints("published")[order] if "published" in mine.columns else np.full(len(event), -1)
    units = tuple(str(unit) for unit in np.unique(mine.texts("unit")))
    return Vintages(
        series=series, name=name, publisher=publisher, units=units, event=event[last],
        published=said[last], values=values[last], seen=seen[last], first_values=values[first],
        first_seen=seen[first], now=now,
    )  # fmt: skip


def best(market: Market, names: tuple[str, ...]) -> Vintages | None:
    """Of all publishers of any of `names` the sound one that misses least, then tells most."""
    told = [
        each
        for contract in market.contracts
        for name in names
        if (each := of_contract(contract, name, market.now)) is not None
    ]
    return min(told, key=lambda v: (v.trouble != "", v.missed, -len(v), v.source), default=None)


def of_contract(contract: Contract, name: str, now: int) -> Vintages | None:
    """A series that one publisher tells of one coin."""
    table = contract.table("flow")
    return None if table is None else vintages(table, name, contract.key, now)


def names_of(market: Market, family: str) -> list[str]:
    """The parts of a series that any publisher tells: `etf_net_flow:IBIT` and the like, in order of name."""
    found: set[str] = set()
    for contract in market.contracts:
        table = contract.table("flow")
        if table is not None:
            found |= {
                str(n) for n in np.unique(table.texts("series")) if str(n).startswith(f"{family}:")
            }
    return sorted(found)


def total(market: Market, family: str) -> Vintages | None:
    """A level summed over its parts (exchanges, tokens) on the days that all sound parts tell."""
    told = [
        each
        for contract in market.contracts
        for name in names_of(market, family)
        if (each := of_contract(contract, name, market.now)) is not None
    ]
    sound = [each for each in told if not each.trouble]
    if not sound:
        return told[0] if told else None
    days = sound[0].event
    for each in sound[1:]:
        days = np.intersect1d(days, each.event)
    if len(days) == 0:
        return None
    rows = [np.searchsorted(each.event, days) for each in sound]
    picked = list(zip(sound, rows, strict=True))
    return Vintages(
        series=sound[0].series, name=f"{family} of {len(sound)} parts", publisher=sound[0].publisher,
        units=tuple(dict.fromkeys(unit for each in sound for unit in each.units)), event=days,
        published=np.full(len(days), -1), values=np.sum([v.values[r] for v, r in picked], axis=0),
        seen=np.max([v.seen[r] for v, r in picked], axis=0),
        first_values=np.sum([v.first_values[r] for v, r in picked], axis=0),
        first_seen=np.max([v.first_seen[r] for v, r in picked], axis=0), now=market.now,
    )  # fmt: skip
