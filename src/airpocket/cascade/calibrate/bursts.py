"""What came back after bursts in which positions were forced out, beside bursts as large in which none were."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from airpocket.cascade.calibrate.blocks import drawn, interval
from airpocket.cascade.calibrate.figures import Figure, figure, missing
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.domain.estimates import RATIO
from airpocket.domain.events import BoolArray, FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS, TimeNs
from airpocket.market.bars import Bars

Sort: TypeAlias = Literal["forced", "free", "all"]
_USUAL = 168  # windows before, over which a usual move is taken
_APART = 4 * HOUR_NS  # bursts nearer to each other are one: the first counts
_BLOCK = 7 * DAY_NS


@dataclass(frozen=True, slots=True)
class Bursts:
    """Windows of large moves, arrays (n,): when each began and ended (ns), its signed log move, and its extreme.

    extreme: log-price at the furthest point along the move, from the start of the window. forced: whether open
    interest fell, or forced orders were told, in the window; free: whether clearly neither.
    """

    start: IntArray
    end: IntArray
    move: FloatArray
    extreme: FloatArray
    forced: BoolArray
    free: BoolArray


@dataclass(frozen=True, slots=True)
class Retrace:
    """Shares given back `hours` after bursts: of the move to the window's end, and of the move to its extreme.

    from_close: 0 for a price without memory; what fades in seconds has faded before a long window ends, so it is a
    lower bound. from_extreme: above 0 for any path, as an extreme is known only afterwards: an upper bound.
    """

    sort: Sort
    hours: float
    from_close: Figure
    from_extreme: Figure


def bursts_of(
    bars: Bars, windows: tuple[IntArray, IntArray], change: FloatArray | None,
    settings: CalibrationSettings,
) -> Bursts:  # fmt: skip
    """Large moves over windows (n,) from ns to ns, rising and not overlapping.

    change: (n,) of open interest over each window as a fraction, NaN unknown; None: of none. A window counts when
    its move is burst_sd times the root mean square of the 168 moves before.
    """
    start, end = windows
    first = _price(bars, start)
    last = _price(bars, end)
    move = last - first
    large = np.abs(move) >= settings.burst_sd * _usual(move)
    chosen: list[int] = []
    for k in np.flatnonzero(large & np.isfinite(move)):
        if not chosen or start[k] - end[chosen[-1]] >= _APART:
            chosen.append(int(k))
    rows = np.array(chosen, dtype=np.int64)
    fell = np.full(len(start), np.nan) if change is None else change
    return Bursts(
        start[rows], end[rows], move[rows], _extremes(bars, start[rows], end[rows], move[rows], first[rows]),
        fell[rows] <= -settings.interest_drop, fell[rows] > -settings.interest_drop / 4.0,
    )  # fmt: skip


def retraces_of(
    bars: Bars, bursts: Bursts, now: TimeNs, source: str, settings: CalibrationSettings,
    sorts: tuple[Sort, ...] = ("forced", "free"),
) -> tuple[Retrace, ...]:  # fmt: skip
    """Each sort at each horizon: sums of what came back over sums of what went, intervals by weeks.

    Horizons shorter than a bar are left out.
    """
    length = float(np.median(bars.end - bars.ts)) if len(bars) else 0.0
    found: list[Retrace] = []
    for sort in sorts:
        mine = {
            "forced": bursts.forced,
            "free": bursts.free,
            "all": np.ones(len(bursts.end), np.bool_),
        }[sort]
        for hours in (each for each in settings.retrace_h if each * HOUR_NS >= length):
            later = _price(bars, bursts.end + round(hours * HOUR_NS))
            use = mine & np.isfinite(later) & (bursts.end + round(hours * HOUR_NS) <= now)
            sign, begun = np.sign(bursts.move), _price(bars, bursts.start)
            closed = begun + bursts.move
            pairs = (
                (sign * (closed - later), np.abs(bursts.move)),
                (sign * (begun + bursts.extreme - later), np.abs(bursts.extreme)),
            )
            figures = [
                _share(back[use], went[use], bursts.end[use], now, source, settings)
                for back, went in pairs
            ]
            found.append(Retrace(sort, hours, *figures))
    return tuple(found)


def windows_of(at: IntArray) -> tuple[IntArray, IntArray]:
    """From each moment to the next, holes left out: where the gap is no more than half above the usual one."""
    gap = np.diff(at)
    whole = gap <= 1.5 * float(np.median(gap)) if len(gap) else np.zeros(0, np.bool_)
    return at[:-1][whole], at[1:][whole]


def _share(
    back: FloatArray,
    went: FloatArray,
    at: IntArray,
    now: TimeNs,
    source: str,
    settings: CalibrationSettings,
) -> Figure:
    if len(back) < settings.least_bursts:
        return missing(
            RATIO, f"{source}: {len(back)} bursts, {settings.least_bursts} are needed", len(back)
        )
    _, block = np.unique(at // _BLOCK, return_inverse=True)
    counts = drawn(int(block.max()) + 1, settings)
    sums = [np.bincount(block, weights=each) for each in (back, went)]
    draws = (counts @ sums[0]) / np.maximum(counts @ sums[1], 1e-12)
    return figure(
        float(back.sum() / went.sum()), interval(draws), RATIO, len(back), (int(at.max()), now), source
    )  # fmt: skip


def _price(bars: Bars, at: IntArray) -> FloatArray:
    """(n,) log of the last close at each moment; NaN where no bar ends within two of its lengths before it."""
    row = np.searchsorted(bars.end, at, side="right") - 1
    safe = np.maximum(row, 0)
    length = bars.end[safe] - bars.ts[safe]
    fresh = (row >= 0) & (at - bars.end[safe] <= 2 * length)
    return np.where(fresh, np.log(bars.close[safe]), np.nan)


def _usual(move: FloatArray) -> FloatArray:
    """(n,) root mean square of the moves before each, infinite until there are enough; unknown ones left out."""
    known = np.isfinite(move)
    square = np.concatenate([[0.0], np.cumsum(np.where(known, move, 0.0) ** 2)])
    count = np.concatenate([[0], np.cumsum(known)])
    row = np.arange(len(move))
    first = np.maximum(row - _USUAL, 0)
    seen = count[row] - count[first]
    mean = (square[row] - square[first]) / np.maximum(seen, 1)
    return np.where(seen >= _USUAL // 2, np.sqrt(mean), np.inf)


def _extremes(
    bars: Bars, start: IntArray, end: IntArray, move: FloatArray, first: FloatArray
) -> FloatArray:
    """(n,) log distance from the start of each window to its high if price rose, its low if it fell."""
    out = np.empty(len(start))
    for k in range(len(start)):
        low, high = np.searchsorted(bars.ts, [start[k], end[k]])
        if high <= low:
            out[k] = move[k]
            continue
        inside = slice(int(low), int(high))
        far = bars.high[inside].max() if move[k] > 0.0 else bars.low[inside].min()
        out[k] = np.log(far) - first[k]
    return out
