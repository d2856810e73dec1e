"""Option hedges of a position as steps of its plan, from the chain or sketched (M25 to M28, M44)."""

import math
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs

from airpocket.domain.estimates import PERCENT_YEAR, PRICE, USD, Estimate
from airpocket.playbook.ground import Ground
from airpocket.playbook.hedging.asked import Asked
from airpocket.playbook.hedging.backing import Around, asked_of, spot_beside
from airpocket.playbook.hedging.candidates import Candidates
from airpocket.playbook.hedging.records import Hedge, HedgeLeg
from airpocket.playbook.hedging.settings import HedgeSettings
from airpocket.playbook.hedging.sheet import APART, QUOTES, SKETCH, option_hedges
from airpocket.playbook.records import Play, Step
from airpocket.playbook.sizes import rest_of, rounded_down

# the command looks at more rows and searches further
_SETTINGS = HedgeSettings(step_percent=2.5, kept_columns=(8, 16), near_enough=1e-3)
_UNDONE = "expiry; roll what is held a week before it, or after a move of 8 to 10 %"
_UNDONE_STRIP = "expiry: it covers its few days and is not rolled; sell it when momentum cools"
_SKETCHED = ("ladder", "spread", "collar")
_DEAR = 0.25  # of the equity behind the position: a premium that is a loss of its own


@dataclass(frozen=True, slots=True)
class Priced:
    """What options could be had for the position: the shapes solved, and everything that was quoted.

    aim: what they are sized for, in words.
    """

    asked: Asked
    found: Candidates
    aim: str
    hedges: list[Hedge]

    @property
    def sketch(self) -> str:
        """The flat volatility that stands in for quotes; empty where a chain is known."""
        return self.found.sketch

    def shape(self, *names: str) -> Hedge | None:
        """The first of these shapes that has legs."""
        by_id = {each.id: each for each in self.hedges if each.legs}
        return next((by_id[name] for name in names if name in by_id), None)


def priced(ground: Ground) -> Priced | str:
    """The hedges that the position could have, or why none can be priced."""
    account = ground.account
    if account is None:
        return ground.no_account
    asked = asked_of(
        ground.position, account.ledger, ground.mark, ground.situation, _SETTINGS,
        Around(volatility=ground.situation.volatility),
    )  # fmt: skip
    if ground.beside is not None:
        asked = replace(asked, spot_coins=spot_beside(ground.beside, ground.asset))
    found = asked.candidates
    if isinstance(found, str):
        return found
    if found.sketch:  # no finer than what it stands on
        asked = replace(asked, settings=replace(asked.settings, legs=2))
    aim, hedges = option_hedges(asked, _SKETCHED if found.sketch else ())
    return Priced(asked, found, aim, hedges)


def hedge_play(ground: Ground, options: Priced | str) -> Play:
    """The shapes that can be had, each with legs and cost; else one row that says what is missing."""
    if isinstance(options, str):
        return _play(ground, [_missing(ground, options)])
    steps = [_step(ground, each, options) for each in _distinct(options.hedges)]
    if not steps:
        return _play(ground, [_none_holds(ground, options)], _closing(ground, options))
    about = [f"{SKETCH} ({options.sketch})."] if options.sketch else [QUOTES]
    more = "One of these, not all: airpocket hedge has them side by side, with what more costs."
    return _play(ground, steps, [APART, *about, *_closing(ground, options), more])


def _play(ground: Ground, steps: list[Step], notes: list[str] | None = None) -> Play:
    return Play(id="hedges", title="Hedges", refs=_refs(ground), steps=steps, notes=notes or [])


def _distinct(hedges: list[Hedge]) -> list[Hedge]:
    """Without those that trade the same as one before, and a spread that sells nothing: it is the ladder."""
    seen: dict[tuple[tuple[str, str, float], ...], Hedge] = {}
    bought = any(each.id == "ladder" and each.legs for each in hedges)
    for each in hedges:
        alone = each.id == "spread" and bought and not any(leg.side == "sell" for leg in each.legs)
        if each.unknown is None and not alone:
            legs = tuple(sorted((leg.side, leg.name, leg.size.value or 0.0) for leg in each.legs))
            seen.setdefault(legs, each)
    return list(seen.values())


def _refs(ground: Ground) -> list[str]:
    return ["M25", "M26", "M27", "M28"] if ground.is_short else ["M44"]


def _missing(ground: Ground, why: str) -> Step:
    if ground.is_short:
        what, left = "an out-of-the-money call ladder or call spread", "every rise up to the stop"
    else:
        what, left = (
            "a collar: a put of about 25 delta paid for by a call",
            "every fall down to the stop",
        )
    return Step(
        id="hedge", title="Hedge", refs=_refs(ground), state="unknown",
        condition="a chain with two-sided quotes", because=[why],
        action=f"{what}: neither strike, size nor cost can be given", uncovered=f"{left}, and gaps through it",
    )  # fmt: skip


def _none_holds(ground: Ground, options: Priced) -> Step:
    """Every shape was tried: that none holds is an answer, and what helps is something else."""
    s = options.asked.settings
    sign = "+" if ground.is_short else "-"
    why = dict.fromkeys(each.unknown for each in options.hedges if each.unknown)
    return Step(
        id="hedge", title="Hedge", refs=_refs(ground), state="quiet",
        condition=f"a hedge of options keeps {s.buffer:g} × maintenance up to {sign}{s.gap_percent:g} %",
        because=[f"none does: {each}" for each in why],
        action="no option hedge: the margin is too thin to pay for one, so close a part or add margin",
        uncovered=f"every move up to {sign}{s.gap_percent:g} % and beyond",
    )  # fmt: skip


