"""What if: many paths of one asset with a push and without, on the same draws, so that only the push differs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.deals import SHARE_OF_MEAN, PathSettings, Push, deal_of, ground_of
from airpocket.cascade.dynamics import runaway_threshold
from airpocket.cascade.outcomes import Mask, Outcomes, fan, outcomes
from airpocket.cascade.paths import LANES, Course, Deal, Ends, Ground, run
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


@dataclass(frozen=True, slots=True)
class Phase:
    """Where a way stands on the phase diagram, by the medians of what is likely.

    reproduction: R, forced over what comes to rest in the first stretch. kappa_tau: resilience times latency.
    squeeze: S = R/(1 + √κτ)², from 1 on nothing turns a burst round while its fuel lasts. growth: 1 + κτ, the R
    from which it speeds up first.
    """

    reproduction: float
    kappa_tau: float
    squeeze: float
    growth: float


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
    ways = ways_of(found, market, signals, settings)
    if isinstance(ways, Unscanned) or isinstance(found, Unmapped):
        return ways if isinstance(ways, Unscanned) else Unscanned("no liquidation map")
    up, down = ways["up"], ways["down"]
    if up.profile.kind != "book":
        return Unscanned(
            f"no book that can be used: what rests now is not known ({up.profile.label})"
        )
    if isinstance(up.law, str):
        return Unscanned(f"no volatility to move price by: {up.law}")
    found_paths = tried(up, down, push, up.law.volatility, how)
    if isinstance(found_paths, Unscanned):
        return found_paths
    t, is_up = found_paths, found_paths.way.direction == "up"
    return WhatIf(
        now=market.now, price=found.price, push=push, way=t.way.direction, course=t.course,
        likely=t.likely,
        pushed=outcomes(t.ends, t.deal, t.ground, up=is_up),
        other_side=outcomes(t.ends, t.deal, t.ground, up=not is_up),
        without=outcomes(t.rest, t.idle, t.ground, up=is_up),
        phase=phase_of(t.way, t.deal, t.ground), fan=fan(t.ends, t.ground), fan_s=_marks(t.course),
        notes=tuple(_notes(t.way, up.law.volatility, how, t.likely)),
    )  # fmt: skip


def tried(
    up: Way, down: Way, push: Push, volatility: float, how: PathSettings
) -> Tried | Unscanned:
    """The paths that are likely, with a push and without; or why there are none. volatility: daily, a fraction."""
    ground = ground_of(up, down, procedures=how.priors.procedures)
    if not ground.edges[0] < push.jump < ground.edges[-1]:
        reach = 100.0 * np.expm1(ground.edges[-1 if push.jump > 0.0 else 0])
        return Unscanned(f"map and book end at {reach:+.1f} %: nothing is known beyond")
    way = up if push.usd + push.jump >= 0.0 else down
    course = replace(how.course, pull=how.priors.pull, most_pull=how.priors.most_pull)
    deal, idle = (deal_of(way, one, volatility, how) for one in (push, Push()))
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


def _likely_ends(ends: Ends, likely: Mask) -> Ends:
    return Ends(*(array[..., likely] for array in ends))


def _likely_deal(deal: Deal, likely: Mask) -> Deal:
    return Deal(**{name: getattr(deal, name)[likely] for name in Deal.__dataclass_fields__})


def phase_of(way: Way, deal: Deal, ground: Ground) -> Phase:
    """R over the first stretch against κτ: medians over the paths that were kept."""
    kappa_tau = float(np.median(deal.latency_s / deal.recovery_s))
    up = way.direction == "up"
    edge = math.log1p(way.settings.fast_stretch) * (1.0 if up else -1.0)
    ladder: FloatArray = ground.forced_usd.mean(axis=0)
    forced = float(np.interp(edge, ground.edges, ladder))
    inside = (ground.edges[:-1] >= -1e-12) if up else (ground.edges[1:] <= 1e-12)
    near = inside & (np.abs(ground.edges[:-1] + ground.edges[1:]) < 2.0 * abs(edge))
    width = float(ground.edges[1] - ground.edges[0])
    rests = float(ground.usd_per_log[near].sum()) * width
    reproduction = float(np.median(deal.fuel * deal.booked / deal.depth)) * forced / rests
    return Phase(
        reproduction, kappa_tau, reproduction / runaway_threshold(kappa_tau), 1.0 + kappa_tau
    )


def _marks(course: Course) -> FloatArray:
    every: FloatArray = np.arange(1, course.marks + 1, dtype=np.float64)
    return course.step_s * course.steps * every / max(course.marks, 1)


def _notes(way: Way, volatility: float, how: PathSettings, likely: float) -> Iterator[str]:
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
    yield from _handled(way, how)
    yield (
        f"{how.paths // LANES * LANES:,} paths of {course.steps * course.step_s / 60:g} minutes; one book for "
        "all venues together."
    )


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
