"""One market's price and signed taker flow on a regular grid, out of trades or of minute bars."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import Batch, BoolArray, FloatArray, IntArray
from airpocket.domain.units import MINUTE_NS, SECOND_NS
from airpocket.market.state import Contract


@dataclass(frozen=True, slots=True)
class Tape:
    """Bars of one market, oldest first, all `step_s` long.

    end: (n,) when each was over, ns. log_price: (n,) at its end. flow_usd: (n,) bought less sold by takers.
    traded_usd: (n,) both together. joined: (n,) whether the bar before is its neighbour: only then is there a move.
    """

    step_s: float
    end: IntArray
    log_price: FloatArray
    flow_usd: FloatArray
    traded_usd: FloatArray
    joined: BoolArray

    def __len__(self) -> int:
        return len(self.end)

    @property
    def moves(self) -> FloatArray:
        """(n,) log-price moves over each bar, 0 where the bar before is missing."""
        moved = np.diff(self.log_price, prepend=self.log_price[:1])
        return np.where(self.joined, moved, 0.0)

    def coarser(self, step_s: float) -> "Tape":
        """The same in longer bars, aligned to the clock; a bar with a hole in it is left out.

        Raises:
            ValueError: step_s is not a whole multiple of the present step.
        """
        times = round(step_s / self.step_s)
        if times < 1 or abs(times * self.step_s - step_s) > 1e-9:
            raise ValueError(f"{step_s:g} s is no multiple of {self.step_s:g} s")
        step = round(step_s * SECOND_NS)
        slot = (self.end - 1) // step
        starts = np.flatnonzero(np.concatenate([[True], np.diff(slot) != 0]))
        size = np.diff(np.concatenate([starts, [len(slot)]]))
        within = np.ones(len(slot), np.bool_)
        within[starts] = False
        broken = np.add.reduceat((within & ~self.joined).astype(np.int64), starts) > 0
        whole = (size == times) & ~broken
        last = starts + size - 1
        flow = np.add.reduceat(self.flow_usd, starts)
        traded = np.add.reduceat(self.traded_usd, starts)
        after = np.concatenate([[False], whole[:-1] & whole[1:]]) & self.joined[starts]
        return Tape(
            step_s, (slot[starts] + 1)[whole] * step, self.log_price[last][whole], flow[whole],
            traded[whole], after[whole],
        )  # fmt: skip


def tape_of_trades(ts: IntArray, price: FloatArray, signed_usd: FloatArray, step_s: float) -> Tape:
    """Bars of trades (n,) in time order: prices stand still where nothing trades, the last trade's price counts.

    The first, partial, bar is left out.
    """
    step = round(step_s * SECOND_NS)
    slot = ts // step
    first, last = (int(slot[0]) + 1, int(slot[-1])) if len(slot) else (0, 0)
    count = max(last - first, 0)
    grid = first + np.arange(count, dtype=np.int64)
    inside = (slot >= first) & (slot < last)
    at = (slot[inside] - first).astype(np.int64)
    flow, traded = np.zeros(count), np.zeros(count)
    np.add.at(flow, at, signed_usd[inside])
    np.add.at(traded, at, np.abs(signed_usd[inside]))
    newest = np.searchsorted(slot, grid, side="right") - 1
    joined = np.ones(count, np.bool_)
    if count:
        joined[0] = False
    return Tape(step_s, (grid + 1) * step, np.log(price[newest]), flow, traded, joined)


def tape_of_batch(trades: Batch, step_s: float) -> Tape:
    """Bars of a batch of `trade` rows, sizes in coin."""
    price = trades.floats("price")
    sign = np.where(trades.texts("taker_side") == "buy", 1.0, -1.0)
    return tape_of_trades(trades.ints("ts"), price, sign * price * trades.floats("size"), step_s)


def tape_of_minutes(contract: Contract) -> Tape | None:
    """Minute bars with takers' flow: of the bars where the venue tells it, else of the recorded tape; or None."""
    bars = contract.base
    minute = (bars.end - bars.ts) == MINUTE_NS
    end, close = bars.end[minute], bars.close[minute]
    if len(end) < 2:
        return None
    usd = bars.volume_usd[minute]
    usd = np.where(np.isfinite(usd), usd, bars.volume[minute] * close)
    bought = bars.taker_buy[minute] * usd / np.maximum(bars.volume[minute], 1e-300)
    flow = 2.0 * np.where(bars.volume[minute] > 0.0, bought, 0.0) - usd
    told = contract.table("tape_1m")
    if told is not None:
        start = told.ints("ts")
        row = np.searchsorted(start, end - MINUTE_NS)
        there = (row < len(start)) & (start[np.minimum(row, len(start) - 1)] == end - MINUTE_NS)
        at = np.minimum(row, len(start) - 1)
        buy, sell = told.floats("buy_usd")[at], told.floats("sell_usd")[at]
        use = there & ~np.isfinite(flow)
        flow, usd = np.where(use, buy - sell, flow), np.where(use, buy + sell, usd)
    good = np.isfinite(flow) & np.isfinite(usd) & (close > 0.0)
    if good.sum() < 2:
        return None
    end = end[good]
    joined = np.concatenate([[False], np.diff(end) == MINUTE_NS])
    return Tape(60.0, end, np.log(close[good]), flow[good], usd[good], joined)
