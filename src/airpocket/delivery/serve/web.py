"""The web process: uvicorn on the parent's socket, the link to engine and player, health once a second."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import msgspec
import uvicorn

from airpocket.delivery.serve.app import guarded
from airpocket.delivery.serve.board import Board
from airpocket.delivery.serve.desk import Desk
from airpocket.delivery.serve.hub import Hub
from airpocket.delivery.serve.job import LINK, TOKEN, Job
from airpocket.delivery.serve.keys import Keys
from airpocket.delivery.serve.models import Topic
from airpocket.delivery.serve.socket import MOST_INBOUND
from airpocket.delivery.serve.switchboard import Switchboard
from airpocket.domain.ports import Clock
from airpocket.ingest.world import SystemClock

_GOODBYE_S = 2


def desk_of(job: Job, token: str, clock: Clock) -> Desk:
    """A board, hub and keys that know one another."""
    board = Board()
    snapshots = {
        "state": board.told_state, "heat": lambda: board.heat,
        "tape": lambda: board.tape.told() if board.tape.at else b"",
        "health": lambda: msgspec.json.encode(desk.health()),
    }  # fmt: skip
    hub = Hub(clock, cast("dict[Topic, object]", snapshots), lambda: board.moment)  # pyright: ignore[reportArgumentType]
    switchboard = Switchboard(board, hub, clock)
    desk = Desk(
        job.asset,
        job.mode,
        job.place,
        Keys(token, clock),
        board,
        hub,
        switchboard,
        clock,
        job.clients,
        Path(job.store) if job.store else None,
    )
    return desk


async def run(job: Job, stop: asyncio.Event) -> None:
    """Serve until told to stop."""
    token = await asyncio.to_thread((job.place / TOKEN).read_text, "ascii")
    await serve(desk_of(job, token.strip(), SystemClock()), job, stop)


async def serve(desk: Desk, job: Job, stop: asyncio.Event) -> None:
    """The same with a desk that is there already."""
    config = uvicorn.Config(
        guarded(desk, job.port), ws="websockets-sansio", ws_max_size=MOST_INBOUND,  # pyright: ignore[reportArgumentType]
        ws_per_message_deflate=False, ws_ping_interval=20.0, ws_ping_timeout=20.0, log_config=None,
        access_log=False, server_header=False, date_header=False, lifespan="off", limit_concurrency=512,
        h11_max_incomplete_event_size=24_000, timeout_keep_alive=10,
        timeout_graceful_shutdown=_GOODBYE_S,
    )  # fmt: skip
    server = _Server(config)
    listening = socket.socket(fileno=job.socket)
    async with desk.switchboard.open(job.place / LINK):
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        telling = asyncio.create_task(_tell_health(desk))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, telling, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        telling.cancel()
        stopping.cancel()
        await asyncio.gather(serving, telling, stopping, return_exceptions=True)


class _Server(uvicorn.Server):
    """One that leaves the signals to the process."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """None of its own."""
        yield


async def _tell_health(desk: Desk) -> None:
    while True:
        await asyncio.sleep(1.0)
        desk.hub.publish("health", msgspec.json.encode(desk.health()), snapshot=True)
