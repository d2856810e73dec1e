"""Chance by counting: the n-th draw of a stream is a hash of (key, n), the same bits on every machine."""

import math
from typing import Any, TypeAlias

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.kernel import kernel
from airpocket.lab.exchange.state import CELLS

Actor: TypeAlias = Any  # one record of state.ACTOR: key (u64) and count (i64) are used here

# splitmix64 (Steele, Lea & Flood 2014)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_MASK = (1 << 64) - 1


EXPONENTIAL, NORMAL, STUDENT, SIZES = range(4)


@kernel
def hashed(key: np.uint64, count: int) -> float:
    """Uniform on [0, 1), 53 bits: draw number `count` of the stream `key`."""
    z = key + np.uint64(count) * _STEP
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    z = z ^ (z >> _S31)
    return float(z >> _S11) * (1.0 / 9007199254740992.0)


@kernel
def uniform(actor: Actor) -> float:
    """The actor's next draw, uniform on [0, 1)."""
    actor.count += 1
    return hashed(actor.key, actor.count)


@kernel
def quantile(table: FloatArray, u: float) -> float:
    """table: (CELLS + 1,) a distribution at u = 0, 1/CELLS, …, 1; straight between."""
    at = u * CELLS
    cell = int(at)
    return table[cell] + (at - cell) * (table[cell + 1] - table[cell])


@kernel
def drawn(actor: Actor, tables: FloatArray, row: int) -> float:
    """The actor's next draw from one of the tabled distributions."""
    return quantile(tables[row], uniform(actor))


def stream_key(seed: int, *parts: int) -> int:
    """The key of one stream: the same hash, folded over the seed and the parts."""
    key = seed & _MASK
    for part in parts:
        key = _mixed((key ^ _mixed((part + 1) & _MASK)) + int(_STEP))
    return key


def other_key(chance: int) -> int:
    """What every key is changed by (exclusive or) for other draws; nothing for 0."""
    return chance * int(_STEP) & _MASK


def _mixed(z: int) -> int:
    z &= _MASK
    z = ((z ^ (z >> 30)) * int(_MIX_1)) & _MASK
    z = ((z ^ (z >> 27)) * int(_MIX_2)) & _MASK
    return z ^ (z >> 31)


def quantile_tables(size_tail: float) -> FloatArray:
    """(4, CELLS + 1): exponential, normal, Student t (5 degrees, unit variance) and Pareto sizes, mean 1.

    Each is cut at its 1/(2 CELLS) tails and rounded to 12 digits, so that no platform's logarithm shows.
    size_tail: the Pareto exponent of order sizes, above 1.
    """
    edge = 1.0 / (2.0 * CELLS)
    points = [min(max(k / CELLS, edge), 1.0 - edge) for k in range(CELLS + 1)]
    pareto = [(1.0 - u) ** (-1.0 / size_tail) for u in points]
    pareto[0] = 1.0
    mean = math.fsum(pareto[1:-1]) / CELLS + (pareto[0] + pareto[-1]) / (2.0 * CELLS)
    rows = [
        [0.0, *(-math.log(1.0 - u) for u in points[1:])],
        [_normal_quantile(u) for u in points],
        [_student_quantile(u) for u in points],
        [size / mean for size in pareto],
    ]
    return np.array([[float(f"{value:.12e}") for value in row] for row in rows])


def _normal_quantile(u: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(u)


def _student_quantile(u: float) -> float:
    """By bisection of the closed distribution function for 5 degrees of freedom."""
    low, high = -60.0, 60.0
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _student_below(middle) < u else (low, middle)
    return low / math.sqrt(5.0 / 3.0)


def _student_below(t: float) -> float:
    x = t / math.sqrt(5.0)
    share = 1.0 / (1.0 + x * x)
    return 0.5 + (x * share * (1.0 + 2.0 / 3.0 * share) + math.atan(x)) / math.pi
