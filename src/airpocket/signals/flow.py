"""Pressure at the best quotes: order-flow imbalance."""

import numpy as np

from airpocket.domain.events import FloatArray


def order_flow_imbalance(
    bid_price: FloatArray, bid_size: FloatArray, ask_price: FloatArray, ask_size: FloatArray
) -> FloatArray:
    """(n − 1,) per change of the best quotes, in the unit of the sizes; positive is buying pressure.

    Arrays (n,), oldest first. A bid that holds or rises adds its size, one that holds or falls takes
    away the size before; asks mirrored. Cont, Kukanov and Stoikov, J. Financial Econometrics 12(1), 2014.

    Raises:
        ValueError: lengths differ, fewer than two quotes, a price that is not positive, a negative size,
            or a bid at or above its ask.
    """
    sides = (bid_price, bid_size, ask_price, ask_size)
    if len({len(side) for side in sides}) != 1 or len(bid_price) < 2:
        raise ValueError("quotes need four columns of one length, two rows or more")
    if not all(np.isfinite(side).all() for side in sides):
        raise ValueError("a quote holds a number that is not finite")
    if (bid_price <= 0).any() or (bid_price >= ask_price).any():
        raise ValueError("a bid must be positive and below its ask")
    if (bid_size < 0).any() or (ask_size < 0).any():
        raise ValueError("a size can't be negative")
    bid, ask = np.diff(bid_price), np.diff(ask_price)
    bids = np.where(bid >= 0, bid_size[1:], 0.0) - np.where(bid <= 0, bid_size[:-1], 0.0)
    asks = np.where(ask <= 0, ask_size[1:], 0.0) - np.where(ask >= 0, ask_size[:-1], 0.0)
    return bids - asks
