"""The standard pushes as blocks: whether a burst feeds itself, how far each push goes, what comes of it."""

from airpocket.brief import words
from airpocket.brief.blocks import Block, Cell, Facts, Grid, Points, Words, nothing
from airpocket.brief.model import PathSpread, PushRow, PushSection, PushWay
from airpocket.domain.tells import Tell

_SIDE = {"up": "Upwards", "down": "Downwards"}
_ALMOST = 0.999  # of the way to where map and book end


def push_blocks(section: PushSection) -> list[Block]:
    """A sentence a way, S with its parts, then chances and courses; or why there are none."""
    if section.unknown is not None:
        return [nothing(f"what pushes do, simulated: {section.unknown}")]
    blocks: list[Block] = [Words(_summary(section), strong=True)]
    for way in section.ways:
        blocks += [_phase(way), _chances(section, way), _courses(section, way)]
    return [*blocks, Points("What the simulated pushes rest on", section.notes)]


def regime(way: PushWay) -> str:
    """What a burst does at the price, by the middle of what is likely."""
    reproduction, squeeze = way.reproduction.value or 0.0, way.squeeze.value or 0.0
    if squeeze >= 1.0:
        return "nothing turns a burst round while its fuel lasts"
    if reproduction > way.growth:
        return "a burst speeds up first, then ends by itself"
    return "a burst ends by itself"


def _summary(section: PushSection) -> str:
    told: list[str] = []
    share = 0.0
    for way in section.ways:
        row = min(way.pushes[1:], key=lambda row: abs(row.push_usd - way.drawn_usd))
        verb, share = "buying" if way.direction == "up" else "selling", row.share_percent
        told.append(
            f"{verb} it carries price {_far(row.stop.middle, row)} % {way.direction} "
            f"({_far(row.stop.low, row)} to {_far(row.stop.high, row)})"
        )
    amount = words.with_unit(section.ways[0].drawn_usd, words.USD)
    return f"{amount}, {share:g} % of a day's volume, within {section.push_s:g} s, simulated: {'; '.join(told)}."


def _phase(way: PushWay) -> Facts:
    name = _SIDE[way.direction]
    tells = [
        Tell(id=f"s_{way.direction}", label="Squeeze number S at the price", estimate=way.squeeze),
        Tell(id=f"s_pocket_{way.direction}", label="S in the nearest pocket", estimate=way.pocket_squeeze),
        Tell(id=f"r_{way.direction}", label="R, with the orders that come", estimate=way.reproduction),
        Tell(id=f"kt_{way.direction}", label="κτ, recovery times latency", estimate=way.kappa_tau),
    ]  # fmt: skip
    return Facts(
        f"{name}: {regime(way)} (it speeds up from R {way.growth:.2f}, runs from {way.runaway:.2f})",
        tells,
    )


def _chances(section: PushSection, way: PushWay) -> Grid:
    sign = "+" if way.direction == "up" else "−"
    rows: list[tuple[Cell, ...]] = [
        (
            _push(row),
            *(f"{100 * each.chance:.1f} ±{100 * each.error:.1f}" for each in row.reach),
            f"{100 * row.beyond.chance:.1f} ±{100 * row.beyond.error:.1f}",
        )
        for row in way.pushes
    ]
    first = way.pushes[0]
    columns = (
        "Of a day's volume",
        *(f"{sign}{each.percent:g} %" for each in first.reach),
        f"beyond {sign}{first.beyond.percent:.0f} %",
    )
    caption = (
        f"{_SIDE[way.direction]}: chance in % that price gets there within {section.within_s / 60:g} min "
        "(± of simulating)"
    )
    return Grid(caption, columns, rows)


def _courses(section: PushSection, way: PushWay) -> Grid:
    rows: list[tuple[Cell, ...]] = [
        (
            _push(row),
            f"{_far(row.stop.middle, row)} ({_far(row.stop.low, row)} to {_far(row.stop.high, row)})",
            _points(row.overshoot_points),
            _percents(row.retrace_percent),
            _dollars(row.forced_usd),
            "-" if row.off_book_percent is None else f"{row.off_book_percent:.0f}",
            f"{row.stop_s.middle:.0f} ({row.stop_s.low:.0f} to {row.stop_s.high:.0f})",
        )
        for row in way.pushes
    ]
    columns = (
        "Of a day's volume",
        "Stops at, %",
        "Overshoots the end by",
        "Gives back, %",
        "Forced",
        "Of that off the book, %",
        "After, s",
    )
    return Grid(f"{_SIDE[way.direction]}: what comes of it, middle (10 to 90 %)", columns, rows)


def _push(row: PushRow) -> str:
    if row.push_usd <= 0.0:
        return "nobody pushes"
    return f"{row.share_percent:g} %: {words.with_unit(row.push_usd, words.USD)}"


def _far(value: float, row: PushRow) -> str:
    """A distance, with a ≥ where map and book end."""
    return (
        f"≥ {row.beyond.percent:.0f}" if value >= _ALMOST * row.beyond.percent else f"{value:.2f}"
    )


def _points(spread: PathSpread | None) -> str:
    if spread is None:
        return "not known: beyond the map"
    return f"{spread.middle:.2f} ({spread.low:.2f} to {spread.high:.2f})"


def _percents(spread: PathSpread | None) -> str:
    if spread is None:
        return "-"
    return f"{spread.middle:.0f} ({spread.low:.0f} to {spread.high:.0f})"


def _dollars(spread: PathSpread) -> str:
    if spread.high <= 0.0:
        return "none"
    low, middle, high = (
        "$0" if value <= 0.0 else words.with_unit(value, words.USD)
        for value in (spread.low, spread.middle, spread.high)
    )
    return f"{middle} ({low} to {high})"
