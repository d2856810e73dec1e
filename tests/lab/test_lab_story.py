"""The simulated market behaves like a market, and its story is the one the demo tells."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

Find = Callable[..., pl.DataFrame]
END = datetime(2026, 1, 15, 12, tzinfo=UTC)


def hourly_returns(table: Find) -> np.ndarray:
    return np.diff(np.log(table("bar_1h")["close"].to_numpy()))


def test_returns_have_fat_tails(table: Find) -> None:
    returns = hourly_returns(table)
    kurtosis = np.mean((returns - returns.mean()) ** 4) / returns.var() ** 2
    assert 4.0 < kurtosis < 40.0  # 3 would be normal


def test_volatility_clusters_and_returns_do_not(table: Find) -> None:
    returns = hourly_returns(table)

    def after(values: np.ndarray, lag: int) -> float:
        return float(np.corrcoef(values[:-lag], values[lag:])[0, 1])

    assert after(np.abs(returns), 1) > 0.10
    assert after(np.abs(returns), 24) > 0.05
    assert abs(after(returns, 1)) < 0.06


def test_a_year_of_it_is_as_volatile_as_ether(table: Find) -> None:
    assert 0.40 < hourly_returns(table).std() * np.sqrt(24 * 365) < 0.90


def test_there_are_more_than_200_days_so_slow_averages_are_known(table: Find) -> None:
    assert table("bar_1h")["ts"].dt.date().n_unique() > 200


def test_price_rises_and_open_interest_falls_during_the_squeeze(table: Find) -> None:
    started = END - timedelta(hours=6)
    price = table("bar_1h").filter(pl.col("ts") >= started)
    interest = table("open_interest").filter(pl.col("ts") >= started)["amount"]
    assert price["close"][-1] / price["open"][0] > 1.05
    assert interest[-1] / interest[0] < 0.96


def test_shorts_are_built_and_paid_for_before_it(table: Find) -> None:
    interest = table("open_interest")
    autumn = interest.filter(pl.col("ts") < datetime(2025, 11, 5, tzinfo=UTC))["amount"].mean()
    before = interest.filter(pl.col("ts") == END - timedelta(hours=12))["amount"][0]
    assert before > 1.4 * autumn
    funding = table("funding")
    quiet = funding.filter(pl.col("ts") < datetime(2025, 11, 5, tzinfo=UTC))["rate"]
    assert quiet.median() == pytest.approx(0.0001)
    assert (funding.tail(9)["rate"] < 0).all()


def test_forced_buys_dominate_the_last_hours(table: Find) -> None:
    recent = table("liquidation").filter(pl.col("ts") >= END - timedelta(hours=6))
    sides = dict(recent.group_by("forced_side").agg(pl.col("notional_usd").sum()).iter_rows())
    assert sides["buy"] > 100e6
    assert sides["buy"] > 20 * sides.get("sell", 0.0)


def test_offers_are_pulled_and_bids_stay(table: Find) -> None:
    near = table("depth").filter(pl.col("percent").abs() == 1.0)
    calm = near.filter(pl.col("ts") < END - timedelta(hours=12))
    now = near.filter(pl.col("ts") >= END - timedelta(hours=1))

    def thinning(percent: float) -> float:
        return (
            now.filter(percent=percent)["notional_usd"].mean()
            / calm.filter(percent=percent)["notional_usd"].median()
        )

    assert thinning(1.0) < 0.65
    assert thinning(-1.0) > 0.75


def test_spot_buys_while_perps_are_bought_back(table: Find) -> None:
    def taker_share(venue: str) -> float:
        last = table("bar_1m", venue).tail(240)
        return last["taker_buy"].sum() / last["volume"].sum()

    assert taker_share("sim_spot") > taker_share("sim_perp") > 0.5


def test_spot_moves_first_in_the_squeeze(table: Find) -> None:
    spot = np.diff(np.log(table("bar_1m", "sim_spot")["close"].to_numpy()[-360:]))
    perp = np.diff(np.log(table("bar_1m", "sim_perp")["close"].to_numpy()[-360:]))
    spot_then_perp = np.corrcoef(spot[:-1], perp[1:])[0, 1]
    perp_then_spot = np.corrcoef(perp[:-1], spot[1:])[0, 1]
    assert spot_then_perp > perp_then_spot + 0.1


def test_the_recent_swing_high_is_broken_in_the_last_hour(table: Find) -> None:
    bars = table("bar_1h")
    earlier = bars.filter(pl.col("ts") < END - timedelta(hours=1))
    recent = earlier.filter(pl.col("ts") >= END - timedelta(days=14))
    assert recent["high"].max() < bars["close"][-1]
