"""What a running watch says of itself, in a file of the store, so that a dashboard sees when it has died."""

from pathlib import Path

import msgspec
from msgspec import Struct

from airpocket.ingest.posted import post

NAME = "watch.json"


class Watching(Struct, frozen=True, kw_only=True):
    """The watch at `at` (ns); it speaks at least every `every_s`. trouble: why messages do not go out, or ''."""

    at: int
    pid: int
    every_s: float
    waiting: int
    trouble: str


_DECODER = msgspec.json.Decoder(Watching)


def write(store: Path, watching: Watching) -> None:
    """Replace the file at once.

    Raises:
        StoreError: it can't be written.
    """
    post(store / NAME, watching)


def read(store: Path) -> Watching | None:
    """The last word of a watch; None where none ran, or the last one ended in good order."""
    try:
        return _DECODER.decode((store / NAME).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def remove(store: Path) -> None:
    """The watch ends in good order: nobody need miss it."""
    (store / NAME).unlink(missing_ok=True)
