"""Snapshots of books: for one that lost its thread or fell silent alone, and at leisure to audit the others."""

import asyncio
import zlib
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from airpocket.domain.units import SECOND_NS
from airpocket.ingest.connection import Connection, Sink, World
from airpocket.ingest.dial import Refused
from airpocket.ingest.feed import Feed, Poll
from airpocket.ingest.poller import rest_record, route_of

_FIRST_S = 3.0
_MOST_S = 120.0
_PROBE_S = 300.0
_QUIET_S = 60.0  # a book that held this long is whole: its next fault gets a quick answer again
_AUDIT_S = 600.0  # how often a live book is held against a snapshot
_AUDIT_SHARE = 0.1  # of the venue's budget, at most

Key: TypeAlias = tuple[str, str]  # venue, symbol


class Positions(Protocol):
    """Knows how far each book has come."""

    def position(self, venue: str, symbol: str) -> int: ...


@dataclass(slots=True)
class _Tries:
    count: int = 0
    due: int = 0  # monotonic ns


@dataclass(slots=True)
class _Probe:
    """One question about a silent book: how far the book had come, when we asked and heard (monotonic ns)."""

    position: int
    asked: int
    answered: int | None = None


@dataclass(slots=True)
class _Queue:
    """Of one venue: one question at a time, books that want mending first, so that no debt piles up."""

    mend: dict[Key, None] = field(default_factory=dict[Key, None])
    probe: dict[Key, None] = field(default_factory=dict[Key, None])
    audit: dict[Key, None] = field(default_factory=dict[Key, None])
    asking: Key | None = None
    task: "asyncio.Task[None] | None" = None

    def holds(self, key: Key) -> bool:
        return key == self.asking or key in self.mend

    def waiting(self) -> dict[Key, None]:
        """Those whose turn it is; empty when nobody waits."""
        return self.mend or self.probe or self.audit


