"""Plays of a long: staggered bids sized to a risk budget, its stop, adds on retests, scaling out (M40 to M45)."""

from dataclasses import dataclass

import numpy as np
from msgspec import structs

from airpocket.domain.estimates import PRICE, Estimate
from airpocket.domain.tells import at_most
from airpocket.levels.roadmap import Level, Zone
from airpocket.levels.words import price_text
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Play, Step
from airpocket.playbook.sizes import rounded_down, split
from airpocket.playbook.steps import all_of, resting
from airpocket.playbook.stops import Stop, best_stop
from airpocket.playbook.structure import Shelf
from airpocket.playbook.tide import against, result_note
from airpocket.playbook.trailing import trailing

ISOLATED = (
    "Put each bid on isolated margin, so that it can't take the rest of the account with it; blend it "
    "with spot where the size allows."
)

_ENDS = "cancelled once the position's own stop fills"


@dataclass(frozen=True, slots=True)
class Bid:
    """One resting bid: price after snapping, and what it was snapped to."""

    price: float
    size_coin: float
    basis: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """Bids from the shallowest to the deepest, the one stop under all of them, and what they may lose."""

    bids: tuple[Bid, ...]
    stop: float
    stop_basis: str
    budget_usd: float
    held_risk_usd: float  # what the open position loses down to its own stop

    @property
    def risk_usd(self) -> float:
        """Loss of all bids, filled and stopped out."""
        return sum(bid.size_coin * (bid.price - self.stop) for bid in self.bids)


def ladder_of(ground: Ground) -> Ladder | str:
    """The bids, or why there are none."""
    profile, s = ground.situation.roadmap.profile, ground.settings
    nodes = [] if profile is None else profile.high_volume_nodes
    if not nodes:
        return "no high-volume node: the volume profile is not known here"
    span = ground.structure.atr_day.value
    if span is None:
        return ground.structure.atr_day.unknown or "no daily ATR"
    whole = portfolio_of(ground)
    if whole is None:
        return "portfolio_usd is not in the position file: a risk budget needs it"
    node = min(nodes, key=lambda price: abs(np.log(price / ground.price)))
    start = min(node, ground.price)
    placed = [
        _snapped(ground, start * (1 - percent / 100), f"{percent:g} % under {price_text(start)}")
        for percent in s.bid_discounts_percent
    ]
    placed = [(price, words) for price, words in placed if price < ground.price]
    if not placed:
        return "every bid would lie at or above the present price"
    placed.sort(reverse=True)
    stop, basis = _under(ground, placed[-1][0], span)
    budget = s.risk_percent[1] / 100 * whole
    held = ground.position.size_coin * (ground.price - (best_stop(ground).price or stop))
    sizes = sized([price for price, _ in placed], stop, max(budget - held, 0.0), s.bid_weights)
    bids = tuple(
        Bid(price, rounded_down(size, ground.position.size_coin), words)
        for (price, words), size in zip(placed, sizes, strict=True)
    )
    return Ladder(bids, stop, basis, budget, held)


def portfolio_of(ground: Ground) -> float | None:
    """What the risk cap is taken of: the stated portfolio, else a cross account's wallet."""
    if ground.situation.portfolio_usd is not None:
        return ground.situation.portfolio_usd
    return ground.position.wallet_usd if ground.position.margin_mode == "cross" else None


def sized(
    prices: list[float], stop: float, budget: float, weights: tuple[float, ...]
) -> list[float]:
    """Coins per bid, in proportion to `weights` (the last to the deepest), losing `budget` at the stop."""
    mine = weights[len(weights) - len(prices) :]
    loss = sum(w * (price - stop) for w, price in zip(mine, prices, strict=True))
    return [w * budget / loss for w in mine]


def _snapped(ground: Ground, price: float, words: str) -> tuple[float, str]:
    """The price, moved to the heaviest level of the strongest zone within `snap_percent`."""
    reach = ground.settings.snap_percent / 100
    near = [z for z in ground.situation.roadmap.zones if _level(z, price, reach) is not None]
    if not near:
        return price, f"{words}; no zone within {ground.settings.snap_percent:g} % to lean on"
    zone = max(near, key=lambda z: (z.strength, z.prominence))
    level = _level(zone, price, reach)
    if level is None:
        return price, words
    return level.price, f"{words}, moved to {zone.role.replace('_', ' ')} ({level.label})"


def _level(zone: Zone, price: float, reach: float) -> Level | None:
    """The heaviest level of a zone within `reach` (fraction) of a price."""
    return next((lev for lev in zone.confluence if abs(lev.price / price - 1) <= reach), None)


