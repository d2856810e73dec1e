"""What if: many paths of one asset with a push and without, on the same draws, so that only the push differs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.calibrate.blend import Basis
from airpocket.cascade.calibrate.fit import Fitted
from airpocket.cascade.coupling import Coupling, Uncoupled
from airpocket.cascade.deals import SHARE_OF_MEAN, PathPriors, PathSettings, Push, deal_of
from airpocket.cascade.network import Network, network_of
from airpocket.cascade.outcomes import Outcomes, fan, outcomes
from airpocket.cascade.paths import LANES, Course, Deal, Ends, Ground, run
from airpocket.cascade.phase import (
    CALM_SD,
    Moment,
    Phase,
    blended_for,
    course_of,
    likely_deal,
    likely_ends,
    phase_of,
    placed,
    pushed_way,
    settled,
    ways_at,
)
from airpocket.cascade.procedures import Handling
from airpocket.cascade.records import Direction, Unscanned
from airpocket.cascade.settings import CascadeSettings
from airpocket.cascade.way import Way
from airpocket.domain.events import FloatArray
from airpocket.domain.units import TimeNs
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Market
from airpocket.signals.panel import Signals


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One question answered. way: the side that is pushed. without: the same paths with today's book and no push.

    likely: share of the priors' paths that were kept, those whose market stands still while nobody pushes.
    basis: where each number that no book shows comes from, prior or measured.
    fan: (marks, 5) quantiles 10 to 90 % of the displacement in per cent, at fan_s (marks,) seconds. trail: places
    on the phase diagram before now, oldest first, if they were asked for. coupling: by venue with public accounts,
    what other coins have to do with it.
    """

    now: TimeNs
    price: float
    push: Push
    way: Direction
    course: Course
    likely: float
    pushed: Outcomes
    other_side: Outcomes
    without: Outcomes
    phase: Phase
    network: Network | Unscanned
    fan: FloatArray
    fan_s: FloatArray
    notes: tuple[str, ...]
    basis: tuple[Basis, ...] = ()
    trail: tuple[Moment, ...] = ()
    coupling: tuple[Coupling | Uncoupled, ...] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """Paths behind an answer: those kept, `likely` of all; with the push (ends, deal) and without (rest, idle)."""

    way: Way
    course: Course
    ground: Ground
    likely: float
    ends: Ends
    deal: Deal
    rest: Ends
    idle: Deal


def what_if(
    found: LiquidationMap | Unmapped, market: Market, signals: Signals, push: Push,
    settings: CascadeSettings | None = None, how: PathSettings | None = None,
    fitted: Fitted | None = None,
) -> WhatIf | Unscanned:  # fmt: skip
    """Paths of a push, or why there are none: without map, price, book or volatility nothing is simulated.

    fitted: what was measured of the market, blended into the priors of `how`.
    """
    settings, how = settings or CascadeSettings(), how or PathSettings()
    ways = ways_at(found, market, signals, push, settings)
    if isinstance(ways, Unscanned):
        return ways
    assert not isinstance(found, Unmapped)
    up, down = ways["up"], ways["down"]
    blend = blended_for(ways, push, how.priors, fitted)
    how = replace(how, priors=blend.priors)
    direction = pushed_way(up, down, push).direction
    network = network_of(found, market, direction, settings, how.priors)
    t = tried(up, down, push, network, how)
    if isinstance(t, Unscanned):
        return t
    is_up = direction == "up"
    return WhatIf(
        now=market.now, price=found.price, push=push, way=direction, course=t.course, likely=t.likely,
        pushed=outcomes(t.ends, t.deal, t.ground, up=is_up),
        other_side=outcomes(t.ends, t.deal, t.ground, up=not is_up),
        without=outcomes(t.rest, t.idle, t.ground, up=is_up),
        phase=phase_of(t.way, t.deal, t.ground), network=network,
        fan=fan(t.ends, t.ground), fan_s=_marks(t.course), notes=tuple(_notes(t.way, push, how, t.likely)),
        basis=blend.basis,
    )  # fmt: skip


