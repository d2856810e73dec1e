"""The raw log under what disks, versions and other processes do to it: rot, slowness, a second writer, kills."""

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from ingest.lake_samples import bars, trades
from ingest.log.log_samples import record, records, write, writer
from msgspec.structs import replace

from airpocket.domain.errors import StoreBusy, StoreDamaged, StoreError
from airpocket.ingest import disk
from airpocket.ingest.lake import Lake
from airpocket.ingest.log import reader, seal, sealed, segment
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.segment import LogDamage, segments_in
from tests.faults.kills import kill_sealers

CHILD = Path(__file__).with_name("killed_writer.py")


@pytest.mark.fault("S12")
def test_a_second_process_is_told_who_writes_the_log(tmp_path):
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it writes now
        held = f"process {child.pid} on {os.uname().nodename}, boot {disk.boot_id()[:8]}"
        with pytest.raises(StoreBusy, match=f"{held} is writing this log; stop it first"):
            writer(tmp_path)
        child.kill()
        child.stdout.close()
    writer(tmp_path).close()  # the kernel gave the lock back


@pytest.mark.fault("S14")
@pytest.mark.parametrize("part", ["segment", "manifest"])
def test_what_a_newer_version_wrote_is_refused_and_left_as_it_is(tmp_path, monkeypatch, part):
    with monkeypatch.context() as newer:
        newer.setattr(segment if part == "segment" else sealed, "FORMAT", 2)
        write(tmp_path, records(50))
        if part == "manifest":
            seal.seal(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("0*")}
    for attempt in (
        lambda: list(reader.read(tmp_path)), lambda: reader.verify(tmp_path),
        lambda: seal.seal(tmp_path), lambda: writer(tmp_path),
    ):  # fmt: skip
        with pytest.raises(StoreError, match="format 2 is newer than this airpocket knows"):
            attempt()
    assert {path: path.read_bytes() for path in tmp_path.rglob("0*")} == before


@pytest.mark.fault("S14")
def test_a_field_that_this_version_does_not_know_is_passed_over(tmp_path, monkeypatch):
    class Later(sealed.SealedEntry, frozen=True, kw_only=True):
        novelty: int = 7

    given = write(tmp_path, records(50))
    seal.seal(tmp_path)
    fields = sealed.SealedEntry.__struct_fields__
    later = [
        Later(**{name: getattr(e, name) for name in fields}) for e in sealed.load(tmp_path).values()
    ]
    sealed.commit(tmp_path, later)
    assert list(reader.read(tmp_path)) == given


@pytest.mark.fault("S04")
def test_a_rotten_sealed_file_leaves_a_gap_and_the_rest_readable(tmp_path):
    given = write(tmp_path, records(300), segment_bytes=4_096)
    seal.seal(tmp_path)
    entry = list(sealed.load(tmp_path).values())[1]
    path = tmp_path / entry.path
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)
    found = list(reader.read(tmp_path))
    (damage,) = [each for each in found if isinstance(each, LogDamage)]
    assert (damage.path, damage.lost) == (path, entry.records)
    gone = range(entry.first_sequence, entry.last_sequence + 1)
    assert [each for each in found if isinstance(each, Record)] == [
        each for each in given if each.sequence not in gone
    ]


@pytest.mark.fault("S07")
def test_a_slow_disk_is_waited_for_with_bounded_memory_and_nothing_is_shed(tmp_path, monkeypatch):
    """Back-pressure: who appends waits without holding up the loop; each sync takes long."""
    sync, most, turns = disk.sync, 20_000, 0

    def slow(handle):
        time.sleep(0.05)
        sync(handle)

    monkeypatch.setattr(disk, "sync", slow)

    async def run():
        nonlocal turns
        held = []
        with writer(tmp_path, queue_bytes=most) as log:
            feeding = asyncio.create_task(feed(log, held))
            while not feeding.done():
                await asyncio.sleep(0)
                turns += 1
            await feeding
        return held

    async def feed(log, held):
        for number in range(300):
            await log.put(record(number, body=bytes(1_000)))
            held.append(log.state.queued_bytes)

    held = asyncio.run(run())
    assert max(held) <= most
    assert turns > 300  # others had their turn while it waited
    assert len(list(reader.records(tmp_path))) == 300


READ = """
import sys
from pathlib import Path
from airpocket.ingest.log import reader
gather = list if sys.argv[2] == "all" else lambda found: [1 for _ in found]
count = len(gather(reader.records(Path(sys.argv[1]))))
status = Path("/proc/self/status").read_text()
print(count, status.partition("VmHWM:")[2].split()[0])
"""


def peak_mb(folder, how):
    """The most memory that a process of its own had in use while it read the log, and what it counted."""
    words = [sys.executable, "-c", READ, str(folder), how]
    count, kb = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    return int(count), int(kb) / 1024


@pytest.mark.fault("S13")
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
@pytest.mark.parametrize("sealing", [False, True])
def test_a_backlog_is_read_in_the_memory_of_one_segment(tmp_path, told, sealing):
    """Eight times the log, the same peak; a reader that gathers all is told apart."""
    rng, peaks = random.Random(3), {}
    for size in (8, 64):
        folder = tmp_path / str(size)
        given = [record(number, body=rng.randbytes(4_096)) for number in range(size * 256)]
        write(folder, given, segment_bytes=4 * 1024 * 1024)
        if sealing:
            seal.seal(folder)
        count, peaks[size] = peak_mb(folder, "one by one")
        assert count == len(given)
    _, gathered = peak_mb(tmp_path / "64", "all")
    told(f"sealed {sealing}: peak in MB by MB of log {peaks}, all gathered {gathered:.0f}")
    assert peaks[64] - peaks[8] < 24
    assert gathered - peaks[8] > 40


