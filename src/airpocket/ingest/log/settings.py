"""How the raw log commits, rotates and bounds its memory."""

from dataclasses import dataclass
from typing import Literal

from airpocket.domain.errors import BadInput


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Sizes in bytes. A commit is one sync of the disk; it acknowledges all records before it."""

    commit_every_ms: float = 20.0  # at most one commit in this time …
    commit_bytes: int = 1024 * 1024  # … unless this much waits
    segment_bytes: int = 64 * 1024 * 1024  # a new segment at this size, and with each UTC hour
    queue_bytes: int = 64 * 1024 * 1024  # held in memory at most, until it is on disk
    when_full: Literal["block", "refuse"] = "block"  # append waits, or raises; nothing is dropped
    reserve_bytes: int = 256 * 1024 * 1024  # given up when the disk is full, to stop in good order
    sync: bool = True  # False: an acknowledged record survives the process, not the machine

    def __post_init__(self) -> None:
        if self.commit_every_ms < 0 or self.reserve_bytes < 0:
            raise BadInput("log settings: commit_every_ms and reserve_bytes cannot be negative")
        if min(self.commit_bytes, self.segment_bytes, self.queue_bytes) < 1:
            raise BadInput(
                "log settings: commit_bytes, segment_bytes and queue_bytes must be positive"
            )
