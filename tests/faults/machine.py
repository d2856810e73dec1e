"""The machine a recorder runs on, in virtual time: its clocks, its disk, and the log's commits as timers."""

import asyncio
import errno
import heapq
import os
import shutil
import zlib
from array import array
from pathlib import Path

from ingest.sim_disk import PowerCut, SimDisk
from live.sim import START, S, SimClock, SimLoop

from airpocket.domain.errors import LogFailed
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.writer import LogWriter, Ticket

COMMIT_S = 0.02
_FEW_TIMERS, _LONGEST_WAIT_S = 100, 86_400.0  # as asyncio has them


class Loop(SimLoop):
    """Nothing but timers moves this loop, so a seed tells all."""

    def _run_once(self):
        """As asyncio's own, in the same order, less the question to the system what has come: nothing ever does."""
        timers, ready = self._scheduled, self._ready
        if len(timers) > _FEW_TIMERS and 2 * self._timer_cancelled_count > len(timers):
            super()._run_once()  # it also clears out the cancelled ones then
            return
        while timers and timers[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(timers)._scheduled = False
        if not (ready or self._stopping):
            if not timers:
                raise RuntimeError("nothing will ever happen: every task waits for another")
            self.passed += min(max(timers[0]._when - self.passed, 0.0), _LONGEST_WAIT_S)
        due = self.passed + self._clock_resolution
        while timers and timers[0]._when < due:
            handle = heapq.heappop(timers)
            handle._scheduled = False
            ready.append(handle)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def call_soon_threadsafe(self, callback, *args, context=None):
        """There is no other thread: nobody has to be woken."""
        return self.call_soon(callback, *args, context=context)


class Clock(SimClock):
    """`true`: the time as everyone else has it, ns."""

    def true(self):
        return START + self.monotonic() - S + self.slept


class Disk(SimDisk):
    """A simulated disk that may also be full, and whose next sync may fail. Files only grow or go."""

    def __init__(self, root, rng):
        super().__init__(root, rng)
        self.full = False
        self.fail_next = False

    def write_some(self, handle, view):
        if self.full and not self.is_off:
            half = len(view) // 2
            self.full_hit = True
            if half > 1 and self.rng.random() < 0.3:
                return super().write_some(handle, view[:half])  # a part still fits
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write_some(handle, view)

    def sync(self, handle):
        if self.fail_next:
            self.fail_next, self.eio = False, 1.0
        try:
            super().sync(handle)
        finally:
            self.eio = 0.0

    def _settle(self, inode):
        """Appends, all of them: no byte that is durable is copied twice."""
        parts, end = [inode.durable], len(inode.durable)
        for at, data in inode.pending:
            if at != end:
                super()._settle(inode)
                return
            parts.append(data)
            end += len(data)
        inode.durable, inode.pending = b"".join(parts), []


class VirtualLog(LogWriter):
    """The shipped writer, its committing thread replaced by a timer; keeps what it acknowledged."""

    def __init__(self, machine, folder, clock, settings=None):
        self._machine = machine
        self._due = None
        self._crcs = {}
        machine.log = self
        super().__init__(folder, clock, settings)

    def _run(self):
        """No thread: `_commit` is called by the loop."""

    def append(self, record: Record) -> Ticket:
        ticket = super().append(record)
        self._crcs[ticket.sequence] = zlib.crc32(record.body)
        if self._due is None:
            delay = COMMIT_S + self._machine.slow_s
            self._due = asyncio.get_running_loop().call_later(delay, self._commit)
        return ticket

    def _commit(self):
        self._due = None
        with self._lock:
            batch, self._queue = self._queue, []
            self._queued, self._urgent = 0, False
        if not batch or self._failure:
            return
        try:
            for last, size in self._output.write(batch):
                self._acknowledge(last, size)
        except OSError as error:
            self._fail(error)

    def _acknowledge(self, last, size):
        before = self._acknowledged
        super()._acknowledge(last, size)
        for sequence in range(before + 1, last + 1):
            self._machine.acknowledge(sequence, self._crcs.pop(sequence))

    def close(self):
        if self._due is not None:
            self._due.cancel()
        self._commit()
        if not self._failure:
            self._output.close()
        super().close()

    def die(self):
        """The process is gone: nothing more is written, and the lock falls without a word."""
        if not self._failure:
            self._fail(PowerCut(errno.EIO, "killed"))


class Machine:
    """Disk, clocks and the acknowledged records, through every life of the recorder on it."""

    def __init__(self, loop, folder: Path, rng):
        self.clock, self.folder, self.rng = Clock(loop), folder, rng
        self.disk = Disk(folder, rng)
        self.slow_s = 0.0
        self.log = None
        self._acknowledged = array("q", [-1])  # sequence → crc of the body
        self._again: list[
            int
        ] = []  # acknowledged, and their numbers given to others later: they are lost

    def acknowledge(self, sequence, crc):
        """The log promised this record."""
        known = self._acknowledged
        while len(known) <= sequence:  # numbers of records that a crash took are given anew
            known.append(-1)
        if known[sequence] >= 0:
            self._again.append(sequence)
        known[sequence] = crc

    @property
    def acknowledged(self):
        """How many were."""
        return sum(crc >= 0 for crc in self._acknowledged)

    def lost(self, records):
        """Of the acknowledged, those that (sequence, body) of the log do not hold: the sequences."""
        held = {sequence: zlib.crc32(body) for sequence, body in records}
        known = enumerate(self._acknowledged)
        return self._again + [n for n, crc in known if crc >= 0 and held.get(n) != crc]

    def install(self, patches):
        """The disk port leads to this machine's disk, whichever it is then."""
        from ingest.sim_disk import PORT

        from airpocket.ingest import disk

        for name in PORT:
            patches.setattr(disk, name, self._step(name))
        patches.setattr(disk, "is_gone", lambda handle: False)
        patches.setattr(
            disk, "_PAUSE_S", 0.0
        )  # nobody else is at the lock: waiting for it is in vain

    def _step(self, name):
        return lambda *args: getattr(self.disk, name)(*args)  # noqa: PLW0108 - the disk of then

    def kill(self):
        """The recorder's process is gone from this moment; the machine stays on."""
        self.disk.is_off = True
        if self.log is not None:
            self.log.die()

    def start_again(self):
        """What was written is there, synced or not: the system lived on."""
        self.disk.is_off = False

    def power_cut(self):
        """What was not synced is lost, torn or there, by chance."""
        after = self.folder.with_name(f"{self.folder.name}+")
        self.disk.after_power_cut(after)
        for lock in self.folder.rglob(".lock"):  # synced by its own hand when it was taken
            to = after / lock.relative_to(self.folder)
            if to.parent.is_dir():
                shutil.copyfile(lock, to)
        shutil.rmtree(self.folder)
        after.rename(self.folder)
        self.disk = Disk(self.folder, self.rng)


def is_refused(error: BaseException) -> bool:
    """Whether a recorder ended because its disk would not take what it heard."""
    return isinstance(error, LogFailed | OSError)
