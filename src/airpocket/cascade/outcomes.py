"""What many paths say: how far, how much forced, how much comes back, how long; each with its Monte-Carlo error."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpocket.cascade.paths import Deal, Ends, Ground
from airpocket.domain.events import FloatArray, IntArray

Mask: TypeAlias = NDArray[np.bool_]

AT_PERCENT = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
_BINS = 30  # of the stop levels
_FAR = 50.0  # log-price; a path that left the ground for good may be anywhere
_LEAST_MOVE = 5e-4  # a high nearer than this has nothing to give back


@dataclass(frozen=True, slots=True)
class Chance:
    """A probability, 0 to 1, and the standard error of simulating it: of counting paths and of drawing maps."""

    of: float
    error: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Quantiles of a figure over the paths: 10, 50, 90 %; its mean and the mean's standard error."""

    low: float
    middle: float
    high: float
    mean: float
    error: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A share of all that is forced, 0 to 1: of the sums, with its standard error; 10 and 90 % over the paths."""

    of: float
    error: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One way of N paths. Displacements in per cent of the start, unsigned on this way's side, USD, seconds.

    reach: per cent → chance that price is there at some time. extreme: how far price went. kept: where it is at
    the end; retrace: share of the extreme that came back by then. forced_usd: on the book or off it; off_book:
    the share that the book never took; insured of it went to insurance funds, deleveraged to those who were
    winning. None where nothing was forced. extreme_s: when. left: chance that price left what
    map and book tell of; it counts as having stopped there. stops: (edges in per cent, share of paths by extreme).
    """

    paths: int
    reach: dict[float, Chance]
    extreme: Spread
    kept: Spread
    retrace: Spread | None
    forced_usd: Spread
    off_book: Taken | None
    insured: Taken | None
    deleveraged: Taken | None
    extreme_s: Spread
    left: Chance
    stops: tuple[FloatArray, FloatArray]


def outcomes(ends: Ends, deal: Deal, ground: Ground, *, up: bool) -> Outcomes:
    """The upper or the lower side of the paths.

    Raises:
        ValueError: no path.
    """
    if not len(ends.end):
        raise ValueError("no path, nothing to count")
    sign, draw = 1.0 if up else -1.0, deal.draw
    limit = 100.0 * sign * float(np.expm1(ground.edges[-1] if up else ground.edges[0]))
    extreme = np.minimum(_percent(ends.high if up else ends.low, sign), limit)
    kept = np.minimum(_percent(ends.end, sign), limit)
    forced = (ends.bought_usd if up else ends.sold_usd).astype(np.float64)
    moved = extreme > 100.0 * _LEAST_MOVE
    back = 1.0 - kept[moved] / extreme[moved]
    edges: FloatArray = np.linspace(0.0, limit, _BINS + 1)
    bins = np.clip(extreme / limit * _BINS, 0, _BINS - 1).astype(np.int64)
    missed = (ends.missed_bought_usd if up else ends.missed_sold_usd).astype(np.float64)
    insured = np.minimum(missed, deal.fund_usd)
    return Outcomes(
        paths=len(extreme),
        reach={at: chance(extreme >= at, draw) for at in AT_PERCENT if at < limit},
        extreme=spread(extreme, draw),
        kept=spread(kept, draw),
        retrace=spread(back, draw[moved]) if moved.any() else None,
        forced_usd=spread(forced, draw),
        off_book=taken_of(missed, forced, draw),
        insured=taken_of(insured, forced, draw),
        deleveraged=taken_of(missed - insured, forced, draw),
        extreme_s=spread((ends.high_s if up else ends.low_s).astype(np.float64), draw),
        left=chance(extreme >= limit, draw),
        stops=(edges, np.bincount(bins, minlength=_BINS) / len(extreme)),
    )


def chance(happened: Mask, draw: IntArray) -> Chance:
    """Share of the paths, with its error; never quite none where none happened (rule of succession)."""
    n, k = len(happened), int(happened.sum())
    guarded = (k + 1.0) / (n + 2.0)
    counting = float(np.sqrt(guarded * (1.0 - guarded) / n))
    return Chance(k / n, max(counting, _error(happened.astype(np.float64), draw)))


def spread(values: FloatArray, draw: IntArray) -> Spread:
    """Quantiles and mean of at least one value."""
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
    error = max(float(values.std() / np.sqrt(len(values))), _error(values, draw))
    return Spread(float(low), float(middle), float(high), float(values.mean()), error)


def taken_of(some: FloatArray, whole: FloatArray, draw: IntArray) -> Taken | None:
    """Σ some / Σ whole with the error of that ratio (linearised); None where the whole is nothing."""
    total = float(whole.sum())
    if total <= 0.0:
        return None
    share = float(some.sum()) / total
    apart = (some - share * whole) / (total / len(whole))
    error = max(float(apart.std() / np.sqrt(len(whole))), _error(apart, draw))
    any_forced = whole > 0.0
    low, high = np.quantile(some[any_forced] / whole[any_forced], (0.1, 0.9))
    return Taken(share, error, min(float(low), share), max(float(high), share))


def _error(values: FloatArray, draw: IntArray) -> float:
    """Of the mean, where paths on one draw of the map are alike (cluster-robust; Liang and Zeger 1986)."""
    apart = np.bincount(draw, values - values.mean())
    groups = np.count_nonzero(np.bincount(draw))
    if groups < 2:
        return 0.0
    return float(np.sqrt((apart**2).sum() * groups / (groups - 1)) / len(values))


def fan(ends: Ends, ground: Ground) -> FloatArray:
    """(marks, 5) quantiles of the displacement at each mark, per cent of the start; no further than known."""
    inside = np.clip(ends.fan.astype(np.float64), ground.edges[0], ground.edges[-1])
    return np.quantile(100.0 * np.expm1(inside), SHARES, axis=1).T


def _percent(
    displaced: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]", sign: float
) -> FloatArray:
    return sign * 100.0 * np.expm1(np.clip(displaced.astype(np.float64), -_FAR, _FAR))
