"""A hedge with another coin that moves alike: how much it follows, measured, and by how much it misses."""

import math
from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.market.bars import Bars
from airpocket.playbook.hedging.rows import Rows

_DAYS, _LEAST = 90, 45
_LARGE = 0.05  # a day's move of which the follower is judged apart


@dataclass(frozen=True, slots=True)
class Major:
    """How `name` moved with the asset over `days` days, day by day: its return = follow × the asset's + the rest.

    follow, error: slope and its standard error. slip: standard deviation of the rest, a day. correlation. large:
    median share of the asset's move that it made on days of 5 % and more in either direction, NaN under three;
    large_days: how many.
    """

    name: str
    price: float
    as_of: int
    days: int
    follow: float
    error: float
    slip: float
    correlation: float
    large: float
    large_days: int

    @property
    def beta(self) -> float:
        """The asset's move per move of the major."""
        return self.correlation**2 / self.follow


def measure(name: str, own: Bars, other: Bars, now: int) -> Major | str:
    """From hour bars of both that had closed by `now`, or why it can't be said."""
    ends = now - now % HOUR_NS - DAY_NS * np.arange(_DAYS, -1, -1, dtype=np.int64)
    both = [_closes(bars, ends) for bars in (own, other)]
    if not (math.isfinite(both[0][-1]) and math.isfinite(both[1][-1])):
        return f"{name} and the asset have no bar that closed within the last hour"
    moved = [np.diff(np.log(closes)) for closes in both]
    fine = np.isfinite(moved[0]) & np.isfinite(moved[1])
    if int(fine.sum()) < _LEAST:
        return f"{int(fine.sum())} days of {name} and the asset together; {_LEAST} are needed"
    x, y = moved[0][fine], moved[1][fine]
    sx = float(((x - x.mean()) ** 2).sum())
    follow = float(((x - x.mean()) * (y - y.mean())).sum()) / sx
    rest = y - y.mean() - follow * (x - x.mean())
    slip = math.sqrt(float((rest**2).sum()) / (len(x) - 2))
    large = np.abs(x) >= _LARGE
    share = float(np.median(y[large] / x[large])) if int(large.sum()) >= 3 else math.nan
    return Major(
        name=name, price=float(both[1][-1]), as_of=int(ends[-1]), days=len(x), follow=follow,
        error=slip / math.sqrt(sx), slip=slip, correlation=float(np.corrcoef(x, y)[0, 1]), large=share,
        large_days=int(large.sum()),
    )  # fmt: skip


def gain(major: Major, rows: Rows, short: bool, price: float, slippage_sd: float) -> FloatArray:
    """(r,) USD that the major makes per coin of the position, were it held in the same notional.

    On moves against the position it follows by its slope less 1.645 errors, with it by 1.645 more; and it misses
    by so many deviations of the rest, over a day at least.
    """
    way = 1.0 if short else -1.0
    slope = np.where(
        way * rows.move > 0.0,
        major.follow - 1.645 * major.error,
        major.follow + 1.645 * major.error,
    )
    missed = slippage_sd * major.slip * np.sqrt(np.maximum(rows.days, 1.0))
    return price * (way * slope * rows.move - missed)


def _closes(bars: Bars, ends: IntArray) -> FloatArray:
    """Closes of the bars that ended at `ends`; NaN where none did."""
    at = np.searchsorted(bars.end, ends)
    inside = at < len(bars)
    found = np.full(len(ends), np.nan)
    hit = np.flatnonzero(inside)[bars.end[at[inside]] == ends[inside]]
    found[hit] = bars.close[at[hit]]
    return found
