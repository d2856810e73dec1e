"""What is foreseen of a known push: by a what-if's paths, also unmeasured and without feedback, and by the scan."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.deals import PathPriors, PathSettings, Push
from airpocket.cascade.forced import beliefs, forced_of, side_of
from airpocket.cascade.fuel import screen
from airpocket.cascade.paths import Ends, Ground, run
from airpocket.cascade.phase import blended_for
from airpocket.cascade.procedures import handling_of
from airpocket.cascade.profile import Law, profile_of
from airpocket.cascade.records import Direction, Profile, Unscanned
from airpocket.cascade.settings import CascadeSettings, Prior
from airpocket.cascade.way import Seal, Way
from airpocket.cascade.whatif import Tried, tried
from airpocket.domain.errors import NothingKnown
from airpocket.domain.events import FloatArray
from airpocket.evaluation.pushed import WATCHED_S, Before, Case, Kick, On
from airpocket.evaluation.truemap import true_map

MODEL, SHIPPED = "airpocket", "shipped priors"
ALONE, STATIC = "no feedback", "static scan"
FORECASTS = (MODEL, SHIPPED, ALONE, STATIC)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Draws (n,) of what a push may do, all equally likely. extreme, end: log-price the way of the push, from
    where it stood; NaN where a method does not say. forced_usd: of that side, booked or not. off_book: share.
    likely: share of the priors that were kept.
    """

    extreme: FloatArray
    end: FloatArray
    extreme_s: FloatArray
    forced_usd: FloatArray
    off_book: float
    likely: float


def ways_before(before: Before, settings: CascadeSettings) -> dict[Direction, Way]:
    """Both ways from the price, on the true ladder and the book as it was told."""
    law = Law(before.volume_usd, before.volatility, before.at, "the run so far")
    distance = np.linspace(0.0, settings.reach, round(settings.reach / settings.step) + 1)
    return {side: _way(before, side, law, distance, settings) for side in ("up", "down")}


def _way(
    before: Before, direction: Direction, law: Law, distance: FloatArray, settings: CascadeSettings
) -> Way:
    profile = profile_of(before.resting[direction], law, distance, settings)
    if not isinstance(profile, Profile):
        raise NothingKnown(profile)
    found = true_map(before)
    sets = beliefs(found.hedged_shorts, 1, settings)
    seal = Seal(before.at, before.at, profile, "the true ladder")
    forced = forced_of(found, before.price, direction, distance)
    handling = handling_of(found, side_of(direction))
    return Way(direction, profile, forced, sets, law, seal, settings, handling)


def forecasts_of(case: Case, settings: CascadeSettings, how: PathSettings) -> dict[str, Forecast]:
    """Every method's answer.

    Raises:
        NothingKnown: the paths have no answer, and why.
    """
    ways, up = ways_before(case.before, settings), case.kick.up
    push = Push(usd=case.kick.usd)
    blend = blended_for(ways, push, how.priors, case.before.measured)
    found = _tried(case, ways, replace(how, priors=blend.priors))
    shipped = _tried(case, ways, how)
    bare = replace(found.ground, forced_usd=0.0 * found.ground.forced_usd)
    return {
        MODEL: _of_paths(found, found.ends, found.ground, up=up),
        SHIPPED: _of_paths(shipped, shipped.ends, shipped.ground, up=up),
        ALONE: _of_paths(found, run(bare, found.deal, found.course), bare, up=up),
        STATIC: _of_scan(ways["up" if up else "down"], case.kick),
    }


def _tried(case: Case, ways: Mapping[Direction, Way], how: PathSettings) -> Tried:
    course = replace(how.course, steps=WATCHED_S, push_s=float(case.kick.seconds))
    how = replace(how, course=course, priors=priors_on(how.priors, case.on, case.before.share))
    push = Push(usd=case.kick.usd)
    found = tried(ways["up"], ways["down"], push, Unscanned("one book"), how)
    if isinstance(found, Unscanned):
        raise NothingKnown(found.reason)
    return found


def priors_on(priors: PathPriors, on: On, share: float) -> PathPriors:
    """As the what-if takes a push on spot, which is the index, or on one venue, which is its share of it."""
    if on == "perp":
        return priors
    p = priors.passed
    passed = (
        Prior(1.0, 1.0, 1.0)
        if on == "spot"
        else Prior(share * p.low, share * p.centre, share * p.high)
    )
    return replace(priors, passed=passed)


def _of_paths(found: Tried, ends: Ends, ground: Ground, *, up: bool) -> Forecast:
    sign = 1.0 if up else -1.0
    limit = sign * float(ground.edges[-1] if up else ground.edges[0])
    forced = (ends.bought_usd if up else ends.sold_usd).astype(np.float64)
    missed = (ends.missed_bought_usd if up else ends.missed_sold_usd).astype(np.float64)
    off = float(missed.sum() / forced.sum()) if forced.sum() > 0.0 else 0.0
    return Forecast(
        extreme=np.minimum(sign * (ends.high if up else ends.low).astype(np.float64), limit),
        end=np.minimum(sign * ends.end.astype(np.float64), limit),
        extreme_s=(ends.high_s if up else ends.low_s).astype(np.float64),
        forced_usd=forced, off_book=off, likely=found.likely,
    )  # fmt: skip


def _of_scan(way: Way, kick: Kick) -> Forecast:
    """Where the fast limit stops, over the same sets of priors as the scan's ranges."""
    sets = way.scenarios(abs(kick.usd))
    reached = screen(way.ladder(), sets).reached
    extreme = np.log1p(reached) if way.sign > 0.0 else -np.log1p(-reached)
    forced = np.interp(reached, way.distance, way.forced.centre)
    nothing = np.full(len(reached), np.nan)
    return Forecast(extreme, nothing, nothing, forced, 0.0, 1.0)
