"""Margin arithmetic of a plan against figures worked out by hand, and what must hold for every account."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playbook.accounts_made import ledger, perp
from playbook.situations import NOW

from airpocket.domain.instruments import instrument
from airpocket.market.rules import tiers_in_force
from airpocket.market.state import Contract
from airpocket.playbook.account import Account

TIERS = tiers_in_force(Contract(instrument("binance_usdm", "ETHUSDT")), NOW)
# Binance's brackets of 2024-10-24, typed from its table: floor, rate, maintenance amount
BRACKETS = [
    (0, 0.004, 0), (50_000, 0.005, 50), (600_000, 0.0065, 950), (3_000_000, 0.01, 11_450),
    (12_000_000, 0.02, 131_450), (50_000_000, 0.025, 381_450), (65_000_000, 0.05, 2_006_450),
    (150_000_000, 0.1, 9_506_450),
]  # fmt: skip


def by_hand(notional):
    """Maintenance by the venue's printed rule."""
    rate, amount = next((r, a) for floor, r, a in reversed(BRACKETS) if notional > floor)
    return notional * rate - amount


def account(side, size, entry, wallet, price):
    held = perp(side, size, entry_price=entry, wallet_usd=wallet, margin_mode="isolated")
    return Account(ledger(held, mode="isolated", mark=price, schedule=TIERS))


def test_a_trapped_short_by_hand() -> None:
    # 500 short from 3,150 with 250,000 at a mark of 3,150; after +15 % the price is 3,622.50:
    # equity 250,000 - 500 * 472.5 = 13,750; maintenance 0.0065 * 1,811,250 - 950 = 10,823.125
    it = account("short", 500.0, 3150.0, 250_000.0, 3150.0)
    assert it.gap_price(15.0) == pytest.approx(3622.5)
    assert it.equity_at(3622.5) == pytest.approx(13_750.0)
    assert it.maintenance(3622.5, 500.0) == pytest.approx(10_823.125)
    # three times that is 32,469.375: 18,719.375 short of it
    assert it.top_up(15.0, 3.0) == pytest.approx(18_719.375)
    # q (472.5 + 3 * 0.0065 * 3,622.5) = 250,000 + 3 * 950, so q = 252,850 / 543.13875
    assert it.size_surviving(15.0, 3.0) == pytest.approx(252_850 / 543.13875, rel=1e-9)


def test_a_long_by_hand() -> None:
    # 200 long from 4,000 at 5x with a mark of 3,900: equity 160,000 - 20,000; -15 % is 3,315
    it = account("long", 200.0, 4000.0, 160_000.0, 3900.0)
    assert it.equity == pytest.approx(140_000.0)
    assert it.equity_at(3315.0) == pytest.approx(160_000 - 200 * 685)
    assert it.maintenance(3315.0, 200.0) == pytest.approx(0.0065 * 663_000 - 950)
    assert it.top_up(15.0, 3.0) == 0.0
    assert it.size_surviving(15.0, 3.0) == 200.0


SIDES = st.sampled_from(["long", "short"])
SIZES = st.floats(0.5, 5_000.0)
PRICES = st.floats(500.0, 6_000.0)
SHARES = st.floats(0.02, 1.0)  # wallet over notional
MOVES = st.floats(0.0, 40.0)
BUFFERS = st.floats(1.0, 4.0)


@given(SIDES, SIZES, PRICES, SHARES, MOVES, MOVES, BUFFERS)
def test_a_larger_gap_is_never_better(side, size, price, share, one, other, buffer) -> None:
    it = account(side, size, price, share * size * price, price)
    near, far = sorted((one, other))
    assert it.spare(size, far, buffer) <= it.spare(size, near, buffer) + 1e-6 * size * price
    assert it.size_surviving(far, buffer) <= it.size_surviving(near, buffer) * (1 + 1e-9)


@given(SIDES, SIZES, PRICES, SHARES, MOVES, BUFFERS)
def test_the_size_to_keep_survives_and_a_larger_one_does_not(
    side, size, price, share, move, buffer
) -> None:
    it = account(side, size, price, share * size * price, price)
    kept = it.size_surviving(move, buffer)

    def left(coin):
        moved = price * (1 + move / 100 if side == "short" else 1 - move / 100)
        lost = coin * abs(moved - price)
        return share * size * price - lost - buffer * by_hand(coin * moved)

    assert 0.0 <= kept <= size
    assert left(kept) >= -1e-6 * size * price
    if kept < size * (1 - 1e-9):
        assert left(kept * 1.001 + 1e-9) < 1e-6 * size * price


@given(SIDES, SIZES, PRICES, SHARES, MOVES, BUFFERS)
def test_the_margin_to_add_is_enough_and_not_more(side, size, price, share, move, buffer) -> None:
    wallet = share * size * price
    more = account(side, size, price, wallet, price).top_up(move, buffer)
    after = account(side, size, price, wallet + more, price)
    slack = 1e-9 * size * price
    assert after.spare(size, move, buffer) >= -slack
    if more > 0:
        assert after.spare(size, move, buffer) <= slack


def test_maintenance_on_entry_value_does_not_move_with_the_price() -> None:
    held = perp("short", 10.0, entry_price=3000.0, wallet_usd=6000.0, margin_mode="isolated")
    it = Account(ledger(held, mode="isolated", mark=3000.0, schedule=TIERS))
    it = Account(replace(it.ledger, perps=(replace(it.leg, on_entry=True),)))
    assert it.maintenance(3600.0, 10.0) == it.maintenance(3000.0, 10.0) == by_hand(30_000)
