"""From a position, its account and a situation to what a sheet of hedges is asked with."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.pushes import Pushes
from airpocket.cascade.records import Unscanned
from airpocket.domain.catalysts import ahead
from airpocket.domain.errors import BadInput, MarginError
from airpocket.domain.estimates import PERCENT_YEAR, Estimate, unknown
from airpocket.domain.instruments import instrument
from airpocket.domain.portfolio import account_with, accounts_of
from airpocket.domain.positions import Position, Positions
from airpocket.domain.units import DAY_NS, format_time
from airpocket.market.options.chain import newest_chain
from airpocket.playbook.hedging.asked import Asked
from airpocket.playbook.hedging.candidates import Candidates, candidates_of
from airpocket.playbook.hedging.major import Major
from airpocket.playbook.hedging.rows import Base, Rows, Valued
from airpocket.playbook.hedging.settings import HedgeSettings
from airpocket.playbook.hedging.sketch import flat_of, sketch
from airpocket.playbook.hedging.walked import points_of
from airpocket.playbook.ledger import Ledger, ledger_of
from airpocket.playbook.marking import marked
from airpocket.playbook.situation import Situation, mark_of
from airpocket.playbook.valuation import value

_FRESH_H = 2.0
_HORIZON_D = 30  # ahead of which a known catalyst is to be outlasted
_CASH = "cash"


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a position besides the situation.

    pushes: the standard ones as walked; None: nobody walked them. sketched: where no chain is known, options at
    one flat volatility stand in. volatility: stated by whoever holds the position, for that; a fraction a year.
    """

    pushes: Pushes | Unscanned | None = None
    sketched: bool = True
    volatility: float | None = None


def asked_for(
    position: Position, held: Positions, situation: Situation, settings: HedgeSettings,
    around: Around | None = None, *, major: Major | str, others: Mapping[str, Situation] | None = None,
) -> Asked:  # fmt: skip
    """What a sheet is made from, for a position of a file, at the situation's moment.

    Args:
        held: the file; coins of the position's asset at venues where nothing could be liquidated count as spot
            beside it.
        others: situations of the other coins of its account, by asset.

    Raises:
        BadInput: opened after that moment, of another asset, without a price.
        MarginError: the account can't be valued; says what is missing.
    """
    _check(position, situation)
    own = account_with(accounts_of(held), position)
    asset = situation.market.asset
    price = mark_of(situation, position, _FRESH_H)
    if price.price.value is None:
        raise BadInput(f"{position.key}: {price.words}")
    found = marked(own, {**(others or {}), asset: situation}, _FRESH_H)
    try:
        ledger = ledger_of(own, asset, found.marks, found.terms)
    except MarginError as error:
        raise MarginError(f"account {own.name}: {error}") from error
    told = replace(around or Around(), volatility=held.volatility)
    asked = asked_of(position, ledger, price.price, situation, settings, told)
    return replace(asked, major=major, spot_coins=spot_beside(held, asset))


def asked_of(
    position: Position, ledger: Ledger, price: Estimate, situation: Situation, settings: HedgeSettings,
    around: Around,
) -> Asked:  # fmt: skip
    """The same for an account that is ready to be valued, without a major's hedge and without spot beside it."""
    asset, walked = situation.market.asset, points_of(around.pushes, situation.cascade)
    leg = next(each for each in ledger.perps if each.position == position)
    rate = leg.funding_8h
    return Asked(
        asset=asset, now=situation.now, simulated=situation.market.simulated, position=position, price=price,
        valued=valued_by(ledger, settings), without=_without(ledger, position, settings),
        candidates=_candidates(situation, price, around), major="not asked for here",
        settings=settings,
        hold_d=_hold(situation, settings), paths=walked.points, no_paths=walked.missing,
        taker_fee=leg.taker_fee, funding_8h=None if math.isnan(rate) else rate, yearly=_yearly(situation),
        others=tuple(each for each in ledger.account.assets if each != asset),
    )  # fmt: skip


def _check(position: Position, situation: Situation) -> None:
    now, asset = situation.now, situation.market.asset
    contract = instrument(position.venue, position.symbol)
    if contract.base != asset:
        raise BadInput(f"{position.key} is {contract.base}, not {asset}")
    if position.opened_at > now:
        raise BadInput(
            f"{position.key}: opened at {format_time(position.opened_at)}, after the moment asked for, "
            f"{format_time(now)}; ask with a later --asof"
        )


def valued_by(ledger: Ledger, settings: HedgeSettings) -> Valued:
    """The account of a ledger, in rows: its other coins move by each of the settings' shares of the asset's move
    (of its logarithm), whichever leaves less over the multiple of maintenance.
    """
    coins = {*ledger.marks.coin, *(leg.asset for leg in ledger.perps)} - {ledger.asset}
    shares = settings.others_move if coins else (0.0,)
    moved = [
        replace(ledger, beta={ledger.asset: 1.0, **dict.fromkeys(coins, share)}) for share in shares
    ]

    def base(rows: Rows) -> Base:
        price = ledger.mark * (1.0 + rows.move)
        found = [value(each, price, rows.shift, rows.days) for each in moved]
        equity = np.stack([each.equity_usd for each in found])
        needed = np.stack([each.maintenance_usd for each in found])
        worst = np.argmin(equity - settings.buffer * needed, axis=0)[None]
        return Base(
            np.take_along_axis(equity, worst, 0)[0], np.take_along_axis(needed, worst, 0)[0]
        )

    return base


def _without(ledger: Ledger, position: Position, settings: HedgeSettings) -> Valued:
    rest = tuple(each for each in ledger.perps if each.position != position)
    return valued_by(replace(ledger, perps=rest), settings)


def _candidates(situation: Situation, price: Estimate, around: Around) -> Candidates | str:
    found = newest_chain(situation.market, situation.now)
    if isinstance(found, str):
        signals = situation.signals
        flat = flat_of(around.volatility, signals.figure("implied_index"), signals.figure("rv_30d"))
        if not around.sketched or isinstance(flat, str) or price.value is None:
            return found if not around.sketched else f"{found}; {flat}"
        return sketch(replace(flat, words=f"{found}: {flat.words}"), price.value, situation.now)
    try:
        return candidates_of(found, situation.market.asset, situation.now)
    except BadInput as error:
        return str(error)


def _hold(situation: Situation, settings: HedgeSettings) -> float:
    """Days that the protection is wanted for: the settings', or past the next known catalyst that is no rumour."""
    coming = ahead(situation.catalysts or (), situation.now, _HORIZON_D * DAY_NS)
    serious = [each for each in coming if each.confidence != "rumoured"]
    if not serious:
        return settings.hold_d
    return max(settings.hold_d, (serious[0].time - situation.now) / DAY_NS + 1.0)


def spot_beside(held: Positions, asset: str) -> float:
    """Coins of an asset at venues of a file where nothing could be liquidated."""
    return sum(
        balance.amount
        for account in accounts_of(held)
        if account.mode == _CASH
        for balance in account.balances
        if balance.currency == asset
    )


def _yearly(situation: Situation) -> Estimate:
    """Volatility a year, implied where an index of it is known, else realised in 30 days."""
    signals = situation.signals
    implied, realised = signals.figure("implied_index"), signals.figure("rv_30d")
    if implied.known:
        return implied
    return (
        realised if realised.known else unknown(PERCENT_YEAR, realised.unknown or "no volatility")
    )
