"""What price did at a level: touched it, held, broke, went on, came back; one rule for levels and placebos."""

from typing import NamedTuple

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.levels.averages import Flags, owned
from airpocket.market.bars import Bars

TOUCH_BARS = 24  # hours after the moment in which a first touch counts
AFTER_BARS = 168  # hours after it in which it is decided
AWAY = 0.5  # daily ATR: so far back is a hold, so far beyond is a break
GO = 1.0  # daily ATR further without coming back: broke and went on
NO, YES, OPEN = 0, 1, -1
_COLUMNS = 5


class Asked(NamedTuple):
    """(n,) Bands to watch. row: of the first bar after the moment. side: +1 price comes from above (support),
    −1 from below. near: where price meets it; far: where it is passed. unit: daily ATR. All quote per coin."""

    row: IntArray
    side: IntArray
    near: FloatArray
    far: FloatArray
    unit: FloatArray

    def taken(self, rows: IntArray) -> "Asked":
        return Asked(
            self.row[rows], self.side[rows], self.near[rows], self.far[rows], self.unit[rows]
        )


class Outcomes(NamedTuple):
    """(n,) YES, NO or OPEN (not decided, or not asked because an earlier step did not happen).

    touched: within a day; OPEN where bars are missing. held: left by AWAY before it was passed by AWAY. went:
    after a break, GO further before coming back to the level. came_back: after a break, to the level within
    AFTER_BARS. turned: after coming back, left again by AWAY on the new side before passing it.
    """

    touched: IntArray
    held: IntArray
    went: IntArray
    came_back: IntArray
    turned: IntArray


@kernel
def _first(
    best: FloatArray, worst: FloatArray, gaps: Flags, row: int, stop: int, up: float, down: float
) -> int:
    """Met first from `row` on: `up` by the best, or `down` by the worst? As ±(bar + 1); 0: neither."""
    for j in range(row, stop):
        if gaps[j]:
            return 0
        rises, falls = best[j] >= up, worst[j] <= down
        if rises and falls:
            return 0
        if rises:
            return j + 1
        if falls:
            return -(j + 1)
    return 0


@kernel
def _outcomes(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one pass along each band's bars
    high: FloatArray, low: FloatArray, close: FloatArray, gaps: Flags, row: IntArray, side: IntArray,
    bands: FloatArray, out: IntArray,
) -> None:  # fmt: skip
    """bands: (3, n) near, far, unit. Prices are seen with the sign that makes every level a support."""
    n = len(close)
    minus_low, minus_high = -low, -high
    for k in range(len(row)):
        sign = float(side[k])
        best = high if side[k] > 0 else minus_low
        worst = low if side[k] > 0 else minus_high
        near, far = sign * bands[0, k], sign * bands[1, k]
        away, go = AWAY * bands[2, k], GO * bands[2, k]
        at = -1
        for j in range(row[k], row[k] + TOUCH_BARS):
            if j >= n or gaps[j]:
                at = -2
                break
            if worst[j] <= near:
                at = j
                break
        if at < 0:
            if at == -1:
                out[0, k] = 0
            continue
        out[0, k] = 1
        stop = min(at + 1 + AFTER_BARS, n)
        met = 0
        if worst[at] <= far - away:
            met = -(at + 1)
        elif sign * close[at] >= near + away:
            met = at + 1
        else:
            met = _first(best, worst, gaps, at + 1, stop, near + away, far - away)
        if met == 0:
            continue
        out[1, k] = 1 if met > 0 else 0
        if met > 0:
            continue
        broke = -met
        stop = min(broke + AFTER_BARS, n)
        then = _first(best, worst, gaps, broke, stop, far, far - away - go)
        if then != 0:
            out[2, k] = 1 if then < 0 else 0
        back = -1
        whole = stop == broke + AFTER_BARS
        for j in range(broke, stop):
            if gaps[j]:
                whole = False
                break
            if best[j] >= far:
                back = j
                break
        if back < 0:
            if whole:
                out[3, k] = 0
            continue
        out[3, k] = 1
        then = _first(
            best, worst, gaps, back + 1, min(back + 1 + AFTER_BARS, n), near + away, far - away
        )
        if then != 0:
            out[4, k] = 1 if then < 0 else 0


def outcomes(bars: Bars, asked: Asked) -> Outcomes:
    """Follow each band along hourly bars. A bar that meets both ends leaves the question open."""
    out = np.full((_COLUMNS, len(asked.row)), OPEN, np.int64)
    bands = np.stack([asked.near, asked.far, asked.unit]) if len(asked.row) else np.empty((3, 0))
    _outcomes(owned(bars.high), owned(bars.low), owned(bars.close), bars.gap_before(),
              asked.row, asked.side, bands, out)  # fmt: skip
    return Outcomes(*out)
