"""What the store and the disk may do to a recording: say so, wait, seal beside it; never end it."""

import asyncio
import errno
import os
from types import SimpleNamespace

import pytest
from ingest.lake_samples import bars, trades
from live.fake_venue import FakeVenue
from live.test_recording import FAST, REST, record, steady

from airpocket.domain.errors import LogFailed, StoreError
from airpocket.ingest import disk, space
from airpocket.ingest.lake import Lake, Table
from airpocket.ingest.log import reader
from airpocket.ingest.log.segment import segments_in
from airpocket.ingest.log.settings import LogSettings
from airpocket.ingest.world import SystemClock
from airpocket.live import health_file
from airpocket.live import keeper as keeper_module
from airpocket.live.feeds import feeds_of
from airpocket.live.keeper import FactKeeper
from airpocket.live.session import RAW, Session, SessionSettings


def session_at(tmp_path, gate, **settings):
    feeds = feeds_of(["ETH"], ["binance_usdm"])
    made = SessionSettings(gate=gate, recorder=FAST, **settings)
    return Session(tmp_path, ("ETH",), feeds, SystemClock(), made)


def run(tmp_path, each=None, **settings):
    """Record for a while, `each` called each second → the finished session."""

    async def go():
        async with FakeVenue(steady, REST) as venue:
            session = session_at(tmp_path, venue.gate, **settings)
            await session.run(each)
            return session

    return asyncio.run(go())


@pytest.mark.fault("S05")
def test_a_store_that_takes_nothing_for_a_while_costs_no_row_and_ends_nothing(tmp_path):
    """Another process holds the store for the first seconds, as an import does."""
    (tmp_path / "lake").mkdir(parents=True)
    lock = disk.take_lock(tmp_path / "lake", task="importing")
    told = []

    def each(session):
        told.extend(session.health().alarms)
        if len(told) and any("rows wait" in each for each in told):
            lock.let_go()

    session = run(tmp_path, each, for_s=4.0, flush_s=0.5, health_s=0.5)
    assert any("rows wait" in each and "stop it first" in each for each in told)
    assert session.keeper.waiting == session.keeper.dropped == 0
    assert session.rows_kept > 0
    assert any(series.kind == "channel_state" for series in Lake(tmp_path).series())


@pytest.mark.fault("S05")
def test_a_store_that_never_takes_rows_is_told_at_the_end_and_the_frames_are_safe(
    tmp_path, monkeypatch
):
    (tmp_path / "lake").mkdir(parents=True)
    monkeypatch.setattr("airpocket.live.session._LAST_TRIES_S", (0.0,))
    with (
        disk.locked(tmp_path / "lake"),
        pytest.raises(StoreError, match=r"rows wait.*frames are safe"),
    ):
        run(tmp_path, for_s=1.5, flush_s=0.5)
    assert len(list(reader.records(tmp_path / RAW))) > 50
    assert health_file.read(tmp_path) is not None


@pytest.mark.fault("S06")
def test_the_disk_s_failure_is_what_the_user_reads_whatever_fails_after_it(tmp_path, monkeypatch):
    """The log's sync fails first; then the store and the health file fail too."""

    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    def each(session):
        monkeypatch.setattr(disk, "sync", fail)
        monkeypatch.setattr(disk, "sync_folder", fail)
        monkeypatch.setattr(
            health_file, "write", lambda *_: (_ for _ in ()).throw(StoreError("no"))
        )

    monkeypatch.setattr("airpocket.live.session._LAST_TRIES_S", (0.0,))
    with pytest.raises(LogFailed, match="Input/output error"):
        run(tmp_path, each, for_s=20.0, flush_s=0.5)


def test_closed_segments_are_sealed_beside_the_recording(tmp_path):
    small = LogSettings(segment_bytes=16_384, reserve_bytes=0)
    session = run(tmp_path, for_s=3.0, log=small, seal_s=0.2)
    sealed = list((tmp_path / RAW / "sealed").glob("*.parquet"))
    assert session.sealer.sealed == len(sealed) > 1
    assert not session.sealer.trouble
    found = reader.verify(tmp_path / RAW)
    assert not found.damages
    assert (found.first_sequence, found.last_sequence) == (1, found.records)
    assert len(segments_in(tmp_path / RAW)) < len(sealed)


