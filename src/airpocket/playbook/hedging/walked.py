"""Where cascades lead, as scenarios of a hedge: peaks and ends of simulated paths, or stops of the fuel scan."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from airpocket.cascade.outcomes import Spread
from airpocket.cascade.pushes import Pushes
from airpocket.cascade.records import Cascade, Unscanned

_DAY_S = 86_400.0


class PathPoint(NamedTuple):
    """A move of price, fraction, and after how many days it is there."""

    move: float
    days: float


@dataclass(frozen=True, slots=True)
class Walked:
    """points: of both ways. missing: why no simulated path is among them, None where some are."""

    points: tuple[PathPoint, ...]
    missing: str | None


def points_of(pushes: Pushes | Unscanned | None, scanned: Cascade | Unscanned) -> Walked:
    """Peaks and ends at the 10th, 50th and 90th percentile of every push both ways, at their median times.

    Without simulated paths the moves at which the fuel scan's pushes stop, at once.
    """
    if isinstance(pushes, Pushes):
        return Walked(tuple(_simulated(pushes)), None)
    why = "nobody walked them" if pushes is None else pushes.reason
    return Walked(tuple(_scanned(scanned)), why)


def _simulated(pushes: Pushes) -> Iterator[PathPoint]:
    whole_s = pushes.course.steps * pushes.course.step_s
    for way in pushes.ways.values():
        sign = way.stand.way.sign / 100.0
        for push in way.pushes:
            told = push.outcomes
            for move in _three(told.extreme):
                yield PathPoint(sign * move, told.extreme_s.middle / _DAY_S)
            for move in _three(told.kept):
                yield PathPoint(sign * move, whole_s / _DAY_S)


def _three(spread: Spread) -> tuple[float, float, float]:
    return spread.low, spread.middle, spread.high


def _scanned(found: Cascade | Unscanned) -> Iterator[PathPoint]:
    if not isinstance(found, Cascade):
        return
    for scan in (found.up, found.down):
        for stop in scan.stops:
            if stop.reached.value is not None and stop.inside_grid:
                yield PathPoint(stop.reached.value / 100.0, 0.0)
