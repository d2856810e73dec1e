"""Made markets for tests: random walks as batches, with gaps where asked."""

import numpy as np

from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS, SECOND_NS, parse_time

START = parse_time("2025-01-06T00:00Z")  # a Monday


def bars(
    n,
    *,
    seed=0,
    start=START,
    step=HOUR_NS,
    drop=(),
    venue="binance_usdm",
    symbol="ETHUSDT",
    price=3000.0,
):
    """n bars of a random walk, without the rows in `drop`."""
    rng = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(rng.standard_t(4, n) * 0.004))
    opened = np.concatenate([[price], close[:-1]])
    high = np.maximum(opened, close) * (1 + rng.uniform(0, 0.002, n))
    low = np.minimum(opened, close) * (1 - rng.uniform(0, 0.002, n))
    volume = rng.gamma(2.0, 500.0, n)
    ts = start + step * np.arange(n, dtype=np.int64)
    keep = np.setdiff1d(np.arange(n), np.array(drop, dtype=int))
    columns = {
        "ts": ts, "usable_from": ts + step, "open": opened, "high": high, "low": low, "close": close,
        "volume": volume, "volume_usd": volume * close, "taker_buy": volume * rng.uniform(0.3, 0.7, n),
    }  # fmt: skip
    kind = {HOUR_NS: "bar_1h", HOUR_NS // 4: "bar_15m", HOUR_NS // 60: "bar_1m"}[step]
    return Batch(kind, venue, symbol, {k: v[keep] for k, v in columns.items()}, ("made",))


def funding(n, *, seed=1, start=START, hours=8, venue="binance_usdm", symbol="ETHUSDT"):
    """n settlements around the usual 0.01 % per 8 h."""
    rng = np.random.default_rng(seed)
    ts = start + hours * HOUR_NS * np.arange(1, n + 1, dtype=np.int64)
    columns = {
        "ts": ts, "usable_from": ts, "rate": (1e-4 + 5e-5 * rng.standard_normal(n)) * hours / 8,
        "interval_s": np.full(n, hours * 3600, np.int64),
    }  # fmt: skip
    return Batch("funding", venue, symbol, columns, ("made",))


def interest(
    n, *, seed=2, start=START, venue="binance_usdm", symbol="ETHUSDT", unit="coin", scale=1.0
):
    """n hourly open-interest observations."""
    rng = np.random.default_rng(seed)
    ts = start + HOUR_NS * np.arange(1, n + 1, dtype=np.int64)
    columns = {
        "ts": ts, "usable_from": ts, "amount": scale * 1e6 * np.exp(np.cumsum(0.003 * rng.standard_normal(n))),
        "unit": np.full(n, unit), "averaged_s": np.zeros(n, np.int64),
    }  # fmt: skip
    return Batch("open_interest", venue, symbol, columns, ("made",))


def cut(batch, now):
    """The rows usable at `now`."""
    keep = batch.ints("usable_from") <= now
    return Batch(
        batch.kind,
        batch.venue,
        batch.symbol,
        {k: v[keep] for k, v in batch.columns.items()},
        batch.sources,
    )


def seconds(hours):
    """Hours as ns."""
    return int(hours * 3600) * SECOND_NS
