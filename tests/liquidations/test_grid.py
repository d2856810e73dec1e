"""The map's grid: buckets of log-price and where a leverage class is liquidated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.liquidations.grid import bucket_of, edges, liquidation_factor


@given(st.floats(1e-6, 1e7), st.floats(1e-4, 0.05))
def test_a_price_lies_in_its_own_bucket(price: float, width: float):
    first = bucket_of(price, width)
    low, high = edges(first, 1, width)
    assert low <= price * (1 + 1e-9)
    assert price <= high * (1 + 1e-9)


@given(st.sampled_from(["short", "long"]), st.floats(1.5, 100), st.floats(0.0, 0.009))
def test_equity_equals_maintenance_at_the_liquidation_price(
    side, leverage: float, maintenance: float
):
    price = liquidation_factor(side, leverage, maintenance)
    sign = 1.0 if side == "long" else -1.0
    equity = 1.0 / leverage + sign * (price - 1.0)
    assert equity == pytest.approx(maintenance * price, abs=1e-12)
