"""How the server's processes speak: notes with a payload, length first, over one Unix socket."""

import asyncio
import struct
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from airpocket.domain.errors import BadInput

_LENGTHS = struct.Struct(">II")
_MOST_HEAD = 64 * 1024
_MOST_BODY = 64 * 1024 * 1024


class Note(Struct, frozen=True, kw_only=True):
    """One message between processes; its payload travels beside it.

    hello, document, edition, heat, tape, replay: from engine and player to the web. ask, control, moment: from
    the web. answer: to an ask. as_of: ns. number: of an ask and its answer, of a control; kind of a tape: snapshot
    or delta.
    """

    what: Literal[
        "hello",
        "document",
        "edition",
        "heat",
        "tape",
        "replay",
        "ask",
        "answer",
        "control",
        "moment",
    ]
    name: str = ""
    as_of: int = 0
    number: int = 0
    status: int = 0
    pid: int = 0
    full: bool = False
    fresh: bool = False  # nothing that was shown before holds any more


_DECODER = msgspec.json.Decoder(Note)


class Line:
    """One end of the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def receive(self) -> tuple[Note, bytes] | None:
        """The next note; None when the other end is gone.

        Raises:
            BadInput: bytes that are no note.
        """
        try:
            lengths = await self._reader.readexactly(_LENGTHS.size)
            head, body = _LENGTHS.unpack(lengths)
            if head > _MOST_HEAD or body > _MOST_BODY:
                raise BadInput(f"link: a note of {head} and {body} bytes")
            note = _DECODER.decode(await self._reader.readexactly(head))
            return note, await self._reader.readexactly(body)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except msgspec.MsgspecError as error:
            raise BadInput(f"link: {error}") from error

    async def send(self, note: Note, body: bytes = b"") -> bool:
        """Say something; False when nobody is there any more."""
        if self._writer.is_closing():
            return False
        head = msgspec.json.encode(note)
        try:
            self._writer.write(_LENGTHS.pack(len(head), len(body)) + head + body)
            await self._writer.drain()
        except (ConnectionError, RuntimeError):
            return False
        return True

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def call(path: Path) -> Line | None:
    """A line to the web process; None while it does not answer."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return None
    return Line(reader, writer)
