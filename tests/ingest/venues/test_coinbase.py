"""Coinbase: a trade's side is the maker's, so the taker did the opposite; books carry no ids of their own."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.venues import frames

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.events import Ticker
from airpocket.domain.wire import BookChange, Listing, Quote, Trade
from airpocket.ingest.venues.coinbase.decoder import decode

HEARD = 1_800_000_000_000_000_000

LEVEL2 = (
    b'{"channel":"l2_data","timestamp":"2026-08-09T20:32:50.714964855Z","sequence_num":5,"events":[{"type":"snapshot",'
    b'"product_id":"BTC-USD","updates":[{"side":"bid","event_time":"1970-01-01T00:00:00Z","price_level":"21921.73",'
    b'"new_quantity":"0.06317902"},{"side":"offer","event_time":"1970-01-01T00:00:00Z","price_level":"21922.5",'
    b'"new_quantity":"0"}]}]}'
)
TRADES = (
    b'{"channel":"market_trades","client_id":"","timestamp":"2026-02-09T20:19:35.39625135Z","sequence_num":0,"events":'
    b'[{"type":"update","trades":[{"trade_id":"12","product_id":"ETH-USD","price":"1260.5","size":"0.5","side":"BUY",'
    b'"time":"2026-02-09T20:19:35.265Z"},{"trade_id":"11","product_id":"ETH-BTC","price":"0.05","size":"2",'
    b'"side":"SELL","time":"2026-02-09T20:19:35.200000001Z"}]}]}'
)
TICK = (
    b'{"channel":"ticker","timestamp":"2026-02-09T20:30:37.167359596Z","sequence_num":0,"events":[{"type":"snapshot",'
    b'"tickers":[{"type":"ticker","product_id":"BTC-USD","price":"21932.98","best_bid":"21931.98",'
    b'"best_bid_quantity":"8000.21","best_ask":"21933.98","best_ask_quantity":"8038.07770938"}]}]}'
)
STATUS = (
    b'{"channel":"status","timestamp":"2026-02-09T20:29:49.753424311Z","sequence_num":0,"events":[{"type":"snapshot",'
    b'"products":[{"product_type":"SPOT","id":"BTC-USD","base_currency":"BTC","quote_currency":"USD",'
    b'"quote_increment":"0.01","status":"online"},{"product_type":"FUTURE","id":"BIT-28JUN24-CDE","base_currency":'
    b'"","quote_currency":"USD","quote_increment":"5","status":"online"},{"product_type":"SPOT","id":"X-USD",'
    b'"base_currency":"X","quote_currency":"USD","quote_increment":"","status":"delisted"}]}]}'
)
MATCH = (
    b'{"type":"match","trade_id":280232,"maker_order_id":"2a","taker_order_id":"3c","side":"sell","size":"985",'
    b'"price":"0.00001305","product_id":"SKL-BTC","sequence":177100030,"time":"2021-04-17T16:43:37.089723Z"}'
)
CHANGE = (
    b'{"type":"l2update","product_id":"BTC-EUR","changes":[["buy","9202.70","0.58667860"],["sell","9222.39",'
    b'"0.00000000"]],"time":"0001-01-01T00:00:00.000000Z"}'
)
OLD_TICK = (
    b'{"type":"ticker","sequence":50978628538,"product_id":"BTC-USD","price":"17165.16","best_bid":"17165.15",'
    b'"best_bid_size":"0.61540890","best_ask":"17167.76","best_ask_size":"0.18528568","side":"sell",'
    b'"time":"2022-12-01T00:00:00.122581Z","trade_id":463751434,"last_size":"0.05"}'
)


def test_a_book_has_no_ids_because_the_sequence_is_the_connections():
    (book,) = decode(LEVEL2, HEARD)
    assert isinstance(book, BookChange)
    assert (book.snapshot, book.first, book.last, book.previous) == (True, None, None, None)
    assert (book.bids, book.asks) == (((21921.73, 0.06317902),), ((21922.5, 0.0),))
    assert (book.symbol, book.checksum) == ("BTC-USD", None)
    update = LEVEL2.replace(b"snapshot", b"update").replace(
        b"1970-01-01T00:00:00Z", b"2026-08-09T20:32:50.5Z"
    )
    (change,) = decode(update, HEARD)
    assert (change.snapshot, change.ts) == (False, 1_786_307_570_500_000_000)


def test_the_taker_did_the_opposite_of_the_side():
    later, earlier = decode(TRADES, HEARD)[::-1]  # told oldest first
    assert isinstance(later, Trade)
    assert (later.taker_side, later.price, later.size, later.trade_id) == ("sell", 1260.5, 0.5, 12)
    assert (later.notional_usd, later.ts) == (630.25, 1_770_668_375_265_000_000)
    assert (earlier.taker_side, earlier.notional_usd, earlier.trade_id) == ("buy", None, 11)
    assert earlier.ts == 1_770_668_375_200_000_001
    (old,) = decode(MATCH, HEARD)
    assert (old.taker_side, old.size, old.trade_id) == ("buy", 985.0, 280232)
    assert decode(MATCH.replace(b'"match"', b'"last_match"'), HEARD) == [old]
    assert decode(TRADES.replace(b'"update"', b'"snapshot"'), HEARD) == [earlier, later]


def test_a_ticker_is_a_last_price_and_a_quote_where_sizes_are_said():
    ticker, quote = decode(TICK, HEARD)
    assert isinstance(ticker, Ticker)
    assert isinstance(quote, Quote)
    assert (ticker.last, ticker.mark, ticker.ts) == (21932.98, None, 1_770_669_037_167_359_596)
    assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == (
        21931.98,
        8000.21,
        21933.98,
        8038.07770938,
    )
    batch = TICK.replace(b'"ticker",', b'"ticker_batch",', 1)
    bare = batch[: batch.index(b',"best_bid"')] + b"}]}]}"
    assert decode(bare, HEARD) == [ticker]
    last, best = decode(OLD_TICK, HEARD)
    assert (last.last, best.bid_size, best.ask_size) == (17165.16, 0.6154089, 0.18528568)


def test_an_old_change_without_a_time_has_the_time_it_was_heard():
    (change,) = decode(CHANGE, HEARD)
    assert (change.snapshot, change.ts) == (False, HEARD)
    assert (change.bids, change.asks) == (((9202.7, 0.5866786),), ((9222.39, 0.0),))


def test_products_say_whether_they_trade_and_futures_are_left_out():
    live, gone = decode(STATUS, HEARD)
    assert isinstance(live, Listing)
    assert (live.symbol, live.base, live.kind, live.tick_size) == ("BTC-USD", "BTC", "spot", 0.01)
    assert (live.status, gone.status, gone.tick_size) == ("live", "delisted", None)


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (b'{"channel":"heartbeats","timestamp":"2026-06-23T20:31:26.1Z","sequence_num":0,"events":'
         b'[{"current_time":"2026-06-23 20:31:56 +0000 UTC m=+9","heartbeat_counter":3049}]}', "notice"),
        (b'{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD"}', "notice"),
        (b'{"channel":"subscriptions","sequence_num":1,"events":[{"subscriptions":{"level2":["X-USD"]}}]}', "ack"),
        (b'{"type":"subscriptions","channels":[{"name":"level2","product_ids":["BTC-USD"]}]}', "ack"),
        (b'{"type":"error","message":"Failed to subscribe","reason":"NO-USD is not a valid product"}', "error"),
    ],
)  # fmt: skip
def test_answers_are_acknowledgements_errors_or_notices(frame, what):
    (said,) = decode(frame, HEARD)
    assert said.what == what


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"{}", b"[]", b"null", b'{"channel":"user","events":[]}', b'{"type":"open","side":"sell"}',
        b'{"channel":"l2_data"}', LEVEL2[:-2], LEVEL2.replace(b'"offer"', b'"ask"'),
        LEVEL2.replace(b"snapshot", b"partial"), LEVEL2.replace(b'"21921.73"', b"NaN"),
        LEVEL2.replace(b'"21921.73"', b'"NaN"'), LEVEL2.replace(b'"0.06317902"', b'"-1"'),
        LEVEL2.replace(b'"sequence_num":5', b'"sequence_num":18446744073709551616'),
        TRADES.replace(b'"BUY"', b'"UNKNOWN_ORDER_SIDE"'), TRADES.replace(b'"1260.5"', b'"1e400"'),
        TRADES.replace(b'"0.5"', b'"0"'), TRADES.replace(b"2026-02-09T20:19:35.265Z", b"0001-01-01T00:00:00Z"),
        MATCH.replace(b"280232", b"18446744073709551616"), MATCH.replace(b'"sell"', b'"offer"'),
        MATCH.replace(b'"985"', b"985"), CHANGE.replace(b'"buy"', b'"b"'), OLD_TICK.replace(b"2022-", b"2022/"),
        b"[" * 100_000, b'{"events":' * 50_000,
    ],
)  # fmt: skip
def test_what_is_not_the_dialect_gives_one_error(frame):
    with pytest.raises(UndecodableFrame):
        decode(frame, HEARD)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([LEVEL2, TRADES, TICK, STATUS, MATCH, CHANGE, OLD_TICK]),
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
def test_books_of_a_recording_never_cross_and_trades_fit_them(shared):
    books, found = {}, {}
    fits = [0, 0]  # trades against, and with, the half of the book they lie in
    with gzip.open(shared / "wire" / "cryptofeed-v2" / "COINBASE.ws.28.0.gz", "rb") as file:
        heard = [line.partition(b": ") for line in file]
    for frame in (frame for stamp, _, frame in heard if stamp.replace(b".", b"").isdigit()):
        if not frame.strip():
            continue
        for event in decode(frame, HEARD):
            found[event.__struct_config__.tag] = found.get(event.__struct_config__.tag, 0) + 1
            book = books.setdefault(event.symbol, ({}, {}))
            if isinstance(event, BookChange):
                for side, levels in zip(book, (event.bids, event.asks), strict=True):
                    side.update(levels)
                    for price in [price for price, size in levels if size == 0]:
                        side.pop(price, None)
                assert not book[0] or not book[1] or max(book[0]) < min(book[1])
            elif isinstance(event, Trade) and b'"match"' in frame:
                middle = (max(book[0]) + min(book[1])) / 2
                fits[event.taker_side == ("buy" if event.price > middle else "sell")] += 1
    # tickers of that time have no sizes, and so no quote
    assert found == {"control": 3, "book_change": 9_729, "ticker": 107, "trade": 107}
    assert fits == [3, 94]  # a book can lag a trade; flipped the other way it would be 94 against


@pytest.mark.real
def test_older_frames_agree_with_another_reader(shared):
    path = shared / "wire" / "tardis-node" / "coinbase.jsonl"
    events = [decode(frame, HEARD) for frame in frames.wrapped(path)]
    assert [len(each) for each in events] == [1, 1, 1, 1, 2]
    quote = events[-1][1]
    assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == (
        17165.15,
        0.6154089,
        17167.76,
        0.18528568,
    )


# Refused: a single order of the full channel, and a REST book that names no pair.
@pytest.mark.real
def test_frames_of_2021_and_2022_decode_but_for_single_orders(shared):
    counts = {"decoded": 0, "refused": 0}
    for frame in frames.wrapped(
        shared / "wire" / "crypto-msg-parser" / "coinbase_pro.jsonl", "raw"
    ):
        try:
            decode(frame, HEARD)
        except UndecodableFrame:
            counts["refused"] += 1
        else:
            counts["decoded"] += 1
    assert counts == {"decoded": 4, "refused": 2}
