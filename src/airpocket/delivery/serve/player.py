"""The player process: a log, recorded or being written, as tape messages at the pace of life or another."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from airpocket.delivery.serve.board import Heard
from airpocket.delivery.serve.job import LINK, Job
from airpocket.delivery.serve.link import Line, Note, call
from airpocket.delivery.serve.models import FeedState, ReplayState, Tape
from airpocket.delivery.serve.requests import ReplayBody
from airpocket.delivery.serve.teller import Teller
from airpocket.domain.errors import NothingKnown
from airpocket.domain.ports import Clock
from airpocket.domain.units import MINUTE_NS, SECOND_NS, TimeNs, format_time, parse_time
from airpocket.ingest.log import reader
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.segment import LogDamage
from airpocket.ingest.world import SystemClock
from airpocket.live import health_file
from airpocket.live.replay import Replay

_TICK_S, _REPORT_S = 0.05, 0.5
_AT_ONCE = 500  # records, then the loop may breathe
_BEFORE_NS = 5 * MINUTE_NS  # of a running recording, to have books and prices
_REST_S = 10.0  # at the end, before a loop begins again


class Course:
    """Where a replay stands on the market's time, by a clock and a speed."""

    def __init__(self, clock: Clock, first: int, last: int, speed: float) -> None:
        self._clock, self.first, self.last, self.speed = clock, first, last, speed
        self._at, self._since = first, clock.monotonic()
        self.playing = True

    @property
    def at(self) -> int:
        """The moment now, ns; never past the end."""
        if not self.playing:
            return self._at
        passed = self._clock.monotonic() - self._since
        return min(self._at + round(passed * self.speed), self.last)

    @property
    def ended(self) -> bool:
        """Whether the end has been reached."""
        return self.at >= self.last

    @property
    def ended_for_s(self) -> float:
        """How long ago the end was reached, s of ours; 0 before."""
        if not self.playing or not self.ended:
            return 0.0
        left_ns = (self.last - self._at) / self.speed
        return (self._clock.monotonic() - self._since - left_ns) / SECOND_NS

    def move(
        self, *, at: int | None = None, speed: float | None = None, playing: bool | None = None
    ) -> None:
        """Go on from another moment, at another speed, or not at all."""
        self._at = self.at if at is None else min(max(at, self.first), self.last)
        self._since = self._clock.monotonic()
        self.speed = self.speed if speed is None else speed
        self.playing = self.playing if playing is None else playing

    def told(self, *, loop: bool) -> ReplayState:
        """As the API says it."""
        state = "ended" if self.ended else "playing" if self.playing else "paused"
        return ReplayState(
            first=format_time(self.first), last=format_time(self.last), at=format_time(self.at),
            speed=self.speed, state=state, loop=loop,
        )  # fmt: skip


