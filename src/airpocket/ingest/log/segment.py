"""A segment file: its name and header, and a scan that returns records and accounts for every other byte."""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from airpocket.domain.errors import StoreError
from airpocket.domain.ports import Clock
from airpocket.ingest import disk
from airpocket.ingest.log.records import (
    FIXED,
    HEAD,
    LARGEST,
    MAGIC,
    OVERHEAD,
    SMALLEST,
    Record,
    seed_of,
    unpacked,
)

FORMAT = 1
SUFFIX = ".log"
_FILE_MAGIC = b"airplog\n"
# magic, format, header size, segment, first sequence, wall ns, monotonic ns, boot id; then its CRC-32
_HEADER = struct.Struct("<8sHHIqqqq16s")
HEADER_SIZE = _HEADER.size + 4
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Header:
    """What a segment says of itself; wall and monotonic are both clocks read at its creation (ns)."""

    number: int
    first_sequence: int
    wall: int
    monotonic: int
    boot: str


@dataclass(frozen=True)
class LogDamage:
    """Bytes that are no record. `lost` counts the records they held; None where that can't be known.

    `torn`: the unfinished end of a write, which was never acknowledged, or bits changed in the last record.
    """

    path: Path
    offset: int
    bytes: int
    lost: int | None
    problem: str
    torn: bool = False


Found: TypeAlias = Record | LogDamage


def segments_in(folder: Path) -> dict[int, Path]:
    """The segment files of a folder by number, in order."""
    found = {
        int(path.stem): path for path in folder.glob("[0-9]" * 10 + SUFFIX) if path.stem.isascii()
    }
    return dict(sorted(found.items()))


def path_of(folder: Path, number: int) -> Path:
    """Where a segment lies."""
    return folder / f"{number:010d}{SUFFIX}"


def create(folder: Path, number: int, first_sequence: int, clock: Clock) -> tuple[Path, int]:
    """A new durable segment without records, and its open handle; it never exists without a whole header."""
    path = path_of(folder, number)
    temporary = path.with_name(f".{path.name}.tmp")
    boot = bytes.fromhex(disk.boot_id()[:32].ljust(32, "0"))
    body = _HEADER.pack(
        _FILE_MAGIC, FORMAT, HEADER_SIZE, 0, number, first_sequence, clock.now(), clock.monotonic(), boot
    )  # fmt: skip
    handle = disk.open_new(temporary)
    try:
        disk.write_all(handle, body + struct.pack("<I", zlib.crc32(body)))
        disk.sync(handle)
        disk.rename(temporary, path)
        disk.sync_folder(folder)
    except BaseException:
        os.close(handle)
        raise
    return path, handle


