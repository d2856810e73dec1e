"""The whole live path on loopback: socket → log on disk → decoder → book and state, at a fixed rate of messages.

BENCH_LIVE names other runs than the usual: messages a second x seconds, as in BENCH_LIVE=5000x600,15000x60.
"""

import asyncio
import multiprocessing
import os
import resource
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from airpocket.ingest.log import reader
from airpocket.ingest.world import SystemClock
from airpocket.live.feeds import feeds_of
from airpocket.live.session import RAW, Session, SessionSettings
from benchmarks import live_venue
from benchmarks.harness import Figure, resident_mb

_RUNS = "5000x60,15000x60"  # messages a second, for so many seconds
_IDLE_S, _SLOW_PER_S = 8, 4  # what the slow route says goes on after the last message of the mix


def _recorded(rate: int, seconds: float) -> dict[str, float]:
    """Record that venue → what was lost, how long records waited for the disk, and processor seconds."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    venue = context.Process(target=live_venue.speak, args=(rate, seconds, theirs), daemon=True)
    venue.start()
    port = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        session = Session(
            Path(folder), ("ETH",), feeds_of(["ETH"], ["binance_usdm"]), SystemClock(),
            SessionSettings(gate=f"127.0.0.1:{port}", for_s=seconds + live_venue.PAUSE_S),
        )  # fmt: skip
        before = resource.getrusage(resource.RUSAGE_SELF)
        sizes: list[float] = []
        counts: list[int] = []

        def look(running: Session) -> None:
            """Stop when all was sent and nothing has come for a while: a backlog is late, not lost."""
            sizes.append(resident_mb())
            counts.append(running.recorder.intake.frames["binance_usdm"] if running.recorder else 0)
            if (
                ours.poll()
                and len(counts) > _IDLE_S
                and _came(counts, _IDLE_S) <= _IDLE_S * _SLOW_PER_S
            ):
                running.stop()

        asyncio.run(session.run(look))
        after = resource.getrusage(resource.RUSAGE_SELF)
        sent = ours.recv()
        kept, twice, lives = _kept(Path(folder) / RAW)
        assert session.recorder is not None
        lags = sorted(session.recorder.lags_ms)
    venue.terminate()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    took_s = sum(1 for count in counts if counts[-1] - count > _IDLE_S * _SLOW_PER_S)
    early = statistics.median(sizes[len(sizes) // 4 : len(sizes) // 4 + 5])
    late = statistics.median(sizes[-8:-3])
    return {
        "lost": float(sent - kept), "twice": float(twice), "lives": float(lives), "p50_ms": statistics.median(lags),
        "p99_ms": lags[int(0.99 * (len(lags) - 1))], "p999_ms": lags[int(0.999 * (len(lags) - 1))],
        "cpu_percent": 100.0 * cpu / seconds, "resident_mb": late, "grown_mb": late - early,
        "took_s": float(took_s), "held_up_s": session.recorder.watch.worst_late_s,
    }  # fmt: skip


def _came(counts: list[int], looks: int) -> int:
    return counts[-1] - counts[-1 - looks]


def _kept(log: Path) -> tuple[int, int, int]:
    """How many messages of the mix the log holds, how many more than once, and connections of their route."""
    numbers: set[int] = set()
    frames, lives = 0, set[str]()
    for record in reader.records(log):
        if record.kind == "text" and (number := live_venue.number_of(record.body)):
            numbers.add(number)
            frames += 1
            lives.add(record.connection)
    return len(numbers), frames - len(numbers), len(lives)


def figures() -> Iterator[Figure]:
    """Each rate: messages lost, waiting for the disk (of each batch's oldest), share of one core, memory."""
    for run in os.environ.get("BENCH_LIVE", _RUNS).split(","):
        rate, seconds = (int(part) for part in run.split("x"))
        found = _recorded(rate, float(seconds))
        name = f"live path, {rate:,} messages/s for {seconds} s"
        yield Figure(f"{name}: lost", "", found["lost"])
        yield Figure(f"{name}: heard twice (routes overlap)", "", found["twice"])
        yield Figure(f"{name}: connections", "", found["lives"])
        yield Figure(f"{name}: all heard after", "s", found["took_s"])
        yield Figure(f"{name}: durable p50", "ms", round(found["p50_ms"], 1))
        yield Figure(f"{name}: durable p99", "ms", round(found["p99_ms"], 1))
        yield Figure(f"{name}: durable p99.9", "ms", round(found["p999_ms"], 1))
        yield Figure(f"{name}: of one core", "%", round(found["cpu_percent"]))
        yield Figure(f"{name}: memory at the end", "MB", round(found["resident_mb"], 1))
        yield Figure(f"{name}: grown since a quarter", "MB", round(found["grown_mb"], 1))
        yield Figure(f"{name}: loop held up at most", "s", round(found["held_up_s"], 2))
