"""Slopes with intervals: robust least squares from sums over blocks of rows, drawn again block by block."""

from dataclasses import dataclass

import numpy as np

from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.domain.events import FloatArray, IntArray

_MAD = 1.4826  # standard deviations of a normal in its median absolute deviation
_PASSES = 5


@dataclass(frozen=True, slots=True)
class Sums:
    """Weighted sums over B blocks of K regressors: xx (B, K, K), xy (B, K), yy (B,), and the rows in all."""

    xx: FloatArray
    xy: FloatArray
    yy: FloatArray
    rows: int

    @property
    def blocks(self) -> int:
        return len(self.yy)


def blocks_of(rows: int, step_s: float, block_s: float, settings: CalibrationSettings) -> IntArray:
    """(rows,) the block of each bar: runs of block_s, and of some bars at least."""
    size = max(round(block_s / step_s), settings.block_bars)
    return np.arange(rows, dtype=np.int64) // size


def enough(step_s: float, settings: CalibrationSettings) -> int:
    """How many bars give a figure."""
    size = max(round(settings.block_s / step_s), settings.block_bars)
    return max((settings.least_blocks - 1) * size + 1, settings.least_bars)


def sums_of(x: FloatArray, y: FloatArray, weight: FloatArray, block: IntArray) -> Sums:
    """Sums of x (n, K) and y (n,) over the blocks that `block` (n,), rising, tells."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(block) != 0]))
    weighted = x * weight[:, None]
    xx = np.add.reduceat(weighted[:, :, None] * x[:, None, :], starts, axis=0)
    xy = np.add.reduceat(weighted * y[:, None], starts, axis=0)
    return Sums(xx, xy, np.add.reduceat(weight * y * y, starts), len(y))


def slopes(xx: FloatArray, xy: FloatArray) -> FloatArray:
    """Solutions (…, K) of xx β = xy, (…, K, K) and (…, K); NaN where no regressor moved on its own."""
    squares: FloatArray = np.diagonal(xx, axis1=-2, axis2=-1)
    scale: FloatArray = np.sqrt(np.maximum(squares, 1e-300))
    unit: FloatArray = xx / (scale[..., :, None] * scale[..., None, :])
    good = np.abs(np.linalg.det(unit)) > 1e-9
    safe = np.where(good[..., None, None], unit, np.eye(xx.shape[-1]))
    found: FloatArray = np.linalg.solve(safe, (xy / scale)[..., None])[..., 0] / scale
    return np.where(good[..., None], found, np.nan)


def drawn(blocks: int, settings: CalibrationSettings) -> FloatArray:
    """(D, B) how often each block comes in each bootstrap draw."""
    rng = np.random.default_rng(settings.seed)
    return rng.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=settings.draws).astype(
        np.float64
    )


def total(counts: FloatArray, values: FloatArray) -> FloatArray:
    """Sums over blocks (D, …) of values (B, …), each block as often as it was drawn."""
    flat = values.reshape(len(values), -1)
    return (counts @ flat).reshape(len(counts), *values.shape[1:])


def robust_weights(x: FloatArray, y: FloatArray, settings: CalibrationSettings) -> FloatArray:
    """(n,) Huber's weights of a regression of y on x (n, K) through the origin (Huber 1964), a few passes.

    Never more than a few rows lose weight: where most moves are nothing, those that are something would pass for
    outliers.
    """
    weight = np.ones(len(y))
    for _ in range(_PASSES):
        weighted = x * weight[:, None]
        beta = slopes(weighted.T @ x, weighted.T @ y)
        off = np.abs(y - x @ np.nan_to_num(beta))
        limit = settings.huber_sd * _MAD * float(np.median(off))
        limit = max(limit, float(np.quantile(off, 1.0 - settings.huber_share)))
        if limit <= 0.0:
            return np.ones(len(y))
        weight = np.minimum(1.0, limit / np.maximum(off, 1e-300))
    return weight


def interval(values: FloatArray) -> tuple[float, float] | None:
    """The 10 to 90 % of draws; None where more than a tenth of them gave no number."""
    good = values[np.isfinite(values)]
    if len(good) < 0.9 * len(values) or len(good) == 0:
        return None
    low, high = np.quantile(good, (0.1, 0.9))
    return float(low), float(high)
