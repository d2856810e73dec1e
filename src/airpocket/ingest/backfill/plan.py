"""What to ask for: the windows of time that the store lacks, cut to what one request may cover."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from airpocket.domain.units import DAY_NS, SECOND_NS

LOOK_BACK_NS = DAY_NS  # settlements before a window, so that the first in it has a spacing
JITTER_NS = 5 * SECOND_NS  # venues stamp a settlement up to about a second late


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time to ask for, [start, end), ns."""

    start: int
    end: int


def missing_rows(
    known: Iterable[int], start: int, end: int, *, step_ns: int, span_ns: int
) -> list[Window]:
    """Windows that cover every moment of the grid in [start, end) that `known` lacks.

    The grid is the multiples of `step_ns`; a row t belongs to it when t + step_ns <= end, so the bar
    that is still open is never asked for. No window is longer than `span_ns`, none starts or ends with a
    known row, and there are never more than ceil((end − start) / span_ns) of them.
    """
    first = -(-start // step_ns) * step_ns
    have = set(known)
    lacking = [t for t in range(first, end - step_ns + 1, step_ns) if t not in have]
    windows: list[Window] = []
    at = 0
    while at < len(lacking):
        stop = bisect_left(lacking, lacking[at] + span_ns)
        windows.append(Window(lacking[at], lacking[stop - 1] + step_ns))
        at = stop
    return windows


def missing_settlements(
    known: Iterable[tuple[int, int]], start: int, end: int, *, span_ns: int
) -> list[Window]:
    """Windows of [start, end) that may hold a settlement not among `known`: (time, interval), ns.

    A settlement vouches for the interval before it; the latest one also for the interval after it, as
    the next is not due earlier. `known` may and should reach a day beyond either end.
    """
    gaps: list[Window] = []
    at = due = start
    for time, interval_ns in sorted(known):
        before = time - interval_ns  # when the one before it settled
        lost = before + JITTER_NS > start if due == start else before - at > JITTER_NS
        if lost and time >= start:
            gaps.append(Window(max(start, at), min(before + JITTER_NS, end)))
        at, due = time + 1, time + interval_ns
    at = max(start, at)
    if at < end and (due == start or due + JITTER_NS < end):
        gaps.append(Window(at, end))
    return [piece for gap in gaps for piece in _cut(gap, span_ns)]


def left_over(window: Window, times: Sequence[int], *, step_ns: int = 0) -> list[Window]:
    """What of a window is still to be asked after an answer that held `times`.

    A venue that gives fewer rows than asked (a smaller page, newest first or oldest first) leaves an
    edge. An empty answer leaves nothing: the venue has no rows there. Each remainder is strictly
    shorter than the window, so asking again always ends. Without a grid (`step_ns` 0), the closest
    two settlements of the answer tell how wide an edge must be to hold another.
    """
    inside = sorted({t for t in times if window.start <= t < window.end})
    if not inside:
        return []
    spacing = step_ns or min(
        (late - early for early, late in pairwise(inside)), default=DAY_NS // 3
    )
    slack = 0 if step_ns else JITTER_NS
    edges: list[Window] = []
    if inside[0] - window.start >= spacing + slack:
        edges.append(Window(window.start, inside[0]))
    after = inside[-1] + (step_ns or 1)
    if window.end - after >= spacing + slack:
        edges.append(Window(after, window.end))
    return edges


def _cut(gap: Window, span_ns: int) -> list[Window]:
    return [Window(at, min(at + span_ns, gap.end)) for at in range(gap.start, gap.end, span_ns)]
