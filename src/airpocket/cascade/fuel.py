"""The static scan for very many scenarios at once: what a Monte Carlo screening runs on."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel

_TILE = 32  # levels judged by one bound; near the root of the usual 300 to 2,048 levels


@dataclass(frozen=True, slots=True)
class Ladder:
    """Cumulative arrays by level outward from the price, USD, none of them falling.

    distance: (B,) fractions. visible: (B,) what rests. latent: (B,) what would come to rest in time.
    forced: (M, B) forced flow, one row for each draw of the map.
    """

    distance: FloatArray
    visible: FloatArray
    latent: FloatArray
    forced: FloatArray

    def __post_init__(self) -> None:
        for name in ("distance", "visible", "latent", "forced"):
            array = getattr(self, name)
            if array.shape[-1] != len(self.distance) or len(self.distance) == 0:
                raise ValueError(f"{name} has {array.shape[-1]} levels, not {len(self.distance)}")
            if not np.isfinite(array).all() or (array < 0).any() or (np.diff(array) < 0).any():
                raise ValueError(f"{name} must be finite, zero or more, and never fall")


@dataclass(frozen=True, slots=True)
class Scenarios:
    """N scenarios, arrays (N,). Absorbed by a level: depth × visible + refill × latent; forced: fuel × forced.

    push: USD. draw: which row of forced. Multipliers are zero or more: with none negative everything
    stays cumulative, on which the kernel's shortcut rests.
    """

    push: FloatArray
    depth: FloatArray
    refill: FloatArray
    fuel: FloatArray
    draw: IntArray

    def __post_init__(self) -> None:
        for name in ("push", "depth", "refill", "fuel", "draw"):
            array = getattr(self, name)
            if len(array) != len(self.push) or not np.isfinite(array).all() or (array < 0).any():
                raise ValueError(f"{name} must be {len(self.push)} finite numbers, none negative")


class Screened(NamedTuple):
    """Arrays (N,). stop: level index, the last where it did not stop. stopped: inside the ladder.

    reached: distance, inside the last step by straight lines. absorbed: USD traded on the way there.
    """

    stop: IntArray
    stopped: NDArray[np.bool_]
    reached: FloatArray
    absorbed: FloatArray


def screen(ladder: Ladder, scenarios: Scenarios) -> Screened:
    """Stop of every scenario: first level with push + fuel·forced ≤ depth·visible + refill·latent.

    64-bit floats, so the index is the one `static_scan` gives. O(N·B) at worst, nothing of that size
    is stored; as all arrays are cumulative, one comparison rules out a tile of levels at a time, and
    rounding keeps the order, so no stop is missed.

    Raises:
        ValueError: a draw that the ladder does not have.
    """
    n = len(scenarios.push)
    forced = np.atleast_2d(ladder.forced)
    _check_draws(ladder, scenarios)
    stop, reached, absorbed = np.empty(n, np.int64), np.empty(n), np.empty(n)
    order = np.stack([scenarios.push, scenarios.depth, scenarios.refill, scenarios.fuel])
    levels = np.stack([ladder.distance, ladder.visible, ladder.latent])
    _screen(levels, forced, order, scenarios.draw, (stop, reached, absorbed))
    last = len(ladder.distance) - 1
    stopped = stop <= last
    return Screened(np.minimum(stop, last), stopped, reached, absorbed)


def ignition_at(ladder: Ladder, scenarios: Scenarios, rows: IntArray) -> FloatArray:
    """(N, K) what a push must exceed to trade beyond the levels `rows` (K,), rising; pushes are not read.

    Raises:
        ValueError: a draw or a level that the ladder does not have, or rows that do not rise.
    """
    if len(rows) and (rows[0] < 0 or rows[-1] >= len(ladder.distance) or (np.diff(rows) < 0).any()):
        raise ValueError(f"levels {rows.tolist()} of {len(ladder.distance)}")
    _check_draws(ladder, scenarios)
    out = np.empty((len(scenarios.draw), len(rows)))
    multipliers = np.stack([scenarios.depth, scenarios.refill, scenarios.fuel])
    forced = np.atleast_2d(ladder.forced)
    _ignition_at((ladder.visible, ladder.latent), forced, multipliers, scenarios.draw, rows, out)
    return out


def _check_draws(ladder: Ladder, scenarios: Scenarios) -> None:
    draws = len(np.atleast_2d(ladder.forced))
    if len(scenarios.draw) and int(scenarios.draw.max()) >= draws:
        raise ValueError(f"draw {int(scenarios.draw.max())} of {draws}")


@kernel
def _ignition_at(
    absorbs: tuple[FloatArray, FloatArray],
    forced: FloatArray,
    multipliers: FloatArray,
    draw: IntArray,
    rows: IntArray,
    out: FloatArray,
) -> None:
    """absorbs: visible, latent. multipliers: rows depth, refill, fuel. Fills `out` (N, K)."""
    visible, latent = absorbs
    for n in range(len(draw)):
        depth, refill, fuel = multipliers[0, n], multipliers[1, n], multipliers[2, n]
        fuels = forced[draw[n]]
        highest = -np.inf
        i = 0
        for k in range(len(rows)):
            while i <= rows[k]:
                highest = max(highest, depth * visible[i] + refill * latent[i] - fuel * fuels[i])
                i += 1
            out[n, k] = highest


@kernel
def _screen(
    levels: FloatArray,
    forced: FloatArray,
    scenarios: FloatArray,
    draw: IntArray,
    out: tuple[IntArray, FloatArray, FloatArray],
) -> None:
    """levels: rows distance, visible, latent. scenarios: rows push, depth, refill, fuel. Fills `out`.

    The tank at a level is what must still be absorbed: it stops where the tank is empty. Within a tile
    it is never below forced at the tile's start less absorbed at its end.
    """
    stop, reached, absorbed = out
    distance, visible, latent = levels[0], levels[1], levels[2]
    size = len(distance)
    for n in range(len(draw)):
        push, depth, refill, fuel = (
            scenarios[0, n],
            scenarios[1, n],
            scenarios[2, n],
            scenarios[3, n],
        )
        fuels = forced[draw[n]]
        found = size
        for start in range(0, size, _TILE):
            end = min(start + _TILE, size)
            if push + fuel * fuels[start] > depth * visible[end - 1] + refill * latent[end - 1]:
                continue
            hold = 0  # counted without a way out of the loop, which compiles to vector code
            f, v, w = fuels[start:end], visible[start:end], latent[start:end]
            for k in range(len(f)):
                hold += push + fuel * f[k] <= depth * v[k] + refill * w[k]
            if hold == 0:
                continue
            found = start
            while push + fuel * fuels[found] > depth * visible[found] + refill * latent[found]:
                found += 1
            break
        stop[n] = found
        i = min(found, size - 1)
        reached[n] = distance[i]
        absorbed[n] = depth * visible[i] + refill * latent[i]
        if 0 < found < size:
            tank = push + fuel * fuels[i] - absorbed[n]
            before = push + fuel * fuels[i - 1] - depth * visible[i - 1] - refill * latent[i - 1]
            share = before / (before - tank)
            reached[n] = distance[i - 1] + share * (distance[i] - distance[i - 1])
            absorbed[n] = push + fuel * (fuels[i - 1] + share * (fuels[i] - fuels[i - 1]))
        elif found == 0:
            absorbed[n] = push + fuel * fuels[0]
