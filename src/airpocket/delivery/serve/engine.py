"""The engine process: an assessment for every new minute, its documents to the web, answers to questions."""

import asyncio
import os
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from airpocket.delivery.ground import Ground
from airpocket.delivery.serve import asks
from airpocket.delivery.serve.documents import Edition, edition_of
from airpocket.delivery.serve.heat_frame import Grid, changed_since, pack
from airpocket.delivery.serve.job import LINK, Job
from airpocket.delivery.serve.link import Line, Note, call
from airpocket.delivery.serve.others import Others
from airpocket.delivery.serve.role import until_stopped
from airpocket.domain.errors import AirpocketError, NothingKnown
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, TimeNs
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import newest
from airpocket.ingest.world import SystemClock
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.pipeline import Assessment

T = TypeVar("T")
_LOOK_S, _CALL_S = 0.25, 5.0
_HEARD_NS = 5 * SECOND_NS


class Engine:
    """Owns the assessment shown. One thread works: a question waits for the edition being made, and the reverse."""

    def __init__(self, job: Job) -> None:
        self._job, self._store = job, Path(job.store)
        self._lake = Lake(self._store)
        self._ground = Ground(self._lake, job.asset)
        self._ground_before = Ground(self._lake, job.asset)
        self._others = Others(self._lake)
        self._worker = ThreadPoolExecutor(1, "assess")
        self._line: Line | None = None
        self._wanted = 0
        self._told_why = ""
        self._found: Assessment | None = None
        self._edition: Edition | None = None
        self._before: tuple[int, LiquidationMap | Unmapped] | None = None
        self._sent: Grid | None = None
        self._answering: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_line())
            group.create_task(self._keep_calling())
            group.create_task(self._keep_assessing())

    async def _keep_line(self) -> None:
        while True:
            line = await call(self._job.place / LINK)
            if line is None:
                await asyncio.sleep(0.2)
                continue
            self._line, self._sent = line, None
            await line.send(Note(what="hello", name="engine", pid=os.getpid()))
            if self._edition is not None:
                await self._tell(self._edition)
            while (told := await line.receive()) is not None:
                self._heed(line, *told)
            self._line = None

    async def _keep_calling(self) -> None:
        while True:
            await asyncio.sleep(_CALL_S)
            if self._line is not None:
                await self._line.send(Note(what="hello", name="engine", pid=os.getpid()))

    def _heed(self, line: Line, note: Note, body: bytes) -> None:
        if note.what == "moment":
            self._wanted = _closed(note.as_of)
        elif note.what == "ask":
            task = asyncio.create_task(self._answer(line, note, body))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _keep_assessing(self) -> None:
        made = 0
        if self._job.demo:
            await self._in_thread(_fill_demo, self._store)
        while True:
            wanted = await self._next_moment()
            if wanted and (wanted != made or self._unfinished):
                made = wanted
                edition = await self._in_thread(self._make, wanted)
                if edition is not None:
                    self._edition = edition
                    await self._tell(edition)
                continue
            await asyncio.sleep(_LOOK_S)

    async def _next_moment(self) -> int:
        """A replay's own; of a running recording by the clock; else the newest that the store holds."""
        if self._job.mode == "replay":
            return self._wanted
        if self._job.mode == "live":
            return _closed(SystemClock().now())
        try:
            return int(await asyncio.to_thread(newest, self._lake, self._job.asset))
        except AirpocketError as error:
            self._say(str(error))
            return 0

    def _make(self, at: int) -> Edition | None:
        now = TimeNs(at)
        try:
            found = self._ground.at(now).assess(now)
        except AirpocketError as error:
            self._say(str(error))
            return None
        self._found = found
        then = TimeNs(now - DAY_NS)
        return edition_of(found, then, self._map_before(then))

    def _map_before(self, then: TimeNs) -> LiquidationMap | Unmapped:
        """The map of a day ago, made anew once an hour; the first edition does not wait for it."""
        hour = then // HOUR_NS
        if self._before is None:
            self._before = (0, Unmapped("the map of a day ago is still being made"))
        elif self._before[0] != hour:
            try:
                mapped = self._ground_before.at(then).mapped(then)
            except NothingKnown as nothing:
                mapped = Unmapped(str(nothing))
            self._before = (hour, mapped)
        return self._before[1]

    @property
    def _unfinished(self) -> bool:
        """Whether the edition told lacks the comparison with a day ago."""
        return self._before is not None and self._before[0] == 0 and self._found is not None

    async def _tell(self, edition: Edition) -> None:
        line = self._line
        if line is None:
            return
        at = int(edition.as_of)
        for name, body in edition.documents.items():
            await line.send(Note(what="document", name=name, as_of=at), body)
        await line.send(Note(what="document", name="health", as_of=at), edition.health)
        if edition.grid is not None:
            await self._tell_heat(line, edition.grid)
        await line.send(Note(what="edition", as_of=at), edition.head)

    async def _tell_heat(self, line: Line, grid: Grid) -> None:
        since, self._sent = changed_since(self._sent, grid), grid
        whole = pack(grid, "snapshot", "", 0)
        kept = "" if since is None else "kept"
        await line.send(Note(what="heat", name=kept, as_of=grid.as_of, full=True), whole)
        if since is not None:
            await line.send(Note(what="heat", as_of=grid.as_of), pack(grid, "delta", "", 0, since))

    async def _answer(self, line: Line, note: Note, body: bytes) -> None:
        """To whoever asked: a web started anew counts its questions from one again."""
        if self._found is None:
            status, answer = asks.not_yet()
        elif note.name == "bars":  # nothing to work out: it need not wait
            status, answer = await asyncio.to_thread(self._work_out, note.name, body, self._found)
        else:
            status, answer = await self._in_thread(self._work_out, note.name, body, self._found)
        await line.send(Note(what="answer", number=note.number, status=status), answer)

    def _work_out(self, verb: str, body: bytes, found: Assessment) -> tuple[int, bytes]:
        try:
            return asks.answer(verb, body, found, self._store, self._others)
        except Exception:
            sys.stderr.write(f"airpocket serve, engine: {verb}\n{traceback.format_exc()}")
            return asks.failed()

    async def _in_thread(self, work: Callable[..., T], *given: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work, *given)

    def _say(self, why: str) -> None:
        if why != self._told_why:
            self._told_why = why
            sys.stderr.write(f"airpocket serve, engine: {why}\n")


def _closed(at: int) -> int:
    """The last moment at which a minute had just closed and been heard."""
    return (at - _HEARD_NS) // MINUTE_NS * MINUTE_NS + _HEARD_NS


def _fill_demo(store: Path) -> None:
    from airpocket.delivery.demonstration import demo_store

    demo_store(store)


async def run(job: Job, stop: asyncio.Event) -> None:
    """Work until told to stop."""
    await until_stopped(Engine(job).run(), stop)
