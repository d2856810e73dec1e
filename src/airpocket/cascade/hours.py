"""Depth by hour of the week: how much of the book of now will rest in the hours that a path walks through."""

import math
from dataclasses import dataclass

import numpy as np

from airpocket.domain.units import HOUR_NS, SECOND_NS, TimeNs

HOURS = 168
_MONDAY = 3 * 24  # hours from the Thursday that time begins on to a Monday
_PART_S = 60.0


@dataclass(frozen=True, slots=True)
class HourlyDepth:
    """factor: (168,) depth in each hour of the week, UTC, Monday 00:00 first, over the week's mean.

    source: who measured it on what, and when; fitted: from this store's own books, else a prior.
    """

    factor: tuple[float, ...]
    source: str
    fitted: bool = False

    def __post_init__(self) -> None:
        if len(self.factor) != HOURS or not all(0.0 < one < math.inf for one in self.factor):
            raise ValueError(f"depth by hour of the week is {HOURS} positive numbers")

    def at(self, moment: int) -> float:
        """The factor at a time, ns; straight between the middles of hours."""
        hours = (moment / HOUR_NS + _MONDAY - 0.5) % HOURS
        before = int(hours) % HOURS
        share = hours - int(hours)
        return (1.0 - share) * self.factor[before] + share * self.factor[(before + 1) % HOURS]

    def ahead(self, now: TimeNs, horizon_s: float) -> tuple[float, ...]:
        """Depth over that of now in each minute, or lesser equal part, of the horizon."""
        parts = max(math.ceil(horizon_s / _PART_S), 1)
        middles = (np.arange(parts) + 0.5) * horizon_s / parts
        return tuple(self.at(int(now + s * SECOND_NS)) / self.at(now) for s in middles.tolist())


def _published(peak_h: int, peak: float, trough_h: int, trough: float) -> tuple[float, ...]:
    """Half waves between the two hours that were published, every day alike."""
    falls = (trough_h - peak_h) % 24
    day: list[float] = []
    for hour in range(24):
        since = (hour - peak_h) % 24
        phase = since / falls if since <= falls else 1.0 + (since - falls) / (24 - falls)
        day.append((peak + trough) / 2.0 + (peak - trough) / 2.0 * math.cos(math.pi * phase))
    mean = math.fsum(day) / 24.0
    return tuple(one / mean for one in day) * 7


PUBLISHED = HourlyDepth(
    _published(11, 3.86, 21, 2.36),
    "Amberdata 2025, Binance BTC/FDUSD within 10 bp: peak 11:00 UTC $3.86M, trough 21:00 UTC $2.36M; one listing, "
    "between the two a cosine",
)
