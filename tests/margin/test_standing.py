"""How positions stand: against numbers worked by hand, and the errors that name what is missing."""

import itertools
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.errors import BadInput, MarginError
from airpocket.domain.positions import Position
from airpocket.domain.units import parse_time
from airpocket.margin.bundled import schedules_of
from airpocket.margin.rules import RULES, rules_in_force, venues_with_rules
from airpocket.margin.standing import standing
from airpocket.margin.tiers import table_from

NOW = parse_time("2025-07-16T12:00Z")


def position(**change):
    fields = {
        "venue": "binance_usdm", "symbol": "ETHUSDT", "side": "short", "size_coin": 10.0,
        "entry_price": 3_000.0, "opened_at": NOW, "margin_mode": "isolated", "leverage_x": 20.0,
    }  # fmt: skip
    return Position(**(fields | change))


def rules_of(one, now=NOW):
    schedules = schedules_of(one.venue, one.symbol, now)
    return (schedules[-1] if schedules else None), rules_in_force(one.venue, one.symbol, now)


def stands(one, mark, now=NOW):
    return standing(one, mark, *rules_of(one, now))


def test_an_isolated_short_by_hand():
    found = stands(position(), 3_100.0)
    assert found.notional_usd == 31_000.0
    assert found.unrealised_usd == pytest.approx(-1_000.0)
    assert found.equity_usd == pytest.approx(500.0)
    assert found.maintenance_usd == pytest.approx(124.0)
    assert found.buffer_multiple == pytest.approx(500 / 124)
    assert found.liquidation_price == pytest.approx(
        3137.4501992032
    )  # the tier table's known answer
    assert found.bankruptcy_price == pytest.approx(3_150.0)
    assert found.liquidation_distance_percent == pytest.approx((3137.4501992 / 3_100 - 1) * 100)
    assert found.effective_leverage == pytest.approx(62.0)
    assert (found.mmr_fraction, found.mmr_at_liquidation) == (0.004, 0.004)
    assert found.venue_max_leverage == 125.0
    assert not found.already_liquidatable
    assert found.schedule_as_of == parse_time("2024-10-24T00:00Z")


def test_the_tier_at_liquidation_decides_not_the_tier_at_entry():
    found = stands(position(size_coin=990.0, leverage_x=10.0), 3_000.0)
    assert found.liquidation_price == pytest.approx(3278.7778777878)
    assert (found.mmr_fraction, found.mmr_at_liquidation) == (0.0065, 0.01)


def test_cross_is_backed_by_the_wallet_and_isolated_by_what_was_assigned():
    cross = position(margin_mode="cross", leverage_x=None, wallet_usd=20_000.0)
    assert stands(cross, 3_000.0).equity_usd == 20_000.0
    assigned = position(wallet_usd=4_500.0)
    assert stands(assigned, 3_000.0).equity_usd == 4_500.0


def test_a_fully_covered_long_has_no_liquidation_price():
    found = stands(position(side="long", leverage_x=1.0), 3_000.0)
    assert found.liquidation_price is None
    assert found.liquidation_distance_percent is None
    assert found.bankruptcy_price is None
    assert not found.already_liquidatable


def test_beyond_its_liquidation_price_a_position_says_so():
    found = stands(position(), 3_140.0)
    assert found.already_liquidatable
    assert found.liquidation_distance_percent < 0
    broke = stands(position(), 3_200.0)
    assert broke.effective_leverage is None
    assert broke.buffer_multiple < 0


def test_an_inverse_contract_on_deribit_balances_in_coin():
    one = position(
        venue="deribit", symbol="BTC-PERPETUAL", side="long", size_coin=2.0, entry_price=60_000.0,
        margin_mode="cross", leverage_x=None, wallet_usd=25_000.0,
    )  # fmt: skip
    found = stands(one, 50_000.0)
    coin = 120_000.0 / 50_000.0
    assert found.notional_usd == pytest.approx(120_000.0)
    assert found.unrealised_usd == pytest.approx((2.0 - coin) * 50_000.0)
    assert found.equity_usd == pytest.approx(25_000.0 - 20_000.0)
    assert found.maintenance_usd == pytest.approx((0.01 + 5e-5 * coin) * coin * 50_000.0)
    assert found.venue_max_leverage == pytest.approx(1 / (0.02 + 5e-5 * coin))
    coins = 25_000.0 / 50_000.0  # of the wallet: they stay as many where price goes
    held = msgspec.structs.replace(one, wallet_usd=coins * found.liquidation_price)
    there = stands(held, found.liquidation_price)
    assert there.equity_usd == pytest.approx(there.maintenance_usd, rel=1e-9)


