"""The server: how soon it answers, and how late its messages are, for one reader and for many."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from airpocket.delivery.serve.job import Job
from airpocket.delivery.serve.link import Note, call
from airpocket.delivery.serve.start import fresh_link
from airpocket.delivery.serve.supervisor import listen
from airpocket.delivery.serve.web import desk_of, serve
from airpocket.domain.errors import NothingKnown
from airpocket.domain.units import format_time
from airpocket.ingest.world import SystemClock
from benchmarks.harness import Figure

_HZ, _MESSAGES = 20, 200


def figures() -> Iterator[Figure]:
    """Start, then lag from the player's word to a reader's hands, 20 a second."""
    yield Figure("server: start to first answer", round(_start_s(), 2), "s")
    for clients in (1, 200):
        lags, cpu_s = asyncio.run(_lags(clients))
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            value = 1e3 * sorted(lags)[int(share * (len(lags) - 1))]
            yield Figure(f"server: lag at 20 Hz, {clients} readers, {name}", round(value, 2), "ms")
        yield Figure(f"server: CPU of a message to {clients} readers", round(1e3 * cpu_s, 2), "ms")


def _start_s() -> float:
    """From the command to a link, with an empty store: the engine's first edition is not waited for."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        with listen(0) as found:
            port = int(found.getsockname()[1])
        begun = time.perf_counter()
        running = subprocess.Popen(
            [sys.executable, "-m", "airpocket", "serve", "--store", folder, "--port", str(port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            while True:
                try:
                    fresh_link(port)
                    return time.perf_counter() - begun
                except NothingKnown:
                    time.sleep(0.01)
        finally:
            running.terminate()
            running.wait()


async def _lags(clients: int) -> tuple[list[float], float]:
    """How late readers in a process of their own heard each message, s; and the server's CPU for each, s."""
    with tempfile.TemporaryDirectory() as folder:
        listening = listen(0)
        job = Job(
            role="web", asset="ETH", mode="replay", folder=folder, store="", clients=clients,
            port=listening.getsockname()[1], socket=listening.detach(),
        )  # fmt: skip
        desk, stop = desk_of(job, "token", SystemClock()), asyncio.Event()
        serving = asyncio.create_task(serve(desk, job, stop))
        while (line := await call(Path(folder) / "link")) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await line.send(Note(what="hello", name="player"))
        readers = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.ws_readers", str(job.port), str(_MESSAGES),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        tickets = " ".join(desk.keys.tickets.make() for _ in range(clients)).encode()
        hearing = asyncio.create_task(readers.communicate(tickets))
        while sum(bool(each.topics) for each in desk.hub.clients) < clients:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        begun = time.process_time()
        for _ in range(_MESSAGES):
            await line.send(Note(what="tape", as_of=(now := time.time_ns())), _tape(now))
            await asyncio.sleep(1.0 / _HZ)
        told, _ = await hearing
        cpu_s = (time.process_time() - begun) / _MESSAGES
        line.close()
        stop.set()
        await serving
        return json.loads(told), cpu_s


def _tape(now: int) -> bytes:
    told = {
        "at": format_time(now), "reference": str(now), "prices": [], "bar": None, "closed": [],
        "forced": [], "cvd": {f"contract {i}": 1.0 for i in range(8)}, "speed": 1.0,
    }  # fmt: skip
    return json.dumps(told).encode()
