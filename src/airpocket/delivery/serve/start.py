"""From what was asked to running processes: which mode, which log, which folder, and the link to the page."""

import asyncio
import http.client
import shutil
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from platformdirs import user_cache_path, user_state_path

from airpocket.delivery.bundled_log import ASSET, digest, place_recording
from airpocket.delivery.serve.job import TOKEN, Drilling, Job
from airpocket.delivery.serve.models import LaunchCode, Mode
from airpocket.delivery.serve.supervisor import Supervisor, listen, make_place
from airpocket.domain.errors import BadInput, NothingKnown
from airpocket.domain.simulated import labelled
from airpocket.domain.units import SECOND_NS, parse_time
from airpocket.ingest.world import SystemClock

_RAW = "raw"  # of a store; its own name is live.session.RAW, which is slow to load
_READY_S = 30.0
_FRESH_S = 30.0
_HOLD_S = 3.0  # the others wait for the page so long at most


@dataclass(frozen=True, slots=True)
class Asked:
    """The flags of the command."""

    asset: str
    demo: bool = False
    record: bool = False
    replay: bool = False
    store: Path = Path("store")
    log: Path | None = None
    speed: float = 1.0
    at: str | None = None
    loop: bool = False
    port: int = 0
    clients: int = 20
    gate: str = ""
    drill: Drilling | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What will run, on which port; `words` says it in a sentence."""

    place: Path
    port: int
    label: str
    words: str
    jobs: tuple[Job, ...]
    listening: socket.socket


@contextmanager
def planned(asked: Asked) -> Generator[Plan]:
    """The processes to start, with port and folder taken; both are given back at the end.

    Raises:
        BadInput: flags that contradict each other, or a port that is taken.
        NothingKnown: there is no store, or no log to replay.
    """
    _check(asked)
    found = _demo(asked) if asked.demo else _drilled(asked) if asked.drill else asked
    mode, log = _mode(found)
    label = _label(log) or (labelled(f"heard through {found.gate}") if found.gate else "")
    if found.drill is not None:
        label = labelled(f"drill in the world {found.drill.scenario}")
    listening = listen(found.port)
    port = int(listening.getsockname()[1])
    place = place_of(port)
    try:
        make_place(place)
        base = Job(
            role="", asset=found.asset, mode=mode, folder=str(place), store=str(found.store),
            log=None if log is None else str(log), label=label, port=port, speed=found.speed,
            loop=found.loop, begin=_begin(found), gate=found.gate, clients=found.clients, demo=found.demo,
            drill=found.drill,
        )  # fmt: skip
        roles = ["web", "engine"] + (["player"] if log is not None else [])
        roles = (["recorder"] if found.record else []) + roles
        jobs = tuple(
            msgspec.structs.replace(
                base, role=role, socket=listening.fileno() if role == "web" else -1
            )
            for role in roles
        )
        yield Plan(place, port, label, _words(found, mode, log), jobs, listening)
    finally:
        listening.close()
        shutil.rmtree(place, ignore_errors=True)


async def _first_link(port: int) -> str:
    """As soon as the server answers.

    Raises:
        NothingKnown: it did not within half a minute.
    """
    clock = SystemClock()
    until = clock.monotonic() + round(_READY_S * SECOND_NS)
    while True:
        try:
            return await asyncio.to_thread(fresh_link, port)
        except NothingKnown:
            if clock.monotonic() > until:
                raise
        await asyncio.sleep(0.05)


async def run(plan: Plan, ready: Callable[[str], None]) -> None:
    """Keep the processes running until interrupted; `ready` gets the link as soon as the server answers."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(each, stop.set)
    supervisor, go = Supervisor(plan.place, plan.jobs, SystemClock()), asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop, go))
    linking = asyncio.create_task(_first_link(plan.port))
    linking.add_done_callback(lambda _: go.set())
    loop.call_later(_HOLD_S, go.set)
    await asyncio.wait({running, linking}, return_when=asyncio.FIRST_COMPLETED)
    if linking.done() and not stop.is_set():
        try:
            ready(linking.result())
        except NothingKnown:
            stop.set()
            await running
            raise
    linking.cancel()
    await running