class Resyncer:
    """Owns the attempts to mend, probe and audit books. Times are monotonic ns."""

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        connections: Mapping[tuple[str, str], Connection],
        sink: Sink,
        world: World,
    ) -> None:
        self._feeds, self._connections = feeds, connections
        self._sink, self._world = sink, world
        self._tries: dict[Key, _Tries] = {}
        self._probes: dict[Key, _Probe] = {}
        self._audits: dict[Key, int] = {}  # when the next is due
        self._queues: dict[str, _Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults: list[BaseException] = []

    def mend(self, wanting: Iterable[Key], now: int) -> None:
        """Ask for the books of (venue, symbol) that are due; one that no longer wants any is let go."""
        wanted = set(wanting)
        for key, tries in list(self._tries.items()):
            if key not in wanted and now > tries.due + _QUIET_S * SECOND_NS:
                del self._tries[key]
        for queue in self._queues.values():
            for key in [each for each in queue.mend if each not in wanted]:
                del queue.mend[key]
        for key in sorted(wanted):
            tries = self._tries.setdefault(key, _Tries())
            if now >= tries.due and not self._queue(key).holds(key):
                venue, symbol = key
                if symbol in self._feeds[venue].snapshots:
                    self._queue(key).mend[key] = None
                    self._serve(venue)
                elif symbol in self._feeds[venue].again:
                    self._tried(tries)
                    self._subscribe_anew(key)

    def probe(self, silent: Iterable[Key], books: Positions, now: int) -> None:
        """Ask the venue about books that fell silent while others of their route speak.

        The answer brings the book up to date, so that what was missed is mended; where it tells no more than
        the book the market rests, and nothing was.
        """
        wanted = set(silent)
        for key in [key for key in self._probes if key not in wanted]:
            del self._probes[key]
            self._queue(key).probe.pop(key, None)
        for key in sorted(wanted):
            before = self._probes.get(key)
            if before is not None and now - before.asked < _PROBE_S * SECOND_NS:
                continue
            venue, symbol = key
            self._probes[key] = _Probe(books.position(venue, symbol), now)
            if symbol in self._feeds[venue].snapshots:
                self._queue(key).probe[key] = None
                self._serve(venue)
            elif symbol in self._feeds[venue].again:
                self._subscribe_anew(key)

    def rests(self, venue: str, symbol: str, books: Positions, now: int) -> int | None:
        """When a silent book's venue said that it had no more to tell; None: it had, or did not answer."""
        probe = self._probes.get((venue, symbol))
        if probe is None or probe.answered is None or now - probe.answered < SECOND_NS:
            return None  # an answer counts when it is durable and applied
        return probe.answered if books.position(venue, symbol) == probe.position else None

    def audit(self, live: Iterable[Key], now: int) -> None:
        """Ask for a snapshot of each live book once in ten minutes, more seldom where the budget is small."""
        for key in sorted(live):
            venue, symbol = key
            poll = self._feeds[venue].snapshots.get(symbol) if venue in self._feeds else None
            if poll is None:
                continue
            every = self._audit_ns(venue)
            if key not in self._audits:  # spread evenly, and the same for the same symbol
                share = (zlib.crc32(f"{venue} {symbol}".encode()) % 1_000) / 1_000
                self._audits[key] = now + int(every * (0.5 + share / 2))
            elif now >= self._audits[key]:
                self._audits[key] = now + every
                self._queue(key).audit[key] = None
                self._serve(venue)

    def raise_faults(self) -> None:
        """Raise what a question of ours ran into, other than a refusal: it is a fault, and no one awaited it."""
        if self._faults:
            raise self._faults.pop()

    async def close(self) -> None:
        """Ask nothing more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _audit_ns(self, venue: str) -> int:
        feed = self._feeds[venue]
        weight = sum(poll.weight for poll in feed.snapshots.values())
        least_s = 60.0 * weight / (feed.weight_per_minute * _AUDIT_SHARE)
        return int(max(_AUDIT_S, least_s) * SECOND_NS)

    def _tried(self, tries: _Tries) -> None:
        wait_s = min(_FIRST_S * 2**tries.count, _MOST_S)
        now = self._world.clock.monotonic()
        tries.count, tries.due = min(tries.count + 1, 16), now + int(wait_s * SECOND_NS)

    def _subscribe_anew(self, key: Key) -> None:
        venue, symbol = key
        route, texts = self._feeds[venue].again[symbol]
        self._start(self._say(self._connections[venue, route], texts))

    def _queue(self, key: Key) -> _Queue:
        return self._queues.setdefault(key[0], _Queue())

    def _serve(self, venue: str) -> None:
        queue = self._queues[venue]
        if queue.task is None or queue.task.done():
            queue.task = self._start(self._answer(venue, queue))

    def _start(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        """In a task of its own: waiting for a budget must not hold up the rest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)  # asyncio itself keeps only weak references
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._faults.append(fault)

    async def _say(self, connection: Connection, texts: tuple[str, ...]) -> None:
        await connection.say(texts)

    async def _answer(self, venue: str, queue: _Queue) -> None:
        """Until nothing waits. The wait before the next attempt counts from the answer."""
        while waiting := queue.waiting():
            key = next(iter(waiting))
            del waiting[key]
            queue.asking = key
            probe = self._probes.get(key)
            try:
                heard = await self._snapshot(self._feeds[venue].snapshots[key[1]])
                if heard and probe is not None:  # whatever it was asked for
                    probe.answered = self._world.clock.monotonic()
            finally:
                queue.asking = None
                if waiting is queue.mend and key in self._tries:
                    self._tried(self._tries[key])

    async def _snapshot(self, poll: Poll) -> bool:
        """Whether the venue answered; what it said, or why not, goes the way of everything heard."""
        clock = self._world.clock
        try:
            body = await self._world.ask(poll)
        except Refused as refused:
            lost = rest_record(clock, poll, "disconnect", b"", str(refused), f"{route_of(poll)}#0")
            await self._sink.take(lost)
            return False
        await self._sink.take(
            rest_record(clock, poll, "rest", body, poll.address, f"{route_of(poll)}#1")
        )
        return True