def _under(ground: Ground, deepest: float, span: float) -> tuple[float, str]:
    """The stop under the deepest bid: below the next zone if one is within 2.5 ATR, else 1.5 ATR down."""
    tight, wide = ground.settings.stop_atr_range
    for shelf in ground.structure.against:
        stop = shelf.far - ground.settings.pad_atr * (ground.structure.atr_4h.value or 0.0)
        if span / 2 <= deepest - stop <= wide * span:
            return stop, f"below {shelf.words}"
    return deepest - tight * span, f"{tight:g} × ATR 14 (daily) under the deepest bid"


def bid_play(ground: Ground) -> Play:
    """M40, M41: resting bids with more size deeper, inside the risk budget."""
    title, refs = "Staggered bids", ["M40", "M41"]
    ladder = ladder_of(ground)
    if isinstance(ladder, str):
        return Play(id="bids", title=title, refs=refs, steps=[], notes=[ISOLATED], unknown=ladder)
    notes = [_budget_words(ground, ladder), ISOLATED]
    if ladder.budget_usd <= ladder.held_risk_usd:
        return Play(
            id="bids", title=title, refs=refs, steps=[], notes=notes,
            unknown="the open position alone uses up the risk budget: no bids until it is smaller or its "
            "stop is nearer",
        )  # fmt: skip
    stop = price_text(ladder.stop)
    steps = [
        resting(
            ground, f"bid_{k}", f"Bid {k} of {len(ladder.bids)}", refs=refs,
            condition=f"price trades down to {price_text(bid.price)}",
            action=f"buy {ground.text(bid.size_coin)} with a resting limit order",
            size_coin=bid.size_coin, price=bid.price, because=[bid.basis],
            invalidation=f"price trades at {stop} ({ladder.stop_basis}): sell every bid that was filled; "
            f"{_ENDS}",
            uncovered="a gap through the stop",
        )
        for k, bid in enumerate(ladder.bids, 1)
    ]  # fmt: skip
    return Play(id="bids", title=title, refs=refs, steps=steps, notes=notes)


def _budget_words(ground: Ground, ladder: Ladder) -> str:
    share = ground.settings.risk_percent[1]
    of = "the portfolio" if ground.situation.portfolio_usd is not None else "the wallet"
    told = (
        f"Risk budget: {share:g} % of {of}, ${ladder.budget_usd:,.0f}. The open position risks "
        f"${ladder.held_risk_usd:,.0f} of it down to its own stop"
    )
    if ladder.risk_usd <= 0.0:
        return f"{told}."
    return (
        f"{told}; all bids filled lose ${ladder.risk_usd:,.0f} at theirs, {price_text(ladder.stop)} "
        f"({ladder.stop_basis})."
    )


def stop_play(ground: Ground) -> Play:
    """M45: the structural stop and the trail behind the best close."""
    size, stop = ground.position.size_coin, best_stop(ground)
    title, refs = "Stop", ["M45"]
    if stop.price is None:
        return Play(id="stop", title=title, refs=refs, steps=[], unknown="; ".join(stop.because))
    text = price_text(stop.price)
    resting_stop = resting(
        ground, "stop", "The stop", refs=refs, condition=f"price trades at {text}",
        action=f"sell all, {ground.text(size)}: a stop order, at the venue", size_coin=size,
        price=stop.price, because=[f"by {stop.basis}", *stop.because, *_before_liquidation(ground, stop)],
        invalidation="it is never moved away from the price; it moves up behind higher lows",
        uncovered="slippage past the stop in a thin book",
    )  # fmt: skip
    return Play(
        id="stop", title=title, refs=refs, steps=[resting_stop, *trailing(ground, stop, ["M45"])],
        notes=[result_note(ground, [(size, stop.price)], "If the stop fills at its price")],
    )  # fmt: skip


def _before_liquidation(ground: Ground, stop: Stop) -> list[str]:
    if ground.liquidation is None or stop.price is None:
        return [f"liquidation: {ground.no_account or 'this position has none'}"]
    room = 100 * (1 - ground.liquidation / stop.price)
    return [f"{room:.1f} % above liquidation at {price_text(ground.liquidation)}"]


