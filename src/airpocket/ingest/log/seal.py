"""Sealing: a closed segment becomes a verified Parquet file, then the segment goes; restartable at any step."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from airpocket.domain.errors import StoreDamaged, StoreError
from airpocket.ingest import disk
from airpocket.ingest.log import sealed
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.sealed import Noted, SealedEntry
from airpocket.ingest.log.segment import LogDamage, Scan, segments_in


@dataclass(frozen=True)
class SealReport:
    """What sealing did; `left` names a closed segment that stays as it is, and says why.

    It has an unfinished end, which the next start of the writer sets aside.
    """

    sealed: tuple[SealedEntry, ...]
    left: tuple[str, ...]


def seal(folder: Path, *, most: int | None = None) -> SealReport:
    """Seal every closed segment, or the oldest `most`; the one that a running writer appends to is not closed.

    Takes the memory of one segment. Of a segment with damage inside, every whole record is sealed, the
    manifest tells of the damage, and the bytes that are no record are kept beside (`.damaged`).

    Raises:
        StoreBusy: another process is sealing.
        StoreDamaged: the manifest, or a sealed file whose segment was about to be removed.
        StoreError: the disk is full, read-only or failing; nothing is lost.
    """
    if not folder.is_dir():
        return SealReport((), ())
    place = folder / sealed.FOLDER
    try:
        disk.make_folder(place)
        with disk.locked(place, task="sealing this log"):
            entries = sealed.load(folder)
            closed, newest = _closed(folder)
            _finish(folder, entries)
            waiting = {number: path for number, path in closed.items() if number not in entries}
            return _sealed(folder, entries, dict(islice(waiting.items(), most)), newest)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be sealed: {error}; no record is lost, seal again"
        ) from error


def rebuild(folder: Path) -> tuple[SealedEntry, ...]:
    """Make a lost or damaged manifest anew from the sealed files; returns its entries.

    A file counts when its bytes have the SHA-256 that its name begins with. Others stay where they are,
    as do the segments.

    Raises:
        StoreBusy: another process is sealing.
        StoreDamaged: a file is not what its name says; move it away to go on without it.
        StoreError: a file can't be read, or the manifest not be written.
    """
    place = folder / sealed.FOLDER
    try:
        disk.make_folder(place)
        with disk.locked(place, task="sealing this log"):
            entries = map(sealed.entry_of, sorted(place.glob(sealed.NAMES)))
            segments = segments_in(folder)
            kept = [entry for entry in entries if entry.number not in segments]
            sealed.commit(folder, kept)
    except OSError as error:
        raise StoreError(f"{folder}: the manifest cannot be made anew: {error}") from error
    return tuple(kept)


def _closed(folder: Path) -> tuple[dict[int, Path], int]:
    """Segments that nobody will write again, and which of them the next start of a writer repairs (0: none).

    A writer never reopens a segment, so listing them is enough: it is kept from starting for that alone.
    """
    with disk.still(folder) as idle:
        found = segments_in(folder)
    newest = max(found, default=0)
    if not idle:
        found.pop(newest, None)
    return found, newest


def _finish(folder: Path, entries: dict[int, SealedEntry]) -> None:
    """What an interrupted sealing left: files that nobody lists, segments whose sealed file is there."""
    listed = {entry.path for entry in entries.values()}
    if orphans := sealed.orphans_in(folder, listed):
        raise StoreDamaged(f"{orphans[0]}: not in the manifest; {sealed.REMEDY}")
    place = folder / sealed.FOLDER
    unlisted = [p for p in place.glob(sealed.NAMES) if f"{sealed.FOLDER}/{p.name}" not in listed]
    for path in (
        *unlisted,
        *place.glob(".*.parquet.tmp"),
        *place.glob(".*.jsonl.tmp"),
        *place.glob(".*.damaged.tmp"),
    ):
        disk.remove(path)
    for number, path in segments_in(folder).items():
        if number in entries:
            _remove(folder, path, entries[number])


def _sealed(
    folder: Path, entries: dict[int, SealedEntry], closed: dict[int, Path], newest: int
) -> SealReport:
    done: list[SealedEntry] = []
    left: list[str] = []
    for number, path in closed.items():
        records, noted, tail = _whole(path)
        if tail is not None and number == newest:
            left.append(f"{path}: offset {tail.offset}: {tail.problem}")
            continue
        if tail is not None:
            noted.append(_note(tail))
        entry, data = sealed.packed(number, records, path.stat().st_size, tuple(noted))
        if noted:
            disk.put(folder / sealed.damaged_file(number), _bytes_of(path, noted))
        disk.put(folder / entry.path, data)
        del data
        disk.sync_folder(folder / sealed.FOLDER)
        _compare(folder, entry, records)
        entries[number] = entry
        sealed.commit(folder, entries.values())
        _remove(folder, path, entry)
        done.append(entry)
    return SealReport(tuple(done), tuple(left))


def _whole(path: Path) -> tuple[list[Record], list[Noted], LogDamage | None]:
    """The records of a segment, the damages between them, and its unfinished end."""
    scan = Scan(path)
    records: list[Record] = []
    noted: list[Noted] = []
    try:
        for item in scan.items():
            if isinstance(item, LogDamage):
                noted.append(_note(item))
            else:
                for k in range(len(noted) - 1, -1, -1):
                    if noted[k].before:
                        break
                    noted[k] = replace(noted[k], before=item.sequence)
                records.append(item)
        return records, noted, scan.tail()
    finally:
        scan.close()


def _note(damage: LogDamage) -> Noted:
    return Noted(
        offset=damage.offset, bytes=damage.bytes, lost=damage.lost, problem=damage.problem, before=0
    )


def _bytes_of(path: Path, noted: list[Noted]) -> bytes:
    """What was no record, in the order of the notes."""
    parts: list[bytes] = []
    with path.open("rb") as file:
        for note in noted:
            file.seek(note.offset)
            parts.append(file.read(note.bytes))
    return b"".join(parts)


def _compare(folder: Path, entry: SealedEntry, records: list[Record]) -> None:
    """The file as it lies on the disk holds what the segment holds, record by record."""
    problem = sealed.problem_with(folder, entry)
    if not problem:
        back = sealed.records_of(folder / entry.path, entry.records)
        same = all(a == b for a, b in zip(back, records, strict=True))
        problem = "" if same else "it does not give the records back"
    if problem:
        raise StoreDamaged(f"{folder / entry.path}: {problem}; the segment was kept")


def _remove(folder: Path, path: Path, entry: SealedEntry) -> None:
    problem = sealed.problem_with(folder, entry)
    if problem:
        raise StoreDamaged(f"{folder / entry.path}: {problem}; {path} was kept")
    disk.remove(path)
    disk.sync_folder(folder)
