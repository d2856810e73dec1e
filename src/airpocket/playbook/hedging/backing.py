"""From a position file and a situation to what a sheet of hedges is asked with."""

from dataclasses import replace

from airpocket.cascade.records import Cascade
from airpocket.domain.catalysts import ahead
from airpocket.domain.errors import BadInput
from airpocket.domain.instruments import instrument
from airpocket.domain.portfolio import Account, accounts_of
from airpocket.domain.positions import Position, Positions
from airpocket.domain.units import DAY_NS, TimeNs, format_time
from airpocket.margin.rules import rules_in_force
from airpocket.market.options.chain import newest_chain
from airpocket.market.rules import tiers_in_force
from airpocket.market.state import Contract
from airpocket.playbook.hedging.asked import Asked
from airpocket.playbook.hedging.candidates import Candidates, candidates_of
from airpocket.playbook.hedging.major import Major
from airpocket.playbook.hedging.rows import Base, Rows, Valued
from airpocket.playbook.hedging.settings import HedgeSettings
from airpocket.playbook.hedging.sketch import flat_of, sketch
from airpocket.playbook.ledger import Ledger, Marks, Terms, ledger_of
from airpocket.playbook.situation import Situation, mark_of
from airpocket.playbook.valuation import value

_FRESH_H = 2.0
_HORIZON_D = 30  # ahead of which a known catalyst is to be outlasted
_CASH = "cash"


def asked_for(
    position: Position, held: Positions, situation: Situation, settings: HedgeSettings, *,
    major: Major | str, sketched: bool = True,
) -> Asked:  # fmt: skip
    """Everything a sheet is made from, at the situation's moment.

    Args:
        held: the file the position is of; coins of its asset at venues where nothing could be liquidated count
            as spot beside it.
        sketched: where no chain is known, options at one flat volatility stand in.

    Raises:
        BadInput: opened after that moment, of another asset, without a price.
        MarginError: the account can't be valued; says what is missing.
    """
    now, asset = situation.now, situation.market.asset
    contract = instrument(position.venue, position.symbol)
    if contract.base != asset:
        raise BadInput(f"{position.key} is {contract.base}, not {asset}")
    if position.opened_at > now:
        raise BadInput(
            f"{position.key}: opened at {format_time(position.opened_at)}, after the moment asked for, "
            f"{format_time(now)}; ask with a later --asof"
        )
    mark = mark_of(situation, position, _FRESH_H)
    if mark.price.value is None:
        raise BadInput(f"{position.key}: {mark.words}")
    accounts = accounts_of(held)
    own = next(each for each in accounts if position in each.positions)
    funding = situation.signals.tells.get(f"funding_8h:{position.key}")
    rate = (
        None
        if funding is None or funding.estimate.value is None
        else funding.estimate.value / 100.0
    )
    ledger = _ledger(own, asset, situation, position, mark.price.value, rate)
    rules = rules_in_force(position.venue, position.symbol, TimeNs(now))
    return Asked(
        asset=asset, now=now, simulated=situation.market.simulated, position=position, price=mark.price,
        valued=valued_by(ledger), major=major,
        candidates=_candidates(situation, asset, mark.price.value, held.volatility, sketched=sketched),
        settings=settings, beyond_d=_beyond(situation, settings), spot_coins=_spot(accounts, asset),
        paths=_paths(situation), taker_fee=None if rules is None else rules.taker_fee, funding_8h=rate,
    )  # fmt: skip


def valued_by(ledger: Ledger) -> Valued:
    """The account of a ledger, in rows."""

    def base(rows: Rows) -> Base:
        found = value(ledger, ledger.mark * (1.0 + rows.move), rows.shift, rows.days)
        return Base(found.equity_usd, found.maintenance_usd)

    return base


def _ledger(
    account: Account, asset: str, situation: Situation, position: Position, price: float, rate: float | None
) -> Ledger:  # fmt: skip
    own = situation.contract(position) or Contract(instrument(position.venue, position.symbol))
    rules = rules_in_force(position.venue, position.symbol, TimeNs(situation.now))
    tiers = tiers_in_force(own, TimeNs(situation.now))
    terms = {} if rules is None or tiers is None else {position.key: Terms(rules, tiers)}
    marks = Marks(
        now=situation.now, contract={position.key: price}, coin={asset: price},
        funding_8h={} if rate is None else {position.key: rate},
    )  # fmt: skip
    _check_alone(account)
    return ledger_of(account, asset, marks, terms)


def _check_alone(account: Account) -> None:
    if len(account.positions) > 1:
        raise BadInput(
            f"{account.name}: several perpetuals on one margin; for hedges give each its own wallet"
        )


def _candidates(
    situation: Situation, asset: str, price: float, stated: float | None, *, sketched: bool
) -> Candidates | str:
    found = newest_chain(situation.market, situation.now)
    if isinstance(found, str):
        signals = situation.signals
        flat = flat_of(stated, signals.figure("implied_index"), signals.figure("rv_30d"))
        if not sketched or isinstance(flat, str):
            return found if not sketched else f"{found}; {flat}"
        return sketch(replace(flat, words=f"{found}: {flat.words}"), price, situation.now)
    try:
        return candidates_of(found, asset, situation.now)
    except BadInput as error:
        return str(error)


def _beyond(situation: Situation, settings: HedgeSettings) -> float:
    """Days that a lasting hedge must reach: past the next known catalyst that is no rumour."""
    coming = ahead(situation.catalysts or (), situation.now, _HORIZON_D * DAY_NS)
    serious = [each for each in coming if each.confidence != "rumoured"]
    if not serious:
        return settings.beyond_d
    return max(settings.beyond_d, (serious[0].time - situation.now) / DAY_NS + 1.0)


def _spot(accounts: list[Account], asset: str) -> float:
    return sum(
        balance.amount
        for account in accounts
        if account.mode == _CASH
        for balance in account.balances
        if balance.currency == asset
    )


def _paths(situation: Situation) -> tuple[float, ...]:
    """Moves that the scan's pushes end at, both ways, fractions."""
    found = situation.cascade
    if not isinstance(found, Cascade):
        return ()
    return tuple(
        stop.reached.value / 100.0
        for scan in (found.up, found.down)
        for stop in scan.stops
        if stop.reached.value is not None and stop.inside_grid
    )
