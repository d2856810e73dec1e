"""Vacuum zones: found where the stored orders are thin, silent where nothing is stored, never beyond the book."""

import numpy as np
import pytest
from liquidations.accounts import KEY, NOW, PRICE, modelled

from airpocket.cascade.vacuum import NoBook, Vacuum, runs, vacuum_of
from airpocket.domain.events import Batch
from airpocket.domain.units import MINUTE_NS
from airpocket.market.state import MarketState

STEP_USD = 1e6


def market(asks, bids, *, book=True):
    """A book of one order in the middle of each step of 0.1 %, USD."""
    state = MarketState("ETH")
    at = np.array([NOW - MINUTE_NS], dtype=np.int64)
    price = dict.fromkeys(("open", "high", "low", "close"), np.array([PRICE]))
    rest = dict.fromkeys(("volume", "volume_usd", "taker_buy"), np.ones(1))
    state.apply(
        Batch(
            "bar_1m",
            "hyperliquid",
            "ETH",
            {"ts": at, "usable_from": at + MINUTE_NS, **price, **rest},
        )
    )
    if book:
        rows = [("ask", PRICE * (1.0 + 0.001 * (k + 0.5)), usd) for k, usd in enumerate(asks)]
        rows += [("bid", PRICE * (1.0 - 0.001 * (k + 0.5)), usd) for k, usd in enumerate(bids)]
        rows.sort()
        columns = {
            "ts": np.full(len(rows), NOW - MINUTE_NS), "usable_from": np.full(len(rows), NOW - MINUTE_NS),
            "book_side": np.array([row[0] for row in rows]), "price": np.array([row[1] for row in rows]),
            "size": np.array([row[2] / row[1] for row in rows]),
        }  # fmt: skip
        state.apply(Batch("book", "hyperliquid", "ETH", columns, ("made",)))
    return state.snapshot(NOW)


def mapped(short_at=25):
    coin = np.zeros(200)
    coin[100 + short_at - 3 : 100 + short_at + 4] = 50.0
    return modelled(coin, coin[::-1])


def test_a_thin_stretch_of_the_offers_is_found_with_what_is_forced_in_it():
    asks = np.full(40, STEP_USD)
    asks[20:30] = 0.1 * STEP_USD
    found = vacuum_of(mapped(), market(asks, np.full(40, STEP_USD)))
    assert isinstance(found, Vacuum)
    (thin,) = found.thin
    assert (thin.direction, KEY in found.source) == ("up", True)
    assert thin.low == pytest.approx(PRICE * 1.020, rel=1e-3)
    assert thin.high == pytest.approx(PRICE * 1.030, rel=2e-3)
    assert thin.resting_usd < 0.3 * thin.usual_usd
    assert thin.forced.usd == pytest.approx(350.0 * PRICE * 1.025, rel=0.02)


def test_an_even_book_has_no_vacuum_and_covers_the_clusters_it_reaches():
    found = vacuum_of(mapped(), market(np.full(40, STEP_USD), np.full(30, STEP_USD)))
    assert found.thin == ()
    assert found.reach["up"] == pytest.approx(0.0395)
    assert found.reach["down"] == pytest.approx(0.0295)
    up = next(cover for cover in found.covers if cover.cluster.side == "short")
    assert up.on_the_way_usd == pytest.approx(22 * STEP_USD, rel=0.05)
    assert up.inside_usd == pytest.approx(7 * STEP_USD, rel=0.2)


def test_beyond_the_stored_orders_nothing_is_said():
    found = vacuum_of(mapped(60), market(np.full(40, STEP_USD), np.full(40, STEP_USD)))
    assert {(cover.on_the_way_usd, cover.inside_usd) for cover in found.covers} == {(None, None)}
    assert all(abs(thin.high / PRICE - 1.0) <= 0.04 for thin in found.thin)


def test_without_a_book_there_is_no_vacuum_but_a_reason():
    found = vacuum_of(mapped(), market([], [], book=False))
    assert isinstance(found, NoBook)
    assert "book" in found.reason
    one = vacuum_of(mapped(), market([STEP_USD], [STEP_USD]))
    assert isinstance(one, NoBook)


def test_runs_are_stretches_of_true_rows():
    assert runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert runs(np.zeros(3, dtype=bool)) == []
    assert runs(np.zeros(0, dtype=bool)) == []
