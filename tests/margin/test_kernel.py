"""The kernel against a root finder of its own, and what must hold for every position."""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from airpocket.domain.errors import MarginError
from airpocket.margin.kernel import (
    Leg,
    bankruptcy,
    initial_margin,
    liquidation,
    liquidation_at_rate,
    round_to_tick,
)
from airpocket.margin.legacy import (
    entry_value_liquidation,
    hedged_liquidation,
    inverse_cross_liquidation,
)
from airpocket.margin.tiers import SizeSlope, table_from

ETH = table_from(
    "binance_usdm", "ETHUSDT", 0, "test",
    {
        "floor": (0, 5e4, 6e5, 3e6, 1.2e7, 5e7, 6.5e7, 1.5e8, 3.2e8, 4e8, 5.3e8, 8e8),
        "mmr": (0.004, 0.005, 0.0065, 0.01, 0.02, 0.025, 0.05, 0.1, 0.125, 0.15, 0.25, 0.5),
    },
)  # fmt: skip
COIN = table_from(
    "binance_coinm", "ETHUSD_PERP", 0, "test",
    {"floor": (0, 50, 500, 5_000), "mmr": (0.005, 0.01, 0.025, 0.1)}, currency="ETH",
)  # fmt: skip
SLOPE = SizeSlope("deribit", "BTC-PERPETUAL", 0, "test", 0.02, 0.01, 5e-5)

sides = st.sampled_from(["long", "short"])
entries = st.floats(1e-6, 1e6)
leverages = st.floats(1.001, 150.0)
fees = st.sampled_from([0.0, 0.0006])


def by_bisection(gap, low, high):
    """The sign change of a monotone function, on a log scale; None where the ends agree."""
    below, above = gap(low), gap(high)
    if (below > 0) == (above > 0):
        return None
    for _ in range(200):
        middle = math.sqrt(low * high)
        if (gap(middle) > 0) == (below > 0):
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)


def plain_gap(form, side, quantity, entry, collateral, fee, rows):
    """Equity minus maintenance written out anew: a loop over tiers, the steps of maintenance summed."""
    floors, rates = rows

    def gap(price):
        sign = 1 if side == "long" else -1
        if form == "linear":
            notional, profit = quantity * price, sign * quantity * (price - entry)
        else:
            notional, profit = quantity / price, sign * quantity * (1 / entry - 1 / price)
        maintenance = 0.0
        for k, (floor, rate) in enumerate(zip(floors, rates, strict=True)):
            cap = floors[k + 1] if k + 1 < len(floors) else math.inf
            maintenance += rate * max(0.0, min(notional, cap) - floor)
        return collateral + profit - maintenance - fee * notional

    return gap


@given(st.sampled_from(["linear", "inverse"]), sides, st.floats(1.0, 5e8), entries, leverages, fees)
@example("linear", "short", 2_970_000.0, 3_000.0, 10.0, 0.0)
@example("inverse", "long", 3e6, 2_000.0, 3.0, 0.0)
def test_equity_meets_maintenance_there_and_nowhere_else(
    form, side, worth_usd, entry, leverage, fee
):
    quantity = worth_usd / entry if form == "linear" else worth_usd
    table = ETH if form == "linear" else COIN
    margin = (worth_usd if form == "linear" else worth_usd / entry) / leverage
    found = liquidation(Leg(form, side, quantity, entry, margin, fee), table)
    gap = plain_gap(form, side, quantity, entry, margin, fee, (table.floor, table.mmr))
    root = by_bisection(gap, entry / 1e9, entry * 1e9)
    if found.price is None:
        assert found.end == "never"
        assert root is None
        return
    assert root == pytest.approx(found.price, rel=1e-6)
    scale = (worth_usd if form == "linear" else worth_usd / entry) * 1e-9
    notional = quantity * found.price if form == "linear" else quantity / found.price
    assert gap(found.price) == pytest.approx(0.0, abs=scale + 1e-9 * notional)
    assert table.floor[found.tier] <= notional * (1 + 1e-12)
    assert notional <= table.cap[found.tier] * (1 + 1e-12)


@given(sides, st.floats(1e3, 1e8), leverages, leverages)
def test_more_leverage_never_moves_liquidation_away(side, worth_usd, one, other):
    low, high = sorted((one, other))
    prices = []
    for leverage in (low, high):
        leg = Leg("linear", side, worth_usd / 3_000.0, 3_000.0, worth_usd / leverage)
        prices.append(liquidation(leg, ETH).price)
    calm, bold = prices
    if side == "long":
        assert bold is None or calm is None or calm <= bold * (1 + 1e-12)
        assert bold is not None or calm is None
    else:
        assert bold <= calm * (1 + 1e-12)


@given(sides, st.floats(1e3, 1e7), st.floats(1.01, 20.0))
def test_a_position_with_room_is_liquidated_on_its_losing_side(side, worth_usd, leverage):
    leg = Leg("linear", side, worth_usd / 3_000.0, 3_000.0, worth_usd / leverage)
    found, broke = liquidation(leg, ETH), bankruptcy(leg)
    if side == "long":
        assert broke.price < found.price < leg.entry
    else:
        assert leg.entry < found.price < broke.price


