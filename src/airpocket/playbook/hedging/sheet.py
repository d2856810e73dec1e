"""A position and its candidates → every hedge: cost, what it holds up to, what stays open; and the table."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from airpocket.domain.estimates import USD, Estimate, unknown
from airpocket.domain.units import SECOND_NS, format_time
from airpocket.playbook.hedging.asked import (
    SPOT_FEE,
    Asked,
    Maker,
    major_maker,
    option_maker,
    spot_maker,
    task_of,
    trim_maker,
)
from airpocket.playbook.hedging.candidates import Candidates
from airpocket.playbook.hedging.choose import cheapest
from airpocket.playbook.hedging.made import Shape, at_gap, hedge_of, plain_protected, top_up
from airpocket.playbook.hedging.major import Major
from airpocket.playbook.hedging.programme import Unsolved
from airpocket.playbook.hedging.records import (
    ChainFacts,
    Hedge,
    HedgeSheet,
    PathMove,
    Protection,
)
from airpocket.playbook.hedging.rows import rows_of
from airpocket.playbook.hedging.tail import tail_loss
from airpocket.playbook.hedging.templates import Template, templates

_HALF = 0.5
APART = (
    "The position's venue counts nothing that is held elsewhere: a hedge pays for a loss there, but the venue "
    "liquidates at its own price unless money is moved in time."
)
QUOTES = (
    "Options are bought at the ask and sold at the bid, and valued in every row at the volatility of the other "
    "side of their quote. Where the size behind a quote is known, a leg takes no more; where it is not, a large "
    "order costs more."
)
CALM = (
    "Cheapest is what has cost least after the stated days if nothing happens: price where it is, volatility down "
    "a fifth (at 30 days to expiry, more for shorter), every leg closed at the other side of its quote. What "
    "expires before is bought anew at the same price, and money paid is charged 10 % a year."
)
TAIL = (
    "The worst 5 % are modelled: a week's moves by Student's t with four degrees of freedom at the implied (else "
    "the realised) volatility, no drift, volatilities of options unchanged, as if nobody were liquidated meanwhile."
)
SKETCH = (
    "No chain is known here, so nothing of this is quoted: every option is priced at one flat volatility, a point "
    "to either side of it. A real chain asks more for what is far out"
)
STICKY = (
    "Every option keeps its own volatility as price moves, shifted by a fifth down and two fifths up (at 30 days, "
    "more for shorter): an assumption. Who is hurt by a sharper crush than that is not covered."
)


def hedge_sheet(asked: Asked) -> HedgeSheet:
    """Every shape of hedge for the position's side, and what more protection costs."""
    found = asked.candidates
    asked, aim = _aim(asked)
    hedges = [_of_options(asked, each) for each in templates(asked.short, asked.settings)]
    hedges += [_spot(asked), _major(asked), _trim(asked)]
    plain = plain_protected(asked)
    s = asked.settings
    return HedgeSheet(
        asset=asked.asset, as_of=format_time(asked.now), simulated=asked.simulated, position=asked.position,
        answer=_answer(asked, plain, aim, hedges), price=asked.price, gap_percent=s.gap_percent, buffer=s.buffer,
        hold_d=asked.hold_d, plain_tail_loss=tail_loss(asked, None, np.zeros(0)), paths=_paths(asked),
        no_paths=asked.no_paths,
        plain_protected=plain, top_up=top_up(asked), chain=_chain(found),
        no_chain=found if isinstance(found, str) else found.sketch or None, hedges=hedges, table=_table(asked),
        notes=_notes(asked),
    )  # fmt: skip


def _about(found: Candidates | str) -> list[str]:
    if isinstance(found, str):
        return []
    return [CALM, f"{SKETCH} ({found.sketch})." if found.sketch else QUOTES, STICKY]


def option_hedges(asked: Asked, only: Sequence[str] = ()) -> tuple[str, list[Hedge]]:
    """What they are sized for, in words, and the hedges made of options alone; `only` these shapes, or all."""
    asked, aim = _aim(asked)
    shapes = [
        each for each in templates(asked.short, asked.settings) if not only or each.id in only
    ]
    return aim, [_of_options(asked, each) for each in shapes]


