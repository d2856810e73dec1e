"""What if: many paths of one asset with a push and without, on the same draws, so that only the push differs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.deals import SHARE_OF_MEAN, PathSettings, Push, deal_of, ground_of
from airpocket.cascade.dynamics import runaway_threshold
from airpocket.cascade.network import Network, network_of
from airpocket.cascade.outcomes import Mask, Outcomes, fan, outcomes
from airpocket.cascade.paths import LANES, Course, Deal, Ends, Ground, run
from airpocket.cascade.procedures import only
from airpocket.cascade.records import Direction, Unscanned
from airpocket.cascade.scan import ways_of
from airpocket.cascade.settings import CascadeSettings
from airpocket.cascade.way import Way
from airpocket.domain.events import FloatArray
from airpocket.domain.units import TimeNs
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Market
from airpocket.signals.panel import Signals

_DAY_S = 86_400.0
_CALM_SD = 4.0  # how far price may go in a market in which nothing happens
_LEAST_LIKELY = 0.02
_PHASE_REACH = 0.1  # log-price within which the hottest stretch is looked for


@dataclass(frozen=True, slots=True)
class Phase:
    """Where a way stands on the phase diagram, by the medians of what is likely.

    reproduction: R, forced over what comes to rest in the first stretch. kappa_tau: resilience times latency.
    squeeze: S = R/(1 + √κτ)², from 1 on nothing turns a burst round while its fuel lasts. growth: 1 + κτ, the R
    from which it speeds up first. hottest: the largest R of any stretch, which begins hottest_percent from the
    price, signed.
    """

    reproduction: float
    kappa_tau: float
    squeeze: float
    growth: float
    hottest: float
    hottest_percent: float


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One question answered. way: the side that is pushed. without: the same paths with today's book and no push.

    likely: share of the priors' paths that were kept, those whose market stands still while nobody pushes.
    fan: (marks, 5) quantiles 10 to 90 % of the displacement in per cent, at fan_s (marks,) seconds.
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
) -> WhatIf | Unscanned:  # fmt: skip
    """Paths of a push, or why there are none: without map, price, book or volatility nothing is simulated."""
    settings, how = settings or CascadeSettings(), how or PathSettings()
    ways = _ways(found, market, signals, push, settings)
    if isinstance(ways, Unscanned):
        return ways
    assert not isinstance(found, Unmapped)
    up, down = ways["up"], ways["down"]
    network = network_of(found, market, _pushed(up, down, push).direction, settings, how.priors)
    t = tried(up, down, push, network, how)
    if isinstance(t, Unscanned):
        return t
    is_up = t.way.direction == "up"
    return WhatIf(
        now=market.now, price=found.price, push=push, way=t.way.direction, course=t.course,
        likely=t.likely,
        pushed=outcomes(t.ends, t.deal, t.ground, up=is_up),
        other_side=outcomes(t.ends, t.deal, t.ground, up=not is_up),
        without=outcomes(t.rest, t.idle, t.ground, up=is_up),
        phase=phase_of(t.way, t.deal, t.ground), network=network,
        fan=fan(t.ends, t.ground), fan_s=_marks(t.course),
        notes=tuple(_notes(t.way, push, _volatility(t.way), how, t.likely)),
    )  # fmt: skip


def tried(
    up: Way, down: Way, push: Push, network: Network | Unscanned, how: PathSettings
) -> Tried | Unscanned:
    """The paths that are likely, with a push and without; or why there are none. Both ways have a law."""
    ground, way = ground_of(up, down, procedures=how.priors.procedures), _pushed(up, down, push)
    if not ground.edges[0] < push.jump < ground.edges[-1]:
        reach = 100.0 * np.expm1(ground.edges[-1 if push.jump > 0.0 else 0])
        return Unscanned(f"map and book end at {reach:+.1f} %: nothing is known beyond")
    course, volatility = course_of(how, way.seal.now), _volatility(way)
    deal, idle = (deal_of(way, one, volatility, how) for one in (push, Push()))
    deal = placed(deal, push, way, network)
    if isinstance(deal, Unscanned):
        return deal
    ends, rest = run(ground, deal, course), run(ground, idle, course)
    calm = _CALM_SD * volatility * np.sqrt(course.steps * course.step_s / _DAY_S)
    likely = (rest.high <= calm) & (rest.low >= -calm)
    if likely.sum() < _LEAST_LIKELY * len(likely):
        return Unscanned(
            f"map and book would not stand still by themselves: of the priors only {100 * likely.mean():.1f} % "
            "give a market in which nothing happens while nobody pushes"
        )
    return Tried(
        way, course, ground, float(likely.mean()),
        _likely_ends(ends, likely), _likely_deal(deal, likely),
        _likely_ends(rest, likely), _likely_deal(idle, likely),
    )  # fmt: skip


def _pushed(up: Way, down: Way, push: Push) -> Way:
    return up if push.usd + push.jump >= 0.0 else down


def _volatility(way: Way) -> float:
    assert not isinstance(way.law, str), "a way without a law has no paths"
    return way.law.volatility


def _likely_ends(ends: Ends, likely: Mask) -> Ends:
    return Ends(*(array[..., likely] for array in ends))


def _likely_deal(deal: Deal, likely: Mask) -> Deal:
    return Deal(**{name: getattr(deal, name)[likely] for name in Deal.__dataclass_fields__})


def course_of(how: PathSettings, now: TimeNs) -> Course:
    """How the paths run: with the pull of the priors, and the depth of the hours ahead where it is not told."""
    course, p = how.course, how.priors
    ahead = course.ahead
    if p.hours is not None and not ahead:
        ahead = p.hours.ahead(now, course.steps * course.step_s)
    return replace(course, pull=p.pull, most_pull=p.most_pull, ahead=ahead)


def _ways(
    found: LiquidationMap | Unmapped, market: Market, signals: Signals, push: Push,
    settings: CascadeSettings,
) -> dict[Direction, Way] | Unscanned:  # fmt: skip
    """Both ways where the push is placed, with a book and a volatility."""
    if isinstance(found, Unmapped):
        return Unscanned(f"no liquidation map: {found.reason}")
    if push.on:
        if not {part.key for part in found.parts} & set(push.on):
            return Unscanned(f"no positions of {', '.join(push.on)} are in the map")
        found = only(found, push.on)
    ways = ways_of(found, market, signals, settings, push.on)
    if isinstance(ways, Unscanned):
        return ways
    up = ways["up"]
    if up.profile.kind != "book":
        return Unscanned(
            f"no book that can be used: what rests now is not known ({up.profile.label})"
        )
    if isinstance(up.law, str):
        return Unscanned(f"no volatility to move price by: {up.law}")
    return ways


def placed(deal: Deal, push: Push, way: Way, network: Network | Unscanned) -> Deal | Unscanned:
    """The deal of a push on some contracts, or on spot: what the index makes of it, and how much it moves.

    A move of few contracts is in the index only by their share of all depth, within the time that arbitrage takes;
    one of spot is the index, and its book is spot's: the same dollars move price by depth of the book over spot's.
    """
    if not (push.on or push.spot):
        return deal
    venues = network.venues if isinstance(network, Network) else ()
    if push.on:
        own, whole = (
            sum(v.depth_usd for v in venues if v.key in push.on),
            sum(v.depth_usd for v in venues),
        )
        return replace(deal, passed=deal.passed * (own / whole)) if own > 0.0 else deal
    spot = sum(v.depth_usd for v in venues if v.spot)
    if spot <= 0.0:
        return Unscanned("no book of spot is known to place a push on")
    rests = float(np.interp(way.settings.fast_stretch, way.distance, way.profile.absorb_usd))
    ratio = rests / math.log1p(way.settings.fast_stretch) / spot
    return replace(deal, push_usd=deal.push_usd * ratio, passed=np.ones_like(deal.passed))


def phase_of(way: Way, deal: Deal, ground: Ground) -> Phase:
    """R over the first stretch against κτ: medians over the paths that were kept."""
    kappa_tau = float(np.median(deal.latency_s / deal.recovery_s))
    sign = 1.0 if way.direction == "up" else -1.0
    end = min(float(sign * ground.edges[-1 if sign > 0.0 else 0]), _PHASE_REACH)
    count = max(int(end / math.log1p(way.settings.fast_stretch) + 1e-9), 1)
    away: FloatArray = sign * math.log1p(way.settings.fast_stretch) * np.arange(count + 1.0)
    width = float(ground.edges[1] - ground.edges[0])
    ladder: FloatArray = ground.forced_usd.mean(axis=0)
    below: FloatArray = np.concatenate([[0.0], np.cumsum(ground.usd_per_log * width)])
    rests: FloatArray = np.abs(np.diff(np.interp(away, ground.edges, below)))
    forced: FloatArray = np.diff(np.interp(away, ground.edges, ladder))
    local: FloatArray = float(np.median(deal.fuel * deal.booked / deal.depth)) * forced / rests
    hottest = int(np.argmax(local))
    return Phase(
        float(local[0]), kappa_tau, float(local[0]) / runaway_threshold(kappa_tau), 1.0 + kappa_tau,
        float(local[hottest]), 100.0 * math.expm1(away[hottest]),
    )  # fmt: skip


def _marks(course: Course) -> FloatArray:
    every: FloatArray = np.arange(1, course.marks + 1, dtype=np.float64)
    return course.step_s * course.steps * every / max(course.marks, 1)


def _notes(
    way: Way, push: Push, volatility: float, how: PathSettings, likely: float
) -> Iterator[str]:
    p, course, hedged = how.priors, how.course, way.beliefs.hedged
    yield way.profile.label
    if hedged.high <= 0.0:
        yield "The hedged share of this side is unknown or none: no forced flow is taken off for it."
    yield f"Where the book holds less than {100 * SHARE_OF_MEAN:g} % of its mean, that much is taken to rest."
    yield (
        f"Price moves by {100 * volatility:.2f} % a day where nothing happens; forced orders wait "
        f"{p.latency_s.low:g} to {p.latency_s.high:g} s, half of a displacement fades in {p.half_s.low:g} to "
        f"{p.half_s.high:g} s, {100 * p.lasts.low:.0f} to {100 * p.lasts.high:.0f} % of an impact stays: "
        "priors, measured by nobody here."
    )
    yield (
        f"Stop orders count as {100 * p.stops.low:.0f} to {100 * p.stops.high:.0f} % on top of the map; an "
        f"impact is {p.pull:g} % larger for each per cent that price stands displaced: makers step back."
    )
    yield (
        f"{100 * likely:.0f} % of the priors' paths were kept: the others' markets would have moved by more than "
        f"{_CALM_SD:g} standard deviations with nobody pushing, and this one has not. Orders that come while a "
        f"cascade runs are taken as {p.refill.low - 1:g} to {p.refill.high - 1:g} times what the book shows."
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
        f"{100 * handled.reach:.2f} % past its level an ordinary position is bankrupt or taken over, "
        f"{p.maintenance.low:g} to {p.maintenance.high:g} times that others; what the book has not filled by "
        f"then goes to insurance funds, up to {100 * p.fund.low:.0f} to {100 * p.fund.high:.0f} % of open interest "
        "(prior), then to winners who are deleveraged."
    )
