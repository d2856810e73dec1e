"""The recorder: connections and polls into the raw log, and from there, once durable, into state."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec

from airpocket.domain.channels import CHANNEL_OF
from airpocket.domain.ports import Clock
from airpocket.domain.units import SECOND_NS
from airpocket.domain.wire import Control, LiveEvent
from airpocket.ingest.connection import Connection, ConnectionSettings, World, calls_of
from airpocket.ingest.feed import Feed
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.writer import LogWriter
from airpocket.ingest.poller import Poller, route_of
from airpocket.ingest.venue import Decode, SizedDecode
from airpocket.live.alarms import alarms
from airpocket.live.clocks import Clocks
from airpocket.live.faults import Faults, Judged
from airpocket.live.intake import CLOCK_SET, MEASURED, SLEPT, Intake, Taker
from airpocket.live.resync import Resyncer
from airpocket.live.roster import Roster
from airpocket.live.watch import Watch
from airpocket.market.pulse import Pulse, PulseStatus

_AT_ONCE = 500  # records decoded before other tasks get a turn
_LAGS_KEPT = 50_000
_BEHIND_S = 2.0  # while we are this far behind in our own reading, silence proves nothing


class Books(Taker, Judged, Protocol):
    """A taker that knows which of its books need to be built anew, and which can be audited."""

    def wanting(self) -> Iterable[tuple[str, str]]: ...

    def auditable(self) -> Iterable[tuple[str, str]]: ...

    def position(self, venue: str, symbol: str) -> int: ...


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """`kick_s`: an ill route is called anew at most this often; after that it stays ill, and says so.

    `clock_s`: how often each venue is asked for its time; 0: never. `assets`: whose newly listed contracts
    are taken up. `journal`: keep the hash of all events. `simulated`: the label of a market that is invented.
    """

    connection: ConnectionSettings = field(default_factory=ConnectionSettings)
    tick_s: float = 1.0
    kick_s: float = 900.0
    clock_s: float = 600.0
    assets: tuple[str, ...] = ()
    journal: bool = False
    simulated: str = ""


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
        sized: Mapping[str, SizedDecode] | None = None,
    ) -> None:
        """Args: sized: makers of decoders by venue, where sizes on the wire are contracts."""
        self._log, self._world, self._books = log, world, books
        self._settings = settings or RecorderSettings()
        self._feeds = dict(feeds)
        self._roster = Roster(self._settings.assets, feeds)
        self.pulse = pulse_of(feeds.values())
        journal = self._settings.journal
        self.intake = Intake(decoders, books, self.pulse, sized=sized, journal=journal)
        # how often a venue may be called, whatever the route
        self._calls = {name: calls_of(self._settings.connection, world) for name in feeds}
        self._goodbyes: dict[tuple[str, str], tuple[str, ...]] = {}
        self.connections: dict[tuple[str, str], Connection] = {}
        self.pollers: list[Poller] = []
        for feed in feeds.values():
            self._add(feed)
        self._unproven: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self._waiting: list[tuple[int, Record]] = []
        self._news = asyncio.Event()
        self._kicked: dict[tuple[str, str], int] = {}
        self._resyncer = Resyncer(self._feeds, self.connections, self, world)
        self._faults = Faults(self.pulse, books, self.intake.refusals)
        self.watch = Watch(self._settings.tick_s)
        self.clocks = Clocks(feeds, world, self._settings.clock_s)
        self.lags_ms: deque[float] = deque(
            maxlen=_LAGS_KEPT
        )  # oldest of each batch: heard → durable
        self._stopping = False
        self._group: asyncio.TaskGroup | None = None

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
            await self.take(_beginning(self._world.clock, self._settings.simulated))
            async with asyncio.TaskGroup() as group:
                self._group = group
                tick = group.create_task(self._tick(), name="tick")
                asking = group.create_task(self.clocks.run(), name="clocks")
                feeds = [group.create_task(c.run()) for c in self.connections.values()]
                feeds += [group.create_task(p.run()) for p in self.pollers]
                watch = group.create_task(_first_failure(apply), name="watch")
                await asyncio.gather(*feeds)
                for task in (tick, asking, watch):
                    task.cancel()
        finally:
            await self._resyncer.close()
            self._stopping = True
            self._news.set()
            await asyncio.gather(apply, return_exceptions=True)

    def status(self) -> tuple[PulseStatus, ...]:
        """Every channel now."""
        return self.pulse.status(self._world.clock.monotonic())

    def alarms(self) -> tuple[str, ...]:
        """What a user should know now, one line an incident."""
        now = self._world.clock.monotonic()
        troubles = {
            f"{venue} {route}": (c.failures, c.refused or c.trouble, bool(c.refused))
            for (venue, route), c in self.connections.items()
            if c.failures
        }
        stuck = [
            f"{venue} {route}: new connections bring no data; the old one is kept"
            for (venue, route), c in self.connections.items()
            if c.stuck
        ]
        return alarms(
            self.pulse.status(now), troubles, self.clocks.skews(),
            (*stuck, *self.watch.notes(now)), self.intake.refused,
        )  # fmt: skip

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
                self._take_up_newcomers()
                del self._waiting[: len(batch)]
                await asyncio.sleep(0)

    def _add(self, feed: Feed) -> tuple[list[Connection], list[Poller]]:
        """Connections and polls of a feed, not yet running."""
        settings = self._settings.connection
        connections: list[Connection] = []
        for socket in feed.sockets:
            key = (socket.venue, socket.route)
            calls = self._calls.setdefault(feed.venue, calls_of(settings, self._world))
            self.connections[key] = Connection(socket, self, self._world, settings, calls)
            self._goodbyes[key] = socket.goodbyes
            connections.append(self.connections[key])
        pollers = [Poller(poll, self, self._world) for poll in feed.polls]
        self.pollers += pollers
        return connections, pollers

    def _take_up_newcomers(self) -> None:
        """Contracts listed since are heard from now on: on routes of their own, or by calling theirs anew."""
        changes, self.intake.listed.changes = self.intake.listed.changes, []
        for change in changes:
            found = self._roster.joining(change)
            if found is None:
                continue
            for route in found.routes:
                self.connections[found.venue, route].kick(f"{found.symbol} is listed now")
            if found.feed is not None and self._group is not None:
                declare(self.pulse, found.feed)
                self._feeds[found.venue] = _with(self._feeds.get(found.venue), found.feed)
                connections, pollers = self._add(found.feed)
                for each in (*connections, *pollers):
                    self._group.create_task(each.run())

    def _applied(self, record: Record, events: list[LiveEvent]) -> None:
        key = (record.venue, record.connection)
        if record.kind == "connect":
            route = record.connection.rpartition("#")[0]
            if (record.venue, route) in self.connections:
                self._unproven[key] = self.pulse.proofs(record.venue, route)
        elif record.kind == "disconnect":
            self._unproven.pop(key, None)
        elif (
            self._unproven
            and record.kind in ("text", "binary")
            and (missing := self._unproven.get(key)) is not None
        ):
            for event in events:
                name = CHANNEL_OF.get(str(event.__struct_config__.tag), "")
                missing.discard((name, event.symbol))
            if not missing:
                del self._unproven[key]
                self._connection_of(record).proven(record.connection)
        if len(events) == 1 and isinstance(events[0], Control) and events[0].what == "notice":
            self._heed(record, events[0].text)

    def _heed(self, record: Record, notice: str) -> None:
        """A venue that says it will end the connection gets a successor before it does."""
        goodbyes = self._goodbyes.get((record.venue, record.connection.rpartition("#")[0]), ())
        if goodbyes and notice.startswith(goodbyes):
            self._connection_of(record).relieve(record.connection)

    def _connection_of(self, record: Record) -> Connection:
        return self.connections[record.venue, record.connection.rpartition("#")[0]]

    async def _tick(self) -> None:
        """Once a second: who is ill, which book must be built anew, and whether it is our own fault."""
        while True:
            await self._world.sleep(self._settings.tick_s)
            clock = self._world.clock
            now = clock.monotonic()
            look = self.watch.look(now, clock.now(), self._world.asleep())
            if look.stepped_s:
                await self._clock_stepped(look.stepped_s)
            if look.slept_s:
                await self._mark(
                    SLEPT, for_s=look.slept_s
                )  # ages are told without it, in a replay too
                for connection in self.connections.values():
                    connection.kick(f"the machine slept for {look.slept_s:,.0f} s")
            for venue, base_ns in self.clocks.listen(self.pulse, now):
                await self._mark(MEASURED, venue=venue, base_ns=base_ns)
            statuses = self.status()  # notes the outages
            if self.watch.patient(now) or self._behind(now):
                continue  # we were held up, not the venues: judge when what has queued up is applied
            self._faults.tell(statuses, now, clock.now())
            self._kick_the_ill(now)
            self._resubscribe(now)
            self._resyncer.raise_faults()
            self._probe_the_silent(now)
            self._resyncer.mend(self._books.wanting(), now)
            self._resyncer.audit(self._books.auditable(), now)

    def _behind(self, now: int) -> bool:
        return bool(self._waiting) and now - self._waiting[0][1].monotonic > _BEHIND_S * SECOND_NS

    async def _clock_stepped(self, by_s: float) -> None:
        """The venues' clocks are measured anew, and the log says that ours was set; ages are told without it."""
        self.clocks.stepped(by_s)
        await self._mark(CLOCK_SET, by_s=by_s)

    async def _mark(self, what: str, **figures: float | str) -> None:
        """Something of this machine into the log."""
        clock = self._world.clock
        body = msgspec.json.encode({"event": what, **figures})
        await self.take(
            Record(
                heard=clock.now(), venue="", connection="", kind="marker", body=body, about=what,
                monotonic=clock.monotonic(),
            )
        )  # fmt: skip

    def _kick_the_ill(self, now: int) -> None:
        for route, reason in self.pulse.ill_routes(now).items():
            connection = self.connections.get(route)
            again = self._kicked.get(route, 0) + self._settings.kick_s * SECOND_NS
            if connection is not None and (route not in self._kicked or now >= again):
                self._kicked[route] = now
                connection.kick(reason)

    def _probe_the_silent(self, now: int) -> None:
        """A book that is silent alone: the venue says whether its market rests or we miss something."""
        found = [each for each in self.pulse.ill_alone(now) if each[2] == "book"]
        alone = {(venue, symbol) for venue, symbol, _ in found}
        self._resyncer.probe(alone, self._books, now)
        for venue, symbol in alone:
            since = self._resyncer.rests(venue, symbol, self._books, now)
            if since is not None:
                self.pulse.rests(venue, symbol, "book", since)

    def _resubscribe(self, now: int) -> None:
        """What a confirmation left out is asked for once more, once a connection."""
        for venue, route, topic in self.pulse.not_granted(now):
            connection = self.connections.get((venue, route))
            if connection is not None:
                connection.ask_again(topic)