def test_a_venue_that_counts_the_closing_fee_liquidates_earlier():
    tiers = table_from("okx", "ETH-USDT-SWAP", NOW, "test", {"floor": (0.0,), "mmr": (0.01,)})
    one = position(
        venue="okx", symbol="ETH-USDT-SWAP", entry_price=10.0, size_coin=1.0, leverage_x=5
    )
    rules = rules_in_force("okx", "ETH-USDT-SWAP", NOW)
    found = standing(one, 10.0, tiers, rules)
    assert found.liquidation_price == pytest.approx(12.0 / (1 + 0.01 + rules.liquidation_fee))
    assert found.maintenance_usd == pytest.approx(10.0 * (0.01 + rules.liquidation_fee))


def test_bybits_old_estimate_keeps_maintenance_on_the_entry_value_and_the_new_one_does_not():
    tiers = table_from("bybit_linear", "BTCUSDT", 0, "test", {"floor": (0.0,), "mmr": (0.005,)})
    one = position(
        venue="bybit_linear", symbol="BTCUSDT", side="long", size_coin=1.0, entry_price=20_000.0,
        leverage_x=50.0,
    )  # fmt: skip
    old = standing(one, 19_900.0, tiers, rules_in_force("bybit_linear", "BTCUSDT", NOW))
    assert old.liquidation_price == pytest.approx(19_700.0)
    assert old.maintenance_usd == pytest.approx(100.0)
    later = rules_in_force("bybit_linear", "BTCUSDT", parse_time("2026-06-01T00:00Z"))
    new = standing(one, 19_900.0, tiers, later)
    assert new.maintenance_usd == pytest.approx(19_900.0 * (0.005 + later.liquidation_fee))
    assert new.liquidation_price > old.liquidation_price


@given(
    st.sampled_from(["long", "short"]), st.floats(0.01, 5_000.0), st.floats(1.2, 20.0),
    st.floats(0.96, 1.04),
)  # fmt: skip
def test_at_the_liquidation_price_equity_is_maintenance(side, size, leverage, move):
    one = position(side=side, size_coin=size, leverage_x=leverage)
    tiers, rules = rules_of(one)
    found = standing(one, 3_000.0 * move, tiers, rules)
    assert found.liquidation_price is not None
    there = standing(one, found.liquidation_price, tiers, rules)
    assert there.equity_usd == pytest.approx(there.maintenance_usd, rel=1e-6)
    room = found.liquidation_distance_percent
    assert (room > 0) == (not found.already_liquidatable) or abs(room) < 1e-9


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"margin_mode": "portfolio"}, "margin_mode 'portfolio' is not supported"),
        ({"margin_mode": "cross"}, "wallet_usd is missing"),
        ({"margin_mode": "cross", "wallet_usd": 0.0}, "wallet_usd must be positive, not 0"),
        ({"wallet_usd": -5.0}, "wallet_usd must be positive, not -5"),
        ({"leverage_x": None}, "leverage_x is missing"),
        ({"leverage_x": 0.0}, "leverage_x must be positive, not 0"),
        ({"leverage_x": 150.0}, "leverage_x 150 is above the 125 that binance_usdm ETHUSDT grants"),
        ({"leverage_x": 101.0, "size_coin": 100.0}, "leverage_x 101 is above the 100"),
        ({"venue": "okx", "symbol": "ETH-USDT-SWAP"}, "no maintenance tiers are known for okx"),
        ({"venue": "lighter", "symbol": "ETH"}, "no margin rules are known for lighter ETH"),
    ],
)
def test_what_cannot_be_answered_names_field_and_value(change, said):
    with pytest.raises(MarginError, match=said):
        stands(position(**change), 3_000.0)


def test_a_size_above_the_largest_tier_is_refused():
    tiers = table_from("v", "S", 0, "test", {"floor": (0.0,), "mmr": (0.01,)}, top_cap=20_000.0)
    with pytest.raises(MarginError, match="size_coin 10: 30,000 USDT at 3000 is above the largest"):
        standing(position(), 3_000.0, tiers, rules_in_force("binance_usdm", "ETHUSDT", NOW))


@pytest.mark.parametrize("mark", [0.0, -1.0, math.nan, math.inf])
def test_a_mark_that_is_no_price_is_refused(mark):
    with pytest.raises(BadInput, match="mark must be positive"):
        stands(position(), mark)


def test_every_venue_has_one_rule_at_a_time_and_its_dates_follow_each_other():
    for rules in RULES:
        assert rules.valid_from < rules.valid_to
        same = [r for r in RULES if (r.venue, r.form) == (rules.venue, rules.form)]
        spans = sorted((r.valid_from, r.valid_to) for r in same)
        assert all(early[1] <= late[0] for early, late in itertools.pairwise(spans))
    assert "hyperliquid" in venues_with_rules()


def test_a_closed_venue_has_no_rules_afterwards():
    assert rules_in_force("bitmex", "XBTUSD", NOW).form == "inverse"
    assert rules_in_force("bitmex", "XBTUSD", parse_time("2026-10-01T00:00Z")) is None
    assert rules_in_force("okx", "ETH-USD-SWAP", NOW).form == "inverse"


def test_the_fields_are_what_others_read():
    assert msgspec.to_builtins(stands(position(), 3_000.0))["buffer_multiple"] > 1
