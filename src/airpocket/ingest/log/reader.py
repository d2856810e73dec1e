"""Reading a raw log: sealed files and open segments as one sequence, every other byte accounted for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from airpocket.domain.units import TimeNs
from airpocket.ingest import disk
from airpocket.ingest.log import sealed
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.repair import TORN
from airpocket.ingest.log.sealed import Noted, SealedEntry
from airpocket.ingest.log.segment import Found, LogDamage, Scan, path_of, segments_in


@dataclass(frozen=True)
class LogReport:
    """What a full reading found; times are UTC ns, sequences inclusive, both 0 without records.

    `set_aside`: what starts of the writer cut off the end of segments; nothing in there was acknowledged,
    unless the disk changed it afterwards.
    """

    records: int
    bytes: int
    sealed: int
    segments: int
    first: int
    last: int
    damages: tuple[LogDamage, ...]
    first_sequence: int = 0
    last_sequence: int = 0
    set_aside: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Which records are wanted: above a sequence, and heard from `since` to before `until` (UTC ns)."""

    after: int = 0
    since: TimeNs | None = None
    until: TimeNs | None = None

    def has(self, record: Record) -> bool:
        """Whether a record is wanted."""
        return (
            record.sequence > self.after
            and (self.since is None or record.heard >= self.since)
            and (self.until is None or record.heard < self.until)
        )

    def misses(self, entry: SealedEntry) -> bool:
        """Whether nothing in a sealed file is wanted."""
        return (
            entry.last_sequence <= self.after
            or (self.since is not None and entry.heard_last < self.since)
            or (self.until is not None and entry.heard_first >= self.until)
        )


class Follower:
    """Goes through a log, and with each call of `new` goes on where it ended; holds one open file.

    It may run beside the writer and beside sealing: a segment that is sealed meanwhile is read to its end,
    or from its sealed file.
    """

    def __init__(self, folder: Path, span: Span | None = None) -> None:
        self._folder, self._span = folder, span or Span()
        self._done = 0  # number of the last segment read to its end
        self._expected: int | None = None
        self._scan: Scan | None = None
        self._entries: dict[int, SealedEntry] = {}

    def new(self) -> Iterator[Found]:
        """Every record added since the last call, at first all of them, in order; and every damage met.

        Raises:
            StoreDamaged: the manifest of the sealed files.
            StoreError: a file that a newer version wrote, or that can't be read.
        """
        # segments before the manifest: what is sealed in between is in one of the two
        numbers = set(segments_in(self._folder))
        self._entries = sealed.load(self._folder)
        numbers |= self._entries.keys()
        if self._scan is not None:
            numbers.add(self._scan.number)
        newest = max(numbers, default=0)
        for number in sorted(number for number in numbers if number > self._done):
            for found in self._segment(number, closed=number < newest):
                if isinstance(found, LogDamage) or self._span.has(found):
                    yield found

    def tail(self) -> LogDamage | None:
        """The unfinished end of the newest segment as it was at the last call of `new`."""
        return self._scan.tail() if self._scan is not None else None

    def close(self) -> None:
        """Give the file back."""
        if self._scan is not None:
            self._scan.close()
            self._scan = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _segment(self, number: int, *, closed: bool) -> Iterator[Found]:
        if self._scan is None:
            entry = self._open(number)
            if entry is not None:
                yield from self._sealed(entry)
                self._done = number
                return
        if self._scan is None:
            yield LogDamage(path_of(self._folder, number), 0, 0, None, "the segment has vanished")
            self._done = number
            return
        yield from self._scan.items()
        if closed:
            tail = self._scan.tail()
            if tail is not None:
                yield tail
            self._expected, self._done = self._scan.expected, number
            self.close()

    def _open(self, number: int) -> SealedEntry | None:
        """Begin an open segment; the entry where it is sealed."""
        entry = self._entries.get(number)
        if entry is not None:
            return entry
        try:
            self._scan = Scan(path_of(self._folder, number), self._expected)
        except FileNotFoundError:  # sealed since it was listed
            self._entries = sealed.load(self._folder)
            return self._entries.get(number)
        return None

    def _sealed(self, entry: SealedEntry) -> Iterator[Found]:
        path = self._folder / entry.path
        first = entry.first_sequence
        if entry.records:
            expected, self._expected = self._expected, entry.last_sequence + 1
            # what was lost before the first whole record of a damaged segment its own notes tell
            known = sum(note.lost or 0 for note in entry.damages if note.before == first)
            missing = 0 if expected is None else first - known - expected
            if missing > 0 and first > self._span.after + 1:
                problem = f"the records {expected} to {first - known - 1} before it are missing"
                yield LogDamage(path, 0, 0, missing, problem)
            if self._span.misses(entry):
                return  # its damages too, as those of a file that need not be read
        problem = sealed.problem_with(self._folder, entry)
        if problem:
            yield LogDamage(path, 0, entry.size, entry.records, problem)
            return
        yield from _with_notes(path, entry)


def _with_notes(path: Path, entry: SealedEntry) -> Iterator[Found]:
    """The records of a sealed file, and where they were the damages that its segment had."""
    notes = list(entry.damages)
    for record in sealed.records_of(path, entry.records):
        while notes and 0 < notes[0].before <= record.sequence:
            yield _told(path, notes.pop(0))
        yield record
    for note in notes:
        yield _told(path, note)


def _told(path: Path, note: Noted) -> LogDamage:
    problem = f"the segment had damage when it was sealed: {note.problem}"
    return LogDamage(path, note.offset, note.bytes, note.lost, problem)


def read(
    folder: Path, *, after: int = 0, since: TimeNs | None = None, until: TimeNs | None = None
) -> Iterator[Found]:
    """Every record above a sequence and heard from `since` to before `until` (UTC ns), in the order heard.

    A damage comes wherever something is missing in the files that had to be read. Sealed files with
    nothing wanted are passed over by their manifest entry. While a writer holds the log, the unfinished end
    of its newest segment is no damage.

    Raises:
        StoreDamaged: the manifest of the sealed files.
        StoreError: a file that a newer version wrote, or that can't be read.
    """
    idle = not disk.is_held(folder)
    with Follower(folder, Span(after, since, until)) as log:
        yield from log.new()
        tail = log.tail() if idle else None
        if tail is not None:
            yield tail


def records(
    folder: Path, *, after: int = 0, since: TimeNs | None = None, until: TimeNs | None = None
) -> Iterator[Record]:
    """The records alone; raises as `read`."""
    for found in read(folder, after=after, since=since, until=until):
        if isinstance(found, Record):
            yield found


def verify(folder: Path, each: Callable[[Record], None] | None = None) -> LogReport:
    """Read everything, checksums included, and say what is there and what is not; raises as `read`.

    `each` is called with every record, for who wants to know more without reading twice.
    """
    count = size = first = last = 0
    lowest = highest = 0
    damages: list[LogDamage] = []
    for found in read(folder):
        if isinstance(found, LogDamage):
            damages.append(found)
            continue
        if each is not None:
            each(found)
        count += 1
        size += len(found.body)
        first = first or found.heard
        last = max(last, found.heard)
        lowest, highest = lowest or found.sequence, found.sequence
    entries = sealed.load(folder)
    segments = sum(number not in entries for number in segments_in(folder))
    return LogReport(
        count, size, len(entries), segments, first, last, tuple(damages), lowest, highest,
        tuple(sorted(folder.glob(f"*{TORN}"))),
    )  # fmt: skip
