"""The standard pushes: shares of a day's volume, both ways, on the same draws, with their Monte-Carlo errors."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.deals import Push
from airpocket.cascade.outcomes import Outcomes, Spread, fan, outcomes, spread
from airpocket.cascade.paths import Course, Deal, Ends, run
from airpocket.cascade.phase import likely_deal, likely_ends
from airpocket.cascade.records import Direction, Unscanned
from airpocket.cascade.standing import Stand, Standing
from airpocket.domain.events import FloatArray
from airpocket.domain.units import TimeNs

_LEAST_INSIDE = 0.05  # of the paths, or what comes back is not known
_LEAST_MOVE = 0.05  # per cent; less has nothing to give back
_DRAWN = 0.01  # of a day's volume: the push whose fan is kept


@dataclass(frozen=True, slots=True)
class Pushed:
    """One push. share: of a day's volume.

    Of the paths that stayed within map and book, or None where hardly any did: overshoot, by how much the furthest
    point lies beyond the end, in points of per cent; retrace, which share of the furthest point that is.
    """

    share: float
    usd: float
    outcomes: Outcomes
    overshoot: Spread | None
    retrace: Spread | None


@dataclass(frozen=True, slots=True)
class PushWay:
    """One way. without: the same paths while nobody pushes. likely: share of the priors' paths that were kept.

    fan: (marks, 5) quantiles 10, 25, 50, 75, 90 % of the displacement in per cent after the push `drawn_usd`.
    """

    stand: Stand
    likely: float
    without: Pushed
    pushes: tuple[Pushed, ...]
    drawn_usd: float
    fan: FloatArray


@dataclass(frozen=True, slots=True)
class Pushes:
    """Both ways. paths: dealt to each push, before the unlikely ones are left out. fan_s: (marks,) seconds."""

    now: TimeNs
    price: float
    volume_usd: float
    course: Course
    paths: int
    ways: dict[Direction, PushWay]
    fan_s: FloatArray
    notes: tuple[str, ...]


def pushes_of(standing: Standing | Unscanned, shares: tuple[float, ...]) -> Pushes | Unscanned:
    """What each share of a day's volume does within a minute, both ways; or why it can't be said.

    shares: fractions of a day's volume. The k-th path of every push has the same noise, the same map and the same
    priors, so that rows differ by the push alone.
    """
    if isinstance(standing, Unscanned):
        return standing
    course = standing.course
    ways: dict[Direction, PushWay] = {
        direction: _way(standing, stand, shares) for direction, stand in standing.ways.items()
    }
    every: FloatArray = np.arange(1, course.marks + 1, dtype=np.float64)
    return Pushes(
        now=standing.now, price=standing.price, volume_usd=standing.volume_usd, course=course,
        paths=len(standing.ways["up"].likely), ways=ways,
        fan_s=course.step_s * course.steps * every / max(course.marks, 1),
        notes=tuple(_notes(standing)),
    )  # fmt: skip


def _way(standing: Standing, stand: Stand, shares: tuple[float, ...]) -> PushWay:
    sign, usd = stand.way.sign, standing.volume_usd
    drawn = min(shares, key=lambda share: abs(share - _DRAWN))
    rows: list[Pushed] = []
    opened: FloatArray = np.empty((0, 5))
    for share in shares:
        course = standing.course if share == drawn else replace(standing.course, marks=0)
        dealt = standing.deal(stand.way.direction, Push(usd=sign * share * usd))
        ends = likely_ends(run(standing.ground, dealt, course), stand.likely)
        rows.append(_pushed(standing, stand, share, likely_deal(dealt, stand.likely), ends))
        opened = fan(ends, standing.ground) if share == drawn else opened
    return PushWay(
        stand=stand, likely=float(stand.likely.mean()),
        without=_pushed(standing, stand, 0.0, stand.deal, stand.rest), pushes=tuple(rows),
        drawn_usd=drawn * usd, fan=opened,
    )  # fmt: skip


def _pushed(standing: Standing, stand: Stand, share: float, deal: Deal, ends: Ends) -> Pushed:
    up, ground = stand.way.direction == "up", standing.ground
    furthest, limit = (ends.high, ground.edges[-1]) if up else (-ends.low, -ground.edges[0])
    inside = furthest < limit
    draw = deal.draw[inside]
    top, last = (
        100.0 * np.abs(np.expm1(each[inside].astype(np.float64)))
        for each in (ends.high if up else ends.low, ends.end)
    )
    last = np.where(np.sign(ends.end[inside]) == stand.way.sign, last, -last)
    moved = top > _LEAST_MOVE
    few = inside.mean() < _LEAST_INSIDE
    return Pushed(
        share=share,
        usd=share * standing.volume_usd,
        outcomes=outcomes(ends, deal, ground, up=up),
        overshoot=None if few else spread(top - last, draw),
        retrace=None
        if few or not moved.any()
        else spread(1.0 - last[moved] / top[moved], draw[moved]),
    )


def _notes(standing: Standing) -> Iterator[str]:
    p, course = standing.how.priors, standing.course
    yield (
        f"A push is bought or sold evenly within {course.push_s:g} s and followed for "
        f"{course.steps * course.step_s / 60:g} min; ± is the error of simulating alone."
    )
    yield (
        "Modelled on priors that nobody has fitted, so it is what they imply and no forecast: forced orders wait "
        f"{p.latency_s.low:g} to {p.latency_s.high:g} s, half of a displacement fades in {p.half_s.low:g} to "
        f"{p.half_s.high:g} s, {100 * p.lasts.low:.0f} to {100 * p.lasts.high:.0f} % of an impact stays, stop "
        f"orders add {100 * p.stops.low:.0f} to {100 * p.stops.high:.0f} % to the map, and {p.refill.low - 1:g} to "
        f"{p.refill.high - 1:g} times what the book shows comes while a cascade runs."
    )
    kept = " and ".join(
        f"{100 * stand.likely.mean():.0f} % {direction}"
        for direction, stand in standing.ways.items()
    )
    yield (
        f"Of the priors' paths {kept} were kept: the others' markets would have moved by themselves, and this one "
        "has not."
    )
    books = standing.ways["up"].way.profile.contracts
    whose = "One book stands" if len(books) < 2 else f"The books of {' and '.join(books)} stand"
    yield f"{whose} for all venues; what else is left out stands in docs/cascade.md."
