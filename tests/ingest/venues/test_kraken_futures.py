"""Kraken's futures: the relative rate is the fraction, inverse sizes are dollars, forced closes say so."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.venues import frames

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.events import OpenInterest, Ticker
from airpocket.domain.wire import BookChange, FundingEstimate, Liquidation, OffBook, Quote, Trade
from airpocket.ingest.venues.kraken.futures import decode

HEARD = 1_800_000_000_000_000_000

TICK = (
    b'{"time":1790359997224,"product_id":"PF_XBTUSD","funding_rate":0.912482213835,"relative_funding_rate":'
    b'0.00001089345,"relative_funding_rate_prediction":0.00001575425,"next_funding_rate_time":1790362800000,'
    b'"feed":"ticker","bid":84001.0,"ask":84002.0,"bid_size":0.0273,"ask_size":0.006,"dtm":0,"index":83995.76,'
    b'"last":83997.0,"suspended":false,"pair":"XBT:USD","openInterest":2189.7813,"markPrice":84004.5}'
)
TRADE = (
    b'{"product_id":"PI_XBTUSD","feed":"trade","uid":"8a2be12f","side":"sell","type":"fill","time":1790360004381,'
    b'"qty":1000,"price":80000.0,"seq":421135}'
)
SNAPSHOT = (
    b'{"feed":"book_snapshot","product_id":"PI_XBTUSD","timestamp":1790359964969,"seq":41,"tickSize":null,'
    b'"bids":[{"price":80000.0,"qty":8000.0}],"asks":[{"price":80001.0,"qty":80001.0}]}'
)
CHANGE = (
    b'{"feed":"book","product_id":"PF_XBTUSD","side":"sell","seq":42,"price":83999.0,"qty":0.0,'
    b'"timestamp":1790359997729}'
)


def kind(frame, name):
    return frame.replace(b'"type":"fill"', b'"type":"' + name + b'"')


def test_the_relative_rate_is_the_fraction_and_linear_sizes_are_coin():
    ticker, interest, funding, quote = decode(TICK, HEARD)
    assert isinstance(ticker, Ticker)
    assert (ticker.last, ticker.mark, ticker.index) == (83997.0, 84004.5, 83995.76)
    assert isinstance(interest, OpenInterest)
    assert (interest.amount, interest.unit) == (2189.7813, "coin")
    assert isinstance(funding, FundingEstimate)
    assert (funding.rate, funding.interval_s) == (0.00001089345, 3_600)
    assert funding.next_settlement == 1_790_362_800_000_000_000
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == (
        84001.0,
        0.0273,
        84002.0,
        0.006,
    )
    assert {event.ts for event in (ticker, interest, funding, quote)} == {1_790_359_997_224_000_000}


def test_an_absolute_rate_alone_is_no_estimate():
    old = TICK.replace(b'"relative_funding_rate":0.00001089345,', b"")
    assert not any(isinstance(event, FundingEstimate) for event in decode(old, HEARD))


def test_inverse_sizes_are_dollars_and_interest_as_well():
    _, interest, _, quote = decode(TICK.replace(b"PF_", b"PI_"), HEARD)
    assert (interest.amount, interest.unit) == (2189.7813, "usd")
    assert quote.bid_size == pytest.approx(0.0273 / 84001.0)
    (trade,) = decode(TRADE, HEARD)
    assert (trade.size, trade.notional_usd, trade.price) == (0.0125, 1000.0, 80000.0)
    (linear,) = decode(TRADE.replace(b"PI_", b"PF_").replace(b"1000", b"0.5"), HEARD)
    assert (linear.size, linear.notional_usd) == (0.5, 40_000.0)
    (dated,) = decode(TRADE.replace(b"PI_XBTUSD", b"FI_XBTUSD_261225"), HEARD)
    assert (dated.size, dated.notional_usd) == (0.0125, 1000.0)


def test_a_price_in_another_coin_gives_no_dollars():
    (trade,) = decode(TRADE.replace(b"PI_XBTUSD", b"FV_XRPXBT_261225"), HEARD)
    assert (trade.size, trade.notional_usd) == (1000.0, None)


def test_a_book_counts_one_by_one():
    (whole,), (change,) = decode(SNAPSHOT, HEARD), decode(CHANGE, HEARD)
    assert isinstance(whole, BookChange)
    assert (whole.snapshot, whole.last, whole.previous) == (True, 41, None)
    assert (whole.bids, whole.asks) == (((80000.0, 0.1),), ((80001.0, 1.0),))
    assert (change.snapshot, change.first, change.last, change.previous) == (False, 42, 42, 41)
    assert (change.bids, change.asks) == ((), ((83999.0, 0.0),))
    (bid,) = decode(CHANGE.replace(b'"sell"', b'"buy"'), HEARD)
    assert (bid.bids, bid.asks) == (((83999.0, 0.0),), ())


@pytest.mark.parametrize(("side", "name"), [(b"sell", b"liquidation"), (b"buy", b"termination")])
@pytest.mark.fault("V19")
def test_a_forced_trade_is_on_the_tape_and_a_liquidation(side, name):
    trade, forced = decode(kind(TRADE, name).replace(b'"sell"', b'"' + side + b'"'), HEARD)
    assert isinstance(trade, Trade)
    assert isinstance(forced, Liquidation)
    assert (forced.forced_side, trade.taker_side) == (side.decode(), side.decode())
    assert (forced.price, forced.price_kind, forced.coverage) == (80000.0, "fill", "all")
    assert (forced.size, forced.notional_usd) == (0.0125, 1000.0)


@pytest.mark.parametrize("name", [b"block", b"assignment"])
@pytest.mark.fault("V21")
def test_what_was_agreed_elsewhere_stays_off_the_tape(name):
    (event,) = decode(kind(TRADE, name), HEARD)
    assert isinstance(event, OffBook)
    assert (event.reason, event.price, event.size) == (name.decode(), 80000.0, 0.0125)


def test_a_snapshot_of_trades_is_told_oldest_first():
    later = TRADE.replace(b"421135", b"421136").replace(b"8a2be12f", b"9b")
    frame = (
        b'{"feed":"trade_snapshot","product_id":"PI_XBTUSD","trades":['
        + later
        + b","
        + TRADE
        + b"]}"
    )
    assert [event.trade_id for event in decode(frame, HEARD)] == ["8a2be12f", "9b"]


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (b'{"event":"subscribed","feed":"book","product_ids":["PI_XRPUSD"]}', "ack"),
        (b'{"event":"subscribed_failed","feed":"book","product_ids":["PI_NOUSD"]}', "error"),
        (b'{"event":"alert","message":"Couldn\'t subscribe to invalid feed"}', "error"),
        (b'{"event":"error","message":"Invalid product id"}', "error"),
        (b'{"event":"info","version":1}', "notice"), (b'{"feed":"heartbeat","time":1790359997224}', "notice"),
    ],
)  # fmt: skip
def test_answers_are_acknowledgements_errors_or_notices(frame, what):
    (said,) = decode(frame, HEARD)
    assert said.what == what


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"{}", b"[]", b"null", b'{"feed":"fills"}', b'{"feed":"ticker"}', TICK[:-3], TRADE[:-1],
        TRADE.replace(b'"sell"', b'"bid"'), kind(TRADE, b"gift"), TRADE.replace(b"1000", b"NaN"),
        TRADE.replace(b"1000", b"-1"), TRADE.replace(b"80000.0", b"1e400"), TRADE.replace(b"80000.0", b'"80000"'),
        TRADE.replace(b"1790360004381", b"5"), TRADE.replace(b"421135", b"18446744073709551616"),
        CHANGE.replace(b"42", b"18446744073709551616"), CHANGE.replace(b"42", b"-1"),
        SNAPSHOT.replace(b"8000.0}", b"-8000.0}"), TICK.replace(b"0.00001089345", b"1e300"),
        b"[" * 100_000, b'{"feed":' * 50_000,
    ],
)  # fmt: skip
def test_what_is_not_the_dialect_gives_one_error(frame):
    with pytest.raises(UndecodableFrame):
        decode(frame, HEARD)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([TICK, TRADE, SNAPSHOT, CHANGE, kind(TRADE, b"liquidation")]),
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=4),
)
def test_mutated_frames_decode_or_give_that_error(frame, cuts):
    for at, put in cuts:
        frame = frame[: at % len(frame)] + put + frame[at % len(frame) + 1 :] or b"{}"
    try:
        events = decode(frame, HEARD)
    except UndecodableFrame:
        return
    assert all(event.heard == HEARD for event in events)


@pytest.mark.real
@pytest.mark.fault("B01")
def test_the_sequence_of_a_recording_has_no_gap_and_its_books_never_cross(shared):
    books, last, changes, found = {}, {}, 0, {}
    with gzip.open(shared / "wire" / "cryptofeed-v2" / "KRAKEN_FUTURES.ws.1.0.gz", "rb") as file:
        heard = [line.partition(b": ") for line in file]
    for frame in (frame for stamp, _, frame in heard if stamp.replace(b".", b"").isdigit()):
        for event in decode(frame, HEARD):
            found[event.__struct_config__.tag] = found.get(event.__struct_config__.tag, 0) + 1
            if not isinstance(event, BookChange):
                continue
            book = books.setdefault(event.symbol, ({}, {}))
            if not event.snapshot:
                assert event.previous == last[event.symbol]
                changes += 1
            last[event.symbol] = event.last
            for side, levels in zip(book, (event.bids, event.asks), strict=True):
                side.update(levels)
                for price in [price for price, size in levels if size == 0]:
                    del side[price]
            assert max(book[0]) < min(book[1])
    # the 107 lite tickers have no sizes and say nothing here
    assert (changes, len(books)) == (7_014, 10)
    assert found == {"control": 31, "book_change": 7_024, "trade": 1_003}


@pytest.mark.real
def test_frames_of_2019_to_2023_decode(shared):
    path = shared / "wire" / "tardis-node" / "cryptofacilities.jsonl"
    events = [decode(frame, HEARD) for frame in frames.wrapped(path)]
    assert [len(each) for each in events] == [3, 1, 1, 1, 4, 2, 4]
    assert [(e.price, e.taker_side) for each in events for e in each if isinstance(e, Trade)] == [
        (4088.5, "buy"), (9680.0, "sell"),
    ]  # fmt: skip
    rates = [e.rate for each in events for e in each if isinstance(e, FundingEstimate)]
    assert rates == [0.000156359265625, -1.5670191666667e-05]
    units = {e.symbol: e.unit for each in events for e in each if isinstance(e, OpenInterest)}
    assert (units["PI_LTCUSD"], units["PF_SUIUSD"], units["FI_LTCUSD_190628"]) == (
        "usd",
        "coin",
        "usd",
    )


# 8 of 21 are arrays of the spot market, 3 are REST books that name no product.
@pytest.mark.real
def test_frames_of_2022_decode_and_those_of_spot_are_refused(shared):
    counts = {"decoded": 0, "refused": 0}
    for frame in frames.wrapped(shared / "wire" / "crypto-msg-parser" / "kraken.jsonl", "raw"):
        try:
            decode(frame, HEARD)
        except UndecodableFrame:
            counts["refused"] += 1
        else:
            counts["decoded"] += 1
    assert counts == {"decoded": 10, "refused": 11}
