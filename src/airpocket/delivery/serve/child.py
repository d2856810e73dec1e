"""A process of the server: runs one role until its parent hangs up or asks it to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from airpocket.delivery.kernels import keep_kernels
from airpocket.delivery.serve.models import Mode
from airpocket.domain.errors import AirpocketError

LINK, TOKEN = "link", "token"  # in the folder of a running server


class Job(Struct, frozen=True, kw_only=True):
    """What a process is told at its start. folder: of the running server; log: of the records to play, None: none.

    socket: the number of the listening socket that the parent opened; begin: where a replay starts, ns, 0: at
    the log's first record. demo: the engine fills the store with the bundled market first.
    """

    role: str
    asset: str
    mode: Mode
    folder: str
    store: str
    log: str | None = None
    label: str = ""
    port: int = 0
    socket: int = -1
    speed: float = 1.0
    loop: bool = False
    begin: int = 0
    gate: str = ""
    clients: int = 20
    demo: bool = False

    @property
    def place(self) -> Path:
        """Folder of the running server."""
        return Path(self.folder)


Role = Callable[[Job, asyncio.Event], Awaitable[None]]


def main() -> int:
    """Run the role named in the job that is the only argument; an exit status like the command's."""
    job = msgspec.json.decode(sys.argv[1], type=Job)
    keep_kernels()
    try:
        asyncio.run(_until_told(_role(job.role), job))
    except AirpocketError as error:
        sys.stderr.write(f"airpocket serve, {job.role}: {error}\n")
        return error.exit_status
    return 0


def _role(name: str) -> Role:
    """A role by name; nothing is loaded for the others."""
    if name == "web":
        from airpocket.delivery.serve.web import run
    elif name == "engine":
        from airpocket.delivery.serve.engine import run
    elif name == "player":
        from airpocket.delivery.serve.player import run
    else:
        from airpocket.delivery.serve.recorder import run
    return run


async def _until_told(role: Role, job: Job) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(sys.stdin.fileno(), _heard_parent, stop, loop)
    await role(job, stop)


def _heard_parent(stop: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    """The parent says nothing but that it is gone."""
    if not os.read(sys.stdin.fileno(), 1):
        loop.remove_reader(sys.stdin.fileno())
        stop.set()


if __name__ == "__main__":
    sys.exit(main())
