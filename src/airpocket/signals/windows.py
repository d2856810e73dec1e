"""Look-ups and scores over irregular histories that refuse to bridge gaps."""

import numpy as np

from airpocket.domain.events import FloatArray, IntArray


def value_at(times: IntArray, values: FloatArray, at: int, tolerance_ns: int) -> float:
    """The newest value at or before `at`, no older than `tolerance_ns`; NaN where there is none."""
    row = int(np.searchsorted(times, at, side="right")) - 1
    if row < 0 or at - int(times[row]) > tolerance_ns:
        return float("nan")
    return float(values[row])


def values_at(times: IntArray, values: FloatArray, at: IntArray, tolerance_ns: int) -> FloatArray:
    """`value_at` for many moments at once: (m,)."""
    if len(times) == 0:
        return np.full(len(at), np.nan)
    row = np.searchsorted(times, at, side="right") - 1
    held = np.maximum(row, 0)
    fresh = (row >= 0) & (at - times[held] <= tolerance_ns)
    return np.where(fresh, values[held], np.nan)


def log_changes(times: IntArray, values: FloatArray, over_ns: int, tolerance_ns: int) -> FloatArray:
    """(n,) ln(value now / value `over_ns` earlier) at every row; NaN where the earlier one is missing."""
    before = values_at(times, values, times - over_ns, tolerance_ns)
    return np.log(values / before)


def score(sample: FloatArray, value: float, least: int) -> float:
    """Standard deviations of `value` from the mean of `sample`; NaN with fewer than `least` numbers."""
    clean = sample[np.isfinite(sample)]
    if len(clean) < least or not np.isfinite(value):
        return float("nan")
    deviation = float(clean.std())
    if deviation <= 1e-12 * max(1.0, float(np.abs(clean).max())):
        return float("nan")  # a flat history has no scale to score by
    return (value - float(clean.mean())) / deviation


def rank_percent(sample: FloatArray, value: float, least: int) -> float:
    """Share of `sample` at or below `value`, per cent; NaN with fewer than `least` numbers."""
    clean = sample[np.isfinite(sample)]
    if len(clean) < least or not np.isfinite(value):
        return float("nan")
    return 100.0 * float((clean <= value).mean())
