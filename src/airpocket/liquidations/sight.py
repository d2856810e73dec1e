"""How much of a contract's open interest was seen lately: gaps, figures that stood still, a short history."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.liquidations.settings import MapSettings
from airpocket.market.bars import Bars


@dataclass(frozen=True, slots=True)
class Sight:
    """unseen: share of the last days without open interest, 0 to 1, the newest counting most. said: why."""

    unseen: float
    said: tuple[str, ...]

    def doubt(self, s: MapSettings) -> float:
        """Standard deviation, in logs, of what a map gets wrong that saw so much."""
        return float(np.sqrt(s.doubt**2 + s.blind**2 * self.unseen))


def sight_of(known_at: IntArray, coin: FloatArray, bars: Bars, now: int, s: MapSettings) -> Sight:
    """What was not seen of open interest between its first figure and now, and before it.

    A figure that does not change while contracts trade was not told anew: a feed that hangs repeats itself.
    bars: the contract's own, whose volume shows that it traded; empty where it has none.
    """
    quiet = s.stale_h * HOUR_NS
    gap = np.diff(known_at) > quiet
    gaps = np.stack([known_at[:-1][gap], known_at[1:][gap]], axis=1)
    runs = _still(known_at, coin, quiet)
    stuck = np.array([run for run in runs if _traded(bars, *run)], np.int64).reshape(-1, 2)
    said: list[str] = []
    if len(gaps):
        said.append(
            f"open interest is missing {len(gaps)} times for longer than {s.stale_h} h"
            f" ({_hours(gaps)} h in all): its last value was carried on"
        )
    if len(stuck):
        said.append(
            f"open interest stood still {len(stuck)} times for longer than {s.stale_h} h while contracts"
            f" traded ({_hours(stuck)} h in all): taken as not told"
        )
    before = now - s.young_days * DAY_NS
    spans = [*gaps, *stuck]
    if known_at[0] > before:
        spans.append(np.array([before, known_at[0]]))
        said.append(
            f"open interest is known for {(now - int(known_at[0])) // HOUR_NS} h: at which prices older"
            " positions were opened is guessed"
        )
    memory = s.sight_days * DAY_NS
    unseen = sum(_recency(int(first), int(last), now, memory) for first, last in spans)
    if spans and unseen > 0.01:
        said.append(
            f"ranges are wider for it: {100 * min(unseen, 1.0):.0f} % of the last days unseen"
        )
    return Sight(min(unseen, 1.0), tuple(said))


def _still(known_at: IntArray, coin: FloatArray, longer_ns: int) -> IntArray:
    """(n, 2) first and last time of each run of equal figures that lasts longer, gaps apart."""
    moved = np.flatnonzero((np.diff(coin) != 0.0) | (np.diff(known_at) > longer_ns)) + 1
    first = np.concatenate([[0], moved])
    last = np.concatenate([moved, [len(coin)]]) - 1
    runs = np.stack([known_at[first], known_at[last]], axis=1)
    return runs[runs[:, 1] - runs[:, 0] > longer_ns]


def _traded(bars: Bars, first: int, last: int) -> bool:
    inside = (bars.end > first) & (bars.end <= last)
    return bool((bars.volume[inside] > 0.0).any())


def _recency(first: int, last: int, now: int, memory_ns: int) -> float:
    """Share of an exponential memory of the past that lies between two times."""
    return float(np.exp((last - now) / memory_ns) - np.exp((first - now) / memory_ns))


def _hours(spans: IntArray) -> int:
    return int((spans[:, 1] - spans[:, 0]).sum()) // HOUR_NS
