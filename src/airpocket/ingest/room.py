"""How much room a disk has left, in bytes and in files, and which alarms that calls for."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

AlarmLevel: TypeAlias = Literal["notice", "warning", "critical"]

# per cent free below which each level speaks
_LEVELS: tuple[tuple[float, AlarmLevel], ...] = (
    (5.0, "critical"),
    (10.0, "warning"),
    (20.0, "notice"),
)


@dataclass(frozen=True, slots=True)
class Room:
    """Room of the disk that holds a folder; `files_total` is 0 where the file system has no such limit."""

    free_bytes: int
    total_bytes: int
    files_free: int
    files_total: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something to see to, and how soon."""

    level: AlarmLevel
    text: str


def room_at(folder: Path) -> Room:
    """The room there is now.

    Raises:
        OSError: no such folder.
    """
    found = os.statvfs(folder)
    return Room(
        found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize, found.f_favail, found.f_files
    )  # fmt: skip


def alarms(room: Room) -> tuple[Alarm, ...]:
    """An alarm for bytes and one for files, each where less than 20, 10 or 5 % are free."""
    found: list[Alarm] = []
    if room.total_bytes:
        percent = 100.0 * room.free_bytes / room.total_bytes
        text = f"the disk has {percent:.1f} % free ({room.free_bytes / 1e9:,.1f} GB)"
        found += _judged(percent, text)
    if room.files_total:
        percent = 100.0 * room.files_free / room.files_total
        text = f"the disk has room for {percent:.1f} % of its files ({room.files_free:,} more)"
        found += _judged(percent, text)
    return tuple(found)


def _judged(percent: float, text: str) -> list[Alarm]:
    for below, level in _LEVELS:
        if percent < below:
            return [Alarm(level, text)]
    return []
