"""Where a market stands before anything is asked of it: calm with nobody pushing, and its place on the diagram."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.calibrate.blend import Blend, priors_from
from airpocket.cascade.calibrate.fit import Fitted
from airpocket.cascade.deals import PathPriors, PathSettings, Push, deal_of, ground_of
from airpocket.cascade.footing import STRETCH, Footing, footing_over
from airpocket.cascade.network import Network
from airpocket.cascade.outcomes import Mask
from airpocket.cascade.paths import Course, Deal, Ends, Ground, run
from airpocket.cascade.procedures import only
from airpocket.cascade.records import Direction, Unscanned
from airpocket.cascade.scan import ways_of
from airpocket.cascade.settings import CascadeSettings
from airpocket.cascade.way import Way
from airpocket.domain.units import TimeNs
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Market
from airpocket.signals.panel import Signals

CALM_SD = 4.0  # how far price may go in a market in which nothing happens
_LEAST_LIKELY = 0.02
_PHASE_REACH = 0.1  # log-price within which the hottest stretch is looked for
_PHASE_PATHS = 2_048


@dataclass(frozen=True, slots=True)
class Phase(Footing):
    """Where a way stands on the phase diagram: over the first stretch, by the medians of what is likely.

    hottest: the largest R of any stretch, which begins hottest_percent from the price, signed.
    """

    hottest: float
    hottest_percent: float


@dataclass(frozen=True, slots=True)
class Moment:
    """A past place on the diagram; phase None: why it is not known."""

    at: TimeNs
    phase: Phase | None
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """What paths of a question run on. idle, rest: the deal and the ends with nobody pushing; likely: (N,) which
    of them stand still, as the market does.
    """

    way: Way
    ground: Ground
    volatility: float
    course: Course
    idle: Deal
    rest: Ends
    likely: Mask


def settled(up: Way, down: Way, push: Push, how: PathSettings) -> Settled | Unscanned:
    """The market left alone, seen the way that is pushed; or why nothing can be said of it. Both have a law."""
    ground = ground_of(up, down, procedures=how.priors.procedures)
    way = pushed_way(up, down, push)
    if not ground.edges[0] < push.jump < ground.edges[-1]:
        reach = 100.0 * np.expm1(ground.edges[-1 if push.jump > 0.0 else 0])
        return Unscanned(f"map and book end at {reach:+.1f} %: nothing is known beyond")
    assert not isinstance(way.law, str), "a way without a law has no paths"
    course, volatility = course_of(how, way.seal.now), way.law.volatility
    idle = deal_of(way, Push(), volatility, how)
    rest = run(ground, idle, course)
    calm = CALM_SD * idle.volatility * np.sqrt(course.steps * course.step_s)
    likely = (rest.high <= calm) & (rest.low >= -calm)
    if likely.sum() < _LEAST_LIKELY * len(likely):
        return Unscanned(
            f"map and book would not stand still by themselves: of the priors only {100 * likely.mean():.1f} % "
            "give a market in which nothing happens while nobody pushes"
        )
    return Settled(way, ground, volatility, course, idle, rest, likely)


def pushed_way(up: Way, down: Way, push: Push) -> Way:
    """The way a push goes."""
    return up if push.usd + push.jump >= 0.0 else down


def blended_for(
    ways: Mapping[Direction, Way], push: Push, priors: PathPriors, fitted: Fitted | None
) -> Blend:
    """Priors with what was measured in them, for a push into the book that it meets."""
    way = pushed_way(ways["up"], ways["down"], push)

    def shown(move: float) -> float:
        away = abs(math.expm1(way.sign * move))
        return float(np.interp(away, way.distance, way.profile.absorb_usd))

    return priors_from(fitted, priors, push.usd, shown=shown)


def phase_at(
    found: LiquidationMap | Unmapped, market: Market, signals: Signals, push: Push,
    settings: CascadeSettings | None = None, how: PathSettings | None = None,
    fitted: Fitted | None = None,
) -> Moment:  # fmt: skip
    """The place of one moment, from few paths and as a what-if tells it. fitted: what was measured by then."""
    how = replace(how or PathSettings(), paths=_PHASE_PATHS)
    jumpless = replace(push, usd=push.usd + push.jump, jump=0.0)  # past prices need not hold it
    ways = ways_at(found, market, signals, jumpless, settings or CascadeSettings())
    if isinstance(ways, Unscanned):
        return Moment(market.now, None, ways.reason)
    how = replace(how, priors=blended_for(ways, push, how.priors, fitted).priors)
    calm = settled(ways["up"], ways["down"], jumpless, how)
    if isinstance(calm, Unscanned):
        return Moment(market.now, None, calm.reason)
    kept = likely_deal(calm.idle, calm.likely)
    return Moment(market.now, phase_of(calm.way, kept, calm.ground))


def likely_ends(ends: Ends, likely: Mask) -> Ends:
    return Ends(*(array[..., likely] for array in ends))


def likely_deal(deal: Deal, likely: Mask) -> Deal:
    return Deal(**{name: getattr(deal, name)[likely] for name in Deal.__dataclass_fields__})


def course_of(how: PathSettings, now: TimeNs) -> Course:
    """How the paths run: with the pull of the priors, and the depth of the hours ahead where it is not told."""
    course, p = how.course, how.priors
    ahead = course.ahead
    if p.hours is not None and not ahead:
        ahead = p.hours.ahead(now, course.steps * course.step_s)
    return replace(course, pull=p.pull, most_pull=p.most_pull, ahead=ahead)


def ways_at(
    found: LiquidationMap | Unmapped, market: Market, signals: Signals, push: Push,
    settings: CascadeSettings,
) -> dict[Direction, Way] | Unscanned:  # fmt: skip
    """Both ways where the push is placed, with a book and a volatility."""
    if isinstance(found, Unmapped):
        return Unscanned(f"no liquidation map: {found.reason}")
    if not all(
        np.isfinite(each).all()
        for ladder in (found.shorts, found.longs)
        for each in (ladder.usd, ladder.draws)
    ):
        return Unscanned("the map holds amounts that are not a number")
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
    """R over the first stretch against κτ, and where it is largest: medians over the paths that were kept."""
    sign = 1.0 if way.direction == "up" else -1.0
    end = min(float(sign * ground.edges[-1 if sign > 0.0 else 0]), _PHASE_REACH)
    count = max(int(end / abs(math.log1p(sign * STRETCH)) + 1e-9), 1)
    starts = [abs(math.expm1(k * math.log1p(sign * STRETCH))) for k in range(count)]
    stretches = [footing_over(ground, deal, way.direction, start)[0] for start in starts]
    hottest = max(range(count), key=lambda k: stretches[k].reproduction)
    first = stretches[0]
    return Phase(
        first.reproduction, first.kappa_tau, first.squeeze, first.growth,
        stretches[hottest].reproduction, 100.0 * sign * starts[hottest],
    )  # fmt: skip
