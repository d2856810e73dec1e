"""The brief as an ordered page of plain blocks, which the terminal, Markdown and HTML each draw."""

from airpocket.brief import words
from airpocket.brief.blocks import Block, Cell, Facts, Grid, Part, Points, Words, nothing
from airpocket.brief.forced_page import cascade_blocks, map_blocks
from airpocket.brief.model import AtRisk, Brief, Health, PriceSection, Side
from airpocket.brief.roadmap_page import roadmap_blocks
from airpocket.domain.tells import Graded, Reading, Tell
from airpocket.domain.units import format_time
from airpocket.verdict.records import Transition, Verdict

_SHOWN_CHANGES = 6

LEGEND = (
    "meas = read or summed from data; model = rests on an assumption; mixed = both. "
    "Ages are counted back from the as-of time. Prices are in quote currency per coin."
)


def parts(brief: Brief, *, every_channel: bool) -> list[Part]:
    """All sections in reading order; `every_channel` lists channels one by one instead of by venue."""
    return [
        Part("price", "Price", _price(brief.price)),
        Part("triggers", "Triggers", _graded("Trigger", brief.triggers, "no trigger was assessed")),
        Part("verdict", "Verdict", _verdict(brief.verdict)),
        Part("at_risk", "At risk", _at_risk(brief.at_risk)),
        Part("map", "Liquidation map", map_blocks(brief.map)),
        Part("cascade", "Cascade", cascade_blocks(brief.cascade)),
        Part("regimes", "Regimes", _readings(brief.regimes, "no regime was assessed")),
        Part(
            "clusters",
            "Trigger, cluster, effect",
            _graded("Cluster", brief.clusters, "none assessed"),
        ),
        Part("roadmap", "Roadmap", roadmap_blocks(brief.roadmap, brief.price.last)),
        Part("flows", "Flows", _graded("Driver", brief.flows, "no flow driver was assessed")),
        Part("shorts", "If you are short", _side(brief.shorts)),
        Part("longs", "If you are long", _side(brief.longs)),
        Part("record", "Record", _listed(brief.record.summary, "", brief.record.entries)),
        Part("health", "Data health", _health(brief.health, every_channel=every_channel)),
    ]


def price_line(brief: Brief) -> str:
    """Asset, price with provenance and age, reference contract and as-of time, on one line."""
    return (
        f"{words.plain(brief.asset)} {words.figure(brief.price.last)} on "
        f"{words.plain(brief.price.reference)}, as of {words.moment(brief.as_of)}"
    )


def _price(section: PriceSection) -> list[Block]:
    blocks: list[Block] = []
    blocks.append(
        Facts("", section.tells) if section.tells else nothing("no price figure was given")
    )
    if section.by_venue:
        rows: list[tuple[Cell, ...]] = [(venue, last) for venue, last in section.by_venue.items()]
        blocks.append(Grid("Price by venue", ("Venue", "Last"), rows))
    return blocks


def _graded(kind: str, readings: list[Graded], empty: str) -> list[Block]:
    """An overview table of claims, then each claim with its tells."""
    if not readings:
        return [nothing(empty)]
    rows: list[tuple[Cell, ...]] = [
        (each.title, words.name(each.state), tells_met(each), each.odds, each.record)
        for each in readings
    ]
    return [Grid("", (kind, "State", "Tells met", "Odds", "Record"), rows), *readings]


def tells_met(reading: Reading) -> str:
    """'2 of 3, 1 unknown': how many of the tells with a condition speak."""
    held = [tell for tell in reading.tells if words.met(tell)]
    if not held:
        return "no conditions"
    dark = sum(tell.met is None for tell in held)
    if dark == len(held):
        return f"all {dark} unknown" if dark > 1 else words.UNKNOWN
    speaking = sum(tell.met is True for tell in held)
    return f"{speaking} of {len(held)}" + (f", {dark} unknown" if dark else "")


def _readings(readings: list[Reading], empty: str) -> list[Block]:
    return [*readings] if readings else [nothing(empty)]


def _verdict(verdict: Verdict) -> list[Block]:
    way = f", {verdict.direction}" if verdict.direction else ""
    since = "" if verdict.since is None else f", since {words.moment(format_time(verdict.since))}"
    blocks: list[Block] = [
        Words(f"{words.name(verdict.state).upper()}{way}{since}", strong=True),
        Words(
            f"{words.plain(_capital(verdict.implication))}. Odds: {verdict.odds}; record: {verdict.record}."
            f" The other direction: {verdict.other}."
        ),
    ]
    for title, items in (
        ("Because", verdict.because),
        ("What would change it", verdict.would_change),
        ("How it came here", [_change(each) for each in verdict.path[-_SHOWN_CHANGES:]]),
        ("What would sharpen it", verdict.missing),
    ):
        if items:
            blocks.append(Points(title, items))
    if verdict.tells:
        blocks.append(
            Facts("Tell-tales of a broadening unwind, and what lies ahead", verdict.tells)
        )
    if verdict.ahead:
        blocks.append(Facts("How near the next pocket is, and whether it would run", verdict.ahead))
    return blocks


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _change(change: Transition) -> str:
    when = words.moment(format_time(change.at))
    return f"{when}: {change.before} → {change.after} ({change.direction}): {'; '.join(change.because)}"


