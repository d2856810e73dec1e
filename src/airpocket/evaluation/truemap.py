"""The true ladder as a liquidation map, so that a cascade takes it for what it usually gets."""

import numpy as np

from airpocket.domain.estimates import PERCENT, unknown
from airpocket.domain.events import FloatArray, IntArray
from airpocket.evaluation.pushed import Before
from airpocket.liquidations.records import Heat, Ladder, LiquidationMap, Part, Source

_STEP, _REACH = 0.0005, 0.25  # log-price: of a bucket, and of the map each way


def true_map(before: Before) -> LiquidationMap:
    """Every position at its liquidation price, counted from its own mark as distances are; nothing is hedged away.

    A hedge does not keep a leg from being forced out, so the hedged share, which is taken off a map, is none.
    """
    count = round(_REACH / _STEP)
    edge = np.exp(_STEP * np.arange(-count, count + 1, dtype=np.float64))
    row: IntArray = (
        np.floor(np.log1p(np.maximum(before.away, -0.99)) / _STEP).astype(np.int64) + count
    )
    parts: list[Part] = []
    for number, key in enumerate(before.keys):
        mine = before.contract == number
        parts.append(
            Part(
                key,
                _ladder(before, row, mine & before.short),
                _ladder(before, row, mine & ~before.short),
            )
        )
    nothing, empty = unknown(PERCENT, "every position is in the ladder"), np.zeros((0, 2 * count))
    return LiquidationMap(
        asset=before.asset, now=before.at, as_of=before.at, price=before.price, edge=before.price * edge,
        shorts=_summed([part.shorts for part in parts]), longs=_summed([part.longs for part in parts]),
        hedged_shorts=nothing, hedged_longs=nothing, clusters=(),
        heat=Heat(np.zeros(0, np.int64), np.zeros(0), empty, empty),
        sources=tuple(
            Source(key, coin, before.at, 0, ())
            for key, coin in zip(before.keys, before.interest_coin, strict=True)
        ),
        notes=("the truth of a simulated market",), parts=tuple(parts),
    )  # fmt: skip


def _ladder(
    before: Before, row: IntArray, mine: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
) -> Ladder:
    buckets = 2 * round(_REACH / _STEP)
    inside = mine & (row >= 0) & (row < buckets)
    usd: FloatArray = np.bincount(row[inside], before.usd[inside], minlength=buckets).astype(
        np.float64
    )
    return Ladder(usd, usd[None, :])


def _summed(ladders: list[Ladder]) -> Ladder:
    usd = np.sum([one.usd for one in ladders], axis=0)
    return Ladder(usd, usd[None, :])
