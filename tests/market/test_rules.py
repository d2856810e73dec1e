"""Which tiers a contract was under: stored and bundled ones by date, none where none is known."""

import numpy as np
import polars as pl
import pytest

from airpocket.domain.errors import MarginError
from airpocket.domain.events import Batch
from airpocket.domain.instruments import instrument
from airpocket.domain.units import DAY_NS, TimeNs, parse_time
from airpocket.ingest.lake import Lake, Table
from airpocket.ingest.replay import facts_of
from airpocket.margin.tiers import tables_of
from airpocket.market.rules import tiers_in_force
from airpocket.market.state import Contract, MarketState

STORED = parse_time("2025-03-01T00:00Z")


def tier_rows(ts=STORED, usable=None, symbol="ETHUSDT", mmr=(0.003, 0.006)):
    floor = np.array([0.0, 1_000.0])
    columns = {
        "ts": np.full(2, ts), "usable_from": np.full(2, usable or ts), "tier": np.array([1, 2]),
        "currency": np.array(["USDT", "USDT"]), "notional_floor": floor,
        "notional_cap": np.array([1_000.0, 1e6]), "mmr": np.array(mmr),
        "max_leverage": np.array([100.0, 50.0]),
        "deduction": np.array([0.0, 1_000.0 * (mmr[1] - mmr[0])]),
    }  # fmt: skip
    return Batch("tier", "binance_usdm", symbol, columns, ("my tiers",))


def contract(*batches, now, key="binance_usdm:ETHUSDT"):
    state = MarketState("ETH")
    for batch in batches:
        state.apply(batch)
    return next(c for c in state.snapshot(now).contracts if c.key == key)


def test_the_newest_table_not_after_now_wins_and_shows_its_age():
    now = STORED + 9 * DAY_NS
    found = tiers_in_force(contract(tier_rows(), now=now), now)
    assert (found.day, found.source, found.age_days(now)) == ("2025-03-01", "my tiers", 9.0)
    assert found.mmr.tolist() == [0.003, 0.006]


def test_an_older_stored_table_yields_to_a_newer_published_one():
    now = parse_time("2025-07-01T00:00Z")
    old = contract(tier_rows(parse_time("2023-01-01T00:00Z")), now=now)
    assert tiers_in_force(old, now).day == "2024-10-24"


def test_a_stored_table_wins_over_the_published_one_of_its_date():
    now = parse_time("2025-07-01T00:00Z")
    same = contract(tier_rows(parse_time("2024-10-24T00:00Z")), now=now)
    assert tiers_in_force(same, now).source == "my tiers"


def test_no_table_is_taken_from_the_future():
    before = parse_time("2024-10-23T00:00Z")
    bare = Contract(instrument("binance_usdm", "ETHUSDT"))
    assert tiers_in_force(bare, before) is None
    later = contract(tier_rows(), now=STORED)
    assert tiers_in_force(later, parse_time("2025-02-01T00:00Z")).day == "2024-10-24"


def test_a_contract_nobody_published_tiers_for_has_none():
    now = parse_time("2026-01-01T00:00Z")
    assert tiers_in_force(Contract(instrument("okx", "ETH-USDT-SWAP")), now) is None
    assert tiers_in_force(Contract(instrument("binance_usdm", "ETHUSDC")), now) is None


def test_each_symbol_keeps_its_own_tiers():
    other = tier_rows(symbol="ETHUSDC", mmr=(0.01, 0.02))
    found = contract(tier_rows(), other, now=STORED, key="binance_usdm:ETHUSDC")
    assert tiers_in_force(found, STORED).mmr.tolist() == [0.01, 0.02]


def test_a_stored_table_that_contradicts_itself_says_which():
    broken = contract(tier_rows(mmr=(0.006, 0.003)), now=STORED)
    with pytest.raises(MarginError, match="binance_usdm ETHUSDT as of 2025-03-01: tier 2: mmr"):
        tiers_in_force(broken, STORED)


def test_stored_tiers_reach_the_market_however_old_they_are(tmp_path):
    frame = pl.DataFrame(dict(tier_rows().columns)).with_columns(
        (pl.col("ts", "usable_from") // 1_000).cast(pl.Datetime("us", "UTC")),
        pl.lit("my tiers").alias("source"),
    )
    lake = Lake(tmp_path)
    lake.write([Table("tier", "binance_usdm", "ETHUSDT", frame)])
    for days, expected in ((600, "2025-03-01"), (-1, None)):
        now = TimeNs(STORED + days * DAY_NS)
        state = MarketState("ETH")
        for batch in facts_of(lake, "ETH", now):
            state.apply(batch)
        contracts = state.snapshot(now).contracts
        found = [tables_of("v", "S", c.tables["tier"].columns, now=now) for c in contracts]
        assert [one.day for tables in found for one in tables] == ([expected] if expected else [])
