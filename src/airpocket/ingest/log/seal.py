"""Sealing: a closed segment becomes a verified Parquet file, then the segment goes; restartable at any step."""

from dataclasses import dataclass
from pathlib import Path

from airpocket.domain.errors import StoreBusy, StoreDamaged, StoreError
from airpocket.ingest import disk
from airpocket.ingest.log import sealed
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.sealed import SealedEntry
from airpocket.ingest.log.segment import LogDamage, Scan, segments_in


@dataclass(frozen=True)
class SealReport:
    """What sealing did; `left` names the closed segments that stay as they are, and says why.

    They have damage inside, or an unfinished end that the next start of the writer sets aside.
    """

    sealed: tuple[SealedEntry, ...]
    left: tuple[str, ...]


def seal(folder: Path) -> SealReport:
    """Seal every closed segment; the one that a running writer appends to is not closed.

    Takes the memory of one segment. A segment with damage inside is not sealed, so that no byte of it is
    thrown away.

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
            closed = _closed(folder)
            _finish(folder, entries)
            return _sealed(folder, entries, closed)
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


def _closed(folder: Path) -> dict[int, Path]:
    """Segments that nobody will write again; a writer never reopens one, so listing them is enough.

    The writer's lock is held for the listing alone, so that a writer about to start is not turned away.
    """
    try:
        with disk.locked(folder, task="sealing this log"):
            return segments_in(folder)
    except StoreBusy:
        found = segments_in(folder)
        if found:
            found.popitem()
        return found


def _finish(folder: Path, entries: dict[int, SealedEntry]) -> None:
    """What an interrupted sealing left: files that nobody lists, segments whose sealed file is there."""
    listed = {entry.path for entry in entries.values()}
    if orphans := sealed.orphans_in(folder, listed):
        raise StoreDamaged(f"{orphans[0]}: not in the manifest; {sealed.REMEDY}")
    place = folder / sealed.FOLDER
    unlisted = [p for p in place.glob(sealed.NAMES) if f"{sealed.FOLDER}/{p.name}" not in listed]
    for path in (*unlisted, *place.glob(".*.parquet.tmp"), *place.glob(".*.jsonl.tmp")):
        disk.remove(path)
    for number, path in segments_in(folder).items():
        if number in entries:
            _remove(folder, path, entries[number])


def _sealed(folder: Path, entries: dict[int, SealedEntry], closed: dict[int, Path]) -> SealReport:
    done: list[SealedEntry] = []
    left: list[str] = []
    for number, path in closed.items():
        if number in entries:
            continue
        records, damages = _whole(path)
        if damages:
            left.append(f"{path}: offset {damages[0].offset}: {damages[0].problem}")
            continue
        entry, data = sealed.packed(number, records, path.stat().st_size)
        disk.put(folder / entry.path, data)
        del data
        disk.sync_folder(folder / sealed.FOLDER)
        _compare(folder, entry, records)
        entries[number] = entry
        sealed.commit(folder, entries.values())
        _remove(folder, path, entry)
        done.append(entry)
    return SealReport(tuple(done), tuple(left))


def _whole(path: Path) -> tuple[list[Record], list[LogDamage]]:
    scan = Scan(path)
    try:
        items = list(scan.items())
        tail = scan.tail()
    finally:
        scan.close()
    damages = [item for item in items if isinstance(item, LogDamage)]
    if tail is not None:
        damages.append(tail)
    return [item for item in items if isinstance(item, Record)], damages


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
