"""A session of the lab on tape: the shipped adapters record its servers in virtual time, without a socket.

The same world, seed and start give the same records.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from msgspec.structs import replace

from airpocket.delivery.virtual import VirtualClock, VirtualLoop, in_virtual_time
from airpocket.domain.units import SECOND_NS
from airpocket.ingest import disk, origin
from airpocket.ingest.connection import World as Outside
from airpocket.ingest.dial import LineClosed, refusal
from airpocket.ingest.feed import Feed, Poll
from airpocket.ingest.log import sealed
from airpocket.ingest.log.records import Record
from airpocket.ingest.venues.registry import FEEDS
from airpocket.lab.dialects.speech import Close
from airpocket.lab.runs.worldfile import World
from airpocket.lab.server.gate import Gate
from airpocket.lab.server.house import House
from airpocket.lab.server.pipe import Pipe
from airpocket.lab.server.wire import Head
from airpocket.live.feeds import decoders, sized_decoders
from airpocket.live.recorder import Recorder, RecorderSettings
from airpocket.live.session import States

_LEVEL = 19  # of the compression


@dataclass(frozen=True, slots=True)
class TapeSettings:
    """`start`: the wire's time at the beginning, ns. `for_s`: seconds of the wire. Others as for `House`."""

    start: int
    for_s: float
    speed: float = 1.0
    from_h: float = 0.0


@dataclass(frozen=True, slots=True)
class Tape:
    """What was recorded, in order, and of which market. `hash`: of the world's whole journal."""

    records: tuple[Record, ...]
    label: str
    hash: str


class _Log:
    """A log in memory: every record is durable at once."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def put(self, record: Record) -> "_Log":
        self.records.append(replace(record, sequence=len(self.records) + 1))
        return self

    @property
    def sequence(self) -> int:
        return len(self.records)

    async def durable(self, sequence: int) -> None:
        assert sequence <= len(self.records)


class _Line:
    """One open line to the gate."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    async def receive(self) -> str:
        said = await self._pipe.said.get()
        if isinstance(said, Close):
            raise LineClosed(f"{said.code} {said.reason}".strip())
        return said

    async def send(self, text: str) -> None:
        if not self._pipe.is_open:
            raise LineClosed("nobody listens")
        self._pipe.tell(text)

    async def ping(self) -> Awaitable[object]:
        answered: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        answered.set_result(None)
        return answered

    async def close(self) -> None:
        self._pipe.leave()


def feeds_of_house(house: House) -> dict[str, Feed]:
    """The shipped feeds of what a house serves."""
    symbols: dict[str, list[str]] = {}
    for contract in house.contracts:
        symbols.setdefault(contract.venue, []).append(contract.symbol)
    return {venue: FEEDS[venue](tuple(named)) for venue, named in symbols.items()}


def record(world: World, seed: int, settings: TapeSettings) -> Tape:
    """Record a world as its venues tell it."""

    async def main(loop: VirtualLoop) -> Tape:
        return await _record(
            loop, House(world, seed, settings.speed, from_h=settings.from_h), settings
        )

    return in_virtual_time(main)


async def _record(loop: VirtualLoop, house: House, settings: TapeSettings) -> Tape:
    clock, log, feeds = VirtualClock(loop, settings.start), _Log(), feeds_of_house(house)
    gate = Gate(house, clock)
    house.begin(clock.now())

    async def dial(url: str) -> _Line:
        pipe = Pipe(gate, _target(url))
        refused = pipe.open()
        if refused is not None:
            raise refusal(refused.status, refused.headers)
        return _Line(pipe)

    async def ask(poll: Poll) -> bytes:
        head = Head("POST" if poll.body else "GET", _target(poll.url), {})
        answer = gate.asked(Pipe(gate, head.target), head, poll.body.encode())
        if answer.status != 200:
            raise refusal(answer.status, answer.headers)
        return answer.body

    assets = (house.session.world.asset,)
    recorder = Recorder(
        feeds, decoders(), log, States(assets, feeds),  # pyright: ignore[reportArgumentType]
        Outside(clock, dial, ask, Random(house.session.seed)),  # noqa: S311 - seeded: jitter of polls
        RecorderSettings(assets=assets, simulated=house.label), sized=sized_decoders(),
    )  # fmt: skip
    tasks = [asyncio.create_task(gate.run()), asyncio.create_task(recorder.run())]
    await asyncio.sleep(settings.for_s)
    for task in reversed(tasks):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return Tape(tuple(log.records), house.label, house.session.hash)


def _target(url: str) -> str:
    """An address as a gate is asked for it: the venue's host is the path's first part."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"/{parts.netloc}{parts.path}{query}"


def write_sealed(folder: Path, tape: Tape) -> Sequence[Path]:
    """A log folder of one sealed file that holds the tape; its note says that it is simulated."""
    entry, data = sealed.packed(1, list(tape.records), 0, level=_LEVEL)
    disk.make_folder(folder / sealed.FOLDER)
    disk.put(folder / entry.path, data)
    sealed.commit(folder, [entry])
    origin.note(folder, tape.label)
    return [folder / entry.path, folder / sealed.FOLDER / sealed.MANIFEST, folder / origin.NOTE]


def seconds(tape: Tape) -> float:
    """From the first record to the last."""
    return (tape.records[-1].heard - tape.records[0].heard) / SECOND_NS
