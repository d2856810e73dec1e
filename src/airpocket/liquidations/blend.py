"""The measured layer and the modelled rest as one map: no side above its open interest, each bucket labelled."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from airpocket.domain.errors import NothingKnown
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import PositionSide, TimeNs
from airpocket.liquidations.clusters import clusters_of
from airpocket.liquidations.grid import bucket_of, edges
from airpocket.liquidations.hedged import hedged_longs, hedged_shorts
from airpocket.liquidations.measured import Layer
from airpocket.liquidations.records import (
    Heat,
    Ladder,
    LiquidationMap,
    Part,
    Source,
    Unmapped,
)
from airpocket.liquidations.settings import MapSettings
from airpocket.market.state import Market

_SIDES: tuple[PositionSide, PositionSide] = ("short", "long")


def blended(
    mapped: LiquidationMap | Unmapped, layers: Sequence[Layer], market: Market, s: MapSettings
) -> LiquidationMap | Unmapped:
    """The map with its public accounts in it.

    Of a contract with a layer, what accounts hold stands at their own prices; what open interest is left over
    is placed as the model places the whole, in every draw. Other contracts stay as modelled. Loans come on top.
    With no modelled map the layers stand alone, and every figure is a lower bound.
    """
    if not layers:
        return mapped
    if isinstance(mapped, Unmapped):
        return _alone(mapped, layers, market, s)
    whole = _widened(mapped, layers, s)
    first = bucket_of(float(np.sqrt(whole.edge[0] * whole.edge[1])), s.width)
    by_key = {layer.told.key: layer for layer in layers}
    shorts, longs = (_blend(whole, side, by_key, first) for side in _SIDES)
    return replace(
        whole,
        as_of=TimeNs(max(whole.as_of, *(layer.told.heard_last for layer in layers))),
        shorts=shorts,
        longs=longs,
        clusters=clusters_of(whole.edge, shorts, longs, whole.price, s),
        measured=tuple(layer.told for layer in layers),
        notes=(*_notes(layers, {part.key for part in whole.parts}), *whole.notes),
    )


def _blend(
    mapped: LiquidationMap, side: PositionSide, layers: Mapping[str, Layer], first: int
) -> Ladder:
    """One side of all contracts, USD at each bucket's own price."""
    row = _SIDES.index(side)
    usd, draws = np.zeros_like(mapped.middle), np.zeros_like(mapped.ladder(side).draws)
    exact, beyond = np.zeros_like(usd), 0.0
    for part in mapped.parts:
        ladder, layer = part.ladder(side), layers.get(part.key)
        modelled = float((ladder.usd / mapped.middle).sum()) + ladder.beyond / mapped.price
        left = 1.0 if layer is None else _left(layer, row, modelled)
        beyond += left * ladder.beyond
        usd += left * ladder.usd
        draws += left * ladder.draws
    for layer in layers.values():
        coin = layer.shorts if row == 0 else layer.longs
        start = layer.first - first
        inside = slice(start, start + len(coin))
        exact[inside] += coin * mapped.middle[inside]
    return Ladder(usd + exact, draws + exact, exact, beyond)


def _left(layer: Layer, row: int, modelled_coin: float) -> float:
    """Share of what the model places that no account holds: the model's own sum is the open interest."""
    held = layer.told.held[row] * layer.told.scaled[row]
    interest = layer.told.interest_coin or modelled_coin
    return max(0.0, 1.0 - held / interest) if interest > 0.0 else 0.0


