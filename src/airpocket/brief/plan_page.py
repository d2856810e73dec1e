"""A plan as an ordered page of plain blocks: where the position stands first, then what to do, then why."""

from airpocket.brief import words
from airpocket.brief.blocks import Block, Cell, Facts, Grid, Part, Points, Words, nothing
from airpocket.domain.estimates import Estimate
from airpocket.domain.positions import Position
from airpocket.domain.tells import Reading
from airpocket.domain.units import format_time
from airpocket.playbook.records import Caps, GapTest, Plan, Play, Step
from airpocket.playbook.records import Facts as PlanFacts
from airpocket.playbook.stress.records import Exit

ADVICE = (
    "A plan is arithmetic and rules of thumb, not a forecast: check every figure at your venue before you "
    "act. meas = read from data; model = rests on an assumption; mixed = both."
)
_LAST_EXITS = ("exits", "stop", "urgent")


def parts(plan: Plan) -> list[Part]:
    """All sections in reading order."""
    return [
        Part("steps", "What to do", _overview(plan)),
        Part("margin", "Margin", _facts(plan.margin)),
        Part("gaps", "Overnight gap", _gaps(plan.gap_test)),
        Part("caps", "Leverage", _caps(plan.caps)),
        Part("funding", "Funding", _facts(plan.funding)),
        Part("fuel", "On the way to your liquidation", _facts(plan.fuel)),
        Part("market", "The market now", _facts(plan.market)),
        *(part for play in plan.plays for part in _parts_of(play, plan)),
        Part("about", "About this plan", _about(plan)),
    ]


def head_line(plan: Plan) -> str:
    """Entry, margin, opening time and as-of time of the position, on one line."""
    return position_line(plan.position, plan.asset, plan.as_of)


def position_line(p: Position, asset: str, as_of: str) -> str:
    """A position and the moment it is looked at, on one line."""
    named = f"{words.plain(p.id)}: " if p.id else ""
    backed = f"on the balances of {p.venue}"
    if p.wallet_usd is not None:
        backed = f"wallet {words.with_unit(p.wallet_usd, words.USD)}"
    elif p.leverage_x is not None:
        backed = f"{p.leverage_x:g}x"
    return (
        f"{named}{p.side} {p.size_coin:,.10g} {words.plain(asset)} of {words.plain(p.key)} from "
        f"{words.price(p.entry_price)}, {p.margin_mode}, {backed}, opened "
        f"{words.moment(format_time(p.opened_at))}; as of {words.moment(as_of)}"
    )


def _overview(plan: Plan) -> list[Block]:
    steps = [step for play in plan.plays for step in play.steps]
    if not steps:
        return [nothing("no step could be computed; the reasons stand below")]
    rows: list[tuple[Cell, ...]] = [
        (step.title, step.state, _short(step.price), _size(step, plan.asset), _short(step.cost))
        for step in steps
    ]
    loudest = next((at for at, step in enumerate(steps) if step.state == "firing"), None)
    grid = Grid("", ("Step", "State", "Price", "Size", "Cost"), rows, marked=loudest)
    records = list(dict.fromkeys(step.record for step in steps))
    about = [f"Record of these steps: {'; '.join(records)}."]
    costs = [step.cost for step in steps if step.cost is not None]
    told = dict.fromkeys(
        cost.source if cost.known else f"unknown, {cost.unknown}" for cost in costs
    )
    if told:
        about.insert(0, f"Cost of carrying a step out at market: {'; '.join(told)}.")
    return [grid, Points("", about)]


def _short(estimate: Estimate | None) -> str:
    """A figure without its trust, which the step itself gives; '-' where there is none to give."""
    if estimate is None:
        return "-"
    if estimate.value is None:
        return words.UNKNOWN
    return f"{'≥ ' if estimate.at_least else ''}{words.number(estimate.value, estimate.unit)}"


def _size(step: Step, asset: str) -> str:
    size = step.size_coin
    if size is None:
        return "-"
    return words.UNKNOWN if size.value is None else f"{size.value:,.10g} {words.plain(asset)}"


def _facts(section: PlanFacts) -> list[Block]:
    blocks: list[Block] = [] if section.unknown is None else [nothing(section.unknown)]
    if section.tells:
        blocks.append(Facts("", section.tells))
    if section.notes:
        blocks.append(Points("", section.notes))
    return blocks


def _gaps(test: GapTest) -> list[Block]:
    if test.unknown is not None:
        return [nothing(test.unknown)]
    gaps: list[tuple[Cell, ...]] = [
        (
            f"{gap.move_percent:+g} %",
            _short(gap.price),
            _short(gap.equity),
            _short(gap.maintenance),
            _short(gap.buffer),
            words.UNKNOWN if gap.survives is None else "yes" if gap.survives else "NO",
        )
        for gap in test.gaps
    ]
    keeps: list[tuple[Cell, ...]] = [
        (
            f"{each.buffer_multiple:g} × after {each.move_percent:+g} %",
            _coins(each.size_coin),
            "nothing" if each.reduce_coin.value == 0 else _coins(each.reduce_coin),
            "nothing" if each.top_up_usd.value == 0 else _dollars(each.top_up_usd),
        )
        for each in test.survivals
    ]
    columns = ("Gap", "Price", "Equity left", "Maintenance", "Equity / maintenance", "Survives")
    needs = ("To keep maintenance", "Largest size", "So close", "Or add")
    trust = words.trust(test.gaps[0].price) if test.gaps else ""
    return [
        Grid(f"Before anyone can act [{trust}]", columns, gaps),
        Grid("What it takes (either closing or adding, each alone)", needs, keeps),
        Points("", test.notes),
    ]


