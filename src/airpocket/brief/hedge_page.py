"""A sheet of hedges as an ordered page of plain blocks: the answer, the hedges side by side, then each."""

from airpocket.brief import words
from airpocket.brief.blocks import Block, Cell, Grid, Part, Points, Words, nothing
from airpocket.brief.plan_page import position_line
from airpocket.domain.estimates import Estimate
from airpocket.playbook.hedging.records import ChainFacts, Hedge, HedgeLeg, HedgeSheet

ADVICE = (
    "A hedge here is arithmetic on quotes and assumptions, not a forecast and not advice to trade: check every "
    "price at your venue before you act."
)
_ROWS = (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0, 40.0, 60.0)


def parts(sheet: HedgeSheet) -> list[Part]:
    """All sections in reading order."""
    return [
        Part("hedges", "Hedges side by side", _overview(sheet)),
        Part("more", "What more protection costs", _table(sheet)),
        *(
            Part(each.id, each.title, _hedge(each, sheet.hold_d))
            for each in sheet.hedges
            if each.unknown is None
        ),
        Part("quotes", "Quotes", _quotes(sheet)),
        Part("about", "About this sheet", [Points("", [*sheet.notes, ADVICE])]),
    ]


def head_line(sheet: HedgeSheet) -> str:
    """Entry, margin, opening time and as-of time of the position, on one line."""
    return position_line(sheet.position, sheet.asset, sheet.as_of)


def _overview(sheet: HedgeSheet) -> list[Block]:
    rows: list[tuple[Cell, ...]] = []
    for each in sheet.hedges:
        if each.unknown is not None:
            rows.append((each.title, words.UNKNOWN, "-", "-", "-", "-", "-"))
            continue
        rows.append((
            each.title, _short(each.cost), _short(each.held), _short(each.protected),
            _short(each.next_percent), _short(each.tail_loss), _tied(each),
        ))  # fmt: skip
    held = f"{sheet.hold_d:.3g} calm days"
    told = ("Hedge", "Paid now", held, "Holds to", "One % more", "Worst 5 %", "Tied up")
    grid = Grid("", told, rows)
    missing = [
        f"{each.title}: {words.plain(each.unknown)}" for each in sheet.hedges if each.unknown
    ]
    facts = [
        f"Sized up to a gap of {sheet.gap_percent:g} % against the position, {sheet.buffer:g} × maintenance. "
        f"Cheapest is what has cost least after {sheet.hold_d:.3g} days in which nothing happens.",
        _at_the_venue(sheet),
        f"Unhedged, the worst 5 % of a week's moves lose {_short(sheet.plain_tail_loss)} on average, as modelled.",
        _cascades(sheet),
    ]
    return [Points("", facts), grid, *([Points("Not to be had", missing)] if missing else [])]


def _cascades(sheet: HedgeSheet) -> str:
    """Which cascades are among the scenarios."""
    moves = [each.move_percent for each in sheet.paths]
    reach = f"{min(moves):+.1f} to {max(moves):+.1f} %" if moves else ""
    if sheet.no_paths is None:
        last = max((each.minutes for each in sheet.paths), default=0.0)
        return (
            f"Scenarios hold peaks and ends of the simulated pushes, {reach} within {last:.0f} min."
        )
    instead = f"; the fuel scan's stops, {reach}, stand in" if moves else ": the grid alone"
    return f"No simulated cascade is among the scenarios ({words.plain(sheet.no_paths)}){instead}."


def _at_the_venue(sheet: HedgeSheet) -> str:
    """What decides first: a hedge elsewhere pays nothing in at the venue that liquidates."""
    if sheet.top_up.value is not None and sheet.top_up.value <= 0.0:
        return "The position's own venue holds enough for that gap, whatever is held elsewhere."
    return (
        f"The position's own venue lacks {_short(sheet.top_up)} at that gap. A hedge held elsewhere does not bring "
        "it there in time: add margin, or close a part, whatever else is bought."
    )


def _tied(each: Hedge) -> str:
    sums = [e.value for e in (each.margin, each.capital) if e is not None and e.value is not None]
    return words.number(sum(sums), words.USD)


