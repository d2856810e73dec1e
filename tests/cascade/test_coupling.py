"""Wallets that hold several coins: a move of one forces the others, as the accounts say and no more."""

import numpy as np
import pytest

from airpocket.cascade.coupling import Coupling, Uncoupled, coupling_of, ignited
from airpocket.domain.accounts import AccountState, Holding
from airpocket.domain.units import HOUR_NS, parse_time
from airpocket.margin.tiers import table_from

NOW = parse_time("2026-06-01T00:00Z")
ETH, BTC = 3_000.0, 100_000.0


def flat(venue, symbol, at, _):
    return table_from(venue, symbol, at, "made", {"floor": (0.0,), "mmr": (0.02,)}, currency="USDC")


def holding(symbol, coin, cash, backing="cross"):
    mark = ETH if symbol == "ETH" else BTC
    return Holding(symbol=symbol, size_coin=coin, mark=mark, backing=backing, cash_usd=cash)


def account(number, *held, at=NOW):
    return AccountState(
        venue="hyperliquid", account=str(number), ts=at, usable_from=at, holdings=held
    )


def spread(buffer, eth, btc):
    """Cross cash that leaves `buffer` USD over maintenance."""
    kept = 0.02 * (abs(eth) * ETH + abs(btc) * BTC)
    return buffer + kept - eth * ETH - btc * BTC


def wallets(count, eth, btc, buffer):
    cash = spread(buffer, eth, btc)
    held = [h for h in (("ETH", eth), ("BTC", btc)) if h[1]]
    return [
        account(k, *(holding(symbol, coin, cash) for symbol, coin in held)) for k in range(count)
    ]


def test_a_fall_of_one_coin_sells_the_other_too():
    # 100 ETH and 1 BTC long: 3 % of ETH is $9,000, of BTC $3,000
    states = wallets(30, 100.0, 1.0, 5_000.0)
    found = coupling_of(states, "hyperliquid", NOW, "down", flat)
    assert isinstance(found, Coupling)
    assert found.coins == ("BTC", "ETH")
    assert (found.accounts, found.forced) == (30, 30)
    unit = -np.log1p(-0.03)
    assert found.with_move[:, 1].tolist() == pytest.approx([30 * BTC / unit, 30 * 100 * ETH / unit])
    assert found.with_move[:, 0].tolist() == [0.0, 0.0]  # BTC's 3 % alone is not enough
    assert not found.against_move.any()
    up = coupling_of(states, "hyperliquid", NOW, "up", flat)
    assert up.forced == 0
    assert not up.with_move.any()


def test_a_hedge_across_coins_is_undone_against_the_move():
    states = wallets(25, -100.0, 3.0, 5_000.0)  # short ETH, long BTC
    found = coupling_of(states, "hyperliquid", NOW, "up", flat)
    unit = np.log1p(0.03)
    assert found.with_move[1, 1] == pytest.approx(25 * 100 * ETH / unit)
    assert found.against_move[0, 1] == pytest.approx(25 * 3 * BTC / unit)


@pytest.mark.fault("L10")
def test_isolated_positions_and_accounts_in_liquidation_couple_nothing():
    alone = [account(k, holding("ETH", 100.0, -290_000.0, "isolated")) for k in range(30)]
    assert isinstance(coupling_of(alone, "hyperliquid", NOW, "down", flat), Uncoupled)
    under = wallets(30, 100.0, 1.0, -10.0)
    found = coupling_of(under, "hyperliquid", NOW, "down", flat)
    assert (found.accounts, found.forced) == (0, 0)


def test_too_few_or_too_old_accounts_are_unknown_with_a_reason():
    few = coupling_of(wallets(5, 1.0, 1.0, 10.0), "hyperliquid", NOW, "down", flat)
    assert "5 public cross accounts" in few.reason
    old = [account(k, holding("ETH", 1.0, -2_000.0), at=NOW - 30 * HOUR_NS) for k in range(50)]
    assert "0 public cross accounts" in coupling_of(old, "hyperliquid", NOW, "down", flat).reason
    assert (
        "0 public" in coupling_of(wallets(50, 1.0, 1.0, 10.0), "lighter", NOW, "down", flat).reason
    )


def test_coins_whose_books_are_known_make_a_matrix():
    found = coupling_of(wallets(30, 100.0, 1.0, 5_000.0), "hyperliquid", NOW, "down", flat)
    coins, matrix, radius = ignited(found, {"ETH": 1e9, "BTC": 4e9})
    assert coins == ("BTC", "ETH")
    assert matrix[0, 1] == pytest.approx(found.with_move[0, 1] / 1e9)
    assert radius == pytest.approx(found.with_move[1, 1] / 1e9)
    assert ignited(found, {"ETH": 1e9})[0] == ("ETH",)
    for depth in ({}, {"ETH": 0.0}, {"SOL": 1.0}):
        with pytest.raises(ValueError, match="depth"):
            ignited(found, depth)
