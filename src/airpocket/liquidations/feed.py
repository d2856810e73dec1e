"""What the map's step is fed: one contract's price path, volume and open interest, cut where they are final."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS, TimeNs, format_time
from airpocket.liquidations.crossing import shifts_of
from airpocket.liquidations.settings import MapSettings
from airpocket.liquidations.sight import sight_of
from airpocket.liquidations.told import Marks, Prints, marks_of, prints_of
from airpocket.market.bars import Bars
from airpocket.market.carry import InterestHistory, interest_of
from airpocket.market.state import Contract

# Finer bars are folded into steps of this length, the openings of coarser ones spread over their range.
STEP_NS = 5 * MINUTE_NS
_MOST_POINTS = 12


@dataclass(frozen=True, slots=True)
class Feed:
    """One contract, ready for the step.

    path: whose bars stand for the contract's prices. known_at, coin: (n,) open interest from the last
    unit jump on. start: ns, where bars begin to count. settled: ns; up to here bars and open interest
    can no longer change. shifts: (2, K) from entry to liquidation. marks, prints: the contract's own.
    beyond: bars after that. hidden: share of what there was to see that bad input hid, 0 to 1.
    """

    key: str
    path: Contract
    own_path: bool
    known_at: IntArray
    coin: FloatArray
    start: int
    settled: int
    shifts: FloatArray
    marks: Marks
    prints: Prints
    assumed: tuple[str, ...]
    hidden: float = 0.0

    @property
    def sampled(self) -> bool:
        """Whether the feed of liquidations calls itself a sample, or does not say."""
        return self.prints.sampled

    @property
    def terms(self) -> tuple[object, ...]:
        """What the step's constants hang on: when it changes, the past has to be gone through again."""
        return (self.path.key, self.own_path, self.sampled, self.shifts.tobytes())

    @property
    def price(self) -> float:
        return float(self.path.base.close[-1])

    @property
    def interest_coin(self) -> float:
        return float(self.coin[-1])

    def coin_at(self, at: IntArray) -> FloatArray:
        """(n,) open interest as known at `at` (ns); before the first figure, that figure."""
        rows = np.searchsorted(self.known_at, at, side="right") - 1
        return self.coin[np.maximum(rows, 0)]

    @property
    def beyond(self) -> Bars:
        bars = self.path.base
        return bars.since_row(int(np.searchsorted(bars.end, self.settled, side="right")))


@dataclass(frozen=True, slots=True)
class Rows:
    """Arguments of the step for n bars; see `flow.advance`."""

    end: IntArray
    points: IntArray
    measured: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    facts: FloatArray

    def part(self, first: int, last: int) -> "Rows":
        """Bars `first` up to, not with, `last`."""
        facts = np.ascontiguousarray(self.facts[:, first:last])  # as the kernel was compiled for
        return Rows(self.end[first:last], self.points[first:last], self.measured[first:last], facts)


def feed_of(contract: Contract, reference: Contract, now: int, s: MapSettings) -> Feed | str:
    """The contract's feed, or why there is none."""
    history = interest_of(contract, reference)
    if history is None:
        return "no open interest"
    known_at, coin, jumps = _since_last_jump(history, s.unit_jump)
    fault = _fault(known_at, jumps, now, s) or _gone(contract, known_at, coin, now, s)
    if fault:
        return fault
    lead = 0 if jumps else s.lead_days * DAY_NS
    first = _history_from(now, s.history_days)
    start = max(int(known_at[0]) - lead, first)
    own = _covers(contract.base, max(int(known_at[0]), first), int(known_at[-1]), s.own_share)
    path = contract if own else reference
    settled = min(int(known_at[-1]), int(path.base.end[-1]) if len(path.base) else 0)
    settled -= settled % STEP_NS
    if now - settled > s.stale_h * HOUR_NS:
        return "no fresh price bars to follow its positions by"
    marks, prints = marks_of(contract), prints_of(contract, known_at, coin)
    own_bars = contract.base if len(contract.base) else path.base
    wrong = history.known_at[~(history.coin > 0.0)]
    sight = sight_of(known_at, coin, own_bars, now, s, wrong)
    assumed = [
        *jumps, *_left_out(history), *sight.said, *_stand_ins(contract, path, history, s),
        *marks.assumed, *prints.assumed,
    ]  # fmt: skip
    shifts = shifts_of(contract, TimeNs(start), s)
    return Feed(
        contract.key, path, own, known_at, coin, start, settled, shifts, marks, prints, tuple(assumed),
        min(sight.hidden + prints.unheard, 1.0),
    )  # fmt: skip


def _history_from(now: int, days: int) -> int:
    """Where history begins to count; it moves on in steps of half its length, so that most looks go on from
    the last one and a look alone gives the same bits."""
    step = days * DAY_NS // 2
    return (now - days * DAY_NS) // step * step


