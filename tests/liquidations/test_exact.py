"""Where accounts and loans are liquidated: the oracles, cross accounts as prices move, nulls respected."""

import json
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from liquidations.accounts import account, isolated

from airpocket.domain.accounts import Holding, LoanState
from airpocket.domain.units import parse_time
from airpocket.liquidations.exact import (
    liquidation_of,
    loan_liquidation,
    newest_marks,
    price_now,
    schedule_in_force,
)
from airpocket.margin.bundled import hyperliquid_mmr
from airpocket.margin.tiers import table_from

AT = parse_time("2026-06-01T00:00Z")


def flat(mmr):
    table = table_from("hyperliquid", "any", AT, "made", {"floor": (0.0,), "mmr": (mmr,)})
    return lambda *_: table


def cross(symbol, size, mark, cash, told=None):
    return Holding(symbol=symbol, size_coin=size, mark=mark, backing="cross", cash_usd=cash,
                   liquidation_price=told, max_leverage_x=25.0)  # fmt: skip


@pytest.mark.real
def test_the_venue_s_own_positions_are_liquidated_where_it_said(shared):
    """Every Hyperliquid case of the oracles, as a holding of a public account."""
    cases = json.loads((shared / "oracles" / "margin.json").read_text())
    mine = [c for c in cases
            if c["function"] == "liquidation_price" and c["inputs"].get("venue") == "hyperliquid"]  # fmt: skip
    assert len(mine) >= 18
    for case in mine:
        told = case["inputs"]
        size = told["quantity_coin"] * (1.0 if told["side"] == "long" else -1.0)
        entry, margin = told["entry_price_usd"], told["collateral_usd"]
        held = Holding(symbol=told["coin"], size_coin=size, mark=entry, backing="isolated",
                       cash_usd=margin - size * entry, max_leverage_x=told["max_leverage_x"])  # fmt: skip
        mmr = hyperliquid_mmr(told["max_leverage_x"])
        found = liquidation_of(account("a", held), held, {}, flat(mmr))
        expected = case["expected"]["liquidation_price_usd"]
        assert found == pytest.approx(expected, rel=case["tolerance"]["rel"]), case["id"]


@given(
    sizes=st.lists(st.floats(-50, 50).filter(lambda x: abs(x) > 0.01), min_size=2, max_size=5),
    cash=st.floats(-1e5, 1e6), moves=st.lists(st.floats(0.5, 2.0), min_size=5, max_size=5),
    mmr=st.sampled_from([0.005, 0.01, 0.02, 0.05]),
)  # fmt: skip
def test_at_its_liquidation_price_a_cross_account_has_just_its_maintenance(sizes, cash, moves, mmr):
    """Equity = Σ maintenance at the price found, all other legs at the marks of now."""
    marks = {f"C{k}": 1_000.0 * (k + 1) for k in range(len(sizes))}
    legs = [cross(name, size, marks[name], cash) for name, size in zip(marks, sizes, strict=True)]
    now = {name: mark * move for (name, mark), move in zip(marks.items(), moves, strict=False)}
    for leg in legs:
        price = liquidation_of(account("a", *legs), leg, now, flat(mmr))
        if price is None:
            continue
        prices = {**now, leg.symbol: price}
        equity = cash + sum(each.size_coin * prices[each.symbol] for each in legs)
        kept = sum(mmr * abs(each.size_coin) * prices[each.symbol] for each in legs)
        assert equity == pytest.approx(kept, rel=1e-9, abs=1e-4)


def test_a_loss_elsewhere_brings_a_cross_position_s_price_nearer():
    legs = [cross("ETH", 10.0, 3_000.0, 20_000.0), cross("BTC", -0.5, 90_000.0, 20_000.0)]
    both, schedule = account("a", *legs), flat(0.02)
    calm = liquidation_of(both, legs[0], {"BTC": 90_000.0}, schedule)
    worse = liquidation_of(both, legs[0], {"BTC": 92_000.0}, schedule)
    assert 2_600.0 < calm < worse < 3_000.0
    assert liquidation_of(both, legs[0], {}, schedule) == calm


