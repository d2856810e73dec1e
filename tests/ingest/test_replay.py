"""From the store to the market: merged bars, as-of filtering, and nothing set aside getting in."""

import numpy as np
import pytest
import samples
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.errors import NothingKnown
from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import facts_of, merged_bars, newest
from airpocket.market.bars import BarSeries


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), st.integers(1, 200), st.sets(st.integers(0, 199), max_size=6))
def test_merged_bars_never_overlap_and_keep_every_hour_anyone_has_whole(offset, quarters, dropped):
    fine = samples.bars(quarters, step=HOUR_NS // 4, start=samples.START + offset * HOUR_NS,
                        drop=sorted(d for d in dropped if d < quarters))  # fmt: skip
    coarse = samples.bars(60, seed=3)
    series = BarSeries()
    for batch in merged_bars([coarse, fine]):
        series.add(batch)  # raises if they overlap or go back
    assert set(coarse.ints("ts")) <= set(series.hours.ts.tolist())


def test_the_finest_interval_that_covers_an_hour_wins():
    fine = samples.bars(8, step=HOUR_NS // 4, start=samples.START + 2 * HOUR_NS)
    batches = list(merged_bars([samples.bars(6), fine]))
    assert [batch.kind for batch in batches] == ["bar_1h", "bar_15m", "bar_1h"]
    assert [len(batch) for batch in batches] == [2, 8, 2]


def test_an_empty_store_says_what_to_do(tmp_path):
    with pytest.raises(NothingKnown, match="holds nothing on ETH"):
        list(facts_of(Lake(tmp_path), "ETH", TimeNs(samples.START)))


@pytest.mark.fault("D06")
def test_only_what_was_usable_comes_back(tmp_path):
    import polars as pl

    from airpocket.ingest.lake import Table

    batch = samples.bars(48)
    stamp = pl.Datetime("us", "UTC")
    frame = pl.DataFrame(dict(batch.columns.items())).with_columns(
        (pl.col("ts") // 1000).cast(stamp), (pl.col("usable_from") // 1000).cast(stamp),
        pl.lit("made").alias("source"),
    )  # fmt: skip
    lake = Lake(tmp_path)
    lake.write([Table("bar_1h", "binance_usdm", "ETHUSDT", frame)])
    now = samples.START + 10 * HOUR_NS + 1
    [facts] = facts_of(lake, "ETH", TimeNs(now))
    assert len(facts) == 10
    np.testing.assert_array_equal(facts.floats("close"), batch.floats("close")[:10])


def test_the_newest_hours_of_trades_come_back_and_none_from_later(tmp_path):
    import polars as pl

    from airpocket.ingest.lake import Table
    from airpocket.ingest.replay import trades_of

    at = samples.START + np.arange(0, 20 * HOUR_NS, HOUR_NS // 2)
    stamp = pl.Datetime("us", "UTC")
    frame = pl.DataFrame(
        {
            "ts": at // 1_000, "usable_from": at // 1_000, "price": 3_000.0 + np.arange(40.0),
            "size": np.full(40, 2.0), "taker_side": ["buy", "sell"] * 20,
            "trade_id": np.arange(40), "source": ["made"] * 40,
        }
    ).with_columns(pl.col("ts").cast(stamp), pl.col("usable_from").cast(stamp))  # fmt: skip
    lake = Lake(tmp_path)
    lake.write([Table("trade", "binance_usdm", "ETHUSDT", frame)])
    now = TimeNs(int(at[30]))
    found = trades_of(lake, "ETH", now)["binance_usdm:ETHUSDT"]
    assert found.ints("ts").tolist() == at[18:31].tolist()
    late = trades_of(lake, "ETH", TimeNs(int(at[-1]) + 100 * HOUR_NS), hours=1.0)
    assert late["binance_usdm:ETHUSDT"].ints("ts").tolist() == at[-3:].tolist()
    assert trades_of(lake, "ETH", TimeNs(samples.START - 1)) == {}
    assert trades_of(lake, "BTC", now) == {}


@pytest.mark.fault("M07")
@pytest.mark.parametrize("again", [False, True])
def test_what_another_contract_left_under_a_symbol_is_not_read_as_its_past(tmp_path, again):
    """The second listing is of another day: everything before that day belongs to another contract."""
    from airpocket.live.keeper import FactKeeper
    from airpocket.market.live import rows

    reborn = samples.START + 24 * HOUR_NS
    listed = [{"ts": at, "usable_from": at, "version": number, "contract_kind": "linear", "status": "live",
               "size_unit": "coin", "listed_at_s": (reborn if again and number > 1 else samples.START) // 10**9}
              for number, at in ((1, samples.START), (2, reborn))]  # fmt: skip
    keeper = FactKeeper(tmp_path)
    keeper.add([samples.bars(48), samples.interest(48)])
    keeper.add([rows.batch("listing", "binance_usdm", "ETHUSDT", listed)])
    keeper.write(keeper.take())
    found = list(facts_of(Lake(tmp_path), "ETH", TimeNs(samples.START + 49 * HOUR_NS)))
    first = {batch.kind: int(batch.ints("ts")[0]) for batch in found}
    begins = reborn if again else samples.START
    assert first["bar_1h"] == begins
    assert first["open_interest"] == (reborn if again else samples.START + HOUR_NS)
    assert first["listing"] == samples.START


def test_a_venue_that_tells_no_day_of_listing_is_read_without_a_word(tmp_path):
    """Hyperliquid says none: a missing number is neither a date nor a warning."""
    from airpocket.live.keeper import FactKeeper
    from airpocket.market.live import rows

    told = [{"ts": samples.START, "usable_from": samples.START, "version": 1, "contract_kind": "linear",
             "status": "live", "size_unit": "coin", "listed_at_s": None}]  # fmt: skip
    keeper = FactKeeper(tmp_path)
    keeper.add([samples.bars(4, venue="hyperliquid", symbol="ETH")])
    keeper.add([rows.batch("listing", "hyperliquid", "ETH", told)])
    keeper.write(keeper.take())
    found = list(facts_of(Lake(tmp_path), "ETH", TimeNs(samples.START + 5 * HOUR_NS)))
    assert len(next(batch for batch in found if batch.kind == "bar_1h")) == 4


def test_accounts_are_no_asset_and_never_a_batch(tmp_path):
    """All of a venue's accounts are filed under one name, which no list of assets mentions."""
    from airpocket.domain.accounts import AccountState
    from airpocket.ingest.census.stored import account_table

    lake = Lake(tmp_path)
    state = AccountState(
        venue="hyperliquid", account="a", ts=samples.START, usable_from=samples.START
    )
    lake.write([account_table("hyperliquid", [state], "made")])
    with pytest.raises(NothingKnown, match="it holds: nothing"):
        list(facts_of(lake, "ETH", TimeNs(samples.START + HOUR_NS)))
    with pytest.raises(NothingKnown, match="nothing"):
        list(facts_of(lake, "ACCOUNTS", TimeNs(samples.START + HOUR_NS)))
    with pytest.raises(NothingKnown, match="no price bars of ACCOUNTS"):
        newest(lake, "ACCOUNTS")
