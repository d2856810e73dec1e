"""Grounds and deals for tests of paths: even ones, on which everything is known."""

import numpy as np

from airpocket.cascade.paths import Deal, Ground

ALPHA = 3e9  # USD a unit of log-price


def even(reproduction, *, reach=0.5, buckets=1_000, alpha=ALPHA):
    """R times as much forced as rests, everywhere."""
    edges = np.linspace(-reach, reach, buckets + 1)
    return Ground(edges, np.abs(edges)[None, :] * reproduction * alpha, np.full(buckets, alpha))


def deal(count, **changed):
    """Paths all alike but for what is changed; no noise, no push, nothing lasting."""
    usual = {"volatility": 0.0, "fuel": 1.0, "stops": 0.0, "booked": 1.0, "latency_s": 6.0, "recovery_s": 60.0,
             "depth": 1.0, "lasts": 0.0, "push_usd": 0.0, "jump": 0.0, "reach": np.inf, "passed": 1.0,
             "mark_lag_s": 30.0, "fund_usd": np.inf}  # fmt: skip
    arrays = {
        name: np.broadcast_to(np.asarray(changed.get(name, value), float), (count,)).copy()
        for name, value in usual.items()
    }
    return Deal(**arrays, draw=np.broadcast_to(changed.get("draw", 0), (count,)).astype(np.int64))
