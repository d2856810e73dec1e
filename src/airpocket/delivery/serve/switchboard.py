"""The web's end of the link: takes what engine and player tell, and asks them for what a client wants to know."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from airpocket.delivery.serve.board import Board, Doubts, Heard
from airpocket.delivery.serve.hub import Hub
from airpocket.delivery.serve.link import Line, Note
from airpocket.delivery.serve.models import Tape
from airpocket.domain.errors import BadInput
from airpocket.domain.ports import Clock
from airpocket.domain.units import SECOND_NS

MOST_WAITING = 8
_ANSWER_S = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking: an HTTP status, and JSON."""

    status: int
    body: bytes


def problem(status: int, code: str, message: str) -> Answer:
    """An answer that is none."""
    return Answer(status, msgspec.json.encode({"code": code, "message": message}))


class Switchboard:
    """Owns the lines to engine and player."""

    def __init__(self, board: Board, hub: Hub, clock: Clock) -> None:
        self._board, self._hub, self._clock = board, hub, clock
        self._lines: dict[str, Line] = {}
        self.heard_at: dict[str, int] = {}  # process → when it last said anything, monotonic ns
        self._asked: dict[int, asyncio.Future[Answer]] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._number = 0
        self._moment = 0

    @asynccontextmanager
    async def open(self, path: Path) -> AsyncGenerator[None]:
        """Listen on a Unix socket that only this user may open."""
        _remove(path)
        server = await asyncio.start_unix_server(self._answer_call, str(path))
        os.chmod(path, 0o600)  # noqa: PTH101 - a socket
        try:
            yield
        finally:
            self._give_up("stopping", "the server is stopping")
            server.close()
            for task in self._calls:
                task.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)
            _remove(path)

    def _answer_call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._take(reader, writer))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    def silent_s(self, name: str) -> float | None:
        """How long a process has said nothing; None: never anything, or its line is down."""
        if name not in self._lines:
            return None
        return (self._clock.monotonic() - self.heard_at[name]) / SECOND_NS

    async def ask(self, verb: str, body: bytes) -> Answer:
        """Ask the engine; what it can't do now is said at once."""
        line = self._lines.get("engine")
        if line is None:
            return problem(503, "engine_down", "the engine is not there; it is started anew")
        if len(self._asked) >= MOST_WAITING:
            return problem(503, "busy", f"{MOST_WAITING} questions wait already: try again")
        self._number += 1
        number = self._number
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(_ANSWER_S):
                await line.send(Note(what="ask", name=verb, number=number), body)
                return await future
        except TimeoutError:
            return problem(503, "too_slow", "the engine gave no answer within two minutes")
        finally:
            del self._asked[number]

    async def control(self, body: bytes) -> int:
        """Move the replay; the number that the player says once it has, 0: nobody plays one."""
        line = self._lines.get("player")
        self._number += 1
        number = self._number
        if line is None or not await line.send(Note(what="control", number=number), body):
            return 0
        return number

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, name = Line(reader, writer), ""
        try:
            while (told := await line.receive()) is not None:
                note, body = told
                if note.what == "hello":
                    name = note.name
                    self._lines[name] = line
                    if name == "engine" and self._moment:
                        await line.send(Note(what="moment", as_of=self._moment))
                self.heard_at[name] = self._clock.monotonic()
                await self._heed(note, body)
        except BadInput:
            pass  # not one of ours: hang up
        finally:
            line.close()
            if self._lines.get(name) is line:
                del self._lines[name]
                if name == "engine":
                    self._give_up("engine_down", "the engine ended while it worked")

    def _give_up(self, code: str, why: str) -> None:
        for future in self._asked.values():
            if not future.done():
                future.set_result(problem(503, code, why))

    async def _heed(self, note: Note, body: bytes) -> None:
        takers: dict[str, Callable[[Note, bytes], None]] = {
            "document": self._document, "edition": self._edition, "heat": self._heat,
            "tape": self._tape, "replay": self._replay, "answer": self._answer,
        }  # fmt: skip
        if note.what in takers:
            takers[note.what](note, body)
        if note.what == "replay" and note.as_of:
            self._moment = note.as_of
            if (engine := self._lines.get("engine")) is not None:
                await engine.send(Note(what="moment", as_of=note.as_of))

    def _document(self, note: Note, body: bytes) -> None:
        if note.name == "health":
            self._board.doubts = msgspec.json.decode(body, type=Doubts)
        else:
            self._board.take_document(note.name, body, note.as_of, self._clock.now())

    def _edition(self, note: Note, body: bytes) -> None:
        self._board.take_edition(body, note.as_of)
        self._hub.publish("state", self._board.told_state(), snapshot=True)

    def _heat(self, note: Note, body: bytes) -> None:
        if note.full:
            self._board.heat = body
        if note.name != "kept":
            self._hub.publish("heat", body, snapshot=note.full)

    def _tape(self, note: Note, body: bytes) -> None:
        if note.fresh:
            self._board.begin_anew(note.as_of)
            self._hub.begin_anew()
        delta = msgspec.json.decode(body, type=Tape)
        self._board.tape.apply(delta)
        self._board.tape_at = note.as_of
        self._hub.publish("tape", body, snapshot=False)

    def _replay(self, note: Note, body: bytes) -> None:
        self._board.heard = msgspec.json.decode(body, type=Heard)

    def _answer(self, note: Note, body: bytes) -> None:
        future = self._asked.get(note.number)
        if future is not None and not future.done():
            future.set_result(Answer(note.status, body))


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
