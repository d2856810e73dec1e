"""Millions of messages through the live path, hundreds of reconnects: memory stays flat and no number is missing.

python -m tests.faults.soak --messages 17000000 --reconnects 500 --processes 4
Each process is a recorder of its own (session, log on disk, sealing, decoders, book, tape) with a share of the
messages; they come from memory, as fast as they are taken. Memory is the process' own, resident.
"""

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from live.sim import Binance, SimVenue

from airpocket.ingest.connection import ConnectionSettings
from airpocket.ingest.dial import LineClosed
from airpocket.ingest.log import reader
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.pace import BackoffSettings
from airpocket.ingest.world import SystemClock
from airpocket.live import session as session_module
from airpocket.live.feeds import feeds_of
from airpocket.live.recorder import RecorderSettings
from airpocket.live.session import RAW, Session, SessionSettings
from tests.faults.shards import Patches, cores, say, spread

VENUE, SYMBOL = "binance_usdm", "ETHUSDT"
SETTINGS = SessionSettings(
    flush_s=20.0,
    seal_s=5.0,
    log=LogSettings(segment_bytes=16 * 1024 * 1024, reserve_bytes=0),
    recorder=RecorderSettings(
        connection=ConnectionSettings(
            backoff=BackoffSettings(first_s=0.01, most_s=0.05, proof_s=0.01), calls_per_s=50.0
        )
    ),
)
_AHEAD = 4_000  # messages sent and not yet applied
_WARM = 0.3  # of the messages, before memory is judged
_LOOKS = 200
_FIRST, _MORE = 40, 10  # looks that tell what is usual; how much more is a leak


class Shard(NamedTuple):
    """What one recorder went through. Memory in MB; `slope`: MB per million messages, after warming up."""

    messages: int
    reconnects: int
    logged: int
    applied: int
    first_mb: float
    last_mb: float
    slope: float
    took_s: float
    broken: tuple[str, ...]


class Speaker(Binance):
    """USD-M's frames, stamped by the machine's clock; every frame of the public route is numbered by its kind."""

    def __init__(self, clock):
        super().__init__(clock)
        self.changes = 0

    @property
    def ms(self):
        return self._clock.now() // 1_000_000

    def public(self, number):
        """Six changes of the book, three trades and a quote in ten."""
        at = number % 10
        if at < 6:
            self.changes += 1
            return self.depth()
        return self.trade() if at < 9 else self.quote()


