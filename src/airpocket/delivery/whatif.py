"""A what-if on a store: the market at a moment, walked with a push and without."""

import dataclasses
import math
from os import PathLike
from pathlib import Path

from airpocket.cascade.calibrate.fit import fit, most_told
from airpocket.cascade.deals import PathSettings, Push
from airpocket.cascade.records import Unscanned
from airpocket.cascade.whatif import WhatIf, what_if
from airpocket.delivery.answers import assessed
from airpocket.domain.errors import NothingKnown
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import trades_of
from airpocket.liquidations.records import Unmapped


def what_if_of(
    asset: str, store: str | PathLike[str], push: Push, asof: str | None = None,
    how: PathSettings | None = None, *, break_price: float | None = None,
) -> tuple[WhatIf, bool]:  # fmt: skip
    """What a push does to an asset, and whether the market is simulated.

    Args:
        break_price: a price to jump to at once, in place of the push's own jump.

    Raises:
        NothingKnown: no store, or no map, book, price or volatility to walk on; says which.
    """
    found = assessed(asset, store, asof)
    if break_price is not None and not isinstance(found.map, Unmapped):
        push = dataclasses.replace(push, jump=math.log(break_price / found.map.price))
    trades = trades_of(Lake(Path(store)), asset.upper(), found.market.now)
    fitted = most_told(fit(found.market, trades), found.market.reference.key)
    answer = what_if(found.map, found.market, found.signals, push, how=how, fitted=fitted)
    if isinstance(answer, Unscanned):
        raise NothingKnown(f"no what-if of {asset.upper()}: {answer.reason}")
    return answer, found.market.simulated
