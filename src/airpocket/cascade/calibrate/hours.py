"""Depth by hour of the week: 168 multiples of the mean, as far from a stated shape as the weeks heard allow."""

from dataclasses import dataclass

import numpy as np

from airpocket.cascade.calibrate.depth import Depths
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.cascade.hours import PUBLISHED
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.signals.motion import hour_of_week

WEEK_H = 168
PRIOR_SD = 0.2  # in logarithms, of each hour about the stated shape: it is of one listing


@dataclass(frozen=True, slots=True)
class Hours:
    """Depth over its mean by hour of the week, arrays (168,), 0 = Monday 00:00 UTC; low, high: 10 to 90 %.

    weeks: how many are behind it, 0: nothing but the stated shape. as_of: ns, of the newest hour used.
    """

    multiple: FloatArray
    low: FloatArray
    high: FloatArray
    weeks: int
    as_of: int | None
    source: str


def stated_shape() -> FloatArray:
    """(168,) the prior in logarithms, mean 0: what was published of one listing."""
    shape: FloatArray = np.log(np.array(PUBLISHED.factor))
    return shape - shape.mean()


def hours_of(depths: Depths, now: TimeNs, source: str, settings: CalibrationSettings) -> Hours:
    """The profile: normal shrinkage of each hour's mean over the weeks towards the stated shape.

    A week's hour is one observation, its level that week's median taken off; how hours scatter from week to week is
    pooled over all of them. With fewer weeks than are needed the stated shape stands alone.
    """
    prior = stated_shape()
    good = np.isfinite(depths.usd) & (depths.usd > 0.0) & (depths.at <= now)
    hour, seen = _hourly(depths.at[good], np.log(depths.usd[good]))
    week = (hour + 3 * 24) // WEEK_H
    slot = hour_of_week(hour * HOUR_NS)
    level = np.full(len(hour), np.nan)
    for one in np.unique(week):
        mine = week == one
        if mine.sum() >= WEEK_H // 2:
            # against the stated shape, so that half a week is not taken for a deep one
            level[mine] = seen[mine] - np.median(seen[mine] - prior[slot[mine]])
    use = np.isfinite(level)
    weeks = len(np.unique(week[use]))
    if weeks < settings.least_weeks:
        away = 1.2816 * PRIOR_SD
        low, high = np.exp(prior - away), np.exp(prior + away)
        told = f"{PUBLISHED.source}; {source}: {weeks} weeks of depth, {settings.least_weeks} are needed"
        return Hours(np.exp(prior), low, high, 0, None, told)
    count = np.bincount(slot[use], minlength=WEEK_H)
    mean = np.bincount(slot[use], weights=level[use], minlength=WEEK_H) / np.maximum(count, 1)
    off = level[use] - mean[slot[use]]
    variance = float((off**2).sum()) / max(int(use.sum()) - int((count > 0).sum()), 1)
    precision = count / max(variance, 1e-12) + 1.0 / PRIOR_SD**2
    centre = (count * mean / max(variance, 1e-12) + prior / PRIOR_SD**2) / precision
    centre -= centre.mean()
    away = 1.2816 / np.sqrt(precision)
    as_of = int((hour[use][-1] + 1) * HOUR_NS)
    return Hours(
        np.exp(centre), np.exp(centre - away), np.exp(centre + away), weeks, min(as_of, int(now)), source
    )  # fmt: skip


def _hourly(at: IntArray, value: FloatArray) -> tuple[IntArray, FloatArray]:
    """Whole hours since 1970, rising, and the mean in each."""
    hour, which = np.unique(at // HOUR_NS, return_inverse=True)
    return hour.astype(np.int64), np.bincount(which, weights=value) / np.bincount(which)
