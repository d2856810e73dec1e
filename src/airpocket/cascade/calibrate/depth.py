"""Depth near the price: how fast it comes back after trades (κ_r), how far makers pull it when price runs (η)."""

from dataclasses import dataclass

import numpy as np

from airpocket.cascade.calibrate.blocks import (
    drawn,
    interval,
    robust_weights,
    slopes,
    sums_of,
    total,
)
from airpocket.cascade.calibrate.figures import Figure, figure, missing
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.domain.estimates import RATIO, SECONDS
from airpocket.domain.events import BoolArray, FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.domain.units import DAY_NS, HOUR_NS, TimeNs

PER_LOG = "per unit of log-price"
_SHOCK_S = 2.0  # from the first look at a shock to its trough
_SHAKE = 1.2533141373  # standard deviation of a normal over its mean distance, √(π/2)
_RUN = 1.5 * 3_600.0 * 1e9  # ns; a longer hole begins the averages anew


@dataclass(frozen=True, slots=True)
class Depths:
    """Resting dollars within a band at moments `at` (n,), ns rising, both sides together; NaN where not told."""

    at: IntArray
    usd: FloatArray


@dataclass(frozen=True, slots=True)
class PullBack:
    """eta: depth ∝ e^(−η|d|/σ_d), d the distance of price from its five-minute average, σ_d its usual size.

    per_log: η/σ_d, what `PathPriors.pull` is: by how much impact grows a unit of displacement, to first order.
    """

    eta: Figure
    per_log: Figure


def refill_of(
    at: IntArray, depth_usd: FloatArray, taken_usd: FloatArray, now: TimeNs, source: str,
    settings: CalibrationSettings,
) -> Figure:  # fmt: skip
    """Time until half of what trades ate of one side's depth is back, s: the event study of science §6.

    at: (n,) evenly spaced, ns. depth_usd: resting within a narrow band of the mid. taken_usd: by takers of that
    side since the moment before. A shock: a fifth of the usual depth gone, half of it to trades. The median of
    Kaplan and Meier: shocks not mended within the horizon count as longer than it.
    """
    step_s = float(np.median(np.diff(at))) / 1e9 if len(at) > 1 else 1.0
    ends = _mended(
        np.log(np.maximum(depth_usd, 1e-9)), depth_usd, taken_usd, round(settings.usual_s / step_s),
        max(round(_SHOCK_S / step_s), 1), round(settings.horizon_s / step_s), settings.shock, settings.eaten,
    )  # fmt: skip
    ends = ends[ends >= 0]
    if len(ends) < settings.least_shocks:
        gone = f"{100 * settings.shock:g} % of the depth"
        why = f"{source}: {len(ends)} times trades took {gone}, {settings.least_shocks} are needed"
        return missing(SECONDS, why, len(ends))
    waits = np.sort(np.where(ends == 0, np.inf, ends * step_s))
    rng = np.random.default_rng(settings.seed)
    draws = np.sort(rng.choice(waits, size=(settings.draws, len(waits))), axis=1)
    middle = (len(waits) - 1) // 2
    if not np.isfinite(waits[middle]):
        return missing(
            SECONDS, f"{source}: most of {len(waits)} shocks were not mended in time", len(waits)
        )
    return figure(
        float(waits[middle]), interval(draws[:, middle]), SECONDS, len(waits), (int(at[-1]), now), source
    )  # fmt: skip


@kernel
def _mended(  # noqa: PLR0913, PLR0917 - a kernel takes its arrays one by one
    log_depth: FloatArray, depth: FloatArray, taken: FloatArray, usual_steps: int, shock_steps: int,
    horizon: int, shock: float, eaten: float,
) -> IntArray:  # fmt: skip
    """(n,) −1, or at the row of a shock's trough the steps until half of it was mended, 0 if not in time."""
    out = np.full(len(depth), -1)
    weight = 1.0 / max(usual_steps, 1)
    usual, looks, t = 0.0, 0, 0
    while t < len(depth):
        gone = np.exp(usual) - depth[t]
        recent = 0.0
        for k in range(max(0, t - shock_steps + 1), t + 1):
            recent += taken[k]
        shocked = log_depth[t] - usual < np.log(1.0 - shock) and recent >= eaten * gone
        if looks < usual_steps or not shocked:
            looks += 1
            usual += max(weight, 1.0 / looks) * (log_depth[t] - usual)
            t += 1
            continue
        if t + horizon >= len(depth):
            break  # its end is not known
        trough = t
        for k in range(t, t + shock_steps + 1):
            if log_depth[k] < log_depth[trough]:
                trough = k
        out[trough] = 0
        last = min(trough + horizon, len(depth) - 1)
        for k in range(trough + 1, last + 1):
            if depth[k] >= 0.5 * (depth[trough] + np.exp(usual)):
                out[trough] = k - trough
                last = k
                break
        t = last + 1
        while t < len(depth) and log_depth[t] - usual < np.log(1.0 - shock):
            t += 1  # still short of a shock: no shock of its own
    return out