def fresh_link(port: int, within_s: float = 3.0) -> str:
    """The address of the page with a code that lets one browser in.

    Raises:
        NothingKnown: no server of ours answers on the port.
    """
    try:
        token = (place_of(port) / TOKEN).read_text(encoding="ascii").strip()
    except OSError as error:
        raise NothingKnown(f"no airpocket serve runs on port {port} for this user") from error
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=within_s)
    try:
        line.request(
            "POST", "/api/v1/code",
            headers={"Authorization": f"Bearer {token}", "Origin": f"http://127.0.0.1:{port}"},
        )  # fmt: skip
        answer = line.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise NothingKnown(f"the server on port {port} answers {answer.status}")
        code = msgspec.json.decode(body, type=LaunchCode).code
    except (OSError, http.client.HTTPException, msgspec.MsgspecError) as error:
        raise NothingKnown(f"the server on port {port} does not answer: {error}") from error
    finally:
        line.close()
    return f"http://127.0.0.1:{port}/#t={code}"


def place_of(port: int) -> Path:
    """Folder of the server on a port, this user's own."""
    return user_state_path("airpocket") / f"serve-{port}"


def _check(asked: Asked) -> None:
    if asked.demo and (asked.record or asked.replay or asked.log or asked.gate):
        raise BadInput(
            "--demo plays the bundled market: it takes no --record, --replay, --log, --through"
        )
    if asked.drill and (asked.demo or asked.record or asked.replay or asked.log or asked.at):
        raise BadInput(
            "--drill makes its own market: it takes no --demo, --record, --replay, --log, --at"
        )
    if asked.record and (asked.replay or asked.log):
        raise BadInput("--record and --replay: one or the other")
    if asked.gate and not asked.record:
        raise BadInput("--through says how to reach the venues: it needs --record")
    if not 0.1 <= asked.speed <= 1_000.0:
        raise BadInput(f"--speed {asked.speed:g}: between 0.1 and 1000 were expected")
    if not 1 <= asked.clients <= 1_000:
        raise BadInput(f"--clients {asked.clients}: between 1 and 1000 were expected")


def _demo(asked: Asked) -> Asked:
    """The bundled recording in a store of its own; the engine fills the rest of it."""
    store = user_cache_path("airpocket") / f"demo-{digest()}"
    place_recording(store / _RAW)
    return replace(asked, asset=ASSET, store=store, replay=True, loop=True)


def _drilled(asked: Asked) -> Asked:
    """The asset is the world's own."""
    from airpocket.lab.runs.worldcheck import perpetual, read_world, world_file

    assert asked.drill is not None
    world = read_world(world_file(asked.drill.scenario))
    perpetual(world, asked.drill.venue)
    return replace(asked, asset=world.asset)


def _mode(asked: Asked) -> tuple[Mode, Path | None]:
    """What is shown, and the log that it is heard from."""
    if asked.drill is not None:
        return "drill", None
    if not asked.record and not asked.store.is_dir() and asked.log is None:
        raise NothingKnown(f"no store at '{asked.store}': record or import first, or try --demo")
    log = asked.log or asked.store / _RAW
    if asked.replay or asked.log is not None:
        if not log.is_dir():
            raise NothingKnown(f"{log}: no recorded log lies here; airpocket record makes one")
        return "replay", log
    if asked.record or _recorded_now(asked.store):
        return "live", log
    return "store", None


def _recorded_now(store: Path) -> bool:
    """Whether a recorder wrote its health into this store just now."""
    from airpocket.live import health_file

    health = health_file.read(store)
    return health is not None and SystemClock().now() - health.asof < _FRESH_S * SECOND_NS


def _label(log: Path | None) -> str:
    if log is None:
        return ""
    from airpocket.ingest.origin import label_of

    return label_of(log)


def _begin(asked: Asked) -> int:
    if asked.at is None:
        return 0
    try:
        return int(parse_time(asked.at))
    except ValueError as error:
        raise BadInput(f"--at: {error}") from error


def _words(asked: Asked, mode: Mode, log: Path | None) -> str:
    what = {
        "live": f"{asked.asset} live, from {asked.store}",
        "replay": f"{asked.asset} replayed from {log} at {asked.speed:g} times its pace",
        "drill": f"a drill in {asked.asset}, on paper; it begins when the page says so",
        "store": f"{asked.asset} from {asked.store} as it is; nothing is recorded into it now",
    }
    return what[mode]
