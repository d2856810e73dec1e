"""A what-if on a store: the market at a moment, walked with a push and without."""

import dataclasses
import math
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from airpocket.cascade.calibrate.fit import Fitted, fit, most_told
from airpocket.cascade.coupling import coupling_of
from airpocket.cascade.deals import PathSettings, Push
from airpocket.cascade.phase import Moment, phase_at
from airpocket.cascade.records import Unscanned
from airpocket.cascade.whatif import WhatIf, what_if
from airpocket.delivery.answers import assessed
from airpocket.domain.errors import BadInput, NothingKnown
from airpocket.domain.units import TimeNs, format_time
from airpocket.ingest.census.stored import accounts_of
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import trades_of
from airpocket.liquidations.records import Unmapped
from airpocket.market.state import Market
from airpocket.pipeline import Assessment

_TRAIL = 6  # moments; each takes as long as an answer


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
    return what_if_on(
        assessed(asset, store, asof), store, push, how, break_price=break_price, venues=venues
    )


def what_if_on(
    found: Assessment, store: str | PathLike[str], push: Push, how: PathSettings | None = None,
    *, break_price: float | None = None, venues: Sequence[str] = (),
) -> tuple[WhatIf, bool]:  # fmt: skip
    """The same on an assessment that is there already.

    Raises:
        BadInput: a venue that has no perpetual of the asset here.
        NothingKnown: no map, book, price or volatility to walk on; says which.
    """
    asset = found.market.asset
    if break_price is not None and not isinstance(found.map, Unmapped):
        push = dataclasses.replace(push, jump=math.log(break_price / found.map.price))
    if venues:
        push = dataclasses.replace(push, on=contracts_of(found.market, venues))
    fitted = _measured(found.market, asset, store)
    answer = what_if(found.map, found.market, found.signals, push, how=how, fitted=fitted)
    if isinstance(answer, Unscanned):
        raise NothingKnown(f"no what-if of {asset.upper()}: {answer.reason}")
    return _coupled(answer, found.market, store), found.market.simulated


def _measured(market: Market, asset: str, store: str | PathLike[str]) -> Fitted | None:
    """What the store could tell of the market up to its moment."""
    trades = trades_of(Lake(Path(store)), asset.upper(), market.now)
    return most_told(fit(market, trades), market.reference.key)


def _coupled(answer: WhatIf, market: Market, store: str | PathLike[str]) -> WhatIf:
    """With what other coins have to do with it, by venue whose public accounts are stored."""
    states = accounts_of(Lake(Path(store)), answer.now)
    venues = sorted({state.venue for state in states} & {c.instrument.venue for c in market.perps})
    found = tuple(coupling_of(states, venue, answer.now, answer.way) for venue in venues)
    return dataclasses.replace(answer, coupling=found)


def with_trail(
    answer: WhatIf, asset: str, store: str | PathLike[str], span_ns: int, how: PathSettings | None
) -> WhatIf:
    """The answer with where the market stood at even moments before it, each as it was known then."""
    how, found = how or PathSettings(), list[Moment]()
    for back in range(_TRAIL, 0, -1):
        at = TimeNs(answer.now - span_ns * back // _TRAIL)
        try:
            then = assessed(asset, store, format_time(at))
        except NothingKnown as error:
            found.append(Moment(at, None, str(error)))
            continue
        fitted = _measured(then.market, asset, store)
        moment = phase_at(then.map, then.market, then.signals, answer.push, how=how, fitted=fitted)
        found.append(dataclasses.replace(moment, at=at))
    return dataclasses.replace(answer, trail=tuple(found))


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
