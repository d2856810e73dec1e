"""Where forced notional bunches: peaks of the smoothed ladder that stand out, and how far each reaches."""

from typing import NamedTuple

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.units import PositionSide
from airpocket.liquidations.records import Cluster, Ladder
from airpocket.liquidations.settings import MapSettings


class Peak(NamedTuple):
    """A peak at row `at`, from row `first` to row `last`, standing `height` above its valleys."""

    at: int
    first: int
    last: int
    height: float


def clusters_of(
    edge: FloatArray, shorts: Ladder, longs: Ladder, price: float, s: MapSettings
) -> tuple[Cluster, ...]:
    """The clusters of both sides within reach of the price, largest first within a side."""
    above = _of_side("short", edge, shorts, price, s)
    return (*above, *_of_side("long", edge, longs, price, s))


def _of_side(
    side: PositionSide, edge: FloatArray, ladder: Ladder, price: float, s: MapSettings
) -> list[Cluster]:
    middle = np.sqrt(edge[:-1] * edge[1:])
    rows = np.flatnonzero(np.abs(middle / price - 1.0) <= s.cluster_reach)
    total = float(ladder.usd.sum())
    if len(rows) == 0 or total <= 0.0:
        return []
    window = max(1, round(s.cluster_window / s.width))
    smooth = smoothed(ladder.usd, window)[rows]
    made: list[Cluster] = []
    for peak in peaks(smooth, s.cluster_prominence * float(smooth.max())):
        inside = np.zeros(len(ladder.usd), dtype=np.bool_)
        inside[rows[peak.first] : rows[peak.last] + 1] = True
        amount = ladder.within(inside)
        at = float(middle[rows[peak.at]])
        made.append(
            Cluster(
                side=side, low=float(edge[rows[peak.first]]), high=float(edge[rows[peak.last] + 1]),
                peak=at, distance_percent=100.0 * (at / price - 1.0), amount=amount,
                share=amount.usd / total,
            )
        )  # fmt: skip
    return sorted(made, key=lambda cluster: -cluster.amount.usd)[: s.clusters]


def smoothed(values: FloatArray, window: int) -> FloatArray:
    """Centred mean over an odd number of rows near `window`; rows past the ends count as empty."""
    half = window // 2
    total = np.concatenate([[0.0], np.cumsum(np.pad(values, (half, half)))])
    return (total[2 * half + 1 :] - total[: len(values)]) / (2 * half + 1)


def peaks(values: FloatArray, least: float) -> list[Peak]:
    """Peaks that stand at least `least` above the higher of their two valleys, in row order.

    A peak reaches, each way, to where the values fall below half its own or start to rise again by
    `least`: the edge of what belongs to it.
    """
    padded = np.concatenate([[-np.inf], values, [-np.inf]])
    tops = np.flatnonzero((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]))
    found: list[Peak] = []
    for top in tops:
        height = min(values[top] - _valley(values[top::-1]), values[top] - _valley(values[top:]))
        if values[top] > 0.0 and height >= least:
            first = top - _extent(values[top::-1], least)
            last = top + _extent(values[top:], least)
            found.append(Peak(int(top), int(first), int(last), float(height)))
    return found


def _valley(run: FloatArray) -> float:
    """Lowest value from a peak outward to a higher one; 0 beyond the end."""
    higher = np.flatnonzero(run > run[0])
    return float(run[: higher[0]].min()) if len(higher) else 0.0


def _extent(run: FloatArray, least: float) -> int:
    """Rows from a peak outward that belong to it."""
    lowest = np.minimum.accumulate(run)
    outside = np.flatnonzero((run < 0.5 * run[0]) | (run - lowest >= least))
    stop = int(outside[0]) if len(outside) else len(run)
    return int(np.argmin(run[:stop])) if stop < len(run) and run[stop] >= 0.5 * run[0] else stop - 1
