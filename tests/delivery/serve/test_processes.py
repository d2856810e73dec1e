"""Processes: started, started anew when they die, ended together; files for this user; loopback only."""

import asyncio
import os
import signal
import stat
import sys

import pytest

from airpocket.delivery.cli import main
from airpocket.delivery.serve import supervisor as module
from airpocket.delivery.serve.job import TOKEN, Job
from airpocket.delivery.serve.player import Course, Player
from airpocket.delivery.serve.requests import ReplayBody
from airpocket.delivery.serve.start import Asked, Plan, planned
from airpocket.delivery.serve.start import run as serve
from airpocket.delivery.serve.supervisor import Supervisor, listen, make_place
from airpocket.delivery.virtual import VirtualClock, in_virtual_time
from airpocket.domain.errors import BadInput, NothingKnown
from airpocket.domain.units import format_time
from airpocket.ingest.world import SystemClock

WAIT = "import sys; sys.stdin.read()"


def job(role: str) -> Job:
    return Job(role=role, asset="ETH", mode="store", folder="", store="")


@pytest.fixture
def scripted(monkeypatch):
    """Children that run a line of Python instead of a server; by role."""
    lines: dict[str, str] = {}

    async def start(job: Job):
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", lines[job.role], stdin=asyncio.subprocess.PIPE
        )

    monkeypatch.setattr(module, "_start", start)
    return lines


async def until(true):
    async with asyncio.timeout(30.0):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_what_dies_is_started_anew_and_what_stands_is_left_alone(tmp_path, scripted):
    scripted |= {"web": WAIT, "engine": WAIT}

    async def run():
        stop = asyncio.Event()
        found = Supervisor(tmp_path, [job("web"), job("engine")], SystemClock())
        running = asyncio.create_task(found.run(stop))
        await until(lambda: all(each.state == "running" for each in found.states))
        web, engine = found.states
        children = {child.name: child for child in found._children}
        children["engine"].process.kill()
        await until(lambda: found.states[1].restarts == 1 and found.states[1].state == "running")
        assert found.states[1].pid != engine.pid
        assert found.states[0] == web
        stop.set()
        await running
        assert all(child.process.returncode is not None for child in found._children)

    asyncio.run(run())


def test_the_web_is_started_before_what_takes_its_time(tmp_path, scripted):
    scripted |= {"web": WAIT, "engine": WAIT}

    async def run():
        stop, go = asyncio.Event(), asyncio.Event()
        found = Supervisor(tmp_path, [job("web"), job("engine")], SystemClock())
        running = asyncio.create_task(found.run(stop, go))
        await until(lambda: found.states[0].state == "running")
        assert found.states[1].pid is None
        go.set()
        await until(lambda: found.states[1].state == "running")
        stop.set()
        await running

    asyncio.run(run())


def test_what_cannot_work_is_not_tried_for_ever(tmp_path, scripted):
    scripted["recorder"] = (
        "import sys; sys.exit(3)"  # as where another process records into the store
    )

    async def run():
        stop = asyncio.Event()
        found = Supervisor(tmp_path, [job("recorder")], SystemClock())
        running = asyncio.create_task(found.run(stop))
        await until(lambda: found.states[0].state == "ended")
        assert found.states[0].reason == "ended with status 3"
        assert found.states[0].restarts == 0
        stop.set()
        await running

    asyncio.run(run())


def test_what_the_machine_cannot_start_is_tried_again(tmp_path, scripted, monkeypatch):
    scripted["web"] = WAIT
    start, failing = module._start, [True]

    async def refused(job: Job):
        if failing:
            raise OSError(11, "Resource temporarily unavailable")
        return await start(job)

    monkeypatch.setattr(module, "_start", refused)

    async def run():
        stop = asyncio.Event()
        found = Supervisor(tmp_path, [job("web")], SystemClock())
        running = asyncio.create_task(found.run(stop))
        await until(lambda: found.states[0].restarts > 0)
        assert found.states[0].state == "down"
        assert found.states[0].reason == "not started: Resource temporarily unavailable"
        failing.clear()
        await until(lambda: found.states[0].state == "running")
        stop.set()
        await running

    asyncio.run(run())


def test_a_child_ends_when_its_parent_is_gone(tmp_path):
    """The real entry of a child, with the role that needs nothing: a player that waits for a log."""
    import msgspec

    async def run():
        told = Job(
            role="player", asset="ETH", mode="live", folder=str(tmp_path), store=str(tmp_path),
            log=str(tmp_path / "no log yet"),
        )  # fmt: skip
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "airpocket.delivery.serve.child", msgspec.json.encode(told).decode(),
            stdin=asyncio.subprocess.PIPE,
        )  # fmt: skip
        child.stdin.close()
        async with asyncio.timeout(60.0):
            assert await child.wait() == 0

    asyncio.run(run())


