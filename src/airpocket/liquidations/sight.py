"""How much of a contract's open interest was seen lately: gaps, stuck or wrong figures, moves beyond all trades."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.liquidations.settings import MapSettings
from airpocket.market.bars import Bars


@dataclass(frozen=True, slots=True)
class Sight:
    """unseen: share of the last days without open interest, 0 to 1, the newest counting most. unplaced: share of
    open interest that came or went with no trade to show for it, likewise. said: why."""

    unseen: float
    said: tuple[str, ...]
    unplaced: float = 0.0

    @property
    def hidden(self) -> float:
        """Share of open interest of which it was not seen where it was opened, 0 to 1."""
        return min(self.unseen + self.unplaced, 1.0)


def sight_of(
    known_at: IntArray, coin: FloatArray, bars: Bars, now: int, s: MapSettings, wrong: IntArray | None = None
) -> Sight:  # fmt: skip
    """What was not seen of open interest between its first figure and now, and before it.

    A figure that does not change while contracts trade was not told anew: a feed that hangs repeats itself.
    bars: the contract's own, whose volume shows that it traded; another's where it has none. wrong: when
    figures came that can't be (ns); nothing was seen from the last good one before to the next.
    """
    quiet = s.stale_h * HOUR_NS
    gap = np.diff(known_at) > quiet
    gaps = np.stack([known_at[:-1][gap], known_at[1:][gap]], axis=1)
    spoilt = _about(np.zeros(0, np.int64) if wrong is None else wrong, known_at, now, quiet)
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
    if len(spoilt):
        said.append(
            f"figures of open interest that can't be leave {_hours(spoilt)} h unseen: its last value was"
            " carried on"
        )
    before = now - s.young_days * DAY_NS
    spans = [*gaps, *stuck, *spoilt]
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
    unplaced = _unplaced(known_at, coin, bars, now, memory)
    if unplaced > 0.01:
        said.append(
            f"{100 * unplaced:.0f} % of open interest came or went lately by more than was traded: at which"
            " prices is guessed, and ranges are wider for it"
        )
    return Sight(min(unseen, 1.0), tuple(said), unplaced)


def _about(wrong: IntArray, known_at: IntArray, now: int, longer_ns: int) -> IntArray:
    """(n, 2) from the good figure before each run of wrong ones to the good one after it, or now; those that a
    gap holds already are left out."""
    after = np.unique(np.searchsorted(known_at, wrong))
    after = after[after > 0]
    begin, end = known_at[after - 1], np.append(known_at, now)[after]
    short = (end - begin <= longer_ns) | (after == len(known_at))
    return np.stack([begin[short], end[short]], axis=1)


def _unplaced(known_at: IntArray, coin: FloatArray, bars: Bars, now: int, memory_ns: int) -> float:
    """Share of what is open that changed by more than all that was traded, older changes counting less.

    Bars that a change only touches count whole, and one more before it: a figure told late is no fault. Where bars
    or their volumes are missing, nothing is known of it.
    """
    if len(bars) == 0 or len(known_at) < 2:
        return 0.0
    first = np.maximum(np.searchsorted(bars.end, known_at[:-1], side="right") - 1, 0)
    last = np.searchsorted(bars.ts, known_at[1:], side="left")
    long = bars.end - bars.ts
    covered = _over(long.astype(np.float64), first, last) >= np.diff(known_at)
    beyond = np.abs(np.diff(coin)) - _over(np.nan_to_num(bars.volume, nan=np.inf), first, last)
    fade = np.exp((known_at[1:] - now) / memory_ns)
    share = (fade * beyond)[covered & (beyond > 0.0)].sum() / coin[-1]
    return min(float(share), 1.0)


def _over(values: FloatArray, first: IntArray, last: IntArray) -> FloatArray:
    """(n,) sums of values[first:last]; 0 where that is empty."""
    bounds = np.stack([first, last], axis=1).reshape(-1)
    sums = np.add.reduceat(np.append(values, 0.0), bounds)[::2]
    return np.where(last > first, sums, 0.0)


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
