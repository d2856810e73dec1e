"""Repeats REST questions on their own beat; every answer goes to the sink as a record."""

from urllib.parse import urlsplit

from airpocket.domain.ports import Clock
from airpocket.ingest.connection import Sink, World
from airpocket.ingest.dial import Refused
from airpocket.ingest.feed import Poll
from airpocket.ingest.log.records import Record, RecordKind

_WORST_WAIT_S = 300.0


def route_of(poll: Poll) -> str:
    """The name a poll goes by among the routes of its venue."""
    what = f" {poll.body}" if poll.body else ""
    return f"rest {urlsplit(poll.url).path}?{urlsplit(poll.url).query}{what}".rstrip("?")[:200]


class Poller:
    """One question asked for ever: at its own pace while answered, slower while not."""

    def __init__(self, poll: Poll, sink: Sink, world: World) -> None:
        self.poll, self._sink, self._world = poll, sink, world
        self._route = route_of(poll)
        self._answering: bool | None = None
        self.refused = ""

    async def run(self) -> None:
        """Until cancelled, or refused for good."""
        failures = 0
        while True:
            try:
                body = await self._world.ask(self.poll)
            except Refused as refused:
                failures += 1
                await self._lost(refused)
                if self.refused:
                    return
            else:
                failures = 0
                await self._found(body)
            wait_s = min(self.poll.every_s * 2**failures, max(_WORST_WAIT_S, self.poll.every_s))
            await self._world.sleep(wait_s * self._world.random.uniform(0.95, 1.05))

    async def _found(self, body: bytes) -> None:
        if not self._answering:
            await self._keep("connect", about=self.poll.url)
        self._answering = True
        await self._keep("rest", body, self.poll.address)

    async def _lost(self, refused: Refused) -> None:
        if refused.for_good:
            self.refused = str(refused)
        if self._answering is not False:
            await self._keep("disconnect", about=str(refused))
        self._answering = False

    async def _keep(self, kind: RecordKind, body: bytes = b"", about: str = "") -> None:
        await self._sink.take(
            rest_record(self._world.clock, self.poll, kind, body, about, f"{self._route}#1")
        )


def rest_record(
    clock: Clock, poll: Poll, kind: RecordKind, body: bytes, about: str, connection: str
) -> Record:
    """The record of something heard over REST. No address asked without a key holds anything secret."""
    return Record(
        heard=clock.now(), venue=poll.venue, connection=connection, kind=kind, body=body, about=about,
        monotonic=clock.monotonic(),
    )  # fmt: skip
