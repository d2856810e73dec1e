"""Work spread over processes: every shard of it once, its result as it comes, progress on the error stream."""

import itertools
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

_ROOM = 8_000_000_000  # bytes: containers often have next to none
Part = TypeVar("Part")
Result = TypeVar("Result")


def spread(
    work: Callable[[Part], Result], parts: Sequence[Part], processes: int
) -> Iterator[tuple[Part, Result]]:
    """(part, result) as they are done; with one process, here and in order. What `work` raises is raised."""
    if processes <= 1:
        for part in parts:
            yield part, work(part)
        return
    # a fresh interpreter each: no thread or event loop of ours is copied half alive
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(processes, len(parts)), maxtasksperchild=None) as pool:
        yield from pool.imap_unordered(_Both(work), parts)


class _Both:
    """The part beside its result, for a pool that gives results in any order."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._work = work

    def __call__(self, part: Any) -> tuple[Any, Any]:
        return part, self._work(part)


def cut(count: int, pieces: int) -> list[range]:
    """0 … count - 1 in `pieces` ranges of nearly the same length; none is empty."""
    pieces = max(1, min(pieces, count))
    edges = [count * k // pieces for k in range(pieces + 1)]
    return [range(a, b) for a, b in itertools.pairwise(edges)]


class Progress:
    """One line on the error stream now and then: how much is done and how long the rest may take."""

    def __init__(self, whole: int, what: str) -> None:
        self._whole, self._what = whole, what
        self._begun = self._told = time.monotonic()  # noqa: TID251 - of this command, not of what it tests
        self.done = 0

    def add(self, count: int) -> None:
        """So much more is done."""
        self.done += count
        now = time.monotonic()  # noqa: TID251
        if now - self._told >= 10.0 and self.done:
            self._told = now
            left_s = (now - self._begun) * (self._whole - self.done) / self.done
            say(f"{self.done:,} of {self._whole:,} {self._what}, {left_s:,.0f} s left")

    @property
    def took_s(self) -> float:
        """Since it began."""
        return time.monotonic() - self._begun  # noqa: TID251


def say(text: str) -> None:
    """A line on the error stream."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def in_memory() -> Path | None:
    """A folder in memory with room for many simulated disks; None, for the system's own choice, without one."""
    memory = Path("/dev/shm")  # noqa: S108
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > _ROOM
    return memory if roomy else None


def cores() -> int:
    """How many processes may work at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Patches:
    """Attributes replaced until `undo`, as a test framework's monkeypatch does it."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, str, Any]] = []

    def setattr(self, owner: Any, name: str, value: Any) -> None:
        """Replace an attribute."""
        self._before.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    def undo(self) -> None:
        """Put everything back, the last first."""
        while self._before:
            owner, name, value = self._before.pop()
            setattr(owner, name, value)

    @contextmanager
    def context(self) -> Iterator["Patches"]:
        """Replacements that last for a block."""
        inner = Patches()
        try:
            yield inner
        finally:
            inner.undo()