def _coins(estimate: Estimate) -> str:
    return words.UNKNOWN if estimate.value is None else f"{estimate.value:,.10g}"


def _dollars(estimate: Estimate) -> str:
    return words.UNKNOWN if estimate.value is None else f"${estimate.value:,.0f}"


def _caps(caps: Caps) -> list[Block]:
    if caps.unknown is not None:
        return [nothing(caps.unknown)]
    rows: list[tuple[Cell, ...]] = [
        (each.rule, each.max_leverage_x, "binds" if each.binding else "") for each in caps.caps
    ]
    kept = words.UNKNOWN if caps.kept is None else "yes" if caps.kept else "NO"
    rows.append(("in use", caps.effective_leverage_x, f"within the cap: {kept}"))
    return [Grid("", ("Rule", "Most leverage", ""), rows), Points("", caps.notes)]


def _parts_of(play: Play, plan: Plan) -> list[Part]:
    """A play, and behind the play that holds the last exit how all exits do in thin books."""
    own = [Part(play.id, play.title, _play(play, plan.asset))]
    if play.id in _LAST_EXITS:
        own.append(Part("thin", "Exits in thin books", _thin(plan)))
    return own


def _thin(plan: Plan) -> list[Block]:
    thin = plan.thin_books
    if thin.unknown is not None:
        return [nothing(thin.unknown)]
    if not thin.rows:
        return [nothing("no exit at a price: see the plays above")]
    gone = [f"-{each.gone_percent:g} %" for each in thin.rows[0].exits]
    rows: list[tuple[Cell, ...]] = [
        (
            row.title, f"{row.size_coin.value or 0.0:,.10g} {words.plain(plan.asset)}", _short(row.price),
            *(_outcome(each) for each in row.exits),
        )
        for row in thin.rows
    ]  # fmt: skip
    grid = Grid(
        "Cost of each with so much of the resting orders gone", ("Exit", "Size", "At", *gone), rows
    )
    return [grid, Points("", thin.notes)]


def _outcome(each: Exit) -> str:
    if each.works is None:
        return words.UNKNOWN
    if not each.works:
        filled = "" if each.filled.value is None else f" ({each.filled.value:.0f} % fills)"
        return f"FAILS{filled}"
    return _short(each.cost)


def _play(play: Play, asset: str) -> list[Block]:
    blocks: list[Block] = [] if play.unknown is None else [nothing(play.unknown)]
    blocks.extend(_step(step, asset) for step in play.steps)
    if play.notes:
        blocks.append(Points("", play.notes))
    return blocks


def _step(step: Step, asset: str) -> Reading:
    """A step drawn as a reading: when, do, how much, why, undone by, left open; then its live figures."""
    pairs = (
        ("When", step.condition),
        ("Do", step.action),
        ("How much", _amount(step, asset)),
        ("Order", _order(step)),
        ("Why", "; ".join(each for each in step.because if each)),
        ("Undone by", step.invalidation),
        ("Left open", step.uncovered),
    )
    lines = [f"{label}: {text}" for label, text in pairs if text]
    return Reading(
        id=step.id,
        title=step.title,
        state=step.state,
        because=lines,
        tells=step.tells,
        refs=step.refs,
    )


_ORDERS = {
    "market": "at market",
    "market_on_close": "at market, once the bar has closed so",
    "limit": "limit",
    "stop_market": "stop, at market",
    "oco": "limit and stop, one cancels the other",
}


def _order(step: Step) -> str:
    """How it is sent and until when it stands."""
    if step.order == "none":
        return ""
    until = "until the position is closed"
    if step.expires_at is not None:
        until = f"until {words.moment(format_time(step.expires_at))}"
    reducing = ", reduce-only" if step.reduce_only else ""
    return f"{_ORDERS[step.order]}{reducing}; stands {until}"


def short(plan: Plan) -> list[Part]:
    """The steps alone, at a glance."""
    return parts(plan)[:1]


def _amount(step: Step, asset: str) -> str:
    told: list[str] = []
    if step.size_coin is not None:
        told.append(_size(step, asset))
    if step.price is not None:
        told.append(f"at {_short(step.price)}")
    if step.cost is not None:
        told.append(f"cost {_short(step.cost)}")
    given = [
        each for each in (step.price, step.size_coin, step.cost) if each is not None and each.known
    ]
    return ", ".join(told) + (f" [{words.trust(given[0])}]" if given else "")


def _about(plan: Plan) -> list[Block]:
    events = [
        f"{event.name} ({event.kind}, {event.confidence}): {words.moment(format_time(event.time))}"
        for event in plan.catalysts
    ]
    blocks: list[Block] = [Words(ADVICE)]
    if events:
        blocks.append(Points("Events ahead", events))
    if plan.position.note:
        blocks.append(Points("Your note", [plan.position.note]))
    return blocks
