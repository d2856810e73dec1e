"""Reads a catalyst file: dated events with the moment each became known; docs/plan.md has the format."""

from pathlib import Path
from typing import cast, get_args

from airpocket.domain.catalysts import Catalyst, CatalystKind, Confidence
from airpocket.ingest.entries import Entry, read_entries


def read_catalysts(path: Path) -> tuple[Catalyst, ...]:
    """Every [[catalyst]] of a file, in time order.

    `known_from` is required: without it an event would be used in the past before anyone knew of it.

    Raises:
        BadInput: unreadable, or an entry is wrong; names file, entry and field.
    """
    top = read_entries(path)
    found = [_catalyst(entry) for entry in top.entries("catalyst")]
    top.done()
    return tuple(sorted(found, key=lambda catalyst: (catalyst.time, catalyst.name)))


def _catalyst(entry: Entry) -> Catalyst:
    if entry.get("known_from") is None:
        entry.fail(
            "is missing: say from when the event was public, so that no plan of an earlier moment uses it",
            "known_from",
        )
    time, known_from = entry.time("time"), entry.time("known_from")
    kind = cast("CatalystKind", entry.choice("kind", get_args(CatalystKind)))
    confidence = cast("Confidence", entry.choice("confidence", get_args(Confidence)))
    name = entry.text("name")
    entry.done()
    try:
        return Catalyst(
            time=time, known_from=known_from, kind=kind, name=name, confidence=confidence
        )
    except ValueError as error:
        entry.fail(str(error), "known_from")
