"""The measures behind stylised facts: tails, clustering, impact, the largest rise; arrays in, numbers out."""

import math
from typing import NamedTuple

import numpy as np

from airpocket.domain.events import FloatArray

TAIL_SHARE = 0.05  # of the returns, by size, that Hill's estimator takes as the tail
GROUPS = 12  # of flows by size, between which the impact exponent is fitted
FEWEST = 120  # returns or moves below which no measure is given


class Rise(NamedTuple):
    """A rise from a low to a later high: positions in the series and the move as a fraction."""

    start: int
    peak: int
    move: float


def excess_kurtosis(returns: FloatArray) -> float | None:
    """Fourth moment over squared variance, less 3 (normal: 0); None for few or constant returns."""
    away = returns - returns.mean() if len(returns) else returns
    spread = float((away**2).mean()) if len(away) else 0.0
    if len(returns) < FEWEST or spread == 0.0:
        return None
    return float((away**4).mean()) / spread**2 - 3.0


def tail_index(returns: FloatArray, share: float = TAIL_SHARE) -> float | None:
    """Hill's estimator on the largest `share` of absolute returns (Hill 1975): P(|r| > x) ~ x^-index.

    None where the tail holds fewer than five returns or all of them are equal.
    """
    size = np.sort(np.abs(returns))[::-1]
    count = int(len(size) * share)
    if len(size) < FEWEST or count < 5 or size[count] <= 0.0:
        return None
    mean = float(np.log(size[:count] / size[count]).mean())
    return 1.0 / mean if mean > 0.0 else None


def autocorrelation(values: FloatArray, lag: int) -> float | None:
    """Correlation of a series with itself `lag` steps later; None for fewer than ten times the lag."""
    if len(values) < max(FEWEST, 10 * lag):
        return None
    away = values - values.mean()
    spread = float((away**2).sum())
    return float((away[lag:] * away[:-lag]).sum()) / spread if spread > 0.0 else None


def impact_exponent(flow: FloatArray, move: FloatArray, groups: int = GROUPS) -> float | None:
    """Log-log slope of the mean move along the flow against the flow's mean size.

    flow: signed, any unit; move: signed log return of the same interval. 0.5 is the square root, 1 linear.
    Fitted between groups of equal width in log size (wide ones would bend the mean of a power) that hold ten
    or more, weighted by how many; None where fewer than three such groups moved along their flow.
    """
    size = np.abs(flow[flow != 0.0])
    along = (move * np.sign(flow))[flow != 0.0]
    if len(size) < FEWEST:
        return None
    low, high = (float(np.quantile(size, share)) for share in (0.05, 0.995))
    edges = np.exp(np.linspace(math.log(low), math.log(high), groups + 1))
    group = np.searchsorted(edges, size)
    points: list[tuple[float, float, int]] = []
    for k in range(1, groups + 1):
        mine = group == k
        if mine.sum() >= 10 and along[mine].mean() > 0.0:
            points.append((float(size[mine].mean()), float(along[mine].mean()), int(mine.sum())))
    if len(points) < 3:
        return None
    x, y, weight = np.array(points).T
    away = np.log(x) - np.average(np.log(x), weights=weight)
    return float((weight * away * np.log(y)).sum() / (weight * away**2).sum())


def largest_rise(prices: FloatArray) -> Rise | None:
    """The largest rise from any low to any later high; None where price never rose."""
    if len(prices) < 2:
        return None
    lows = np.minimum.accumulate(prices)
    peak = int(np.argmax(prices / lows))
    start = int(np.argmin(prices[: peak + 1]))
    move = float(prices[peak] / prices[start]) - 1.0
    return Rise(start, peak, move) if move > 0.0 else None


def volatility_percent_per_day(returns: FloatArray, per_day: int) -> float | None:
    """Root of the mean squared return over a day of `per_day` steps, per cent."""
    if len(returns) < FEWEST:
        return None
    return 100.0 * math.sqrt(float((returns**2).mean()) * per_day)
