"""Snapshots of books: for one that lost its thread, quickly at first, and at leisure to audit those that hold."""

import asyncio
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from airpocket.domain.units import SECOND_NS
from airpocket.ingest.connection import Connection, Sink, World
from airpocket.ingest.dial import Refused
from airpocket.ingest.feed import Feed, Poll
from airpocket.ingest.poller import rest_record, route_of

_FIRST_S = 3.0
_MOST_S = 120.0
_QUIET_S = 60.0  # a book that held this long is whole: its next fault gets a quick answer again
_AUDIT_S = 600.0  # how often a live book is held against a snapshot
_AUDIT_SHARE = 0.1  # of the venue's budget, at most

Key: TypeAlias = tuple[str, str]  # venue, symbol


@dataclass(slots=True)
class _Tries:
    count: int = 0
    due: int = 0  # monotonic ns


@dataclass(slots=True)
class _Queue:
    """Of one venue: one question at a time, books that want mending first, so that no debt piles up."""

    mend: dict[Key, None] = field(default_factory=dict[Key, None])
    audit: dict[Key, None] = field(default_factory=dict[Key, None])
    asking: Key | None = None
    task: "asyncio.Task[None] | None" = None

    def holds(self, key: Key) -> bool:
        return key == self.asking or key in self.mend


class Resyncer:
    """Owns the attempts to mend and audit books. Times are monotonic ns."""

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
        self._audits: dict[Key, int] = {}  # when the next is due
        self._queues: dict[str, _Queue] = {}

    async def mend(self, wanting: Iterable[Key], now: int) -> None:
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
                await self._ask(key, tries)

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

    async def close(self) -> None:
        """Ask nothing more."""
        tasks = [queue.task for queue in self._queues.values() if queue.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _audit_ns(self, venue: str) -> int:
        feed = self._feeds[venue]
        weight = sum(poll.weight for poll in feed.snapshots.values())
        least_s = 60.0 * weight / (feed.weight_per_minute * _AUDIT_SHARE)
        return int(max(_AUDIT_S, least_s) * SECOND_NS)

    async def _ask(self, key: Key, tries: _Tries) -> None:
        venue, symbol = key
        feed = self._feeds[venue]
        if symbol in feed.snapshots:
            self._queue(key).mend[key] = None
            self._serve(venue)
        elif symbol in feed.again:
            self._tried(tries)
            route, texts = feed.again[symbol]
            await self._connections[venue, route].say(texts)

    def _tried(self, tries: _Tries) -> None:
        wait_s = min(_FIRST_S * 2**tries.count, _MOST_S)
        now = self._world.clock.monotonic()
        tries.count, tries.due = min(tries.count + 1, 16), now + int(wait_s * SECOND_NS)

    def _queue(self, key: Key) -> _Queue:
        return self._queues.setdefault(key[0], _Queue())

    def _serve(self, venue: str) -> None:
        queue = self._queues[venue]
        if queue.task is None or queue.task.done():
            queue.task = asyncio.create_task(self._answer(venue, queue), name=f"{venue} snapshots")

    async def _answer(self, venue: str, queue: _Queue) -> None:
        """Until nothing waits. The wait before the next attempt counts from the answer."""
        while queue.mend or queue.audit:
            waiting = queue.mend or queue.audit
            key = next(iter(waiting))
            del waiting[key]
            queue.asking = key
            try:
                await self._snapshot(self._feeds[venue].snapshots[key[1]])
            finally:
                queue.asking = None
                if waiting is queue.mend and key in self._tries:
                    self._tried(self._tries[key])

    async def _snapshot(self, poll: Poll) -> None:
        clock = self._world.clock
        try:
            body = await self._world.ask(poll)
        except Refused as refused:
            lost = rest_record(clock, poll, "disconnect", b"", str(refused), f"{route_of(poll)}#0")
            await self._sink.take(lost)
            return
        await self._sink.take(
            rest_record(clock, poll, "rest", body, poll.address, f"{route_of(poll)}#1")
        )
