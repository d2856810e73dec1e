"""What is appended comes back: every kind, across segments, hours and restarts, by sequence and by time."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.log.log_samples import HOUR_NS, START, record, records, write, writer
from ingest.log.plain_log import bytes_of, plain_log, plain_of

from airpocket.domain.errors import BadInput, LogFailed
from airpocket.domain.units import SECOND_NS, parse_time
from airpocket.ingest import disk
from airpocket.ingest.log import reader
from airpocket.ingest.log.records import KINDS, LARGEST_BODY, Record, packed, public_url, unpacked
from airpocket.ingest.log.segment import LogDamage
from airpocket.ingest.log.settings import LogSettings

NUMBERS = st.integers(-(2**63), 2**63 - 1)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
ANY = st.builds(
    Record, NUMBERS, NAMES, NAMES, st.sampled_from(KINDS), st.binary(max_size=300), NAMES, NUMBERS, NUMBERS
)  # fmt: skip


@given(ANY, st.integers(1, 2**63 - 1))
def test_any_record_has_the_documented_bytes_and_comes_back_from_them(one, sequence):
    data = packed(one, sequence)
    back = unpacked(memoryview(data))
    assert plain_of(back) == plain_of(one)._replace(sequence=sequence)
    assert bytes_of(plain_of(back), 7)[8:] == data


def test_every_kind_comes_back_in_the_order_appended(tmp_path):
    kept = write(tmp_path, records(50))
    assert {one.kind for one in kept} == set(KINDS)
    assert list(reader.read(tmp_path)) == kept
    assert plain_log(tmp_path) == [plain_of(one) for one in kept]


def test_numbers_go_on_over_segments_and_restarts_without_a_gap(tmp_path):
    kept = write(tmp_path, records(40), segment_bytes=600)
    kept += write(tmp_path, records(40, first=41), segment_bytes=600)
    assert [one.sequence for one in kept] == list(range(1, 81))
    assert len(list(tmp_path.glob("*.log"))) > 5
    assert list(reader.read(tmp_path)) == kept
    assert plain_log(tmp_path) == [plain_of(one) for one in kept]


@pytest.mark.fault("C03", "S15")
def test_each_hour_begins_a_segment_and_a_clock_that_steps_back_does_not(tmp_path):
    heard = [START, START + HOUR_NS, START + HOUR_NS - 5, START + HOUR_NS, START + 2 * HOUR_NS]
    write(tmp_path, [record(n, heard=at) for n, at in enumerate(heard)])
    assert len(list(tmp_path.glob("*.log"))) == 3


@pytest.mark.fault("C08")
@pytest.mark.parametrize(
    "edge", ["2026-11-27T00:00Z", "2027-01-01T00:00Z", "2028-02-29T00:00Z", "2028-03-01T00:00Z"]
)
def test_nothing_is_lost_or_doubled_where_an_hour_a_day_a_month_and_a_year_turn(tmp_path, edge):
    from airpocket.ingest.log.seal import seal

    at = parse_time(edge)
    kept = write(tmp_path, [record(n, heard=at + (n - 20) * SECOND_NS) for n in range(1, 41)])
    assert len(list(tmp_path.glob("*.log"))) == 2
    assert list(reader.read(tmp_path)) == kept
    seal(tmp_path)
    assert list(reader.read(tmp_path)) == kept
    assert [one.heard for one in reader.records(tmp_path, since=at)] == [
        at + n * SECOND_NS for n in range(21)
    ]


def test_a_folder_that_is_not_there_holds_no_records(tmp_path):
    assert list(reader.read(tmp_path / "none")) == []
    assert reader.verify(tmp_path / "none").records == 0


@pytest.mark.parametrize("sealing", [False, True])
def test_reading_begins_behind_any_sequence_and_keeps_to_any_span_of_time(tmp_path, sealing):
    from airpocket.ingest.log.seal import seal

    kept = write(tmp_path, records(60), segment_bytes=800)
    if sealing:
        assert len(seal(tmp_path).sealed) > 3
    for after in (0, 1, 17, 59, 60, 99):
        assert list(reader.read(tmp_path, after=after)) == kept[after:]
    since, until = kept[20].heard, kept[33].heard
    assert list(reader.records(tmp_path, since=since, until=until)) == kept[20:33]
    assert list(reader.records(tmp_path, since=since)) == kept[20:]
    assert list(reader.records(tmp_path, after=25, until=until)) == kept[25:33]


def test_verify_counts_what_is_there(tmp_path):
    kept = write(tmp_path, records(30), segment_bytes=800)
    found = reader.verify(tmp_path)
    assert (found.records, found.bytes) == (30, sum(len(one.body) for one in kept))
    assert (found.first_sequence, found.last_sequence) == (1, 30)
    assert (found.first, found.last) == (kept[0].heard, kept[-1].heard)
    assert (found.damages, found.set_aside, found.sealed) == ((), (), 0)
    assert found.segments == len(list(tmp_path.glob("*.log")))


def test_a_follower_sees_each_record_once_while_the_log_grows(tmp_path):
    tmp_path.joinpath("log").mkdir()
    folder, seen = tmp_path / "log", []
    with reader.Follower(folder) as follower, writer(folder, segment_bytes=500) as log:
        assert list(follower.new()) == []
        for first in range(1, 60, 7):
            for one in records(7, first):
                log.append(one)
            log.flush()
            seen += follower.new()
            assert list(follower.new()) == []
    assert [one.sequence for one in seen] == list(range(1, len(seen) + 1))
    assert len(seen) == 63


def test_a_follower_can_begin_in_the_middle(tmp_path):
    kept = write(tmp_path, records(30), segment_bytes=500)
    with reader.Follower(tmp_path, reader.Span(after=12)) as follower:
        assert list(follower.new()) == kept[12:]


def test_a_record_half_written_at_the_time_of_reading_is_no_damage(tmp_path, monkeypatch):
    """Between a reader's looks the other half arrives, and a whole record behind it."""
    write(tmp_path, records(3))
    path = next(tmp_path.glob("*.log"))
    third, fourth = (
        bytes_of(plain_of(record(n))._replace(sequence=n), int(path.stem)) for n in (4, 5)
    )
    with path.open("ab") as file:
        file.write(third[:30])
    look = reader.Scan._at

    def late(scan, offset, most=None):
        found = look(scan, offset, most)
        if found == "it is cut off" and path.stat().st_size < scan.offset + len(third):
            with path.open("ab") as file:
                file.write(third[30:] + fourth)
        return found

    monkeypatch.setattr(reader.Scan, "_at", late)
    with reader.Follower(tmp_path) as follower:
        assert [one.sequence for one in follower.new()] == [1, 2, 3]
        assert [one.sequence for one in follower.new()] == [4, 5]


