"""Options over a grid of prices and volatilities: what each is worth in every cell, and nothing else."""

import numpy as np

from airpocket.domain.events import BoolArray, FloatArray
from airpocket.domain.kernel import inlined, kernel
from airpocket.market.options import blocks
from airpocket.market.options.elementary import logarithm


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
    width = volatility * np.sqrt(np.maximum(years, 0.0))[:, None]
    _values(
        np.ascontiguousarray(call, dtype=np.bool_), forward, strike, moves, width,
        np.ones((blocks.FIRST_FREE + 4) * blocks.ROW), out.reshape(-1),
    )  # fmt: skip
    return out


_APART, _SPARE, _INSIDE, _VALUE = (
    row * blocks.ROW for row in range(blocks.FIRST_FREE, blocks.FIRST_FREE + 4)
)


@kernel
def _values(
    call: BoolArray, forward: FloatArray, strike: FloatArray, moves: FloatArray, width: FloatArray,
    block: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    done = filled = 0
    for i in range(len(forward)):
        for s in range(len(moves)):
            f, k = forward[i] * moves[s], strike[i]
            apart = abs(logarithm(f / k))
            inside = max(f - k, 0.0) if call[i] else max(k - f, 0.0)
            spare = f if f <= k else k  # what the option out of the money can be worth at most
            for v in range(width.shape[1]):
                block[blocks.ROOT + filled] = width[i, v]
                block[_APART + filled] = apart
                block[_SPARE + filled] = spare
                block[_INSIDE + filled] = inside
                filled += 1
                if filled == blocks.LANES:
                    _one_block(block)
                    blocks.move(block[_VALUE : _VALUE + filled], out[done:])
                    done += filled
                    filled = 0
    _one_block(block)
    blocks.move(block[_VALUE : _VALUE + filled], out[done:])


@inlined
def _one_block(block: FloatArray) -> None:
    for i in range(blocks.LANES):
        root = block[blocks.ROOT + i]
        # of the one out of the money: both tails lie on the far side, and e^|x| n(d₂) = n(d₁)
        d1 = 0.5 * root - block[_APART + i] / (root if root > blocks.STILL else 1.0)
        block[blocks.D1 + i] = d1 if root > blocks.STILL else -blocks.SURE
    for i in range(blocks.LANES):
        blocks.tails(block, i)
    for i in range(blocks.LANES):
        above = (
            1.0 - block[blocks.TAIL1 + i] if block[blocks.D1 + i] > 0.0 else block[blocks.TAIL1 + i]
        )
        worth = max(above - block[blocks.TAIL2 + i], 0.0)
        block[_VALUE + i] = block[_INSIDE + i] + block[_SPARE + i] * worth
