"""Options of a running world: the smile follows the index, quotes keep parity, a run's table can be stored."""

import math
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.delivery.simulated import store_run
from airpocket.domain.units import MINUTE_NS, SECOND_NS, parse_time
from airpocket.ingest.lake import Lake
from airpocket.lab.runs.recording import RunSettings, run_world
from airpocket.lab.runs.worldcheck import read_world
from airpocket.lab.surface import Surface, SurfaceSettings

WORLDS = Path(__file__).resolve().parents[2] / "examples" / "worlds"
START = int(parse_time("2026-03-02T00:00Z"))
AT_REST = SurfaceSettings(level=0.6, follows=0.5)


def walked(steps_percent: list[float]) -> Surface:
    """After a minute for each step."""
    surface, index = Surface(AT_REST), 3_000.0
    surface.saw(index, START)
    for minute, step in enumerate(steps_percent, start=1):
        index *= 1.0 + step / 100.0
        surface.saw(index, START + minute * MINUTE_NS)
    return surface


def test_a_still_index_leaves_the_part_that_does_not_follow():
    index = walked([0.0] * 1_440).volatility_index
    assert index == pytest.approx(100.0 * 0.6 * math.sqrt(0.5), rel=0.02)


def test_an_index_as_restless_as_at_rest_changes_nothing():
    a_minute = 60.0 / math.sqrt(365.0 * 1_440.0)
    assert walked([a_minute, -a_minute] * 300).volatility_index == pytest.approx(60.0, rel=0.02)


def test_a_squeeze_lifts_volatility_and_makes_calls_dear():
    calm, squeezed = walked([0.0] * 60), walked([0.0] * 30 + [0.2] * 30)
    assert squeezed.volatility_index > 1.3 * calm.volatility_index
    assert calm.smile.tilt == AT_REST.tilt
    assert squeezed.smile.tilt > 0.0
    assert walked([0.0] * 30 + [-0.2] * 30).smile.tilt < AT_REST.tilt


def test_looks_within_a_minute_and_an_index_not_told_yet_count_for_nothing():
    surface, once = Surface(AT_REST), Surface(AT_REST)
    for second in range(60):
        surface.saw(3_000.0 + second if second else 0.0, START + second * SECOND_NS)
    once.saw(3_001.0, START + SECOND_NS)
    assert surface.volatility_index == once.volatility_index


@given(st.floats(100.0, 100_000.0), st.lists(st.floats(-2.0, 2.0), max_size=40))
def test_quotes_keep_parity_and_their_order(index, steps):
    chain = walked(steps).chain("ETH", index, START + 3 * MINUTE_NS)
    by_name = {quote.instrument: quote for quote in chain}
    assert len(by_name) == len(chain) > 0
    for name, call in by_name.items():
        assert 0.0 < call.bid <= call.mark <= call.ask
        if call.option_type == "call":
            put = by_name[name.removesuffix("C") + "P"]
            if min(call.mark, put.mark) > 1e-4:  # the least a mark may be
                parity = 1.0 - call.strike / call.underlying_price
                assert call.mark - put.mark == pytest.approx(parity, abs=3e-6)


def test_a_run_leaves_snapshots_of_the_chain_that_a_store_takes(tmp_path):
    world = read_world(WORLDS / "four_venues.toml")
    options = msgspec.structs.replace(world.options, every_min=5)
    short = msgspec.structs.replace(world, hours=11 / 60, options=options)
    ran = run_world(short, 1, tmp_path / "run", RunSettings(), lambda _: None)
    found = pl.read_parquet(tmp_path / "run" / "option_quote.parquet")
    assert ran.files["option_quote.parquet"] == found.height == 2 * 72
    assert found["source"].str.starts_with("SIMULATED").all()
    store_run(tmp_path / "run", tmp_path / "store")
    stored = {(each.kind, each.venue, each.symbol) for each in Lake(tmp_path / "store").series()}
    assert ("option_quote", "sim_options", "ETH-OPTIONS") in stored
