"""A book that lost its thread is asked for anew: quickly at first, ever more slowly while it does not help."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from airpocket.domain.units import SECOND_NS
from airpocket.ingest.connection import Connection, Sink, World
from airpocket.ingest.dial import Refused
from airpocket.ingest.feed import Feed, Poll
from airpocket.ingest.poller import rest_record, route_of

_FIRST_S = 3.0
_MOST_S = 120.0
_QUIET_S = 60.0  # a book that held this long is whole: its next fault gets a quick answer again


@dataclass(slots=True)
class _Tries:
    count: int = 0
    due: int = 0  # monotonic ns


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

    async def mend(self, wanting: Iterable[tuple[str, str]], now: int) -> None:
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
                await self._ask(venue, symbol)

    async def _ask(self, venue: str, symbol: str) -> None:
        feed = self._feeds[venue]
        if symbol in feed.snapshots:
            task = asyncio.create_task(self._snapshot(feed.snapshots[symbol]))
            self._asking.add(task)  # asyncio itself keeps only weak references
            task.add_done_callback(self._asking.discard)
        elif symbol in feed.again:
            route, texts = feed.again[symbol]
            await self._connections[venue, route].say(texts)

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
