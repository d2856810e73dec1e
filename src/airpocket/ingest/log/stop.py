"""The word a log leaves when it must stop, in room held from the start: why, when, and how far all is safe."""

from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from airpocket.domain.units import TimeNs
from airpocket.ingest import disk

NAME = "stopped.json"
_ROOM = 4_096  # bytes held, so that the word fits on a disk without room


class Stopped(Struct, frozen=True):
    """Why a writer gave up, at `at` (UTC ns); `acknowledged` is the sequence of the last safe record."""

    at: TimeNs
    reason: str
    acknowledged: int


_DECODER = msgspec.json.Decoder(Stopped)


def read(folder: Path) -> Stopped | None:
    """The word of the last writer, None where it had no reason to leave one."""
    try:
        return _DECODER.decode((folder / NAME).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def hold_room(folder: Path) -> None:
    """Clear the last word and keep its place; on a disk without room there will be none."""
    with suppress(OSError):
        disk.overwrite(folder / NAME, b" " * _ROOM)


def leave(folder: Path, stopped: Stopped) -> None:
    """Write the word over the room that was held; a disk that takes nothing at all gets none."""
    data = msgspec.json.encode(stopped)
    if len(data) > _ROOM:
        data = msgspec.json.encode(Stopped(stopped.at, stopped.reason[:500], stopped.acknowledged))
    with suppress(OSError):
        disk.overwrite(folder / NAME, data.ljust(_ROOM))


def clear(folder: Path) -> None:
    """Give the room back."""
    with suppress(OSError):
        disk.remove(folder / NAME)
