"""Swing highs and lows of closed bars: known only when enough bars have closed after them, never repainted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.domain.units import DAY_NS, TimeNs, day_of
from airpocket.levels.averages import Flags, owned
from airpocket.levels.roadmap import Found, Level
from airpocket.levels.settings import LevelSettings, SwingScale
from airpocket.market.bars import Bars
from airpocket.market.state import Contract


@dataclass(frozen=True, slots=True)
class Swings:
    """Confirmed swings, in the order they were confirmed.

    price: (k,) quote per coin. formed_at: (k,) ns, open of the bar with the extreme; formed_end: its
    close. confirmed_at: (k,) ns, close of the bar `n` bars later. is_high: (k,) False: a low.
    """

    price: FloatArray
    formed_at: IntArray
    formed_end: IntArray
    confirmed_at: IntArray
    is_high: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.price)

    def where(self, mask: NDArray[np.bool_]) -> "Swings":
        return Swings(
            self.price[mask], self.formed_at[mask], self.formed_end[mask],
            self.confirmed_at[mask], self.is_high[mask],
        )  # fmt: skip

    def highs(self) -> "Swings":
        return self.where(self.is_high)

    def lows(self) -> "Swings":
        return self.where(~self.is_high)


@kernel
def _is_peak(values: FloatArray, row: int, reach: int, sign: float) -> bool:
    """Above all of the `reach` values before, at least as high as those after: of equals the first."""
    top = sign * values[row]
    for j in range(row - reach, row):
        if sign * values[j] >= top:
            return False
    for j in range(row + 1, row + reach + 1):  # noqa: SIM110 - numba has no generators here
        if sign * values[j] > top:
            return False
    return True


@kernel
def _swings(
    high: FloatArray, low: FloatArray, gaps: Flags, reach: int, rows: IntArray, highs: Flags
) -> int:
    """Row i closes: is the bar `reach` before it a swing? Returns how many were found."""
    found = 0
    start = 0
    for i in range(len(high)):
        if gaps[i]:
            start = i
        row = i - reach
        if row - reach < start:
            continue
        if _is_peak(high, row, reach, 1.0):
            rows[found] = row
            highs[found] = True
            found += 1
        if _is_peak(low, row, reach, -1.0):
            rows[found] = row
            highs[found] = False
            found += 1
    return found


def confirmed_swings(bars: Bars, n: int) -> Swings:
    """Fractal swings: bar t is a high if no bar of [t−n, t+n] is higher; confirmed when t+n has closed.

    Of equal highs the first counts. No swing is found across a gap: the whole window must be unbroken.
    """
    rows = np.empty(2 * len(bars), np.int64)
    highs = np.empty(2 * len(bars), np.bool_)
    found = _swings(owned(bars.high), owned(bars.low), bars.gap_before(), n, rows, highs)
    rows, highs = rows[:found], highs[:found]
    price = np.where(highs, bars.high[rows], bars.low[rows])
    return Swings(price, bars.ts[rows], bars.end[rows], bars.end[rows + n], highs)


def bars_of(contract: Contract, scale: SwingScale) -> Bars:
    """The contract's bars of the size a scale looks at."""
    match scale.bars:
        case "hours":
            return contract.hours
        case "four_hours":
            return contract.four_hours
        case "days":
            return contract.days


def swing_levels(contract: Contract, now: TimeNs, price: float, settings: LevelSettings) -> Found:
    """Swings of every scale within its lookback; one that price has traded through counts half."""
    levels: list[Level] = []
    missing: list[str] = []
    highest, lowest = _extremes_since(contract.base)
    for scale in settings.scales:
        swings = confirmed_swings(bars_of(contract, scale), scale.reach)
        recent = swings.where(swings.formed_at >= now - scale.lookback_days * DAY_NS)
        if len(recent) == 0:
            missing.append(
                f"no swing on {scale.label} bars: none has been confirmed by {scale.reach} bars on "
                f"both sides without a gap in the last {scale.lookback_days} days"
            )
        since = np.searchsorted(contract.base.ts, recent.formed_end)
        through = np.where(
            recent.is_high, highest[since] > recent.price, lowest[since] < recent.price
        )
        levels += [
            _level(recent, k, scale, price, broken=bool(through[k])) for k in range(len(recent))
        ]
    return levels, missing


def _extremes_since(base: Bars) -> tuple[FloatArray, FloatArray]:
    """(n+1,) highest high and lowest low from each row to the newest; the last: nothing yet."""
    highest = np.append(np.maximum.accumulate(base.high[::-1])[::-1], -np.inf)
    lowest = np.append(np.minimum.accumulate(base.low[::-1])[::-1], np.inf)
    return highest, lowest


def _level(swings: Swings, k: int, scale: SwingScale, price: float, *, broken: bool) -> Level:
    is_high = bool(swings.is_high[k])
    at = float(swings.price[k])
    name = f"swing {'high' if is_high else 'low'} of {day_of(int(swings.formed_at[k]))}"
    if broken and is_high == (price > at):
        name = f"broken {name}, to be retested from {'above' if is_high else 'below'}"
    elif broken:
        name = f"{name}, traded through since"
    return Level(
        price=at,
        kind="swing_high" if is_high else "swing_low",
        label=f"{name} ({scale.label})",
        formed_at=int(swings.formed_at[k]),
        confirmed_at=int(swings.confirmed_at[k]),
        prominence=scale.prominence / 2 if broken else scale.prominence,
        standing=not broken,
        sort=scale.label,
    )