class Player:
    """Owns a replay of one log and tells it to the web process."""

    def __init__(self, job: Job, clock: Clock) -> None:
        assert job.log is not None, "a player is started for a log"
        self._job, self._clock, self._folder = job, clock, Path(job.log)
        self.line: Line | None = None
        self.course: Course | None = None
        self._moment = 0  # of the last record applied, by the clock that never steps
        self._moved, self._target = asyncio.Event(), 0  # somebody wants another moment, and which
        self._stirred = asyncio.Event()  # something is to be reported
        self._heeded = 0  # number of the last control followed
        self._begin()

    def _begin(self) -> None:
        self._run = Replay((self._job.asset,))
        self._teller = Teller(self._run.states.by_asset[self._job.asset])

    # -- a recorded session

    async def replay(self) -> None:
        """Play the log from `begin` on, until cancelled.

        Raises:
            NothingKnown: the log holds no record.
        """
        first, last = await asyncio.to_thread(_span, self._folder)
        self.course = Course(self._clock, first, last, self._job.speed)
        self.course.move(at=self._job.begin or first)
        target = self.course.at
        while True:
            target = await self._play(target)

    async def _play(self, start: int) -> int:
        """From a moment on until the replay is moved; returns where to."""
        course = self.course
        assert course is not None
        self._begin()
        course.move(at=start)
        records = _records(self._folder)
        waiting = await self._take_until(records, None, start)
        if not self._moved.is_set():
            course.move(at=start)  # the way there took time
            await self._tell(start, fresh=True)
        while not self._moved.is_set():
            waiting = await self._take_until(records, waiting, course.at)
            if self._moved.is_set():
                break
            await self._tell(course.at, fresh=False)
            if self._job.loop and course.ended_for_s > _REST_S:
                return course.first
            with suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), _TICK_S)
        self._moved.clear()
        return self._target

    async def _take_until(
        self, records: Iterator[Record], waiting: Record | None, until: int
    ) -> Record | None:
        """Apply all records heard until a moment, or another is wanted; the first later one is handed back."""
        taken = 0
        record = waiting if waiting is not None else next(records, None)
        while record is not None and record.heard <= until:
            self._take(record)
            record = next(records, None)
            taken += 1
            if taken % _AT_ONCE == 0:
                await asyncio.sleep(0)
                if self._moved.is_set():
                    break
        return record

    def meet(self, line: Line) -> None:
        """A web process is there, which counts its controls from one."""
        self.line, self._heeded = line, 0

    def heed(self, body: bytes, number: int = 0) -> None:
        """Move the replay as a client asks, of several moments to the last; its number is in the next report."""
        self._heeded = number
        self._stirred.set()
        asked, course = ReplayBody.model_validate_json(body), self.course
        if course is None:
            return
        if asked.action == "seek":
            to = int(parse_time(asked.to or ""))
            self._go(min(max(to, course.first), course.last))
        elif asked.action == "speed":
            course.move(speed=asked.speed)
        elif course.ended and asked.action == "play" and not self._moved.is_set():
            self._go(course.first)
            course.move(playing=True)
        else:
            course.move(playing=asked.action == "play")

    def _go(self, target: int) -> None:
        """To another moment: said at once, shown as soon as the log is read up to there."""
        assert self.course is not None
        self._target = target
        self._moved.set()
        self.course.move(at=target)

    # -- a recording that runs

    async def follow(self) -> None:
        """Go through the log as it is written, until cancelled."""
        while not self._folder.is_dir():  # noqa: ASYNC110
            await asyncio.sleep(0.5)  # the recorder makes it, another process
        since = TimeNs(self._clock.now() - _BEFORE_NS)
        fresh = True
        with reader.Follower(self._folder, reader.Span(since=since)) as follower:
            while True:
                taken = 0
                for found in follower.new():
                    if isinstance(found, LogDamage):
                        continue
                    self._take(found)
                    taken += 1
                    if taken % _AT_ONCE == 0:
                        await asyncio.sleep(0)
                await self._tell(self._clock.now(), fresh=fresh)
                fresh = False
                await asyncio.sleep(_TICK_S)

    # -- both

    def _take(self, record: Record) -> None:
        self._moment = max(self._moment, record.monotonic or record.heard)
        self._teller.take(self._run.intake.take(record))

    async def _tell(self, at: int, *, fresh: bool) -> None:
        speed = 1.0 if self.course is None else self.course.speed if self.course.playing else 0.0
        tape = self._teller.tell(at, speed)
        if self.line is None:
            self._teller = Teller(
                self._run.states.by_asset[self._job.asset]
            )  # all of it again, later
            return
        if fresh and tape is None:
            tape = Tape(
                at=format_time(at),
                reference="",
                prices=[],
                bar=None,
                closed=[],
                forced=[],
                cvd={},
                speed=speed,
            )
        if tape is not None:
            await self.line.send(
                Note(what="tape", as_of=at, fresh=fresh), msgspec.json.encode(tape)
            )

    async def report(self) -> None:
        """Some times a second, and as soon as it was moved: where the replay stands, and every channel."""
        while True:
            if self.line is not None:
                at = self.course.at if self.course is not None else 0
                await self.line.send(
                    Note(what="replay", as_of=at), msgspec.json.encode(self._heard())
                )
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), _REPORT_S)
            self._stirred.clear()

    def _heard(self) -> Heard:
        replay = None if self.course is None else self.course.told(loop=self._job.loop)
        health = None if replay is not None else health_file.read(Path(self._job.store))
        if health is None:
            return Heard(
                label=self._job.label, heeded=self._heeded, replay=replay, feeds=self._feeds()
            )
        label = health.simulated or self._job.label
        return Heard(label=label, feeds=self._feeds(), alarms=list(health.alarms))

    def _feeds(self) -> list[FeedState]:
        statuses = self._run.pulse.status(self._moment) if self._moment else ()
        heard = {(each.venue, each.symbol) for each in statuses if each.messages}
        return [
            FeedState(
                venue=s.venue, symbol=s.symbol, channel=s.channel, state=s.state, messages=s.messages,
                age_s=None if s.age_s is None else round(s.age_s, 3), reason=s.reason,
            )
            for s in statuses if (s.venue, s.symbol) in heard
        ]  # fmt: skip


async def run(job: Job, stop: asyncio.Event) -> None:
    """Play or follow until told to stop."""
    player = Player(job, SystemClock())
    playing = player.replay() if job.mode == "replay" else player.follow()
    tasks = {
        asyncio.ensure_future(each)
        for each in (playing, player.report(), _keep_line(player, job), stop.wait())
    }
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _keep_line(player: Player, job: Job) -> None:
    while True:
        line = await call(job.place / LINK)
        if line is None:
            await asyncio.sleep(0.2)
            continue
        await line.send(Note(what="hello", name="player", pid=os.getpid()))
        player.meet(line)
        while (told := await line.receive()) is not None:
            note, body = told
            if note.what == "control":
                player.heed(body, note.number)
        player.line = None


def _records(folder: Path) -> Iterator[Record]:
    return (found for found in reader.read(folder) if not isinstance(found, LogDamage))


def _span(folder: Path) -> tuple[int, int]:
    """First and last moment heard in a log.

    Raises:
        NothingKnown: it holds no record.
    """
    report = reader.verify(folder)
    if not report.records:
        raise NothingKnown(f"{folder}: the log holds no record to replay")
    return report.first, report.last
