"""The recorder: connections and polls into the raw log, and from there, once durable, into state."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from airpocket.domain.channels import CHANNEL_OF
from airpocket.domain.units import SECOND_NS
from airpocket.domain.wire import LiveEvent
from airpocket.ingest.connection import Connection, ConnectionSettings, World
from airpocket.ingest.feed import Feed
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.writer import LogWriter
from airpocket.ingest.poller import Poller, route_of
from airpocket.ingest.venue import Decode
from airpocket.live.faults import Faults, Judged
from airpocket.live.intake import Intake, Taker
from airpocket.live.resync import Resyncer
from airpocket.market.pulse import Pulse, PulseStatus

_AT_ONCE = 500  # records decoded before other tasks get a turn
_LAGS_KEPT = 10_000
_PROOF_S = 60.0  # channels that speak at least this often prove a successor


class Books(Taker, Judged, Protocol):
    """A taker that knows which of its books need to be built anew, and which can be audited."""

    def wanting(self) -> Iterable[tuple[str, str]]: ...

    def auditable(self) -> Iterable[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """`kick_s`: an ill route is called anew at most this often; after that it stays ill, and says so."""

    connection: ConnectionSettings = field(default_factory=ConnectionSettings)
    tick_s: float = 1.0
    kick_s: float = 900.0


class Recorder:
    """Owns everything that runs while recording; `run` returns when it is cancelled or all feeds refused.

    Every record is appended to the log as it is heard, and decoded only when the log has acknowledged it:
    whatever state knows can be replayed.
    """

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        decoders: Mapping[str, Decode],
        log: LogWriter,
        books: Books,
        world: World,
        settings: RecorderSettings | None = None,
        *,
        journal: bool = False,
    ) -> None:
        self._log, self._world, self._books = log, world, books
        self._settings = settings or RecorderSettings()
        self._feeds = feeds
        self.pulse = pulse_of(feeds.values())
        self.intake = Intake(decoders, books, self.pulse, journal=journal)
        connection = self._settings.connection
        self.connections = {
            (socket.venue, socket.route): Connection(socket, self, world, connection)
            for feed in feeds.values()
            for socket in feed.sockets
        }
        self.pollers = [Poller(poll, self, world) for feed in feeds.values() for poll in feed.polls]
        self._needed = {
            (socket.venue, socket.route): {
                (c.name, c.symbol) for c in socket.channels if (c.silence_s or 1e9) <= _PROOF_S
            }
            for feed in feeds.values()
            for socket in feed.sockets
        }
        self._unproven: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self._waiting: list[tuple[int, Record]] = []
        self._news = asyncio.Event()
        self._kicked: dict[tuple[str, str], int] = {}
        self._resyncer = Resyncer(feeds, self.connections, self, world)
        self._faults = Faults(self.pulse, books, self.intake.refusals)
        self.lags_ms: deque[float] = deque(
            maxlen=_LAGS_KEPT
        )  # oldest of each batch: heard → durable
        self._ticked = 0
        self._stopping = False

    async def take(self, record: Record) -> None:
        """Append to the log; the record reaches state when it is durable."""
        ticket = await self._log.put(record)
        self._waiting.append((ticket.sequence, record))
        self._news.set()

    async def run(self) -> None:
        """Until cancelled; what was heard is durable and applied on return.

        Raises:
            LogFailed: the log can't be written any more; nothing may be heard that can't be kept.
        """
        apply = asyncio.create_task(self._apply_durable(), name="apply")
        try:
            async with asyncio.TaskGroup() as group:
                tick = group.create_task(self._tick(), name="tick")
                feeds = [group.create_task(c.run()) for c in self.connections.values()]
                feeds += [group.create_task(p.run()) for p in self.pollers]
                watch = group.create_task(_first_failure(apply), name="watch")
                await asyncio.gather(*feeds)
                tick.cancel()
                watch.cancel()
        finally:
            await self._resyncer.close()
            self._stopping = True
            self._news.set()
            await asyncio.gather(apply, return_exceptions=True)

    def status(self) -> tuple[PulseStatus, ...]:
        """Every channel now."""
        return self.pulse.status(self._world.clock.now())

    async def _apply_durable(self) -> None:
        while not self._stopping:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch = self._waiting[:_AT_ONCE]
                await self._log.durable(batch[-1][0])
                waited = self._world.clock.monotonic() - batch[0][1].monotonic
                self.lags_ms.append(waited / 1e6)
                for _, record in batch:
                    self._applied(record, self.intake.take(record))
                del self._waiting[: len(batch)]
                await asyncio.sleep(0)

    def _applied(self, record: Record, events: list[LiveEvent]) -> None:
        key = (record.venue, record.connection)
        if record.kind == "connect":
            route = (record.venue, record.connection.rpartition("#")[0])
            if route in self._needed:
                self._unproven[key] = set(self._needed[route])
        elif record.kind == "disconnect":
            self._unproven.pop(key, None)
        elif self._unproven and (missing := self._unproven.get(key)) is not None:
            for event in events:
                name = CHANNEL_OF.get(str(event.__struct_config__.tag), "")
                missing.discard((name, event.symbol))
            if not missing:
                del self._unproven[key]
                route = (record.venue, record.connection.rpartition("#")[0])
                self.connections[route].proven(record.connection)

    async def _tick(self) -> None:
        """Once a second: who is ill, which book must be built anew."""
        while True:
            await self._world.sleep(self._settings.tick_s)
            now = self._world.clock.monotonic()
            late = self._ticked and now - self._ticked > 3 * self._settings.tick_s * SECOND_NS
            self._ticked = now
            statuses = self.status()  # notes the outages
            if late:
                continue  # we were asleep, not the venues: judge once what has queued up is applied
            self._faults.tell(statuses, self._world.clock.now())
            self._kick_the_ill(now)
            await self._resyncer.mend(self._books.wanting(), now)
            self._resyncer.audit(self._books.auditable(), now)

    def _kick_the_ill(self, now: int) -> None:
        ill = self.pulse.ill_routes(self._world.clock.now())
        for route, reason in ill.items():
            connection = self.connections.get(route)
            again = self._kicked.get(route, 0) + self._settings.kick_s * SECOND_NS
            if connection is not None and (route not in self._kicked or now >= again):
                self._kicked[route] = now
                connection.kick(reason)


def pulse_of(feeds: Iterable[Feed]) -> Pulse:
    """Every channel the feeds promise, each under its route."""
    pulse = Pulse()
    for feed in feeds:
        for socket in feed.sockets:
            for channel in socket.channels:
                pulse.declare(feed.venue, socket.route, channel)
        for poll in feed.polls:
            for channel in poll.channels:
                pulse.declare(feed.venue, route_of(poll), channel)
    return pulse


async def _first_failure(task: "asyncio.Task[None]") -> None:
    """Raise what stopped a task, so that nobody goes on without it."""
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
