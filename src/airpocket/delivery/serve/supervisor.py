"""Starts the server's processes, starts anew what dies, and ends all of them in good order."""

import asyncio
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from airpocket.delivery.serve.desk import PROCESSES
from airpocket.delivery.serve.job import TOKEN, Job
from airpocket.delivery.serve.keys import new_secret
from airpocket.delivery.serve.models import ProcessState
from airpocket.domain.errors import BadInput
from airpocket.domain.ports import Clock
from airpocket.domain.units import SECOND_NS

Name = Literal["recorder", "player", "engine", "web"]
_LEAST_WAIT_S, _MOST_WAIT_S = 0.2, 10.0
_STEADY_S = 30.0  # a process that ran so long begins with the least wait again
_GOODBYE_S = 15.0
_FOR_GOOD = (2, 3, 4, 5)  # exit statuses that a new start would not change


@dataclass
class _Child:
    """One process: what it is started with, and how it is."""

    job: Job
    name: Name
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    reason: str = ""
    over: bool = False


class Supervisor:
    """One running server. `jobs` in the order of starting; they are ended in the reverse order."""

    def __init__(self, place: Path, jobs: Sequence[Job], clock: Clock) -> None:
        self._place, self._clock = place, clock
        self._children = [_Child(job, _named(job.role)) for job in jobs]
        self._stopping = False

    async def run(self, stop: asyncio.Event, go: asyncio.Event | None = None) -> None:
        """Keep every process running until told to stop; all but the web wait for `go`."""
        keeping = [
            asyncio.create_task(self._keep(child, None if child.name == "web" else go))
            for child in self._children
        ]
        await stop.wait()
        self._stopping = True
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        await asyncio.gather(*(self._end(child) for child in reversed(self._children)))

    @property
    def states(self) -> list[ProcessState]:
        """Every process now."""
        return [_state(child) for child in self._children]

    async def _keep(self, child: _Child, go: asyncio.Event | None) -> None:
        wait_s = _LEAST_WAIT_S
        if go is not None:
            await go.wait()
        while True:
            begun = self._clock.monotonic()
            status = await self._life(child)
            ran_s = (self._clock.monotonic() - begun) / SECOND_NS
            if status in _FOR_GOOD:
                child.over = True
                self._tell()
                return
            child.restarts += 1
            wait_s = _LEAST_WAIT_S if ran_s > _STEADY_S else wait_s
            self._tell()
            await asyncio.sleep(wait_s)
            wait_s = min(2.0 * wait_s, _MOST_WAIT_S)

    async def _life(self, child: _Child) -> int | None:
        """Start it and wait for its end; its exit status, None: the machine could not start it."""
        try:
            child.process = await _start(child.job)
        except OSError as error:
            child.reason = f"not started: {error.strerror}"
            return None
        self._tell()
        status = await child.process.wait()
        child.process = None
        child.reason = f"ended with status {status}"
        return status

    async def _end(self, child: _Child) -> None:
        process = child.process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def _tell(self) -> None:
        """For the web process: a file replaced at once."""
        path = self._place / PROCESSES
        part = path.with_suffix(".tmp")
        part.write_bytes(msgspec.json.encode(self.states))
        part.replace(path)


async def _start(job: Job) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "airpocket.delivery.serve.child", msgspec.json.encode(job).decode(),
        stdin=asyncio.subprocess.PIPE,  # its end tells the child that we are gone
        pass_fds=(job.socket,) if job.socket >= 0 else (), start_new_session=True,
    )  # fmt: skip


def _named(role: str) -> Name:
    names: dict[str, Name] = {
        "recorder": "recorder", "player": "player", "engine": "engine", "web": "web",
    }  # fmt: skip
    return names[role]


def _state(child: _Child) -> ProcessState:
    process = child.process
    state = "running" if process is not None else "ended" if child.over else "down"
    return ProcessState(
        name=child.name, state=state, pid=None if process is None else process.pid,
        restarts=child.restarts, age_s=None, reason="" if process is not None else child.reason,
    )  # fmt: skip


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; port 0: any that is free.

    Raises:
        BadInput: the port is taken, or not ours to take.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        found.close()
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput(f"--port {port}: {why}; name another, or 0 for any that is free") from error
    found.listen(256)
    found.set_inheritable(True)
    return found


def make_place(folder: Path) -> None:
    """The folder of a running server, for this user alone, with a fresh token in it.

    Raises:
        BadInput: it can't be made, or belongs to somebody else.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            raise BadInput(f"{folder}: belongs to somebody else")
        folder.chmod(0o700)
        token = folder / TOKEN
        token.unlink(missing_ok=True)
        with os.fdopen(os.open(token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(new_secret())
    except OSError as error:
        raise BadInput(f"{folder}: {error.strerror}") from error
