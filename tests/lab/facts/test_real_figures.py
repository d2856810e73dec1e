"""The real figures beside a run's facts, measured again from the recorded data."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from ingest.venues.frames import stamped

from airpocket.domain.wire import BookChange, Trade
from airpocket.ingest.venues.registry import VENUES
from airpocket.lab.facts.reference import REAL, REAL_PERPETUAL, REAL_SPOT
from airpocket.lab.facts.run import impact_of, price_facts, returns_of
from airpocket.market.books.book import Book
from airpocket.market.books.measures import depth_within, spread_bps

pytestmark = pytest.mark.real
MULTI = "data/finm33150_hl_multivenue"


def ranged(values):
    return [
        float(np.quantile(np.asarray(values, dtype=np.float64), share)) for share in (0.1, 0.5, 0.9)
    ]


def said(name):
    figure = REAL[name]
    return pytest.approx([figure.low, figure.middle, figure.high], rel=0.006, abs=0.0006)


def test_tails_and_clustering_of_41_days_of_minutes_are_as_said(shared):
    bars = pl.read_parquet(shared / "data/typhonun_binance/ethusdt_perp_1m.parquet")
    days = [
        day for _, day in bars.group_by(pl.col("ts").dt.date(), maintain_order=True) if day.height == 1_440
    ]  # fmt: skip
    found = [price_facts(returns_of(day)) for day in days]

    assert len(days) == 41
    for name in found[0]:
        assert ranged([one[name] for one in found]) == said(name), name


def test_funding_of_a_year_is_as_said(shared):
    rates = pl.read_parquet(shared / MULTI / "funding.parquet").filter(
        pl.col("coin") == "ETH", pl.col("venue") == "binance"
    )["rate"]

    assert rates.len() == 1_092
    assert ranged(1e4 * rates.to_numpy()) == said("funding_8h_bps")


@pytest.fixture(scope="module")
def quiet_days(shared):
    """Days whose high is less than 5 % above their low: change of open interest in coin, and its dollars."""
    eth = pl.col("coin") == "ETH"
    held = pl.read_parquet(shared / MULTI / "open_interest.parquet").filter(
        eth, pl.col("venue") == "hyperliquid"
    )
    price = pl.read_parquet(shared / MULTI / "candles_1h.parquet").filter(
        eth, pl.col("venue") == "binance"
    )
    mean = pl.mean_horizontal("open", "high", "low", "close")
    hours = held.join(price, on="ts").sort("ts").with_columns(held=pl.col("oi_usd") / mean)
    days = hours.group_by_dynamic("ts", every="1d").agg(
        pl.col("held", "open").first(), pl.col("high").max(), pl.col("low").min(),
        pl.col("oi_usd").mean(), hours=pl.len(),
    )  # fmt: skip
    return (
        days.with_columns(change=100.0 * (pl.col("held").shift(-1) / pl.col("held") - 1.0))
        .filter(pl.col("hours") == 24, pl.col("high") < 1.05 * pl.col("low")).drop_nulls()
    )  # fmt: skip


def test_open_interest_on_quiet_days_moves_as_said(quiet_days):
    assert quiet_days.height == 182
    assert ranged(quiet_days["change"]) == said("interest_day_percent")


def test_liquidations_on_quiet_days_are_the_share_of_open_interest_that_is_said(shared, quiet_days):
    volume = pl.read_parquet(shared / MULTI / "liquidation_volume_daily.parquet")
    both = volume.filter(pl.col("coin") == "ETH").join(quiet_days, on="ts")

    assert both.height == 34
    assert ranged(100.0 * both["total_usd"] / both["oi_usd"]) == pytest.approx(
        [0.002, 0.084, 0.98], abs=0.005
    )
    assert said("liquidated_day_percent") == [0.002, 0.084, 0.98]


def test_open_interest_over_large_rises_falls_as_said(shared):
    moves = pl.read_csv(shared / "data/squeezes.csv", infer_schema_length=None).filter(
        pl.col("asset") == "ETH", pl.col("direction") == "up",
        pl.col("oi_source").str.contains("Hyperliquid"),
    )  # fmt: skip
    assert moves.height == 21
    assert ranged(moves["oi_chg_pct"].cast(pl.Float64)) == said("interest_over_rise_percent")


@pytest.mark.parametrize(("market", "real"), [("usdm", REAL_PERPETUAL), ("spot", REAL_SPOT)])
def test_spread_depth_and_impact_of_the_recording_are_as_said(shared, market, real):
    decode, book = VENUES[f"binance_{market}"].decode, Book(f"binance_{market}", "ETHUSDT")
    spreads, depths, trades, due = [], [], [], 0
    for heard, frame in stamped(shared / f"wire/hftbacktest/{market}/ethusdt_20240808.gz"):
        if b"bookTicker" in frame:
            continue
        for event in decode(frame, heard, "https://example/depth?symbol=ETHUSDT"):
            if isinstance(event, Trade):
                trades.append((event.ts // 1_000, event.price, event.size, event.taker_side))
            elif isinstance(event, BookChange):
                book.apply(event)
                if heard >= due and book.state == "live":  # once a second
                    due = (heard // 10**9 + 1) * 10**9
                    spreads.append(spread_bps(book.levels.touch()))
                    sides = [depth_within(book.levels, percent) for percent in (-0.1, 0.1)]
                    assert all(side.whole for side in sides)
                    depths.append(sum(side.usd for side in sides) / 2e6)
    frame = pl.DataFrame(trades, schema=["ts", "price", "size", "taker_side"], orient="row")
    tape = frame.with_columns(pl.from_epoch("ts", time_unit="us"), trade_id=pl.int_range(pl.len()))

    assert len(spreads) > 340
    assert float(np.median(spreads)) == pytest.approx(real["spread_bps"].middle, rel=0.005)
    assert float(np.quantile(spreads, 0.95)) == pytest.approx(
        real["spread_p95_bps"].middle, rel=0.005
    )
    assert float(np.median(depths)) == pytest.approx(real["depth_10bps_usd_m"].middle, rel=0.005)
    assert impact_of(tape) == pytest.approx(real["impact_exponent"].middle, rel=0.005)


def test_every_range_encloses_its_middle():
    for figure in REAL.values():
        assert all(
            one <= other for one, other in pairwise([figure.low, figure.middle, figure.high])
        )
        assert "20" in figure.sample
