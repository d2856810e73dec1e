"""How much room the disk has left for log and store, in bytes and in files, and when to say so."""

import os
from dataclasses import dataclass
from pathlib import Path

SHARES = (0.05, 0.10, 0.20)  # of the disk free: each is told apart
_FEW_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Room:
    """What a disk has free for us; `files_share` is None where the file system counts none."""

    place: Path
    free_bytes: int
    free_share: float
    files_share: float | None

    @property
    def is_short(self) -> bool:
        """Whether a recording may soon have to stop."""
        least = min(self.free_share, 1.0 if self.files_share is None else self.files_share)
        return least < SHARES[0] or self.free_bytes < _FEW_BYTES

    def notes(self) -> tuple[str, ...]:
        """What a user should know: nothing while a fifth of the disk is free."""
        found: list[str] = []
        if (share := _passed(self.free_share)) is not None:
            found.append(
                f"disk of {self.place}: less than {share:.0%} free, {self.free_bytes / 1e9:,.1f} GB"
            )
        if self.files_share is not None and (share := _passed(self.files_share)) is not None:
            found.append(
                f"disk of {self.place}: less than {share:.0%} of its files (inodes) are free"
            )
        return tuple(found)


def room_at(place: Path) -> Room:
    """The room of the disk that a folder lies on, as far as we may use it.

    Raises:
        OSError: the folder can't be reached.
    """
    found = os.statvfs(place)
    used = found.f_blocks - found.f_bfree
    ours = used + found.f_bavail  # what the system keeps for itself is neither used nor free
    files = found.f_favail / found.f_files if found.f_files else None
    return Room(
        place, found.f_bavail * found.f_frsize, found.f_bavail / ours if ours else 0.0, files
    )


def _passed(share: float) -> float | None:
    return next((each for each in SHARES if share < each), None)
