"""One websocket route kept alive for as long as it is wanted; every frame goes to the sink, raw."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from airpocket.domain.ports import Clock
from airpocket.domain.units import SECOND_NS
from airpocket.ingest.ask import Ask
from airpocket.ingest.dial import Dial, Line, LineClosed, Refused
from airpocket.ingest.feed import Socket
from airpocket.ingest.log.records import Record, RecordKind
from airpocket.ingest.pace import Backoff, BackoffSettings, Budget


class Sink(Protocol):
    """Where records go; it may make the caller wait, and never drops one."""

    async def take(self, record: Record) -> None: ...


@dataclass(frozen=True, slots=True)
class World:
    """What the edge needs of the outside: clock, chance, and how to call or ask a venue."""

    clock: Clock
    dial: Dial
    ask: Ask
    random: Random = field(default_factory=Random)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """`replace_s`: how long a successor has to prove itself before it is given up and the old one kept."""

    backoff: BackoffSettings = field(default_factory=BackoffSettings)
    replace_s: float = 60.0
    retry_replace_s: float = 600.0


class _Session:
    """One life of the connection, from its opening to its end."""

    def __init__(self, socket: Socket, line: Line, sink: Sink, world: World) -> None:
        self._socket, self._line, self._sink, self._world = socket, line, sink, world
        self.name = f"{socket.route}#{world.clock.now()}"
        self.opened = world.clock.monotonic()
        self.first_frame: int | None = None
        self.last_frame = self.opened
        self.proven = asyncio.Event()
        self._count = 0
        self._budget = Budget(socket.sends_per_s, socket.sends_per_s, self.opened)
        self.task = asyncio.create_task(self._run(), name=f"{socket.venue} {self.name}")

    async def say(self, texts: tuple[str, ...]) -> None:
        """Send, within the venue's limit of messages a second."""
        for text in texts:
            wait_s = self._budget.wait_s(1.0, self._world.clock.monotonic())
            if wait_s > 0.0:
                await self._world.sleep(wait_s)
            await self._keep("sent", text.encode())
            await self._line.send(text)

    async def end(self, reason: str) -> None:
        """Hang up, and note why; safe to call twice."""
        if not self.task.done():
            self.task.cancel(reason)
        await asyncio.gather(self.task, return_exceptions=True)

    @property
    def data_s(self) -> float:
        """For how many seconds frames came."""
        first = self.first_frame
        return 0.0 if first is None else (self.last_frame - first) / SECOND_NS

    async def _run(self) -> str:
        """Until the line ends; the reason."""
        await self._keep("connect", about=self._socket.url)
        reason = "stopped"
        helpers = [asyncio.create_task(self._greet())]
        if self._socket.ping:
            helpers.append(asyncio.create_task(self._ping()))
        try:
            while True:
                await self._hear(await self._line.receive())
        except LineClosed as error:
            reason = str(error)[:300] or "closed"
        except asyncio.CancelledError as error:
            reason = str(error) or "stopped"
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            await self._line.close()
            await self._keep("disconnect", about=reason)
        return reason

    async def _hear(self, frame: str | bytes) -> None:
        self.last_frame = self._world.clock.monotonic()
        if self.first_frame is None:
            self.first_frame = self.last_frame
        if isinstance(frame, str):
            body = frame.encode()
            await self._keep("text", body)
        else:
            body = frame
            await self._keep("binary", body)
        for mark, answer in self._socket.replies:
            if mark in body:
                await self.say((answer,))

    async def _greet(self) -> None:
        try:
            await self.say(self._socket.hello)
        except LineClosed:
            return  # the reader learns it too, and says why

    async def _ping(self) -> None:
        while True:
            await self._world.sleep(self._socket.ping_every_s)
            try:
                await self.say((self._socket.ping,))
            except LineClosed:
                return

    async def _keep(self, kind: RecordKind, body: bytes = b"", about: str = "") -> None:
        self._count += 1
        clock = self._world.clock
        await self._sink.take(
            Record(
                heard=clock.now(), venue=self._socket.venue, connection=self.name, kind=kind, body=body,
                about=about, connection_sequence=self._count, monotonic=clock.monotonic(),
            )
        )  # fmt: skip


