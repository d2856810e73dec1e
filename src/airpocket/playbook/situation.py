"""What a plan looks at besides the position: the market and every judgement of it, at one moment."""

from dataclasses import dataclass

import numpy as np

from airpocket.cascade.records import Cascade, Unscanned
from airpocket.domain.catalysts import Catalyst
from airpocket.domain.estimates import PRICE, Estimate, known, unknown
from airpocket.domain.positions import Position
from airpocket.domain.tells import Graded
from airpocket.domain.units import HOUR_NS, MINUTE_NS
from airpocket.levels.roadmap import Roadmap
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Contract, Market
from airpocket.playbook.words import moment
from airpocket.signals.panel import Signals
from airpocket.verdict.records import Verdict

_MARK_LAG_NS = 5 * MINUTE_NS  # an older mark price gives way to a newer trade price


@dataclass(frozen=True, slots=True)
class Situation:
    """All inputs of a plan that are not the position's own; `catalysts` None: no calendar was given."""

    market: Market
    signals: Signals
    roadmap: Roadmap
    triggers: tuple[Graded, ...]
    map: LiquidationMap | Unmapped
    cascade: Cascade | Unscanned
    verdict: Verdict | None = None
    catalysts: tuple[Catalyst, ...] | None = None
    portfolio_usd: float | None = None
    volatility: float | None = (
        None  # stated, a year, a fraction: what hedges are sketched with without a chain
    )

    @property
    def now(self) -> int:
        return self.market.now

    def contract(self, position: Position) -> Contract | None:
        """The position's own contract, if the market has it."""
        return next((c for c in self.market.contracts if c.key == position.key), None)


@dataclass(frozen=True, slots=True)
class Mark:
    """The price a position is valued at, and in a sentence what stands in for the venue's mark price."""

    price: Estimate
    words: str


def mark_of(situation: Situation, position: Position, fresh_h: float) -> Mark:
    """The contract's own mark price, else its last close, else the reference's close (`mixed`).

    Older than `fresh_h` hours is unknown.
    """
    now, own = situation.now, situation.contract(position)
    limit = int(fresh_h * HOUR_NS)
    found = [] if own is None else _own_prices(own, now, limit)
    if found:
        return found[0]
    reference = situation.market.reference
    at = int(reference.base.end[-1])
    if now - at > limit:
        reason = (
            f"no price of {position.key} within {fresh_h:g} h of {moment(now)}, "
            f"and the newest of {reference.key} is of {moment(at)}"
        )
        return Mark(unknown(PRICE, reason), reason)
    price = known(
        float(reference.base.close[-1]), PRICE, as_of=at, now=now, source=reference.key,
        provenance="mixed",
    )  # fmt: skip
    words = (
        f"no fresh price of {position.key} is stored: the close of {reference.key} stands in for it"
    )
    return Mark(price, words)


def _own_prices(own: Contract, now: int, limit: int) -> list[Mark]:
    """The contract's mark price and last close where fresh; the one to use first."""
    marks: list[tuple[int, Mark]] = []
    table = own.table("ticker")
    rows = (
        np.empty(0, np.int64)
        if table is None
        else np.flatnonzero(np.isfinite(table.floats("mark")))
    )
    if table is not None and len(rows):
        at, value = int(table.ints("ts")[rows[-1]]), float(table.floats("mark")[rows[-1]])
        price = known(value, PRICE, as_of=at, now=now, source=f"{own.key} mark price")
        marks.append((at + _MARK_LAG_NS, Mark(price, "the venue's own mark price")))
    if len(own.base):
        at = int(own.base.end[-1])
        price = known(
            float(own.base.close[-1]), PRICE, as_of=at, now=now, source=f"{own.key} last close"
        )
        words = "the last traded price stands in for the venue's mark price, which is not stored"
        marks.append((at, Mark(price, words)))
    fresh = [(rank, mark) for rank, mark in marks if now - (mark.price.as_of or 0) <= limit]
    return [mark for _, mark in sorted(fresh, key=lambda each: -each[0])]
