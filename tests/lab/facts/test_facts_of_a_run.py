"""The facts of a run's tables, worked out by hand on small tables."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from airpocket.domain.errors import BadInput
from airpocket.lab.facts.run import facts_in, facts_of, impact_of, liquidated, returns_of

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY_END_S = int(START.timestamp()) + 86_400


def at(minutes):
    return [START + timedelta(minutes=minute) for minute in minutes]


def market(hours=25, venue="sim_binance"):
    """Price 100 → 90 → 108 in three straight lines; open interest falls from 1000 by 1 % an hour."""
    minutes = np.arange(hours * 60)
    close = np.interp(minutes, [0, 300, 600, hours * 60], [100.0, 90.0, 108.0, 95.0])
    spot = venue == "sim_spot"
    half_hours = [] if spot else np.arange(0, hours * 60 + 1, 30).tolist()
    depth = [(minute, percent) for minute in (0, 1, 2) for percent in (-1.0, -0.1, 0.1, 1.0)]
    usd = {0: 1e6, 1: 2e6, 2: 3e6}
    return {
        "bar_1m": pl.DataFrame({"ts": at(minutes.tolist()), "close": close}),
        "tape_1m": pl.DataFrame({"ts": at([0, 1, 2]), "spread_bps": [0.2, None, 0.4]}),
        "trade": pl.DataFrame(
            schema={"ts": pl.Datetime("us", "UTC"), "price": pl.Float64, "size": pl.Float64,
                    "taker_side": pl.String, "trade_id": pl.Int64}
        ),
        "depth": pl.DataFrame(
            {
                "ts": at(minute for minute, _ in depth), "percent": [one for _, one in depth],
                "notional_usd": [usd[minute] * (1.5 if one > 0 else 0.5) * abs(one) * 10 for minute, one in depth],
            }
        ),
        "funding": pl.DataFrame(
            {"ts": at([] if spot else [480, 960, 1440]), "rate": [] if spot else [1e-4, 2e-4, -1e-4],
             "interval_s": [] if spot else [28_800] * 3},
            schema={"ts": pl.Datetime("us", "UTC"), "rate": pl.Float64, "interval_s": pl.Int64},
        ),
        "open_interest": pl.DataFrame(
            {
                "ts": at(half_hours), "amount": [1_000.0 - minute / 6.0 for minute in half_hours],
                "unit": ["coin"] * len(half_hours),
            },
            schema={"ts": pl.Datetime("us", "UTC"), "amount": pl.Float64, "unit": pl.String},
        ),
        "truth/forced": forced([] if spot else [(5, 1, "book", 10.0, 4.0), (5, 1, "fund", 6.0, 6.0)]),
    }  # fmt: skip


def forced(rows):
    minutes = [row[0] for row in rows]
    return pl.DataFrame(
        {
            "ts": at(minutes), "account": [row[1] for row in rows], "via": [row[2] for row in rows],
            "coin": [row[3] for row in rows], "filled_coin": [row[4] for row in rows],
        },
        schema={"ts": pl.Datetime("us", "UTC"), "account": pl.Int64, "via": pl.String,
                "coin": pl.Float64, "filled_coin": pl.Float64},
    )  # fmt: skip


def facts(*venues, hours=25):
    parts = [
        {name: frame.with_columns(venue=pl.lit(venue)) for name, frame in market(hours, venue).items()}
        for venue in venues
    ]  # fmt: skip
    tables = {name: pl.concat([part[name] for part in parts]) for name in parts[0]}
    return {(fact.name, fact.venue): fact.value for fact in facts_of(tables)}


def test_each_fact_of_a_perpetual_is_what_its_tables_say():
    found = facts("sim_binance")

    expected = {
        "spread_bps": 0.3,
        "depth_10bps_usd_m": 2.0,  # 0.5 and 1.5 times: the two sides' mean
        "depth_p90_over_p10": 2.8 / 1.2,
        "interest_day_percent": -24.0,
        "liquidations_day": 1.0,
        "liquidated_day_percent": 1.0,  # 4 in the book and 6 to the fund, of 1,000
        "rise_percent": 20.0,
        # 950 at the low's minute 300; 890 an hour after the high of minute 600
        "interest_over_rise_percent": 100.0 * (890.0 / 950.0 - 1.0),
        "funding_8h_bps": 1.0,
    }
    for name, value in expected.items():
        assert found[name, "sim_binance"] == pytest.approx(value), name


def test_a_spot_market_has_no_facts_of_positions():
    found = facts("sim_spot", "sim_bybit")

    assert ("rise_percent", "sim_bybit") in found
    assert ("funding_8h_bps", "sim_spot") not in found
    assert found["volatility_percent_per_day", "sim_spot"] > 0.0


def test_a_run_of_less_than_a_day_says_nothing_of_a_day():
    found = facts("sim_binance", hours=20)

    for name in ("interest_day_percent", "liquidations_day", "liquidated_day_percent"):
        assert found[name, "sim_binance"] is None


def test_minutes_without_a_bar_give_no_return():
    bars = pl.DataFrame({"ts": at([0, 1, 3, 4]), "close": [1.0, 2.0, 8.0, 16.0]})

    assert returns_of(bars) == pytest.approx(np.log([2.0, 2.0]))


def test_coin_that_a_fund_takes_over_and_closes_in_the_book_counts_once():
    rows = [
        (1, 7, "fund", 10.0, 10.0), (1, 7, "book", 10.0, 8.0),  # the fund's order for what it took
        (2, 8, "book", 5.0, 5.0), (9, 8, "book", 3.0, 3.0),  # two orders of one account
        (3, 9, "deleveraging", 4.0, 4.0),  # a winner
        (2_000, 5, "book", 1.0, 1.0),  # the next day
    ]  # fmt: skip
    assert liquidated(forced(rows), DAY_END_S) == (2, pytest.approx(18.0))


def test_impact_is_measured_between_seconds_by_dollars_and_the_last_price():
    rng = np.random.default_rng(3)
    usd = rng.choice([-1.0, 1.0], 4_000) * (1.0 + rng.pareto(1.5, 4_000))
    price = 100.0 * np.exp(np.cumsum(1e-5 * np.sign(usd) * np.abs(usd) ** 0.5))
    trades = pl.DataFrame(
        {
            "ts": [START + timedelta(seconds=k, milliseconds=10) for k in range(4_000)],
            "price": price, "size": np.abs(usd) / price,
            "taker_side": np.where(usd > 0, "buy", "sell"), "trade_id": np.arange(4_000),
        }
    )  # fmt: skip
    assert impact_of(trades) == pytest.approx(0.5, abs=0.01)


def test_a_folder_that_no_run_made_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"run\.json"):
        facts_in(tmp_path)

    (tmp_path / "run.json").write_text('{"files": {"bar_1m.parquet": 9}}', encoding="utf-8")
    with pytest.raises(BadInput, match=r"bar_1m\.parquet: cannot be read"):
        facts_in(tmp_path)
