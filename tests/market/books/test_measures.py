"""What a book says, by hand-made answers and by walking the same levels with exact fractions."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from market.books.bookmaker import change, snap

from airpocket.market.books import measures
from airpocket.market.books.book import Book
from airpocket.market.books.ladder import Ladder, Touch


def ladder(bids, asks):
    made = Ladder()
    assert made.apply(bids, asks)[1] == ""
    return made


BIDS = [(99.0, 2.0), (98.0, 4.0), (95.0, 10.0)]
ASKS = [(101.0, 1.0), (102.0, 3.0), (105.0, 10.0)]


def test_the_touch_gives_spread_mid_and_micro_price():
    touch = Touch(99.0, 3.0, 101.0, 1.0)
    assert measures.mid_of(touch) == 100.0
    assert measures.spread_bps(touch) == pytest.approx(200.0)
    assert measures.micro_price(touch) == 100.5  # a thin ask pulls it up


def test_depth_counts_the_levels_within_the_band_of_logarithms():
    book = ladder(BIDS, ASKS)
    asks = measures.depth_within(book, 2.0)
    assert (asks.coin, asks.usd, asks.levels, asks.whole) == (4.0, 101.0 + 306.0, 2, True)
    bids = measures.depth_within(book, -2.0)
    assert bids.levels == 1  # ln(98/100) is −2.02 %
    assert measures.imbalance(book, 1.1) == pytest.approx((198.0 - 101.0) / (198.0 + 101.0))


def test_depth_beyond_what_the_snapshot_told_is_a_lower_bound():
    made = Book("binance_usdm", "ETHUSDT")
    bids = [(100.0 - 0.5 * n, 1.0) for n in range(5)]
    made.apply(snap("binance_usdm", 10, bids=bids, asks=[(100.5, 1.0)]))
    made.apply(change("binance_usdm", (10, 11, 9), [(50.0, 99.0)]))  # touched, far beyond
    assert measures.depth_within(made.levels, -1.0).whole
    far = measures.depth_within(made.levels, -90.0)
    assert (far.levels, far.whole) == (6, False)
    assert measures.depth_within(made.levels, 90.0).whole  # one ask of a side that was told whole
    assert measures.imbalance(made.levels, 90.0) is None
    walked = measures.execute(made.levels, "sell", 10_000.0)
    assert walked.filled_usd == sum(price for price, _ in bids)  # what lies before 50 is not known
    assert not walked.whole


def test_a_window_of_levels_is_known_as_far_as_its_worst_level_now():
    made = Book("hyperliquid", "BTC")
    asks = [(101.0 + n, 1.0) for n in range(5)]
    made.apply(snap("hyperliquid", asks=asks, bids=[(100.0 - n, 1.0) for n in range(3)]))
    assert made.levels.asks.known_to() == 105.0
    assert made.levels.bids.known_to() is None  # fewer than were asked for: that is all there is
    assert not measures.depth_within(made.levels, 10.0).whole


def test_all_bands_at_once_are_the_bands_one_by_one():
    book = ladder(BIDS, ASKS)
    together = measures.bands(book, (5.0, 0.5, 1.5, 2.5))
    assert together == {
        sign * band: measures.depth_within(book, sign * band)
        for band in (0.5, 1.5, 2.5, 5.0) for sign in (1, -1)
    }  # fmt: skip


def test_an_order_walks_the_book_and_says_what_was_not_filled():
    book = ladder(BIDS, ASKS)
    bought = measures.execute(book, "buy", 101.0 + 204.0)
    assert bought.average == pytest.approx(305.0 / 3.0)
    assert bought.slippage_bps == pytest.approx(1e4 * (305.0 / 3.0 / 100.0 - 1.0))
    assert (bought.last, bought.whole) == (102.0, True)
    huge = measures.execute(book, "sell", 1e9)
    assert huge.filled_usd == pytest.approx(198.0 + 392.0 + 950.0)
    assert not huge.whole
    with pytest.raises(ValueError, match="above zero"):
        measures.execute(book, "buy", 0.0)


def test_an_empty_side_gives_no_figure():
    book = ladder(BIDS, [])
    assert measures.depth_within(book, 1.0) is None
    assert measures.execute(book, "buy", 1.0) is None
    assert measures.bands(book, (1.0,)) == {}
    assert measures.slope(book, "buy", 1.0) is None
    assert measures.imbalance(book, 1.0) is None


def test_the_slope_of_an_even_book_is_its_depth_per_per_cent():
    mid = 1_000.0
    asks = [(round(mid * math.exp(step / 10_000), 8), 1.0) for step in range(1, 400)]
    book = ladder([(round(2 * mid - asks[0][0], 8), 1.0)], asks)
    assert measures.slope(book, "buy", 2.0) == pytest.approx(100 * mid, rel=0.02)


sides = st.dictionaries(st.integers(1, 60), st.integers(1, 50), min_size=1)


@given(sides, st.integers(1, 4_000))
def test_an_execution_agrees_with_exact_arithmetic(asks, dollars):
    book = ladder([(100.0, 1.0)], [(100.0 + tick / 4, size / 8) for tick, size in asks.items()])
    left, coin = Fraction(dollars), Fraction(0)
    for tick in sorted(asks):
        price, size = 100 + Fraction(tick, 4), Fraction(asks[tick], 8)
        taken = min(left, price * size)
        coin, left = coin + taken / price, left - taken
    walked = measures.execute(book, "buy", float(dollars))
    assert walked.filled_usd == pytest.approx(float(dollars - left))
    assert walked.average == pytest.approx(float((dollars - left) / coin))
    assert walked.whole == (left == 0)