def _short(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    if estimate.value is None:
        return words.UNKNOWN
    text = words.with_unit(estimate.value, estimate.unit)
    return f"≥ {text}" if estimate.at_least else text


def _table(sheet: HedgeSheet) -> list[Block]:
    if not sheet.table:
        return [nothing(sheet.no_chain)]
    names = list(sheet.table[0].cost)
    titles = {each.id: each.title for each in sheet.hedges}
    sign = "+" if sheet.position.side == "short" else "-"
    rows: list[tuple[Cell, ...]] = [
        (
            "any move" if row.gap_percent is None else f"{sign}{row.gap_percent:g} %",
            *(_cheap(row.cost[name]) for name in names),
        )
        for row in sheet.table
    ]  # fmt: skip
    grid = Grid("", ("Holds to", *(titles.get(name, name) for name in names)), rows)
    told = (
        f"Least cost of {sheet.hold_d:.3g} calm days, in any amounts; none: no such hedge holds it. The strip "
        "stands for its own days only, and is bought anew for the rest."
    )
    return [grid, Points("", [told])]


def _cheap(estimate: Estimate) -> str:
    return "none" if estimate.value is None else words.number(estimate.value, estimate.unit)


def _hedge(each: Hedge, hold_d: float) -> list[Block]:
    if not each.legs:
        return [Words("Nothing has to be bought: the position holds up as it is.")]
    options = any(leg.volatility is not None for leg in each.legs)
    grid = Grid("", ("Trade", "Size", "Price", "In coin", "Volatility", "Delta", "Days"), [
        _leg(leg) for leg in each.legs
    ])  # fmt: skip
    told = [
        f"Paid now {_short(each.cost)} with fees; gone after {hold_d:.3g} calm days {_short(each.held)}, and "
        f"nothing of its kind comes out under {_short(each.bound)}."
    ]
    if options and each.margin is not None and each.margin.value:
        told.append(f"Margin for what is sold: {_short(each.margin)} now.")
    if each.capital is not None and each.capital.value:
        told.append(f"Ties up {_short(each.capital)}.")
    told.append(f"At the gap it could be sold for {_short(each.worth_at_gap)} in the worst row.")
    curve = {round(point.move_percent): point for point in each.curve}
    rows: list[tuple[Cell, ...]] = [
        (
            f"{move:+g} %", words.number(curve[round(move)].plain_usd, words.USD),
            words.number(curve[round(move)].hedged_usd, words.USD),
            words.number(curve[round(move)].hedged_later_usd, words.USD),
        )
        for move in _ROWS
        if round(move) in curve
    ]  # fmt: skip
    picture = Grid(
        "Equity after a move", ("Move", "Unhedged", "Hedged, at once", "Hedged, last day"), rows
    )
    left = [Points("Left open", each.uncovered)] if each.uncovered else []
    return [grid, Points("", [*told, *each.notes]), picture, *left]


def _leg(leg: HedgeLeg) -> tuple[Cell, ...]:
    def text(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    return (
        f"{leg.side} {words.plain(leg.name)}", words.number(leg.size.value or 0.0, leg.size.unit),
        words.number(leg.price.value or 0.0, leg.price.unit), text(leg.price_coin, ".4f"),
        "-" if leg.volatility is None else f"{leg.volatility.value or 0.0:.1f} %",
        text(leg.delta, "+.2f"), text(leg.days, ".1f"),
    )  # fmt: skip


def _quotes(sheet: HedgeSheet) -> list[Block]:
    chain = sheet.chain
    if chain is None:
        return [nothing(sheet.no_chain)]
    left = ", ".join(f"{count} {why}" for why, count in chain.left_out.items()) or "none"
    return [Points("", [
        f"{chain.options} options of {words.plain(chain.venue)}, quotes of {words.moment(chain.as_of)}, "
        f"{chain.age_s / 60:,.0f} min old; index {_short(chain.index)}.",
        _sized(chain),
        f"Left out: {left}.",
    ])]  # fmt: skip


def _sized(chain: ChainFacts) -> str:
    if not chain.sized:
        return "The sizes behind them are not told: a large order costs more than shown."
    rest = chain.options - chain.sized
    told = f"The sizes behind {chain.sized} of them are told, and no leg takes more"
    return f"{told}; the other {rest} may hold less than shown." if rest else f"{told}."