def test_what_the_venue_calls_null_stays_null_until_it_is_no_more():
    """A cross long with cash to spare has none; once another leg has lost enough, the kernel gives one."""
    schedule = flat(0.02)
    legs = [cross("ETH", 1.0, 3_000.0, 46_000.0), cross("BTC", -0.5, 90_000.0, 46_000.0)]
    state = account("a", *legs)
    then = liquidation_of(state, legs[0], {}, schedule)
    assert then is None
    assert price_now(state, legs[0], {}, schedule) == (None, False)
    price, as_told = price_now(state, legs[0], {"BTC": 94_000.0}, schedule)
    assert not as_told
    assert 0.0 < price < 3_000.0


def test_a_price_that_our_rule_does_not_give_stands_as_told():
    """Portfolio margin, say: the venue's own figure is kept, and its null is never filled in."""
    held = isolated(1.0, 2_700.0)
    odd = Holding(symbol="ETH", size_coin=1.0, mark=3_000.0, backing="isolated", cash_usd=held.cash_usd,
                  liquidation_price=2_500.0, max_leverage_x=25.0)  # fmt: skip
    assert price_now(account("a", held), held, {}, flat(0.02)) == (2_700.0, False)
    assert price_now(account("a", odd), odd, {}, flat(0.02)) == (2_500.0, True)
    null = isolated(1.0, 2_700.0, told=False)
    assert price_now(account("a", null), null, {}, flat(0.02)) == (None, True)
    assert price_now(account("a", held), held, {}, lambda *_: None) == (2_700.0, True)


def test_the_schedule_is_the_published_one_unless_the_venue_tells_another_leverage():
    published = schedule_in_force("hyperliquid", "ETH", AT, 25.0)
    assert len(published) == 2
    told = schedule_in_force("hyperliquid", "ETH", AT, 10.0)
    assert (len(told), told.mmr[0]) == (1, 0.05)
    assert schedule_in_force("hyperliquid", "NEW", AT, 3.0).mmr[0] == pytest.approx(1 / 6)
    assert schedule_in_force("hyperliquid", "NEW", AT, None) is None


def test_the_newest_mark_of_each_contract_counts():
    old = account("a", isolated(1.0, 2_000.0, mark=2_900.0), age_h=2)
    new = account("b", isolated(-1.0, 4_000.0, mark=3_100.0), age_h=1)
    assert newest_marks([new, old]) == newest_marks([old, new]) == {"ETH": 3_100.0}


def loan(**changes):
    told = {"protocol": "aave_v3", "account": "0x1", "asset": "ETH", "ts": AT, "usable_from": AT,
            "collateral_coin": 10.0, "debt_coin": 0.0, "threshold": 0.83, "other_debt_usd": 16_600.0}  # fmt: skip
    return LoanState(**{**told, **changes})


def test_a_loan_against_the_asset_falls_with_it_and_a_loan_of_it_rises_against_it():
    """Health factor 1: collateral × price × threshold = debt (Aave's documentation)."""
    assert loan_liquidation(loan()) == ("long", 10.0, pytest.approx(2_000.0))
    assert loan_liquidation(loan(close_share=0.5))[1] == 5.0
    short = loan(
        collateral_coin=0.0, debt_coin=4.0, other_collateral_usd=16_000.0, other_debt_usd=0.0
    )
    assert loan_liquidation(short) == ("short", 4.0, pytest.approx(4_000.0))


def test_a_loan_that_its_other_collateral_covers_has_no_price():
    assert loan_liquidation(loan(other_collateral_usd=20_000.0))[2] is None
    assert loan_liquidation(loan(collateral_coin=0.0, other_debt_usd=5.0))[2] is None


@given(
    st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0.3, 0.95), st.floats(0, 1e8), st.floats(0, 1e8)
)
def test_at_its_price_a_loan_s_health_is_one(coin, debt, threshold, other, owed):
    one = loan(collateral_coin=coin, debt_coin=debt, threshold=threshold,
               other_collateral_usd=other, other_debt_usd=owed)  # fmt: skip
    _, _, price = loan_liquidation(one)
    assume(price is not None and 1e-3 < price < 1e9)
    backing, owing = coin * price * threshold + other, debt * price + owed
    assert math.isclose(backing, owing, rel_tol=1e-6, abs_tol=1e-3)
