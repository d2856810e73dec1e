"""Where a market stands before anyone pushes: the priors that let it stand still, and R, κτ and S each way."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from airpocket.cascade.deals import PathSettings, Push, deal_of, ground_of
from airpocket.cascade.footing import STRETCH, Footing, footing_over
from airpocket.cascade.outcomes import Mask
from airpocket.cascade.paths import Course, Deal, Ends, Ground, run
from airpocket.cascade.phase import course_of, likely_deal, likely_ends
from airpocket.cascade.records import Cascade, Direction, Unscanned
from airpocket.cascade.scan import ways_of
from airpocket.cascade.settings import CascadeSettings
from airpocket.cascade.way import Way
from airpocket.domain.estimates import RATIO, Estimate, known, unknown
from airpocket.domain.events import FloatArray
from airpocket.domain.units import TimeNs
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Market
from airpocket.signals.panel import Signals

_ALONG = (0.0, 0.01, 0.02, 0.03, 0.05)  # where R is looked at, as price moves


@dataclass(frozen=True, slots=True)
class StandingSettings:
    """calm_sd: how many standard deviations price may go in a market in which nothing happens. least_likely: the
    share of the priors' paths that must stay within, or nothing is said. how: few paths, since an assessment
    walks them each time; a what-if walks more.
    """

    calm_sd: float = 4.0
    least_likely: float = 0.02
    how: PathSettings = field(
        default_factory=lambda: PathSettings(
            paths=8_192, course=Course(steps=900, push_s=60.0, marks=30)
        )
    )


@dataclass(frozen=True, slots=True)
class Stand:
    """One way. footing: over the first per cent; reproduction, kappa_tau and squeeze are its figures with their
    10 to 90 %. pocket: S over the first per cent of the nearest pocket, which counts once price is there. along:
    per cent from the price → R of the per cent after it.

    deal, rest: the paths that were kept, and how they went while nobody pushed; likely: which those are.
    """

    way: Way
    footing: Footing
    reproduction: Estimate
    kappa_tau: Estimate
    squeeze: Estimate
    pocket: Estimate
    along: tuple[tuple[float, float], ...]
    likely: Mask
    deal: Deal
    rest: Ends


@dataclass(frozen=True, slots=True)
class Standing:
    """Both ways, and the ground that every push is walked on."""

    now: TimeNs
    price: float
    volume_usd: float  # of a day
    volatility: float  # of a day, a fraction
    ground: Ground
    course: Course
    how: PathSettings
    ways: dict[Direction, Stand]

    def deal(self, direction: Direction, push: Push) -> Deal:
        """What every path is dealt, likely or not: the same for every push but for the push."""
        stand = self.ways[direction]
        return deal_of(stand.way, push, self.volatility, self.how)


def standing_of(
    found: LiquidationMap | Unmapped, market: Market, signals: Signals, scan: Cascade | Unscanned,
    settings: CascadeSettings | None = None, s: StandingSettings | None = None,
) -> Standing | Unscanned:  # fmt: skip
    """Both ways of a map and a book; or why nothing can be said: without map, price, book or volatility."""
    settings, s = settings or CascadeSettings(), s or StandingSettings()
    if isinstance(scan, Unscanned) or isinstance(found, Unmapped):
        return scan if isinstance(scan, Unscanned) else Unscanned("no liquidation map")
    ways = ways_of(found, market, signals, settings)
    if isinstance(ways, Unscanned):
        return ways
    up, down = ways["up"], ways["down"]
    if up.profile.no_book:
        return Unscanned(up.profile.no_book)
    if isinstance(up.law, str):
        return Unscanned(f"no volatility to move price by: {up.law}")
    ground = ground_of(up, down, procedures=s.how.priors.procedures)
    standing = Standing(
        market.now, found.price, up.law.volume_usd, up.law.volatility, ground,
        course_of(s.how, market.now), s.how, {},
    )  # fmt: skip
    for direction, way in ways.items():
        ignition = (scan.up if direction == "up" else scan.down).ignition
        start = None if ignition is None else abs(ignition.pocket.start_percent) / 100.0
        stand = _stand(standing, way, start, s)
        if isinstance(stand, Unscanned):
            return stand
        standing.ways[direction] = stand
    return standing


def _stand(
    standing: Standing, way: Way, pocket: float | None, s: StandingSettings
) -> Stand | Unscanned:
    ground, course = standing.ground, standing.course
    dealt = deal_of(way, Push(), standing.volatility, standing.how)
    rest = run(ground, dealt, replace(course, marks=0))
    calm = s.calm_sd * dealt.volatility * math.sqrt(course.steps * course.step_s)
    likely = (rest.high <= calm) & (rest.low >= -calm)
    if likely.mean() < s.least_likely:
        return Unscanned(
            f"map and book would not stand still by themselves: of the priors only {100 * likely.mean():.1f} % "
            "give a market in which nothing happens while nobody pushes"
        )
    deal = likely_deal(dealt, likely)
    footing, spread = footing_over(ground, deal, way.direction, 0.0)
    spent = deal.latency_s / deal.recovery_s
    along = tuple(
        (100.0 * at, footing_over(ground, deal, way.direction, at)[0].reproduction)
        for at in _ALONG
        if at + STRETCH <= way.distance[-1] + 1e-9
    )
    return Stand(
        way, footing, _estimate(way, footing.reproduction, spread), _estimate(way, footing.kappa_tau, spent),
        _estimate(way, footing.squeeze, _squeezes(spread, spent)),
        _pocket(way, ground, deal, pocket), along, likely, deal, likely_ends(rest, likely),
    )  # fmt: skip


def _pocket(way: Way, ground: Ground, deal: Deal, start: float | None) -> Estimate:
    if start is None:
        return unknown(RATIO, "no pocket is seen this way")
    footing, spread = footing_over(ground, deal, way.direction, start)
    return _estimate(way, footing.squeeze, _squeezes(spread, deal.latency_s / deal.recovery_s))


def _squeezes(reproduction: FloatArray, kappa_tau: FloatArray) -> FloatArray:
    return reproduction / (1.0 + np.sqrt(kappa_tau)) ** 2


def _estimate(way: Way, value: float, spread: FloatArray) -> Estimate:
    low, high = np.quantile(spread, (0.1, 0.9))
    return known(
        value, RATIO, as_of=way.seal.as_of, now=way.seal.now, provenance="modelled",
        source=f"{way.seal.source}; refill, latency and recovery as priors",
        interval=(min(float(low), value), max(float(high), value)),
    )  # fmt: skip