@given(sides, entries, st.floats(1.05, 100.0), st.floats(0.0, 0.005))
def test_an_inverse_contract_is_the_linear_one_in_the_inverted_price(side, entry, leverage, mmr):
    other = "short" if side == "long" else "long"
    inverse = liquidation_at_rate(Leg("inverse", side, 100.0, entry, 100.0 / entry / leverage), mmr)
    linear = liquidation_at_rate(
        Leg("linear", other, 100.0, 1.0 / entry, 100.0 / entry / leverage), mmr
    )
    assert inverse.end == linear.end
    if inverse.price is not None:
        assert inverse.price == pytest.approx(1.0 / linear.price, rel=1e-9)


def test_bankruptcy_prices_of_isolated_contracts_are_the_textbook_ones():
    def broke(form, side, leverage):
        notional = 10_000.0 if form == "linear" else 1.0 / 10_000.0
        return bankruptcy(Leg(form, side, 1.0, 10_000.0, notional / leverage)).price

    assert broke("linear", "long", 50.0) == pytest.approx(9_800.0)
    assert broke("linear", "short", 50.0) == pytest.approx(10_200.0)
    assert broke("inverse", "long", 50.0) == pytest.approx(10_000.0 * 50 / 51)
    assert broke("inverse", "short", 50.0) == pytest.approx(10_000.0 * 50 / 49)


@pytest.mark.parametrize(
    ("form", "side", "margin"),
    [("linear", "long", 3_000.0), ("linear", "long", 5_000.0), ("inverse", "short", 1 / 3_000)],
)
def test_full_cover_is_never_liquidated(form, side, margin):
    assert liquidation_at_rate(Leg(form, side, 1.0, 3_000.0, margin), 0.005).end == "never"
    assert liquidation_at_rate(Leg(form, side, 1.0, 3_000.0, margin), 0.005).price is None


def test_a_debt_beyond_the_position_is_liquidatable_everywhere():
    found = liquidation(Leg("linear", "short", 1.0, 3_000.0, -3_001.0), ETH)
    assert (found.price, found.end) == (None, "always")


def test_a_margin_below_maintenance_puts_the_price_on_the_far_side_of_the_entry():
    leg = Leg("linear", "long", 10.0, 3_000.0, 30_000.0 / 500.0)
    assert liquidation(leg, ETH).price > 3_000.0


@given(sides, st.floats(1e3, 1e8), st.floats(1.5, 40.0))
def test_the_size_sloped_rule_balances_in_coin(side, worth_usd, leverage):
    entry = 60_000.0
    margin = worth_usd / entry / leverage
    leg = Leg("inverse", side, worth_usd, entry, margin)
    found = liquidation(leg, SLOPE)
    sign = 1 if side == "long" else -1

    def gap(price):
        size = worth_usd / price
        need = (0.01 + 5e-5 * size) * size
        return margin + sign * worth_usd * (1 / entry - 1 / price) - need

    assume(gap(entry) > 0)
    assert found.price is not None
    away = (entry / 50.0, entry) if side == "long" else (entry, entry * 1e6)
    assert by_bisection(gap, *away) == pytest.approx(found.price, rel=1e-9)
    assert found.mmr == pytest.approx(0.01 + 5e-5 * worth_usd / found.price)


def test_a_linear_size_sloped_contract_has_the_rate_of_its_size():
    leg = Leg("linear", "short", 350.0, 100_000.0, 3_500_000.0)
    found = liquidation(leg, SLOPE)
    assert found.mmr == pytest.approx(0.0275)
    assert found.price == pytest.approx((3_500_000 + 35_000_000) / (350 * 1.0275))


def test_the_entry_value_estimate_lies_a_second_order_term_away():
    for side, sign in (("long", 1), ("short", -1)):
        leg = Leg("linear", side, 2.0, 20_000.0, 4_000.0)
        distance = (0.1 - 0.005) / (1 - sign * 0.005)
        classic, kernel = entry_value_liquidation(leg, 0.005), liquidation_at_rate(leg, 0.005)
        assert kernel.price - classic.price == pytest.approx(-20_000 * 0.005 * distance)
    whole = Leg("linear", "long", 1.0, 10.0, 11.0)
    assert entry_value_liquidation(whole, 0.01).end == "never"


def test_the_old_inverse_cross_short_with_a_full_wallet_is_never_liquidated():
    covered = Leg("inverse", "short", 10_000.0, 8_000.0, 2.0, 0.00075)
    assert inverse_cross_liquidation(covered, 0.005).price is None
    thin = Leg("inverse", "short", 10_000.0, 8_000.0, 0.5, 0.00075)
    found = inverse_cross_liquidation(thin, 0.005)
    broke = bankruptcy(thin).price
    assert 8_000.0 < found.price < broke


