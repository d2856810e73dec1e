"""The writer of the raw log: appends wait in memory for the next group commit, which acknowledges them together."""

import asyncio
import heapq
import json
import threading
from collections.abc import Generator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from airpocket.domain.errors import LogFailed, StoreError
from airpocket.domain.ports import Clock
from airpocket.domain.units import HOUR_NS
from airpocket.ingest import disk
from airpocket.ingest.log import stop
from airpocket.ingest.log.output import Output
from airpocket.ingest.log.records import Record, packed
from airpocket.ingest.log.repair import Repair, repair
from airpocket.ingest.log.segment import LogDamage
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.log.stop import Stopped

Waiter: TypeAlias = tuple[int, int, asyncio.AbstractEventLoop, "asyncio.Future[None]"]


@dataclass(frozen=True)
class LogState:
    """Where a writer stands. Sequences count the records of the folder's whole life, from 1."""

    appended: int  # sequence of the last record taken
    acknowledged: int  # sequence of the last record that is durable; all before it are too
    queued_bytes: int
    commits: int
    segments: int  # begun by this writer
    reserve_used: (
        bool  # the disk is full and the reserve is gone: free space, or the log soon fails
    )
    failure: str  # '' while it works


class Ticket:
    """A record on its way: wait for it, or await it."""

    __slots__ = ("_writer", "sequence")

    def __init__(self, writer: "LogWriter", sequence: int) -> None:
        self._writer = writer
        self.sequence = sequence

    @property
    def durable(self) -> bool:
        """Whether the record is acknowledged."""
        return self._writer.acknowledged >= self.sequence

    def wait(self, timeout: float | None = None) -> None:
        """Return when the record is durable; `timeout` in seconds.

        Raises:
            LogFailed: it never will be.
            TimeoutError: not yet.
        """
        self._writer.wait_for(self.sequence, timeout)

    def __await__(self) -> Generator[object, None, None]:
        return self._writer.durable(self.sequence).__await__()


