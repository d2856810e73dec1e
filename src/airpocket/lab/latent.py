"""The hidden book of leveraged positions: who entered where at what leverage, and who is forced out."""

import heapq
from dataclasses import dataclass, field
from typing import NamedTuple

from airpocket.domain.units import PositionSide

MAINTENANCE = 0.005  # fraction of notional, one tier
DUST_COIN = 0.5


class Cohort(NamedTuple):
    """Positions opened together; `weight` times the side's survival is their size in coin now."""

    rank: float  # liquidation price, negated for longs so that the heap's first is the next to go
    number: int  # breaks ties, so that order never depends on anything else
    weight: float
    entry_price: float
    leverage_x: float
    opened_ns: int


class Forced(NamedTuple):
    """One forced close: a bought-back short has side 'short'."""

    side: PositionSide
    price: float
    size_coin: float


def liquidation_price(side: PositionSide, entry_price: float, leverage_x: float) -> float:
    """Where an isolated linear position's equity equals its maintenance margin, quote per coin.

    Short: e·(1 + 1/Λ)/(1 + m); long: e·(1 − 1/Λ)/(1 − m); m the maintenance rate, no fee.
    """
    if side == "short":
        return entry_price * (1.0 + 1.0 / leverage_x) / (1.0 + MAINTENANCE)
    return entry_price * (1.0 - 1.0 / leverage_x) / (1.0 - MAINTENANCE)


@dataclass(slots=True)
class LatentSide:
    """All leveraged shorts, or all leveraged longs, of one venue."""

    side: PositionSide
    cohorts: list[Cohort] = field(default_factory=list[Cohort])
    survival: float = 1.0
    weight: float = 0.0
    opened: int = 0

    @property
    def size_coin(self) -> float:
        return self.weight * self.survival

    def open(self, size_coin: float, entry_price: float, leverage_x: float, opened_ns: int) -> None:
        """Adds a cohort; sizes in coin, prices in quote per coin."""
        price = liquidation_price(self.side, entry_price, leverage_x)
        rank = price if self.side == "short" else -price
        self.opened += 1
        weight = size_coin / self.survival
        cohort = Cohort(rank, self.opened, weight, entry_price, leverage_x, opened_ns)
        heapq.heappush(self.cohorts, cohort)
        self.weight += weight

    def close_share(self, share: float) -> None:
        """Everyone closes the same share of what they hold, by choice."""
        self.survival *= 1.0 - share

    def force(self, mark_high: float, mark_low: float) -> list[Forced]:
        """Removes all whose liquidation price the mark has passed, nearest first."""
        reach = mark_high if self.side == "short" else -mark_low
        gone: list[Forced] = []
        while self.cohorts and self.cohorts[0].rank <= reach:
            cohort = heapq.heappop(self.cohorts)
            self.weight -= cohort.weight
            size = cohort.weight * self.survival
            if size >= DUST_COIN:
                gone.append(Forced(self.side, abs(cohort.rank), size))
        return gone