def pulse_of(feeds: Iterable[Feed]) -> Pulse:
    """Every channel the feeds promise, each under its route."""
    pulse = Pulse()
    for feed in feeds:
        declare(pulse, feed)
    return pulse


def declare(pulse: Pulse, feed: Feed) -> None:
    """The channels of a feed, each under its route."""
    for socket in feed.sockets:
        for channel in socket.channels:
            pulse.declare(feed.venue, socket.route, channel)
    for poll in feed.polls:
        for channel in poll.channels:
            pulse.declare(feed.venue, route_of(poll), channel)


def _with(old: Feed | None, new: Feed) -> Feed:
    """A venue's feed with a newcomer's ways to a fresh book."""
    if old is None:
        return new
    return replace(
        old, sockets=(*old.sockets, *new.sockets), polls=(*old.polls, *new.polls),
        snapshots={**old.snapshots, **new.snapshots}, again={**old.again, **new.again},
    )  # fmt: skip


def _beginning(clock: Clock, simulated: str) -> Record:
    """Where a recording starts: what was open or known before is so no longer."""
    said = {"event": "begun", "simulated": simulated} if simulated else {"event": "begun"}
    body = msgspec.json.encode(said)
    return Record(clock.now(), "", "log", "marker", body, monotonic=clock.monotonic())


async def _first_failure(task: "asyncio.Task[None]") -> None:
    """Raise what stopped a task, so that nobody goes on without it."""
    await asyncio.wait({task})
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
