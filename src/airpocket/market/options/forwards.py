"""Forwards of a chain that tells none, by put–call parity: F = K + C − P, at zero rates."""

import numpy as np

from airpocket.domain.events import BoolArray, FloatArray, IntArray

_NEAREST = 5  # strikes of an expiry: further out one of the two is all spread


def parity_forwards(
    expiry: IntArray, strike: FloatArray, call: BoolArray, middle: FloatArray, index: float
) -> FloatArray:
    """(n,) USD per coin by row: of each expiry the median over the strikes nearest to the index that have both.

    Args:
        middle: (n,) USD between bid and ask; NaN where either is missing.
        index: USD.

    NaN where an expiry has no strike with a call and a put.
    """
    found = np.full(len(strike), np.nan)
    for each in np.unique(expiry):
        mine = expiry == each
        sides = [
            dict(zip(strike[rows].tolist(), middle[rows].tolist(), strict=True))
            for rows in (mine & call & np.isfinite(middle), mine & ~call & np.isfinite(middle))
        ]
        both = sorted(sides[0].keys() & sides[1].keys(), key=lambda k: (abs(k - index), k))
        if both:
            found[mine] = np.median([k + sides[0][k] - sides[1][k] for k in both[:_NEAREST]])
    return found
