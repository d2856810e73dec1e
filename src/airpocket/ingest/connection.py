"""One websocket route kept alive for as long as it is wanted; every frame goes to the sink, raw."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

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
    asleep: Callable[[], int] = lambda: 0  # ns the machine has slept since it was started


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """`replace_s`: how long a successor has to prove itself before it is given up and the old one kept.

    `calls_per_s`: of all routes of a venue together, and at most two more in any second: three a second is
    the least that a venue allows (OKX), 300 in five minutes the next (Binance).
    `ping_s`: after so long without a frame a line is asked for a sign of life; `patience`: how many seconds
    it has for it.
    """

    backoff: BackoffSettings = field(default_factory=BackoffSettings)
    replace_s: float = 90.0
    retry_replace_s: float = 600.0
    calls_per_s: float = 0.9
    ping_s: float = 10.0
    patience: int = 15


class _Session:
    """One life of the connection, from its opening to its end."""

    def __init__(
        self, socket: Socket, line: Line, sink: Sink, world: World, settings: ConnectionSettings
    ) -> None:
        self._socket, self._line, self._sink, self._world = socket, line, sink, world
        self._settings = settings
        self.name = f"{socket.route}#{world.clock.now()}"
        self.opened = world.clock.monotonic()
        self.first_frame: int | None = None
        self.last_frame = self.opened
        self.proven = asyncio.Event()
        self._count = 0
        self._helpers: list[asyncio.Task[None]] = []
        self._asked_again: set[str] = set()
        # half saved up and half refilled: in no second, and no hour, is the limit passed
        self._budget = Budget(socket.sends_per_s / 2, socket.sends_per_s / 2, self.opened)
        half = socket.says_per_hour / 2
        self._hourly = Budget(half / 3_600.0, half, self.opened) if half else None
        self.task = asyncio.create_task(self._run(), name=f"{socket.venue} {self.name}")

    async def say(self, texts: tuple[str, ...], *, counted: bool = True) -> None:
        """Send, within the venue's limits of messages a second and, where `counted`, an hour."""
        for text in texts:
            now = self._world.clock.monotonic()
            wait_s = self._budget.wait_s(1.0, now)
            if counted and self._hourly is not None:
                wait_s = max(wait_s, self._hourly.wait_s(1.0, now))
            if wait_s > 0.0:
                await self._world.sleep(wait_s)
            await self._keep("sent", text.encode())
            await self._line.send(text)

    def ask_again(self, topic: str, text: str) -> None:
        """Subscribe to a topic alone; once is enough, a second refusal is an answer."""
        if topic not in self._asked_again:
            self._asked_again.add(topic)
            self._help(self._say_again(text))

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
        reason = "stopped"
        try:
            await self._keep("connect", about=self._socket.url)
            self._help(self._greet())
            self._help(self._stay_alive())
            if self._socket.ping:
                self._help(self._ping())
            while True:
                await self._hear(await self._line.receive())
        except LineClosed as error:
            reason = str(error)[:300] or "closed"
        except asyncio.CancelledError as error:
            reason = str(error) or "stopped"
        finally:
            for helper in self._helpers:
                helper.cancel()
            ended = await asyncio.gather(*self._helpers, return_exceptions=True)
            await self._line.close()
            await self._keep("disconnect", about=reason)
        for fault in ended:
            if isinstance(fault, Exception):
                raise fault
        return reason

    def _help(self, work: Coroutine[None, None, None]) -> None:
        helper = asyncio.create_task(work)
        helper.add_done_callback(self._helper_done)
        self._helpers.append(helper)

    def _helper_done(self, helper: "asyncio.Task[None]") -> None:
        """A helper that failed takes its session along: nothing runs on half dead."""
        if not helper.cancelled() and helper.exception() is not None:
            self.task.cancel("a task of this connection failed")

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
                await self.say((answer,), counted=False)

    async def _greet(self) -> None:
        with suppress(LineClosed):  # the reader learns it too, and says why
            await self.say(self._socket.hello)

    async def _say_again(self, text: str) -> None:
        with suppress(LineClosed):
            await self.say((text,))

    async def _ping(self) -> None:
        while True:
            await self._world.sleep(self._socket.ping_every_s)
            try:
                await self.say((self._socket.ping,), counted=False)
            except LineClosed:
                return

    async def _stay_alive(self) -> None:
        """Hang up on a line that gives no sign of life.

        Patience is counted in waits of a second, not by the clock: while this process is held up, no wait
        ends, and nobody is blamed for what could not be heard.
        """
        while True:
            await self._world.sleep(self._settings.ping_s)
            asked = self._world.clock.monotonic()
            if asked - self.last_frame < self._settings.ping_s * SECOND_NS:
                continue
            try:
                pong = asyncio.ensure_future(await self._line.ping())
            except LineClosed:
                return
            for _ in range(self._settings.patience):
                await self._world.sleep(1.0)
                if pong.done() or self.last_frame > asked:
                    break
            else:
                self.task.cancel(f"no sign of life for {self._settings.patience} s")
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
        self,
        socket: Socket,
        sink: Sink,
        world: World,
        settings: ConnectionSettings | None = None,
        calls: Budget | None = None,
    ) -> None:
        """Args: calls: what the venue's routes share; by default this one has its own."""
        self.socket, self._sink, self._world = socket, sink, world
        self._settings = settings or ConnectionSettings()
        self._backoff = Backoff(self._settings.backoff, world.random)
        self._calls = calls or calls_of(self._settings, world)
        self._sessions: dict[str, _Session] = {}
        self._current: _Session | None = None
        self._kicked = asyncio.Event()
        self._why_kicked = ""
        self._due = asyncio.Event()  # a successor is wanted now
        self.losses = 0
        self.failures = 0  # attempts in a row that opened nothing
        self.trouble = ""  # what the last of them said
        self.stuck = False  # new connections bring no data, and the old one is kept
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

    def relieve(self, name: str) -> None:
        """Have a successor take over from the session of that name: the venue said that it will end it."""
        if self._current is not None and self._current.name == name:
            self._due.set()

    def ask_again(self, topic: str) -> None:
        """Subscribe once more, once a session, to what the venue's confirmation left out."""
        session = self._current
        text = self.socket.anew.get(topic)
        if session is not None and text is not None and not session.task.done():
            session.ask_again(topic, text)

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
        wait_s = self._calls.wait_s(1.0, self._world.clock.monotonic())
        if wait_s > 0.0:
            await self._world.sleep(wait_s)
        try:
            line = await self._world.dial(self.socket.url)
        except Refused as refused:
            self.failures, self.trouble = self.failures + 1, str(refused)
            await self._note(str(refused))
            if refused.for_good:
                self.refused = str(refused)
            elif refused.wait_s > 0.0:
                await self._world.sleep(refused.wait_s)
            return None
        self.failures, self.trouble = 0, ""
        session = _Session(self.socket, line, self._sink, self._world, self._settings)
        self._sessions[session.name] = session
        return session

    async def _live(self, session: _Session) -> None:
        """With one session after the other, each relieving the last, until one is lost."""
        self._kicked.clear()
        self._due.clear()
        life_s = self.socket.life_s * self._world.random.uniform(0.95, 1.0)
        while True:
            self._current = session
            ended = await self._until(session, life_s)
            if ended:
                break
            self._due.clear()
            successor = await self._relieve(session)
            life_s = self._settings.retry_replace_s
            if successor is not None:
                session, life_s = successor, self.socket.life_s
        self._current, self.stuck = None, False
        self.losses += 1
        self._backoff.worked(session.data_s)

    async def _until(self, session: _Session, life_s: float) -> bool:
        """Whether the session is over, rather than due for relief."""
        kicked = asyncio.create_task(self._kicked.wait())
        due = asyncio.create_task(self._due.wait())
        old = asyncio.create_task(_slept(self._world, life_s))
        await _first_of({session.task, kicked, due, old}, session.task)
        if self._kicked.is_set():
            await session.end(self._why_kicked)
        if session.task.done():
            self._sessions.pop(session.name, None)
            if not session.task.cancelled():
                session.task.result()  # a session ends with a reason; what else it raises is a fault of ours
            return True
        return False

    async def _relieve(self, session: _Session) -> _Session | None:
        """A successor that has proven itself, the old session being over; None if the old one must go on.

        Should the old one end meanwhile, an unproven successor is better than none.
        """
        successor = await self._open()
        if successor is None:
            return None
        proven = asyncio.create_task(successor.proven.wait())
        late = asyncio.create_task(_slept(self._world, self._settings.replace_s))
        await _first_of({proven, late, session.task, successor.task}, session.task, successor.task)
        if successor.task.done() or not (successor.proven.is_set() or session.task.done()):
            await successor.end("brought no data; the old connection is kept")
            self._sessions.pop(successor.name, None)
            self.stuck = True
            return None
        self.stuck = False
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


def calls_of(settings: ConnectionSettings, world: World) -> Budget:
    """How often a venue may be called."""
    return Budget(settings.calls_per_s, 2.0, world.clock.monotonic())


async def _slept(world: World, seconds: float) -> None:
    await world.sleep(seconds)


async def _first_of(tasks: "set[asyncio.Task[Any]]", *keep: "asyncio.Task[Any]") -> None:
    """Wait until one of the tasks is done, then end all but those to keep."""
    others = tasks.difference(keep)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
