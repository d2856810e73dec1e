"""Buckets of log-price, and where positions of a leverage class are liquidated."""

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.units import PositionSide


def bucket_of(price: float, width: float) -> int:
    """Index of the bucket that holds `price`: ⌊ln p / width⌋, the same for every venue and time."""
    return int(np.floor(np.log(price) / width))


def edges(first: int, count: int, width: float) -> FloatArray:
    """(count + 1,) edges of the buckets from `first`, quote per coin."""
    return np.exp((first + np.arange(count + 1)) * width)


def liquidation_factor(side: PositionSide, leverage: float, maintenance: float) -> float:
    """Liquidation price over entry price of an isolated linear position, no fee, one tier.

    Short 1 + (1/Λ − m)/(1 + m); long 1 − (1/Λ − m)/(1 − m).
    """
    if side == "short":
        return 1.0 + (1.0 / leverage - maintenance) / (1.0 + maintenance)
    return 1.0 - (1.0 / leverage - maintenance) / (1.0 - maintenance)
