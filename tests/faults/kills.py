"""Writers of the raw log and sealers of it, killed at any moment: no acknowledged record is lost.

python -m tests.faults.kills --kills 2000 --sealer-kills 200 --processes 16
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from ingest.log.killed_writer import body_of
from ingest.log.log_samples import records, write
from ingest.log.plain_log import plain_log

from airpocket.ingest.log import reader
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.seal import seal
from airpocket.ingest.log.segment import segments_in
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.log.writer import LogWriter
from airpocket.ingest.world import SystemClock
from tests.faults import ROOT
from tests.faults.shards import Progress, cores, cut, say, spread

A_FOLDER = 25  # kills of one log, before it is read whole
_SEAL = """
import sys
from pathlib import Path
from airpocket.ingest.log import sealed
from airpocket.ingest.log.seal import seal
print("ready", flush=True)
seal(Path(sys.argv[1]))
"""
_CHILD = ROOT / "tests" / "ingest" / "log" / "killed_writer.py"
_PATH = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}


class Tally(NamedTuple):
    """What some kills left. `in_the_middle`: sealers that had not finished; `broken`: in words."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    records: int = 0
    in_the_middle: int = 0
    broken: tuple[str, ...] = ()

    def plus(self, other: "Tally") -> "Tally":
        return Tally(*(a + b for a, b in zip(self, other, strict=True)))


def kill_writers(kills: range) -> Tally:
    """One log, its writer killed again and again, each start repairing what the last kill left."""
    rng, acknowledged = random.Random(f"writer {kills.start}"), {}
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        for _ in kills:
            acknowledged |= _killed_writer(folder, rng.randrange(200))
            if rng.random() < 0.2:
                seal(folder)
        LogWriter(folder, SystemClock(), LogSettings(reserve_bytes=0)).close()
        held = {one.sequence: one.body for one in plain_log(folder)}
        lost = [s for s, number in acknowledged.items() if held.get(s) != body_of(number)]
        broken = [f"kills from {kills.start}: acknowledged record {s} is lost" for s in lost[:5]]
        found = list(reader.read(folder))
        if [one.sequence for one in found if isinstance(one, Record)] != sorted(held):
            broken.append(
                f"kills from {kills.start}: the reader does not give what a second one does"
            )
        if sorted(held) != list(range(1, len(held) + 1)):
            broken.append(f"kills from {kills.start}: the sequence has a hole")
    return Tally(len(kills), len(acknowledged), len(lost), len(held), 0, tuple(broken))


def _killed_writer(folder: Path, lines: int) -> dict[int, int]:
    """What a writer acknowledged before it was killed, after so many lines: sequence → number."""
    child = subprocess.Popen(
        [sys.executable, str(_CHILD), str(folder)], stdout=subprocess.PIPE, text=True, env=_PATH
    )
    assert child.stdout is not None
    heard = [child.stdout.readline() for _ in range(1 + lines)]
    child.send_signal(signal.SIGKILL)
    heard += child.stdout.readlines()
    child.stdout.close()
    child.wait()
    whole = [line.split() for line in heard if line.endswith("\n")]
    return {int(sequence): int(number) for sequence, number in whole}


def kill_sealers(kills: range) -> Tally:
    """One log that grows, its sealer killed at any moment: the records stay what they were."""
    rng = random.Random(f"sealer {kills.start}")
    given, in_the_middle, broken = [], 0, []
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        for kill in kills:
            before = len(given)
            write(folder, records(300, before + 1), segment_bytes=2_048)
            given = list(reader.records(folder))
            if len(given) < before + 300:
                broken.append(f"sealer kill {kill}: {before + 300 - len(given)} records are gone")
            with subprocess.Popen(
                [sys.executable, "-c", _SEAL, str(folder)], stdout=subprocess.PIPE, env=_PATH
            ) as child:
                assert child.stdout is not None
                child.stdout.readline()
                time.sleep(rng.random() * 0.15)
                child.send_signal(signal.SIGKILL)
            in_the_middle += bool(segments_in(folder))
            if list(reader.read(folder)) != given:
                broken.append(f"sealer kill {kill}: the log reads otherwise than before")
        seal(folder)
        if segments_in(folder) or list(reader.read(folder)) != given:
            broken.append(f"sealer kills from {kills.start}: the last sealing did not mend the log")
    return Tally(len(kills), len(given), 0, len(given), in_the_middle, tuple(broken))


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 where a record was lost."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.faults.kills")
    parser.add_argument("--kills", type=int, default=2_000, help="of writers")
    parser.add_argument("--sealer-kills", type=int, default=200)
    parser.add_argument("--processes", type=int, default=cores())
    given = parser.parse_args(arguments)
    ended = 0
    for name, work, count in (
        ("writer", kill_writers, given.kills), ("sealer", kill_sealers, given.sealer_kills),
    ):  # fmt: skip
        if not count:
            continue
        progress, whole = Progress(count, f"kills of the {name}"), Tally()
        pieces = cut(count, max(count // A_FOLDER, given.processes))
        for _, tally in spread(work, pieces, given.processes):
            progress.add(tally.kills)
            whole = whole.plus(tally)
            for each in tally.broken:
                say(each)
        middle = f", {whole.in_the_middle:,} in the middle of its work" if name == "sealer" else ""
        print(  # noqa: T201
            f"{whole.kills:,} kills of the {name} in {progress.took_s:,.0f} s{middle}: {whole.records:,} records,"
            f" {whole.acknowledged:,} acknowledged, {whole.lost} of them lost, {len(whole.broken)} logs broken"
        )
        ended |= bool(whole.broken or whole.lost)
    return ended


if __name__ == "__main__":
    sys.exit(main())
