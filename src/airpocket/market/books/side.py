"""One side of a book, compiled: levels near the best by position, the rest sorted; whole-number prices.

`near` holds the sizes of a window of neighbouring prices, so that setting a level is one write and no search;
what lies beyond the window, away from the touch, waits in `far`, sorted. The window moves when the best leaves it.
"""

import numpy as np

from airpocket.domain.depth import Floats, Ints
from airpocket.domain.kernel import inlined, kernel

MOST = 1e18  # no price or size is beyond it
_LARGEST_KEY = 4e18
# state: what a side counts, by position
BASE, BEST, WORST, NEAR, FAR = range(5)
STATE = 5
_AHEAD = 4  # the best stands a quarter of the window below its upper end when the window is laid


@inlined
def key_of(price: float, unit: float) -> int:
    """The whole number of units a price is, 0 if it is none.

    A quotient of two whole numbers is correctly rounded: it equals the price only if the price is that decimal.
    """
    wanted = np.rint(price * unit)
    if not -_LARGEST_KEY < wanted < _LARGEST_KEY or wanted / unit != price:
        return 0
    return int(wanted)


@inlined
def find(keys: Ints, count: int, wanted: int) -> int:
    """The first position whose key is not below `wanted`."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def lay(near: Floats, far_key: Ints, far_size: Floats, state: Ints, best_key: int) -> None:
    """Lay the window around a key that is to be the best; every level keeps its size.

    near: (window,). far_key, far_size: (room,), ascending, with room for all levels. state: (STATE,): the key
    of position 0, the position of the best level in the window and one that no level is below (−1 and the
    window's length when it is empty), how many levels are in the window and in `far`.
    """
    far = state[FAR]
    for k in range(state[WORST], state[BEST] + 1):  # all better than what is far
        if near[k] > 0.0:
            far_key[far], far_size[far] = state[BASE] + k, near[k]
            far += 1
            near[k] = 0.0
    base = best_key - (near.size - near.size // _AHEAD)
    state[BASE], state[BEST], state[WORST], state[NEAR] = base, -1, near.size, 0
    while far > 0 and far_key[far - 1] >= base:
        far -= 1
        k = far_key[far] - base
        near[k] = far_size[far]
        state[BEST], state[WORST] = max(state[BEST], k), k
        state[NEAR] += 1
    state[FAR] = far


@kernel
def _put_far(keys: Ints, held: Floats, count: int, wanted: int, size: float) -> int:
    """Set one level beyond the window → levels more there: 1, 0 or −1; 2 for a delete of an absent level."""
    at = find(keys, count, wanted)
    there = at < count and keys[at] == wanted
    if size > 0.0:
        if there:
            held[at] = size
            return 0
        for j in range(count, at, -1):
            keys[j], held[j] = keys[j - 1], held[j - 1]
        keys[at], held[at] = wanted, size
        return 1
    if not there:
        return 2
    for j in range(at, count - 1):
        keys[j], held[j] = keys[j + 1], held[j + 1]
    return -1


@inlined
def put(  # noqa: PLR0913, PLR0917 - a kernel takes its arrays one by one
    near: Floats, far_key: Ints, far_size: Floats, state: Ints, unit: float, price: Floats, size: Floats,
    start: int, end: int,
) -> tuple[int, int]:  # fmt: skip
    """Absolute sizes in the order told → (where it stopped, deletes of absent levels); see `lay`.

    unit: key = price × unit, negative for asks. It stops before the first level that the unit is too coarse
    for or that no level can be. There must be room for all of them in `far`.
    """
    absent, k = 0, start
    base, best, worst, held = state[BASE], state[BEST], state[WORST], state[NEAR]
    while k < end:
        p, q = price[k], size[k]
        key = key_of(p, unit)
        if key == 0 or not 0.0 < p < MOST or not 0.0 <= q < MOST:
            break
        i = key - base
        if 0 <= i < near.size and held > 1:  # without branches that depend on what is told
            was, q = near[i], q + 0.0  # −0 becomes 0
            near[i] = q
            held += (q > 0.0) - (was > 0.0)
            absent += int((q == 0.0) & (was == 0.0))
            best = max(best, i if q > 0.0 else best)
            worst = min(worst, i if q > 0.0 else worst)
            while near[best] == 0.0:
                best -= 1
        else:
            state[BEST], state[WORST], state[NEAR] = best, worst, held
            absent += _put_rare(near, far_key, far_size, state, key, q)
            base, best, worst, held = state[BASE], state[BEST], state[WORST], state[NEAR]
        k += 1
    state[BEST], state[WORST], state[NEAR] = best, worst, held
    return k, absent


@kernel
def _put_rare(
    near: Floats, far_key: Ints, far_size: Floats, state: Ints, key: int, size: float
) -> int:
    """Set a level outside the window, or the first or last one inside → deletes of absent levels: 0 or 1."""
    i = key - state[BASE]
    if size > 0.0 and (i >= near.size or state[NEAR] == 0):
        lay(near, far_key, far_size, state, key)
        i = key - state[BASE]
    if i >= near.size:
        return 1
    if i < 0:
        more = _put_far(far_key, far_size, state[FAR], key, size)
        state[FAR] += more if more < 2 else 0
        return int(more == 2)
    if size > 0.0:
        state[NEAR] += near[i] == 0.0
        near[i] = size
        state[BEST], state[WORST] = max(state[BEST], i), min(state[WORST], i)
    elif near[i] == 0.0:
        return 1
    else:  # the last one
        near[i] = 0.0
        state[BEST], state[WORST], state[NEAR] = -1, near.size, 0
        if state[FAR] > 0:
            lay(near, far_key, far_size, state, int(far_key[state[FAR] - 1]))
    return 0


@kernel
def put_side(
    near: Floats, far_key: Ints, far_size: Floats, state: Ints, unit: float, price: Floats, size: Floats
) -> tuple[int, int]:  # fmt: skip
    """`put` of all levels on one side."""
    return put(near, far_key, far_size, state, unit, price, size, 0, price.size)


@kernel
def put_both(  # noqa: PLR0913, PLR0917 - a kernel takes its arrays one by one
    bid_near: Floats, bid_key: Ints, bid_far: Floats, bid_state: Ints, bid_price: Floats, bid_size: Floats,
    ask_near: Floats, ask_key: Ints, ask_far: Floats, ask_state: Ints, ask_price: Floats, ask_size: Floats,
    unit: float,
) -> tuple[int, int, int]:  # fmt: skip
    """`put` on both sides in one call → (bids done, asks done, deletes of absent levels).

    The asks are left alone where the bids stopped early. (−1, −1, 0), and nothing done, where a side is empty
    or lacks room.
    """
    below_held, above_held = bid_state[NEAR] + bid_state[FAR], ask_state[NEAR] + ask_state[FAR]
    cramped = (below_held + bid_price.size > bid_key.size) | (
        above_held + ask_price.size > ask_key.size
    )
    if cramped | (below_held == 0) | (above_held == 0):
        return -1, -1, 0
    below, absent = put(
        bid_near, bid_key, bid_far, bid_state, unit, bid_price, bid_size, 0, bid_price.size
    )
    if below < bid_price.size:
        return below, 0, absent
    above, missing = put(
        ask_near, ask_key, ask_far, ask_state, -unit, ask_price, ask_size, 0, ask_price.size
    )
    return below, above, absent + missing


@kernel
def worst_key(near: Floats, far_key: Ints, state: Ints) -> int:
    """The key of the worst level; there must be one."""
    if state[FAR] > 0:
        return far_key[0]
    while near[state[WORST]] == 0.0:
        state[WORST] += 1
    return state[BASE] + state[WORST]


@kernel
def size_at(near: Floats, far_key: Ints, far_size: Floats, state: Ints, key: int) -> float:
    """The size at a key, 0 where there is no level."""
    i = key - state[BASE]
    if 0 <= i < near.size:
        return float(near[i])
    at = find(far_key, state[FAR], key)
    return float(far_size[at]) if at < state[FAR] and far_key[at] == key else 0.0


@kernel
def walk(
    near: Floats, far_key: Ints, far_size: Floats, state: Ints, start: int, keys: Ints, sizes: Floats
) -> tuple[int, int]:  # fmt: skip
    """Levels from the best outwards, from the one `walk` stopped before → (levels found, where to go on).

    start: 0 at first. keys, sizes: (most,), filled; where to go on is −1 at the end of the side.
    """
    found, skipped = 0, start
    while found < keys.size and state[BEST] - skipped >= state[WORST]:
        i = state[BEST] - skipped
        if near[i] > 0.0:
            keys[found], sizes[found] = state[BASE] + i, near[i]
            found += 1
        skipped += 1
    spread = state[BEST] - state[WORST] + 1 if state[NEAR] else 0
    while found < keys.size and state[FAR] - 1 - (skipped - spread) >= 0:
        i = state[FAR] - 1 - (skipped - spread)
        keys[found], sizes[found] = far_key[i], far_size[i]
        found += 1
        skipped += 1
    return found, (skipped if skipped < spread + state[FAR] else -1)
