"""Option hedges of a position as steps of its plan, from the chain where one can be priced (M25 to M28, M44)."""

from airpocket.playbook.ground import Ground
from airpocket.playbook.hedging.asked import Asked
from airpocket.playbook.hedging.backing import asked_of
from airpocket.playbook.hedging.records import Hedge
from airpocket.playbook.hedging.settings import HedgeSettings
from airpocket.playbook.hedging.sheet import APART, QUOTES, option_hedges
from airpocket.playbook.records import Play, Step

_SKETCH = HedgeSettings(near_enough=1e-3)  # the command searches further
_UNDONE = "expiry; roll what is held a week before it, or after a move of 8 to 10 %"


def hedge_play(ground: Ground) -> Play:
    """The shapes that can be had, each with legs and cost; else one row that says what is missing."""
    asked = _asked(ground)
    if isinstance(asked, str):
        return Play(
            id="hedges", title="Hedges", refs=_refs(ground), steps=[_missing(ground, asked)]
        )
    aim, hedges = option_hedges(asked)
    steps = [_step(ground, each, aim, asked.hold_d) for each in hedges if each.unknown is None]
    if not steps:
        why = "; ".join(dict.fromkeys(each.unknown or "" for each in hedges))
        return Play(id="hedges", title="Hedges", refs=_refs(ground), steps=[_missing(ground, why)])
    notes = [
        APART,
        QUOTES,
        "One of these, not all: airpocket hedge has them side by side, with what more costs.",
    ]
    return Play(id="hedges", title="Hedges", refs=_refs(ground), steps=steps, notes=notes)


def _refs(ground: Ground) -> list[str]:
    return ["M25", "M26", "M27", "M28"] if ground.is_short else ["M44"]


def _asked(ground: Ground) -> Asked | str:
    """The question of a sheet, or why it can't be asked here."""
    account = ground.account
    if account is None:
        return ground.no_account
    asked = asked_of(ground.position, account.ledger, ground.mark, ground.situation, _SKETCH)
    return asked.candidates if isinstance(asked.candidates, str) else asked


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


def _step(ground: Ground, hedge: Hedge, aim: str, hold_d: float) -> Step:
    legs = ", ".join(
        f"{leg.side} {leg.size.value or 0.0:,.10g} {leg.name} at {leg.price_coin or 0.0:.4f} coin"
        for leg in hedge.legs
    )
    gap = _SKETCH.gap_percent
    needed = bool(hedge.legs)
    because = [
        f"sized up to {gap:g} % against the position, {aim}, in every scenario tried",
        f"${0.0 if hedge.held is None else hedge.held.value or 0.0:,.0f} of it are gone after "
        f"{hold_d:g} days in which nothing happens",
    ]
    return Step(
        id=f"hedge_{hedge.id}", title=hedge.title, refs=hedge.refs, state="waiting" if needed else "quiet",
        condition="at any time, while the quotes stand",
        because=because if needed else because[:1],
        action=legs if needed else "nothing has to be bought: the position holds up as it is",
        invalidation=_UNDONE if needed else "", cost=hedge.cost, uncovered="; ".join(hedge.uncovered),
    )  # fmt: skip
