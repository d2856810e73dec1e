"""A position and a situation → its plan: margin, gaps, caps, funding, fuel, and the plays of its side."""

from collections.abc import Mapping

from airpocket.domain.errors import BadInput
from airpocket.domain.estimates import PRICE, RATIO, Estimate, known, unknown
from airpocket.domain.instruments import instrument
from airpocket.domain.portfolio import Account as AccountHeld
from airpocket.domain.portfolio import accounts_of
from airpocket.domain.positions import OptionPosition, Position, Positions
from airpocket.domain.units import TimeNs, format_time
from airpocket.margin.rules import VenueRules, rules_in_force
from airpocket.margin.standing import Standing
from airpocket.market.health import standing_of
from airpocket.playbook.account import Account
from airpocket.playbook.answer import answer_of, held
from airpocket.playbook.capping import caps_of, no_caps
from airpocket.playbook.carry import Bleed, bleed_of, funding_cut, funding_facts, funding_step
from airpocket.playbook.context import market_facts
from airpocket.playbook.events import event_play, upcoming
from airpocket.playbook.fuel import fuel_facts
from airpocket.playbook.gaps import gap_test
from airpocket.playbook.ground import Ground
from airpocket.playbook.hedges import Priced, hedge_play, in_words, nearest, outlay, priced
from airpocket.playbook.ledger import ledger_of
from airpocket.playbook.longs import add_play, bid_play, scale_out_play, stop_play
from airpocket.playbook.margin import margin_facts
from airpocket.playbook.marking import marked
from airpocket.playbook.orders import sent
from airpocket.playbook.records import Facts, GapTest, Plan, Play, ThinBooks
from airpocket.playbook.scenarios import scenario_play, trim_play
from airpocket.playbook.settings import PlanSettings
from airpocket.playbook.shorts import exit_play, staggered_play
from airpocket.playbook.situation import Mark, Situation, mark_of
from airpocket.playbook.stand import stand_of
from airpocket.playbook.structure import structure_of
from airpocket.playbook.thin import thin_books
from airpocket.playbook.urgent import close_now_play
from airpocket.playbook.words import moment


def plan_for(
    position: Position,
    situation: Situation,
    settings: PlanSettings | None = None,
    *,
    within: AccountHeld | None = None,
    others: Mapping[str, Situation] | None = None,
    cover: tuple[OptionPosition, ...] = (),
    beside: Positions | None = None,
) -> Plan:
    """The plan of one position at the situation's moment.

    Without a fresh price nothing can be computed, and the plan says so; without margin rules or tiers the
    margin sections say so and the plays stand on structure alone.

    Args:
        within: the account it shares its margin with; by default it stands alone.
        others: situations of that account's other coins, by asset.
        cover: options held anywhere; those that pay when this position loses let its stops be wider.
        beside: the whole file, of which spot at other venues counts where hedges are sized.

    Raises:
        BadInput: the position was opened after that moment, is another asset's, or has nothing behind it.
        MarginError: the position can't exist under the venue's rules (size above the tiers, more leverage
            than they grant), or something else of its account can't be valued.
    """
    s = settings or PlanSettings()
    _check(position, situation)
    mark = mark_of(situation, position, s.fresh_h)
    if mark.price.value is None:
        return _no_price(position, situation, mark)
    held = within or accounts_of(Positions(positions=(position,)))[0]
    known = {**(others or {}), situation.market.asset: situation}
    ground, stand, notes = _ground(position, held, known, s, mark, (cover, beside))
    bleed = bleed_of(ground)
    urgent = stand is not None and stand.already_liquidatable
    plays = sent(_plays(ground, bleed, urgent=urgent), ground)
    caps = caps_of(ground)
    return Plan(
        asset=situation.market.asset,
        as_of=format_time(situation.now),
        simulated=situation.market.simulated,
        position=position,
        answer=answer_of(ground, stand, caps),
        mark=mark.price,
        margin=margin_facts(ground, stand, mark.words, notes),
        gap_test=gap_test(ground),
        caps=caps,
        funding=funding_facts(ground, bleed),
        fuel=fuel_facts(ground),
        market=market_facts(ground),
        catalysts=upcoming(ground),
        plays=plays,
        thin_books=thin_books(ground, plays),
    )


def _plays(ground: Ground, bleed: Bleed, *, urgent: bool) -> list[Play]:
    if urgent and ground.account is not None:
        return [close_now_play(ground, ground.account)]
    options = priced(ground)
    funding = Play(
        id="funding", title="Funding discipline", refs=["M37", "M38"],
        steps=[funding_step(ground, bleed, _instead(ground, options))],
    )  # fmt: skip
    own = _short_plays(ground, options) if ground.is_short else _long_plays(ground)
    return [*own, event_play(ground), funding, hedge_play(ground, options)]


