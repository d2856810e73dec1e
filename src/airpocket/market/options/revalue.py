"""Options over a grid of prices and volatilities: what each is worth in every cell, and nothing else."""

import math

import numpy as np

from airpocket.domain.events import BoolArray, FloatArray
from airpocket.domain.kernel import kernel
from airpocket.market.options.normal import ROOT_2PI, mills


def value_grid(
    call: BoolArray, forward: FloatArray, strike: FloatArray, years: FloatArray, moves: FloatArray,
    volatility: FloatArray,
) -> FloatArray:  # fmt: skip
    """(n, s, v) undiscounted Black-76 prices, quote units, were each forward times each of (s,) `moves`.

    Args:
        call, forward, strike: (n,).
        years: (n,) to expiry in the cells; 0 or below gives the intrinsic value.
        moves: (s,) price over price now, above 0.
        volatility: (n, v), fraction a year; 0 gives the intrinsic value.

    Raises:
        ValueError: a forward, strike or move is not positive, or a volatility negative or no number.
    """
    for name, each in (("forward", forward), ("strike", strike), ("moves", moves)):
        if not ((each > 0.0) & np.isfinite(each)).all():
            raise ValueError(f"{name} must be positive and finite")
    if not ((volatility >= 0.0) & np.isfinite(volatility)).all():
        raise ValueError("volatility must be finite and not negative")
    if not np.isfinite(years).all():
        raise ValueError("years must be finite")
    out = np.empty((len(forward), len(moves), volatility.shape[1]))
    _values(
        np.ascontiguousarray(call, dtype=np.bool_), forward, strike, years, moves,
        np.ascontiguousarray(volatility), out,
    )  # fmt: skip
    return out


@kernel
def _values(
    call: BoolArray, forward: FloatArray, strike: FloatArray, years: FloatArray, moves: FloatArray,
    volatility: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    for i in range(len(forward)):
        past = math.sqrt(max(years[i], 0.0))
        for s in range(len(moves)):
            f, k = forward[i] * moves[s], strike[i]
            x = math.log(f / k)
            inside = max(f - k, 0.0) if call[i] else max(k - f, 0.0)
            spare = f if f <= k else k  # what the option out of the money can be worth at most
            for v in range(volatility.shape[1]):
                root = volatility[i, v] * past
                if root <= 0.0:
                    out[i, s, v] = inside
                    continue
                # of the one out of the money, from its tails: |x| keeps both on the far side
                d1 = -abs(x) / root + 0.5 * root
                d2 = d1 - root
                density = math.exp(-0.5 * d1 * d1) / ROOT_2PI
                tail = density * mills(abs(d1))
                above1 = 1.0 - tail if d1 > 0.0 else tail
                # e^|x| n(d₂) = n(d₁): one density serves both tails
                out[i, s, v] = inside + spare * max(above1 - density * mills(-d2), 0.0)
