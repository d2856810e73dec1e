"""A run of the shipped recorder in virtual time: on a machine that fails, its venues behind a bad network."""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random

from airpocket.domain.errors import AirpocketError
from airpocket.ingest.connection import World
from airpocket.ingest.feed import Feed
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.venues.registry import FEEDS
from airpocket.live import session as session_module
from airpocket.live.recorder import RecorderSettings
from airpocket.live.session import Session, SessionSettings
from tests.faults.checks import Checks, check_log
from tests.faults.machine import Loop, Machine, is_refused
from tests.faults.market import VENUES, Market
from tests.faults.plan import Trouble
from tests.faults.shards import Patches, in_memory
from tests.faults.venue import Door, SimAsker

STEP_S = 2.0  # how often a venue speaks: a mark may be silent for three seconds
SETTINGS = SessionSettings(
    flush_s=1_800.0, health_s=300.0, seal_s=900.0, recorder=RecorderSettings(tick_s=2.0),
    log=LogSettings(segment_bytes=256 * 1024, reserve_bytes=0),
)  # fmt: skip
_ENDS_WITHIN_S = 120.0  # a recorder that is told to stop


@dataclass
class Outcome:
    """What a run went through; `violations` in words, each with the loop's time."""

    seed: int
    venues: tuple[str, ...]
    hours: float
    frames: int = 0
    acknowledged: int = 0
    lives: int = 0
    books: int = 0  # looks at a trusted book, each held against the true one
    minutes: int = 0  # told as whole, each held against what was traded
    recovered_s: float = 0.0  # the longest from the end of a storm until everything was live
    faults: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    digest: str = ""


