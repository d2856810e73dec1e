"""What if: many paths of one asset with a push and without, on the same draws, so that only the push differs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.deals import PathPriors, PathSettings, Push, deal_of, ground_of
from airpocket.cascade.dynamics import runaway_threshold
from airpocket.cascade.outcomes import Outcomes, fan, outcomes
from airpocket.cascade.paths import LANES, Course, run
from airpocket.cascade.records import Direction, Unscanned
from airpocket.cascade.scan import ways_of
from airpocket.cascade.settings import CascadeSettings
from airpocket.cascade.way import Way, fast_of
from airpocket.domain.events import FloatArray
from airpocket.domain.units import TimeNs
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Market
from airpocket.signals.panel import Signals


@dataclass(frozen=True, slots=True)
class Phase:
    """Where a way stands on the phase diagram, at the centre of the priors.

    reproduction: R, forced over resting in the first stretch; kappa_tau: resilience times latency. squeeze:
    S = R/(1 + √κτ)²: from 1 on nothing turns a burst round while its fuel lasts. growth: 1 + κτ, the R from
    which it speeds up first.
    """

    reproduction: float | None
    kappa_tau: float
    squeeze: float | None
    growth: float


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One question answered. way: the side that is pushed. without: the same paths with no push.

    fan: (marks, 5) quantiles 10 to 90 % of the displacement in per cent, at fan_s (marks,) seconds.
    """

    now: TimeNs
    price: float
    push: Push
    way: Direction
    course: Course
    pushed: Outcomes
    other_side: Outcomes
    without: Outcomes
    phase: Phase
    fan: FloatArray
    fan_s: FloatArray
    notes: tuple[str, ...]


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
    ground, volatility = ground_of(up, down), up.law.volatility
    if not ground.edges[0] < push.jump < ground.edges[-1]:
        reach = 100.0 * np.expm1(ground.edges[-1 if push.jump > 0.0 else 0])
        return Unscanned(f"map and book end at {reach:+.1f} %: nothing is known beyond")
    way = ways["up" if push.usd + push.jump >= 0.0 else "down"]
    course = replace(how.course, pull=how.priors.pull, most_pull=how.priors.most_pull)
    deal = deal_of(way, push, volatility, how)
    idle = deal_of(way, Push(depth=push.depth), volatility, how)
    ends, rest = run(ground, deal, course), run(ground, idle, course)
    is_up = way.direction == "up"
    return WhatIf(
        now=market.now, price=found.price, push=push, way=way.direction, course=course,
        pushed=outcomes(ends, deal, ground, up=is_up),
        other_side=outcomes(ends, deal, ground, up=not is_up),
        without=outcomes(rest, idle, ground, up=is_up),
        phase=phase_of(way, push, how.priors), fan=fan(ends), fan_s=_marks(course),
        notes=tuple(_notes(way, volatility, how)),
    )  # fmt: skip


def phase_of(way: Way, push: Push, priors: PathPriors) -> Phase:
    """R over the first stretch against κτ, at the centre of the priors."""
    kappa_tau = float(np.log(2.0)) * priors.latency_s.centre / priors.half_s.centre
    fast = fast_of(way).value
    reproduction = None if fast is None else fast / (push.depth * priors.depth.centre)
    squeeze = None if reproduction is None else reproduction / runaway_threshold(kappa_tau)
    return Phase(reproduction, kappa_tau, squeeze, 1.0 + kappa_tau)


def _marks(course: Course) -> FloatArray:
    return course.step_s * course.steps * np.arange(1, course.marks + 1) / max(course.marks, 1)


def _notes(way: Way, volatility: float, how: PathSettings) -> Iterator[str]:
    p, course = how.priors, how.course
    yield way.profile.label
    yield (
        f"Price moves by {100 * volatility:.2f} % a day where nothing happens; forced orders wait "
        f"{p.latency_s.low:g} to {p.latency_s.high:g} s, half of a displacement fades in {p.half_s.low:g} to "
        f"{p.half_s.high:g} s, {100 * p.lasts.low:.0f} to {100 * p.lasts.high:.0f} % of an impact stays: "
        "priors, measured by nobody here."
    )
    yield (
        f"Stop orders count as {100 * p.stops.low:.0f} to {100 * p.stops.high:.0f} % on top of the map; makers "
        f"show {100 * (p.pull / 100):.0f} % less depth in impact for each per cent that price is displaced."
    )
    yield (
        f"{how.paths // LANES * LANES:,} paths of {course.steps * course.step_s / 60:g} minutes; one book for "
        "all venues together, marks follow the last price at once, venue procedures are not in it."
    )
