"""What the dialects say, read by the shipped decoders: two derivations from the venues' papers must agree."""

import math
from collections import Counter

import numpy as np
import pytest
from lab.served.worlds import FIRST, SECOND, Listener, opened, world

from airpocket.domain.units import MINUTE_NS
from airpocket.lab.exchange import journal
from airpocket.lab.server.house import House

DEPTHS = {"bybit_linear": 200, "bybit_inverse": 200, "okx": 400, "hyperliquid": 20}


class Heard:
    """A house that ran for a while, everything it wrote, and everything its listeners understood."""

    def __init__(self, made, seconds, speed):
        self.rows = []
        self.house = opened(made, speed=speed, kept=self.rows)
        self.start_rows = sum(map(len, self.rows))
        self.listener = Listener(self.house)
        self.listener.subscribe()
        self.checked, self.wrong = Counter(), []
        self.listener.run(seconds, self.compare)
        self.all = np.concatenate(self.rows)

    def compare(self, told, shown):
        """After each change told, the recorder's book is the matching engine's own, level by level."""
        m = self.house.session.market
        for contract in self.house.contracts:
            if contract.venue != told.venue or contract.symbol not in shown:
                continue
            book = self.listener.book(contract.venue)[contract.symbol]
            if book.levels is None:
                continue
            self.checked[contract.venue, contract.symbol] += 1
            truth = m.levels[contract.book]["lots"]
            bid, ask = int(m.books[contract.book].bid), int(m.books[contract.book].ask)
            best = book.levels.touch()
            if best is None:  # a side is empty, as it is in truth
                same = bid < 1 or ask >= int(m.books[contract.book].window)
            else:
                same = math.isclose(best.bid, bid * contract.tick_usd)
                same = same and math.isclose(best.ask, ask * contract.tick_usd)
            if self.checked[contract.venue, contract.symbol] % 10 == 1:
                same = same and self.levels_equal(contract, book, truth)
            if not same:
                self.wrong.append((contract, best, bid, ask))

    def levels_equal(self, contract, book, truth):
        ticks = np.flatnonzero(truth)
        mid = int(self.house.session.market.books[contract.book].ask)
        most = DEPTHS.get(contract.venue, 10**6)
        for side, mine in (
            (book.levels.bids, ticks[ticks < mid][::-1]),
            (book.levels.asks, ticks[ticks >= mid]),
        ):
            held = list(side.best_first())
            expected = [
                (tick * contract.tick_usd, int(truth[tick])) for tick in mine[:most].tolist()
            ]
            if len(held) != len(expected):
                return False
            for (price, size), (usd, lots) in zip(held, expected, strict=True):
                coin = lots * contract.lot / (usd if contract.form == "inverse" else 1.0)
                if not (math.isclose(price, usd) and math.isclose(size, coin, rel_tol=1e-9)):
                    return False
        return True

    def of_kind(self, book, kind):
        """Journal rows of a book that were written while listeners listened."""
        after = self.all[self.start_rows :]
        return after[(after[:, 2] == book) & (after[:, 0] == kind)]


@pytest.fixture(scope="module")
def first():
    return Heard(world(FIRST, flow=-12.0), 25.0, 6.0)


@pytest.fixture(scope="module")
def second():
    without = ("sim_bybit", "sim_hyperliquid")
    return Heard(world(SECOND, without=without, flow=-12.0), 18.0, 6.0)


@pytest.fixture(params=["first", "second"])
def heard(request):
    return request.getfixturevalue(request.param)


def test_every_book_is_live_and_equals_the_matching_engine_after_each_change(heard):
    assert heard.wrong == []
    for contract in heard.house.contracts:
        book = heard.listener.book(contract.venue)[contract.symbol]
        assert (book.state, book.reason, book.gaps) == ("live", "", 0)
        assert heard.checked[contract.venue, contract.symbol] > (
            0 if contract.venue == "hyperliquid" else 60
        )


