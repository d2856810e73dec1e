"""The exact layer: each position at its own price, its age and coverage told, nothing invented."""

import numpy as np
import pytest
from liquidations.accounts import KEY, NOW, PRICE, S, account, isolated, market

from airpocket.domain.accounts import LoanState
from airpocket.domain.units import HOUR_NS
from airpocket.liquidations.accounts import AccountsState
from airpocket.liquidations.grid import bucket_of
from airpocket.liquidations.measured import STALE_NS, layers_of
from airpocket.liquidations.records import LiquidationMap, Unmapped

LONG, SHORT = isolated(2.0, 2_800.0), isolated(-3.0, 3_150.0)


def layer(states, loans=(), **changes):
    found = layers_of(market(**changes), states, loans, S)
    return found[0] if found else None


def test_each_position_stands_in_the_bucket_of_its_own_price():
    found = layer([account("a", LONG), account("b", SHORT)])
    assert found.told.key == KEY
    assert found.longs[bucket_of(2_800.0, S.width) - found.first] == 2.0
    assert found.shorts[bucket_of(3_150.0, S.width) - found.first] == 3.0
    assert (found.longs.sum(), found.shorts.sum()) == (2.0, 3.0)
    assert found.told.held == (3.0, 2.0)
    assert found.told.coverage("long") == 0.002
    assert found.told.median_age_s == 1_800.0


def test_a_position_without_a_price_counts_for_coverage_and_stands_nowhere():
    endless = account("a", isolated(2.0, 100.0, told=False))
    found = layer([endless, account("b", SHORT)])
    assert found.longs.sum() == 0.0
    assert found.told.endless == (0.0, 2.0)
    assert found.told.coverage("long") == 0.002


def test_an_account_too_old_is_left_out_and_counted():
    old = account("a", LONG, age_h=25)
    found = layer([old, account("b", SHORT)])
    assert (found.told.accounts, found.told.stale) == (1, 1)
    assert layer([old]) is None
    edge = account("c", LONG, age_h=STALE_NS / HOUR_NS)
    assert layer([edge]).told.accounts == 1


def test_a_price_that_was_traded_since_the_answer_empties_its_position():
    late = account("a", SHORT, age_h=0.1)
    early = account("b", SHORT, age_h=2.0)
    spike = market(closes=(3_000.0, 3_160.0, 3_000.0), high=3_160.0)
    (found,) = layers_of(spike, [early, late], [], S)
    assert found.told.passed == (6.0, 0.0)  # both were heard before it
    calm = account("c", SHORT, age_h=-0.0 + 1 / 3_600)  # heard after the spike
    (found,) = layers_of(spike, [early, calm], [], S)
    assert found.told.passed == (3.0, 0.0)
    assert found.told.held == (3.0, 0.0)


def test_accounts_that_hold_more_than_is_open_shrink_to_it():
    found = layer([account("a", isolated(2.0, 2_800.0)), account("b", SHORT)], interest=2.5)
    assert found.told.scaled == (pytest.approx(2.5 / 3.0), 1.0)
    assert found.shorts.sum() == pytest.approx(2.5)
    assert found.told.coverage("short") == 1.0


def test_without_open_interest_coverage_is_unknown():
    found = layer([account("a", LONG)], interest=None)
    assert found.told.coverage("long") is None
    assert found.told.scaled == (1.0, 1.0)


def test_other_contracts_venues_and_flat_accounts_give_no_layer():
    assert layer([account("a", isolated(1.0, 100.0, symbol="BTC", mark=90_000.0))]) is None
    assert layer([account("a", LONG, venue="elsewhere")]) is None
    assert layer([account("a")]) is None


def test_an_account_of_the_future_is_refused():
    with pytest.raises(ValueError, match="look-ahead"):
        layer([account("a", LONG, age_h=-1)])


def loan(at=NOW - HOUR_NS, **changes):
    told = {"protocol": "aave_v3", "account": "0x1", "asset": "ETH", "ts": at, "usable_from": at,
            "collateral_coin": 10.0, "debt_coin": 0.0, "threshold": 0.8, "other_debt_usd": 22_400.0}  # fmt: skip
    return LoanState(**{**told, **changes})


def test_loans_are_a_layer_of_their_own_by_protocol():
    spark = loan(protocol="spark", account="0x2", other_debt_usd=20_000.0)
    gone = loan(account="0x3", at=NOW - 30 * HOUR_NS)
    found = layers_of(market(), [account("a", LONG)], [loan(), spark, gone], S)
    assert [each.told.key for each in found] == [KEY, "aave_v3:ETH", "spark:ETH"]
    aave = found[1]
    assert (aave.told.kind, aave.told.stale, aave.told.coverage("long")) == ("loans", 1, None)
    assert aave.longs[bucket_of(2_800.0, S.width) - aave.first] == 10.0


def test_the_newest_state_of_an_account_counts_whatever_the_order():
    new, old = account("a", LONG), account("a", isolated(9.0, 2_500.0), age_h=3)
    nothing = Unmapped("no open interest")
    for order in ((new, old), (old, new)):
        state = AccountsState()
        state.hear(order)
        found = state.blend(nothing, market(), S)
        assert isinstance(found, LiquidationMap)
        assert (found.longs.usd / found.middle).sum() == pytest.approx(2.0)
    empty = AccountsState()
    assert empty.blend(nothing, market(), S) is nothing
    empty.hear([loan(asset="BTC")])
    assert empty.blend(nothing, market(), S) is nothing


def test_an_hour_without_bars_since_takes_nothing_away():
    quiet = market(closes=(PRICE,), now=NOW)
    found = layers_of(quiet, [account("a", isolated(-1.0, PRICE * 1.0001), age_h=1 / 3_600)], [], S)
    assert found[0].told.passed == (0.0, 0.0)
    assert np.isclose(found[0].shorts.sum(), 1.0)
