"""How spot and perpetual of one operator move together at each lag, trade by trade, in blocks of five minutes."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from airpocket.domain.events import Batch, FloatArray, IntArray
from airpocket.domain.instruments import Instrument
from airpocket.domain.kernel import kernel
from airpocket.domain.units import MINUTE_NS
from airpocket.domain.wire import Trade
from airpocket.market.live import rows
from airpocket.market.live.minute import Tape

BLOCK_NS = 5 * MINUTE_NS
_STEPS_MS = (10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000)
LAGS_MS = np.array([*(-step for step in reversed(_STEPS_MS)), 0, *_STEPS_MS], dtype=np.int64)
# Their spot and perpetual engines stamp trades by the same operator's clock; between operators, clocks
# may differ by more than a lead lasts.
_ONE_CLOCK = ("binance", "bybit", "okx")
_MOST = 400_000  # trades of one market and block: a thousand a second


@dataclass(frozen=True, slots=True)
class Together:
    """One block: covariance (lags,) and both variances, in squared log returns; moves: steps of each path."""

    covariance: FloatArray
    variance: float
    variance_against: float
    moves: int
    moves_against: int


@kernel
def lagged_sums(
    x_times: IntArray, x_values: FloatArray, y_times: IntArray, y_values: FloatArray, lags: IntArray,
    out: FloatArray,
) -> None:  # fmt: skip
    """out[k] = Σ Δx_i Δy_j over the pairs whose intervals overlap once y's times are moved back by lags[k].

    times: (n,), (m,) int64, strictly rising; lags: (k,) in the same unit. x ahead of y by L: largest at L.
    Hoffmann, Rosenbaum and Yoshida, Bernoulli 19(2), 2013, after Hayashi and Yoshida 2005. O(k (n + m)).
    """
    n, m = x_times.shape[0], y_times.shape[0]
    for k in range(lags.shape[0]):
        lag, total = lags[k], 0.0
        first, after = 0, 0  # y intervals first … after − 1 overlap the x interval
        for i in range(n - 1):
            while first < m - 1 and y_times[first + 1] - lag <= x_times[i]:
                first += 1
            after = max(after, first)
            while after < m - 1 and y_times[after] - lag < x_times[i + 1]:
                after += 1
            total += (x_values[i + 1] - x_values[i]) * (y_values[after] - y_values[first])
        out[k] = total


def together(x: "Path", y: "Path", start: int, end: int) -> Together | None:
    """The two paths within [start, end); None where one of them hardly moved.

    x is cut at both ends by the longest lag, so that at every lag the same steps of x meet all of y.
    """
    edge = int(LAGS_MS[-1]) * 1_000_000
    x_times, x_values = x.within(start + edge, end - edge)
    y_times, y_values = y.within(start, end)
    if len(x_times) < 2 or len(y_times) < 2:
        return None
    covariance = np.zeros(len(LAGS_MS))
    lagged_sums(x_times, x_values, y_times, y_values, LAGS_MS * 1_000_000, covariance)
    inner = (y_times >= start + edge) & (y_times < end - edge)
    steps_x, steps_y = np.diff(x_values), np.diff(y_values[inner])
    variance, against = float(np.sum(steps_x**2)), float(np.sum(steps_y**2))
    if variance <= 0.0 or against <= 0.0:
        return None
    return Together(
        covariance,
        variance,
        against,
        int(np.count_nonzero(steps_x)),
        int(np.count_nonzero(steps_y)),
    )


@dataclass(slots=True)
class Path:
    """The trades of one market since the running block began, by the venue's own time."""

    _trades: deque[tuple[int, float]] = field(
        default_factory=lambda: deque[tuple[int, float]](maxlen=_MOST)
    )

    def trade(self, trade: Trade) -> None:
        """Add one print."""
        self._trades.append((trade.ts, trade.price))

    def within(self, start: int, end: int) -> tuple[IntArray, FloatArray]:
        """Times (n,) strictly rising and log prices: the last print of each moment."""
        kept = [(ts, price) for ts, price in self._trades if start <= ts < end]
        if not kept:
            return np.empty(0, np.int64), np.empty(0)
        times = np.array([ts for ts, _ in kept], dtype=np.int64)
        values = np.log(np.array([price for _, price in kept]))
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
        last = np.append(np.diff(times) > 0, True)
        return times[last], values[last]

    def forget(self, before: int) -> None:
        """Let go of what lies before `before`; prints come nearly in order, so the front is enough."""
        while self._trades and self._trades[0][0] < before:
            self._trades.popleft()

    @property
    def full(self) -> bool:
        """Whether older prints of the block may have been lost."""
        return len(self._trades) == _MOST


@dataclass(slots=True)
class Leads:
    """Owner of the paths of one asset's markets; gives the blocks of every pair of one operator."""

    _watched: dict[tuple[str, str], tuple[Instrument, Path, Tape]] = field(
        default_factory=dict[tuple[str, str], tuple[Instrument, Path, Tape]]
    )

    def watch(self, contract: Instrument, tape: Tape) -> None:
        """Follow a market from now on, if spot and perpetual of its operator keep one clock."""
        if _operator(contract) in _ONE_CLOCK and contract.kind in ("spot", "linear"):
            self._watched[contract.venue, contract.symbol] = (contract, Path(), tape)

    def trade(self, trade: Trade) -> None:
        """Take one print."""
        watched = self._watched.get((trade.venue, trade.symbol))
        if watched is not None:
            watched[1].trade(trade)

    def close(self, minute: int, heard: int) -> list[Batch]:
        """The blocks that ended at `minute`, if one did: only pairs whose tapes were both heard throughout."""
        if minute % BLOCK_NS:
            return []
        start = minute - BLOCK_NS
        whole = [
            (contract, path) for _, (contract, path, tape) in sorted(self._watched.items())
            if tape.heard_by and tape.since <= start and not path.full
        ]  # fmt: skip
        found: list[Batch] = []
        for spot, x in whole:
            ready: list[dict[str, Any]] = []
            for perp, y in whole if spot.kind == "spot" else []:
                if perp.kind == "linear" and _operator(perp) == _operator(spot):
                    block = together(x, y, start, minute)
                    if block is not None:
                        ready += _rows(block, perp.key, start, heard)
            if ready:
                found.append(rows.batch("lead_lag_5m", spot.venue, spot.symbol, ready))
        for _, path, _ in self._watched.values():
            path.forget(minute)
        return found


def _operator(contract: Instrument) -> str:
    return contract.venue.split("_", maxsplit=1)[0]


def _rows(found: Together, against: str, start: int, usable_from: int) -> list[dict[str, Any]]:
    return [
        {
            "ts": start, "usable_from": usable_from, "against": against, "lag_ms": float(lag),
            "covariance": float(value), "variance": found.variance,
            "variance_against": found.variance_against, "moves": found.moves,
            "moves_against": found.moves_against,
        }
        for lag, value in zip(LAGS_MS, found.covariance, strict=True)
    ]  # fmt: skip
