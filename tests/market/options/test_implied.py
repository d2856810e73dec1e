"""Implied volatility: there and back over a wide range, its bounds, and prices from a second implementation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.market.options.greeks import greeks
from airpocket.market.options.implied import implied_volatility


def out_of_the_money(k):
    return k >= 0.0


@given(st.floats(-3.0, 3.0), st.floats(1e-4, 5.0), st.floats(0.01, 4.0))
def test_out_of_the_money_a_volatility_comes_back(k, years, vol):
    strike = 3_000.0 * math.exp(k)
    call = out_of_the_money(k)
    price = float(greeks(call, 3_000.0, strike, years, vol).price)
    bound = 3_000.0 if call else strike
    if price < 1e-300 or price > 0.999 * bound:
        return  # the number holds no volatility any more
    assert float(implied_volatility(call, 3_000.0, strike, years, price)) == pytest.approx(
        vol, rel=1e-10
    )


@given(st.floats(-0.4, 0.4), st.floats(0.02, 2.0), st.floats(0.2, 2.0))
def test_in_the_money_too_where_the_price_holds_it(k, years, vol):
    strike = 3_000.0 * math.exp(k)
    call = not out_of_the_money(k)
    price = float(greeks(call, 3_000.0, strike, years, vol).price)
    worth = price - abs(3_000.0 - strike)
    if worth < 1e-4:
        return
    assert float(implied_volatility(call, 3_000.0, strike, years, price)) == pytest.approx(
        vol, rel=1e-8
    )


def test_the_whole_grid_of_the_oracle_at_once():
    vol, years, k = np.meshgrid(
        [0.2, 0.35, 0.5, 0.8, 1.1, 1.5], [0.01, 0.05, 0.25, 1.0], [-0.5, -0.3, -0.1, 0.0, 0.1, 0.3, 0.5]
    )  # fmt: skip
    price = greeks(k >= 0.0, 1.0, np.exp(k), years, vol).price
    told = price > 1e-12
    found = implied_volatility(k >= 0.0, 1.0, np.exp(k), years, price)
    assert told.sum() > 120
    assert (np.abs(found / vol - 1.0)[told]).max() <= 1e-12


@pytest.mark.parametrize(
    ("call", "forward", "strike", "years", "price"),
    [
        (True, 100.0, 110.0, 0.5, 0.0), (True, 100.0, 90.0, 0.5, 10.0), (True, 100.0, 90.0, 0.5, 9.0),
        (True, 100.0, 110.0, 0.5, 100.0), (False, 100.0, 110.0, 0.5, 110.0), (True, 100.0, 110.0, 0.0, 1.0),
        (True, -100.0, 110.0, 0.5, 1.0), (True, 100.0, 110.0, 0.5, math.nan), (True, 100.0, math.inf, 0.5, 1.0),
    ],
)  # fmt: skip
def test_where_no_volatility_gives_a_price_there_is_none(call, forward, strike, years, price):
    assert math.isnan(float(implied_volatility(call, forward, strike, years, price)))


@given(st.floats(1e-12, 0.999), st.floats(-6.0, 6.0))
def test_every_price_within_its_bounds_has_a_volatility_that_gives_it(share, k):
    """Bisection by the price alone finds the same."""
    call = out_of_the_money(k)
    strike = math.exp(k)
    price = share * (1.0 if call else strike)
    found = float(implied_volatility(call, 1.0, strike, 1.0, price))
    assert found > 0.0
    assert float(greeks(call, 1.0, strike, 1.0, found).price) == pytest.approx(price, rel=1e-11)
    low, high = 0.0, 50.0
    for _ in range(70):
        middle = 0.5 * (low + high)
        below = float(greeks(call, 1.0, strike, 1.0, middle).price) < price
        low, high = (middle, high) if below else (low, middle)
    assert found == pytest.approx(low, rel=1e-9)
