"""The six-indicator bundle against TA-Lib with NumPy, and against wickra's six updates event by event."""

from collections.abc import Iterator

import numpy as np
import talib
import wickra

from airpocket.market.bars import Bars
from airpocket.signals.bundle import Bundle
from benchmarks.harness import Figure, against

_MINUTE_NS = 60_000_000_000
_BARS = 1_000_000
_BATCH = 64


def made(n: int) -> Bars:
    """A random walk of one-minute bars."""
    rng = np.random.default_rng(1)
    close = 3000 * np.exp(np.cumsum(rng.normal(0, 5e-4, n)))
    opened = np.concatenate([[3000.0], close[:-1]])
    high = np.maximum(opened, close) * (1 + np.abs(rng.normal(0, 2e-4, n)))
    low = np.minimum(opened, close) * (1 - np.abs(rng.normal(0, 2e-4, n)))
    volume = rng.gamma(2, 100, n)
    ts = _MINUTE_NS * np.arange(n, dtype=np.int64)
    values = np.stack(
        [opened, high, low, close, volume, volume * close, volume * rng.uniform(0, 1, n)]
    )
    return Bars(ts, ts + _MINUTE_NS, values)


def talib_and_numpy(bars: Bars) -> list[np.ndarray]:
    """The same six columns the usual way."""
    close, high, low, volume = bars.close, bars.high, bars.low, bars.volume
    typical = (high + low + close) / 3
    weighted, total = np.cumsum(typical * volume), np.cumsum(volume)
    vwap = np.full(len(close), np.nan)
    vwap[100:] = (weighted[100:] - weighted[:-100]) / (total[100:] - total[:-100])
    return [
        talib.EMA(close, 20), talib.RSI(close, 14), talib.ATR(high, low, close, 14),
        (close - talib.SMA(close, 100)) / talib.STDDEV(close, 100), vwap,
        np.cumsum(2 * bars.taker_buy - volume),
    ]  # fmt: skip


def wickra_updates(candles: list[tuple[float, float, float, float, float, int]]) -> None:
    """Six indicators of wickra, one update each per bar (OBV stands in for CVD); candles made before."""
    ema, rsi, atr = wickra.EMA(20), wickra.RSI(14), wickra.ATR(14)
    score, vwap, obv = wickra.ZScore(100), wickra.RollingVWAP(100), wickra.OBV()
    for candle in candles:
        close = candle[3]
        ema.update(close)
        rsi.update(close)
        atr.update(candle)
        score.update(close)
        vwap.update(candle)
        obv.update(candle)


def figures() -> Iterator[Figure]:
    """Nanoseconds per bar."""
    bars = made(_BARS)
    yield against(
        "bundle_batch_1m_bars", lambda: Bundle().update(bars), "TA-Lib + NumPy",
        lambda: talib_and_numpy(bars), per=_BARS,
    )  # fmt: skip
    fewer = made(100_000)
    parts = [
        Bars(fewer.ts[a : a + _BATCH], fewer.end[a : a + _BATCH], fewer.values[:, a : a + _BATCH])
        for a in range(0, len(fewer), _BATCH)
    ]

    rows = np.stack([fewer.open, fewer.high, fewer.low, fewer.close, fewer.volume]).T.tolist()
    candles = [(*row, stamp) for stamp, row in enumerate(rows)]

    def fed() -> None:
        bundle = Bundle()
        for part in parts:
            bundle.update(part)

    yield against(
        "bundle_micro_batches_of_64", fed, "wickra, six updates", lambda: wickra_updates(candles),
        per=len(fewer), repeats=5,
    )  # fmt: skip
