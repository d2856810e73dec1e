"""Exits of a short: codified rules, thirds into strength, and the only re-entry (M30, M33)."""

from dataclasses import dataclass

from msgspec import structs

from airpocket.domain.estimates import PRICE, unknown
from airpocket.domain.tells import at_least
from airpocket.levels.words import price_text
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Play, Step
from airpocket.playbook.sizes import split
from airpocket.playbook.steps import all_of, resting
from airpocket.playbook.stops import Stop, structural, volatility_stop
from airpocket.playbook.tide import against, result_note
from airpocket.playbook.trailing import trailing

CHOOSE = (
    "Choose one way out: the thirds above, or the price invalidation here for the whole. Send every order "
    "reduce-only, so that two of them can never turn the short into a long."
)
NO_ADDS = "No martingale adds: nothing is ever sold on top of a losing short."
_THIRD = 1 / 3


@dataclass(frozen=True, slots=True)
class ExitPrices:
    """The three exit prices, rising: first extension, confirmation by a 4 h close, hard stop."""

    extension: float
    confirmation: float
    stop: float
    structure: str  # what the confirmation rests on; empty where only ATR or margin could be used
    begins: str  # what the extension rests on
    because: list[str]


def exit_prices(ground: Ground) -> ExitPrices | None:
    """Thirds at structure where the margin reaches that far, else spread over the room it leaves.

    None where neither ATR nor a liquidation price is known.
    """
    hard, found = volatility_stop(ground), structural(ground.structure, ground)
    limit, price = ground.margin_limit, ground.price
    span = ground.structure.atr_4h.value
    if hard.price is None or span is None:
        return None if limit is None or limit <= price else _by_margin(ground, limit, limit, "")
    confirmation = found[0] if found else price + (hard.price - price) * 2 / 3
    words = found[1].words if found else ""
    stop = max(hard.price, confirmation + span / 2)
    if limit is not None and stop > limit:
        stop = limit
    if confirmation >= stop - span / 10:
        return _by_margin(ground, stop, confirmation, words)
    near = found[1].near if found else price
    at_zone = price + ground.settings.noise_atr * span < near < confirmation
    extension = near if at_zone else (price + confirmation) / 2
    begins = f"the near edge of {words}" if at_zone else "half the way to the confirmation"
    return ExitPrices(extension, confirmation, stop, words, begins, [hard.basis, *hard.because])


def _by_margin(ground: Ground, stop: float, confirmation: float, words: str) -> ExitPrices:
    room = stop - ground.price
    told = (
        "the margin leaves no room for structure: the thirds are spread evenly before it runs out"
    )
    begins = told
    if words:
        begins = (
            f"{told} (a confirmed break of {words} needs {price_text(confirmation)}, the furthest stop "
            f"the margin allows is {price_text(stop)})"
        )
    return ExitPrices(
        ground.price + room / 3, ground.price + 2 * room / 3, stop, "", begins, [told]
    )


def exit_play(ground: Ground) -> Play:
    """M30: price invalidation, and what volatility has to say."""
    size = ground.position.size_coin
    prices = exit_prices(ground)
    steps = [_volatility_exit(ground)]
    notes = [CHOOSE, NO_ADDS]
    if prices is None:
        why = ground.structure.atr_day.unknown or ground.no_account
        return Play(
            id="exits", title="Exits by rule", refs=["M30"], steps=steps, notes=notes, unknown=why
        )
    confirm = price_text(prices.confirmation)
    rest = prices.structure or "the room the margin leaves"
    invalid = resting(
        ground, "price_invalidation", "Price invalidation, instead of the thirds", refs=["M30"],
        condition=f"a 4 h bar closes above {confirm}",
        action=f"buy back what is left, up to {ground.text(size)}",
        size_coin=size, price=prices.confirmation, because=[f"by {rest}", *_room(ground, prices)],
        invalidation="the close is back below within the same bar",
        uncovered=f"a move past {confirm} before the bar closes: the hard stop at "
        f"{price_text(prices.stop)} stands for that",
    )  # fmt: skip
    follow = trailing(ground, Stop(prices.stop, "the hard stop", []), ["M31"])
    return Play(
        id="exits", title="Exits by rule", refs=["M30", "M31"], steps=[invalid, *follow, *steps],
        notes=notes,
    )  # fmt: skip


def _room(ground: Ground, prices: ExitPrices) -> list[str]:
    reached = ground.liquidation
    if reached is None:
        return []
    share = 100 * (prices.confirmation - ground.price) / (reached - ground.price)
    return [f"{share:.0f} % of the way to liquidation at {price_text(reached)}"]


