"""Power cuts on a simulated disk: whatever it loses, tears or reorders, no acknowledged record is lost."""

import random
import shutil
from contextlib import suppress

import pytest
from ingest.log.plain_log import plain_log
from ingest.sim_disk import PowerCut, SimDisk, folder_at

from airpocket.domain.errors import AirpocketError, LogFailed
from airpocket.ingest.log import reader
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.seal import seal
from airpocket.ingest.log.segment import LogDamage
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.log.writer import LogWriter

LIVES = 3


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

    def live(self, monkeypatch):
        rng = self.rng
        sim = SimDisk(
            self.folder, rng, cut_after=rng.randint(0, 120), eio=rng.choice((0.0, 0.0, 0.05))
        )
        with monkeypatch.context() as patch:
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


@pytest.mark.fault("S01", "S02", "S03", "S06", "S18")
@pytest.mark.parametrize("seeds", [200, pytest.param(10_000, marks=pytest.mark.slow)])
def test_no_acknowledged_record_is_lost_by_power_cuts(tmp_path, monkeypatch, told, seeds):
    acknowledged = cuts = eios = 0
    for seed in range(seeds):
        folder = folder_at(tmp_path, "log")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        life = Life(seed, folder)
        try:
            for _ in range(LIVES):
                life.live(monkeypatch)
            check(life)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(folder.with_name(f"{folder.name}+"), ignore_errors=True)
        acknowledged += len(life.bodies)
        cuts, eios = cuts + life.cuts, eios + life.eios
    told(f"{seeds} seeds, {cuts} cuts, {eios} failed syncs, {acknowledged} acknowledged, 0 lost")
    assert acknowledged > 5 * seeds
    assert eios > seeds / 10
