"""The touch over time: hand-made sequences with one right answer each, and an invented market with a known one."""

import math

import pytest
from ingest.venues.frames import stamped
from market.books.bookmaker import trade

from airpocket.domain.wire import BookChange, Trade
from airpocket.ingest.venues.registry import VENUES
from airpocket.market.books.book import Book
from airpocket.market.books.flow import Flow, FlowSettings
from airpocket.market.books.ladder import Ladder
from airpocket.market.books.refill import Refill, RefillSettings

MS = 1_000_000
FEW = FlowSettings(fewest=1)


class Market:
    """A book and its flow; times in ms."""

    def __init__(self, settings=FEW):
        self.ladder, self.flow = Ladder(), Flow(settings)

    def book(self, at, bids=(), asks=()):
        assert self.ladder.apply(tuple(bids), tuple(asks))[1] == ""
        self.flow.changed(self.ladder, at * MS)

    def trade(self, at, side, price, size):
        self.flow.trade(trade(side, price, size, at))

    def figures(self, at):
        return self.flow.figures(at * MS)


@pytest.fixture
def market():
    made = Market()
    made.book(1_000, [(99.0, 5.0), (98.0, 5.0)], [(101.0, 4.0), (102.0, 6.0)])
    return made


@pytest.mark.parametrize("trade_first", [True, False])
def test_a_taken_price_that_comes_back_is_a_reload(market, trade_first):
    if trade_first:
        market.trade(2_000, "buy", 101.0, 4.0)
    market.book(2_010, asks=[(101.0, 0.0)])
    if not trade_first:
        market.trade(2_020, "buy", 101.0, 4.0)
    market.book(2_310, asks=[(101.0, 2.0)])
    found = market.figures(3_000).returns
    assert (found["buy"].reloads, found["buy"].retreats, found["buy"].pulled) == (1, 0, 0)
    assert (found["buy"].share, found["buy"].return_s) == (1.0, pytest.approx(0.3))
    assert (found["sell"].reloads, found["sell"].share, found["sell"].return_s) == (0, None, None)


def test_a_taken_price_that_stays_away_is_a_retreat(market):
    market.trade(2_000, "sell", 99.0, 5.0)
    market.book(2_010, [(99.0, 0.0)])
    market.book(3_500, [(97.0, 1.0)])
    found = market.figures(3_600).returns["sell"]
    assert (found.reloads, found.retreats, found.share, found.return_s) == (0, 1, 0.0, None)


def test_a_price_that_goes_without_a_trade_was_pulled(market):
    market.trade(2_000, "buy", 101.0, 0.1)
    market.book(2_900, asks=[(101.0, 0.0)])  # too long after the trade
    market.book(4_100, [(97.0, 1.0)])
    assert market.figures(4_200).returns["buy"].pulled == 1


def test_what_leaves_the_touch_is_split_by_the_trades_at_its_price(market):
    market.trade(2_000, "buy", 101.0, 1.0)
    market.book(2_050, asks=[(101.0, 1.0)])  # three left, one was traded
    market.trade(5_000, "buy", 101.0, 2.0)
    market.book(5_050, asks=[(101.0, 0.5)])  # half of one left, two were traded
    found = market.figures(6_000).queue["buy"]
    assert (found.eaten, found.cancelled, found.unseen, found.cases) == (1.5, 2.0, 1.5, 2)
    assert found.cancelled_share == pytest.approx(2.0 / 3.5)


def test_levels_behind_a_better_touch_do_not_count_as_leaving_it(market):
    market.book(2_000, [(99.5, 1.0), (99.0, 1.0)])
    assert market.figures(9_000).queue["sell"].cases == 0


def test_a_sweep_counts_every_level_it_went_through(market):
    market.trade(2_000, "buy", 101.0, 4.0)
    market.trade(2_000, "buy", 102.0, 2.0)
    market.book(2_050, asks=[(101.0, 0.0), (102.0, 4.0)])
    found = market.figures(4_000).queue["buy"]
    assert (found.eaten, found.cancelled) == (6.0, 0.0)


def test_too_few_cases_give_counts_and_no_share():
    made = Market(FlowSettings(fewest=2))
    made.book(1_000, [(99.0, 5.0)], [(101.0, 4.0), (102.0, 1.0)])
    made.trade(2_000, "buy", 101.0, 4.0)
    made.book(2_010, asks=[(101.0, 0.0)])
    made.book(2_100, asks=[(101.0, 1.0)])
    found = made.figures(3_000)
    assert (found.returns["buy"].reloads, found.returns["buy"].share) == (1, None)
    assert (found.queue["buy"].cases, found.queue["buy"].cancelled_share) == (1, None)


def test_the_pace_of_prints_is_over_what_was_watched_or_the_window(market):
    assert market.figures(1_500).prints_per_s is None
    for at in range(2_000, 122_000, 500):
        market.trade(at, "buy", 101.0, 0.1)
    found = market.figures(122_000)
    assert found.seconds == 60.0
    assert found.prints_per_s == pytest.approx(2.0, rel=0.02)
    assert Flow().figures(5).prints_per_s is None


