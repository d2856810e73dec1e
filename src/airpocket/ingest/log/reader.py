"""Reading a raw log: sealed files and open segments as one sequence, every other byte accounted for."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from airpocket.ingest.log import sealed
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.sealed import SealedEntry
from airpocket.ingest.log.segment import Found, LogDamage, Scan, segments_in


@dataclass(frozen=True)
class LogReport:
    """What a full reading found; times are UTC ns, 0 without records."""

    records: int
    bytes: int
    sealed: int
    segments: int
    first: int
    last: int
    damages: tuple[LogDamage, ...]


def read(folder: Path, *, after: int = 0) -> Iterator[Found]:
    """Every record with a sequence above `after`, in order, and a damage wherever something is missing.

    The unfinished end of the newest segment is no damage while it may still be being written; a start of
    the writer sets it aside.

    Raises:
        StoreDamaged: the manifest of the sealed files.
        StoreError: a file that a newer version wrote, or that can't be read.
    """
    expected: int | None = None
    entries = sealed.load(folder)
    for entry in entries.values():
        if entry.records and entry.last_sequence <= after:
            expected = entry.last_sequence + 1
            continue
        for found in _of_sealed(folder, entry):
            if isinstance(found, Record):
                expected = found.sequence + 1
                if found.sequence <= after:
                    continue
            yield found
    open_segments = {n: path for n, path in segments_in(folder).items() if n not in entries}
    newest = max(open_segments, default=0)
    for number, path in open_segments.items():
        scan = Scan(path, expected)
        try:
            for found in scan.items():
                if isinstance(found, LogDamage) or found.sequence > after:
                    yield found
            tail = scan.tail()
            if tail is not None and number != newest:
                yield tail
            expected = scan.expected
        finally:
            scan.close()


def records(folder: Path, *, after: int = 0) -> Iterator[Record]:
    """The records alone."""
    for found in read(folder, after=after):
        if isinstance(found, Record):
            yield found


def verify(folder: Path) -> LogReport:
    """Read everything and say what is there and what is not."""
    count = size = 0
    first = last = 0
    damages: list[LogDamage] = []
    for found in read(folder):
        if isinstance(found, LogDamage):
            damages.append(found)
            continue
        count += 1
        size += len(found.body)
        first = first or found.heard
        last = max(last, found.heard)
    entries = sealed.load(folder)
    segments = sum(number not in entries for number in segments_in(folder))
    return LogReport(count, size, len(entries), segments, first, last, tuple(damages))


def _of_sealed(folder: Path, entry: SealedEntry) -> Iterator[Found]:
    problem = sealed.problem_with(folder, entry)
    if problem:
        yield LogDamage(folder / entry.path, 0, entry.size, entry.records, problem)
        return
    yield from sealed.records_of(folder / entry.path, entry.records)