def add_play(ground: Ground, smallest_bid: float | None) -> Play:
    """M42, M43: adds only after a retest has held, or into a funding reset; never into a vertical candle."""
    signals, s = ground.situation.signals, ground.settings
    move = signals.figure("hour_move_sd")
    calm = at_most("no_chase", "last hour's move, either way", move if move.value is None else
                   structs.replace(move, value=abs(move.value)), s.chase_sd,
                   f"not vertical at {s.chase_sd:g} sd or less")  # fmt: skip
    neutral = at_most("funding_reset", "funding", signals.figure("funding_8h"), s.neutral_funding_8h,
                      f"reset at {s.neutral_funding_8h:.2f} %/8 h or less")  # fmt: skip
    pullback = at_most(
        "pullback", "price, 24 h", signals.figure("move_24h"), 0.0, "a pullback at 0 %"
    )
    state, because = all_of([calm, neutral, pullback])
    tide = against(ground)
    if tide:
        state, because = "quiet", [_no_adds(tide)]
    size = None if smallest_bid is None else ground.coins(smallest_bid)
    amount = "no more than the first bid" if smallest_bid is None else ground.text(smallest_bid)
    reset = Step(
        id="funding_reset", title="Scale in on a funding reset", refs=["M43"], state=state,
        because=because, condition="funding is back to neutral while price pulls back",
        action=f"buy {amount} at once, instead of the first bid; it counts against the same budget",
        size_coin=size, tells=[calm, neutral, pullback], invalidation=f"the stop of the bids; {_ENDS}",
        cost=None if smallest_bid is None else ground.cost(smallest_bid, ground.price),
        uncovered="a further fall to the stop",
    )  # fmt: skip
    return Play(
        id="adds", title="Adds", refs=["M42", "M43"], steps=[_retest_add(ground, size, amount), reset],
        notes=["No chasing: nothing is bought into a vertical candle, and no losing long is doubled."],
    )  # fmt: skip


def _no_adds(tide: str) -> str:
    return f"the verdict is {tide}: nothing is added while it runs against longs"


def _retest_add(ground: Ground, size: Estimate | None, amount: str) -> Step:
    shelf = next(iter(ground.structure.against), None)
    title = "Confirmation add, on a retest that holds"
    if shelf is None:
        return Step(
            id="confirmation", title=title, refs=["M42"], state="unknown", action="none",
            condition="a retest of support holds", because=["no zone is known below the price"],
        )  # fmt: skip
    zone, tide = shelf.zone, against(ground)
    why = "an add belongs after the proof, not before it"
    return Step(
        id="confirmation", title=title, refs=["M42"], state="quiet" if tide else "waiting",
        condition=f"price trades into {shelf.words}, then a 4 h bar closes above "
        f"{price_text(zone.high)} with a higher low",
        because=[_no_adds(tide) if tide else why],
        action=f"buy {amount}; it counts against the same budget", size_coin=size,
        price=ground.modelled(zone.high, PRICE),
        invalidation=f"a 4 h close below {price_text(zone.low)}; {_ENDS}",
        cost=None if size is None or size.value is None else ground.cost(size.value, zone.high),
        uncovered="a second retest that fails",
    )  # fmt: skip


def scale_out_play(ground: Ground) -> Play:
    """M45: a quarter into each of the next three zones, the rest on the trail; reload on a clean retest."""
    targets = ground.structure.targets(ground.settings.noise_atr)[:3]
    title, refs = "Scale out", ["M45"]
    if not targets:
        return Play(
            id="scale_out",
            title=title,
            refs=refs,
            steps=[],
            unknown="no zone is known above the price",
        )
    shares = tuple([0.25] * len(targets) + [1 - 0.25 * len(targets)])
    *parts, rest = split(ground.position.size_coin, shares)
    steps = [
        _target(ground, number, part, price, shelf)
        for number, (part, (price, shelf)) in enumerate(zip(parts, targets, strict=True), 1)
    ]
    notes = [
        f"The last {ground.text(rest)} has no target: it stays on the stop and its trail.",
        "Reload what was sold only on a clean retest from above of the zone it was sold into.",
    ]
    return Play(id="scale_out", title=title, refs=refs, steps=steps, notes=notes)


def _target(ground: Ground, number: int, part: float, price: float, shelf: Shelf) -> Step:
    gain = 100 * (price / ground.position.entry_price - 1)
    edge = "near" if price == shelf.near else "far"
    return resting(
        ground, f"target_{number}", f"Target {number}", refs=["M45"],
        condition=f"price trades up to {price_text(price)}",
        action=f"sell {ground.text(part)} with a resting limit order", size_coin=part, price=price,
        because=[f"the {edge} edge of {shelf.words}", f"{gain:+.1f} % from the entry"],
        invalidation="nothing: what is sold stays sold until a clean retest",
        uncovered="what is still held",
    )  # fmt: skip
