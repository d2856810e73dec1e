"""The static fuel scan: exactly where a push stops when every level it crosses adds forced flow to it."""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpocket.domain.events import FloatArray, IntArray

_ROUNDING = 8 * float(np.finfo(np.float64).eps)


class StaticScan(NamedTuple):
    """stop_index, stopped: (P,) by push. net_absorb, ignition_cost: (B,) by level, in the input's money."""

    stop_index: IntArray
    stopped: NDArray[np.bool_]
    net_absorb: FloatArray
    ignition_cost: FloatArray


class Jump(NamedTuple):
    """A push just above `push` leaves level `start` and stops at level `stop`; None: beyond the grid."""

    push: float
    start: int
    stop: int | None


def static_scan(absorb: FloatArray, forced: FloatArray, push: FloatArray) -> StaticScan:
    """Where each push stops: the first level with push + forced ≤ absorb; else the last, not stopped.

    absorb, forced: (B,) cumulative by level outward from the price, in one currency; push: (P,). The
    cost of passing a level is the running maximum of absorb − forced up to it, so all pushes are
    answered by one sorted search; the few within rounding of a tie are decided by the definition.

    Raises:
        ValueError: lengths differ, a number is negative or not finite, or a cumulative array falls.
    """
    _check(absorb, forced, push)
    net = absorb - forced
    cost: FloatArray = np.maximum.accumulate(net)
    slack: FloatArray = _ROUNDING * (absorb[-1] + forced[-1] + push)
    first: IntArray = np.asarray(
        np.searchsorted(cost, push - slack)
    )  # it can't stop before this level
    stop: IntArray = np.asarray(np.searchsorted(cost, push + slack))  # by this level it has
    for j in np.flatnonzero(first != stop):
        near = slice(first[j], stop[j])
        holds = np.flatnonzero(push[j] + forced[near] <= absorb[near])
        if len(holds):
            stop[j] = first[j] + holds[0]
    stopped: NDArray[np.bool_] = stop < len(absorb)
    return StaticScan(np.minimum(stop, len(absorb) - 1), stopped, net, cost)


def jumps(net_absorb: FloatArray) -> list[Jump]:
    """Every stretch a growing push leaps over: between record highs of absorb − forced that are not neighbours.

    Neighbouring records are ordinary walking. The last jump, past the highest record, has no end
    inside the grid; it is left out when that record is the last level itself.
    """
    before = np.concatenate([[-np.inf], np.maximum.accumulate(net_absorb)[:-1]])
    records = np.flatnonzero(net_absorb > before)
    found = [
        Jump(float(net_absorb[a]), a, b)
        for a, b in itertools.pairwise(records.tolist())
        if b > a + 1
    ]
    if records[-1] < len(net_absorb) - 1:
        found.append(Jump(float(net_absorb[records[-1]]), int(records[-1]), None))
    return found


def _check(absorb: FloatArray, forced: FloatArray, push: FloatArray) -> None:
    if len(absorb) == 0 or len(absorb) != len(forced):
        raise ValueError(f"{len(absorb)} levels absorb but {len(forced)} have forced flow")
    for name, array in (("absorb", absorb), ("forced", forced), ("push", push)):
        if not np.isfinite(array).all() or (array < 0).any():
            raise ValueError(f"{name} holds a number that is negative or not finite")
    for name, array in (("absorb", absorb), ("forced", forced)):
        if (np.diff(array) < 0).any():
            raise ValueError(f"{name} is cumulative and can't fall")