class Source:
    """Gives each route its frames; a line of the public route ends after its share of them."""

    def __init__(self, messages, reconnects, clock):
        self.speaker, self.messages = Speaker(clock), messages
        self.sent = self.lines = 0
        self._share = max(messages // (reconnects + 1), 1)
        self.recorder = None
        self.memory: list[tuple[int, float]] = []
        self.held: list[tuple[int, int, int]] = []  # open files, threads, tasks
        self.all_sent = asyncio.Event()

    async def dial(self, url):
        return Route(self, "/public/" in url)

    async def next(self, line):
        """The next public frame; waits while the recorder is behind, and for ever when all were sent."""
        while self.sent - self.recorder.intake.frames[VENUE] > _AHEAD:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        if self.sent >= self.messages:
            self.all_sent.set()
            await asyncio.Event().wait()
        if line.given >= self._share and self.sent + self._share <= self.messages:
            raise LineClosed("1006")
        line.given += 1
        self.sent += 1
        if self.sent % max(self.messages // _LOOKS, 1) == 0:
            self.memory.append((self.sent, resident_mb()))
            self.held.append(held())
        return self.speaker.public(self.sent)


class Route:
    """A line whose frames are made when they are asked for."""

    def __init__(self, source, public):
        self._source, self._public = source, public
        self.given = 0
        source.lines += public

    async def receive(self):
        if self._public:
            if self.given % 50 == 0:
                await asyncio.sleep(0)
            return await self._source.next(self)
        await asyncio.sleep(0.5)
        return self._source.speaker.mark()

    async def send(self, text):
        """Nothing is answered: the address subscribes."""

    async def ping(self):
        pong = asyncio.get_running_loop().create_future()
        pong.set_result(None)
        return pong

    async def close(self):
        """Nothing is held."""


def resident_mb() -> float:
    """Of this process, now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def held() -> tuple[int, int, int]:
    """Open files, threads and tasks of this process, now."""
    files = len(list(Path("/proc/self/fd").iterdir()))
    return files, threading.active_count(), len(asyncio.all_tasks())


def work(part: tuple[int, int, int]) -> Shard:
    """One recorder: (number, messages, reconnects)."""
    number, messages, reconnects = part
    with tempfile.TemporaryDirectory(prefix=f"airpocket-soak-{number}-") as folder:
        return asyncio.run(_record(Path(folder), messages, reconnects))


async def _record(store: Path, messages: int, reconnects: int) -> Shard:
    begun = time.monotonic()  # noqa: TID251 - of this command
    clock = SystemClock()
    source, patches = Source(messages, reconnects, clock), Patches()
    answers = SimVenue()
    answers.answers = {
        "/v1/depth": source.speaker.snapshot, "/v1/time": source.speaker.time,
        "/v1/openInterest": lambda: b'{"openInterest":"10","symbol":"ETHUSDT","time":%d}' % source.speaker.ms,
    }  # fmt: skip
    patches.setattr(session_module, "websocket_dial", lambda gate: source.dial)
    patches.setattr(session_module, "Asker", lambda *_, **__: _Asks(answers))
    try:
        session = Session(store, ("ETH",), feeds_of(["ETH"], [VENUE]), clock, SETTINGS)
        running = asyncio.create_task(session.run())
        while session.recorder is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        source.recorder = session.recorder
        await _until_applied(source, running)
        applied = {s.channel: s.messages for s in session.recorder.status() if s.symbol == SYMBOL}
        market = session.states.by_asset["ETH"].markets[VENUE, SYMBOL]
        state, gaps = market.book.state, market.book.gaps
        session.stop()
        await running
    finally:
        patches.undo()
    broken = _account(store / RAW, source, applied)
    if (state, gaps) != ("live", 0):
        broken.append(f"the book ended {state} with {gaps} gaps")
    if session.sealer.trouble or session.keeper.trouble:
        broken.append(f"storage: {session.sealer.trouble} {session.keeper.trouble}")
    for name, first, last in zip(
        ("files", "threads", "tasks"), _most(source.held[:_FIRST]), _most(source.held), strict=True
    ):
        if last > first + _MORE:
            broken.append(f"{name}: at first at most {first}, later {last}")
    slope = _slope(source.memory)
    took = time.monotonic() - begun  # noqa: TID251
    return Shard(
        source.sent, source.lines - 1, source.sent, applied["trades"], source.memory[0][1],
        source.memory[-1][1], slope, took, tuple(broken),
    )  # fmt: skip


async def _until_applied(source, running) -> None:
    told = time.monotonic()  # noqa: TID251
    while not (source.all_sent.is_set() and source.recorder.intake.frames[VENUE] >= source.sent):
        if running.done():
            running.result()
            raise AssertionError("the recorder ended by itself")
        if time.monotonic() - told > 30.0:  # noqa: TID251
            told = time.monotonic()  # noqa: TID251
            say(f"{source.sent:,} of {source.messages:,} messages, {resident_mb():,.0f} MB")
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.0)


class _Asks:
    """The questions of a session, answered from memory."""

    def __init__(self, answers):
        self._answers = answers

    async def __call__(self, poll):
        return await self._answers.ask(poll)

    async def close(self):
        """Nothing is held."""


def _account(folder: Path, source: Source, applied) -> list[str]:
    """Every number that was sent is in the log once and in order, and reached state."""
    broken, trades, change, count = [], 0, None, 0
    for each in reader.read(folder):
        if not isinstance(each, Record):
            broken.append(f"the log is damaged: {each}")
            continue
        if each.kind != "text" or not each.connection.startswith("public"):
            continue
        count += 1
        if b'"e": "trade"' in each.body:
            trades += 1
            if int(_after(each.body, b'"t": ')) != trades:
                broken.append(f"trade {trades} is missing or double: {each.body[:200]!r}")
                break
        elif b"depthUpdate" in each.body:
            previous = int(_after(each.body, b'"pu": '))
            if change is not None and previous != change:
                broken.append(f"after change {change} comes one that follows {previous}")
                break
            change = int(_after(each.body, b'"u": '))
    sent = (source.sent, source.speaker.trades)
    if (count, trades) != sent:
        broken.append(f"{sent} messages and trades were sent, {(count, trades)} are in the log")
    told = (applied["trades"], applied["book"])
    polled = (
        told[1] - source.speaker.changes
    )  # snapshots by REST prove no stream alive: none counts
    if told[0] != source.speaker.trades or polled:
        broken.append(
            f"state took {told} trades and changes of {sent[1]}, {source.speaker.changes}"
        )
    return broken


def _most(looks: list[tuple[int, int, int]]) -> list[int]:
    return [max(column) for column in zip(*looks, strict=True)]


def _after(body: bytes, mark: bytes) -> bytes:
    return body.partition(mark)[2].partition(b",")[0]


def _slope(memory: list[tuple[int, float]]) -> float:
    """MB per million messages, least squares over all looks after warming up."""
    late = memory[int(len(memory) * _WARM) :]
    if len(late) < 3:
        return 0.0
    sent, mb = np.array(late).T
    return float(np.polyfit(sent / 1e6, mb, 1)[0])


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 where a number is missing, or memory grew by more than --slope."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.faults.soak")
    parser.add_argument("--messages", type=int, default=17_000_000)
    parser.add_argument("--reconnects", type=int, default=500)
    parser.add_argument("--processes", type=int, default=min(4, cores()))
    parser.add_argument("--slope", type=float, default=5.0, help="MB per million messages, at most")
    given = parser.parse_args(arguments)
    n = given.processes
    parts = [
        (
            k,
            given.messages // n + (k < given.messages % n),
            given.reconnects // n + (k < given.reconnects % n),
        )
        for k in range(n)
    ]
    whole: list[Shard] = []
    for (number, _, _), shard in spread(partial(work), parts, n):
        whole.append(shard)
        say(
            f"process {number}: {shard.messages:,} messages, {shard.reconnects} reconnects in {shard.took_s:,.0f}"
            f" s, {shard.first_mb:,.0f} to {shard.last_mb:,.0f} MB, {shard.slope:+.2f} MB per million"
        )
        for each in shard.broken:
            say(f"  {each}")
    worst = max(shard.slope for shard in whole)
    broken = [each for shard in whole for each in shard.broken]
    print(  # noqa: T201
        f"{sum(s.messages for s in whole):,} messages, {sum(s.reconnects for s in whole)} reconnects:"
        f" {len(broken)} things missing, memory grew by at most {worst:+.2f} MB per million messages,"
        f" {max(s.last_mb for s in whole):,.0f} MB at the end"
    )
    return 1 if broken or worst > given.slope else 0


if __name__ == "__main__":
    sys.exit(main())
