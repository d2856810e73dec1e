"""Every step by which the raw log reaches the disk: whole writes, syncs, folders, the lock."""

import errno
import fcntl
import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from airpocket.domain.errors import StoreBusy

LOCK = ".lock"
RESERVE = ".reserve"
FULL = (errno.ENOSPC, errno.EDQUOT)
_TRIES, _PAUSE_S = 10, 0.02  # a reader that asks whether a writer runs holds the lock for a moment


def sync(handle: int) -> None:
    """Return when the file's data are on the disk, as far as the disk says so."""
    if sys.platform == "darwin":
        fcntl.fcntl(handle, fcntl.F_FULLFSYNC)  # fsync alone leaves data in the drive's cache
    else:
        os.fdatasync(handle)
    step("synced")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    step("folder synced")


def make_folder(folder: Path) -> None:
    """The folder and those above it, each with its name durable."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        sync_folder(one.parent)


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


def write_some(handle: int, view: memoryview) -> int:
    """One write call; the tests put a full disk here."""
    return os.write(handle, view)


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


@contextmanager
def locked(folder: Path, name: str = LOCK, task: str = "writing this log") -> Generator[BinaryIO]:
    """Hold a folder's lock until the block ends.

    Raises:
        StoreBusy: another holder; names its process.
    """
    file = take_lock(folder, name, task)
    try:
        yield file
    finally:
        file.close()


def take_lock(folder: Path, name: str = LOCK, task: str = "writing this log") -> BinaryIO:
    """The lock file, held until it is closed; it says who holds it.

    Raises:
        StoreBusy: another holder; names its process.
    """
    file = (folder / name).open("a+b")
    if not _taken(file):
        file.seek(0)
        owner = file.read(200).decode("utf-8", "replace").strip() or "unknown"
        file.close()
        raise StoreBusy(f"{folder}: process {owner} is {task}; stop it first")
    file.truncate(0)
    file.write(f"{os.getpid()} on {os.uname().nodename}, boot {boot_id()[:8]}".encode())
    file.flush()
    return file


def _taken(file: BinaryIO) -> bool:
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        else:
            return True
    return False


def is_held(folder: Path) -> bool:
    """Whether a process is writing the log at this moment."""
    try:
        with (folder / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def step(name: str) -> None:
    """Between durable steps; the crash tests stop the process here."""
