"""The measured past in the picture: each hour's column with what accounts held then, the rest as modelled."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from airpocket.domain.accounts import Answers, number_of
from airpocket.domain.events import FloatArray
from airpocket.liquidations.grid import bucket_of
from airpocket.liquidations.measured import path_of
from airpocket.liquidations.past import HeldThen, held_through
from airpocket.liquidations.records import Heat, LiquidationMap, Part, Unmapped
from airpocket.liquidations.settings import MapSettings
from airpocket.liquidations.state import summed
from airpocket.market.state import Market


def with_past(
    mapped: LiquidationMap | Unmapped, told: Answers, market: Market, s: MapSettings
) -> LiquidationMap | Unmapped:
    """The map with its picture made anew where accounts were heard: of each hour by what was known then.

    What they held stands at the prices told; of the contract's open interest then, the rest is placed as the model
    placed the whole. Hours without a fresh answer stay as modelled.
    """
    if isinstance(mapped, Unmapped) or not len(mapped.heat.ts) or not len(told.heard):
        return mapped
    contracts = {contract.key: contract for contract in market.perps}
    first = bucket_of(float(np.sqrt(mapped.edge[0] * mapped.edge[1])), s.width)
    heats: list[Heat] = []
    for part in mapped.parts:
        if part.past is None or part.past_coin is None:
            return mapped
        contract = contracts[part.key]
        number = number_of(contract.instrument.venue, contract.instrument.symbol)
        then = held_through(told, number, part.past.ts, path_of(contract, market), s)
        heats.append(part.past if then is None else _blend(part, part.past_coin, then, first))
    return replace(mapped, heat=_summed(heats))


def _blend(part: Part, interest: FloatArray, then: HeldThen, first: int) -> Heat:
    """A contract's columns; no side of any holds more than was open."""
    assert part.past is not None
    fits = np.divide(interest, then.held, out=np.ones_like(then.held), where=then.held > interest)
    held = then.held * fits
    left = 1.0 - np.divide(held, interest, out=np.ones_like(held), where=interest > 0.0)
    exact = _placed(then, fits, part.past.shorts.shape[1], first)
    sides = [
        left[k][:, None] * rows + exact[k]
        for k, rows in enumerate((part.past.shorts, part.past.longs))
    ]
    total = sides[0].sum(axis=1) + sides[1].sum(axis=1)
    share = np.divide(exact.sum(axis=(0, 2)), total, out=np.zeros_like(total), where=total > 0.0)
    return replace(part.past, shorts=sides[0], longs=sides[1], exact=share)


def _placed(then: HeldThen, fits: FloatArray, count: int, first: int) -> FloatArray:
    """(2, T, count) what accounts held, on the map's buckets; what lies beyond them is not in the picture."""
    placed = np.zeros((2, then.held.shape[1], count))
    start = then.first - first
    low, high = max(start, 0), min(start + then.coin.shape[2], count)
    if high > low:
        placed[:, :, low:high] = then.coin[:, :, low - start : high - start] * fits[:, :, None]
    return placed


def _summed(heats: Sequence[Heat]) -> Heat:
    """All contracts, with the share that is exact of their sum."""
    whole = summed(heats)
    coin = [heat.shorts.sum(axis=1) + heat.longs.sum(axis=1) for heat in heats]
    exact = sum(
        (h.exact_share * c for h, c in zip(heats, coin, strict=True)), np.zeros(len(whole.ts))
    )
    total = np.sum(coin, axis=0)
    share = np.divide(exact, total, out=np.zeros_like(total), where=total > 0.0)
    return replace(whole, exact=share)
