"""The demo is a recording: made by the lab, read by the real path, and marked SIMULATED wherever it goes."""

import json
from dataclasses import replace

import pytest

from airpocket.delivery.answers import brief_of
from airpocket.delivery.bundled_log import MANIFEST
from airpocket.delivery.cli import main
from airpocket.delivery.demonstration import (
    SEED,
    SETTINGS,
    WORLD,
    demo_store,
    history,
    place_recording,
)
from airpocket.delivery.tape import record
from airpocket.domain.simulated import is_simulated
from airpocket.ingest import origin
from airpocket.ingest.lake import Lake
from airpocket.ingest.log import reader, sealed
from airpocket.lab.runs.worldcheck import read_world, world_file, worlds
from airpocket.live.session import RAW

LABEL = "SIMULATED demo, seed 1"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    store = tmp_path_factory.mktemp("demo")
    _, played = demo_store(store)
    return store, played


def test_the_recordings_manifest_is_where_logs_keep_theirs():
    assert MANIFEST == (sealed.FOLDER, sealed.MANIFEST)


def test_the_recording_is_a_sound_sealed_log_that_says_it_is_simulated(made):
    store, _ = made
    report = reader.verify(store / RAW)
    assert report.sealed == 1
    assert report.segments == 0
    assert not report.damages
    assert report.records > 30_000
    assert origin.label_of(store / RAW) == LABEL
    assert origin.told_by(next(reader.records(store / RAW))) == LABEL


def test_its_frames_go_through_the_venues_decoders_and_all_are_understood(made):
    _, played = made
    assert played.events > played.frames > 30_000
    assert played.refused == {}
    assert played.simulated == LABEL


def test_what_the_decoders_said_is_in_the_store_and_in_the_brief(made):
    store, _ = made
    found = {(s.kind, s.venue) for s in Lake(store).series() if f"{LABEL}: heard live" in s.sources}
    for kind in ("bar_1m", "depth", "open_interest", "tape_1m", "ticker", "funding_estimate"):
        assert {(kind, "binance_usdm"), (kind, "bybit_linear")} <= found
    assert {("liquidation", "binance_usdm"), ("liquidation", "bybit_linear")} <= found
    assert ("option_quote", "deribit") in found
    brief = brief_of("ETH", store)
    assert brief.as_of == "2026-01-15T12:05:00Z"
    assert {"hyperliquid:ETH", "deribit:ETH-PERPETUAL"} <= brief.price.by_venue.keys()
    assert any(t.state in ("armed", "firing") for t in brief.triggers)


def test_no_row_of_it_lacks_the_mark(made):
    store, _ = made
    series = Lake(store).series()
    assert all(is_simulated(source) for each in series for source in each.sources)
    assert brief_of("ETH", store).health.simulated


def test_a_second_time_nothing_changes(made):
    store, played = made
    before = Lake(store).series()
    _, again = demo_store(store)
    assert again == played
    assert Lake(store).series() == before


def test_a_folder_that_holds_something_else_is_refused(tmp_path, capsys):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "mine.txt").write_text("notes")
    assert main(["demo", "--out", str(tmp_path)]) == 2
    assert "holds something else" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["mine.txt"]


def test_the_lab_records_the_same_again(tmp_path):
    """The first seconds of it; `scripts/make_demo.py` makes all."""
    place_recording(tmp_path)
    tape = record(read_world(world_file(WORLD)), SEED, replace(SETTINGS, for_s=8.0))
    heard = [r for r in tape.records if r.heard < SETTINGS.start + 7_900_000_000]
    bundled = reader.records(tmp_path)
    assert len(heard) > 500
    assert heard == [next(bundled) for _ in heard]


@pytest.mark.slow
def test_the_lab_records_all_of_it_again(tmp_path):
    place_recording(tmp_path)
    tape = record(read_world(world_file(WORLD)), SEED, SETTINGS)
    assert list(tape.records) == list(reader.records(tmp_path))


def test_the_history_ends_where_the_recording_begins():
    assert {t.venue for t in history()} >= {"binance_usdm", "bybit_linear", "binance_spot"}
    [hours] = [t.frame for t in history() if (t.kind, t.venue) == ("bar_1m", "binance_usdm")]
    world = read_world(world_file(WORLD))
    assert abs(hours["close"][-1] / world.price_usd - 1.0) < 0.005


def test_replay_and_map_of_the_demos_store_say_simulated(made, capsys):
    store, played = made
    assert main(["replay", "ETH", "--store", str(store), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["simulated"], told["journal"]) == (LABEL, played.journal)
    assert main(["map", "ETH", "--store", str(store), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["simulated"] is True


def test_worlds_that_ship_are_found_by_name():
    assert {"squeeze", "long_flush", "four_venues", "demo"} <= worlds().keys()
    assert world_file("squeeze").is_file()
    for path in worlds().values():
        assert read_world(path).venue