def rows_of(feed: Feed, after: int, s: MapSettings) -> Rows:
    """The steps that end in (after, settled], each with what was known of open interest at its end.

    Before the first figure its value stands in, so that what was open already gets entry prices.
    """
    bars = feed.path.base
    first = int(np.searchsorted(bars.end, max(after, feed.start), side="right"))
    last = int(np.searchsorted(bars.end, feed.settled, side="right"))
    length = (bars.end - bars.ts)[first:last]
    if last == first:
        return Rows(length, length, length > 0, np.empty((10, 0)))
    end = _step_end(bars.end[first:last], length)
    heads = np.flatnonzero(np.diff(end, prepend=-1))
    high, low, close, volume = (
        each[first:last] for each in (bars.high, bars.low, bars.close, bars.volume)
    )
    end, length = end[heads], np.add.reduceat(length, heads)
    at = np.searchsorted(feed.known_at, end, side="right") - 1
    interest = feed.coin_at(end)
    traded = np.add.reduceat(volume, heads)
    measured = np.isfinite(traded) & feed.own_path
    highest, lowest = np.maximum.reduceat(high, heads), np.minimum.reduceat(low, heads)
    begin = end - np.maximum(length, STEP_NS)
    reach_high, reach_low = feed.marks.reach(begin, end, highest, lowest)
    return Rows(
        end=end,
        points=np.clip(length // STEP_NS, 1, _MOST_POINTS),
        measured=measured & (at >= 0),
        facts=np.stack([
            reach_high, reach_low, _mean_price((high + low + close) / 3.0, volume, heads), lowest,
            highest, np.where(measured, traded, s.turnover_day * interest * length / DAY_NS), interest,
            *feed.prints.within(begin, end, s.quiet_h * HOUR_NS),
        ]),
    )  # fmt: skip


def _step_end(end: IntArray, length: IntArray) -> IntArray:
    """When the step a bar belongs to is over: its own end, or that of the steps' grid for finer bars."""
    return np.where(length < STEP_NS, -(-end // STEP_NS) * STEP_NS, end)


def _mean_price(typical: FloatArray, volume: FloatArray, heads: IntArray) -> FloatArray:
    """Volume-weighted typical price of each step; plain where volume is not known or nil."""
    weight = np.where(np.isfinite(volume), volume, 0.0)
    total = np.add.reduceat(weight, heads)
    plain = np.add.reduceat(typical, heads) / np.diff(heads, append=len(typical))
    weighted = np.add.reduceat(weight * typical, heads)
    return np.divide(weighted, total, out=plain, where=total > 0.0)


def _since_last_jump(
    history: InterestHistory, factor: float
) -> tuple[IntArray, FloatArray, list[str]]:
    """Rows from the last change by more than `factor` on: before it the unit may have been another."""
    known_at, coin = history.known_at, history.coin
    held = coin > 0.0
    known_at, coin = known_at[held], coin[held]
    change = np.abs(np.diff(np.log(coin)))
    jumps = np.flatnonzero(change > np.log(factor))
    if len(jumps) == 0:
        return known_at, coin, []
    row = int(jumps[-1]) + 1
    ratio = coin[row] / coin[row - 1]
    said = (
        f"open interest jumped {ratio:.3g} times at {format_time(int(known_at[row]))}, which may be a"
        " change of unit: mapped only from there"
    )
    return known_at[row:], coin[row:], [said]


def _fault(known_at: IntArray, jumps: list[str], now: int, s: MapSettings) -> str:
    if len(known_at) == 0:
        return "its open interest is zero"
    if now - int(known_at[-1]) > s.stale_h * HOUR_NS:
        return f"open interest last known at {format_time(int(known_at[-1]))}"
    if jumps and now - int(known_at[0]) < DAY_NS:
        return f"{jumps[0]}, once a day of figures agrees"
    if len(known_at) < s.least_rows:
        return f"{len(known_at)} figures of open interest, needs {s.least_rows}"
    return ""


def _gone(
    contract: Contract, known_at: IntArray, coin: FloatArray, now: int, s: MapSettings
) -> str:
    """Why nobody holds the contract any more; empty where it trades, or only its bars are not stored."""
    listed = contract.table("listing")
    if listed is not None and len(listed) and str(listed.texts("status")[-1]) == "delisted":
        return f"its venue delisted it at {format_time(int(listed.ints('ts')[-1]))}"
    bars = contract.base
    if len(bars) == 0 or now - int(bars.end[-1]) <= s.stale_h * HOUR_NS:
        return ""
    since = coin[np.searchsorted(known_at, bars.end[-1], side="right") :]
    if len(since) and (since == since[0]).all():
        return (
            f"no trade since {format_time(int(bars.end[-1]))} while its open interest stands still:"
            " delisted or halted"
        )
    return ""


def _covers(bars: Bars, since: int, until: int, share: float) -> bool:
    inside = (bars.end > since) & (bars.end <= until)
    covered = int((bars.end - bars.ts)[inside].sum())
    fresh = len(bars) > 0 and until - int(bars.end[-1]) <= HOUR_NS
    return fresh and covered >= share * (until - since)


def _left_out(history: InterestHistory) -> list[str]:
    lacking = int((~(history.coin > 0.0)).sum())
    return [f"{lacking} figures of open interest not above zero were left out"] if lacking else []


def _stand_ins(
    contract: Contract, path: Contract, history: InterestHistory, s: MapSettings
) -> list[str]:
    assumed: list[str] = []
    if path is not contract:
        assumed = [
            f"prices of {path.key} stand in for its mark price",
            f"turnover of {s.turnover_day:g} times its open interest a day stands in for its volume",
        ]
    if history.provenance != "measured":
        assumed.append(f"open interest is {history.source}")
    return assumed
