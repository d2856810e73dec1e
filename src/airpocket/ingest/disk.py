"""The disk port: every step by which log and store reach the disk, one small function each, and the lock."""

import errno
import fcntl
import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from airpocket.domain.errors import StoreBusy

LOCK = ".lock"
RESERVE = ".reserve"
FULL = (errno.ENOSPC, errno.EDQUOT)
_TRIES, _PAUSE_S = 10, 0.02  # a reader that asks whether a writer runs holds the lock for a moment

# The port. Nothing else in log and store changes the disk, so the tests put a simulated disk here that
# loses, tears and reorders what was not synced. Call these as disk.name, never by a name of your own.


def open_new(path: Path) -> int:
    """An empty file to append to, as a handle; its name is not durable yet."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o644)


def write_some(handle: int, view: memoryview) -> int:
    """One write call: how many bytes it took."""
    return os.write(handle, view)


def sync(handle: int) -> None:
    """Return when the file's data are on the disk, as far as the disk says so."""
    if sys.platform == "darwin":
        fcntl.fcntl(handle, fcntl.F_FULLFSYNC)  # fsync alone leaves data in the drive's cache
    else:
        os.fdatasync(handle)
    step("synced")


def cut(path: Path, size: int) -> None:
    """Durably shorten a file."""
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())
    step("cut")


def overwrite(path: Path, data: bytes) -> None:
    """Write over the first bytes of a file, made where it is missing; takes no new room where they were there."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
    step("overwritten")


def rename(path: Path, final: Path) -> None:
    """Give a file its final name, replacing what had it; not durable yet."""
    path.replace(final)
    step("renamed")


def remove(path: Path) -> None:
    """Delete a file; a missing one is no error. Not durable yet."""
    path.unlink(missing_ok=True)
    step("removed")


def add_folder(folder: Path) -> None:
    """One new folder; its name is not durable yet. One that is there is no error."""
    folder.mkdir(exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    step("folder synced")


def step(name: str) -> None:
    """Between durable steps; the crash tests stop the process here."""


# Made of the above.


def add_folders(folder: Path) -> list[Path]:
    """The folder and those above it; returns what was missing, whose names are not durable yet."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        add_folder(one)
    return missing


def make_folder(folder: Path) -> None:
    """The folder and those above it, each with its name durable."""
    for one in add_folders(folder):
        sync_folder(one.parent)


def put(path: Path, data: bytes) -> None:
    """Write a whole file: temporary name, sync, rename. Its folder still has to be synced."""
    add_folders(path.parent)
    step("folder made")
    temporary = path.with_name(f".{path.name}.tmp")
    handle = open_new(temporary)
    try:
        step("temporary opened")
        write_all(handle, data)
        sync(handle)
    finally:
        os.close(handle)
    rename(temporary, path)


def write_all(handle: int, data: bytes, reserve: Path | None = None) -> bool:
    """Write every byte; a full disk takes part of a write without an error, so this goes on until it says so.

    `reserve`: a file whose space is given up when the disk is full. True when that happened.
    """
    view, gave_up = memoryview(data), False
    while view:
        try:
            done = write_some(handle, view)  # never 0: a disk without room raises
        except OSError as error:
            if error.errno not in FULL or not released(reserve):
                raise
            gave_up = True
            continue
        view = view[done:]
    step("written")
    return gave_up


def is_gone(handle: int) -> bool:
    """Whether no name leads to an open file any more: what is written to it nobody will read."""
    return os.fstat(handle).st_nlink == 0


def released(reserve: Path | None) -> bool:
    """Give up the reserved space; False where there is none left."""
    if reserve is None or not reserve.exists():
        return False
    reserve.unlink()
    return True


def set_aside(reserve: Path, size: int) -> bool:
    """Hold `size` bytes of disk in a file, to be given up when there are no others; False without them."""
    if not size or not hasattr(os, "posix_fallocate"):
        return False
    try:
        with reserve.open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError:
        reserve.unlink(missing_ok=True)
        return False
    return True


def boot_id() -> str:
    """Which start of the machine this is, as 32 hex digits; '' where the system does not say."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        return ""
    return text.strip().replace("-", "")


class Lock:
    """A folder's lock, held until `let_go`.

    `left`: who held it before and ended without letting go, '' for nobody.
    """

    def __init__(self, file: BinaryIO, left: str) -> None:
        self._file, self.left = file, left

    def let_go(self, *, well: bool = True) -> None:
        """Give the lock back; `well`: the work was finished, so that the next holder need not ask."""
        if self._file.closed:
            return
        if well:
            with suppress(OSError):
                self._file.truncate(0)
        self._file.close()


@contextmanager
def locked(folder: Path, name: str = LOCK, task: str = "writing this log") -> Generator[Lock]:
    """Hold a folder's lock until the block ends.

    Raises:
        StoreBusy: another holder; names its process.
    """
    lock = take_lock(folder, name, task)
    try:
        yield lock
    except BaseException:
        lock.let_go(well=False)
        raise
    lock.let_go()


def take_lock(folder: Path, name: str = LOCK, task: str = "writing this log") -> Lock:
    """The lock of a folder; its file says who holds it.

    Raises:
        StoreBusy: another holder; names its process.
    """
    file = (folder / name).open("a+b")
    held = _taken(file)
    file.seek(0)
    owner = file.read(200).decode("utf-8", "replace").strip()
    if not held:
        file.close()
        raise StoreBusy(f"{folder}: process {owner or 'unknown'} is {task}; stop it first")
    file.truncate(0)
    file.write(f"{os.getpid()} on {os.uname().nodename}, boot {boot_id()[:8]}".encode())
    file.flush()
    with suppress(OSError):  # who held it must be known after a power cut too
        os.fsync(file.fileno())
    return Lock(file, owner)


def _taken(file: BinaryIO) -> bool:
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        else:
            return True
    return False


@contextmanager
def still(folder: Path) -> Generator[bool]:
    """Keep a writer from starting for the block; False where one runs.

    The word of who held the lock last stays in it: the next writer must learn of a crash.
    """
    with (folder / LOCK).open("a+b") as file:
        yield _taken(file)


def is_held(folder: Path) -> bool:
    """Whether a process is writing in the folder at this moment."""
    try:
        with (folder / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