def spoilt(rng, path):
    """Flip a bit or cut a file short; returns what undoes it."""
    whole = path.read_bytes()
    if rng.random() < 0.8:
        bit = rng.randrange(len(whole) * 8)
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
    else:
        data = whole[: rng.randrange(len(whole))]
    path.write_bytes(data)
    return lambda: path.write_bytes(whole)


def ends_of_records(path):
    """Where a file may be cut without a trace: every end of a record, and of the header."""
    scan, ends = segment.Scan(path), {segment.HEADER_SIZE}
    for _ in scan.items():
        ends.add(scan.offset)
    scan.close()
    return ends


@pytest.mark.fault("S04")
@pytest.mark.parametrize("trials", [400, pytest.param(10_000, marks=pytest.mark.slow)])
def test_every_flipped_bit_and_every_cut_is_found_before_data_are_used(tmp_path, told, trials):
    """Over open segments, sealed files, both manifests and the store's files.

    One cut leaves no trace and is not tried: of the newest segment, exactly behind a record.
    """
    rng = random.Random(7)
    raw = tmp_path / "raw"
    given = write(raw, records(150), segment_bytes=4_096)
    seal.seal(raw)
    first = given[-1].sequence
    given += [replace(r, sequence=first + k) for k, r in enumerate(records(150, 151), 1)]
    write(raw, records(150, 151), segment_bytes=4_096)
    Lake(tmp_path).write([bars(4), trades(4)])
    segments = segments_in(raw)
    newest = max(segments.values())
    ends = ends_of_records(newest)
    files = sorted(
        p for p in tmp_path.rglob("*") if p.is_file() and p.suffix in (".log", ".parquet", ".jsonl")
    )
    missed, tried = [], 0
    while tried < trials:
        path = rng.choice(files)
        undo = spoilt(rng, path)
        if path == newest and path.stat().st_size in ends and path.stat().st_size < max(ends):
            undo()
            continue
        tried += 1
        if not (found_in_log(raw, given) if raw in path.parents else found_in_store(tmp_path)):
            missed.append(path)
        undo()
    assert list(reader.read(raw)) == given
    told(f"{tried - len(missed)}/{tried} found, in {len(files)} files")
    assert missed == []


def found_in_log(raw, given):
    try:
        found = list(reader.read(raw))
    except (StoreDamaged, StoreError):
        return True
    held = {each.sequence: each for each in given}
    assert all(each == held[each.sequence] for each in found if isinstance(each, Record))
    return any(isinstance(each, LogDamage) for each in found)


def found_in_store(root):
    lake = Lake(root)
    try:
        for series in lake.series():
            lake.read(series.kind, series.venue, series.symbol)
    except (StoreDamaged, StoreError):
        return bool(lake.verify())
    return False


@pytest.mark.fault("S09")
def test_who_reads_beside_writer_and_sealer_misses_nothing(tmp_path, told):
    """Every reading is the log up to some record, whole, and without a word of damage."""
    ended, wrong, readings = threading.Event(), [], []

    def read():
        while not ended.is_set():
            found = list(reader.read(tmp_path))
            if [getattr(each, "sequence", None) for each in found] != list(
                range(1, len(found) + 1)
            ):
                wrong.append([each for each in found if isinstance(each, LogDamage)])
            readings.append(len(found))

    def seal_on():
        while not ended.is_set():
            seal.seal(tmp_path, most=1)

    threads = [threading.Thread(target=each) for each in (read, read, seal_on)]
    with writer(tmp_path, segment_bytes=8_192) as log:
        for thread in threads:
            thread.start()
        rounds = 0  # until the sealer, which has its own pace, has done enough
        while rounds < 100 or (rounds < 3_000 and len(sealed.load(tmp_path)) < 4):
            for number in range(20 * rounds, 20 * rounds + 20):
                log.append(record(number))
            log.flush()
            rounds += 1
        ended.set()
        for thread in threads:
            thread.join()
    told(f"{len(readings)} readings beside {len(sealed.load(tmp_path))} sealings")
    assert wrong == []
    assert len(sealed.load(tmp_path)) > 3
    assert len(readings) > 3


@pytest.mark.fault("S09")
def test_the_first_sealing_beside_a_reader_is_no_damage(tmp_path, monkeypatch):
    """The manifest is written, and the segment goes, after the reader found no manifest."""
    given = write(tmp_path, records(20))
    orphans_in = sealed.orphans_in

    def sealed_meanwhile(folder, listed):
        monkeypatch.setattr(sealed, "orphans_in", orphans_in)
        seal.seal(folder)
        return orphans_in(folder, listed)

    monkeypatch.setattr(sealed, "orphans_in", sealed_meanwhile)
    assert list(reader.read(tmp_path)) == given


@pytest.mark.fault("S01", "S02")
@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_a_sealer_that_is_killed_loses_and_doubles_nothing(told, kills):
    done = kill_sealers(range(kills))
    told(f"{kills} kills, {done.in_the_middle} with segments left, {done.records} records")
    assert done.broken == ()
    assert done.in_the_middle > 0  # the test tests something
