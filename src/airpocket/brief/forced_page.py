"""The map and the cascade as blocks: clusters, sources, costs each way, pockets and stops."""

from airpocket.brief import words
from airpocket.brief.blocks import Block, Cell, Facts, Grid, Points, Words, band, nothing
from airpocket.brief.model import CascadeSection, ClusterRow, MapSection, Way
from airpocket.domain.tells import Tell


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
            _clusters(title, rows if far else rows[::-1])
            if rows
            else Words(f"{title}: no cluster stands out from its surroundings")
        )
    sources: list[tuple[Cell, ...]] = [
        (each.contract, each.interest_coin, f"{each.bars:,}", "; ".join(each.assumed) or "-")
        for each in section.sources
    ]
    blocks.append(Grid("Made from", ("Contract", "Open interest", "Bars", "Assumed"), sources))
    if section.notes:
        blocks.append(Points("What it rests on", section.notes))
    return blocks


def _clusters(title: str, rows: list[ClusterRow]) -> Grid:
    cells: list[tuple[Cell, ...]] = [
        (
            band(each.low, each.high),
            words.price(each.peak),
            words.signed_percent(each.distance_percent),
            each.forced_usd,
            f"{each.share_percent:.1f} %",
        )
        for each in rows
    ]
    return Grid(title, ("Quote per coin", "Peak", "Away", "Forced", "Of that side"), cells)


def cascade_blocks(section: CascadeSection) -> list[Block]:
    """The easier way first, then each direction's costs, pockets and stops."""
    if section.unknown is not None:
        return [nothing(section.unknown)]
    easier = {
        "up": "Up is the easier way: a push up costs less.",
        "down": "Down is the easier way: a push down costs less.",
        "even": "Neither way is clearly easier.",
    }.get(section.easier, f"The easier way is {words.name(section.easier)}.")
    glide = Tell(id="glide", label="Cost of a push up over a push down", estimate=section.glide)
    blocks: list[Block] = [Words(easier, strong=True), Facts("", [glide]), _costs(section.ways)]
    for way in section.ways:
        blocks.extend(_way(way))
    if section.notes:
        blocks.append(Points("What it rests on", section.notes))
    return blocks


def _costs(ways: list[Way]) -> Grid:
    """One row a distance, a column each way: the glide path."""
    distances = sorted({abs(cost.percent) for way in ways for cost in way.costs})
    by_way = {way.direction: {abs(c.percent): c.ignition_usd for c in way.costs} for way in ways}
    rows: list[tuple[Cell, ...]] = [
        (
            f"{percent:g} %",
            by_way.get("up", {}).get(percent, "-"),
            by_way.get("down", {}).get(percent, "-"),
        )
        for percent in distances
    ]
    return Grid(
        "What an outside push must exceed to trade beyond", ("Distance", "Up", "Down"), rows
    )


def _way(way: Way) -> list[Block]:
    title = "Upwards" if way.direction == "up" else "Downwards"
    blocks: list[Block] = [
        Facts(
            f"{title}: forced flow per dollar absorbed (R; above 1 it feeds itself)",
            [
                Tell(id=f"fast_{way.direction}", label="R against what rests now", estimate=way.fast),
                Tell(id=f"slow_{way.direction}", label="R in the slow limit", estimate=way.slow),
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
            words.signed_percent(each.stop_percent),
            words.with_unit(each.forced_usd, words.USD),
        )
        for each in way.pockets
    ]
    return Grid(
        f"{title}: pockets, where a slightly larger push jumps",
        ("Push above", "From", "To", "Forced on the way"),
        rows,
    )