def test_a_reader_beside_a_busy_writer_never_sees_damage(tmp_path):
    stop = threading.Event()

    def fill():
        number = 0
        while not stop.is_set():
            number += 1
            log.append(record(number)).wait() if number % 20 == 0 else log.append(record(number))

    with writer(tmp_path, segment_bytes=20_000, commit_every_ms=0) as log:
        thread = threading.Thread(target=fill)
        thread.start()
        try:
            for _ in range(20):
                safe = log.acknowledged
                found = list(reader.read(tmp_path))
                assert not [one for one in found if isinstance(one, LogDamage)]
                assert [one.sequence for one in found] == list(range(1, len(found) + 1))
                assert len(found) >= safe
        finally:
            stop.set()
            thread.join()


def test_records_of_many_threads_are_each_kept_once(tmp_path):
    def fill(part):
        for n in range(200):
            log.append(record(1000 * part + n))

    with writer(tmp_path, queue_bytes=2_000) as log:
        threads = [threading.Thread(target=fill, args=(part,)) for part in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    bodies = [one.body for one in reader.records(tmp_path)]
    assert sorted(bodies) == sorted(record(1000 * p + n).body for p in range(4) for n in range(200))


def test_putting_from_one_loop_keeps_the_order_and_bounds_the_memory(tmp_path):
    most = 0

    async def run():
        nonlocal most
        with writer(tmp_path, queue_bytes=5_000) as log:
            for n in range(1_000):
                ticket = await log.put(record(n, body=b"x" * 100))
                most = max(most, log.state.queued_bytes)
            await ticket
            assert ticket.durable
            assert log.acknowledged == 1_000
            assert log.state.commits < 300

    asyncio.run(run())
    assert most <= 5_000
    assert [one.connection_sequence for one in reader.records(tmp_path)] == [
        n // 3 for n in range(1_000)
    ]


def test_a_queue_that_emptied_while_put_looked_does_not_hold_it_up(tmp_path):
    async def run():
        with writer(tmp_path, queue_bytes=2_000) as log:
            log.append(record(1, body=b"x" * 1_900)).wait()
            # as put sees it when the commit ends between its two looks
            await asyncio.wait_for(log.durable(min(log.acknowledged + 1, log.state.appended)), 5)
            log._held = 1_900
            put = asyncio.create_task(log.put(record(2)))
            await asyncio.sleep(0)
            log._held = 0
            await asyncio.wait_for(put, 5)

    asyncio.run(run())


def test_a_full_queue_refuses_where_it_must_not_block(tmp_path, monkeypatch):
    hold = threading.Event()
    monkeypatch.setattr(disk, "write_some", lambda h, v: hold.wait() and WRITE_SOME(h, v))
    with writer(tmp_path, queue_bytes=1_000, when_full="refuse") as log:
        with pytest.raises(LogFailed, match="bytes wait"):
            list(map(log.append, (record(n, body=b"x" * 100) for n in range(1_000))))
        hold.set()
    assert 0 < reader.verify(tmp_path).records < 20


WRITE_SOME = disk.write_some


def test_a_closed_log_takes_nothing_more(tmp_path):
    log = writer(tmp_path)
    log.close()
    with pytest.raises(LogFailed, match="closed"):
        log.append(record(1))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"venue": "x" * 256}, "256 bytes"),
        ({"about": "x" * 70_000}, "65535"),
        ({"heard": 2**63}, "cannot be written"),
        ({"kind": "other"}, "cannot be written"),
        ({"connection": "\ud800"}, "not valid text"),
        ({"body": bytes(LARGEST_BODY + 1)}, "at most"),
    ],
)
def test_a_record_that_cannot_be_represented_is_refused_and_takes_no_number(tmp_path, change, says):
    good = record(1)
    bad = Record(**{name: getattr(good, name) for name in good.__struct_fields__} | change)
    with writer(tmp_path) as log:
        with pytest.raises(BadInput, match=says):
            log.append(bad)
        assert log.append(good).sequence == 1


@pytest.mark.parametrize("wrong", ["commit_every_ms", "reserve_bytes", "queue_bytes"])
def test_settings_without_sense_are_refused(wrong):
    with pytest.raises(BadInput, match="log settings"):
        LogSettings(**{wrong: -1})


def test_an_address_is_logged_without_its_secrets():
    url = "wss://me:pass@host.example:9443/ws?symbol=ETHUSDT&listenKey=abc&limit=5#frag"
    shown = public_url(url, keep={"symbol", "limit"})
    assert shown == "wss://host.example:9443/ws?symbol=ETHUSDT&listenKey=***&limit=5"
