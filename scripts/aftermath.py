"""What the hours after a plan made of its orders, its margin and its hedges: pure arithmetic on bars and chains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.levels.averages import rsi
from airpocket.market.bars import Bars
from airpocket.playbook.hedging.records import HedgeLeg
from airpocket.playbook.records import Step

OPTION_FEE, OPTION_FEE_CAP = 0.0003, 0.125  # Deribit's regular fee, as the sheets count it
RSI_CONFIRMS = 60.0
CHAIN_REACH = 12 * HOUR_NS  # an older quote is no mark


@dataclass(frozen=True, slots=True)
class Fill:
    """When (ns, end of the bar) and at which price."""

    at: int
    price: float


@dataclass(frozen=True, slots=True)
class After:
    """Closed bars from the moment of a plan on, an hour each and four hours each (with those before, for RSI)."""

    start: int
    hours: Bars
    fours: Bars
    short: bool

    def until(self, days: float) -> Bars:
        return self.hours.until(self.start + round(days * DAY_NS))

    def close(self, days: float) -> float:
        return float(self.until(days).close[-1])

    def stop(self, price: float, until: int) -> Fill | None:
        """A stop order against the position: at its price, or at the open of a bar that begins beyond it."""
        worst = self.hours.high if self.short else -self.hours.low
        level = price if self.short else -price
        opened = self.hours.open if self.short else -self.hours.open
        hit = np.flatnonzero((worst >= level) & (self.hours.ts < until))
        if not len(hit):
            return None
        row = int(hit[0])
        paid = max(level, float(opened[row]))
        return Fill(int(self.hours.end[row]), paid if self.short else -paid)

    def limit(self, price: float, until: int, *, below: bool) -> Fill | None:
        """A resting limit order, filled at its price once a bar trades there."""
        reached = self.hours.low <= price if below else self.hours.high >= price
        hit = np.flatnonzero(reached & (self.hours.ts < until))
        return Fill(int(self.hours.end[hit[0]]), price) if len(hit) else None

    def closed_beyond(self, price: float, until: int, *, confirmed: bool) -> Fill | None:
        """A 4 h bar that closes against the position beyond a price, with RSI 14 at 60 or more where asked."""
        close, strength = self.fours.close, rsi(self.fours)
        beyond = close > price if self.short else close < price
        if confirmed:
            beyond &= strength >= RSI_CONFIRMS
        hit = np.flatnonzero(beyond & (self.fours.end > self.start) & (self.fours.end <= until))
        return Fill(int(self.fours.end[hit[0]]), float(close[hit[0]])) if len(hit) else None

    def extremes(self, days: float) -> tuple[float, float]:
        """The highest and the lowest price traded."""
        bars = self.until(days)
        return float(bars.high.max()), float(bars.low.min())


def fill_of(step: Step, after: After, end: int) -> Fill | None:
    """What became of an order of the plan by `end`, or by the time it lapses."""
    until = min(end, step.expires_at or end)
    price = None if step.price is None else step.price.value
    if step.state == "firing" and price is None and step.size_coin is not None:
        return Fill(after.start, float(after.hours.open[0]))
    if price is None or step.state in ("quiet", "unknown"):
        return None
    if step.order == "stop_market":
        return after.stop(price, until)
    if step.order == "market_on_close":
        return after.closed_beyond(price, until, confirmed=step.id == "momentum")
    if step.order == "limit":
        return after.limit(price, until, below=step.side == "buy")
    return None


@dataclass(frozen=True, slots=True)
class Chains:
    """Every recorded quote after the plan; prices in coin."""

    quotes: pl.DataFrame

    def value(self, legs: Sequence[HedgeLeg], at: int) -> float | str:
        """USD that the legs bring if taken back at `at` (bought at the bid, sold at the ask), fees off.

        A string says which leg has no quote.
        """
        total = 0.0
        for leg in legs:
            coins = (leg.size.value or 0.0) * (1.0 if leg.side == "buy" else -1.0)
            row = self._row(leg.name, at)
            if row is None:
                return f"no quote of {leg.name}"
            side = float(row["bid"] if coins > 0.0 else row["ask"] or float("nan"))
            if not side > 0.0 and coins < 0.0:
                return f"no ask of {leg.name}"
            index = float(row["index_price"])
            usd = side * index
            fee = min(OPTION_FEE * index, OPTION_FEE_CAP * usd)
            total += coins * usd - abs(coins) * fee
        return total

    def _row(self, name: str, at: int) -> dict[str, float] | None:
        found = self.quotes.filter(
            (pl.col("instrument") == name)
            & (pl.col("usable_ns") <= at)
            & (pl.col("usable_ns") > at - CHAIN_REACH)
        )
        return None if found.is_empty() else found.sort("usable_ns").row(-1, named=True)


@dataclass(frozen=True, slots=True)
class Terms:
    """An option's strike, whether it is a call, and the price of the coin at its own expiry."""

    strike: float
    call: bool
    price: float


def settled(legs: Sequence[HedgeLeg], terms: Mapping[str, Terms]) -> float:
    """USD that the legs pay, each at its expiry; terms by name."""
    total = 0.0
    for leg in legs:
        of = terms[leg.name]
        coins = (leg.size.value or 0.0) * (1.0 if leg.side == "buy" else -1.0)
        total += coins * max(of.price - of.strike if of.call else of.strike - of.price, 0.0)
    return total
