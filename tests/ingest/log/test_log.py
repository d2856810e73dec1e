"""The raw log: what was acknowledged is there whatever happens, and every other byte is accounted for."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest.log.killed_writer import body_of
from msgspec.structs import replace

from airpocket.domain.errors import BadInput, LogFailed, StoreBusy, StoreDamaged
from airpocket.ingest import disk
from airpocket.ingest.log import reader, stop
from airpocket.ingest.log.records import KINDS, LARGEST_BODY, Record, public_url
from airpocket.ingest.log.seal import seal
from airpocket.ingest.log.segment import LogDamage, create, path_of, segments_in
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.log.writer import LogWriter
from airpocket.ingest.world import SystemClock
from tests.faults.kills import kill_writers

CLOCK = SystemClock()
SMALL = LogSettings(segment_bytes=4_096, commit_every_ms=0.0, reserve_bytes=0)
ONE = LogSettings(commit_every_ms=0.0, reserve_bytes=0)
HOUR = 3_600 * 10**9
CHILD = Path(__file__).with_name("killed_writer.py")


def record(number, size=50, kind="text"):
    return Record(
        1_800_000_000 * 10**9 + number, "binance_usdm", "public#1", kind, body_of(number)[:size].ljust(size, b"."),
        "wss://x/stream" if number % 3 == 0 else "", number, 10 + number,
    )  # fmt: skip


def written(folder, count, settings=ONE):
    with LogWriter(folder, CLOCK, settings) as log:
        for number in range(count):
            log.append(record(number))
        log.flush()
    return list(reader.records(folder))


def test_every_kind_comes_back_as_it_was(tmp_path):
    given = [Record(5, "v", "c#1", kind, bytes(range(256)), "an address ✓", 7, 9) for kind in KINDS]
    with LogWriter(tmp_path, CLOCK, ONE) as log:
        for each in given:
            log.append(each)
    back = list(reader.records(tmp_path))
    assert [r.sequence for r in back] == list(range(1, len(given) + 1))
    assert [replace(r, sequence=0) for r in back] == given


def test_what_can_not_be_kept_is_refused_and_the_log_goes_on(tmp_path):
    with LogWriter(tmp_path, CLOCK, ONE) as log:
        for bad in (
            Record(1, "v" * 256, "c", "text", b""), Record(1, "v", "c", "text", bytes(LARGEST_BODY + 1)),
            Record(2**63, "v", "c", "text", b""), Record(1, "v", "c", "novelty", b""),  # type: ignore[arg-type]
        ):  # fmt: skip
            with pytest.raises(BadInput):
                log.append(bad)
        log.append(record(1)).wait()
    assert len(list(reader.records(tmp_path))) == 1


def test_segments_turn_by_size_and_by_the_hour_and_numbers_go_on(tmp_path):
    with LogWriter(tmp_path, CLOCK, SMALL) as log:
        for number in range(200):
            log.append(record(number)).wait()
        log.append(Record(1_800_000_000 * 10**9 + HOUR, "v", "c", "text", b"later")).wait()
    assert len(segments_in(tmp_path)) > 3
    with LogWriter(tmp_path, CLOCK, SMALL) as log:
        assert log.append(record(0)).sequence == 202
    assert [r.sequence for r in reader.records(tmp_path)] == list(range(1, 203))
    assert [r.sequence for r in reader.records(tmp_path, after=150)] == list(range(151, 203))


@pytest.mark.fault("S12")
def test_two_writers_do_not_meet(tmp_path):
    with LogWriter(tmp_path, CLOCK, ONE), pytest.raises(StoreBusy, match=str(os.getpid())):
        LogWriter(tmp_path, CLOCK, ONE)


@pytest.mark.fault("S01")
def test_an_unfinished_end_is_set_aside_and_noted(tmp_path):
    written(tmp_path, 20)
    (path,) = segments_in(tmp_path).values()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 11)
    with LogWriter(tmp_path, CLOCK, ONE) as log:
        assert log.repaired.torn_bytes > 0
        log.append(record(99)).wait()
    found = list(reader.records(tmp_path))
    assert [r.kind for r in found] == ["text"] * 19 + ["marker", "text"]
    assert reader.verify(tmp_path).damages == ()
    assert len(list(tmp_path.glob("*.torn"))) == 1


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 10_000), st.integers(1, 255), st.integers(0, 3))
@pytest.mark.fault("S04")
def test_a_changed_byte_costs_the_record_it_lies_in_and_no_other(tmp_path_factory, at, flip, more):
    folder = tmp_path_factory.mktemp("log")
    before = written(folder, 30)
    (path,) = segments_in(folder).values()
    data = bytearray(path.read_bytes())
    for k in range(more + 1):
        data[(at + k) % len(data)] ^= flip
    path.write_bytes(data)
    found = list(reader.read(folder))
    kept = [r for r in found if isinstance(r, Record)]
    assert all(r in before for r in kept)  # never a wrong record
    assert len(kept) >= len(before) - 2
    damages = [d for d in found if isinstance(d, LogDamage)]
    last_lost = kept[-1] != before[-1]
    assert damages or last_lost or len(kept) == len(before)


@pytest.mark.fault("S05")
def test_a_full_disk_stops_the_log_and_what_was_acknowledged_stays(tmp_path, monkeypatch):
    """S05: short writes first, then no room."""
    room = {"bytes": 3_000}

    def write_some(handle, view):
        if room["bytes"] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = min(len(view), 700, room["bytes"])
        room["bytes"] -= count
        return os.write(handle, view[:count])

    monkeypatch.setattr(disk, "write_some", write_some)
    log = LogWriter(tmp_path, CLOCK, ONE)

    def fill():
        for number in range(1_000):
            ticket = log.append(record(number))
            ticket.wait()
            yield ticket.sequence

    with pytest.raises(LogFailed, match="No space left"):
        list(fill())
    acknowledged = log.acknowledged
    with pytest.raises(LogFailed):
        log.append(record(0))
    with pytest.raises(LogFailed):
        log.close()
    assert acknowledged > 10
    word = stop.read(tmp_path)
    assert word is not None
    assert word.acknowledged == acknowledged
    assert "No space left" in word.reason
    assert [r.sequence for r in reader.records(tmp_path)][:acknowledged] == list(
        range(1, acknowledged + 1)
    )


@pytest.mark.fault("S06")
def test_a_failing_sync_is_final(tmp_path, monkeypatch):
    """S06: never tried again and believed."""
    log = LogWriter(tmp_path, CLOCK, ONE)
    log.append(record(1)).wait()

    def fail(handle):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(disk, "sync", fail)
    with pytest.raises(LogFailed, match="Input/output error"):
        log.append(record(2)).wait()
    with pytest.raises(LogFailed):
        log.append(record(3))
    with pytest.raises(LogFailed):
        log.close()


def test_a_full_queue_refuses_where_it_may_not_wait(tmp_path, monkeypatch):
    slow = LogSettings(
        queue_bytes=2_000, when_full="refuse", commit_every_ms=10_000.0, reserve_bytes=0
    )
    with LogWriter(tmp_path, CLOCK, slow) as log:
        log.append(record(0)).wait()  # the first commit is at once
        with pytest.raises(LogFailed, match="nothing more is taken"):
            list(map(log.append, map(record, range(100))))
        log.flush()


@pytest.mark.parametrize("rounds", [20, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.fault("S01")
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(rounds):
    """S01: killed at random moments, again and again, in one folder."""
    done = kill_writers(range(rounds))
    assert done.broken == ()
    assert done.lost == 0
    assert done.acknowledged > rounds


def test_sealed_segments_read_as_before_and_sealing_again_changes_nothing(tmp_path):
    before = written(tmp_path, 200, SMALL)
    report = seal(tmp_path)
    assert len(report.sealed) > 2
    assert not report.left
    assert list(reader.records(tmp_path)) == before
    assert seal(tmp_path).sealed == ()
    with LogWriter(tmp_path, CLOCK, SMALL) as log:
        assert log.append(record(0)).sequence == 201


@pytest.mark.fault("S04")
@pytest.mark.parametrize("at", [80, 300])
def test_of_a_damaged_segment_the_rest_is_sealed_and_the_damage_stays_told(tmp_path, at):
    """A torn block inside a batch, with whole records behind it: no byte of it is thrown away."""
    before = written(tmp_path, 200, SMALL)
    path = segments_in(tmp_path)[2]
    data = bytearray(path.read_bytes())
    data[at] ^= 1  # in the first record, or further on
    path.write_bytes(data)
    found = list(reader.read(tmp_path))
    report = seal(tmp_path)
    after = list(reader.read(tmp_path))
    assert not report.left
    assert not segments_in(tmp_path)
    assert [r for r in after if isinstance(r, Record)] == [
        r for r in found if isinstance(r, Record)
    ]
    (was,), (is_,) = ([d for d in each if isinstance(d, LogDamage)] for each in (found, after))
    assert (is_.offset, is_.bytes, is_.lost) == (was.offset, was.bytes, was.lost) != (0, 0, 0)
    assert after.index(is_) == found.index(was)
    aside = tmp_path / "sealed" / "0000000002.damaged"
    assert aside.read_bytes() == bytes(data[was.offset : was.offset + was.bytes])
    assert len(before) == len(after) - 1 + was.lost


@pytest.mark.fault("S20")
def test_sealing_after_a_crash_leaves_the_crash_to_be_noticed(tmp_path):
    log = LogWriter(tmp_path, CLOCK, ONE)
    log.append(record(1, kind="connect")).wait()
    log._folder_lock.let_go(well=False)  # as the kernel does for a process that is killed
    assert seal(tmp_path).sealed
    with LogWriter(tmp_path, CLOCK, ONE) as again:
        assert again.broken_off


@pytest.mark.fault("S01")
def test_an_unfinished_end_waits_for_the_start_that_sets_it_aside(tmp_path):
    written(tmp_path, 20)
    (path,) = segments_in(tmp_path).values()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 11)
    assert [left.partition(":")[0] for left in seal(tmp_path).left] == [str(path)]
    written(tmp_path, 1)
    assert not seal(tmp_path).left
    assert not segments_in(tmp_path)
    assert not reader.verify(tmp_path).damages


@pytest.mark.fault("S04")
def test_a_changed_sealed_file_is_named(tmp_path):
    written(tmp_path, 200, SMALL)
    seal(tmp_path)
    file = next((tmp_path / "sealed").glob("*.parquet"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    damages = reader.verify(tmp_path).damages
    assert [d.path.name for d in damages] == [file.name]
    manifest = tmp_path / "sealed" / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes().replace(b'"records":', b'"records" :', 1))
    with pytest.raises(StoreDamaged):
        list(reader.read(tmp_path))


class Stopped(Exception):
    """The process ends here."""


@pytest.mark.fault("S02", "S03")
def test_sealing_stopped_at_any_step_loses_nothing(tmp_path_factory, monkeypatch):
    """S02: at every durable step, then sealed again."""
    for stop_at in range(1, 200):
        folder = tmp_path_factory.mktemp("seal")
        before = written(folder, 60, SMALL)
        steps = {"left": stop_at}

        def step(name, steps=steps):
            steps["left"] -= 1
            if steps["left"] == 0:
                raise Stopped(name)

        monkeypatch.setattr(disk, "step", step)
        try:
            seal(folder)
            stopped = False
        except Stopped:
            stopped = True
        monkeypatch.setattr(disk, "step", lambda name: None)
        assert list(reader.records(folder)) == before
        seal(folder)
        assert list(reader.records(folder)) == before
        assert not segments_in(folder) or stop_at > 1
        if not stopped:
            assert stop_at > 5
            return
    pytest.fail("sealing takes more steps than were tried")


def test_only_harmless_parts_of_an_address_are_kept():
    url = "https://user:pass@host:1/path?symbol=ETHUSDT&signature=abc#frag"
    assert public_url(url, {"symbol"}) == "https://host:1/path?symbol=ETHUSDT&signature=***"


@pytest.mark.fault("S08")
def test_a_folder_deleted_under_a_running_log_stops_it(tmp_path):
    """An open file without a name takes every byte and keeps none for anybody."""
    log = LogWriter(tmp_path / "raw", CLOCK, ONE)
    log.append(record(1)).wait()
    shutil.rmtree(tmp_path / "raw")
    with pytest.raises(LogFailed, match="deleted while it was being written"):
        log.append(record(2)).wait()
    with pytest.raises(LogFailed):
        log.close()
    assert log.acknowledged == 1


@pytest.mark.fault("S19")
@pytest.mark.parametrize(
    "other",
    [
        "an earlier block of the file",
        "the block of another segment",
        "the block of a later segment",
    ],
)
def test_a_block_that_belongs_elsewhere_is_never_read_as_a_record(tmp_path, other):
    before = written(
        tmp_path, 400, LogSettings(commit_every_ms=0.0, segment_bytes=16_384, reserve_bytes=0)
    )
    paths = list(segments_in(tmp_path).values())
    data = bytearray(paths[1].read_bytes())
    of = {"an earlier block of the file": 1, "the block of another segment": 0}.get(other, 2)
    source = paths[of].read_bytes()
    at = 4_096 if other.startswith("an earlier") else 8_192
    data[8_192 : 8_192 + 4_096] = source[at : at + 4_096]
    paths[1].write_bytes(data)
    found = list(reader.read(tmp_path))
    assert all(one in before for one in found if isinstance(one, Record))
    sequences = [one.sequence for one in found if isinstance(one, Record)]
    assert sequences == sorted(set(sequences))
    assert sum(one.lost for one in found if isinstance(one, LogDamage)) > 10
    assert [one.path for one in found if isinstance(one, LogDamage)] == [paths[1]]


@pytest.mark.fault("S19")
def test_a_stale_block_with_the_very_numbers_expected_is_not_read(tmp_path):
    """Records lost unacknowledged, their numbers given again, and the disk returns an old block."""

    def life(folder, numbers):
        with LogWriter(folder, CLOCK, ONE) as log:
            for number in numbers:
                log.append(record(number))
        return list(reader.records(folder))

    life(tmp_path / "lost", range(1_000, 1_400))
    disk.make_folder(tmp_path / "log")
    os.close(create(tmp_path / "log", 1, 1, CLOCK)[1])  # all that was durable of the life before
    before = life(tmp_path / "log", range(2_000, 2_400))
    stale, path = path_of(tmp_path / "lost", 1), path_of(tmp_path / "log", 2)
    data = bytearray(path.read_bytes())
    data[8_192:12_288] = stale.read_bytes()[8_192:12_288]
    path.write_bytes(data)
    found = list(reader.read(tmp_path / "log"))
    assert all(one in before for one in found if isinstance(one, Record))
    assert sum(one.lost for one in found if isinstance(one, LogDamage)) > 10


@pytest.mark.fault("S20")
def test_a_start_after_a_kill_notes_that_open_connections_ended(tmp_path):
    """Even when the kill left no half record behind."""
    log = LogWriter(tmp_path, CLOCK, ONE)
    log.append(record(1, kind="connect")).wait()
    log._folder_lock.let_go(well=False)  # as the kernel does for a process that is killed
    with LogWriter(tmp_path, CLOCK, ONE) as again:
        assert again.broken_off
        again.flush()
    assert [r.kind for r in reader.records(tmp_path)] == ["connect", "marker"]
    with LogWriter(tmp_path, CLOCK, ONE) as third:
        assert not third.broken_off
