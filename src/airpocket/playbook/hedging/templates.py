"""The known shapes of hedges, as which options each may buy and which it may sell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import BoolArray
from airpocket.playbook.hedging.candidates import Candidates
from airpocket.playbook.hedging.settings import HedgeSettings


@dataclass(frozen=True, slots=True)
class Template:
    """One shape. days: ahead in its rows, None for the settings'. paired: it sells as much as it buys."""

    id: str
    title: str
    refs: tuple[str, ...]
    days: Sequence[float] | None = None
    paired: bool = False


def templates(short: bool, settings: HedgeSettings) -> tuple[Template, ...]:
    """Those made of options, for a short or a long."""
    kind = "call" if short else "put"
    collar = "Collar: a call paid for by a put" if short else "Collar: a put paid for by a call"
    return (
        Template("ladder", f"{kind.capitalize()}s out of the money", ("M25",)),
        Template("spread", f"{kind.capitalize()} spread", ("M27",)),
        Template("collar", collar, ("M27",) if short else ("M44",), paired=True),
        Template("gamma", "Short-dated gamma strip", ("M28",), settings.weekly_days),
        Template("free", "Free optimum", ("M25", "M27", "M38")),
    )


def picks(
    template: Template, found: Candidates, short: bool, settings: HedgeSettings, hold_d: float
) -> tuple[BoolArray, BoolArray]:
    """(n,) which options it may buy and which it may sell.

    hold_d: what a lasting hedge must outlast.
    """
    days, delta = found.days, np.abs(found.delta)
    buyable, sellable = found.ask > 0.0, found.bid > 0.0
    protects = found.call if short else ~found.call
    lasting = (days >= hold_d) & (days <= settings.longest_d)
    none = np.zeros(len(found), dtype=np.bool_)

    def within(window: tuple[float, float]) -> BoolArray:
        return (delta >= window[0]) & (delta <= window[1])

    if template.id == "ladder":
        return buyable & protects & lasting & within(settings.otm_delta), none
    if template.id == "spread":
        buy = buyable & protects & lasting & within(settings.spread_buy_delta)
        return buy, sellable & protects & lasting & within(settings.spread_sell_delta)
    if template.id == "gamma":
        return buyable & protects & (days <= settings.weekly_d) & within(settings.gamma_delta), none
    if template.id == "collar":
        tenor = (days >= max(settings.collar_d[0], hold_d)) & (days <= settings.collar_d[1])
        buy = buyable & protects & tenor & within(settings.collar_buy_delta)
        return buy, sellable & ~protects & tenor & within(settings.collar_sell_delta)
    outside = within((settings.otm_delta[0], settings.spread_buy_delta[1]))
    sold = sellable & lasting & within(settings.spread_sell_delta)
    # what only the position covers is not sold for longer than a collar
    return buyable & protects & lasting & outside, sold & (
        protects | (days <= settings.collar_d[1])
    )
