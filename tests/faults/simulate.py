"""Simulated days with faults drawn by seed: the shipped recorder in virtual time, its promises checked throughout.

python -m tests.faults.simulate --seeds 200 --hours 24 --processes 16
A violation prints its seed and the command that shows it again; the exit status is 1 then.
"""

import argparse
import sys
from collections import Counter
from functools import partial

from tests.faults.shards import Progress, cores, say, spread


def work(seed: int, hours: float):
    """One seed, in a process of its own or here."""
    from tests.faults.bench import run_seed

    return run_seed(seed, hours)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.faults.simulate")
    parser.add_argument("--seeds", type=int, default=20, help="how many, from --from on")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--hours", type=float, default=24.0, help="simulated, of each seed")
    parser.add_argument("--processes", type=int, default=cores())
    parser.add_argument("--verbose", action="store_true", help="a line for every seed")
    given = parser.parse_args(arguments)
    seeds = list(range(given.first, given.first + given.seeds))
    progress, faults, broken = Progress(len(seeds), "seeds"), Counter(), []
    frames = acknowledged = lives = books = minutes = 0
    recovered = 0.0
    for seed, found in spread(partial(work, hours=given.hours), seeds, given.processes):
        progress.add(1)
        faults.update(found.faults)
        frames, acknowledged = frames + found.frames, acknowledged + found.acknowledged
        books, minutes = books + found.books, minutes + found.minutes
        lives, recovered = lives + found.lives, max(recovered, found.recovered_s)
        if given.verbose or found.violations:
            say(
                f"seed {seed} ({', '.join(found.venues)}): {found.frames:,} records, {found.lives} lives,"
                f" {sum(found.faults.values())} faults, well again within {found.recovered_s:,.0f} s,"
                f" digest {found.digest}, {len(found.violations)} violations"
            )
        for violation in found.violations:
            broken.append((seed, violation))
            say(f"  {violation}")
            say(
                f"  again: python -m tests.faults.simulate --from {seed} --seeds 1"
                f" --hours {given.hours:g} --processes 1"
            )
    hours = len(seeds) * given.hours
    print(  # noqa: T201
        f"{len(seeds)} seeds x {given.hours:g} h = {hours:,.0f} seed-hours in {progress.took_s:,.0f} s:"
        f" {sum(faults.values()):,} faults of {len(faults)} kinds, {lives:,} lives, {frames:,} records logged,"
        f" {acknowledged:,} acknowledged, {books:,} books and {minutes:,} minutes held against the truth,"
        f" well again within {recovered:,.0f} s, {len(broken)} violations"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