def _notes(asked: Asked) -> list[str]:
    told = [APART]
    if asked.others:
        told.append(
            f"The account's other coins ({', '.join(asked.others)}) move by the same per cent as {asked.asset}, or "
            "not at all, whichever leaves less."
        )
    return [*told, *_about(asked.candidates), TAIL]


def _paths(asked: Asked) -> list[PathMove]:
    return [
        PathMove(move_percent=100.0 * each.move, minutes=24.0 * 60.0 * each.days)
        for each in sorted(set(asked.paths))
    ]


def _chain(found: Candidates | str) -> ChainFacts | None:
    if isinstance(found, str) or found.sketch:
        return None
    return ChainFacts(
        venue=found.venue, as_of=format_time(found.at), age_s=(found.now - found.at) / SECOND_NS,
        options=len(found), sized=found.sized, index=found.index_estimate, left_out=dict(found.left_out),
    )  # fmt: skip


def _of_options(asked: Asked, template: Template) -> Hedge:
    found = asked.candidates
    if isinstance(found, str):
        return _none(template, found)
    maker = option_maker(asked, found, template)
    if maker is None:
        return _none(
            template, "no quote of the chain has the deltas and days that this shape needs"
        )
    return hedge_of(asked, Shape(template, maker, whole=True))


def _none(template: Template, why: str) -> Hedge:
    return Hedge(id=template.id, title=template.title, refs=list(template.refs), unknown=why)


def _spot(asked: Asked) -> Hedge:
    template = Template("spot", "Spot bought against the perpetual", ("M26",))
    if not asked.short:
        return _none(
            template, "a long is no shorter for holding spot; the mirror is closing part of it"
        )
    notes = [
        f"the basis kept: {_funding(asked)}",
        f"spot fee {100 * SPOT_FEE:g} % of what is bought, twice over the {asked.hold_d:.3g} days, and "
        f"{100 * asked.settings.money_rate:g} % a year on the money tied up",
    ]
    return hedge_of(
        asked, Shape(template, spot_maker(asked), capital=asked.mark, notes=tuple(notes))
    )


def _funding(asked: Asked) -> str:
    if asked.funding_8h is None:
        return "its funding is unknown"
    rate = 3.0 * 100.0 * asked.funding_8h
    got = "received" if rate > 0.0 else "paid"
    return f"{abs(rate):.3f} % of the hedged notional a day {got} in funding, while the rate stays"


def _major(asked: Asked) -> Hedge:
    way = "bought" if asked.short else "sold"
    template = Template("major", f"A major's perpetual {way}", ("M29",))
    major = asked.major
    if not isinstance(major, Major):
        return _none(template, major)
    if asked.taker_fee is None:
        return _none(template, "no taker fee is known")
    title = f"{major.name} perpetual {way} in the same notional"
    notes = (
        f"{major.name} moves {major.follow:.2f} (± {1.645 * major.error:.2f}) per 1 of {asked.asset}, beta of "
        f"{asked.asset} on it {major.beta:.2f}, correlation {major.correlation:.2f}, over {major.days} days",
        f"it misses by {100 * major.slip:.1f} % of the notional a day (one deviation), and "
        f"{asked.settings.slippage_sd:g} deviations are taken off in every row",
        _large(asked, major),
        "funding of its perpetual and its own margin are not counted",
    )
    maker = major_maker(asked, major, asked.taker_fee)
    return hedge_of(asked, Shape(Template("major", title, ("M29",)), maker, notes=notes))


def _large(asked: Asked, major: Major) -> str:
    if major.large_days < 3:
        return f"{major.large_days} days of 5 % and more: too few to say how it follows then"
    return (
        f"on the {major.large_days} days that {asked.asset} moved 5 % and more, it made {100 * major.large:.0f} % "
        "of the move in the median"
    )