def _at_risk(risk: AtRisk) -> list[Block]:
    blocks: list[Block] = [Words(words.plain(risk.headline), strong=True)]
    for title, column, bands in (
        ("Shorts forced to buy", "If price rises by", risk.shorts),
        ("Longs forced to sell", "If price falls by", risk.longs),
    ):
        rows: list[tuple[Cell, ...]] = [
            (f"{abs(band.within_percent):g} %", band.forced_usd) for band in bands
        ]
        blocks.append(
            Grid(title, (column, "Forced flow"), rows)
            if rows
            else Words(f"{title}: {words.UNKNOWN}, none given")
        )
    shares = [
        Tell(id="hedged_shorts", label="Shorts believed hedged", estimate=risk.hedged_shorts),
        Tell(id="hedged_longs", label="Longs believed hedged", estimate=risk.hedged_longs),
    ]
    return [
        *blocks,
        Facts(
            "Not all of it is forced: of the amounts above, believed hedged",
            shares,
        ),
    ]


def _side(side: Side) -> list[Block]:
    blocks: list[Block] = [] if side.unknown is None else [nothing(side.unknown)]
    if side.answer:
        blocks += [Words(words.plain(side.answer), strong=True), Words(words.plain(side.model))]
    if side.steps:
        steps: list[tuple[Cell, ...]] = [
            (step.title, step.state, step.when, step.do) for step in side.steps
        ]
        loudest = next((at for at, step in enumerate(side.steps) if step.state == "firing"), None)
        blocks.append(Grid("Plays", ("Step", "State", "When", "Do"), steps, marked=loudest))
    if side.caps:
        caps: list[tuple[Cell, ...]] = [
            (cap.rule, cap.max_leverage_x, "binds" if cap.binding else "") for cap in side.caps
        ]
        blocks.append(Grid("Most leverage", ("Rule", "Most", ""), caps))
    if side.zones:
        blocks.append(Points("Zones to watch", side.zones))
    blocks.extend(side.readings)
    if side.notes:
        blocks.append(Points("", side.notes))
    return blocks or [nothing("nothing was computed")]


def _listed(summary: str, heading: str, items: list[str]) -> list[Block]:
    blocks: list[Block] = [Words(words.plain(summary) or nothing(None).text)]
    return [*blocks, Points(heading, items)] if items else blocks


def _health(health: Health, *, every_channel: bool) -> list[Block]:
    blocks: list[Block] = [Words(words.SIMULATED, strong=True)] if health.simulated else []
    if not health.channels:
        blocks.append(nothing("no data channel was read"))
    else:
        blocks.append(_channels(health) if every_channel else _venues(health))
    if health.missing:
        blocks.append(Points("Missing inputs", health.missing))
    return [*blocks, Words(LEGEND)]


def _channels(health: Health) -> Grid:
    rows: list[tuple[Cell, ...]] = [
        (
            f"{each.venue} {each.symbol}",
            each.kind,
            each.state,
            f"{words.span(each.age_s)} old",
            f"{each.rows:,}",
            f"{words.moment(each.first)} to {words.moment(each.last)}",
            _gaps(each.gaps_30d, each.longest_gap_h),
            each.reason or "-",
            ", ".join(each.sources) or "-",
        )
        for each in health.channels
    ]
    columns = (
        "Channel",
        "Kind",
        "State",
        "Age",
        "Rows",
        "From and to",
        "Gaps in 30 d",
        "Why",
        "Source",
    )
    return Grid("Channels", columns, rows)


def _gaps(count: int, longest_h: float) -> str:
    return f"{count}, longest {longest_h:.1f} h" if count else "none"


def _venues(health: Health) -> Grid:
    rows: list[tuple[Cell, ...]] = []
    for venue in dict.fromkeys(each.venue for each in health.channels):
        mine = [each for each in health.channels if each.venue == venue]
        wrong = [
            f"{each.symbol} {each.kind} {each.state}: {each.reason}"
            for each in mine
            if each.state != "ok"
        ]
        fine = sum(each.state == "ok" for each in mine)
        oldest = max(each.age_s for each in mine)
        rows.append(
            (venue, f"{fine} of {len(mine)}", f"{words.span(oldest)} old", "; ".join(wrong) or "-")
        )
    return Grid("Channels by venue", ("Venue", "In order", "Oldest", "What is wrong"), rows)
