"""Stress tests of accounts: against figures worked by hand, and what must hold of every shock and exit."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from playbook.accounts_made import option
from playbook.situations import NOW, last_close, position
from playbook.situations import volatile as situation

from airpocket.brief import stress_json, stress_page, terminal
from airpocket.cascade.outcomes import Chance, Outcomes, Spread
from airpocket.cascade.pushes import Pushed, Pushes, PushWay
from airpocket.cascade.records import Profile, Unscanned
from airpocket.domain.errors import MarginError
from airpocket.domain.positions import Balance, Positions
from airpocket.domain.units import DAY_NS
from airpocket.market.state import Observations
from airpocket.playbook.exits import walk
from airpocket.playbook.stress.run import stress_of

DISTANCE = np.linspace(0.0, 0.15, 301)


def profile(usd_per_percent=1e6, contract="binance_usdm:ETHUSDT"):
    """Orders of the same density all the way."""
    absorb = usd_per_percent * 100.0 * DISTANCE
    return Profile("book", DISTANCE, absorb, "a made book", 0.0 * absorb, 0.15, NOW, (contract,))


class Scan:
    def __init__(self, made):
        self.profile = made


class Book:
    """A scan of which the exits see the profiles alone."""

    def __init__(self, made):
        self.up = self.down = Scan(made)


def stressed(*held, book=None, pushes=None, options=(), balances=(), **changes):
    known = replace(
        situation(), cascade=Book(book) if book else Unscanned("no book here"), **changes
    )
    told = {"ETH": pushes or Unscanned("no pushes here")}
    found = stress_of(
        Positions(positions=held, options=options, balances=balances), {"ETH": known}, told
    )
    return found[0] if len(found) == 1 else found


def outcome(test, shock):
    return next(each for each in test.outcomes if each.id == shock)


def test_gaps_of_a_short_by_hand() -> None:
    price = last_close()
    test = stressed(position("short", 500.0, wallet_usd=0.16 * 500 * price))
    up = outcome(test, "gap+10")
    assert up.equity.value == pytest.approx((0.16 - 0.10) * 500 * price)
    notional = 500.0 * price * 1.1
    assert up.maintenance.value == pytest.approx(0.0065 * notional - 950.0)
    assert not up.liquidated
    over = outcome(test, "gap+20")
    assert over.liquidated
    assert over.at.value == pytest.approx(test.up.value)
    assert test.down.value is None
    assert "liquidated at" in test.answer
    order = [each.liquidated for each in test.outcomes if each.kind == "gap"]
    assert order == sorted(order)  # falls never hurt a short, and rises hurt it from one point on


def test_a_short_pays_for_a_slipping_stablecoin_twice() -> None:
    """Its margin loses, and the coin rises in what the contract is quoted in."""
    price = last_close()
    test = stressed(position("short", 500.0, wallet_usd=0.5 * 500 * price))
    slipped = outcome(test, "USDT-5")
    usdt = 0.5 * 500 * price - 500 * price * (1 / 0.95 - 1)
    assert slipped.equity.value == pytest.approx(0.95 * usdt)
    long = stressed(position("long", 500.0, wallet_usd=0.5 * 500 * price))
    assert outcome(long, "USDT-5").equity.value == pytest.approx(
        0.95 * (0.5 * 500 * price + 500 * price * (1 / 0.95 - 1))
    )


def test_funding_against_you_is_paid_at_the_mark() -> None:
    price = last_close()
    test = stressed(position("short", 100.0, wallet_usd=50 * price))
    paid = outcome(test, "funding")
    assert test.equity.value - paid.equity.value == pytest.approx(0.003 * 3 * 7 * 100 * price)


def test_an_outage_moves_price_by_its_deviations_against_the_account() -> None:
    price = last_close()
    for side, sign in (("short", 1), ("long", -1)):
        shock = outcome(stressed(position(side, 10.0, wallet_usd=5 * price)), "outage")
        yearly = situation().signals.figure("rv_30d").value / 100.0
        assert shock.price.value == pytest.approx(
            price * (1 + sign * 3 * yearly * math.sqrt(12 / 8760))
        )


def test_options_meet_shocks_of_volatility_and_time_and_perpetuals_do_not() -> None:
    balances = (Balance(venue="deribit", currency="ETH", amount=100.0),)
    call = option("short", 50.0, round(last_close() * 1.1), expiry=NOW + 30 * DAY_NS)
    test = stressed(options=(call,), balances=balances)
    kinds = {each.kind for each in test.outcomes}
    assert {"volatility", "together", "time"} <= kinds
    assert (
        outcome(test, "vol+50").equity.value
        < test.equity.value
        < outcome(test, "time").equity.value
    )
    # what the option costs is off equity already; the rule's share of the coin knows no volatility
    assert outcome(test, "vol+100").maintenance.value == test.maintenance.value > 0.0
    assert {"volatility", "together", "time"}.isdisjoint(
        {each.kind for each in stressed(position()).outcomes}
    )


def test_exits_are_walked_through_the_thinned_book() -> None:
    price = last_close()
    usd = 500.0 * price
    test = stressed(position("short", 500.0, wallet_usd=0.16 * usd), book=profile(usd))
    now = {each.gone_percent: each for each in test.exits if not each.after_percent}
    # the order takes 1 % of price at full depth: on average half of that, and the taker fee
    assert now[0.0].cost.value == pytest.approx((0.005 + 5e-4) * usd)
    assert now[0.0].last.value == pytest.approx(1.01 * price)
    assert now[80.0].last.value == pytest.approx(1.05 * price)
    assert now[80.0].works
    # 20 % would be needed at 95 %, and orders end at 15 %
    assert now[95.0].works is False
    assert now[95.0].filled.value == pytest.approx(75.0, rel=1e-3)
    late = {each.gone_percent: each for each in test.exits if each.after_percent}
    assert all(each.after_percent == 10.0 for each in late.values())
    assert late[80.0].works is False  # the margin left of +10 % does not reach that far
    assert "margin is spent" in late[80.0].why
    lost = stressed(position("short", 500.0, wallet_usd=0.08 * usd), book=profile(usd))
    assert [e.works for e in lost.exits if e.after_percent] == [False] * 4
    assert "liquidated before" in lost.exits[-1].why


def test_without_a_book_exits_are_unknown_and_not_free() -> None:
    test = stressed(position())
    assert {each.works for each in test.exits} == {None}
    assert all(each.cost.unknown == "no book here" for each in test.exits)
    other = stressed(position(), book=profile(contract="okx:ETH-USDT-SWAP"))
    assert "standing in for binance_usdm:ETHUSDT" in other.exits[0].cost.source


def test_an_exit_goes_to_its_own_contracts_book_where_there_is_one() -> None:
    price, known = last_close(), situation()
    columns = {
        "ts": np.array([NOW, NOW]), "usable_from": np.array([NOW, NOW]), "percent": np.array([1.0, -1.0]),
        "notional_usd": np.array([2e6, 3e6]),
    }  # fmt: skip
    own = replace(
        known.market.reference, tables={"depth": Observations("depth", columns, ("made",))}
    )
    market = replace(known.market, contracts=(own,))
    test = stressed(position("short", 500.0), book=profile(1e9), market=market)
    now = test.exits[0]
    usd = 500.0 * price
    assert now.cost.source.startswith("the depth bands of binance_usdm:ETHUSDT to 1.00 %")
    assert now.cost.value == pytest.approx(0.5 * usd / 2e8 * usd + 5e-4 * usd)


def test_a_fee_that_is_not_known_makes_the_cost_a_lower_bound() -> None:
    price = last_close()
    held = position("long", 10.0, venue="deribit", symbol="ETH-PERPETUAL", wallet_usd=5 * price)
    exits = stressed(held, book=profile()).exits
    assert all(each.cost.at_least and "fee" in each.cost.source for each in exits)


def pushes(high, edge=15.0, left=0.0):
    spread = Spread(high / 4, high / 2, high, high / 2, 0.0)
    edges = np.linspace(0.0, edge, 31)
    share = np.full(30, 1 / 30)
    nothing = Chance(0.0, 0.0)
    told = Outcomes(
        paths=1_000, reach={}, extreme=spread, kept=spread, retrace=None, forced_usd=spread, off_book=None,
        insured=None, deleveraged=None, extreme_s=spread, left=Chance(left, 0.0), stops=(edges, share),
    )  # fmt: skip
    assert nothing.of == 0.0
    row = Pushed(0.01, 1e8, told, None, None)
    way = PushWay(None, 1.0, row, (row,), 1e8, np.empty((0, 5)))
    return Pushes(NOW, last_close(), 1e10, None, 1_000, {"up": way}, np.empty(0), ())


def test_a_walked_cascade_gives_a_chance_and_never_more_than_it_followed() -> None:
    price = last_close()
    held = position("short", 500.0, wallet_usd=0.16 * 500 * price)
    test = stressed(held, pushes=pushes(12.0))
    shock = outcome(test, "cascade-buying-1")
    assert shock.price.value == pytest.approx(1.12 * price)
    away = 100.0 * (test.up.value / price - 1.0)
    assert away > 15.0
    assert shock.chance.value is None  # further than the paths are followed
    near = stressed(position("short", 500.0, wallet_usd=0.1 * 500 * price), pushes=pushes(12.0))
    away = 100.0 * (near.up.value / price - 1.0)
    assert outcome(near, "cascade-buying-1").chance.value == pytest.approx(100 * (1 - away / 15.0))
    assert outcome(near, "cascade-buying-1").liquidated
    cut = outcome(stressed(held, pushes=pushes(15.0, left=0.4)), "cascade-buying-1")
    assert cut.liquidated is None
    assert "or more" in cut.note
    assert "40 % of paths leave" in cut.note


def test_the_page_and_json_hold_what_was_found() -> None:
    test = stressed(position("short", 500.0), book=profile(), pushes=pushes(12.0))
    page = terminal.sheet(
        test.answer, stress_page.head_line(test), stress_page.parts(test), simulated=True, width=100, colour=False
    )  # fmt: skip
    assert "GAPS" in page
    assert "GETTING OUT" in page
    assert "gap of +15 %" in page
    assert max(map(len, page.splitlines())) <= 100
    told = stress_json.render([test]).decode()
    assert '"schema": "airpocket.stress/1"' in told
    assert len(test.curve.price) == len(test.curve.equity) == len(test.curve.maintenance)


def test_each_account_of_a_file_is_tested_by_itself() -> None:
    price = last_close()
    held = (
        position("short", 50.0, margin="isolated", leverage_x=20.0, id="small"),
        position("short", 500.0, id="big"),
    )
    balances = (Balance(venue="coinbase", currency="ETH", amount=10.0),)
    small, big, spot = stressed(*held, balances=balances)
    assert (small.name, big.name, spot.name) == ("small", "big", "coinbase")
    assert small.up.value < big.up.value
    assert spot.maintenance.value == 0.0
    assert not any(each.liquidated for each in spot.outcomes)
    assert outcome(spot, "gap-50").equity.value == pytest.approx(5.0 * price)


def test_what_can_not_be_valued_names_its_account() -> None:
    with pytest.raises(MarginError, match=r"account binance_usdm: .*PEPE"):
        stressed(
            structs.replace(position(), wallet_usd=None),
            balances=(
                Balance(venue="binance_usdm", currency="PEPE", amount=1.0),
                Balance(venue="binance_usdm", currency="USDT", amount=1e6),
            ),
        )


@given(
    usd=st.floats(1e3, 1e8), depth=st.floats(0.01, 1.0), within=st.floats(0.001, 0.2)
)  # fmt: skip
def test_a_walk_never_pays_less_in_a_thinner_book(usd, depth, within) -> None:
    full, thin = (
        walk(profile(), usd, within=within),
        walk(profile(), usd, depth=depth, within=within),
    )
    assert 0.0 <= thin.filled <= full.filled <= 1.0
    assert thin.mean <= thin.last <= within + 1e-12
    if thin.filled == 1.0:
        assert thin.cost_usd >= full.cost_usd - 1e-9 * usd
        assert thin.mean == pytest.approx(usd / (2 * 1e8 * depth), rel=1e-6)


def test_a_walk_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        walk(profile(), 0.0)
    with pytest.raises(ValueError, match="positive"):
        walk(profile(), 1.0, depth=0.0)
