"""`airpocket lab`: run a simulated world, hold its facts against real ones, serve it as the venues would."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.lab.runs.recording import Ran
    from airpocket.lab.runs.worldfile import World
    from airpocket.lab.server.gate import Gate


def run(
    world: Path,
    *,
    seed: int,
    out: Path,
    truth_every: int = 5,
    book: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Run a simulated market from a world file into a folder of tables, with the truth behind it.

    The same world and seed give the same hash. docs/lab.md explains world files and tables.

    Args:
        world: World file (TOML), such as examples/worlds/squeeze.toml.
        seed: Whole number that all chance comes from.
        out: New folder for tables, truth and run.json.
        truth_every: Minutes between looks at all positions.
        book: Also keep every change of every book (about 1 GB a simulated day).
        as_json: Print JSON.
    """
    from airpocket.delivery.warmup import compiling
    from airpocket.domain.errors import BadInput

    if not 0 <= seed < 2**63:
        raise BadInput("--seed must lie between 0 and 2^63 - 1")
    if not 1 <= truth_every <= 1_440:
        raise BadInput("--truth-every must lie between 1 and 1440 minutes")
    with compiling():
        from airpocket.lab.runs.recording import RunSettings, run_world
        from airpocket.lab.runs.worldcheck import read_world

        read = read_world(world)
        ran = run_world(read, seed, out, RunSettings(truth_every, book), _progress)
    _print(ran, out, as_json=as_json)
    return 0


def serve(
    world: Path,
    *,
    seed: int,
    port: int = 8765,
    speed: float = 1.0,
    from_h: float = 0.0,
    host: str = "127.0.0.1",
    day: float = 86_400.0,
) -> int:
    """Serve a simulated market on loopback, each venue in its own language, until stopped or its end.

    Prints the address and how to record from it. Frames are stamped with this machine's clock: at --speed 60 an
    hour of the world passes in a minute, and its minute bars are minutes of the clock.

    Args:
        world: World file (TOML), such as examples/worlds/every_venue.toml.
        seed: Whole number that all chance comes from.
        port: Port to listen on; 0 takes a free one.
        speed: Seconds of the world in a second, 0.01 to 1000.
        from_h: Hour of the world to begin with.
        host: An address of this machine's loopback; nothing else is served.
        day: Seconds after which venues that end connections daily end them.
    """
    import asyncio

    from airpocket.delivery.warmup import compiling
    from airpocket.domain.errors import BadInput
    from airpocket.ingest.world import SystemClock

    if not 0 <= seed < 2**63:
        raise BadInput("--seed must lie between 0 and 2^63 - 1")
    if not 0 <= port <= 65_535:
        raise BadInput("--port must lie between 0 and 65535")
    if not 1.0 <= day <= 86_400.0:
        raise BadInput("--day must lie between 1 and 86400 seconds")
    from airpocket.lab.server.gate import Gate, GateSettings

    settings = GateSettings(host, port, day)
    with compiling():
        from airpocket.lab.runs.worldcheck import read_world
        from airpocket.lab.server.house import House

        read = read_world(world)
        gate = Gate(House(read, seed, speed, from_h=from_h), SystemClock(), settings)
    asyncio.run(_serve(gate, read, seed))
    return 0


async def _serve(gate: "Gate", world: "World", seed: int) -> None:
    from airpocket.delivery.cli.printing import print_table, say

    async with gate:
        rows = [[c.venue, c.symbol, world.venue[c.book].name] for c in gate.house.contracts]
        print_table(f"SIMULATED {world.name}, seed {seed}, on {gate.address}", ["venue", "symbol", "in the world"],
                    rows, right=set())  # fmt: skip
        venues = " ".join(dict.fromkeys(c.venue for c in gate.house.contracts))
        say(
            f"record it: airpocket record {world.asset} --through {gate.address} --store sim-store --venue {venues}"
        )
        say("Ctrl-C ends it")
        sys.stdout.flush()
        await gate.run()
        say(
            f"the world has ended: {gate.counts.frames:,} frames told, hash {gate.house.session.hash}"
        )


def _progress(share: float) -> None:
    if sys.stderr.isatty():
        end = "\n" if share >= 1.0 else ""
        sys.stderr.write(f"\rsimulated {share:4.0%}{end}")


def _print(ran: "Ran", out: Path, *, as_json: bool) -> None:
    from airpocket.delivery.cli.printing import print_json, print_table, say
    from airpocket.domain.units import format_time

    if as_json:
        print_json(ran)
        return
    say(
        f"SIMULATED {ran.world}, seed {ran.seed}: {format_time(ran.first)} to {format_time(ran.last)},"
        f" {ran.events:,} events"
    )
    say(f"hash {ran.hash}")
    rows = [[name, f"{count:,}"] for name, count in ran.files.items()]
    print_table(f"in {out}", ["file", "rows"], rows, right={"rows"})
