"""The brief's standard pushes: what shares of a day's volume do, as data."""

from msgspec import structs

from airpocket.brief.model import PathSpread, PhasePoint, PushRow, PushSection, PushWay, ReachChance
from airpocket.cascade.dynamics import runaway_threshold
from airpocket.cascade.outcomes import Chance, Spread
from airpocket.cascade.pushes import Pushed, Pushes
from airpocket.cascade.pushes import PushWay as Walked
from airpocket.cascade.records import Unscanned
from airpocket.domain.estimates import Estimate, unknown


def push_section(found: Pushes | Unscanned) -> PushSection:
    """Both ways of the standard pushes, or why there are none."""
    if isinstance(found, Unscanned):
        return PushSection(
            unknown=found.reason,
            push_s=0.0,
            within_s=0.0,
            paths=0,
            seed=0,
            fan_s=[],
            ways=[],
            notes=[],
        )
    course = found.course
    return PushSection(
        unknown=None, push_s=course.push_s, within_s=course.steps * course.step_s, paths=found.paths,
        seed=course.seed, fan_s=[float(at) for at in found.fan_s],
        ways=[_way(way) for way in found.ways.values()], notes=list(found.notes),
    )  # fmt: skip


def runaway_of(found: Pushes | Unscanned, given: Estimate) -> Estimate:
    """(1 + √κτ)² by the priors of κ and τ, where κτ was not given; unknown without paths."""
    if given.known:
        return given
    if isinstance(found, Unscanned):
        return unknown(given.unit, found.reason)
    kappa_tau = found.ways["up"].stand.kappa_tau
    bounds = [
        None if each is None else runaway_threshold(each)
        for each in (kappa_tau.value, kappa_tau.low, kappa_tau.high)
    ]
    return structs.replace(
        kappa_tau, value=bounds[0], low=bounds[1], high=bounds[2],
        source="latency and recovery as priors",
    )  # fmt: skip


def _way(way: Walked) -> PushWay:
    stand, footing = way.stand, way.stand.footing
    return PushWay(
        direction=stand.way.direction,
        likely_percent=100.0 * way.likely,
        reproduction=stand.reproduction,
        kappa_tau=stand.kappa_tau,
        growth=footing.growth,
        runaway=runaway_threshold(footing.kappa_tau),
        squeeze=stand.squeeze,
        pocket_squeeze=stand.pocket,
        along=[PhasePoint(percent=at, reproduction=value) for at, value in stand.along],
        pushes=[_row(each) for each in (way.without, *way.pushes)],
        drawn_usd=way.drawn_usd,
        fan=[[float(f"{value:.4g}") for value in row] for row in way.fan.tolist()],
    )


def _row(each: Pushed) -> PushRow:
    told = each.outcomes
    return PushRow(
        share_percent=100.0 * each.share,
        push_usd=each.usd,
        reach=[_chance(percent, chance) for percent, chance in told.reach.items()],
        beyond=_chance(float(told.stops[0][-1]), told.left),
        stop=_spread(told.extreme),
        overshoot_points=None if each.overshoot is None else _spread(each.overshoot),
        retrace_percent=None if each.retrace is None else _spread(each.retrace, 100.0),
        forced_usd=_spread(told.forced_usd),
        off_book_percent=None if told.off_book is None else 100.0 * told.off_book.of,
        stop_s=_spread(told.extreme_s),
    )


def _chance(percent: float, chance: Chance) -> ReachChance:
    return ReachChance(percent=percent, chance=chance.of, error=chance.error)


def _spread(spread: Spread, times: float = 1.0) -> PathSpread:
    return PathSpread(
        low=times * spread.low, middle=times * spread.middle, high=times * spread.high,
        mean=times * spread.mean, error=times * spread.error,
    )  # fmt: skip
