"""Venues that ignite one another: one market when arbitrage is perfect, strangers when there is none."""

from dataclasses import replace

import numpy as np
import pytest
from cascade import made
from cascade.test_procedures import split
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.cascade.deals import PathPriors, PathSettings, Push
from airpocket.cascade.network import Network, Node, linked, network_of, pass_through
from airpocket.cascade.paths import Course
from airpocket.cascade.records import Unscanned
from airpocket.cascade.settings import Prior
from airpocket.cascade.whatif import what_if
from airpocket.liquidations.records import Unmapped

NOBODY = Prior(0.0, 0.0, 0.0)
ONE = Prior(1.0, 1.0, 1.0)
SURE = PathPriors(
    latency_s=Prior(6.0, 6.0, 6.0), half_s=Prior(1e9, 1e9, 1e9), depth=ONE, refill=ONE, stops=NOBODY,
    passed=ONE, mark_lag_s=Prior(30.0, 30.0, 30.0),
)  # fmt: skip


def node(key, fuel, depth, **more):
    return Node(key, fuel == 0.0, np.array([fuel]), depth, **more)


def test_with_perfect_arbitrage_all_venues_are_one_market():
    nodes = [node("a", 2e9, 1e9), node("b", 1e9, 3e9), node("spot", 0.0, 2e9)]
    found = linked(nodes, "up", NOBODY, SURE)
    assert found.radius.middle == pytest.approx(3e9 / 6e9, rel=1e-6)
    for venue in found.venues:  # a dollar anywhere moves all alike
        assert venue.ignites.middle == pytest.approx(0.5, rel=1e-6)
    assert found.venues[0].lead == pytest.approx(2.0 / 3.0)
    assert found.venues[2].caught.middle == found.venues[2].own.middle == 0.0


def test_an_isolated_venue_has_its_own_book_alone_and_reads_itself():
    nodes = [node("a", 2e9, 1e9, alone=True), node("b", 1e9, 3e9), node("spot", 0.0, 2e9)]
    found = linked(nodes, "up", NOBODY, SURE)
    assert found.matrix[0].tolist() == pytest.approx([2.0, 0.0, 0.0])
    assert found.matrix[1:, 0].tolist() == [0.0, 0.0]
    assert found.radius.middle == pytest.approx(2.0)
    assert found.feeds_itself == 1.0
    assert found.venues[0].lead == pytest.approx(1.0)
    anchored = linked([replace(nodes[0], alone=False), *nodes[1:]], "up", NOBODY, SURE)
    assert anchored.venues[0].own.middle < found.venues[0].own.middle


def test_without_arbitrage_a_perpetual_reaches_nobody_and_spot_reaches_all_by_their_index():
    depth, spot = np.array([1e9, 3e9, 2e9, 2e9]), np.array([False, False, True, True])
    through = pass_through(depth, spot, np.array([0.2, 0.4, 0.0, 0.0]), np.zeros(4, bool), 0.0)
    assert through[0].tolist() == pytest.approx([0.2, 0.0, 0.5, 0.5])
    assert through[1].tolist() == pytest.approx([0.0, 0.4, 0.5, 0.5])
    nodes = [node("a", 2e9, 1e9), node("b", 1e9, 3e9), node("spot", 0.0, 2e9)]
    found = linked(nodes, "up", NOBODY, replace(SURE, passed=NOBODY))
    perp, _, led = found.venues
    assert led.ignites.middle == pytest.approx(3e9 / 2e9)
    mark = 1.0 - np.exp(-6.0 / 30.0)  # what the averaged basis takes up while an order waits
    assert perp.ignites.middle == pytest.approx(mark * 2e9 / 1e9)
    assert led.own.middle == 0.0


def test_latency_and_resilience_damp_as_for_one_venue():
    half = Prior(6.0 * np.log(2.0), 6.0 * np.log(2.0), 6.0 * np.log(2.0))  # κτ = 1
    found = linked([node("a", 2e9, 1e9)], "up", NOBODY, replace(SURE, half_s=half))
    assert found.radius.middle == pytest.approx(1.0)
    slow = linked([node("a", 2e9, 1e9, wait_s=18.0)], "up", NOBODY, replace(SURE, half_s=half))
    assert slow.radius.middle == pytest.approx(0.5)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.0, 1e10), st.floats(1e6, 1e10)), min_size=1, max_size=4),
    st.floats(1.0, 5.0),
)  # fmt: skip
def test_more_fuel_never_damps(rows, times):
    nodes = [node(str(k), fuel, depth) for k, (fuel, depth) in enumerate(rows)]
    more = [replace(one, fuel_usd=times * one.fuel_usd) for one in nodes]
    few, many = linked(nodes, "down", NOBODY, SURE), linked(more, "down", NOBODY, SURE)
    assert many.radius.middle >= few.radius.middle * (1 - 1e-9)
    assert many.radius.middle == pytest.approx(times * few.radius.middle, rel=1e-6, abs=1e-12)


