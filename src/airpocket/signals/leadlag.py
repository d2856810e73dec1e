"""How two prices that trade at different moments move together: the Hayashi–Yoshida estimator."""

from typing import NamedTuple

import numpy as np

from airpocket.domain.events import FloatArray


class HayashiYoshida(NamedTuple):
    """covariance in the product of both units; correlation is NaN where a path never moves."""

    covariance: float
    correlation: float


def hayashi_yoshida(
    x_times: FloatArray, x_values: FloatArray, y_times: FloatArray, y_values: FloatArray
) -> HayashiYoshida:
    """Σ Δx_i Δy_j over the pairs of intervals that overlap; intervals that only touch do not.

    times: (n,), (m,) strictly rising; values: paths known at those times. No grid and no filling-in, so
    trading less often does not pull it to zero. The correlation divides by √(Σ Δx² Σ Δy²). Hayashi and
    Yoshida, Bernoulli 11(2), 2005. O((n + m) log m).

    Raises:
        ValueError: fewer than two points, lengths differ, times do not rise, or a number is not finite.
    """
    for times, values in ((x_times, x_values), (y_times, y_values)):
        if len(times) < 2 or len(times) != len(values):
            raise ValueError(f"a path needs two points or more: {len(times)} times, {len(values)}")
        if not (np.isfinite(times).all() and np.isfinite(values).all()):
            raise ValueError("a path holds a number that is not finite")
        if (np.diff(times) <= 0).any():
            raise ValueError("the times of a path must rise")
    # the y intervals that overlap one x interval are neighbours, so their increments add up to one step
    first = np.searchsorted(y_times[1:], x_times[:-1], side="right")
    after = np.searchsorted(y_times[:-1], x_times[1:], side="left")
    some = after > first
    steps = y_values[np.maximum(after, first)] - y_values[first]
    dx, dy = np.diff(x_values), np.diff(y_values)
    covariance = float(np.sum(dx[some] * steps[some]))
    scale = float(np.sqrt(np.sum(dx**2) * np.sum(dy**2)))
    return HayashiYoshida(covariance, covariance / scale if scale > 0 else float("nan"))
