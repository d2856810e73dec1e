"""The whole live path on loopback: socket → log on disk → decoder → book and state, at a fixed rate of messages.

BENCH_LIVE names other runs than the usual: messages a second x seconds, as in BENCH_LIVE=5000x600,15000x60.
"""

import asyncio
import json
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve

from airpocket.ingest.log import reader
from airpocket.ingest.world import SystemClock
from airpocket.live.feeds import feeds_of
from airpocket.live.session import RAW, Session, SessionSettings
from benchmarks.harness import Figure

_RUNS = "5000x60,15000x60"  # messages a second, for so many seconds
_CATCH_UP_S, _IDLE_S = 60.0, 8
_LEVELS = 12  # a side, of each tenth message; the others are trades and quotes


def _frames(number: int, now_ms: int) -> str:
    """One message of the mix: a tenth depth changes, the rest quotes and trades."""
    price = 3_000.0 + (number % 100) * 0.01
    if number % 10 == 0:
        rows = [[f"{price - 1 - k * 0.01:.2f}", f"{1 + (number + k) % 9}"] for k in range(_LEVELS)]
        asks = [[f"{price + 1 + k * 0.01:.2f}", f"{1 + (number + k) % 7}"] for k in range(_LEVELS)]
        change = number // 10
        data: dict[str, object] = {"e": "depthUpdate", "E": now_ms, "T": now_ms, "s": "ETHUSDT", "U": change,
                                   "u": change, "pu": change - 1, "b": rows, "a": asks}  # fmt: skip
        return json.dumps({"stream": "ethusdt@depth@100ms", "data": data}, separators=(",", ":"))
    if number % 10 < 6:
        data = {"e": "bookTicker", "u": number, "s": "ETHUSDT", "b": f"{price:.2f}", "B": "1",
                "a": f"{price + 0.01:.2f}", "A": "2", "T": now_ms, "E": now_ms}  # fmt: skip
        return json.dumps({"stream": "ethusdt@bookTicker", "data": data}, separators=(",", ":"))
    data = {"e": "trade", "E": now_ms, "T": now_ms, "s": "ETHUSDT", "t": number, "p": f"{price:.2f}", "q": "0.5",
            "X": "MARKET", "m": number % 2 == 0}  # fmt: skip
    return json.dumps({"stream": "ethusdt@trade", "data": data}, separators=(",", ":"))


def _venue(rate: int, seconds: float, pipe: Connection) -> None:
    """A venue in a process of its own: sends at the rate, says how many it sent."""
    sent = 0

    async def speak(connection: ServerConnection) -> None:
        nonlocal sent
        if "/public/" not in (connection.request.path if connection.request else ""):
            await asyncio.sleep(seconds + _CATCH_UP_S)
            return
        started, number = time.monotonic(), 0
        while (passed := time.monotonic() - started) < seconds:
            now_ms = time.time_ns() // 1_000_000
            while number < rate * passed:
                number += 1
                await connection.send(_frames(number, now_ms))
            await asyncio.sleep(0.002)
        sent = number
        pipe.send(sent)
        await asyncio.sleep(_CATCH_UP_S)

    async def run() -> None:
        async with serve(speak, "127.0.0.1", 0, compression=None) as server:
            pipe.send(next(iter(server.sockets)).getsockname()[1])
            await asyncio.sleep(seconds + _CATCH_UP_S)

    asyncio.run(run())


def _recorded(rate: int, seconds: float) -> dict[str, float]:
    """Record that venue → what was lost, how long records waited for the disk, and processor seconds."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    venue = context.Process(target=_venue, args=(rate, seconds, theirs), daemon=True)
    venue.start()
    port = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        session = Session(
            Path(folder), ("ETH",), feeds_of(["ETH"], ["binance_usdm"]), SystemClock(),
            SessionSettings(gate=f"127.0.0.1:{port}", for_s=seconds + _CATCH_UP_S),
        )  # fmt: skip
        before = resource.getrusage(resource.RUSAGE_SELF)
        sizes: list[float] = []
        counts: list[int] = []

        def look(running: Session) -> None:
            """Stop when all was sent and nothing has come for a while: a backlog is late, not lost."""
            sizes.append(_resident_mb())
            counts.append(running.recorder.intake.frames["binance_usdm"] if running.recorder else 0)
            if ours.poll() and len(counts) > _IDLE_S and counts[-1] == counts[-1 - _IDLE_S]:
                running.stop()

        asyncio.run(session.run(look))
        after = resource.getrusage(resource.RUSAGE_SELF)
        sent = ours.recv()
        kept = sum(1 for r in reader.records(Path(folder) / RAW) if r.kind == "text")
        assert session.recorder is not None
        lags = sorted(session.recorder.lags_ms)
    venue.terminate()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    took_s = 1 + next(n for n, count in enumerate(counts) if count == counts[-1])
    early = statistics.median(sizes[len(sizes) // 4 : len(sizes) // 4 + 5])
    late = statistics.median(sizes[-8:-3])
    return {
        "lost": float(sent - kept), "p50_ms": statistics.median(lags),
        "p99_ms": lags[int(0.99 * (len(lags) - 1))], "p999_ms": lags[int(0.999 * (len(lags) - 1))],
        "cpu_percent": 100.0 * cpu / seconds, "resident_mb": late, "grown_mb": late - early,
        "took_s": float(took_s), "held_up_s": session.recorder.watch.worst_late_s,
    }  # fmt: skip


def _resident_mb() -> float:
    """Memory now, MB; 0 where the system has no /proc."""
    pages = Path("/proc/self/statm")
    if not pages.exists():
        return 0.0
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def figures() -> Iterator[Figure]:
    """Each rate: messages lost, waiting for the disk (of each batch's oldest), share of one core, memory."""
    for run in os.environ.get("BENCH_LIVE", _RUNS).split(","):
        rate, seconds = (int(part) for part in run.split("x"))
        found = _recorded(rate, float(seconds))
        name = f"live path, {rate:,} messages/s for {seconds} s"
        yield Figure(f"{name}: lost", "", found["lost"])
        yield Figure(f"{name}: all heard after", "s", found["took_s"])
        yield Figure(f"{name}: durable p50", "ms", round(found["p50_ms"], 1))
        yield Figure(f"{name}: durable p99", "ms", round(found["p99_ms"], 1))
        yield Figure(f"{name}: durable p99.9", "ms", round(found["p999_ms"], 1))
        yield Figure(f"{name}: of one core", "%", round(found["cpu_percent"]))
        yield Figure(f"{name}: memory at the end", "MB", round(found["resident_mb"], 1))
        yield Figure(f"{name}: grown since a quarter", "MB", round(found["grown_mb"], 1))
        yield Figure(f"{name}: loop held up at most", "s", round(found["held_up_s"], 2))
