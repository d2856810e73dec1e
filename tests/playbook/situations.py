"""A made market with all judgements of it, and positions in it."""

from dataclasses import replace
from functools import lru_cache

import samples
from msgspec import structs

from airpocket.cascade.records import Unscanned
from airpocket.domain.estimates import known, unknown
from airpocket.domain.positions import Position
from airpocket.domain.units import DAY_NS, HOUR_NS, TimeNs
from airpocket.liquidations.records import Unmapped
from airpocket.pipeline import Assessor
from airpocket.playbook.situation import Situation

DAYS = 120
NOW = TimeNs(samples.START + DAYS * DAY_NS)


def with_figures(base, **values):
    """The situation with some tells replaced by a value (None: unknown)."""
    tells = dict(base.signals.tells)
    for name, value in values.items():
        old = tells[name]
        unit = old.estimate.unit
        new = (
            unknown(unit, "not here")
            if value is None
            else known(value, unit, as_of=NOW, now=NOW, source="made")
        )
        tells[name] = structs.replace(old, estimate=new, met=None)
    return replace(base, signals=replace(base.signals, tells=tells))


def situation(seed=0, portfolio=1_000_000.0, venue="binance_usdm", now=NOW) -> Situation:
    """As `volatile`, but without any volatility known: no hedges are sketched, which takes a while."""
    return with_figures(volatile(seed, portfolio, venue, now), rv_30d=None)


@lru_cache(maxsize=8)
def volatile(seed=0, portfolio=1_000_000.0, venue="binance_usdm", now=NOW) -> Situation:
    """120 days of a random walk of ETHUSDT on one venue, with funding; no book, no spot, no chain."""
    assessor = Assessor("ETH")
    assessor.apply(samples.bars(DAYS * 24, seed=seed, venue=venue))
    assessor.apply(samples.funding(DAYS * 3, venue=venue))
    made = assessor.assess(now).situation(None, portfolio)
    return Situation(
        market=made.market, signals=made.signals, roadmap=made.roadmap, triggers=made.triggers,
        map=Unmapped("no map in this test"), cascade=Unscanned("no scan in this test"),
        portfolio_usd=portfolio,
    )  # fmt: skip


def last_close(seed=0):
    return float(situation(seed).market.reference.base.close[-1])


def position(
    side="short", size=500.0, *, entry=None, margin="cross", seed=0, **changes
) -> Position:
    """A position opened an hour ago at (or near) the last close of the made market."""
    entry = last_close(seed) if entry is None else entry
    backing = {"wallet_usd": 0.16 * size * entry} if margin == "cross" else {"leverage_x": 5.0}
    fields = {
        "venue": "binance_usdm", "symbol": "ETHUSDT", "side": side, "size_coin": size,
        "entry_price": entry, "opened_at": NOW - HOUR_NS, "margin_mode": margin, **backing, **changes,
    }  # fmt: skip
    return Position(**fields)


def steps_of(plan):
    return {step.id: step for play in plan.plays for step in play.steps}


def play_of(plan, play_id):
    return next(play for play in plan.plays if play.id == play_id)


def tell_of(section, tell_id):
    return next(tell.estimate.value for tell in section.tells if tell.id == tell_id)
