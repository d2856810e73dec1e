"""A book that lost its thread, or fell silent alone, is asked for anew: quickly first, then ever more slowly."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from airpocket.domain.units import SECOND_NS
from airpocket.ingest.connection import Connection, Sink, World
from airpocket.ingest.dial import Refused
from airpocket.ingest.feed import Feed, Poll
from airpocket.ingest.poller import rest_record, route_of

_FIRST_S = 3.0
_MOST_S = 120.0
_PROBE_S = 300.0
_QUIET_S = 60.0  # a book that held this long is whole: its next fault gets a quick answer again


@dataclass(slots=True)
class _Tries:
    count: int = 0
    due: int = 0  # monotonic ns


class Positions(Protocol):
    """Knows how far each book has come."""

    def position(self, venue: str, symbol: str) -> int: ...


@dataclass(slots=True)
class _Probe:
    """One question about a silent book: how far the book had come, when we asked and heard (monotonic ns)."""

    position: int
    asked: int
    answered: int | None = None


class Resyncer:
    """Owns the attempts to mend books. Times are monotonic ns."""

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        connections: Mapping[tuple[str, str], Connection],
        sink: Sink,
        world: World,
    ) -> None:
        self._feeds, self._connections = feeds, connections
        self._sink, self._world = sink, world
        self._tries: dict[tuple[str, str], _Tries] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._faults: list[BaseException] = []
        self._probes: dict[tuple[str, str], _Probe] = {}

    def mend(self, wanting: Iterable[tuple[str, str]], now: int) -> None:
        """Ask for the books of (venue, symbol) that are due."""
        wanted = set(wanting)
        for key, tries in list(self._tries.items()):
            if key not in wanted and now > tries.due + _QUIET_S * SECOND_NS:
                del self._tries[key]
        for venue, symbol in sorted(wanted):
            tries = self._tries.setdefault((venue, symbol), _Tries())
            if now >= tries.due:
                wait_s = min(_FIRST_S * 2**tries.count, _MOST_S)
                tries.count, tries.due = min(tries.count + 1, 16), now + int(wait_s * SECOND_NS)
                self._ask(venue, symbol)

    def probe(self, silent: Iterable[tuple[str, str]], books: Positions, now: int) -> None:
        """Ask the venue about books that fell silent while others of their route speak.

        The answer replaces the book, so that what was missed is mended; where its update id is the old
        one the market rests, and nothing was.
        """
        wanted = set(silent)
        for key in [key for key in self._probes if key not in wanted]:
            del self._probes[key]
        for venue, symbol in sorted(wanted):
            before = self._probes.get((venue, symbol))
            if before is None or now - before.asked >= _PROBE_S * SECOND_NS:
                probe = _Probe(books.position(venue, symbol), now)
                self._probes[venue, symbol] = probe
                self._ask(venue, symbol, probe)

    def rests(self, venue: str, symbol: str, books: Positions, now: int) -> int | None:
        """When a silent book's venue said that it had no more to tell; None: it had, or did not answer."""
        probe = self._probes.get((venue, symbol))
        if probe is None or probe.answered is None or now - probe.answered < SECOND_NS:
            return None  # an answer counts when it is durable and applied
        return probe.answered if books.position(venue, symbol) == probe.position else None

    def raise_faults(self) -> None:
        """Raise what a question of ours ran into, other than a refusal: it is a fault, and no one awaited it."""
        if self._faults:
            raise self._faults.pop()

    def _ask(self, venue: str, symbol: str, probe: _Probe | None = None) -> None:
        feed = self._feeds[venue]
        if symbol in feed.snapshots:
            self._start(self._snapshot(feed.snapshots[symbol], probe))
        elif symbol in feed.again:
            route, texts = feed.again[symbol]
            self._start(self._say(self._connections[venue, route], texts))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        """In a task of its own: waiting for a budget must not hold up the rest."""
        task = asyncio.create_task(work)
        self._asking.add(task)  # asyncio itself keeps only weak references
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._asking.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._faults.append(fault)

    async def _say(self, connection: Connection, texts: tuple[str, ...]) -> None:
        await connection.say(texts)

    async def _snapshot(self, poll: Poll, probe: _Probe | None) -> None:
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
        if probe is not None:
            probe.answered = clock.monotonic()
