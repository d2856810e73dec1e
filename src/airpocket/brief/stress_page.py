"""A stress test as an ordered page of plain blocks: what liquidates it first, then every shock and every exit."""

from airpocket.brief import words
from airpocket.brief.blocks import Block, Cell, Grid, Part, Points, Words, nothing
from airpocket.domain.estimates import Estimate
from airpocket.playbook.stress.records import Exit, Outcome, StressTest

ADVICE = (
    "Shocks are stated, not forecast. Each hits the account as it stands, before anyone can act; the columns hold "
    "what would be left had nobody acted, liquidated or not."
)
_LEAST_RATIO = 0.0005
PATIENT = "The law is of orders worked with patience: one sent at once into a gap fills worse."
_GROUPS = (
    ("gaps", "Gaps", ("gap",)),
    ("cascades", "Cascades", ("cascade",)),
    ("other", "Volatility, time, funding, trust",
     ("together", "volatility", "time", "funding", "venue", "stablecoin")),
)  # fmt: skip


def parts(test: StressTest) -> list[Part]:
    """All sections in reading order."""
    if test.unknown is not None:
        return [Part("stress", "Stress", [nothing(test.unknown)])]
    found = [Part("stands", "Where it stands", [_stands(test)])]
    for part_id, heading, kinds in _GROUPS:
        rows = [each for each in test.outcomes if each.kind in kinds]
        if rows:
            found.append(Part(part_id, heading, _shocks(rows)))
    if test.exits:
        found.append(Part("exits", "Getting out", _exits(test.exits)))
    return [*found, Part("about", "About this test", [Words(ADVICE), *_notes(test)])]


def head_line(test: StressTest) -> str:
    """Venue, margin, price and as-of time, on one line."""
    return (
        f"{words.plain(test.name)}: {test.margin_mode} margin at {test.venue}, {test.asset} at "
        f"{words.value(test.price)}; as of {words.moment(test.as_of)}"
    )


def _stands(test: StressTest) -> Grid:
    rows: list[tuple[Cell, ...]] = [
        ("equity", test.equity),
        ("maintenance", test.maintenance),
        ("liquidated below", _or_why(test.down)),
        ("liquidated above", _or_why(test.up)),
        ("funding a day (minus: you pay)", test.funding_day),
    ]
    return Grid("", ("", ""), rows)


def _or_why(price: Estimate) -> Cell:
    """A price that is not there is known not to be there."""
    return price if price.value is not None else words.plain(price.unknown or "")


def _shocks(rows: list[Outcome]) -> list[Block]:
    grid = Grid(
        "", ("Shock", "Price", "Equity", "Maintenance", "Ratio", "Liquidated"),
        [
            (each.title, _short(each.price), _short(each.equity), _short(each.maintenance),
             _ratio(each), _end(each))
            for each in rows
        ],
    )  # fmt: skip
    told = [f"{each.title}: {each.note}." for each in rows if each.note]
    return [grid, Points("", list(dict.fromkeys(told)))] if told else [grid]


def _ratio(each: Outcome) -> str:
    """Nothing where nothing must be kept, and no digits for a debt over what must be."""
    if each.maintenance.value == 0.0:
        return "-"
    if each.buffer.value is not None and each.buffer.value < _LEAST_RATIO:
        return "below 0" if each.buffer.value < -_LEAST_RATIO else "0"
    return _short(each.buffer)


def _end(each: Outcome) -> str:
    if each.liquidated is None:
        return words.UNKNOWN
    chance = ""
    if each.chance is not None and each.chance.value is not None:
        chance = f", {each.chance.value:.0f} % of paths"
    if not each.liquidated:
        return f"no{chance}"
    return f"YES at {_short(each.at)}{chance}"


def _exits(rows: list[Exit]) -> list[Block]:
    grids: list[Block] = []
    for position in dict.fromkeys(each.position for each in rows):
        mine = [each for each in rows if each.position == position]
        reasons = {each.why for each in mine if each.cost.value is None}
        if len(reasons) == 1 and all(each.works is None for each in mine):
            grids.append(nothing(f"{position}: {reasons.pop()}"))
            continue
        grids.append(_exit_grid(position, mine))
        known = [each for each in mine if each.cost.known]
        if known:
            through = known[0].cost.source.rsplit(", 0 %", 1)[0]
            law = f" {PATIENT}" if through.startswith("square-root law") else ""
            grids.append(Points("", [f"Walked through {through}.{law}"]))
    return grids


def _exit_grid(position: str, rows: list[Exit]) -> Grid:
    return Grid(
        f"{position} closed whole at market",
        ("After", "Depth gone", "Cost", "Last fill", "Filled", "Left", "Works"),
        [
            (f"{each.after_percent:+g} %" if each.after_percent else "now", f"{each.gone_percent:g} %",
             _short(each.cost), _short(each.last), _percent(each.filled), _short(each.left), _works(each))
            for each in rows
        ],
    )  # fmt: skip


def _percent(estimate: Estimate) -> str:
    return words.UNKNOWN if estimate.value is None else f"{estimate.value:.0f} %"


def _works(each: Exit) -> str:
    if each.works is None:
        return words.UNKNOWN
    return "yes" if each.works else f"NO: {each.why}"


def _short(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    if estimate.value is None:
        return words.UNKNOWN
    return f"{'≥ ' if estimate.at_least else ''}{words.number(estimate.value, estimate.unit)}"


def _notes(test: StressTest) -> list[Block]:
    return [Points("", test.notes)] if test.notes else []
