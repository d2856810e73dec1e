"""Closed bars: growing columns of one market, and hours, four hours and days made from finer ones."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import Batch, FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.domain.units import DAY_NS, HOUR_NS

PRICE_FIELDS = ("open", "high", "low", "close", "volume", "volume_usd", "taker_buy")
_WIDTH = len(PRICE_FIELDS)
_STATE_WIDTH = 2 + _WIDTH  # bucket start, nanoseconds covered, the running bar


@dataclass(frozen=True, slots=True)
class Bars:
    """Closed bars of one market, oldest first; read-only views.

    ts: (n,) bar opens, ns. end: (n,) when each bar was complete. values: (7, n) rows open, high, low,
    close (quote per coin), volume (coin), volume_usd, taker_buy (coin); NaN where not published.
    Bars may be missing between two rows (a gap): `gap_before` says so.
    """

    ts: IntArray
    end: IntArray
    values: FloatArray

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def open(self) -> FloatArray:
        return self.values[0]

    @property
    def high(self) -> FloatArray:
        return self.values[1]

    @property
    def low(self) -> FloatArray:
        return self.values[2]

    @property
    def close(self) -> FloatArray:
        return self.values[3]

    @property
    def volume(self) -> FloatArray:
        return self.values[4]

    @property
    def volume_usd(self) -> FloatArray:
        return self.values[5]

    @property
    def taker_buy(self) -> FloatArray:
        return self.values[6]

    def gap_before(self) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """(n,) True where this bar does not start where the one before it ended; first bar: True."""
        gaps = np.ones(len(self.ts), dtype=np.bool_)
        gaps[1:] = self.ts[1:] != self.end[:-1]
        return gaps

    def last_run(self) -> "Bars":
        """The unbroken run of bars up to the newest: what an indicator may look at."""
        breaks = np.flatnonzero(self.gap_before())
        return self.since_row(int(breaks[-1])) if len(breaks) else self

    def since_row(self, row: int) -> "Bars":
        return Bars(self.ts[row:], self.end[row:], self.values[:, row:])

    def since(self, ts: int) -> "Bars":
        """Bars that open at `ts` or later."""
        return self.since_row(int(np.searchsorted(self.ts, ts)))

    def until(self, time: int) -> "Bars":
        """Bars complete at `time` or before."""
        stop = int(np.searchsorted(self.end, time, side="right"))
        return Bars(self.ts[:stop], self.end[:stop], self.values[:, :stop])


EMPTY_BARS = Bars(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((_WIDTH, 0)))


class _Columns:
    """Append-only arrays that double when full; a view handed out earlier never changes."""

    def __init__(self) -> None:
        self._ts = np.empty(256, np.int64)
        self._end = np.empty(256, np.int64)
        self._values = np.empty((_WIDTH, 256))
        self.rows = 0

    def append(self, ts: IntArray, end: IntArray, values: FloatArray) -> None:
        stop = self.rows + len(ts)
        if stop > len(self._ts):
            size = max(stop, 2 * len(self._ts))
            self._ts = _grown(self._ts, size)
            self._end = _grown(self._end, size)
            values_grown = np.empty((_WIDTH, size))
            values_grown[:, : self.rows] = self._values[:, : self.rows]
            self._values = values_grown
        self._ts[self.rows : stop] = ts
        self._end[self.rows : stop] = end
        self._values[:, self.rows : stop] = values
        self.rows = stop

    def last_end(self) -> int:
        return int(self._end[self.rows - 1]) if self.rows else 0

    def view(self) -> Bars:
        views = (self._ts[: self.rows], self._end[: self.rows], self._values[:, : self.rows])
        for view in views:
            view.flags.writeable = False
        return Bars(*views)


def _grown(array: IntArray, size: int) -> IntArray:
    larger = np.empty(size, array.dtype)
    larger[: len(array)] = array
    return larger


@kernel
def _aggregate(  # noqa: PLR0913, PLR0917 - a kernel takes its arrays one by one
    state: FloatArray,
    start: IntArray,
    period_ns: int,
    ts: IntArray,
    end: IntArray,
    values: FloatArray,
    out_ts: IntArray,
    out_values: FloatArray,
) -> int:
    """Fold bars into closed bars of `period_ns`; a period not fully covered is dropped, never guessed.

    start[0]: open of the running period (−1: none). state[0]: ns covered so far; state[2:]: the bar.
    Returns how many bars were completed.
    """
    done = 0
    for i in range(len(ts)):
        bucket = ts[i] - ts[i] % period_ns
        if end[i] > bucket + period_ns:
            continue  # coarser than the period
        if bucket != start[0]:
            start[0] = bucket
            state[0] = 0.0
            state[2] = values[0, i]
            state[3] = values[1, i]
            state[4] = values[2, i]
            state[6:9] = 0.0
        state[0] += end[i] - ts[i]
        state[3] = max(state[3], values[1, i])
        state[4] = min(state[4], values[2, i])
        state[5] = values[3, i]
        for j in range(4, 7):
            state[2 + j] += values[j, i]  # NaN stays NaN: part of a volume is not the volume
        if state[0] == period_ns:
            out_ts[done] = bucket
            out_values[:, done] = state[2:9]
            done += 1
            start[0] = -1
    return done


class _Aggregate:
    """Bars of one period, built as finer ones arrive."""

    def __init__(self, period_ns: int) -> None:
        self.period_ns = period_ns
        self.columns = _Columns()
        self._state = np.zeros(_STATE_WIDTH)
        self._start = np.full(1, -1, np.int64)

    def add(self, ts: IntArray, end: IntArray, values: FloatArray) -> None:
        room = len(ts)
        out_ts = np.empty(room, np.int64)
        out_values = np.empty((_WIDTH, room))
        done = _aggregate(
            self._state, self._start, self.period_ns, ts, end, values, out_ts, out_values
        )
        if done:
            closed = out_ts[:done]
            self.columns.append(closed, closed + self.period_ns, out_values[:, :done])


class BarSeries:
    """All bars of one market: as they came, and as hours, four hours and UTC days."""

    def __init__(self) -> None:
        self._base = _Columns()
        self._hours = _Aggregate(HOUR_NS)
        self._four_hours = _Aggregate(4 * HOUR_NS)
        self._days = _Aggregate(DAY_NS)

    def add(self, batch: Batch) -> None:
        """Take closed bars, newer than all before; intervals may change from batch to batch."""
        ts = batch.ints("ts")
        end = ts + batch.interval_ns
        if len(ts) == 0:
            return
        if ts[0] < self._base.last_end() or np.any(np.diff(ts) < batch.interval_ns):
            raise ValueError(f"{batch.venue}:{batch.symbol} {batch.kind}: bars overlap or go back")
        values = np.stack([batch.floats(name) for name in PRICE_FIELDS])
        self._base.append(ts, end, values)
        for aggregate in (self._hours, self._four_hours, self._days):
            aggregate.add(ts, end, values)

    @property
    def base(self) -> Bars:
        return self._base.view()

    @property
    def hours(self) -> Bars:
        return self._hours.columns.view()

    @property
    def four_hours(self) -> Bars:
        return self._four_hours.columns.view()

    @property
    def days(self) -> Bars:
        return self._days.columns.view()
