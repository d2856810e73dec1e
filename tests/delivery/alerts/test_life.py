"""A watch that has died is missed: outside by its heartbeat, on the dashboard by its file."""

import asyncio
import os
import signal
import threading
from types import SimpleNamespace

import pytest
from brief.examples import rich

from airpocket.delivery.alerts import watch_file
from airpocket.delivery.alerts.findings import Look
from airpocket.delivery.alerts.heartbeat import Heartbeat
from airpocket.delivery.alerts.ledger import Ledger
from airpocket.delivery.alerts.rules import Pulse, Rule, Rules, Service, read_rules
from airpocket.delivery.alerts.watching import Looker, Watch
from airpocket.delivery.cli import watch as command
from airpocket.delivery.serve.job import Job
from airpocket.delivery.serve.web import desk_of
from airpocket.delivery.virtual import VirtualClock, in_virtual_time
from airpocket.domain.errors import BadInput
from airpocket.domain.units import SECOND_NS, parse_time

START = int(parse_time("2026-01-15T12:00Z"))
SICK = Rules(
    (Rule("data", "health", above=300.0, cooldown_s=0.0),), (Service("phone", "json://x"),)
)


class Down:
    """A service that never answers well, until it is mended."""

    mended = False

    async def send(self, service, title, body):
        return self.mended


@pytest.mark.fault("A04")
def test_the_heartbeat_falls_silent_when_nothing_is_delivered_and_comes_back(tmp_path):
    beats: list[float] = []

    async def main(loop):
        clock, down = VirtualClock(loop, START), Down()

        def look(now: int) -> Look:
            return Look(now, None, failure="the disk is gone")

        with Ledger(tmp_path / "alerts.db") as ledger:
            watch = Watch(SICK, ledger, down, look, clock)
            pulse = Heartbeat(
                Pulse("https://example.com/x", 300.0), watch.ill, said.append, lambda _: []
            )

            async def beat() -> str:
                beats.append(loop.time())
                return ""

            pulse.beat = beat
            task = asyncio.ensure_future(watch.run(60.0, lambda _: None, pulse))
            while loop.time() < 7_200.0:
                down.mended = loop.time() > 3_600.0
                await asyncio.sleep(10.0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    said: list[str] = []
    in_virtual_time(main)
    assert any(at < 900.0 for at in beats)
    assert not any(1_300.0 < at < 3_600.0 for at in beats)
    assert sum(at > 5_000.0 for at in beats) >= 5
    assert [line.partition(" has")[0] for line in said] == [
        "heartbeat: phone", "heartbeat: goes out again"
    ]  # fmt: skip


@pytest.mark.fault("A04")
def test_a_watch_that_no_longer_looks_gives_no_sign_of_life(tmp_path):
    async def main(loop):
        clock = VirtualClock(loop, START)
        with Ledger(tmp_path / "alerts.db") as ledger:
            watch = Watch(SICK, ledger, Down(), lambda now: Look(now, None), clock)
            await watch.once()
            assert watch.ill() == ""
            await asyncio.sleep(1_000.0)
            assert watch.ill() == "no look since 2026-01-15T12:00:00Z"

    in_virtual_time(main)


@pytest.mark.fault("A04")
@pytest.mark.parametrize(
    ("age_s", "state", "alarm"),
    [(30.0, "watching", None), (400.0, "silent", "airpocket watch has said nothing for 400 s")],
)
def test_the_dashboard_says_when_the_watch_of_its_store_is_dead(tmp_path, age_s, state, alarm):
    told = watch_file.Watching(at=START, pid=1, every_s=60.0, waiting=2, trouble="")
    watch_file.write(tmp_path, told)
    clock = SimpleNamespace(now=lambda: START + round(age_s * SECOND_NS), monotonic=lambda: 0)
    job = Job(role="web", asset="ETH", mode="store", folder=str(tmp_path), store=str(tmp_path))
    health = desk_of(job, "token", clock).health()
    assert (health.watch.state, health.watch.waiting) == (state, 2)
    assert [line.partition(":")[0] for line in health.alarms] == ([alarm] if alarm else [])
    watch_file.remove(tmp_path)
    assert desk_of(job, "token", clock).health().watch is None


@pytest.mark.fault("O07")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("when", ["looking", "waiting"])
def test_a_signal_ends_a_watch_in_good_order(tmp_path, monkeypatch, number, when):
    """Its file is gone, so nobody misses it; its ledger is free for the next one."""
    told = threading.Event()

    def look(self, now: int) -> Look:
        if when == "looking":
            threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
            threading.Event().wait(0.2)
        return Look(now, rich(), age_s=1.0)

    def seen(watched) -> None:
        assert watch_file.read(tmp_path) is not None
        told.set()
        if when == "waiting":
            threading.Timer(0.05, os.kill, (os.getpid(), number)).start()

    monkeypatch.setattr(Looker, "look", look)
    monkeypatch.setattr(command, "_tell", seen)
    asyncio.run(command._watch(SICK, Down(), tmp_path, "ETH", 60.0, once=False))
    assert told.is_set() == (when == "waiting")
    assert watch_file.read(tmp_path) is None
    Ledger(tmp_path / "alerts.db", wait_s=0.05).close()


HEARTBEAT = """
[heartbeat]
url_env = "BEAT_URL"
every = "2m"
[[service]]
name = "phone"
url_env = "ALERT_URL"
private = true
[[rule]]
name = "firing"
on = "trigger"
"""


def test_heartbeat_and_private_are_read(tmp_path, monkeypatch):
    monkeypatch.setenv("ALERT_URL", "json://localhost")
    monkeypatch.setenv("BEAT_URL", "https://example.com/x")
    path = tmp_path / "rules.toml"
    path.write_text(HEARTBEAT)
    found = read_rules(path)
    assert found.pulse == Pulse("https://example.com/x", 120.0)
    assert found.services[0].private
    for wrong, named in (
        ('every = "1s"', "'every'"),
        ("colour = 1", "colour"),
        ("private = 3", "'private'"),
    ):
        path.write_text(HEARTBEAT.replace('every = "2m"', wrong))
        with pytest.raises(BadInput, match=f"heartbeat.*{named}"):
            read_rules(path)