@pytest.mark.fault("L10")
@pytest.mark.parametrize("depth", [0.0, -1.0, np.nan, np.inf])
def test_a_venue_without_depth_is_refused(depth):
    with pytest.raises(ValueError, match="depth"):
        linked([node("a", 1e9, depth)], "up", NOBODY, SURE)


@pytest.fixture(scope="module")
def seen():
    price = made.price_of(made.market())
    return made.market(
        made.even_book(price, reach=0.05),
        made.depth({k * s: 1e7 * k for s in (-1, 1) for k in (0.5, 1.0, 2.0)}, venue="bybit_linear"),
        made.depth({k * s: 2e7 * k for s in (-1, 1) for k in (0.5, 1.0, 2.0)}, venue="binance_spot"),
        made.depth({1.0: 0.0, -1.0: 0.0}, venue="hyperliquid", symbol="ETH"),
    )  # fmt: skip


def mapped(seen):
    whole = made.ladder_map(
        made.price_of(seen), shorts=[(0.005, 0.03, 400e6)], longs=[(0.01, 0.04, 300e6)]
    )
    return split(whole, binance_usdm__ETHUSDT=0.6, bybit_linear__ETHUSDT=0.3, hyperliquid__ETH=0.1)


def test_a_market_has_the_venues_with_books_and_names_the_others(seen):
    found = network_of(mapped(seen), seen, "up")
    assert isinstance(found, Network)
    assert [v.key for v in found.venues] == [
        "binance_spot:ETHUSDT", "binance_usdm:ETHUSDT", "bybit_linear:ETHUSDT"
    ]  # fmt: skip
    [(key, why)] = found.missing
    assert key == "hyperliquid:ETH"
    assert "empty side" in why
    by_key = {v.key: v for v in found.venues}
    assert by_key["bybit_linear:ETHUSDT"].depth_usd == pytest.approx(2e7 / 0.02, rel=0.02)
    fuel = 0.3 * 400e6 / np.log1p(0.03)
    assert by_key["bybit_linear:ETHUSDT"].fuel_usd == pytest.approx(fuel, rel=0.02)


def test_without_map_parts_or_books_there_is_no_network_and_it_says_why(seen):
    assert "too young" in network_of(Unmapped("too young"), seen, "up").reason
    whole = made.ladder_map(made.price_of(seen), shorts=[(0.005, 0.03, 400e6)])
    assert "told apart" in network_of(whole, seen, "up").reason
    bare = made.market()
    assert "no contract has both" in network_of(mapped(seen), bare, "up").reason


FEW = PathSettings(paths=4_096, course=Course(steps=200, push_s=60.0, marks=4))


def asked(seen, push):
    return what_if(mapped(seen), seen, made.measured(seen), push, how=FEW)


def test_a_push_on_one_venue_meets_its_own_book_and_its_own_positions(seen):
    everywhere = asked(seen, Push(usd=5e6))
    one = asked(seen, Push(usd=5e6, on=("bybit_linear:ETHUSDT",)))
    assert one.pushed.extreme.middle > everywhere.pushed.extreme.middle
    assert any("bybit_linear:ETHUSDT alone" in note for note in one.notes)
    both = asked(seen, Push(usd=5e6, on=("bybit_linear:ETHUSDT", "binance_usdm:ETHUSDT")))
    assert both.pushed.extreme.middle < one.pushed.extreme.middle
    nothing = asked(seen, Push(usd=5e6, on=("kraken_futures:PF_ETHUSD",)))
    assert isinstance(nothing, Unscanned)
    assert "kraken_futures" in nothing.reason


def test_a_push_on_spot_is_not_one_on_perpetuals(seen):
    perp, spot = asked(seen, Push(usd=30e6)), asked(seen, Push(usd=30e6, spot=True))
    assert spot.pushed.forced_usd.mean > perp.pushed.forced_usd.mean
    assert spot.network.venues[0].ignites.middle > 0.0
    base = made.market(made.even_book(made.price_of(made.market()), reach=0.05))
    assert "spot" in asked(base, Push(usd=30e6, spot=True)).reason
    with pytest.raises(ValueError, match="not on both"):
        Push(on=("a:b",), spot=True)
