"""Marks, premium and funding over the market's arrays against the venues' formulas in `airpocket.margin`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab.hand import FIRST, TREASURY, market, money, open_position, quote, rows

from airpocket.lab.exchange.feeds import BATCHED, LATEST, SILENT, flush_when_due, tell
from airpocket.lab.exchange.journal import FUNDING, PRINT
from airpocket.lab.exchange.pricing import (
    EMA_BASIS,
    MEDIAN,
    ORACLE,
    funding_estimate,
    impact_price,
    pay_funding,
    sample_basis,
    sample_premium,
    update_mark,
)
from airpocket.lab.exchange.state import SPOT
from airpocket.margin.funding import clamped_rate, damped_rate, impact_premium
from airpocket.margin.mark import (
    ema_of,
    hyperliquid_mark,
    median_mark,
    price_one,
    price_two,
)

SECOND = 10**9
mids = st.lists(st.integers(980, 1_019), min_size=1, max_size=45)


def with_basis(m, seen):
    """One second of touch after another, `seen` the bids; the offer is two ticks above."""
    for bid in seen:
        m.books[0].bid, m.books[0].ask = bid, bid + 2
        sample_basis(m, 0)
    return [bid + 1.0 - 1_000.0 for bid in seen]


@settings(max_examples=60, deadline=None)
@given(mids, st.integers(950, 1_050), st.floats(-0.003, 0.003), st.floats(0.0, 8.0))
def test_binances_mark_is_the_median_of_its_three_prices(seen, last, funding, hours_left):
    m = market(mark_rule=MEDIAN)
    basis = with_basis(m, seen)
    m.books[0].last, m.books[0].funding = last, funding
    m.venues[0].funding_next = m.now + int(hours_left * 3_600 * SECOND)

    update_mark(m, 0)

    one = price_one(1_000.0, funding, hours_left, 8.0)
    expected = median_mark(one, price_two(1_000.0, basis[-30:]), float(last))
    assert float(m.books[0].mark) == pytest.approx(expected, abs=6e-4)


@settings(max_examples=40, deadline=None)
@given(mids)
def test_deribits_mark_is_the_index_with_the_faded_basis_inside_its_band(seen):
    m = market(mark_rule=EMA_BASIS)
    basis = with_basis(m, seen)

    update_mark(m, 0)

    faded = ema_of(basis, 1.0, 30.0) or 0.0
    assert float(m.books[0].mark) == pytest.approx(1_000.0 + min(max(faded, -5.0), 5.0), abs=6e-4)


@settings(max_examples=40, deadline=None)
@given(mids, st.integers(950, 1_050), st.integers(900, 1_100), st.integers(900, 1_100))
def test_hyperliquids_mark_is_the_median_of_oracle_book_and_the_other_perpetuals(
    seen, last, okx, bybit
):
    m = market(contracts=3, mark_rule=ORACLE)
    m.books[0].last = last
    basis = with_basis(m, seen)
    for book, outside in ((1, okx), (2, bybit)):
        m.books[book].bid, m.books[book].ask, m.books[book].oracle_weight = (
            outside - 1,
            outside + 1,
            2.0,
        )

    update_mark(m, 0)

    inner = (float(seen[-1]), seen[-1] + 2.0, float(last))
    faded = ema_of(basis, 1.0, 150.0) or 0.0
    expected = hyperliquid_mark(1_000.0, faded, inner, {"okx": float(okx), "bybit": float(bybit)})
    assert float(m.books[0].mark) == pytest.approx(expected, abs=6e-4)


def test_an_impact_price_is_the_mean_of_what_the_size_would_pay_and_unknown_in_a_thin_book():
    m = market()
    quote(m, FIRST, {1_001: -10, 1_003: -30, 998: 10})

    assert float(impact_price(m, 0, 1, 20)) == (10 * 1_001 + 10 * 1_003) / 20
    assert np.isnan(impact_price(m, 0, -1, 20))


def test_the_premium_is_that_of_the_impact_prices():
    m = market()
    m.books[0].impact_lots = 10
    quote(m, FIRST, {1_005: -10, 1_003: 10})

    sample_premium(m, 0)

    assert float(m.books[0].premium) == pytest.approx(impact_premium(1_003.0, 1_005.0, 1_000.0))


@settings(max_examples=60, deadline=None)
@given(st.floats(-0.02, 0.02), st.sampled_from([1, 8]), st.sampled_from([0.0, 0.04, 0.0005]))
def test_funding_is_clamped_and_capped_as_the_venues_formula(premium, hours, cap):
    every = hours * 3_600 * SECOND
    m = market(interest=1e-4, clamp=5e-4, cap=cap, funding_every=every)
    m.books[0].premium_sum, m.books[0].premium_count = premium * 7, 7

    expected = clamped_rate(premium, 1e-4, 5e-4, float(hours), cap or None)
    assert float(funding_estimate(m, 0)) == pytest.approx(expected, abs=6e-10)


@settings(max_examples=40, deadline=None)
@given(st.floats(-0.02, 0.02))
def test_continuous_funding_is_damped(premium):
    m = market(damper=2.5e-4, funding_every=60 * SECOND)
    m.books[0].premium_sum, m.books[0].premium_count = premium, 1

    expected = damped_rate(premium, 2.5e-4) / 480.0
    assert float(funding_estimate(m, 0)) == pytest.approx(expected, abs=6e-10)


def test_longs_pay_shorts_on_the_mark_and_the_treasury_keeps_only_the_rounding():
    m = market(interest=1e-4, clamp=5e-4)
    open_position(m, FIRST, 3_001, 1_000, 10**6, other=FIRST + 1)
    m.books[0].mark = 1_010.0
    m.books[0].premium_sum, m.books[0].premium_count = 0.001, 1
    before, cash = money(m), int(m.accounts[FIRST].cash)

    pay_funding(m, 0)

    rate = clamped_rate(0.001, 1e-4, 5e-4, 8.0)
    assert cash - int(m.accounts[FIRST].cash) == round(3_001 * 1_010 * rate)
    assert money(m) == before
    assert abs(int(m.accounts[TREASURY].cash)) <= 1
    assert rows(m, FUNDING)[0][2] == round(rate * 1e9)


@pytest.mark.parametrize(
    ("feed", "window", "told"),
    [
        (LATEST, SECOND, [[12, -3]]),
        (BATCHED, SECOND // 2, [[10, -1], [11, -2], [12, -3]]),
        (SILENT, 0, []),
    ],
)
def test_a_feed_tells_only_the_latest_of_its_window_or_all_or_nothing(feed, window, told):
    m = market(feed=feed, feed_window=window)
    m.now = 5 * SECOND + 100

    for tick, lots in ((10, -1), (11, -2), (12, -3)):
        tell(m, 0, lots, tick)
    m.now = 6 * SECOND
    flush_when_due(m, 0)
    flush_when_due(m, 0)

    assert [row[2:4] for row in rows(m, PRINT)] == told
    assert all(row[0] == 6 * SECOND and row[4] == 5 * SECOND + 100 for row in rows(m, PRINT))


def test_spot_has_the_middle_of_its_own_book_for_a_mark():
    m = market(form=SPOT)
    quote(m, FIRST, {999: 5, 1_002: -5})

    update_mark(m, 0)

    assert float(m.books[0].mark) == 1_000.5
