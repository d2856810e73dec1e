"""Start after a crash: the unfinished end of the last segment is set aside, everything else stays as it is."""

from dataclasses import dataclass, replace
from pathlib import Path

from airpocket.ingest import disk
from airpocket.ingest.log.segment import HEADER_SIZE, LogDamage, Scan, segments_in

TORN = ".torn"


@dataclass(frozen=True)
class Repair:
    """What a start found in the last segment.

    `torn_bytes` were cut off and lie in `torn_file`; `damages` are bytes changed between valid records,
    which are left where they are. `last_number` and `last_sequence` are 0 for an empty folder. `last_heard`
    is when the last record of that segment was heard (UTC ns), 0 without one.
    """

    last_number: int
    last_sequence: int
    torn_bytes: int = 0
    torn_file: Path | None = None
    damages: tuple[LogDamage, ...] = ()
    last_heard: int = 0

    @property
    def sound(self) -> bool:
        """Whether everything was as a writer leaves it that ends well."""
        return not self.torn_bytes and not self.damages


def repair(folder: Path) -> Repair:
    """Cut the unfinished end off the last segment and keep it beside; the caller holds the folder's lock.

    The bytes are copied and synced before they are cut, so a kill in between loses nothing.
    """
    for temporary in (*folder.glob(".*.log.tmp"), *folder.glob(f".*{TORN}.tmp")):
        disk.remove(temporary)
    found = segments_in(folder)
    while found:
        number, path = found.popitem()
        try:
            scan = Scan(path)
        except FileNotFoundError:  # sealed a moment ago
            continue
        try:
            done = _repaired(scan, number, max(found, default=0))
        finally:
            scan.close()
        return replace(done, last_sequence=done.last_sequence or _last_in(found))
    return Repair(0, 0)


def _last_in(found: dict[int, Path]) -> int:
    """The last sequence before a segment that can't say where it began: no number is given twice."""
    while found:
        try:
            scan = Scan(found.popitem()[1])
        except FileNotFoundError:  # sealed a moment ago
            continue
        try:
            for _ in scan.items():
                pass
        finally:
            scan.close()
        if scan.expected is not None:
            return scan.expected - 1
    return 0


def _repaired(scan: Scan, number: int, before: int) -> Repair:
    damages, heard = list[LogDamage](), 0
    for item in scan.items():
        if isinstance(item, LogDamage):
            damages.append(item)
        else:
            heard = item.heard
    last = (scan.expected or 1) - 1
    tail = scan.tail()
    if tail is None:
        return Repair(number, last, damages=tuple(damages), last_heard=heard)
    aside = scan.path.with_suffix(TORN)
    again = 1
    while aside.exists():
        again += 1
        aside = scan.path.with_suffix(f".{again}{TORN}")
    with scan.path.open("rb") as file:
        file.seek(scan.offset)
        disk.put(aside, file.read())
    disk.sync_folder(scan.path.parent)
    if scan.offset < HEADER_SIZE:  # not even a header: nothing of ours is in it
        disk.remove(scan.path)
        number = before
    else:
        disk.cut(scan.path, scan.offset)
    disk.sync_folder(scan.path.parent)
    return Repair(number, last, tail.bytes, aside, tuple(damages), heard)
