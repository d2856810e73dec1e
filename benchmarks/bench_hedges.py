"""Hedges on one core: a programme of 400 columns and 7,000 rows, and a thousand options over a grid."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from airpocket.market.options.normal import ROOT_2PI, SERIES
from airpocket.market.options.revalue import value_grid
from airpocket.playbook.hedging.programme import Optimum, Programme, solve
from benchmarks.harness import Figure, against

_OPTIONS, _MOVES, _VOLS = 1_000, 41, 21
_COLUMNS, _ROWS = 400, 7_000


def figures() -> Iterator[Figure]:
    """The programme by row generation and with every row at once, then the grid against the textbook in NumPy."""
    made = _programme()
    every = Programme(
        made.cost, made.rows, made.at_least, made.upper, core=np.ones(_ROWS, dtype=np.bool_)
    )
    few, all_ = solve(made), solve(every)
    assert isinstance(few, Optimum)
    assert isinstance(all_, Optimum)
    assert abs(few.cost - all_.cost) < 1e-6 * abs(all_.cost)
    yield against(
        f"hedge programme {_COLUMNS} x {_ROWS:,}", lambda: solve(made), "HiGHS with every row",
        lambda: solve(every), per=1, unit="s", repeats=3,
    )  # fmt: skip
    yield from _grids()


def _programme() -> Programme:
    """Calls bought and sold against a short, worth in 7,000 rows what Black-76 gives; defined risk by its rows."""
    rng = np.random.default_rng(2)
    n = _COLUMNS // 2
    strike, years = rng.uniform(1_600.0, 3_400.0, n), rng.uniform(0.02, 0.3, n)
    vol = rng.uniform(0.55, 0.9, n)
    moves, shifts = np.linspace(0.7, 1.4, 1_000), np.linspace(0.75, 1.45, 7)
    call, forward = np.ones(n, dtype=np.bool_), np.full(n, 2_000.0)
    now = value_grid(call, forward, strike, years, np.ones(1), vol[:, None])[:, 0, 0]
    worth = value_grid(call, forward, strike, years, moves, vol[:, None] * shifts)
    worth = worth.reshape(n, -1).T
    ask, bid = 1.02 * now + 0.6, np.maximum(0.98 * now - 0.6, 0.0)
    price = 2_000.0 * np.repeat(moves, len(shifts))
    equity = 120_000.0 - 500.0 * (price - 2_000.0)
    rows = np.hstack([worth - ask, bid - worth])
    return Programme(
        np.concatenate([ask, -bid + 0.05]), rows, 2.0 * 0.0065 * 500.0 * price - equity,
        np.concatenate([np.full(n, 1_500.0), np.full(n, 100.0)]),
    )  # fmt: skip


def _grids() -> Iterator[Figure]:
    rng = np.random.default_rng(1)
    forward = np.full(_OPTIONS, 3_000.0)
    strike, years = (
        forward * np.exp(rng.normal(0.0, 0.3, _OPTIONS)),
        rng.uniform(0.003, 1.0, _OPTIONS),
    )
    call, vol = strike >= forward, rng.uniform(0.3, 1.5, _OPTIONS)
    moves, vols = np.linspace(0.7, 1.4, _MOVES), vol[:, None] * np.linspace(0.5, 2.0, _VOLS)
    mine = value_grid(call, forward, strike, years, moves, vols)

    def ours() -> object:
        return value_grid(call, forward, strike, years, moves, vols)

    peers: list[tuple[str, Any]] = [("NumPy, the same series", _normal)]
    try:
        peers.append(("NumPy and SciPy", import_module("scipy.special").ndtr))
    except ImportError:
        print("skipped: SciPy is not installed (pip install scipy)")
    for name, normal in peers:

        def theirs(normal: Any = normal) -> Any:
            f, k = (forward[:, None] * moves)[:, :, None], strike[:, None, None]
            root = vols[:, None, :] * np.sqrt(years)[:, None, None]
            d1 = np.log(f / k) / root + 0.5 * root
            n1, n2 = normal(d1), normal(d1 - root)
            return np.where(call[:, None, None], f * n1 - k * n2, k * (1.0 - n2) - f * (1.0 - n1))

        assert np.allclose(theirs(), mine, atol=1e-8)
        yield against(
            f"grid {_OPTIONS:,} x {_MOVES} x {_VOLS}, a cell", ours, name, theirs, per=mine.size, repeats=5
        )  # fmt: skip


def _normal(x: Any) -> Any:
    scale = 1.0 / (np.abs(x) + 4.0)
    series = np.polyval(SERIES[::-1], (np.abs(x) - 4.0) * scale) * scale
    tail = np.exp(-0.5 * x * x) / ROOT_2PI * series
    return np.where(x > 0.0, 1.0 - tail, tail)