def _volatility_exit(ground: Ground) -> Step:
    s, size = ground.settings, ground.position.size_coin
    half, _ = split(size, (0.5, 0.5))
    rank = ground.situation.signals.figure("rv_rank")
    tell = at_least("rv_rank", "rank of the last day's volatility in its year", rank, s.vol_rank_exit,
                    f"extreme at {s.vol_rank_exit:g} %")  # fmt: skip
    state, because = all_of([tell])
    day = ground.situation.signals.figure("move_24h").value
    if state == "firing" and day is not None:
        way = "against" if ground.structure.hurts * day > 0.0 else "in favour of"
        because = [
            *because,
            f"that day moved price {day:+.1f} %, {way} this {ground.position.side}",
        ]
    return Step(
        id="volatility_exit", title="Volatility exit", refs=["M30"], state=state, because=because,
        condition=f"the last day is among the {100 - s.vol_rank_exit:g} % most volatile of its year",
        action=f"close half, {ground.text(half)}, and let the rest stand on its stop",
        size_coin=ground.coins(half), tells=[tell], cost=ground.cost(half, ground.price),
        invalidation="volatility falls back", uncovered="the other half",
    )  # fmt: skip


def staggered_play(ground: Ground) -> Play:
    """M33: a third into the first extension, a third on confirmation, a third at the stop."""
    title, refs = "Staggered exits", ["M33"]
    prices = exit_prices(ground)
    if prices is None:
        why = ground.structure.atr_day.unknown or "no structure and no liquidation price"
        return Play(id="staggered", title=title, refs=refs, steps=[], unknown=why)
    first, second, third = split(ground.position.size_coin, (_THIRD, _THIRD, _THIRD))
    confirm, stop = price_text(prices.confirmation), price_text(prices.stop)
    undone = "nothing: what is bought back stays bought back"
    steps = [
        resting(
            ground, "first_extension", "First third: first extension", refs=refs,
            condition=f"price trades up to {price_text(prices.extension)}",
            action=f"buy back {ground.text(first)} with a resting stop order", size_coin=first,
            price=prices.extension, because=[prices.begins], invalidation=undone,
            uncovered=f"{ground.text(ground.rest(first))} still short",
        ),
        resting(
            ground, "momentum", "Second third: momentum confirmed", refs=refs,
            condition=f"a 4 h bar closes above {confirm} with RSI 14 (4 h) at 60 or more",
            action=f"buy back {ground.text(second)}", size_coin=second, price=prices.confirmation,
            because=[f"by {prices.structure}"] if prices.structure else prices.because,
            invalidation="the bar closes below it",
            uncovered=f"{ground.text(third)} still short; the close that confirms may lie well beyond",
        ),
        resting(
            ground, "hard_stop", "Last third: the stop", refs=refs,
            condition=f"price trades at {stop}, on any time frame",
            action=f"buy back all that is left, at least {ground.text(third)}: a stop order, at the venue",
            size_coin=third, price=prices.stop, because=_why_there(ground, prices),
            invalidation=undone, uncovered="slippage past the stop in a thin book",
        ),
        _re_entry(ground),
    ]  # fmt: skip
    fills = [(first, prices.extension), (second + third, prices.stop)]
    notes = [result_note(ground, fills, "If the stop comes before the confirmation")]
    return Play(id="staggered", title=title, refs=refs, steps=steps, notes=notes)


def _why_there(ground: Ground, prices: ExitPrices) -> list[str]:
    stop = prices.stop
    if ground.liquidation is None:
        return [*prices.because, f"liquidation: {ground.no_account or 'this position has none'}"]
    return [
        *prices.because,
        f"{100 * (ground.liquidation / stop - 1):.1f} % before liquidation at "
        f"{price_text(ground.liquidation)}",
    ]


def _re_entry(ground: Ground) -> Step:
    shelf = next(iter(ground.structure.against), None)
    if shelf is None:
        return Step(
            id="re_entry", title="Re-entry", refs=["M33"], state="unknown",
            condition="a failed retest of a broken zone", because=["no zone is known above the price"],
            action="none", price=unknown(PRICE, "no zone is known above the price"),
        )  # fmt: skip
    half, _ = split(ground.position.size_coin, (0.5, 0.5))
    low, tide = price_text(shelf.zone.low), against(ground)
    step = resting(
        ground, "re_entry", "Re-entry, only on a failed retest", refs=["M33"],
        condition=f"after a break above {shelf.words}, price comes back, retests it from below and a 4 h "
        f"bar closes under {low}",
        action=f"sell again at most {ground.text(half)}, as a new position with its own stop",
        size_coin=half, price=shelf.zone.low,
        because=["a failed retest is the one sign that the squeeze is spent"],
        invalidation=f"a 4 h close above {price_text(shelf.zone.high)}",
        uncovered="everything the first position had open",
    )  # fmt: skip
    if not tide:
        return step
    why = f"the verdict is {tide}: nothing is sold again while it runs against shorts"
    return structs.replace(step, state="quiet", because=[why])
