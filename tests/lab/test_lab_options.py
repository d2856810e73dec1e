"""The simulated option chains: parity, spreads, implied volatilities and no arbitrage in strikes."""

import math
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.lab.options import black_76

Find = Callable[..., pl.DataFrame]


@pytest.fixture(scope="session")
def chain(table: Find) -> pl.DataFrame:
    return table("option_quote", "sim_options", "ETH-OPTIONS")


def test_puts_and_calls_keep_parity(chain: pl.DataFrame) -> None:
    pairs = chain.pivot(
        "option_type", index=["ts", "expiry", "strike", "underlying_price"], values="mark"
    )
    gap = pairs["call"] - pairs["put"] - (1 - pairs["strike"] / pairs["underlying_price"])
    assert gap.abs().max() < 2e-6  # marks are rounded to a millionth of a coin


def test_the_mark_lies_between_bid_and_ask(chain: pl.DataFrame) -> None:
    assert (chain["bid"] <= chain["mark"]).all()
    assert (chain["mark"] <= chain["ask"]).all()


def test_the_mark_gives_back_its_implied_volatility(chain: pl.DataFrame) -> None:
    liquid = chain.filter(pl.col("delta").abs().is_between(0.15, 0.85)).gather_every(7)
    for row in liquid.iter_rows(named=True):
        years = (row["expiry"] - row["ts"]).total_seconds() / (365 * 86_400)
        found = _implied(row, math.sqrt(years))
        assert found == pytest.approx(row["mark_iv"], abs=6e-4)


def _implied(row: dict[str, float], root_years: float) -> float:
    low, high = 0.01, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        call = row["option_type"] == "call"
        forward = row["underlying_price"]
        value = black_76(call, forward, row["strike"], middle * root_years) / forward
        low, high = (middle, high) if value < row["mark"] else (low, middle)
    return low


def test_calls_fall_and_bend_the_right_way_over_strikes(chain: pl.DataFrame) -> None:
    calls = chain.filter(option_type="call")
    for _, strip in calls.group_by("ts", "expiry", maintain_order=True):
        ordered = strip.sort("strike")
        slope = (ordered["mark"].diff() / ordered["strike"].diff()).drop_nulls()
        assert (slope <= 0).all()
        assert (slope.diff().drop_nulls() >= -3e-7).all()  # the rounding of a mark, per dollar


def test_total_variance_grows_with_expiry(chain: pl.DataFrame) -> None:
    years = (pl.col("expiry") - pl.col("ts")).dt.total_seconds() / (365 * 86_400)
    at_money = (
        chain.with_columns(away=(pl.col("strike") / pl.col("underlying_price") - 1).abs())
        .sort("ts", "expiry", "away")
        .group_by("ts", "expiry", maintain_order=True)
        .first()
        .with_columns(variance=pl.col("mark_iv") ** 2 * years)
    )
    rising = at_money.select(pl.col("variance").diff().over("ts").drop_nulls() > 0)
    assert rising.to_series().all()


def test_every_expiry_of_a_snapshot_has_a_forward(table: Find, chain: pl.DataFrame) -> None:
    forwards = table("forward", "sim_options", "ETH-OPTIONS").select("ts", "expiry", "price")
    quoted = chain.select("ts", "expiry", price="underlying_price").unique()
    assert quoted.join(forwards, on=["ts", "expiry", "price"], how="anti").is_empty()


def test_quotes_stay_inside_the_daily_volatility_index_roughly(
    table: Find, chain: pl.DataFrame
) -> None:
    index = table("vol_index_1d", "sim_options", "ETH-OPTIONS")
    assert index["close"].is_between(30, 120).all()
    assert chain["mark_iv"].is_between(0.3, 1.6).all()


@given(st.floats(0.02, 2.0), st.floats(0.5, 2.0))
def test_black_76_agrees_with_integrating_the_payoff(root: float, ratio: float) -> None:
    strike, steps = 100.0, 1_500
    forward = strike * ratio
    total = 0.0
    for i in range(steps):  # midpoint rule over ±8 standard deviations
        z = -8.0 + 16.0 * (i + 0.5) / steps
        final = forward * math.exp(root * z - root * root / 2)
        total += max(0.0, final - strike) * math.exp(-z * z / 2) * 16.0 / steps
    assert black_76(True, forward, strike, root) == pytest.approx(
        total / math.sqrt(2 * math.pi), abs=2e-3
    )