class Scan:
    """One segment read forwards in chunks; it can go on where a growing segment ended.

    `offset` is the end of the last record found: what lies behind it is no record, or not one yet.

    Raises:
        StoreError: written by a newer version.
    """

    def __init__(self, path: Path, expected: int | None = None) -> None:
        self.path = path
        self.number = int(path.stem)
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._base, self._buffer = 0, b""
        self._seed = seed_of(self.number)
        self._begun = False
        self._length = 0
        self._end = self.size
        self.offset = 0
        self.expected = expected
        self.header: Header | None = None

    def close(self) -> None:
        """Give the file back."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    @property
    def size(self) -> int:
        """Bytes of the file at this moment."""
        return os.fstat(self._handle).st_size

    def items(self) -> Iterator[Found]:
        """Every record from here on, and a damage wherever bytes or numbers are missing between two."""
        # what a writer adds meanwhile is for the next call: else the rest of a record, half there at one
        # look and followed by another at the next, would pass for a damage between the two
        self._end = self.size
        if not self._begun:
            if self._end < HEADER_SIZE:
                return
            self._begun = True
            yield from self._read_header()
        while True:
            found = self._at(self.offset)
            if isinstance(found, str):
                if not found:
                    return
                end = self._next_record(self.offset)
                if end is None:
                    return  # nothing valid follows: an unfinished end
                found, damage = self._skipped(end, found)
                yield damage
            elif self.expected is not None and found.sequence > self.expected:
                missing = found.sequence - self.expected
                problem = f"the records {self.expected} to {found.sequence - 1} are missing"
                yield LogDamage(self.path, self.offset, 0, missing, problem)
            self.offset += self._length
            self.expected = found.sequence + 1
            yield found

    def tail(self) -> LogDamage | None:
        """The bytes behind the last record, if there are any."""
        rest = self._end - self.offset
        if rest == 0 and (self._begun or self.offset):
            return None
        problem = self._at(self.offset) if self._begun else "the header is not whole"
        return LogDamage(
            self.path, self.offset, rest, None, f"unfinished end: {problem}", torn=True
        )

    def _read_header(self) -> Iterator[LogDamage]:
        raw = os.pread(self._handle, HEADER_SIZE, 0)
        magic, version, size, zero, number, first, wall, monotonic, boot = _HEADER.unpack_from(raw)
        sound = zlib.crc32(raw[:-4]) == int.from_bytes(raw[-4:], "little")
        self.offset = HEADER_SIZE
        if not sound or magic != _FILE_MAGIC or number != self.number or zero:
            yield LogDamage(self.path, 0, HEADER_SIZE, None, "the header is damaged")
            return
        if version > FORMAT or size != HEADER_SIZE:
            raise StoreError(
                f"{self.path}: format {version} is newer than this airpocket knows ({FORMAT}); upgrade it"
            )
        self.header = Header(number, first, wall, monotonic, boot.hex())
        if self.expected is not None and first > self.expected:
            problem = f"the records {self.expected} to {first - 1} before it are missing"
            yield LogDamage(self.path, 0, 0, first - self.expected, problem)
        self.expected = first

    def _skipped(self, start: int, problem: str) -> tuple[Record, LogDamage]:
        found = self._at(start)
        assert isinstance(found, Record)
        lost = None if self.expected is None else found.sequence - self.expected
        damage = LogDamage(self.path, self.offset, start - self.offset, lost, problem)
        self.offset, self.expected = start, found.sequence
        return found, damage

    def _at(self, offset: int, most: int | None = None) -> Record | str:
        """The record that begins at an offset, or what is wrong there; '' at the end of the file.

        `most`: the highest sequence that can stand here, so that bytes made to look like a record are
        dismissed before their checksum is computed.
        """
        have = self._load(offset, OVERHEAD)
        if have < OVERHEAD:
            return "it is cut off" if have else ""
        at = offset - self._base
        magic, crc = HEAD.unpack_from(self._buffer, at)
        length, sequence = FIXED.unpack_from(self._buffer, at + HEAD.size)[:2]
        if magic != MAGIC:
            return "no record begins here"
        if not SMALLEST <= length <= LARGEST:
            return f"a record of {length} bytes is impossible"
        if (most is not None and sequence > most) or (
            self.expected is not None and sequence < self.expected
        ):
            return f"record {sequence} does not belong here"
        if self._load(offset, HEAD.size + length) < HEAD.size + length:
            return "it is cut off"
        at = offset - self._base + HEAD.size
        data = memoryview(self._buffer)[at : at + length]
        if zlib.crc32(data, self._seed) != crc:
            return "the checksum does not match"
        self._length = HEAD.size + length
        return unpacked(data) or "the record contradicts itself"

    def _load(self, offset: int, size: int) -> int:
        """How many of `size` bytes at an offset there are; they are in the buffer then."""
        start = offset - self._base
        if start < 0 or start + size > len(self._buffer):
            have = self._end - offset
            if have < size:  # a corrupt length never makes the buffer larger than the file
                return max(have, 0)
            self._buffer = os.pread(self._handle, max(size, _CHUNK), offset)
            self._base = offset
            return min(size, len(self._buffer))
        return size

    def _next_record(self, bad: int) -> int | None:
        """Where the next valid record begins behind a bad one; None if there is none."""
        for candidate in self._candidates(bad):
            # what was skipped can't have held more records than fit into it
            room = (candidate - bad) // OVERHEAD
            most = None if self.expected is None else self.expected + room
            if isinstance(self._at(candidate, most), Record):
                return candidate
        return None

    def _candidates(self, bad: int) -> Iterator[int]:
        if self._load(bad, OVERHEAD) == OVERHEAD:
            length: int = FIXED.unpack_from(self._buffer, bad - self._base + HEAD.size)[0]
            if SMALLEST <= length <= LARGEST:
                # first where its own length leads: what looks like a record inside its body is none
                yield bad + HEAD.size + length
        position = bad + 1
        while len(data := os.pread(self._handle, _CHUNK, position)) >= len(MAGIC):
            at = data.find(MAGIC)
            while at >= 0:
                yield position + at
                at = data.find(MAGIC, at + 1)
            position += len(data) - len(MAGIC) + 1