def tried(
    up: Way, down: Way, push: Push, network: Network | Unscanned, how: PathSettings
) -> Tried | Unscanned:
    """The paths that are likely, with a push and without; or why there are none. Both ways have a law."""
    calm = settled(up, down, push, how)
    if isinstance(calm, Unscanned):
        return calm
    deal = placed(deal_of(calm.way, push, calm.volatility, how), push, calm.way, network)
    if isinstance(deal, Unscanned):
        return deal
    likely = calm.likely
    return Tried(
        calm.way, calm.course, calm.ground, float(likely.mean()),
        likely_ends(run(calm.ground, deal, calm.course), likely), likely_deal(deal, likely),
        likely_ends(calm.rest, likely), likely_deal(calm.idle, likely),
    )  # fmt: skip


def _marks(course: Course) -> FloatArray:
    every: FloatArray = np.arange(1, course.marks + 1, dtype=np.float64)
    return course.step_s * course.steps * every / max(course.marks, 1)


def _notes(way: Way, push: Push, how: PathSettings, likely: float) -> Iterator[str]:
    p, course, hedged = how.priors, how.course, way.beliefs.hedged
    assert not isinstance(way.law, str)
    volatility = way.law.volatility
    yield way.profile.label
    if hedged.high <= 0.0:
        yield "The hedged share of this side is unknown or none: no forced flow is taken off for it."
    yield f"Where the book holds less than {100 * SHARE_OF_MEAN:g} % of its mean, that much is taken to rest."
    yield (
        f"Price moved by {100 * volatility:.2f} % a day; where nothing happens it now moves by {p.wander.low:g} to "
        f"{p.wander.high:g} times that (prior). An impact grows with each per cent "
        f"that price stands displaced, by {p.pull:.0f} % at first: makers step back."
    )
    yield (
        f"{100 * likely:.0f} % of the priors' paths were kept: the others' markets would have moved by more than "
        f"{CALM_SD:g} standard deviations with nobody pushing, and this one has not."
    )
    if p.hours is not None:
        end = course_of(how, way.seal.now).ahead[-1]
        kind = "fitted" if p.hours.fitted else "prior"
        yield (
            f"By the hour of the week the book is {100 * end:.0f} % as deep at the end as now ({kind}: "
            f"{p.hours.source})."
        )
    yield from _handled(way, how)
    yield f"{how.paths // LANES * LANES:,} paths of {course.steps * course.step_s / 60:g} minutes; {_where(push)}."


def _where(push: Push) -> str:
    if push.on:
        return (
            f"on {', '.join(push.on)} alone: own books and positions (before public accounts are blended in); "
            "what other venues do to it is in the network, not in the paths"
        )
    if push.spot:
        return (
            "the push on spot's books, by their depth; forced orders on the perpetuals' one book, whose index "
            "spot is"
        )
    return "one book for all venues together"


def _handled(way: Way, how: PathSettings) -> Iterator[str]:
    p, handled = how.priors, way.handling
    if not p.procedures:
        yield "Venues' procedures are left out: forced orders trade at any price, marks are the last price."
        return
    yield (
        f"The mark forces out, not the last price: {100 * p.passed.low:.0f} to {100 * p.passed.high:.0f} % of a "
        "move (prior) is in the index at once, the rest comes into the mark as the venues average it."
    )
    if handled.known <= 0.0:
        yield (
            "How forced flow leaves is known of no contract in the map: it trades at any price, and a prior share "
            "of it not at all."
        )
        return
    told = ", ".join(f"{key} {100 * share:.0f} %" for key, share in handled.shares)
    yield (
        f"Forced flow leaves as its venues' rules say ({told}; known for {100 * handled.known:.0f} %): "
        + _limits(handled, p)
    )
    share = way.settings.book_share
    yield (
        f"Of all of it {100 * share.low:.0f} to {100 * share.high:.0f} % is sent to the book (prior: so much was "
        "counted on past days, less than the rules would let); the rest leaves beside it."
    )


def _limits(handled: Handling, p: PathPriors) -> str:
    if not math.isfinite(handled.reach):
        return "mostly as market orders that go as far as they must."
    return (
        f"{100 * handled.reach:.2f} % past its level an ordinary position is bankrupt or taken over, "
        f"{p.maintenance.low:g} to {p.maintenance.high:g} times that others; what the book has not filled by "
        f"then goes to insurance funds, up to {100 * p.fund.low:.0f} to {100 * p.fund.high:.0f} % of open interest "
        "(prior), then to winners who are deleveraged."
    )
