"""A what-if on a store: the market at a moment, walked with a push and without."""

import dataclasses
import math
from collections.abc import Sequence
from os import PathLike

from airpocket.cascade.deals import PathSettings, Push
from airpocket.cascade.records import Unscanned
from airpocket.cascade.whatif import WhatIf, what_if
from airpocket.delivery.answers import assessed
from airpocket.domain.errors import BadInput, NothingKnown
from airpocket.liquidations.records import Unmapped
from airpocket.market.state import Market


def what_if_of(
    asset: str, store: str | PathLike[str], push: Push, asof: str | None = None,
    how: PathSettings | None = None, *, break_price: float | None = None, venues: Sequence[str] = (),
) -> tuple[WhatIf, bool]:  # fmt: skip
    """What a push does to an asset, and whether the market is simulated.

    Args:
        break_price: a price to jump to at once, in place of the push's own jump.
        venues: where the push is placed, such as bybit or binance_usdm; none: one book for all.

    Raises:
        BadInput: a venue that has no perpetual of the asset here.
        NothingKnown: no store, or no map, book, price or volatility to walk on; says which.
    """
    found = assessed(asset, store, asof)
    if break_price is not None and not isinstance(found.map, Unmapped):
        push = dataclasses.replace(push, jump=math.log(break_price / found.map.price))
    if venues:
        push = dataclasses.replace(push, on=contracts_of(found.market, venues))
    answer = what_if(found.map, found.market, found.signals, push, how=how)
    if isinstance(answer, Unscanned):
        raise NothingKnown(f"no what-if of {asset.upper()}: {answer.reason}")
    return answer, found.market.simulated


def contracts_of(market: Market, venues: Sequence[str]) -> tuple[str, ...]:
    """The perpetuals of venues by name; `bybit` stands for bybit_linear and bybit_inverse.

    Raises:
        BadInput: a name that none of them has.
    """
    found: list[str] = []
    for name in venues:
        mine = [
            contract.key
            for contract in market.perps
            if f"{contract.instrument.venue}_".startswith(f"{name.lower()}_")
        ]
        if not mine:
            told = ", ".join(sorted({contract.instrument.venue for contract in market.perps}))
            raise BadInput(
                f"--venue {name}: no perpetual of {market.asset} on it is stored; on {told}"
            )
        found += [key for key in mine if key not in found]
    return tuple(found)
