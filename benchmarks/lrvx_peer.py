"""The nearest open cascade engine, lrvx (MIT): one mark shock through 2,000 positions and a 600-level book.

Optional, `pip install lrvx`. It is deterministic: a scenario is one shock, and as it eats positions and book, each
scenario builds both again, as a Monte Carlo on it would have to. It runs in a process of its own (`python -m
benchmarks.lrvx_peer`), as it does not load beside a compiled kernel everywhere.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from airpocket.cascade.fuel import Ladder, Scenarios
    from airpocket.cascade.paths import Ground

PUBLISHED = (
    "233 single-shock scenarios a second on one thread, lrvx 0.11, 2,000 positions, 600 levels"
)
_POSITIONS, _LEVELS, _PRICE, _COIN_A_LEVEL = 2_000, 300, 3_000.0, 5.0
_SHOCK, _MAINTENANCE, _BUCKETS, _REACH = 1.02, 0.005, 2_048, 0.2


class Shorts(NamedTuple):
    """Positions that both engines hold, arrays (n,): coin, entry price, leverage."""

    coin: np.ndarray
    entry: np.ndarray
    leverage: np.ndarray


def shorts() -> Shorts:
    """2,000 of Pareto size, most of them of high leverage."""
    rng = np.random.default_rng(1)
    leverage = rng.choice([5.0, 10.0, 20.0, 50.0, 100.0], _POSITIONS, p=[0.2, 0.25, 0.3, 0.15, 0.1])
    return Shorts(
        rng.pareto(1.5, _POSITIONS) + 0.5, _PRICE * (1.0 + rng.uniform(-0.005, 0.01, _POSITIONS)), leverage
    )  # fmt: skip


def ground_of(held: Shorts) -> "Ground":
    """The same shorts and the same book as a ladder and a density, log-price from the start."""
    from airpocket.cascade.paths import Ground

    edges = np.linspace(-_REACH, _REACH, _BUCKETS + 1)
    out = np.log(held.entry * (1.0 + 1.0 / held.leverage) / (1.0 + _MAINTENANCE) / _PRICE)
    usd = held.coin * _PRICE * np.exp(out)
    row = np.array(
        [usd[(out > 0.0) & (out <= edge)].sum() if edge > 0.0 else 0.0 for edge in edges]
    )
    depth = np.full(_BUCKETS, _COIN_A_LEVEL * _PRICE * _PRICE)  # a level a dollar
    return Ground(edges, row[None, :], depth)


def ladder_of(held: Shorts, scenarios: int) -> "tuple[Ladder, Scenarios]":
    """The same again for the scan of single shocks: pushes of every size up to half of what the book holds."""
    from airpocket.cascade.fuel import Ladder, Scenarios

    ground = ground_of(held)
    above = ground.edges >= 0.0
    away = ground.edges[above]
    resting, ones = ground.usd_per_log[0] * away, np.ones(scenarios)
    return Ladder(np.expm1(away), resting, 0.0 * away, ground.forced_usd[:, above]), Scenarios(
        push=np.linspace(0.0, 0.5 * float(resting[-1]), scenarios), depth=ones, refill=0.0 * ones, fuel=ones,
        draw=np.zeros(scenarios, np.int64),
    )  # fmt: skip


def seconds_a_scenario() -> tuple[float, int] | None:
    """Median processor seconds of a scenario and how many it liquidates; None where lrvx is not installed."""
    if find_spec("lrvx") is None:
        return None
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.lrvx_peer"], check=True, capture_output=True
    )
    took, liquidated = json.loads(told.stdout)
    return float(took), int(liquidated)


def _scenario(held: Shorts) -> Callable[[], int]:
    """One shock from nothing; liquidations."""
    engine: Any = import_module("lrvx")
    rows = list(zip(held.coin.tolist(), held.entry.tolist(), held.leverage.tolist(), strict=True))
    asks = [(_PRICE + 0.5 + k, _COIN_A_LEVEL) for k in range(_LEVELS)]
    bids = [(_PRICE - 0.5 - k, _COIN_A_LEVEL) for k in range(_LEVELS)]

    def shocked() -> int:
        venue, book = engine.LiquidationEngine.binance_um_futures(), engine.SimulatedExecutor()
        book.on_book_snapshot(1, bids, asks)
        venue.set_executor(book)
        venue.set_mark_impact_model("book_only")
        venue.set_insurance_fund_capital(1e7)
        for k, (coin, entry, leverage) in enumerate(rows):
            venue.open_position(k + 1, 1, -coin, entry, coin * entry / leverage, 1.0, False)
        return int(venue.on_mark(1, _PRICE * _SHOCK)["liquidations_count"])

    return shocked


def main() -> None:
    """Times 50 scenarios after five and prints [median seconds, liquidations]."""
    shocked = _scenario(shorts())
    liquidated, took = 0, list[float]()
    for k in range(55):
        start = time.process_time()
        liquidated = shocked()
        if k >= 5:
            took.append(time.process_time() - start)
    print(json.dumps([statistics.median(took), liquidated]))


if __name__ == "__main__":
    main()