def _trim(asked: Asked) -> Hedge:
    template = Template("trim", "Closing part instead", ("M31", "M35"))
    if asked.taker_fee is None:
        return _none(template, "no taker fee is known")
    notes = ("what closing gives up is the position itself; its cost here is the taker fee alone",)
    return hedge_of(asked, Shape(template, trim_maker(asked, asked.taker_fee), notes=notes))


def _table(asked: Asked) -> list[Protection]:
    """Least cost by gap of each shape of options, any amounts and legs."""
    found = asked.candidates
    if isinstance(found, str):
        return []
    makers = {
        each.id: (each, maker)
        for each in templates(asked.short, asked.settings)
        if (maker := option_maker(asked, found, each)) is not None
    }
    gaps: list[float | None] = [*asked.settings.table_percent, None]
    return [
        Protection(gap_percent=gap, cost={
            name: _least(asked, maker, template, gap) for name, (template, maker) in makers.items()
        })
        for gap in gaps
    ]  # fmt: skip


def _least(asked: Asked, maker: Maker, template: Template, gap: float | None) -> Estimate:
    s = asked.settings
    widest = s.table_percent[-1]
    rows = rows_of(
        asked.short, widest if gap is None else gap, s, days=template.days, paths=asked.paths,
        tails_kept=gap is None,
    )  # fmt: skip
    linear = cheapest(task_of(asked, maker, rows, paired=template.paired))
    if isinstance(linear, Unsolved):
        return unknown(USD, linear.reason)
    return asked.figure(
        linear.held, USD, f"least cost of {asked.hold_d:.3g} days of nothing, in any amounts"
    )


def _aim(asked: Asked) -> tuple[Asked, str]:
    """With the equity that the gap is to leave, and in words what the hedges are sized for.

    Where margin survives the gap as it is, hedges are sized to halve its loss, unless told how much may be lost.
    """
    s = asked.settings
    now, there = at_gap(asked)
    if s.most_loss_usd is not None:
        return replace(
            asked, floor_usd=now - s.most_loss_usd
        ), f"losing at most ${s.most_loss_usd:,.0f}"
    if (
        top_up(asked).value or there >= now
    ):  # of the margin alone: what spot beside it loses is none of it
        return asked, f"keeping {s.buffer:g} × maintenance"
    most = _HALF * (now - there)
    return replace(
        asked, floor_usd=now - most
    ), f"losing at most ${most:,.0f}, half of what it loses unhedged"


def _answer(asked: Asked, plain: Estimate, aim: str, hedges: list[Hedge]) -> str:
    s = asked.settings
    what = f"{asked.position.side} {asked.position.size_coin:,.10g} {asked.asset}"
    sign = "+" if asked.short else "-"
    alone = "at no move" if plain.value is None else f"up to {sign}{abs(plain.value):.1f} %"
    head = (
        f"{what[0].upper()}{what[1:]}: {s.buffer:g} × maintenance is kept {alone} without a hedge."
    )
    priced = [
        (h.held.value, h.cost.value, h)
        for h in hedges
        if h.id in ("ladder", "spread", "collar", "free") and h.unknown is None and h.legs
        if h.held is not None and h.held.value is not None
        if h.cost is not None and h.cost.value is not None
    ]
    if not priced:
        why = next((h.unknown for h in hedges if h.unknown), "no shape holds every row")
        return f"{head} No option hedge holds it up to {sign}{s.gap_percent:g} %: {why}."
    held, cost, best = min(priced, key=lambda each: each[0])
    legs = ", ".join(f"{leg.side} {leg.size.value or 0.0:,.10g} {leg.name}" for leg in best.legs)
    found = asked.candidates
    sketched = ""
    if isinstance(found, Candidates) and found.sketch:
        sketched = f" A sketch, not quotes ({found.sketch})."
    return (
        f"{head} Cheapest up to {sign}{s.gap_percent:g} %, {aim}: {legs}, for ${round(cost):,} with fees; "
        f"${round(held):,} are gone after {asked.hold_d:.3g} days of nothing.{sketched}"
    )
