"""What a venue's adapter supplies so far: its names, and a pure decoder of its frames."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.wire import LiveEvent

# frame, heard (ns), address the frame came from ('' when unknown): REST bodies name no symbol
Decode: TypeAlias = Callable[[bytes, int, str], list[LiveEvent]]

MOST_BYTES = 16 * 1024 * 1024  # the deepest REST book is far below


@dataclass(frozen=True, slots=True)
class Venue:
    """One market of a venue. `decode` is pure and raises nothing but `UndecodableFrame`."""

    name: str
    decode: Decode


def undecodable(venue: str, reason: str) -> UndecodableFrame:
    """The one error a decoder raises, with the venue in front."""
    return UndecodableFrame(f"{venue}: {reason}")
