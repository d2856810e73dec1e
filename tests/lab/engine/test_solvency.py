"""The lab's margin over arrays against the margin kernel, which is tested against the venues' own examples."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lab.hand import FIRST, market, open_position, set_mark

from airpocket.domain.units import parse_time
from airpocket.lab.exchange.solvency import (
    bankruptcy_price,
    liquidation_price,
    maintenance,
    short_of_margin,
)
from airpocket.lab.exchange.state import INVERSE, LINEAR
from airpocket.margin.kernel import Leg, bankruptcy, liquidation
from airpocket.margin.tiers import SizeSlope, table_from

START = parse_time("2026-03-02T00:00Z")
FLOORS, RATES = [0.0, 50.0, 400.0, 5_000.0], [0.004, 0.005, 0.01, 0.05]  # dollars
TABLE = table_from("test", "TEST", START, "test", {"floor": FLOORS, "mmr": RATES})
UNITS = tuple(
    (floor * 1_000.0, rate, cut * 1_000.0)
    for floor, rate, cut in zip(FLOORS, RATES, TABLE.deduction.tolist(), strict=True)
)
sides = st.sampled_from([1, -1])


@settings(max_examples=150, deadline=None)
@given(
    sides, st.integers(1, 50_000), st.integers(500, 2_000), st.floats(1.2, 90.0),
    st.sampled_from([0.0, 5e-4]),
)  # fmt: skip
def test_a_linear_position_is_liquidated_where_the_margin_kernel_says(
    sign: int, lots: int, entry: int, leverage: float, fee: float
) -> None:
    m = market(tiers=UNITS, counted_fee=fee)
    margin = max(1, int(lots * entry / leverage))
    open_position(m, FIRST, sign * lots, entry, margin, other=FIRST + 1)
    side = "long" if sign > 0 else "short"
    leg = Leg("linear", side, lots / 1_000.0, float(entry), margin / 1_000.0, fee)

    expected, broke = liquidation(leg, TABLE), bankruptcy(leg)
    found = float(liquidation_price(m, FIRST, 0))

    assume(expected.end == "root")
    assert found == pytest.approx(expected.price, rel=1e-9)
    assert float(bankruptcy_price(m, FIRST, 0)) == pytest.approx(broke.price or 0.0, rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(sides, st.integers(100, 5_000_000), st.integers(500, 2_000), st.floats(1.2, 45.0))
def test_an_inverse_position_with_a_rate_that_grows_with_size_is_liquidated_where_the_kernel_says(
    sign: int, dollars: int, entry: int, leverage: float
) -> None:
    rule = SizeSlope("test", "TEST", START, "test", 0.02, 0.01, 4e-6)
    m = market(form=INVERSE, tiers=((0.0, 0.01, 0.0),), slope=4e-6)
    margin = int(dollars / entry / leverage * 1e12)
    open_position(m, FIRST, sign * dollars, entry, margin, other=FIRST + 1)
    side = "long" if sign > 0 else "short"
    leg = Leg("inverse", side, float(dollars), float(entry), margin / 1e12)

    expected, broke = liquidation(leg, rule), bankruptcy(leg)
    found = float(liquidation_price(m, FIRST, 0))

    if expected.end == "root":
        assert found == pytest.approx(expected.price, rel=1e-8)
    else:
        assert math.isnan(found)
    if broke.price is not None:
        assert float(bankruptcy_price(m, FIRST, 0)) == pytest.approx(broke.price, rel=1e-8)


@settings(max_examples=60, deadline=None)
@given(sides, st.sampled_from([LINEAR, INVERSE]), st.integers(1_000, 50_000), st.floats(2.0, 60.0))
def test_an_account_is_short_of_margin_from_its_liquidation_price_on(
    sign: int, form: int, lots: int, leverage: float
) -> None:
    m = market(form=form, tiers=((0.0, 0.005, 0.0),))
    value = lots * 1_000 if form == LINEAR else lots * 10**9
    open_position(m, FIRST, sign * lots, 1_000, int(value / leverage), other=FIRST + 1)
    price = float(liquidation_price(m, FIRST, 0))

    set_mark(m, price * (1.0 + sign * 1e-4))
    before = bool(short_of_margin(m, FIRST))
    set_mark(m, price * (1.0 - sign * 1e-4))
    after = bool(short_of_margin(m, FIRST))

    assert (before, after) == (False, True)


def test_a_cross_account_is_backed_by_the_profit_of_its_other_leg_less_that_legs_maintenance() -> (
    None
):
    m = market(contracts=2)
    open_position(m, FIRST, 1_000, 1_000, 100_000, other=FIRST + 1)  # 1 coin long, 100 dollars
    open_position(m, FIRST, -500, 1_000, 0, other=FIRST + 1, book=1)
    set_mark(m, 900.0, book=1)  # 50 dollars won there, 2.25 to be kept

    leg = Leg("linear", "long", 1.0, 1_000.0, 100.0 + 50.0 - 2.25)
    expected = liquidation(leg, table_from("t", "T", START, "t", {"floor": [0.0], "mmr": [0.005]}))

    assert float(liquidation_price(m, FIRST, 0)) == pytest.approx(expected.price, rel=1e-9)
    assert float(maintenance(m, FIRST)) == pytest.approx(1_000.0 * (5.0 + 2.25))