def test_the_same_trades_told_again_in_another_form_are_refused(market):
    market.trade(2_000, "buy", 101.0, 1.0)
    single = trade("buy", 101.0, 1.0, 2_001)
    market.flow.trade(
        Trade(
            **{
                name: getattr(single, name)
                for name in single.__struct_fields__
                if name != "aggregate"
            },
            aggregate=True,
        )
    )
    assert (market.flow.refused, market.figures(4_000).prints) == (1, 1)


def test_the_spread_is_weighted_by_time(market):
    market.book(2_000, asks=[(101.0, 0.0)])  # 101 for one second, then 102 for three
    found = market.figures(5_000)
    narrow, wide = 2e4 / 100.0, 3e4 / 100.5
    assert found.spread_bps == pytest.approx((narrow + 3 * wide) / 4)
    assert found.spread_most_bps == pytest.approx(wide)
    assert Flow().figures(5).spread_bps is None


def test_a_lost_book_gives_up_what_was_watched(market):
    market.trade(2_000, "buy", 101.0, 4.0)
    market.book(2_010, asks=[(101.0, 0.0)])
    market.flow.lost()
    market.book(9_000, asks=[(101.0, 4.0)])
    found = market.figures(9_500)
    assert found.returns["buy"].reloads == found.returns["buy"].retreats == 0
    assert found.queue["buy"].cases == 0
    assert found.spread_bps == pytest.approx(2e4 / 100.0)  # one second before and half a one after


def test_memory_stays_within_its_bounds():
    made = Market(FlowSettings(most=16))
    for at in range(2_000):
        made.trade(at * 50, "buy", 101.0 + at % 7, 0.1)
        made.book(
            at * 50 + 10, [(99.0, 1.0 + at % 3)], [(101.0 + at % 7, float(at % 2)), (110.0, 1.0)]
        )
    kept = made.flow._kept
    assert all(len(rows) <= 16 for rows in (kept.spreads, kept.queue, kept.returns))
    assert len(kept.prints) <= 128
    assert len(made.flow._left) <= 16


def refills(rate_per_s, shocks, *, traded=True, settings=None):
    """Asks of 100 coin near the touch, of which 60 are taken every two minutes; they come back at a rate."""
    refill, ladder, gone = Refill(settings), Ladder(), 0.0
    ladder.apply([(100.0, 100.0)], [(100.01, 100.0)])
    for step in range(1_200 * (shocks + 1)):
        at = step * 100
        if step and step % 1_200 == 0:
            if traded:
                refill.trade(trade("buy", 100.01, 60.0, at))
            gone = math.log(0.4)
        ladder.apply((), [(100.01, 100.0 * math.exp(gone))])
        refill.changed(ladder, at * MS)
        gone *= math.exp(-rate_per_s * 0.1)
    return refill.figures()


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_the_refill_of_an_invented_market_is_found(rate):
    found = refills(rate, 12)["buy"]
    assert found.cases >= 11
    assert found.half_s == pytest.approx(math.log(2) / rate, rel=0.06)
    assert found.kappa_per_s == pytest.approx(rate, rel=0.05)


def test_depth_that_nobody_took_is_no_shock():
    assert refills(0.2, 12, traded=False)["buy"].cases == 0


def test_too_few_shocks_give_a_count_and_no_rate():
    found = refills(0.2, 3)["buy"]
    assert (found.half_s, found.kappa_per_s) == (None, None)
    assert 0 < found.cases < 8


def test_a_book_that_does_not_come_back_has_no_half_time():
    found = refills(0.001, 1, settings=RefillSettings(fewest=1))["buy"]
    assert (found.cases, found.unfinished, found.half_s) == (1, 1, None)


@pytest.mark.real
def test_the_recorded_hour_of_stress_gives_figures_of_a_sane_size(shared):
    """Five minutes of a fast market: 14,076 trades in 345 s, a spread of a tick nearly always."""
    path, decode = (
        shared / "wire/hftbacktest/usdm/ethusdt_20240808.gz",
        VENUES["binance_usdm"].decode,
    )
    book, flow = Book("binance_usdm", "ETHUSDT"), Flow(FlowSettings(window_ns=400_000_000_000))
    refill, now = Refill(RefillSettings(fewest=1)), 0
    for heard, frame in stamped(path):
        if b"bookTicker" in frame:
            continue
        now = heard
        for event in decode(frame, heard, "https://example/depth?symbol=ETHUSDT"):
            if isinstance(event, Trade):
                flow.trade(event)
                refill.trade(event)
            elif isinstance(event, BookChange):
                book.apply(event)
                if book.levels is not None:
                    flow.changed(book.levels, heard)
                    refill.changed(book.levels, heard)
    found = flow.figures(now)
    assert found.prints == 14_076
    assert found.prints_per_s == pytest.approx(14_076 / 345, rel=0.02)
    assert 0.037 < found.spread_bps < 0.06  # a tick of 0.01 at 2,680 is 0.0373 bp
    for side in ("buy", "sell"):
        queue, returns = found.queue[side], found.returns[side]
        assert queue.cases > 100
        assert 0.0 < queue.cancelled_share < 1.0
        assert returns.reloads + returns.retreats > 10
        assert 0.0 < returns.share < 1.0
