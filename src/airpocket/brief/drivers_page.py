"""The driver table as blocks of the page: signals with their times, what followed, and the calendar."""

from collections.abc import Iterable

from msgspec.structs import replace

from airpocket.brief import words
from airpocket.brief.blocks import Block, Cell, Grid, Points, Words
from airpocket.brief.model import Brief
from airpocket.domain.tells import Graded
from airpocket.signals.driver_records import NO_HISTORY, CatalystRow, DriverRow, DriverTable

_SHOWN_EVENTS = 8


def with_records(flows: Iterable[Graded], table: DriverTable) -> list[Graded]:
    """The graded rows with what followed them before."""
    told = {row.id: row.record for row in table.rows}
    return [replace(row, record=told.get(row.id, row.record)) for row in flows]


def driver_blocks(brief: Brief) -> list[Block]:
    """Hinge, table, parts, records and calendar; nothing where the brief has no table."""
    table = brief.drivers
    if table is None:
        return []
    told = [row for row in table.rows if row.standing != "none"]
    dark = [row for row in table.rows if row.standing == "none"]
    blocks: list[Block] = [Words(words.plain(table.turning), strong=True)]
    if told:
        columns = ("Driver", "State", "Signal", "Against its year", "Told")
        blocks.append(Grid("Slow drivers", columns, [_cells(row) for row in told]))
        below = {row.id for row in brief.flows}  # told in full there
        more = [_meaning(row) for row in told if row.id not in below]
        blocks += [Points("What the others imply, and what followed before", more)] if more else []
    blocks += [_parts(row) for row in told if row.parts]
    if dark:
        blocks.append(Points(f"Not told here ({NO_HISTORY})", [_absent(row) for row in dark]))
    if table.catalysts:
        blocks.append(_calendar(table.catalysts))
    if table.notes:
        blocks.append(Points("", table.notes))
    return blocks


def _cells(row: DriverRow) -> tuple[Cell, ...]:
    label = f"{row.title}: {row.label}" if row.label else row.title
    score: Cell = row.score if row.score.known else f"- ({words.plain(row.score.unknown or '')})"
    return label, words.name(row.state), row.signal, score, _told(row)


def _told(row: DriverRow) -> str:
    """For which day, since when known here, by the publisher's word, and whether that is on time."""
    parts: list[str] = []
    if row.event is not None:
        parts.append(f"for {row.event[:10]}")
    if row.published is not None:
        parts.append(f"published {words.moment(row.published)}")
    if row.first_seen is not None:
        parts.append(f"seen {words.moment(row.first_seen)}")
    parts.append(row.standing)
    return ", ".join(parts)


def _meaning(row: DriverRow) -> str:
    because = f" ({row.because})" if row.because else ""
    return f"{row.title}{because}: {row.implication}. Record: {row.record}."


def _absent(row: DriverRow) -> str:
    return f"{row.title}: {row.because or row.record}"


def _parts(row: DriverRow) -> Grid:
    rows: list[tuple[Cell, ...]] = [(name, each) for name, each in row.parts.items()]
    return Grid(f"{row.title} by part", ("Part", "Figure"), rows)


def _calendar(events: list[CatalystRow]) -> Grid:
    rows: list[tuple[Cell, ...]] = [
        (
            words.moment(each.time), f"in {words.span(3_600 * each.hours)}", each.kind, each.name,
            each.confidence, f"known since {each.known_from[:10]}",
        )
        for each in events[:_SHOWN_EVENTS]
    ]  # fmt: skip
    return Grid("Scheduled", ("When", "", "Kind", "Event", "Confidence", "Known"), rows)