def _step(ground: Ground, hedge: Hedge, options: Priced) -> Step:
    gap = _SETTINGS.gap_percent
    needed = bool(hedge.legs)
    because = [
        f"sized up to {gap:g} % against the position, {options.aim}, in every scenario tried",
        *_held(hedge, options.asked.hold_d),
        *_weight(ground, hedge.cost),
    ]
    undone = _UNDONE_STRIP if hedge.id == "gamma" else _UNDONE
    return Step(
        id=f"hedge_{hedge.id}", title=f"{hedge.title}{' (sketch)' if options.sketch else ''}", refs=hedge.refs,
        state="waiting" if needed else "quiet", because=because, legs=[] if options.sketch else hedge.legs,
        condition="once a chain quotes it: a sketch is no offer" if options.sketch
        else "at any time, while the quotes stand",
        action=in_words(hedge.legs) if needed
        else "nothing has to be bought: the position holds up as it is",
        invalidation=undone if needed else "", cost=hedge.cost, uncovered="; ".join(hedge.uncovered),
    )  # fmt: skip


def _held(hedge: Hedge, hold_d: float) -> list[str]:
    if hedge.held is None or hedge.held.value is None or not hedge.legs:
        return []
    return [f"${hedge.held.value:,.0f} are gone after {hold_d:.3g} days in which nothing happens"]


def _weight(ground: Ground, cost: Estimate | None) -> list[str]:
    """What the premium is of the equity, where that says something."""
    if cost is None or cost.value is None or ground.account is None or ground.account.equity <= 0.0:
        return []
    share = cost.value / ground.account.equity
    if share < _DEAR:
        return []
    return [
        f"it costs {100 * share:.0f} % of the equity behind the position: closing a part is the cheaper answer"
    ]


def _closing(ground: Ground, options: Priced) -> list[str]:
    """What the same cover costs by being smaller: the first thing a desk asks."""
    account = ground.account
    if account is None:
        return []
    s = options.asked.settings
    size = account.size_surviving(s.gap_percent, s.buffer)
    if size >= account.size_coin:
        return []
    cut = rest_of(account.size_coin, rounded_down(size, account.size_coin))
    cost = ground.cost(cut, ground.price)
    told = (
        ""
        if cost.value is None
        else f" for {'at least ' if cost.at_least else ''}${cost.value:,.0f}"
    )
    return [
        f"Closing {ground.text(cut)}{told} keeps {s.buffer:g} × maintenance at the same gap, and gives up "
        "its share of what the position may still make."
    ]


def in_words(legs: list[HedgeLeg]) -> str:
    """'buy 508 × ETH-20FEB26-2250-C at 0.0225 coin ($46.09), sell …'."""
    return ", ".join(
        f"{leg.side} {leg.size.value or 0.0:,.10g} × {leg.name} at {_price(leg)}" for leg in legs
    )


def _price(leg: HedgeLeg) -> str:
    usd = f"${leg.price.value or 0.0:,.2f}"
    return usd if leg.price_coin is None else f"{leg.price_coin:.4f} coin ({usd})"


def scaled(hedge: Hedge, share: float) -> list[HedgeLeg]:
    """A hedge for a share of the position in whole coins: bought legs rounded up, sold ones down.

    What is sold stays covered by what is bought, strike by strike, as it was.
    """
    legs: list[HedgeLeg] = []
    for leg in hedge.legs:
        coins = share * (leg.size.value or 0.0)
        whole = math.ceil(coins - 1e-9) if leg.side == "buy" else math.floor(coins + 1e-9)
        if whole:
            legs.append(structs.replace(leg, size=structs.replace(leg.size, value=float(whole))))
    return legs


def outlay(ground: Ground, legs: list[HedgeLeg], options: Priced) -> Estimate:
    """USD paid at once for legs, with the options venue's fee."""
    s, index = options.asked.settings, options.found.index
    total = 0.0
    for leg in legs:
        price, coins = leg.price.value or 0.0, leg.size.value or 0.0
        fee = min(s.option_fee * index, s.option_fee_cap * price)
        total += coins * ((price if leg.side == "buy" else -price) + fee)
    return ground.modelled(total, USD, "asks and bids, with fees")


def nearest(
    ground: Ground, options: Priced, *, call: bool, delta: float, coins: float
) -> HedgeLeg | None:
    """`coins` bought of the option nearest to a delta, of the first expiry that outlasts what must be outlasted."""
    found, beyond = options.found, options.asked.hold_d
    fit = (found.call == call) & (found.ask > 0.0) & (found.days >= beyond)
    if not fit.any():
        return None
    fit &= found.expiry == found.expiry[fit].min()
    rows = np.flatnonzero(fit)
    at = int(rows[np.argmin(np.abs(np.abs(found.delta[rows]) - delta))])
    return leg_at(ground, options, at, "buy", math.ceil(coins - 1e-9))


def leg_at(ground: Ground, options: Priced, at: int, side: str, coins: float) -> HedgeLeg:
    """One trade of a quoted option at its ask or bid."""
    found = options.found
    price = float((found.ask if side == "buy" else found.bid)[at])
    vol = float((found.ask_vol if side == "buy" else found.bid_vol)[at])
    usd = ground.modelled(price, PRICE, f"{found.venue} {'ask' if side == 'buy' else 'bid'}")
    return HedgeLeg(
        side=side, name=str(found.name[at]), size=ground.coins(float(coins)), price=usd,
        price_coin=price / found.index,
        volatility=ground.modelled(100.0 * vol, PERCENT_YEAR, "of that price"),
        delta=float(found.delta[at]), days=float(found.days[at]),
    )  # fmt: skip