def _widened(mapped: LiquidationMap, layers: Sequence[Layer], s: MapSettings) -> LiquidationMap:
    """The same map on a grid that has room for every layer."""
    first = bucket_of(float(np.sqrt(mapped.edge[0] * mapped.edge[1])), s.width)
    last = first + len(mapped.edge) - 2
    low = min(first, *(layer.first for layer in layers))
    high = max(last, *(layer.last for layer in layers))
    if (low, high) == (first, last):
        return mapped
    pad = (first - low, high - last)

    def wide(array: FloatArray) -> FloatArray:
        return np.pad(array, [(0, 0)] * (array.ndim - 1) + [pad])

    def ladder(one: Ladder) -> Ladder:
        return Ladder(wide(one.usd), wide(one.draws), beyond=one.beyond)

    heat = mapped.heat
    return replace(
        mapped,
        edge=edges(low, high - low + 1, s.width),
        shorts=ladder(mapped.shorts),
        longs=ladder(mapped.longs),
        heat=replace(heat, shorts=wide(heat.shorts), longs=wide(heat.longs)),
        parts=tuple(Part(p.key, ladder(p.shorts), ladder(p.longs)) for p in mapped.parts),
    )


def _alone(
    unmapped: Unmapped, layers: Sequence[Layer], market: Market, s: MapSettings
) -> LiquidationMap | Unmapped:
    """The layers without a model around them."""
    try:
        reference = market.reference
    except NothingKnown as error:
        return Unmapped(str(error))
    first = min(layer.first for layer in layers)
    edge = edges(first, max(layer.last for layer in layers) - first + 1, s.width)
    middle = np.sqrt(edge[:-1] * edge[1:])
    sides: list[FloatArray] = []
    for row in range(2):
        coin = np.zeros(len(middle))
        for layer in layers:
            start = layer.first - first
            own = layer.shorts if row == 0 else layer.longs
            coin[start : start + len(own)] += own
        sides.append(coin * middle)
    shorts, longs = (Ladder(usd, usd[None, :].copy(), usd) for usd in sides)
    keys = {layer.told.key for layer in layers}
    contracts = [contract for contract in market.perps if contract.key in keys]
    price = float(reference.base.close[-1])
    none: IntArray = np.empty(0, np.int64)
    return LiquidationMap(
        asset=market.asset,
        now=market.now,
        as_of=TimeNs(max(int(reference.base.end[-1]), *(each.told.heard_last for each in layers))),
        price=price,
        edge=edge,
        shorts=shorts,
        longs=longs,
        hedged_shorts=hedged_shorts(contracts, market.now, s),
        hedged_longs=hedged_longs(market.now, s),
        clusters=clusters_of(edge, shorts, longs, price, s),
        heat=Heat(none, np.empty(0), np.empty((0, len(middle))), np.empty((0, len(middle)))),
        sources=tuple(_source(layer) for layer in layers),
        notes=(*_notes(layers, set()), f"nothing is modelled beside them: {unmapped.reason}"),
        measured=tuple(layer.told for layer in layers),
        at_least=True,
    )


def _source(layer: Layer) -> Source:
    told = layer.told
    return Source(told.key, told.interest_coin or max(told.held), told.heard_last, 0, ())


def _notes(layers: Sequence[Layer], modelled: set[str]) -> list[str]:
    notes: list[str] = []
    for told in (layer.told for layer in layers):
        if told.kind == "loans":
            notes.append(
                f"{told.key}: loans come on top of the perpetuals; their collateral is sold, or their debt"
                " bought back, wherever the liquidator likes"
            )
            continue
        if told.interest_coin is None:
            notes.append(
                f"{told.key}: its open interest is not known, so nobody says how much is missing"
            )
        elif told.key not in modelled:
            notes.append(
                f"{told.key}: only its public accounts are in the map, the rest of it is not"
            )
        for side, scaled in zip(_SIDES, told.scaled, strict=True):
            if scaled < 1.0:
                notes.append(
                    f"{told.key}: its accounts' {side}s add up to {1 / scaled:.3g} times the open interest"
                    " told since, so they were scaled down to it"
                )
        if told.as_told:
            notes.append(
                f"{told.key}: {told.as_told} of {told.accounts} positions stand at the price the venue told;"
                " its rule for them was not reproduced"
            )
    return notes
