"""The trailing stop of either side: multiples of ATR behind the best close since the position was opened."""

from airpocket.domain.estimates import PRICE
from airpocket.levels.words import price_text
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Step, StepState
from airpocket.playbook.stops import Stop, atr_multiple, trail

_SAME = 1e-9


def trailing(ground: Ground, stop: Stop, refs: list[str]) -> list[Step]:
    """None where there is no ATR or no stop to begin with; not in force while it lies beyond that stop."""
    multiple, because = atr_multiple(ground)
    at = trail(ground, multiple)
    if at is None or stop.price is None:
        return []
    short, size, text = ground.is_short, ground.position.size_coin, price_text(at)
    crossed = at <= ground.price if short else at >= ground.price
    further = at >= stop.price if short else at <= stop.price
    state: StepState = "firing" if crossed else "quiet" if further else "waiting"
    if state == "quiet":
        side = "above" if short else "under"
        where = f"{side} the stop at" if abs(at / stop.price - 1.0) > _SAME else "at the stop,"
        because = [*because, f"not in force: it lies {where} {price_text(stop.price)}"]
    passed = f"the price is already {'above' if short else 'below'} it"
    return [
        Step(
            id="trail", title="Trailing stop", refs=refs, state=state,
            condition=f"price trades at {text}, {multiple:g} × ATR 14 (daily) {'above' if short else 'under'} "
            "the best close since the position was opened",
            because=[passed, *because] if crossed else because,
            action=f"{'buy back' if short else 'sell'} all, {ground.text(size)}", size_coin=ground.coins(size),
            price=ground.modelled(at, PRICE), cost=ground.cost(size, at),
            invalidation=f"recomputed at each daily close; it only {'falls' if short else 'rises'}",
            uncovered="gaps",
        )
    ]  # fmt: skip