class Connection:
    """Keeps one route connected: calls again after losses, and replaces a connection before it grows too old.

    A successor must bring data on every channel with a cadence (`proven` tells) before the old one goes.
    """

    def __init__(
        self, socket: Socket, sink: Sink, world: World, settings: ConnectionSettings | None = None
    ) -> None:
        self.socket, self._sink, self._world = socket, sink, world
        self._settings = settings or ConnectionSettings()
        self._backoff = Backoff(self._settings.backoff, world.random)
        self._sessions: dict[str, _Session] = {}
        self._current: _Session | None = None
        self._kicked = asyncio.Event()
        self._why_kicked = ""
        self.losses = 0
        self.refused = ""  # why the venue will not be called again, '' while it will

    async def run(self) -> None:
        """Until cancelled, or until the venue refuses for good."""
        try:
            while not self.refused:
                await self._world.sleep(self._backoff.next_s())
                session = await self._open()
                if session is not None:
                    await self._live(session)
        finally:
            for session in list(self._sessions.values()):
                await session.end("stopped")

    def kick(self, reason: str) -> None:
        """Give the present connection up and call again."""
        self._why_kicked = reason
        self._kicked.set()

    async def say(self, texts: tuple[str, ...]) -> bool:
        """Send on the present connection; False when there is none."""
        session = self._current
        if session is None or session.task.done():
            return False
        try:
            await session.say(texts)
        except LineClosed:
            return False
        return True

    def proven(self, name: str) -> None:
        """The session of that name has brought data on all it should."""
        session = self._sessions.get(name)
        if session is not None:
            session.proven.set()

    async def _open(self) -> _Session | None:
        try:
            line = await self._world.dial(self.socket.url)
        except Refused as refused:
            await self._note(str(refused))
            if refused.for_good:
                self.refused = str(refused)
            elif refused.wait_s > 0.0:
                await self._world.sleep(refused.wait_s)
            return None
        session = _Session(self.socket, line, self._sink, self._world)
        self._sessions[session.name] = session
        return session

    async def _live(self, session: _Session) -> None:
        """With one session after the other, each relieving the last, until one is lost."""
        self._kicked.clear()
        life_s = self.socket.life_s * self._world.random.uniform(0.95, 1.0)
        while True:
            self._current = session
            ended = await self._until(session, life_s)
            if ended:
                break
            successor = await self._relieve(session)
            life_s = self._settings.retry_replace_s
            if successor is not None:
                session, life_s = successor, self.socket.life_s
        self._current = None
        self.losses += 1
        self._backoff.worked(session.data_s)

    async def _until(self, session: _Session, life_s: float) -> bool:
        """Whether the session is over, rather than due for relief."""
        kicked = asyncio.create_task(self._kicked.wait())
        old = asyncio.create_task(_slept(self._world, life_s))
        try:
            await asyncio.wait({session.task, kicked, old}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (kicked, old):
                task.cancel()
            await asyncio.gather(kicked, old, return_exceptions=True)
        if self._kicked.is_set():
            await session.end(self._why_kicked)
        if session.task.done():
            self._sessions.pop(session.name, None)
            return True
        return False

    async def _relieve(self, session: _Session) -> _Session | None:
        """A successor that has proven itself, the old session being over; None if the old one must go on."""
        successor = await self._open()
        if successor is None:
            return None
        try:
            await asyncio.wait_for(successor.proven.wait(), self._settings.replace_s)
        except TimeoutError:
            await successor.end("brought no data; the old connection is kept")
            self._sessions.pop(successor.name, None)
            return None
        await session.end("relieved by a younger connection")
        self._sessions.pop(session.name, None)
        return successor

    async def _note(self, reason: str) -> None:
        clock = self._world.clock
        await self._sink.take(
            Record(
                heard=clock.now(), venue=self.socket.venue, connection=f"{self.socket.route}#0",
                kind="disconnect", body=b"", about=reason[:300], monotonic=clock.monotonic(),
            )
        )  # fmt: skip


async def _slept(world: World, seconds: float) -> None:
    await world.sleep(seconds)