def pull_back_of(
    depths: Depths, end: IntArray, log_price: FloatArray, now: TimeNs, source: str,
    settings: CalibrationSettings,
) -> PullBack:  # fmt: skip
    """η by regression of ln depth on how far price had run by then (science §3.4).

    end, log_price: (m,) minute bars; the newest one over at the moment of the depth counts. Levels of depth are
    compared within stretches of some hours only, so that slow changes and hours of the day do not count; the
    stretches are the bootstrap's blocks.
    """
    ran, usual = displacement(end, log_price, settings)
    row = np.searchsorted(end, depths.at, side="right") - 1
    good = (row >= 0) & np.isfinite(depths.usd) & (depths.usd > 0.0)
    good &= depths.at - end[np.maximum(row, 0)] < 3 * 60_000_000_000
    x = np.abs(ran[np.maximum(row, 0)])
    good &= np.isfinite(x)
    days = len(np.unique(depths.at[good] // DAY_NS))
    if days < settings.least_days:
        why = f"{source}: depth of {days} days, {settings.least_days} are needed"
        return PullBack(missing(RATIO, why, days), missing(PER_LOG, why, days))
    stretch = depths.at[good] // round(settings.effect_h * HOUR_NS)
    _, block = np.unique(stretch, return_inverse=True)
    block = block.astype(np.int64)
    away, depth = _within(x[good], block)[:, None], _within(np.log(depths.usd[good]), block)
    sums = sums_of(away, depth, robust_weights(away, depth, settings), block)
    counts = drawn(sums.blocks, settings)
    centre = -float(slopes(sums.xx.sum(axis=0), sums.xy.sum(axis=0))[0])
    draws = -slopes(total(counts, sums.xx), total(counts, sums.xy))[:, 0]
    size = float(np.median(usual[np.isfinite(usual)]))
    events, times = int(good.sum()), (int(depths.at[good][-1]), now)
    spread = interval(draws)
    wide = None if spread is None else (spread[0] / size, spread[1] / size)
    return PullBack(
        figure(centre, spread, RATIO, events, times, source),
        figure(centre / size, wide, PER_LOG, events, times, source),
    )


def displacement(
    end: IntArray, log_price: FloatArray, settings: CalibrationSettings
) -> tuple[FloatArray, FloatArray]:
    """(m,) distance of price from its five-minute average over its usual size, and that size; causal, NaN early."""
    return _displacement(
        end, log_price, settings.average_s * 1e9, settings.usual_move_s * 1e9, 2.0 * HOUR_NS
    )


@kernel
def _displacement(
    end: IntArray, log_price: FloatArray, average: float, usual: float, warm: float
) -> tuple[FloatArray, FloatArray]:
    ran, size = np.full(len(end), np.nan), np.full(len(end), np.nan)
    slow, mean, since = 0.0, 0.0, 0
    for k in range(len(end)):
        gap = float(end[k] - end[k - 1]) if k else 2.0 * _RUN
        if gap > _RUN:
            slow, mean, since = log_price[k], 0.0, end[k]
            continue
        slow += (1.0 - np.exp(-gap / average)) * (log_price[k] - slow)
        away = log_price[k] - slow
        weight = max(1.0 - np.exp(-gap / usual), gap / max(float(end[k] - since), gap))
        mean += weight * (np.abs(away) - mean)
        if end[k] - since > warm and mean > 0.0:
            size[k] = _SHAKE * mean
            ran[k] = away / size[k]
    return ran, size


def _within(values: FloatArray, block: IntArray) -> FloatArray:
    """Less the mean of the block."""
    count = np.bincount(block)
    return values - (np.bincount(block, weights=values) / count)[block]


def joined_bands(at: IntArray, percent: FloatArray, usd: FloatArray, band: float) -> Depths:
    """Both sides of one band of `depth` rows, moments with both sides only."""
    sides: list[tuple[IntArray, FloatArray]] = []
    for sign in (-1.0, 1.0):
        mine: BoolArray = np.abs(percent - sign * band) < 1e-9
        sides.append((at[mine], usd[mine]))
    both, bid, ask = np.intersect1d(sides[0][0], sides[1][0], return_indices=True)
    return Depths(both.astype(np.int64), sides[0][1][bid] + sides[1][1][ask])
