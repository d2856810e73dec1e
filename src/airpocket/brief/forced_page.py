"""The map and the cascade as blocks: clusters, sources, costs each way, pockets and stops."""

from airpocket.brief import words
from airpocket.brief.blocks import Block, Cell, Facts, Grid, Points, Words, band, nothing
from airpocket.brief.model import AccountsRow, CascadeSection, ClusterRow, MapSection, Redraw, Way
from airpocket.brief.pushes_page import push_blocks
from airpocket.domain.tells import Tell

_EASIER = {
    "up": "Up is the easier way: a push up costs less.",
    "down": "Down is the easier way: a push down costs less.",
    "even": "Neither way is clearly easier.",
    "unknown": "Which way is easier is unknown.",
}


def map_blocks(section: MapSection) -> list[Block]:
    """Clusters above and below the price, then what the map was made of."""
    if section.unknown is not None:
        return [nothing(section.unknown)]
    blocks: list[Block] = []
    for side, title, far in (
        ("short", "Shorts forced to buy, above the price", True),
        ("long", "Longs forced to sell, below the price", False),
    ):
        rows = [cluster for cluster in section.clusters if cluster.side == side]
        rows.sort(key=lambda cluster: -cluster.peak if far else cluster.peak)
        blocks.append(
            _clusters(title, rows if far else rows[::-1], measured=bool(section.accounts))
            if rows
            else Words(f"{title}: no cluster stands out from its surroundings")
        )
    sources: list[tuple[Cell, ...]] = [
        (each.contract, each.interest_coin, f"{each.bars:,}", "; ".join(each.assumed) or "-")
        for each in section.sources
    ]
    blocks.append(Grid("Made from", ("Contract", "Open interest", "Bars", "Assumed"), sources))
    if section.accounts:
        blocks.append(accounts_grid(section.accounts))
    if section.notes:
        blocks.append(Points("What it rests on", section.notes))
    return blocks


def accounts_grid(accounts: list[AccountsRow]) -> Grid:
    """What is known exactly: whose accounts, how much of open interest, how old."""
    rows: list[tuple[Cell, ...]] = [
        (
            each.contract,
            f"{each.accounts:,}" + (f" ({each.stale:,} more too old)" if each.stale else ""),
            words.value(each.shorts_covered),
            words.value(each.longs_covered),
            words.span(each.median_age_s),
            words.moment(each.oldest),
        )
        for each in accounts
    ]
    columns = (
        "Accounts of",
        "Hold it",
        "Shorts covered",
        "Longs covered",
        "Median age",
        "Oldest answer",
    )
    return Grid("Known exactly, from public accounts", columns, rows)


def exact(percent: float) -> str:
    """A share of an amount that is known exactly."""
    return "-" if percent <= 0.0 else "<1 %" if percent < 1.0 else f"{percent:.0f} %"


def _clusters(title: str, rows: list[ClusterRow], *, measured: bool) -> Grid:
    cells: list[tuple[Cell, ...]] = [
        (
            band(each.low, each.high),
            words.price(each.peak),
            words.signed_percent(each.distance_percent),
            each.forced_usd,
            f"{each.share_percent:.1f} %",
            *((exact(each.exact_percent),) if measured else ()),
        )
        for each in rows
    ]
    columns = ("Quote per coin", "Peak", "Away", "Forced", "Of that side")
    return Grid(title, (*columns, "Exact") if measured else columns, cells)


def cascade_blocks(section: CascadeSection) -> list[Block]:
    """The easier way first, then each direction's costs, pockets and stops."""
    if section.unknown is not None:
        return [nothing(section.unknown)]
    facts = [
        Tell(id="glide", label="Cost of a push up over a push down", estimate=section.glide),
        Tell(
            id="runaway", label="R from which nothing turns a burst round", estimate=section.runaway
        ),
    ]
    blocks: list[Block] = [Words(_EASIER[section.easier], strong=True), Facts("", facts)]
    blocks.append(_costs(section.ways))
    blocks.extend(push_blocks(section.pushes))
    for way in section.ways:
        blocks.extend(_way(way))
    if section.redrawn:
        blocks.append(_redrawn(section.redrawn))
    if section.notes:
        blocks.append(Points("What it rests on", section.notes))
    return blocks


def _costs(ways: list[Way]) -> Grid:
    """One row a distance, a column each way: the glide path; the patient end where it is another."""
    distances = sorted({abs(cost.percent) for way in ways for cost in way.costs})
    by_way = {way.direction: {abs(c.percent): c for c in way.costs} for way in ways}
    patient = any(c.patient_usd != c.ignition_usd for way in ways for c in way.costs)
    rows: list[tuple[Cell, ...]] = []
    for percent in distances:
        found = [by_way.get(way, {}).get(percent) for way in ("up", "down")]
        cells: list[Cell] = ["-" if each is None else each.ignition_usd for each in found]
        if patient:
            cells += ["-" if each is None else each.patient_usd for each in found]
        rows.append((f"{percent:g} %", *cells))
    columns = ("Distance", "Up", "Down")
    if patient:
        columns = (*columns, "Up, worked over a day", "Down, worked over a day")
    return Grid("What an outside push must exceed to trade beyond", columns, rows)


def _redrawn(redrawn: list[Redraw]) -> Grid:
    """What the same costs become once the nearest cluster has gone off."""
    rows: list[tuple[Cell, ...]] = [
        (
            f"{each.direction} to {words.price(each.price)}",
            each.spent_usd,
            each.glide,
            words.name(each.easier),
        )
        for each in redrawn
    ]
    columns = ("After price went", "Forced flow spent", "Cost up over cost down", "Easier")
    return Grid("Once the nearest cluster has gone off", columns, rows)


def _way(way: Way) -> list[Block]:
    title = "Upwards" if way.direction == "up" else "Downwards"
    blocks: list[Block] = [
        Facts(
            f"{title}: forced flow per dollar absorbed (R; above 1 it feeds itself)",
            [
                Tell(id=f"fast_{way.direction}", label="R against what rests now", estimate=way.fast),
                Tell(id=f"slow_{way.direction}", label="R in the slow limit", estimate=way.slow),
                Tell(id=f"peak_{way.direction}", label="First peak over the push", estimate=way.overshoot),
            ],
        ),
        Words(f"{title}, absorbed by: {words.plain(way.absorbed_by)}"),
    ]  # fmt: skip
    if way.stops:
        rows: list[tuple[Cell, ...]] = [
            (
                words.with_unit(each.push_usd, words.USD),
                each.reached_percent,
                each.amplification,
                "-" if each.inside_grid else "beyond the grid: nothing in reach stops it",
            )
            for each in way.stops
        ]
        blocks.append(
            Grid(f"{title}: where a push ends", ("Push", "Reaches", "Amplified", "Note"), rows)
        )
    if way.pockets:
        blocks.append(_pockets(title, way))
    return blocks


def _pockets(title: str, way: Way) -> Grid:
    rows: list[tuple[Cell, ...]] = [
        (
            words.with_unit(each.push_usd, words.USD),
            words.signed_percent(each.start_percent),
            words.signed_percent(each.stop_percent)
            + ("" if each.inside_grid else ", where the scan ends: nothing seen stops it"),
            words.with_unit(each.forced_usd, words.USD),
        )
        for each in way.pockets
    ]
    return Grid(
        f"{title}: pockets, where a slightly larger push jumps",
        ("Push above", "From", "To", "Forced on the way"),
        rows,
    )