class Bench:
    """The recorder's world of one seed. `kill` and `stop` end the present life; the supervisor begins the next."""

    def __init__(self, loop, seed: int, hours: float, folder: Path) -> None:
        self.rng = Random(seed)
        self.loop = loop
        venues = [VENUES[seed % len(VENUES)]]
        if seed % 4 == 3:
            venues.append(self.rng.choice([v for v in VENUES if v not in venues]))
        self.outcome = Outcome(seed, tuple(venues), hours)
        self.machine = Machine(loop, folder, Random(seed + 1))
        self.clock = self.machine.clock
        self.markets = {venue: Market(venue, "ETH", Random(f"{seed} {venue}")) for venue in venues}
        self.doors = {
            venue: Door(market, self.clock, Random(f"{seed} net {venue}"))
            for venue, market in self.markets.items()
        }
        self.feeds = {venue: _feed(venue, m.symbol) for venue, m in self.markets.items()}
        self.trouble = Trouble(self, Random(f"{seed} plan"))
        self.checks = Checks(self)
        self.session: Session | None = None
        self.begun = 0.0  # of the present life, loop's seconds
        self._task: asyncio.Task[None] | None = None
        self._back_s = 5.0
        self._expected = ""  # why the present life may end

    def install(self, patches: Patches) -> None:
        """The session's edges lead into this bench."""
        module = session_module
        self.machine.install(patches)
        patches.setattr(module, "LogWriter", partial(VirtualLogOf, self.machine))
        patches.setattr(module, "websocket_dial", lambda gate: self._dial)
        patches.setattr(
            module,
            "Asker",
            lambda budgets, clock, gate, bans: SimAsker(self.doors, budgets, clock, bans),
        )
        patches.setattr(module, "asleep_ns", self.clock.asleep)
        patches.setattr(module, "World", partial(World, random=self.rng))

    async def run(self) -> Outcome:
        """The whole run, to the last check."""
        until = self.outcome.hours * 3_600.0
        speaking = asyncio.create_task(self._speak())
        living = asyncio.create_task(self._live())
        looking = asyncio.create_task(self.checks.run())
        await self.trouble.run(until - 1_800.0)
        await asyncio.sleep(max(until - self.loop.time(), 0.0))
        for task in (looking, living):
            task.cancel()
        await asyncio.gather(looking, living, return_exceptions=True)
        await self._end("the run is over")
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        for task in (looking, living, speaking):
            if not task.cancelled() and (error := task.exception()) is not None:
                self.checks.violated(f"the bench or a check failed: {error!r}")
        self._report()
        return self.outcome

    async def kill(self, *, power: bool, back_s: float) -> None:
        """The process, or the machine, is gone at this moment."""
        if self._task is None or self._task.done():
            return
        self._expected, self._back_s = "killed", back_s
        self.machine.kill()
        for door in self.doors.values():
            for line in list(door.lines):
                line.hang_up("1006")
        await self._end("killed")
        if power:
            self.machine.power_cut()
        self.machine.start_again()

    async def stop(self, *, back_s: float) -> None:
        """As told by its user."""
        if self.session is not None and self._task is not None and not self._task.done():
            self._expected, self._back_s = "stopped", back_s
            self.session.stop()
            await self._end("stopped")

    async def _end(self, why: str) -> None:
        task = self._task
        if task is None or task.done():
            return
        if why == "killed":
            task.cancel()
        elif self.session is not None:
            self._expected = why
            self.session.stop()
        _, late = await asyncio.wait({task}, timeout=_ENDS_WITHIN_S)
        if late:
            self.checks.violated(f"the recorder did not end within {_ENDS_WITHIN_S:g} s: {why}")
            task.cancel()
            await asyncio.wait({task})

    async def _live(self) -> None:
        """The supervisor: one life after the other."""
        while True:
            self.session = Session(
                self.machine.folder, ("ETH",), self.feeds, self.clock, SETTINGS
            )  # fmt: skip
            self.checks.watch_facts(self.session)
            self._expected, self.begun = "", self.loop.time()
            self.outcome.lives += 1
            self._task = asyncio.create_task(self.session.run())
            await asyncio.wait({self._task})
            self._judge_end(self._task)
            if self.session.bans_unkept:
                for door in self.doors.values():
                    door.forget_ban()
            self.session = None  # nobody shows anything until the next life
            await asyncio.sleep(self._back_s)
            while self.machine.disk.is_off:  # noqa: ASYNC110 - virtual time
                await asyncio.sleep(1.0)
            # as a supervisor waits that has just seen its program end at once
            self._back_s = 5.0 if self.loop.time() - self.begun > 60.0 else 30.0

    def _judge_end(self, task) -> None:
        error = None if task.cancelled() else task.exception()
        if self._expected == "killed":
            return
        if isinstance(error, AirpocketError) and (
            is_refused(error) or "store" in type(error).__name__.lower()
        ):
            self.trouble.ended = max(self.trouble.ended, self.loop.time())
            return
        if error is not None or not self._expected:
            self.checks.violated(f"the recorder ended by itself: {error!r}")

    async def _dial(self, url: str):
        venue = next(
            name for name, feed in self.feeds.items() if any(s.url == url for s in feed.sockets)
        )
        return await self.doors[venue].dial(url)

    async def _speak(self) -> None:
        for door in self.doors.values():
            door.market.step(door.now())  # what was before is nobody's news
        while True:
            await asyncio.sleep(STEP_S)
            for door in self.doors.values():
                door.speak()

    def _report(self) -> None:
        outcome = self.outcome
        outcome.acknowledged = self.machine.acknowledged
        outcome.faults = dict(sorted(self.trouble.counts.items()))
        outcome.digest = check_log(self)
        outcome.violations = self.checks.found
        outcome.recovered_s = self.checks.recovered_s
        outcome.books, outcome.minutes = self.checks.books, self.checks.minutes


def _feed(venue: str, symbol: str) -> Feed:
    """The shipped feed of a contract, less its options: this market has none."""
    feed = FEEDS[venue]((symbol,))
    sockets = tuple(
        replace(s, channels=tuple(c for c in s.channels if not c.name.startswith("option")))
        for s in feed.sockets
    )
    polls = tuple(p for p in feed.polls if not any("option" in c.name for c in p.channels))
    return replace(feed, sockets=sockets, polls=polls)


def VirtualLogOf(machine, folder, clock, settings=None):  # noqa: N802 - stands where a class stood
    """The log of a session on this machine."""
    from tests.faults.machine import VirtualLog

    return VirtualLog(machine, folder, clock, settings)


def run_seed(seed: int, hours: float) -> Outcome:
    """One seed from start to end, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix=f"airpocket-{seed}-", dir=in_memory()))
    store = folder / "store"
    store.mkdir()
    loop, patches = Loop(), Patches()
    asyncio.set_event_loop(loop)
    bench = Bench(loop, seed, hours, store)
    bench.install(patches)
    try:
        return loop.run_until_complete(bench.run())
    finally:
        patches.undo()
        asyncio.set_event_loop(None)
        loop.close()
        shutil.rmtree(folder, ignore_errors=True)