@pytest.mark.fault("W16")
def test_the_token_is_for_this_user_alone(tmp_path):
    place = tmp_path / "serve"
    make_place(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert stat.S_IMODE((place / TOKEN).stat().st_mode) == 0o600
    first = (place / TOKEN).read_text()
    make_place(place)
    assert (place / TOKEN).read_text() != first
    (tmp_path / "link").symlink_to(place)
    with pytest.raises(BadInput):
        make_place(tmp_path / "link")


@pytest.mark.fault("W15")
def test_only_loopback_is_listened_on_and_a_taken_port_is_said():
    with listen(0) as one:
        assert one.getsockname()[0] == "127.0.0.1"
        with pytest.raises(BadInput, match="--port"):
            listen(one.getsockname()[1])
    with pytest.raises(BadInput, match="--port"):
        listen(70_000)


@pytest.mark.parametrize(
    "flags",
    [["--demo", "--record"], ["--record", "--replay"], ["--through", "127.0.0.1:1"], ["--speed", "0"],
     ["--clients", "0"], ["--demo", "--at", "yesterday"]],
)  # fmt: skip
def test_flags_that_can_not_be_are_refused(flags, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["serve", "--store", str(tmp_path), *flags]) == 2
    assert (
        flags[-2 if len(flags) > 1 and not flags[-1].startswith("--") else -1]
        in capsys.readouterr().err
    )


@pytest.mark.fault("W15")
@pytest.mark.parametrize("flag", ["--host", "--bind", "--address", "--listen"])
def test_no_flag_makes_it_listen_wider(flag, capsys, tmp_path, monkeypatch):
    def never(_):
        raise AssertionError("nothing may listen")

    monkeypatch.setattr("airpocket.delivery.serve.start.listen", never)
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--store", str(tmp_path), flag, "0.0.0.0"])  # noqa: S104
    assert ended.value.code
    assert flag in capsys.readouterr().err + capsys.readouterr().out


@pytest.mark.fault("O07")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("state", ["starting", "running", "dying"])
def test_a_signal_ends_everything_in_any_state(tmp_path, scripted, monkeypatch, number, state):
    """The web never answers here; the engine waits, or dies again and again."""
    scripted |= {"web": WAIT, "engine": "import sys; sys.exit(1)" if state == "dying" else WAIT}
    seen: list[Supervisor] = []
    init = Supervisor.__init__

    def kept(self, *given):
        init(self, *given)
        seen.append(self)

    monkeypatch.setattr(Supervisor, "__init__", kept)
    monkeypatch.setattr("airpocket.delivery.serve.start._HOLD_S", 0.02)

    def come() -> bool:
        if not seen:
            return False
        web, engine = seen[0].states
        if state == "starting":
            return True
        if state == "running":
            return web.state == engine.state == "running"
        return engine.restarts >= 2

    async def run():
        with listen(0) as listening:
            plan = Plan(tmp_path, 1, "", "", (job("web"), job("engine")), listening)
            running = asyncio.create_task(serve(plan, lambda _: None))
            await until(come)
            os.kill(os.getpid(), number)
            async with asyncio.timeout(30.0):
                await running
        children = seen[0]._children
        assert all(c.process is None or c.process.returncode is not None for c in children)

    asyncio.run(run())


def test_no_store_and_no_server_are_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert main(["serve", "--store", str(tmp_path / "none")]) == 4
    assert "--demo" in capsys.readouterr().err
    assert main(["serve", "--link", "--port", "1"]) == 4


def test_the_demo_is_planned_as_simulated(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with planned(Asked("ETH", demo=True, port=0)) as plan:
        assert plan.label == "SIMULATED demo, seed 1"
        assert [each.role for each in plan.jobs] == ["web", "engine", "player"]
        assert {each.mode for each in plan.jobs} == {"replay"}
        place = plan.place
        assert (place / TOKEN).is_file()
    assert not place.exists()
    with pytest.raises(NothingKnown), planned(Asked("ETH", store=tmp_path / "none")):
        pass


def test_a_course_goes_by_speed_stops_and_ends():
    async def main(loop):
        course = Course(VirtualClock(loop, 0), 1_000, 1_000 + 100 * 10**9, 2.0)
        await asyncio.sleep(10.0)
        assert course.at == 1_000 + 20 * 10**9
        course.move(playing=False)
        await asyncio.sleep(10.0)
        assert course.at == 1_000 + 20 * 10**9
        course.move(playing=True, speed=8.0)
        await asyncio.sleep(9.0)
        assert course.at == 1_000 + 92 * 10**9
        await asyncio.sleep(9.0)
        assert (course.at, course.ended) == (course.last, True)
        assert course.ended_for_s == pytest.approx(8.0)
        course.move(at=0)
        assert course.at == course.first

    in_virtual_time(main)


def test_the_last_of_several_seeks_counts_also_while_the_first_is_on_its_way(demo):
    log = str(demo / "store" / "raw")

    async def main(loop):
        asked = Job(role="player", asset="ETH", mode="replay", folder="", store="", log=log)
        player = Player(asked, VirtualClock(loop, 0))
        playing = asyncio.create_task(player.replay())
        await until(lambda: player.course is not None)
        course = player.course
        moments = [
            course.first + round(share * (course.last - course.first)) for share in (0.9, 0.5, 0.2)
        ]
        for number, moment in enumerate(moments, 1):
            to = ReplayBody(action="seek", to=format_time(moment))
            player.heed(to.model_dump_json().encode(), number)
            told = player._heard()
            assert (told.heeded, told.replay.at) == (number, format_time(moment))
            for _ in range(3):
                await asyncio.sleep(0)
        await asyncio.sleep(2.0)
        playing.cancel()
        return (course.at - moments[-1]) / 10**9

    assert 0.0 <= in_virtual_time(main) <= 2.0