class LogWriter:
    """The one writer of a log folder: repairs what a crash left, then appends from any thread.

    Raises:
        StoreBusy: another process writes this folder; names its pid.
        StoreError: the folder cannot be made or read.
    """

    def __init__(self, folder: Path, clock: Clock, settings: LogSettings | None = None) -> None:
        self.folder, self._clock = folder, clock
        self._settings = settings or LogSettings()
        try:
            disk.make_folder(folder)
            self._folder_lock = disk.take_lock(folder)
        except OSError as error:
            raise StoreError(f"{folder}: cannot be written: {error}") from error
        try:
            self.repaired = repair(folder)
            self._output = Output(folder, clock, self._settings, self.repaired)
            before = stop.read(folder)
            stop.hold_room(folder)
        except BaseException as error:
            self._folder_lock.let_go(well=False)
            if isinstance(error, OSError):
                raise StoreError(f"{folder}: cannot be repaired: {error}") from error
            raise
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)  # the committer waits here
        self._done = threading.Condition(self._lock)  # everyone who waits for a commit
        self._queue: list[tuple[int, bytes]] = []  # hour heard, bytes
        self._queued = self._held = 0  # bytes waiting; bytes waiting or being written
        self._last = self._acknowledged = self._output.last_sequence
        self._commits = 0
        self._waiters: list[Waiter] = []
        self._failure = ""
        self._closing = self._urgent = False
        self._thread = threading.Thread(target=self._run, name="airpocket-log", daemon=True)
        self._thread.start()
        # whether those before ended without a word: connections open then ended without one too
        self.broken_off = bool(self._folder_lock.left or before or not self.repaired.sound)
        if self.broken_off and self._last:
            self.append(_marker(self.repaired, self._folder_lock.left, before, clock))

    @property
    def acknowledged(self) -> int:
        """The sequence of the last durable record: the count of records that are safe."""
        return self._acknowledged

    @property
    def state(self) -> LogState:
        """A consistent look at the writer."""
        with self._lock:
            return LogState(
                self._last, self._acknowledged, self._held, self._commits, self._output.segments,
                self._output.reserve_used, self._failure,
            )  # fmt: skip

    def append(self, record: Record) -> Ticket:
        """Take a record; it is acknowledged when its ticket says so. Its `sequence` is given here.

        With the queue full this blocks until a commit made room, or raises, as the settings say.

        Raises:
            BadInput: the record can't be represented; see `records.packed`.
            LogFailed: the log has failed or is closed, or the queue is full and must not block.
        """
        with self._lock:
            self._check_open()
            data = packed(record, self._last + 1)
            while self._held and self._held + len(data) > self._settings.queue_bytes:
                if self._settings.when_full == "refuse":
                    raise LogFailed(
                        f"{self.folder}: {self._held} bytes wait; nothing more is taken"
                    )
                self._urgent = True
                self._work.notify()
                self._done.wait()
                self._check_open()
                data = packed(record, self._last + 1)
            self._last += 1
            first = not self._queue
            self._queue.append((record.heard // HOUR_NS, data))
            self._queued += len(data)
            self._held += len(data)
            if first or self._queued >= self._settings.commit_bytes:
                self._work.notify()
            return Ticket(self, self._last)

    async def put(self, record: Record) -> Ticket:
        """Append without blocking the event loop: with the queue full it awaits the next commit.

        Raises:
            BadInput, LogFailed: as `append`.
        """
        size = len(record.body) + 1024
        while self._held and self._held + size > self._settings.queue_bytes:
            # a commit may end between these two looks: never wait for a record that nobody appended
            await self.durable(min(self._acknowledged + 1, self._last))
            await asyncio.sleep(0)
        return self.append(record)

    def flush(self, timeout: float | None = None) -> None:
        """Commit now, and return when all that was appended is durable.

        Raises:
            LogFailed, TimeoutError: as `Ticket.wait`.
        """
        with self._lock:
            self._urgent = True
            self._work.notify()
            last = self._last
        self.wait_for(last, timeout)

    def wait_for(self, sequence: int, timeout: float | None = None) -> None:
        """Return when all records up to a sequence are durable; `Ticket.wait` has the errors."""
        with self._lock:
            settled = self._done.wait_for(
                lambda: self._acknowledged >= sequence or self._failure, timeout
            )
            if self._acknowledged >= sequence:
                return
            if not settled:
                raise TimeoutError(
                    f"{self.folder}: record {sequence} is not durable after {timeout} s"
                )
            raise LogFailed(self._failure)

    async def durable(self, sequence: int) -> None:
        """The same for a coroutine.

        Raises:
            LogFailed: it never will be.
        """
        with self._lock:
            if self._acknowledged >= sequence:
                return
            if self._failure:
                raise LogFailed(self._failure)
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            heapq.heappush(self._waiters, (sequence, id(future), loop, future))
        await future

    def close(self) -> None:
        """Commit what waits, close the segment, let the folder go.

        Raises:
            LogFailed: some of what waited is not durable.
        """
        with self._lock:
            self._closing = True
            self._work.notify()
        self._thread.join()
        if not self._failure:
            stop.clear(self.folder)
        self._folder_lock.let_go(well=not self._failure)
        if self._last > self._acknowledged:
            raise LogFailed(self._failure)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except LogFailed as failure:
            if error is None:
                raise
            error.add_note(str(failure))  # what ended the block is the real reason

    def _check_open(self) -> None:
        if self._failure:
            raise LogFailed(self._failure)
        if self._closing:
            raise LogFailed(f"{self.folder}: the log is closed")

    def _run(self) -> None:
        try:
            due = self._clock.monotonic()
            while batch := self._take(due):
                due = self._clock.monotonic() + int(self._settings.commit_every_ms * 1e6)
                for last, size in self._output.write(batch):
                    self._acknowledge(last, size)
            self._output.close()
        except Exception as error:
            self._fail(error)

    def _take(self, due: int) -> list[tuple[int, bytes]]:
        """The records of the next commit; none when the writer is closed and everything is written."""
        with self._lock:
            self._work.wait_for(lambda: self._queue or self._closing)
            rest = (due - self._clock.monotonic()) / 1e9
            if rest > 0:
                self._work.wait_for(self._hurried, rest)
            batch, self._queue = self._queue, []
            self._queued, self._urgent = 0, False
            return batch

    def _hurried(self) -> bool:
        return self._closing or self._urgent or self._queued >= self._settings.commit_bytes

    def _acknowledge(self, last: int, size: int) -> None:
        with self._lock:
            self._acknowledged = last
            self._held -= size
            self._commits += 1
            self._done.notify_all()
            ready: list[Waiter] = []
            while self._waiters and self._waiters[0][0] <= last:
                ready.append(heapq.heappop(self._waiters))
        _resolve(ready, "")

    def _fail(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else repr(error)
        with self._lock:
            self._failure = (
                f"{self._output.path or self.folder}: cannot be written: {reason}; the records up to"
                f" {self._acknowledged} are safe, nothing after them is; see to the disk and start again"
            )
            self._queue, self._held, self._queued = [], 0, 0
            self._done.notify_all()
            ready, self._waiters = self._waiters, []
            safe = self._acknowledged
        self._output.abandon()
        stop.leave(self.folder, Stopped(self._clock.now(), self._failure, safe))
        _resolve(ready, self._failure)


def _resolve(waiters: list[Waiter], failure: str) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for _, _, loop, future in waiters:
        loops.setdefault(loop, []).append(future)
    for loop, futures in loops.items():
        with suppress(RuntimeError):  # the loop was closed; nobody waits there any more
            loop.call_soon_threadsafe(_settle, futures, failure)


def _settle(futures: "list[asyncio.Future[None]]", failure: str) -> None:
    for future in futures:
        if not future.done():
            if failure:
                future.set_exception(LogFailed(failure))
            else:
                future.set_result(None)


def _marker(found: Repair, left: str, stopped: Stopped | None, clock: Clock) -> Record:
    """A note in the log that a crash came before: connections open until here ended without a word."""

    def shown(damage: LogDamage) -> dict[str, object]:
        return {**asdict(damage), "path": damage.path.name}

    note = {
        "event": "restarted" if found.sound else "repaired",
        "left_by": left or None,
        "stopped": stopped.reason if stopped else None,
        "segment": found.last_number,
        "torn_bytes": found.torn_bytes,
        "torn_file": found.torn_file.name if found.torn_file else None,
        "damages": [shown(damage) for damage in found.damages],
    }
    body = json.dumps(note).encode()
    return Record(clock.now(), "", "log", "marker", body, monotonic=clock.monotonic())
