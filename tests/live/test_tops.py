"""The top of a recorded book after every change: as single changes give it, and as the venue itself says."""

import numpy as np
import polars as pl
import pytest
from ingest.venues.frames import stamped
from live.fake_venue import FakeVenue
from live.test_recording import REST, record, steady

from airpocket.delivery.cli import main
from airpocket.domain.errors import NothingKnown
from airpocket.domain.wire import BookChange
from airpocket.ingest.log.records import Record
from airpocket.ingest.venues.registry import VENUES
from airpocket.live import tops
from airpocket.live.session import RAW
from airpocket.market.books.book import Book

ADDRESS = "https://example/depth?symbol=ETHUSDT"


def recorded(shared, market):
    path = shared / f"wire/hftbacktest/{market}/ethusdt_20240808.gz"
    return [
        (heard, frame) for heard, frame in stamped(path)
        if b"depthUpdate" in frame[:160] or b"lastUpdateId" in frame[:40]
    ]  # fmt: skip


@pytest.mark.real
@pytest.mark.parametrize("at_once", [7, 256])
@pytest.mark.parametrize("market", ["usdm", "spot"])
def test_a_recorded_hour_in_bulk_gives_the_tops_of_single_changes(
    shared, monkeypatch, market, at_once
):
    monkeypatch.setattr(tops, "AT_ONCE", at_once)
    venue, told = VENUES[f"binance_{market}"], recorded(shared, market)
    single, expected = Book(venue.name, "ETHUSDT"), []
    for heard, frame in told:
        for event in venue.decode(frame, heard, ADDRESS):
            before = single.applied
            assert isinstance(event, BookChange)
            single.apply(event)
            if single.applied > before:
                expected.append((event.ts, heard, *single.levels.touch()))
    reader = tops.TopReader(venue, "ETHUSDT")
    heard = np.array([at for at, _ in told])
    snapshots = {k: ADDRESS for k, (_, frame) in enumerate(told) if b"lastUpdateId" in frame[:40]}
    rows = reader.take([frame for _, frame in told], heard, snapshots)
    assert list(zip(rows.ts, rows.heard, *rows.tops, strict=True)) == expected
    assert (reader.book.state, reader.book.gaps, reader.refused) == ("live", 0, 0)
    assert list(reader.book.levels.bids.best_first()) == list(single.levels.bids.best_first())


def test_a_recording_becomes_a_table_of_tops_that_ends_as_the_live_book_did(tmp_path, capsys):
    session = record(tmp_path, FakeVenue(steady, REST))
    live = session.states.by_asset["ETH"].markets["binance_usdm", "ETHUSDT"].book
    out = tmp_path / "tops.parquet"
    words = ["tops", "binance_usdm", "ETHUSDT", "--log", str(tmp_path / RAW), "--out", str(out)]
    assert main(words) == 0
    table = pl.read_parquet(out)
    assert (
        live.applied - 10 <= table.height <= live.applied
    )  # what waited for the snapshot is its row
    last = table.row(-1, named=True)
    assert (
        tuple(last[name] for name in ("bid", "bid_size", "ask", "ask_size")) == live._levels.touch()
    )
    assert last["ts"].timestamp() * 1e9 == pytest.approx(live.ts, abs=1e6)
    assert table.schema["heard"] == pl.Datetime("ns", "UTC")
    assert "trusted_percent" in capsys.readouterr().out


def lost(heard):
    return Record(heard, "binance_usdm", "public#1", "disconnect", b"", "the line was cut")


@pytest.mark.fault("B01")
@pytest.mark.real
def test_after_a_cut_that_cost_changes_no_top_is_told_until_a_snapshot_mends_it(shared):
    told = recorded(shared, "usdm")[:400]
    kinds = ["rest" if b"lastUpdateId" in frame[:40] else "text" for _, frame in told]
    records = [
        Record(heard, "binance_usdm", "public#1", kind, frame, ADDRESS)
        for (heard, frame), kind in zip(told, kinds, strict=True)
    ]
    reader = tops.TopReader(VENUES["binance_usdm"], "ETHUSDT")
    parts = list(reader.take_all([*records[:200], lost(records[200].heard), *records[210:]]))
    heard = np.concatenate([part.heard for part in parts])
    assert heard[-1] <= records[199].heard  # what waits for a snapshot is no row
    assert (reader.book.state, reader.book.gaps) == ("untrusted", 1)


def test_a_log_without_that_book_is_said_to_hold_none(tmp_path, capsys):
    with pytest.raises(NothingKnown, match="no recorded log"):
        tops.tops_of_log(tmp_path / "nowhere", "binance_usdm", "ETHUSDT")
    assert main(["tops", "no_venue", "ETHUSDT", "--log", str(tmp_path)]) != 0
    assert "no decoder of 'no_venue'" in capsys.readouterr().err