def test_trades_heard_are_the_trades_of_the_journal_none_lost_or_doubled(heard):
    for contract in heard.house.contracts:
        rows = heard.of_kind(contract.book, journal.TRADE)
        trades = [
            t for t in heard.listener.of(contract.venue, "trade") if t.symbol == contract.symbol
        ]
        ids = [trade.trade_id for trade in trades]
        assert len(ids) == len(set(ids))
        # what came in the last quarter of a second may not have been told yet; Hyperliquid repeats the last 20 s
        told_from = min(trade.ts for trade in trades)
        wire = [heard.house.pace.to_wire(int(t)) // 10**6 * 10**6 for t in rows[:, 1]]
        until = heard.house.now - 3 * 10**8
        expected = Counter()
        for row, at in zip(rows.tolist(), wire, strict=True):
            if at <= until:
                key = (at, round(row[3] * contract.tick_usd, 8), "buy" if row[4] > 0 else "sell")
                coin = abs(row[4]) * contract.lot
                expected[key] += (
                    coin / (row[3] * contract.tick_usd) if contract.form == "inverse" else coin
                )
        told = Counter()
        after = heard.house.pace.wire
        for trade in trades:
            at = trade.ts // 10**6 * 10**6
            if after <= at <= until:
                told[at, round(trade.price, 8), trade.taker_side] += trade.size
        assert told_from <= until
        assert set(told) == set(expected)
        assert all(math.isclose(told[key], expected[key], rel_tol=1e-9) for key in expected)


def test_liquidations_say_who_was_forced_as_the_venue_says_it(heard):
    told_somewhere = 0
    for contract in heard.house.contracts:
        forced = [
            e
            for e in heard.listener.of(contract.venue, "liquidation")
            if e.symbol == contract.symbol
        ]
        if contract.form == "spot" or contract.venue == "hyperliquid":
            assert forced == []
            continue
        rows = heard.of_kind(contract.book, journal.PRINT)
        sides = Counter("buy" if row[4] > 0 else "sell" for row in rows.tolist())
        coverage = {"binance_usdm": "sample", "binance_coinm": "sample", "okx": "sample"}.get(
            contract.venue, "all"
        )
        assert {event.coverage for event in forced} <= {coverage}
        if (
            contract.venue == "deribit"
        ):  # told with the fills: what was taken adds up to what the feed has
            amounts = Counter()
            for event in forced:
                amounts[event.forced_side] += event.notional_usd
            for side, sign in (("buy", 1), ("sell", -1)):
                mine = [row for row in rows.tolist() if (row[4] > 0) == (sign > 0)]
                if contract.form == "inverse" and mine:
                    assert amounts[side] <= sum(abs(row[4]) * contract.lot for row in mine) * (
                        1 + 1e-9
                    )
                    assert amounts[side] > 0.0
            told_somewhere += len(forced)
            continue
        assert abs(len(forced) - len(rows)) <= 3  # of the last half second
        assert Counter(event.forced_side for event in forced) <= sides
        told_somewhere += len(forced)
    assert told_somewhere > 2


def test_marks_indices_funding_and_open_interest_are_the_journals_last(heard):
    for contract in heard.house.contracts:
        if contract.form == "spot":
            continue
        row = heard.of_kind(contract.book, journal.MARK)
        marks = [
            e.mark
            for e in heard.listener.of(contract.venue, "ticker")
            if e.symbol == contract.symbol and e.mark
        ]
        true = {round(r[3] * contract.tick_usd / 1e3, 6) for r in row.tolist()}
        # venues write marks to eight decimals or to the tick: each is within a tick of a mark that was
        nearest = sorted(true)
        for mark in marks[1:]:
            assert min(abs(mark - one) for one in nearest) <= contract.tick_usd
        assert len(marks) > 3
        estimates = [
            e
            for e in heard.listener.of(contract.venue, "funding_estimate")
            if e.symbol == contract.symbol
        ]
        rates = {r[3] / 1e9 for r in heard.of_kind(contract.book, journal.ESTIMATE).tolist()}
        scale = 480.0 if contract.venue == "deribit" else 1.0
        assert estimates
        for estimate in estimates[3:]:
            assert min(abs(estimate.rate / scale - rate) for rate in rates) < 1e-8


def test_open_interest_is_one_sided_and_in_the_venues_own_unit(heard):
    for contract in heard.house.contracts:
        if contract.form == "spot":
            continue
        feed = heard.listener.feeds[contract.venue]
        for poll in feed.polls:
            if "penInterest" in poll.url:
                heard.listener.ask(contract.venue, poll)
        held = [
            e
            for e in heard.listener.of(contract.venue, "open_interest")
            if e.symbol == contract.symbol
        ]
        lots = heard.of_kind(contract.book, journal.INTEREST)[:, 3].tolist()
        last = held[-1]
        usd = float(heard.house.session.market.books[contract.book].last) * contract.tick_usd
        coin = {"coin": 1.0, "usd": 1.0 / usd, "contracts": contract.worth / usd}[
            last.unit
        ] * last.amount
        true = [one * contract.lot / (usd if contract.form == "inverse" else 1.0) for one in lots]
        assert min(abs(coin / one - 1.0) for one in true) < 0.01


def test_minute_bars_are_the_trades_of_the_minute(heard):
    """The wire begins six seconds before a minute ends, so one whole minute is not heard; its edge is."""
    for contract in heard.house.contracts:
        bars = [b for b in heard.listener.of(contract.venue, "bar") if b.symbol == contract.symbol]
        if contract.venue in ("deribit", "coinbase"):
            assert bars == []
            continue
        [bar] = {b.ts: b for b in bars}.values()
        rows = heard.all[
            (heard.all[:, 2] == contract.book) & (heard.all[:, 0] == journal.TRADE)
        ].tolist()
        mine = [
            r for r in rows if heard.house.pace.to_wire(r[1]) // MINUTE_NS * MINUTE_NS == bar.ts
        ]
        coin = sum(
            abs(r[4])
            * contract.lot
            / (r[3] * contract.tick_usd if contract.form == "inverse" else 1.0)
            for r in mine
        )
        ticks = [r[3] * contract.tick_usd for r in mine]
        assert (bar.open, bar.high, bar.low, bar.close) == pytest.approx(
            (ticks[0], max(ticks), min(ticks), ticks[-1])
        )
        assert bar.volume == pytest.approx(
            coin, rel=1e-3 if contract.venue == "hyperliquid" else 1e-6
        )


def test_binances_best_quote_is_the_books_top_at_the_same_update(first):
    """venues.md §3.1: after each diff the top equals the quote with the last id not above it."""
    quotes = {q.update_id: q for q in first.listener.of("binance_usdm", "quote")}
    book = first.listener.book("binance_usdm")["ETHUSDT"]
    last = first.listener.of("binance_usdm", "book_change")[-1].last
    at = max(number for number in quotes if number <= last)
    best = book.levels.touch()
    assert (quotes[at].bid, quotes[at].ask) == (best.bid, best.ask)


def test_takeovers_and_deleveraging_are_off_book_at_binance_alone(first):
    rows = [len(first.of_kind(1, kind)) for kind in (journal.TAKEN, journal.DELEVERAGED)]
    off = first.listener.of("binance_usdm", "off_book")
    reasons = Counter(event.reason for event in off)
    assert [reasons["insurance_fund"], reasons["adl"]] == rows
    assert not first.listener.of("bybit_linear", "off_book")


def test_deribits_chain_and_volatility_index_are_heard(first):
    for poll in first.listener.feeds["deribit"].polls:
        first.listener.ask("deribit", poll)
    options = first.listener.of("deribit", "option_tick")
    assert len(options) == 72
    index = first.house.session.market.books[5].index * 0.1
    assert all(abs(option.forward / index - 1.0) < 0.02 for option in options)
    assert all(option.bid <= option.mark <= option.ask for option in options)
    assert {tick.symbol for tick in first.listener.of("deribit", "vol_tick")} == {"ETH-DVOL"}


def test_serving_does_not_change_the_market(first):
    """Time cut into slices and looked at from all sides: the same journal as a plain run."""
    from airpocket.lab.runs.session import Session

    plain = Session(world(FIRST, flow=-12.0), 1)
    for _ in plain.until(first.house.session.now):
        pass
    assert plain.hash == first.house.session.hash


def test_no_frame_is_left_without_a_meaning(heard):
    """Every frame decoded (the listener raises otherwise), and nothing came that says error."""
    for venue, events in heard.listener.events.items():
        errors = [
            e.text for e in events if e.__struct_config__.tag == "control" and e.what == "error"
        ]
        assert errors == [], venue


def test_two_books_of_one_name_are_refused():
    from airpocket.domain.errors import BadInput

    twice = world((("sim_more", "spot", "spot", 0.001),))
    with pytest.raises(
        BadInput, match="sim_more: served as ETHUSDT of binance_spot, as sim_spot is"
    ):
        House(twice, 1)
