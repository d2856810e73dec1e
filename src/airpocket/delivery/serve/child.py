"""A process of the server: runs one role until its parent hangs up or asks it to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import msgspec

from airpocket.delivery.kernels import keep_kernels
from airpocket.delivery.serve.job import Job
from airpocket.domain.errors import AirpocketError

Role = Callable[[Job, asyncio.Event], Awaitable[None]]


def main() -> int:
    """Run the role named in the job that is the only argument; an exit status like the command's."""
    job = msgspec.json.decode(sys.argv[1], type=Job)
    keep_kernels()
    try:
        asyncio.run(_until_told(_role(job), job))
    except AirpocketError as error:
        sys.stderr.write(f"airpocket serve, {job.role}: {error}\n")
        return error.exit_status
    return 0


def _role(job: Job) -> Role:
    """A role by name; nothing is loaded for the others."""
    name = job.role
    if name == "engine" and job.drill is not None:
        from airpocket.delivery.serve.driller import run
    elif name == "web":
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