def _instead(ground: Ground, options: Priced | str) -> str:
    """M38: the part that is closed as an option that may lose no more than its premium and pays no funding."""
    if isinstance(options, str):
        return f"; an option to hold instead can't be named, {options}"
    coins = funding_cut(ground)
    leg = nearest(ground, options, call=not ground.is_short, delta=0.5, coins=coins)
    if leg is None:
        return "; no option of the kind to hold instead is quoted"
    cost = outlay(ground, [leg], options).value or 0.0
    sketch = ", a sketch" if options.sketch else ""
    return (
        f"; to keep its direction hold options instead: {in_words([leg])}, ${cost:,.0f} with fees, the most they "
        f"can lose{sketch}"
    )


def _short_plays(ground: Ground, options: Priced | str) -> list[Play]:
    return [
        staggered_play(ground), exit_play(ground), scenario_play(ground, options), trim_play(ground),
    ]  # fmt: skip


def _long_plays(ground: Ground) -> list[Play]:
    bids = bid_play(ground)
    smallest = min((s.size_coin.value or 0.0 for s in bids.steps if s.size_coin), default=None)
    own = ground.situation.contract(ground.position)
    if own is not None and standing_of(own):  # close-only: nothing may be added
        return [stop_play(ground), scale_out_play(ground)]
    return [stop_play(ground), bids, add_play(ground, smallest), scale_out_play(ground)]


def _check(position: Position, situation: Situation) -> None:
    contract = instrument(position.venue, position.symbol)
    if contract.base != situation.market.asset:
        raise BadInput(f"{position.key} is {contract.base}, not {situation.market.asset}")
    if position.opened_at > situation.now:
        raise BadInput(
            f"{position.key}: opened at {moment(position.opened_at)}, after the moment asked for, "
            f"{moment(situation.now)}; ask with a later --asof"
        )


def _ground(
    position: Position,
    held: AccountHeld,
    situations: Mapping[str, Situation],
    settings: PlanSettings,
    mark: Mark,
    elsewhere: tuple[tuple[OptionPosition, ...], Positions | None],
) -> tuple[Ground, Standing | None, tuple[str, ...]]:
    asset = instrument(position.venue, position.symbol).base
    situation = situations[asset]
    now = TimeNs(situation.now)
    cover, beside = elsewhere
    found = marked(held, situations, settings.fresh_h)
    rules = rules_in_force(position.venue, position.symbol, now)
    terms, reason = found.terms.get(position.key), ""
    account, stand = None, None
    if terms is None:
        what = "margin rules" if rules is None else "maintenance tiers"
        reason = f"no {what} of {position.key} are known at {moment(now)}"
    else:
        ledger = ledger_of(held, asset, found.marks, found.terms)
        account = Account(ledger, held.positions.index(position))
        stand = stand_of(account, terms)
    ground = Ground(
        position=position,
        situation=situation,
        settings=settings,
        mark=mark.price,
        structure=structure_of(situation, position.side, mark.price.value or 0.0),
        account=account,
        no_account=reason,
        liquidation=None if stand is None else stand.liquidation_price,
        venue_leverage=None if stand is None else stand.venue_max_leverage,
        taker_fee=_fee(rules, position, now),
        spread=situation.signals.figure("spread"),
        cover=tuple(
            each
            for each in cover
            if each.base == asset
            and each.side == "long"
            and each.expiry > now
            and each.call == (position.side == "short")
        ),
        beside=beside,
    )
    return ground, stand, found.notes


def _fee(rules: VenueRules | None, position: Position, now: TimeNs) -> Estimate:
    if rules is None or rules.taker_fee is None:
        return unknown(RATIO, f"no taker fee of {position.venue} is known")
    return known(rules.taker_fee, RATIO, as_of=now, now=now, source=rules.source)


def _no_price(position: Position, situation: Situation, mark: Mark) -> Plan:
    why = mark.words
    none = Facts(unknown=why, tells=[], notes=[])
    asset = situation.market.asset
    return Plan(
        asset=asset,
        as_of=format_time(situation.now),
        simulated=situation.market.simulated,
        position=position,
        answer=f"{held(position, asset)}: no plan, for want of a price: {why}.",
        mark=unknown(PRICE, why),
        margin=none,
        gap_test=GapTest(unknown=why, gaps=[], survivals=[], notes=[]),
        caps=no_caps(why),
        funding=none,
        fuel=none,
        market=none,
        catalysts=[],
        plays=[],
        thin_books=ThinBooks(unknown=why, rows=[], notes=[]),
    )