@pytest.mark.fault("S20")
def test_the_next_start_ends_the_states_that_a_recording_left(tmp_path):
    record(tmp_path, FakeVenue(steady, REST), for_s=1.5)
    last = max(each.heard for each in reader.records(tmp_path / RAW))
    begun = SystemClock().now()
    record(tmp_path, FakeVenue(steady, REST), for_s=1.5)
    states = Lake(tmp_path).read_batch("channel_state", "binance_usdm", "ETHUSDT")
    rows = [
        (int(ts), int(usable), str(channel), str(state), str(reason))
        for ts, usable, channel, state, reason in zip(
            states.ints("ts"), states.ints("usable_from"), states.texts("channel"),
            states.texts("state"), states.texts("reason"), strict=True,
        )
    ]  # fmt: skip
    ended = [row for row in rows if row[4] == "the recording ended"]
    before = {row[2]: row[3] for row in rows if row[0] <= begun and row not in ended}
    up = {channel for channel, state in before.items() if state != "down"}
    assert up == {row[2] for row in ended} != set()
    assert all(state == "down" for *_, state, _ in ended)
    assert all(last - 10**9 < ts < begun + 10**6 <= usable + 10**6 for ts, usable, *_ in ended)


@pytest.mark.fault("S05", "S17")
@pytest.mark.parametrize(
    ("free", "files", "says", "short"),
    [(50, 50, (), False), (19, 90, ("less than 20% free",), False), (9, 90, ("less than 10% free",), False),
     (4, 90, ("less than 5% free",), True), (60, 3, ("less than 5% of its files",), True),
     (60, 15, ("less than 20% of its files",), False)],
)  # fmt: skip
def test_a_disk_that_fills_up_is_told_at_a_fifth_a_tenth_and_a_twentieth(
    tmp_path, monkeypatch, free, files, says, short
):
    """50 blocks in a thousand belong to the system: they are neither used nor free."""
    disk_of = SimpleNamespace(
        f_blocks=1_050_000, f_bfree=free * 10_000 + 50_000, f_bavail=free * 10_000, f_frsize=1 << 20,
        f_files=100, f_favail=files,
    )  # fmt: skip
    monkeypatch.setattr(os, "statvfs", lambda _: disk_of)
    room = space.room_at(tmp_path)
    assert len(room.notes()) == len(says)
    assert all(part in note for part, note in zip(says, room.notes(), strict=True))
    assert room.is_short == short
    assert room.free_bytes == free * 10_000 << 20


@pytest.mark.fault("S05")
def test_the_health_of_a_recording_says_that_its_reserve_is_gone(tmp_path, monkeypatch):
    """A disk without room for the reserve at the start."""
    monkeypatch.setattr(disk, "set_aside", lambda *_: False)
    session = run(tmp_path, for_s=1.2, log=LogSettings(reserve_bytes=1_000))
    health = health_file.read(tmp_path)
    assert health is not None
    assert health.reserve_used
    assert any("reserve is used up" in each for each in session.alarms)


def test_a_table_that_may_not_enter_keeps_no_other_out(tmp_path):
    keeper = FactKeeper(tmp_path)
    bad = bars(3)
    bad = Table(bad.kind, bad.venue, bad.symbol, bad.frame.with_columns(open=-1.0))
    assert keeper.write([bars(4, symbol="ETHUSDT"), bad, trades(5)]) == 9
    assert keeper.dropped == 3
    assert "3 rows were dropped" in keeper.trouble
    assert "not positive" in keeper.trouble
    assert keeper.waiting == 0


@pytest.mark.fault("S05")
def test_what_waits_for_the_store_is_bounded_and_the_oldest_goes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(keeper_module, "_MOST_ROWS", 10)
    keeper = FactKeeper(tmp_path)
    disk.make_folder(tmp_path / "lake")
    with disk.locked(tmp_path / "lake"):
        for symbol in ("AUSDT", "BUSDT", "CUSDT", "DUSDT"):
            assert keeper.write([*keeper.take(), bars(4, symbol=symbol)]) == 0
    assert (keeper.waiting, keeper.dropped) == (8, 8)
    assert keeper.write(keeper.take()) == 8
    assert [series.symbol for series in Lake(tmp_path).series()] == ["CUSDT", "DUSDT"]
