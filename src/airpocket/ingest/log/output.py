"""The disk side of the writer: batches into segments, rotation, one sync per batch."""

import errno
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from airpocket.domain.ports import Clock
from airpocket.ingest import disk
from airpocket.ingest.log import segment
from airpocket.ingest.log.records import HEAD, MAGIC, seed_of
from airpocket.ingest.log.repair import Repair
from airpocket.ingest.log.settings import LogSettings

_PIECE = 4 * 1024 * 1024  # bytes handed to the system in one call


class Output:
    """Owns the open segment. Used by the committing thread alone.

    A new writer always begins a new segment, so a closed one is never written again.
    """

    def __init__(self, folder: Path, clock: Clock, settings: LogSettings, found: Repair) -> None:
        number, sequence = _sealed_end(folder)
        self._folder, self._clock, self._settings = folder, clock, settings
        self._number = max(found.last_number, number)
        self.last_sequence = max(found.last_sequence, sequence)
        self.path: Path | None = None
        self.segments = 0
        self._handle = -1
        self._size = self._hour = 0
        self._seed = 0
        self._reserve = folder / disk.RESERVE
        self.reserve_used = bool(settings.reserve_bytes) and not disk.set_aside(
            self._reserve, settings.reserve_bytes
        )

    def write(self, batch: list[tuple[int, bytes]]) -> Iterator[tuple[int, int]]:
        """Make records durable in order; after each sync, the last sequence and how many bytes it covers.

        `batch`: the hour each was heard, and its packed bytes.

        Raises:
            OSError: the disk refused; the rest of the batch is not durable.
        """
        parts: list[bytes] = []
        count = size = piece = 0
        for hour, data in batch:
            if self._handle < 0 or hour > self._hour or self._size >= self._settings.segment_bytes:
                if count:
                    self._put(parts)
                    yield self._synced(count), size
                    parts, count, size, piece = [], 0, 0, 0
                self._rotate(hour)
            parts += (HEAD.pack(MAGIC, zlib.crc32(data, self._seed)), data)
            count += 1
            size += len(data)
            piece += len(data)
            self._size += HEAD.size + len(data)
            if piece >= _PIECE:
                self._put(parts)
                parts, piece = [], 0
        self._put(parts)
        yield self._synced(count), size

    def close(self) -> None:
        """Let the segment go; it is synced already."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        self._reserve.unlink(missing_ok=True)

    def abandon(self) -> None:
        """Let go of a file that failed; its state is found out by the next start."""
        if self._handle >= 0:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = -1

    def _put(self, parts: list[bytes]) -> None:
        if disk.write_all(self._handle, b"".join(parts), self._reserve):
            self.reserve_used = True

    def _synced(self, count: int) -> int:
        if self._settings.sync:
            disk.sync(self._handle)
        if disk.is_gone(self._handle):
            raise FileNotFoundError(errno.ENOENT, "the file was deleted while it was being written")
        self.last_sequence += count
        return self.last_sequence

    def _rotate(self, hour: int) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        self._number += 1
        try:
            self.path, self._handle = self._create()
        except OSError as error:
            if error.errno not in disk.FULL or not disk.released(self._reserve):
                raise
            self.reserve_used = True
            self.path, self._handle = self._create()
        self._seed = seed_of(self._number)
        self._size = segment.HEADER_SIZE
        # never back: a clock that steps over the hour would make a segment at each step
        self._hour = max(self._hour, hour)
        self.segments += 1

    def _create(self) -> tuple[Path, int]:
        return segment.create(self._folder, self._number, self.last_sequence + 1, self._clock)


def _sealed_end(folder: Path) -> tuple[int, int]:
    """Number and last sequence of what was sealed, (0, 0) without it."""
    if not (folder / "sealed").is_dir():
        return 0, 0
    # the archive's library takes longer to load than a start should: only where there is an archive
    from airpocket.ingest.log import sealed

    entries = sealed.load(folder).values()
    return (
        max((entry.number for entry in entries), default=0),
        max((entry.last_sequence for entry in entries), default=0),
    )
