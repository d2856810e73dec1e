"""Simulated days with faults drawn by seed: the shipped recorder in virtual time, its promises checked throughout.

python -m tests.faults.simulate --seeds 200 --hours 24 --processes 16
A violation prints its seed and the command that shows it again; the exit status is 1 then. With --log a long run
can be broken off and taken up again: the same command goes on where it was.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tests.faults.shards import Progress, cores, say, spread

if TYPE_CHECKING:
    from tests.faults.bench import Outcome


def work(seed: int, hours: float) -> "Outcome":
    """One seed, in a process of its own or here."""
    from tests.faults.bench import run_seed

    return run_seed(seed, hours)


def logged(log: Path | None, hours: float) -> dict[int, "Outcome"]:
    """The seeds that a run before has finished, of as many hours; a line that broke off is none."""
    from tests.faults.bench import Outcome

    found: dict[int, Outcome] = {}
    for line in log.read_bytes().splitlines() if log is not None and log.exists() else []:
        with suppress(msgspec.DecodeError):
            outcome = msgspec.json.decode(line, type=Outcome)
            if outcome.hours == hours:
                found[outcome.seed] = outcome
    return found


def add_to(log: Path, outcome: "Outcome") -> None:
    """One more line."""
    with log.open("a+b") as file:
        end = file.seek(0, 2)
        file.seek(max(end - 1, 0))
        whole = file.read() in (b"", b"\n")
        file.write((b"" if whole else b"\n") + msgspec.json.encode(outcome) + b"\n")


def tell(found: "Outcome") -> None:
    """What one seed went through, and how to see again what it broke."""
    say(
        f"seed {found.seed} ({', '.join(found.venues)}): {found.frames:,} records, {found.lives} lives,"
        f" {sum(found.faults.values())} faults, well again within {found.recovered_s:,.0f} s,"
        f" digest {found.digest}, {len(found.violations)} violations"
    )
    for violation in found.violations:
        say(f"  {violation}")
        say(
            f"  again: python -m tests.faults.simulate --from {found.seed} --seeds 1"
            f" --hours {found.hours:g} --processes 1"
        )


def told(outcomes: Iterable["Outcome"]) -> str:
    """The figures of all seeds, one line without its beginning."""
    each, faults = list(outcomes), Counter[str]()
    for outcome in each:
        faults.update(outcome.faults)
    return (
        f"{sum(faults.values()):,} faults of {len(faults)} kinds, {sum(o.lives for o in each):,} lives,"
        f" {sum(o.frames for o in each):,} records logged, {sum(o.acknowledged for o in each):,} acknowledged,"
        f" {sum(o.books for o in each):,} books and {sum(o.minutes for o in each):,} minutes held against the"
        f" truth, well again within {max((o.recovered_s for o in each), default=0.0):,.0f} s,"
        f" {sum(len(o.violations) for o in each)} violations"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.faults.simulate")
    parser.add_argument("--seeds", type=int, default=20, help="how many, from --from on")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--hours", type=float, default=24.0, help="simulated, of each seed")
    parser.add_argument("--processes", type=int, default=cores())
    parser.add_argument("--verbose", action="store_true", help="a line for every seed")
    parser.add_argument(
        "--log",
        type=Path,
        help="a line of JSON for each seed; those that stand there are not run again",
    )
    given = parser.parse_args(arguments)
    seeds = range(given.first, given.first + given.seeds)
    done = {n: o for n, o in logged(given.log, given.hours).items() if n in seeds}
    left = [seed for seed in seeds if seed not in done]
    progress = Progress(len(left), "seeds")
    for seed, found in spread(partial(work, hours=given.hours), left, given.processes):
        progress.add(1)
        done[seed] = found
        if given.log is not None:
            add_to(given.log, found)
        if given.verbose or found.violations:
            tell(found)
    hours = len(seeds) * given.hours
    print(  # noqa: T201
        f"{len(seeds)} seeds x {given.hours:g} h = {hours:,.0f} seed-hours, {len(left)} seeds now in"
        f" {progress.took_s:,.0f} s: {told(done.values())}"
    )
    return 1 if any(outcome.violations for outcome in done.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