@given(
    st.floats(0.1, 500.0), st.floats(0.1, 500.0), st.floats(2_500.0, 3_500.0), st.floats(5e3, 5e5)
)
def test_hedge_mode_agrees_with_the_published_formula(long_coin, short_coin, entry, wallet):
    legs = (
        Leg("linear", "long", long_coin, entry, 0.0),
        Leg("linear", "short", short_coin, 3_000.0, 0.0),
    )

    def tier(price, coin):
        return ETH.rate_at(price * coin)

    def gap(price):
        profit = long_coin * (price - entry) - short_coin * (price - 3_000.0)
        need = sum(
            price * q * tier(price, q)[0] - tier(price, q)[1] for q in (long_coin, short_coin)
        )
        return wallet + profit - need

    assume(gap(3_000.0) > 0)
    below, above = hedged_liquidation(legs, wallet, ETH, 3_000.0)
    for price in (below, above):
        if price is None:
            continue
        (m_long, c_long), (m_short, c_short) = tier(price, long_coin), tier(price, short_coin)
        top = wallet + c_long + c_short - long_coin * entry + short_coin * 3_000.0
        bottom = long_coin * m_long + short_coin * m_short - long_coin + short_coin
        assert price == pytest.approx(top / bottom, rel=1e-6)
    assert (below is None) == (by_bisection(gap, 1e-6, 3_000.0) is None)
    assert (above is None) == (by_bisection(gap, 3_000.0, 1e12) is None)


def test_hedge_mode_wants_a_long_and_a_short_with_margin_left():
    long, short = (Leg("linear", side, 1.0, 3_000.0, 0.0) for side in ("long", "short"))
    with pytest.raises(MarginError, match="a long and a short"):
        hedged_liquidation((short, long), 100.0, ETH, 3_000.0)
    with pytest.raises(MarginError, match="mark price 3000"):
        hedged_liquidation((long, short), 1.0, ETH, 3_000.0)


@pytest.mark.parametrize(
    ("price", "side", "tick", "expected"),
    [
        (5739.08, "long", 0.5, 5739.5),
        (5739.08, "short", 0.5, 5739.0),
        (0.3, "long", 0.1, 0.3),
        (0.30000000000000004, "long", 0.1, 0.3),
        (2_999.9999999999995, "short", 0.01, 3_000.0),
    ],
)
def test_ticks_round_against_the_holder_and_leave_the_grid_alone(price, side, tick, expected):
    assert round_to_tick(price, tick, side) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"quantity": 0.0}, "quantity must be positive, not 0"),
        ({"quantity": -1.0}, "quantity must be positive, not -1"),
        ({"entry": math.nan}, "entry price must be positive, not nan"),
        ({"collateral": math.inf}, "collateral must be a number, not inf"),
        ({"fee": 1.0}, "fee must lie between 0 and 1, not 1"),
    ],
)
def test_impossible_positions_are_refused_by_name(change, said):
    numbers = {"quantity": 1.0, "entry": 10.0, "collateral": 1.0, "fee": 0.0} | change
    with pytest.raises(MarginError, match=said):
        Leg("linear", "long", **numbers)


def test_impossible_rates_ticks_and_leverages_are_refused():
    leg = Leg("linear", "long", 1.0, 10.0, 1.0, 0.5)
    with pytest.raises(MarginError, match="rate must lie between 0 and 1, not 1"):
        liquidation_at_rate(leg, 1.0)
    with pytest.raises(MarginError, match="together reach 1"):
        liquidation_at_rate(leg, 0.6)
    with pytest.raises(MarginError, match="tick must be positive"):
        round_to_tick(10.0, 0.0, "long")
    with pytest.raises(MarginError, match="leverage must be positive, not 0"):
        initial_margin(leg, 0.0)


def test_maintenance_is_continuous_over_every_edge():
    for edge in ETH.floor[1:]:
        around = [ETH.maintenance(edge * factor) for factor in (1 - 1e-12, 1.0, 1 + 1e-12)]
        assert np.ptp(around) <= 1e-9 * edge


@pytest.mark.fault("M08")
@pytest.mark.parametrize(
    ("form", "side", "quantity", "pnl_at_2000", "pnl_at_5000", "usd_at_2000"),
    [  # opened at 2500: 4 coins, or 10,000 dollars of contracts, which were 4 coins then
        ("linear", "long", 4.0, -2_000.0, 10_000.0, -2_000.0),
        ("linear", "short", 4.0, 2_000.0, -10_000.0, 2_000.0),
        ("inverse", "long", 10_000.0, -1.0, 2.0, -2_000.0),
        ("inverse", "short", 10_000.0, 1.0, -2.0, 2_000.0),
    ],
)
def test_profit_by_hand_of_either_form(form, side, quantity, pnl_at_2000, pnl_at_5000, usd_at_2000):
    leg = Leg(form, side, quantity, 2_500.0, 100.0)
    assert leg.equity(2_000.0) - 100.0 == pytest.approx(pnl_at_2000)
    assert leg.equity(5_000.0) - 100.0 == pytest.approx(pnl_at_5000)
    in_usd = pnl_at_2000 * (2_000.0 if form == "inverse" else 1.0)
    assert in_usd == usd_at_2000
