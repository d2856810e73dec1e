"""Power cuts on a simulated disk: whatever it loses, tears or reorders, no acknowledged record is lost.

python -m tests.faults.power_cuts --seeds 10000 --processes 16
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ingest.log.plain_log import plain_log
from ingest.sim_disk import PowerCut, SimDisk

from airpocket.domain.errors import AirpocketError, LogFailed
from airpocket.ingest.log import reader
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.seal import seal
from airpocket.ingest.log.segment import LogDamage
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.log.writer import LogWriter
from tests.faults.shards import Patches, Progress, cores, cut, in_memory, say, spread

LIVES = 3
_AGAIN = "python -m tests.faults.power_cuts --seeds 1 --processes 1 --from "


class Ticking:
    """A clock that moves with each look."""

    def __init__(self):
        self.at = 1_800_000_000_000_000_000

    def now(self):
        self.at += 1_000_000
        return self.at

    monotonic = now


class Life:
    """One seed: a log folder through several lives, each ended by a power cut, and what each acknowledged."""

    def __init__(self, seed, folder):
        self.rng = random.Random(seed)
        self.folder, self.clock = folder, Ticking()
        self.bodies = {}  # sequence → body, of all acknowledged
        self.given = {}  # of all appended in this life
        self.cuts = self.eios = 0

    def live(self, patches):
        rng = self.rng
        sim = SimDisk(
            self.folder, rng, cut_after=rng.randint(0, 120), eio=rng.choice((0.0, 0.0, 0.05))
        )
        with patches.context() as patch:
            sim.install(patch)
            with suppress(PowerCut, AirpocketError):
                self._write_and_seal()
            sim.is_off = True
        self.eios += sim.failed_syncs
        self.cuts += 1
        after = self.folder.with_name(f"{self.folder.name}+")
        sim.after_power_cut(after)
        shutil.rmtree(self.folder)
        after.rename(self.folder)

    def _write_and_seal(self):
        rng = self.rng
        settings = LogSettings(
            commit_every_ms=1e9, segment_bytes=rng.choice((3_000, 20_000)), reserve_bytes=0
        )
        for _ in range(rng.randint(1, 3)):
            log = LogWriter(self.folder, self.clock, settings)
            try:
                self._append(log)
                log.close()
            finally:
                self._note(log)
            if rng.random() < 0.4:
                seal(self.folder)

    def _append(self, log):
        log.flush()
        for _ in range(self.rng.randint(1, 6)):
            for _ in range(self.rng.randint(1, 5)):
                size = self.rng.choice((0, 10, 700, 5_000))
                body = b"%d " % self.rng.getrandbits(60) + bytes(size)
                ticket = log.append(Record(self.clock.now(), "v", "c#1", "text", body))
                self.given[ticket.sequence] = body
            log.flush()

    def _note(self, log):
        """What this writer acknowledged; its thread is over, or stands before a disk that is off."""
        with suppress(LogFailed):
            log.close()
        for sequence, body in self.given.items():
            if sequence <= log.acknowledged:
                self.bodies.setdefault(sequence, body)
        self.given = {}


def check(life):
    """After the last cut: by the plain reader, by ours, and by a start that repairs."""
    held = {one.sequence: one.body for one in plain_log(life.folder)}
    lost = [n for n, body in life.bodies.items() if held.get(n) != body]
    assert lost == []
    log = LogWriter(life.folder, life.clock, LogSettings(commit_every_ms=1e9, reserve_bytes=0))
    log.append(Record(life.clock.now(), "v", "c#1", "text", b"after"))
    log.close()
    found = list(reader.read(life.folder))
    # a torn block between whole ones of a batch never acknowledged is named as damage, not taken for the end
    records = {one.sequence: one for one in found if isinstance(one, Record)}
    missing = sum(one.lost or 0 for one in found if isinstance(one, LogDamage))
    assert len(records) + missing == max(records)
    assert {n: records[n].body for n in life.bodies} == life.bodies
    seal(life.folder)
    assert [one for one in reader.read(life.folder) if isinstance(one, Record)] == list(
        records.values()
    )


class Tally(NamedTuple):
    """What some seeds went through. `lost` names each seed that broke a promise, and how."""

    seeds: int = 0
    cuts: int = 0
    failed_syncs: int = 0
    acknowledged: int = 0
    lost: tuple[str, ...] = ()

    def plus(self, other: "Tally") -> "Tally":
        return Tally(*(a + b for a, b in zip(self, other, strict=True)))


def survive(seeds: range) -> Tally:
    """Every seed's lives, one after the other."""
    tally, patches = Tally(), Patches()
    with tempfile.TemporaryDirectory(dir=in_memory()) as root:
        folder = Path(root) / f"log-{os.getpid()}"
        for seed in seeds:
            folder.mkdir()
            life = Life(seed, folder)
            broken: tuple[str, ...] = ()
            try:
                for _ in range(LIVES):
                    life.live(patches)
                check(life)
            except Exception as error:
                broken = (f"seed {seed}: {type(error).__name__}: {str(error)[:300]}",)
            for each in (folder, folder.with_name(f"{folder.name}+")):
                shutil.rmtree(each, ignore_errors=True)
            tally = tally.plus(Tally(1, life.cuts, life.eios, len(life.bodies), broken))
    return tally


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.faults.power_cuts")
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    parser.add_argument("--processes", type=int, default=cores())
    given = parser.parse_args(arguments)
    progress, whole = Progress(given.seeds, "seeds"), Tally()
    pieces = [
        range(given.first + piece.start, given.first + piece.stop)
        for piece in cut(given.seeds, max(given.seeds // 50, given.processes))
    ]
    for _, tally in spread(survive, pieces, given.processes):
        progress.add(tally.seeds)
        whole = whole.plus(tally)
        for each in tally.lost:
            say(f"{each}\n  again: {_AGAIN}{each.split()[1][:-1]}")
    print(  # noqa: T201
        f"{whole.seeds:,} seeds in {progress.took_s:,.0f} s: {whole.cuts:,} power cuts,"
        f" {whole.failed_syncs:,} failed syncs, {whole.acknowledged:,} acknowledged,"
        f" {len(whole.lost)} seeds with a loss"
    )
    return 1 if whole.lost else 0


if __name__ == "__main__":
    sys.exit(main())
