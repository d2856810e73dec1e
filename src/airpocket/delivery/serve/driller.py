"""The engine process of a drill: the lab's market at the page's pace, its analysis as editions, orders on paper."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from airpocket.delivery.serve.board import Heard
from airpocket.delivery.serve.columns import MOST_BARS, bars_of
from airpocket.delivery.serve.documents import Edition, edition_of
from airpocket.delivery.serve.drill_moment import moment_of
from airpocket.delivery.serve.drill_pace import Pace
from airpocket.delivery.serve.drill_state import DrillState, Said, encoded
from airpocket.delivery.serve.drill_tape import DrillTape
from airpocket.delivery.serve.heat_frame import pack
from airpocket.delivery.serve.job import LINK, Drilling, Job
from airpocket.delivery.serve.link import Line, Note, call
from airpocket.delivery.serve.role import until_stopped
from airpocket.domain.errors import AirpocketError, BadInput
from airpocket.domain.ports import Clock
from airpocket.domain.units import DAY_NS, TimeNs
from airpocket.drill.market import LabMarket
from airpocket.drill.play import DrillSettings, Frame, Ticket, play
from airpocket.drill.start import begin_h, ticket_for
from airpocket.ingest.world import SystemClock
from airpocket.lab.runs.worldcheck import read_world, world_file
from airpocket.liquidations.records import Unmapped
from airpocket.pipeline import Assessment

FOR_S = 3 * 3_600
_TELL_S, _CALL_S = 0.2, 1.0
_MARK_EVERY_S = 5
_NO_DAY_AGO = Unmapped("a drill keeps no map of a day ago")


class Driller:
    """Owns the drill shown. Its market has a thread of its own; the page is told from the loop's."""

    def __init__(
        self,
        job: Job,
        clock: Clock,
        begin: Callable[[], tuple[LabMarket, Ticket]],
        for_s: int = FOR_S,
    ) -> None:
        """Args: begin: makes the market anew, and what is held in it."""
        self._job, self._begin, self._for_s = job, begin, for_s
        self.pace = Pace(clock, job.speed)
        self._state = DrillState(for_s=for_s, speed=job.speed)
        self._tape = DrillTape()
        self._found: Assessment | None = None
        self._edition: Edition | None = None
        self._line: Line | None = None
        self._fresh = True

    @property
    def state(self) -> DrillState:
        """Where the drill stands."""
        kind = self._state.state
        if kind == "running" and not self.pace.playing:
            kind = "paused"
        return msgspec.structs.replace(self._state, state=kind, speed=self.pace.speed)

    @property
    def _pace_now(self) -> float:
        return self.pace.speed if self.pace.playing else 0.0

    # -- the market's thread

    def drill(self) -> None:
        """Drill after drill until the server ends."""
        while True:
            try:
                self._one()
            except AirpocketError as error:
                self._state = DrillState(trouble=str(error), state="scored", for_s=self._for_s)
                sys.stderr.write(f"airpocket serve, drill: {error}\n")
            if not self.pace.rest():
                return
            self._state = DrillState(for_s=self._for_s)

    def _one(self) -> None:
        market, ticket = self._begin()
        terms = market.terms()
        self._tape, self._fresh = DrillTape(f"{terms.venue}:{terms.symbol}"), True
        self._state = DrillState(label=market.label, for_s=self._for_s)
        found = play(market, ticket, DrillSettings(for_s=self._for_s), self.pace, self._show)
        self._state = msgspec.structs.replace(self._state, state="scored", score=found)

    def _show(self, frame: Frame) -> None:
        state, second = self._state, frame.second
        said = [Said(at_s=frame.at_s, text=text) for text in frame.said]
        marks = state.marks
        if frame.at_s % _MARK_EVERY_S == 0 or frame.at_s == 1:
            marks = [*marks, (frame.at_s, second.mark)]
        self._state = msgspec.structs.replace(
            state, state="running", at_s=frame.at_s, now=moment_of(frame), marks=marks,
            said=[*state.said, *said] if said else state.said,
        )  # fmt: skip
        self._tape.take(second)
        if frame.found is not None and (frame.looked or frame.at_s == 1):
            self._found = frame.found

    # -- the loop's

    async def run(self) -> None:
        """Work until cancelled."""
        threading.Thread(target=self.drill, name="drill", daemon=True).start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_line())
                group.create_task(self._keep_telling())
                group.create_task(self._keep_editing())
        finally:
            self.pace.end()

    async def _keep_line(self) -> None:
        while True:
            line = await call(self._job.place / LINK)
            if line is None:
                await asyncio.sleep(0.2)
                continue
            await self._greet(line)
            self._line, self._fresh = line, True
            if self._edition is not None:
                await self._tell(self._edition)
            while (told := await line.receive()) is not None:
                note, body = told
                if note.what == "ask":
                    status, answer = self.answer(note.name, body)
                    await line.send(Note(what="answer", number=note.number, status=status), answer)
            self._line = None

    async def _keep_telling(self) -> None:
        """The tape some times a second, and once a second that we are here."""
        turns = 0
        while True:
            line, tape = self._line, self._tape
            if (
                line is not None
                and (said := tape.tell(self._pace_now, whole=self._fresh)) is not None
            ):
                fresh, self._fresh = self._fresh, False
                at, body = said
                await line.send(Note(what="tape", as_of=at, fresh=fresh), body)
            turns += 1
            if line is not None and turns % round(_CALL_S / _TELL_S) == 0:
                await self._greet(line)
            await asyncio.sleep(_TELL_S)

    async def _greet(self, line: Line) -> None:
        await line.send(Note(what="hello", name="engine", pid=os.getpid()))
        await line.send(
            Note(what="replay"),
            msgspec.json.encode(Heard(label=self._state.label or self._job.label)),
        )

    async def _keep_editing(self) -> None:
        """An edition of every look of the drill's analysis, beside the market."""
        worker, made = ThreadPoolExecutor(1, "edit"), None
        while True:
            found = self._found
            if found is not None and found is not made:
                then = TimeNs(found.market.now - DAY_NS)
                edition = await asyncio.get_running_loop().run_in_executor(
                    worker, edition_of, found, then, _NO_DAY_AGO
                )
                made, self._edition = found, edition
                await self._tell(edition)
            await asyncio.sleep(_TELL_S)

    async def _tell(self, edition: Edition) -> None:
        line, at = self._line, int(edition.as_of)
        if line is None:
            return
        for name, body in edition.documents.items():
            await line.send(Note(what="document", name=name, as_of=at), body)
        await line.send(Note(what="document", name="health", as_of=at), edition.health)
        if edition.grid is not None:
            whole = pack(edition.grid, "snapshot", "", 0)
            await line.send(Note(what="heat", as_of=at, full=True), whole)
        await line.send(Note(what="edition", as_of=at), edition.head)

    # -- questions

    def answer(self, verb: str, body: bytes) -> tuple[int, bytes]:
        """Status and JSON of a question."""
        asked: dict[str, Any] = msgspec.json.decode(body)
        try:
            if verb == "drill":
                self._act(asked)
                return 200, encoded(self.state)
            if verb == "bars" and self._found is not None:
                bars = bars_of(
                    self._found.market, asked["interval"], asked["contract"], min(asked["limit"], MOST_BARS)
                )  # fmt: skip
                return 200, msgspec.json.encode(bars)
        except AirpocketError as error:
            return _problem(422 if verb == "drill" else 404, "bad_request", str(error))
        return _problem(404, "nothing_known", "a drill answers nothing beyond itself")

    def _act(self, asked: dict[str, Any]) -> None:
        if "order" in asked:
            if self._state.now is None or self._state.score is not None:
                over = "is over" if self._state.score is not None else "has not begun yet"
                raise BadInput(f"'{asked['order']}': the drill {over}")
            self.pace.say(asked["order"])
        elif "speed" in asked:
            self.pace.move(speed=float(asked["speed"]))
        elif asked.get("action") == "again":
            if self._state.state == "scored":
                self.pace.again()
        elif "action" in asked:
            self.pace.move(playing=asked["action"] == "play")


def _problem(status: int, code: str, message: str) -> tuple[int, bytes]:
    return status, msgspec.json.encode({"code": code, "message": message})


def _begun(asked: Drilling) -> tuple[LabMarket, Ticket]:
    world = read_world(world_file(asked.scenario))
    market = LabMarket(world, asked.seed, asked.venue, begin_h(world))
    return market, ticket_for(market, asked.side, asked.size, asked.leverage)


async def run(job: Job, stop: asyncio.Event) -> None:
    """Work until told to stop."""
    asked = job.drill
    assert asked is not None, "a driller is started for a drill"
    await until_stopped(Driller(job, SystemClock(), lambda: _begun(asked)).run(), stop)
