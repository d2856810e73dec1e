"""A run of book changes that follow one another, compiled: every change in order, the best prices after each."""

import numpy as np
from numpy.typing import NDArray

from airpocket.domain.depth import DepthColumns, Floats, Ints, Tops
from airpocket.domain.kernel import kernel
from airpocket.market.books.ladder import Ladder
from airpocket.market.books.rules import Linked
from airpocket.market.books.side import BASE, BEST, FAR, NEAR, put

_ENDED, _NOTABLE, _CRAMPED = range(3)


def run(
    ladder: Ladder, columns: DepthColumns, start: int, last: int, linked: Linked, tops: Tops
) -> tuple[int, bool]:
    """Apply changes from `start` while each follows the last → (where it stopped, whether after a notable one).

    Stops before a change that does not follow, was not read or has a level the ladder can't hold as it is;
    and after one that leaves a side empty, the book crossed, or the price beyond what the snapshot told of:
    that one has no top. Fills `tops`.
    """
    bids, asks = ladder.bids, ladder.asks
    edges = np.array(
        [-np.inf if bids.edge is None else bids.edge, np.inf if asks.edge is None else asks.edge]
    )
    at, ended = start, _CRAMPED
    while ended == _CRAMPED:
        at, last, ended = _run(
            *columns[:1], *columns[2:], at, last, linked == "previous", *bids.arrays, *asks.arrays,
            bids.unit, edges, *tops,
        )  # fmt: skip
        if ended == _CRAMPED:
            more = int(columns.asks_end[at] - (columns.asks_end[at - 1] if at else 0))
            bids.make_room(more)
            asks.make_room(more)
    ladder.changed()
    return at, ended == _NOTABLE


@kernel
def _run(  # noqa: PLR0913, PLR0917 - a kernel takes its arrays one by one
    read: NDArray[np.bool_], first: Ints, final: Ints, previous: Ints, bids_end: Ints, asks_end: Ints,
    price: Floats, size: Floats, start: int, last: int, by_previous: bool,
    bid_near: Floats, bid_key: Ints, bid_far: Floats, bid_state: Ints,
    ask_near: Floats, ask_key: Ints, ask_far: Floats, ask_state: Ints,
    unit: float, edges: Floats, top_bid: Floats, top_bid_size: Floats, top_ask: Floats, top_ask_size: Floats,
) -> tuple[int, int, int]:  # fmt: skip
    """See `run`; (where it stopped, the last id applied, how it ended)."""
    i = start
    while i < read.size:
        follows = previous[i] == last if by_previous else first[i] == last + 1
        if not read[i] or not follows or final[i] <= last:
            break
        begin = asks_end[i - 1] if i else 0
        middle, end = bids_end[i], asks_end[i]
        if bid_state[NEAR] + bid_state[FAR] + (middle - begin) > bid_key.size:
            return i, last, _CRAMPED
        if ask_state[NEAR] + ask_state[FAR] + (end - middle) > ask_key.size:
            return i, last, _CRAMPED
        # sizes are absolute: a change of which a part was applied can be applied again as a whole
        done, _ = put(bid_near, bid_key, bid_far, bid_state, unit, price, size, begin, middle)
        if done < middle:
            break
        done, _ = put(ask_near, ask_key, ask_far, ask_state, -unit, price, size, middle, end)
        if done < end:
            break
        last = final[i]
        i += 1
        if bid_state[BEST] < 0 or ask_state[BEST] < 0:
            return i, last, _NOTABLE
        bid = (bid_state[BASE] + bid_state[BEST]) / unit
        ask = -(ask_state[BASE] + ask_state[BEST]) / unit
        if bid >= ask or bid < edges[0] or ask > edges[1]:
            return i, last, _NOTABLE
        top_bid[i - 1], top_bid_size[i - 1] = bid, bid_near[bid_state[BEST]]
        top_ask[i - 1], top_ask_size[i - 1] = ask, ask_near[ask_state[BEST]]
    return i, last, _ENDED
