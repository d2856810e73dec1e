"""`airpocket lab`: run a simulated world, and hold its facts against real ones."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.lab.runs.recording import Ran


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
