"""`airpocket lab`: run a simulated world, hold its facts against real ones, serve it as the venues would."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.lab.facts.run import Fact
    from airpocket.lab.runs.recording import Ran
    from airpocket.lab.runs.worldfile import World
    from airpocket.lab.server.gate import Gate


def run(
    world: str,
    *,
    seed: int,
    out: Path,
    store: Path | None = None,
    truth_every: int = 5,
    book: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Run a simulated market from a world file into a folder of tables, with the truth behind it.

    The same world and seed give the same hash. docs/lab.md explains world files and tables.

    Args:
        world: Name of a bundled world, such as squeeze, or a world file (TOML).
        seed: Whole number that all chance comes from.
        out: New folder for tables, truth and run.json.
        store: Also write the public tables into this store, for commands such as `airpocket brief`.
        truth_every: Minutes between looks at all positions.
        book: Also keep every change of every book (about 1 GB a simulated day).
        as_json: Print JSON.
    """
    from airpocket.domain.errors import BadInput

    if not 1 <= truth_every <= 1_440:
        raise BadInput("--truth-every must lie between 1 and 1440 minutes")
    ran = _run(world, seed, out, truth_every=truth_every, book=book)
    if store is not None:
        from airpocket.delivery.simulated import store_run

        store_run(out, store)
    _print(ran, out, as_json=as_json)
    return 0


def _run(world: str, seed: int, out: Path, *, truth_every: int, book: bool) -> "Ran":
    from airpocket.delivery.warmup import compiling
    from airpocket.domain.errors import BadInput

    if not 0 <= seed < 2**63:
        raise BadInput("--seed must lie between 0 and 2^63 - 1")
    with compiling():
        from airpocket.lab.runs.recording import RunSettings, run_world
        from airpocket.lab.runs.worldcheck import read_world, world_file

        return run_world(
            read_world(world_file(world)), seed, out, RunSettings(truth_every, book), _progress
        )


def facts(
    what: Path,
    *,
    seed: int | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Hold a simulated market beside real ones: tails, clustering, depth, impact, open interest, funding.

    docs/lab.md says how each figure is measured and where the real ones come from.

    Args:
        what: Folder of a finished run, or a world to run now (kept nowhere): a bundled name or a file.
        seed: With a world file: whole number that all chance comes from.
        as_json: Print JSON.
    """
    from airpocket.domain.errors import BadInput

    if what.is_dir():
        if seed is not None:
            raise BadInput("--seed belongs to a world file; a folder was run with its own")
        found = _facts_in(what)
    elif seed is None:
        raise BadInput("--seed is needed to run a world file")
    else:
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix="airpocket-lab-") as place:
            _run(str(what), seed, Path(place) / "run", truth_every=1_440, book=False)
            found = _facts_in(Path(place) / "run")
    _print_facts(found, what, as_json=as_json)
    return 0


def serve(
    world: str,
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
        world: Name of a bundled world, such as every_venue, or a world file (TOML).
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
        from airpocket.lab.runs.worldcheck import read_world, world_file
        from airpocket.lab.server.house import House

        read = read_world(world_file(world))
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


def _facts_in(folder: Path) -> "list[Fact]":
    from airpocket.lab.facts.run import facts_in

    return facts_in(folder)


def _print_facts(found: "list[Fact]", what: Path, *, as_json: bool) -> None:
    from airpocket.delivery.cli.printing import print_json, print_table, say
    from airpocket.lab.facts.reference import WORDS, figure_of

    perpetual = {name: figure_of(name, spot=False) for name in WORDS}
    if as_json:
        print_json({"facts": found, "real": perpetual, "words": WORDS})
        return
    venues = list(dict.fromkeys(fact.venue for fact in found))
    value = {(fact.name, fact.venue): fact.value for fact in found}
    rows: list[list[str]] = []
    for name, words in WORDS.items():
        real = perpetual[name]
        middle = None if real is None else real.middle
        rows.append(
            [words, *(_figure(value.get((name, venue))) for venue in venues), _figure(middle),
             "" if real is None or real.low is None else f"{_figure(real.low)} to {_figure(real.high)}"]
        )  # fmt: skip
    columns = ["fact", *venues, "real", "80 % of real"]
    print_table(f"SIMULATED {what}", columns, rows, right=set(columns[1:]))
    say("real: perpetual; a day, settlement or rise in the middle. Sources and dates: docs/lab.md")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}" if abs(value) < 1_000 else f"{value:,.0f}"


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
