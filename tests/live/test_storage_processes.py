"""Whole processes: a recorder killed at any moment, and a replay that no environment changes."""

import asyncio
import hashlib
import itertools
import os
import random
import resource
import signal
import subprocess
import sys

import pytest
from live.fake_venue import FakeVenue
from live.test_recording import REST, SNAPSHOT, depth, mark, steady, trade

from airpocket.ingest.lake import Lake
from airpocket.ingest.log import reader
from airpocket.ingest.log.gaps import gaps_in
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.writer import LogWriter
from airpocket.ingest.world import SystemClock
from airpocket.live.session import RAW


class Counting:
    """A venue whose trades count on through every connection; keeps what it sent on each."""

    def __init__(self):
        self.sent = []

    async def speak(self, connection, path):
        if "/public/" not in path:
            await steady(connection, path)
            return
        mine = []
        self.sent.append(mine)
        await connection.send(depth(95, 103, 90))
        for number in itertools.count():
            frame = trade(number)
            mine.append(frame.encode())
            await connection.send(frame)
            await asyncio.sleep(0.002)


async def killed_after(store, gate, enough):
    """Record in a process of its own and kill it once its log holds `enough` bytes more than before."""
    words = ["record", "ETH", "--venue", "binance_usdm", "--store", str(store), "--through", gate]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "airpocket", *words,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    before = size_of(store)
    try:
        async with asyncio.timeout(90):
            while size_of(store) < before + enough:
                assert process.returncode is None
                await asyncio.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


def size_of(store):
    return sum(path.stat().st_size for path in (store / RAW).glob("*.log"))


@pytest.mark.fault("S01", "S20", "R06")
@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_a_recorder_that_is_killed_keeps_what_it_heard_and_the_next_says_what_ended(
    tmp_path, told, kills
):
    rng, venue = random.Random(5), Counting()

    async def run():
        async with FakeVenue(venue.speak, REST) as server:
            for _ in range(kills):
                await killed_after(tmp_path, server.gate, rng.randint(20_000, 120_000))

    asyncio.run(run())
    LogWriter(tmp_path / RAW, SystemClock()).close()  # a start repairs what the last kill left
    found = reader.verify(tmp_path / RAW)
    assert found.damages == ()
    assert (found.first_sequence, found.last_sequence) == (1, found.records)
    heard, of = [], {}
    for each in reader.records(tmp_path / RAW):
        if each.kind == "connect" and each.connection.startswith("public"):
            of[each.connection] = []
            heard.append(of[each.connection])
        elif each.kind == "text" and b"@trade" in each.body:
            of[each.connection].append(each.body)
    assert len(heard) >= kills  # on a slow machine a life may call anew
    assert sum(map(len, heard)) > 10 * kills
    for kept, sent in zip(heard, venue.sent, strict=False):
        assert kept == sent[: len(kept)]  # no hole, nothing twice, nothing of its own
    assert Lake(tmp_path).verify() == []
    dark = [gap for gap in gaps_in(reader.records(tmp_path / RAW)) if gap.route == "public"]
    assert [gap.cause for gap in dark].count("the recorder ended without a word") == kills
    assert [gap.until is None for gap in dark] == [False] * (len(dark) - 1) + [True]
    told(f"{kills} kills, {sum(map(len, heard))} trades kept, 0 missing before the kill")


@pytest.mark.fault("R05")
@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit processes otherwise")
@pytest.mark.parametrize(
    ("limit", "most", "records"),
    [(resource.RLIMIT_NOFILE, 64, True),
     pytest.param(resource.RLIMIT_AS, 600 << 20, False, marks=pytest.mark.slow)],
)  # fmt: skip
def test_a_recorder_with_too_little_of_something_records_or_stops_aloud_and_never_hangs(
    tmp_path, limit, most, records
):
    venue = Counting()

    async def run():
        async with FakeVenue(venue.speak, REST) as server:
            words = [
                "record",
                "ETH",
                "--venue",
                "binance_usdm",
                "--store",
                str(tmp_path),
                "--for",
                "2s",
            ]
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "airpocket", *words, "--through", server.gate,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                preexec_fn=lambda: resource.setrlimit(limit, (most, most)),
            )  # fmt: skip
            async with asyncio.timeout(120):
                said, _ = await process.communicate()
            return process.returncode, said

    ended, said = asyncio.run(run())
    assert said
    assert (ended == 0) is records
    if records:
        kept = [r for r in reader.records(tmp_path / RAW) if b"@trade" in r.body]
        assert len(kept) > 100


ENVIRONMENTS = [
    {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language}
    for seed in ("0", "1", "random")
    for zone in ("UTC", "America/New_York", "Asia/Kathmandu")
    for language in ("C", "de_DE.UTF-8")
]


def made_log(folder):
    """A log of a snapshot, book changes, trades, prices, poison and a connection that ends."""
    clock, last = SystemClock(), 103
    with LogWriter(folder, clock) as log:

        def put(connection, kind, body, about=""):
            body = body if isinstance(body, bytes) else body.encode()
            record = Record(
                clock.now(), "binance_usdm", connection, kind, body, about,
                monotonic=clock.monotonic(),
            )  # fmt: skip
            log.append(record)

        for connection in ("public#1", "market#1"):
            put(connection, "connect", b"", "wss://x")
        put("public#1", "text", depth(95, 103, 90))
        put("rest#1", "rest", SNAPSHOT, "https://fapi.binance.com/fapi/v1/depth?symbol=ETHUSDT")
        for number in range(400):
            put("public#1", "text", depth(last + 1, last + 3, last, [["3000.0", str(number % 7)]]))
            put("public#1", "text", trade(number, f"300{number % 9}.5"))
            put("market#1", "text", mark(f"300{number % 9}.2"))
            last += 3
        put("public#1", "text", b'{"e":"novelty"}')
        put("public#1", "disconnect", b"", "1006")


@pytest.mark.parametrize(
    ("environments", "repeats"),
    [([ENVIRONMENTS[0], ENVIRONMENTS[9], ENVIRONMENTS[17]], 1),
     pytest.param(ENVIRONMENTS, 3, marks=pytest.mark.slow)],
)  # fmt: skip
def test_a_replay_gives_the_same_bytes_whatever_the_environment(
    tmp_path, told, environments, repeats
):
    made_log(tmp_path / RAW)
    words = [sys.executable, "-m", "airpocket", "replay", "ETH", "--store", str(tmp_path), "--json"]
    hashes = {}
    for environment in environments:
        for repeat in range(repeats):
            ran = subprocess.run(
                words, env={**os.environ, **environment}, capture_output=True, check=True
            )
            assert b'"journal"' in ran.stdout
            key = (*environment.values(), repeat)
            hashes[key] = hashlib.sha256(ran.stdout).hexdigest()
    told(
        f"{len(hashes)} replays, {len(set(hashes.values()))} hash: {next(iter(hashes.values()))[:16]}"
    )
    assert len(set(hashes.values())) == 1
