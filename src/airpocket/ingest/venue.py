"""What a venue's adapter supplies so far: its names, and a pure decoder of its frames."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from airpocket.domain.depth import DepthColumns
from airpocket.domain.errors import UndecodableFrame, UnknownMessage
from airpocket.domain.wire import LiveEvent
from airpocket.ingest.values import BadValue

# frame, heard (ns), address the frame came from ('' when unknown): REST bodies name no symbol
Decode: TypeAlias = Callable[[bytes, int, str], list[LiveEvent]]
# contract sizes by symbol → the decoder that knows them
SizedDecode: TypeAlias = Callable[[Mapping[str, float]], Decode]

MOST_BYTES = 16 * 1024 * 1024  # the deepest REST book is far below


@dataclass(frozen=True, slots=True)
class BookReader:
    """A venue's book frames in bulk. `marks`: what a frame about a book has near its beginning, one of them.

    `read`: frames and symbol → columns; it never says anything else than `decode`, and leaves to it what it
    does not know.
    """

    marks: tuple[bytes, ...]
    read: Callable[[Sequence[bytes], str], DepthColumns]

    def concerns(self, frame: bytes) -> bool:
        """Whether the frame may be about a book."""
        head = frame[:160]
        return any(mark in head for mark in self.marks)


@dataclass(frozen=True, slots=True)
class Venue:
    """One market of a venue. `decode` is pure and raises nothing but `UndecodableFrame`.

    `decode_with` makes the decoder that knows given contract sizes by symbol, where sizes on the wire are
    contracts: coin, or dollars of inverse ones. Elsewhere there is none, and none is needed.
    """

    name: str
    decode: Decode
    decode_with: SizedDecode | None = None
    books: BookReader | None = None


def guarded(venue: str, frame: bytes, read: Callable[[], list[LiveEvent]]) -> list[LiveEvent]:
    """What `read` makes of the frame; whatever it trips over becomes the one error.

    Raises:
        UndecodableFrame: the frame is too big, no JSON, of another shape, or holds an impossible value.
    """
    if len(frame) > MOST_BYTES:
        raise undecodable(venue, f"a frame of {len(frame):,} bytes")
    try:
        if not frame.isascii():
            frame.decode()  # fields nobody reads are skipped unchecked: a broken one makes the frame suspect
        return read()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise undecodable(venue, str(error)) from error
    except (BadValue, RecursionError) as error:
        raise undecodable(venue, str(error) or "nested too deep") from error


def undecodable(venue: str, reason: str) -> UndecodableFrame:
    """The one error a decoder raises, with the venue in front."""
    return UndecodableFrame(f"{venue}: {reason}")


def unknown(venue: str, what: str, name: str) -> UnknownMessage:
    """The error for a channel or kind of message that has no reader."""
    return UnknownMessage(f"{venue}: unknown {what} {name[:60]!r}")


def labelled(venue: str, label: str, events: list[LiveEvent]) -> list[LiveEvent]:
    """The events, if they are of the symbol that the frame's label names: under another they are of neither.

    Raises:
        UndecodableFrame: one of them is not.
    """
    for event in events:
        if event.symbol != label:
            raise undecodable(
                venue, f"a message of {event.symbol[:40]!r} under the label {label[:60]!r}"
            )
    return events
