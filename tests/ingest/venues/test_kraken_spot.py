"""Kraken spot: exact times, numbers as written for the checksum, and the taker's side in both versions."""

import gzip
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.venues import frames

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.events import Bar, Ticker
from airpocket.domain.wire import BookChange, Listing, Quote, Trade
from airpocket.ingest.venues.kraken.spot import decode

HEARD = 1_800_000_000_000_000_000

BOOK = (
    b'{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[{"price":83744.20,"qty":'
    b'0.56251979}],"asks":[{"price":83744.3,"qty":0.00000010}],"checksum":3832923880,'
    b'"timestamp":"2026-09-25T17:48:24.799230Z"}]}'
)
TRADE = (
    b'{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":83744.3,'
    b'"qty":0.5,"ord_type":"limit","trade_id":109116693,"timestamp":"2026-09-25T17:48:26.844359566Z"}]}'
)
TICK = (
    b'{"channel":"ticker","type":"update","data":[{"symbol":"BTC/EUR","bid":83744.2,"bid_qty":0.5,"ask":83744.3,'
    b'"ask_qty":0.25,"last":83744.3,"timestamp":"2026-09-25T17:48:26.844359Z"}]}'
)
CANDLE = (
    b'{"channel":"ohlc","type":"update","timestamp":"2026-09-25T17:48:26.844359566Z","data":[{"symbol":"BTC/USD",'
    b'"open":83729.5,"high":83745.2,"low":83729.4,"close":83744.3,"trades":33,"volume":0.2,"vwap":83736.4,'
    b'"interval_begin":"2026-09-25T17:48:00.000000000Z","interval":1,"timestamp":"2026-09-25T17:49:00.000000Z"}]}'
)
PAIRS = (
    b'{"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":[{"symbol":"BTC/USD","base":"BTC",'
    b'"quote":"USD","status":"online","price_increment":0.1},{"symbol":"ACA/EUR","base":"ACA","quote":"EUR",'
    b'"status":"cancel_only","price_increment":"0.00001"},{"symbol":"X/EUR","base":"X","status":"new"}]}}'
)
OLD_BOOK = (
    b'[320,{"a":[["38800.00000","0.02203518","1622766170.577187"]]},'
    b'{"b":[["38799.00000","0.00000000","1622766170.577304","r"]],"c":"2479000840"},"book-25","XBT/USD"]'
)
OLD_TRADES = (
    b'[14,[["9482.4","0.015","1561939258.512503","s","l",""],["9488.2","0.5","1561939258.557040","b","m",""],'
    b'["9488.2","0.5","1561939258.557040","b","m",""]],"trade","XBT/USDT"]'
)
OLD_CANDLE = (
    b'[343,["1675209613.118218","1675209660.000000","23135.0","23135.4","23134.5","23135.2","23135.1","0.39",7],'
    b'"ohlc-1","XBT/USD"]'
)
OLD_SPREAD = (
    b'[341,["31760.0","31760.1","1654031976.197239","0.02167307","6.46761464"],"spread","XBT/USD"]'
)


@pytest.mark.fault("B14")
def test_a_book_keeps_its_numbers_as_they_were_written():
    (book,) = decode(BOOK, HEARD)
    assert isinstance(book, BookChange)
    assert (book.snapshot, book.checksum, book.first, book.last) == (True, 3832923880, None, None)
    assert (book.bid_texts, book.ask_texts) == (
        (("83744.20", "0.56251979"),),
        (("83744.3", "0.00000010"),),
    )
    assert (book.bids, book.asks) == (((83744.2, 0.56251979),), ((83744.3, 1e-7),))
    assert book.ts == 1_790_358_504_799_230_000
    assert not decode(BOOK.replace(b"snapshot", b"update"), HEARD)[0].snapshot


def test_trades_have_the_takers_side_and_every_nanosecond():
    (trade,) = decode(TRADE, HEARD)
    assert isinstance(trade, Trade)
    assert (trade.taker_side, trade.trade_id, trade.ts) == (
        "buy",
        109116693,
        1_790_358_506_844_359_566,
    )
    assert (trade.price, trade.size, trade.notional_usd) == (83744.3, 0.5, 41872.15)


def test_a_ticker_is_a_quote_and_a_last_price():
    quote, ticker = decode(TICK, HEARD)
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == (83744.2, 0.5, 83744.3, 0.25)
    assert isinstance(ticker, Ticker)
    assert (ticker.last, ticker.mark, ticker.index) == (83744.3, None, None)


def test_a_pair_nobody_quotes_has_no_sides_and_the_time_it_was_heard():
    silent = (
        b'{"channel":"ticker","type":"update","data":[{"symbol":"ANETx/USD","bid":0,"bid_qty":0,"ask":0,'
        b'"ask_qty":0,"timestamp":"1970-01-01T00:00:00.000000Z"}]}'
    )
    old = b'[545,["0.000000000","0.000000000","0.000000","0.00000000","0.00000000"],"spread","LINK/ETH"]'
    for (quote,) in (decode(silent, HEARD), decode(old, HEARD)):
        assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == (None, None, None, None)
        assert quote.ts == HEARD


def test_a_bar_counts_only_once_its_minute_is_over():
    over = 1_790_358_540_000_000_000
    assert decode(CANDLE, over - 1) == []
    (bar,) = decode(CANDLE, over)
    assert isinstance(bar, Bar)
    assert (bar.ts, bar.interval_ns, bar.volume) == (over - 60_000_000_000, 60_000_000_000, 0.2)
    assert (bar.open, bar.high, bar.low, bar.close) == (83729.5, 83745.2, 83729.4, 83744.3)
    over = 1_675_209_660_000_000_000
    assert decode(OLD_CANDLE, over - 1) == []
    (bar,) = decode(OLD_CANDLE, over)
    assert (bar.ts, bar.volume) == (over - 60_000_000_000, 0.39)
    assert (bar.open, bar.high, bar.low, bar.close) == (23135.0, 23135.4, 23134.5, 23135.2)


def test_instruments_say_whether_they_trade():
    live, halted, unknown = decode(PAIRS, HEARD)
    assert isinstance(live, Listing)
    assert (live.symbol, live.base, live.kind, live.tick_size) == ("BTC/USD", "BTC", "spot", 0.1)
    assert [each.status for each in (live, halted, unknown)] == ["live", "halted", "unknown"]
    assert (halted.tick_size, unknown.tick_size) == (0.00001, None)


def test_both_sides_of_an_old_change_are_one_change():
    (change,) = decode(OLD_BOOK, HEARD)
    assert (change.snapshot, change.checksum, change.symbol) == (False, 2479000840, "XBT/USD")
    assert (change.asks, change.bids) == (((38800.0, 0.02203518),), ((38799.0, 0.0),))
    assert change.bid_texts == (("38799.00000", "0.00000000"),)
    assert change.ts == 1_622_766_170_577_304_000
    (whole,) = decode(b'[6304,{"as":[],"bs":[]},"book-25","PERP/EUR"]', HEARD)
    assert (whole.snapshot, whole.bids, whole.checksum, whole.ts) == (True, (), None, HEARD)


def test_old_trades_without_numbers_still_differ():
    sold, bought, again = decode(OLD_TRADES, HEARD)
    assert (sold.taker_side, bought.taker_side, sold.ts) == (
        "sell",
        "buy",
        1_561_939_258_512_503_000,
    )
    assert len({sold.trade_id, bought.trade_id, again.trade_id}) == 3
    assert sold.notional_usd == pytest.approx(142.236)
    assert [each.trade_id for each in decode(OLD_TRADES, HEARD + 1)] == [
        sold.trade_id, bought.trade_id, again.trade_id,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (b'{"method":"subscribe","result":{"channel":"trade"},"success":true}', "ack"),
        (b'{"error":"Currency pair not supported XBT/USD","method":"subscribe","success":false}', "error"),
        (b'{"channel":"executions","error":"ESession","method":"subscribe","success":false}', "error"),
        (b'{"method":"pong","time_in":"2026-09-25T17:48:24Z"}', "ack"),
        (b'{"channel":"heartbeat"}', "notice"),
        (b'{"connectionID":18239578009413566319,"event":"systemStatus","status":"online"}', "notice"),
        (b'{"channelID":1,"event":"subscriptionStatus","pair":"XBT/EUR","status":"subscribed"}', "ack"),
        (b'{"event":"subscriptionStatus","errorMessage":"Subscription depth","status":"error"}', "error"),
        (b'{"event":"heartbeat"}', "notice"), (b'{"event":"pong","reqid":1}', "ack"),
        (b'{"event":"error","errorMessage":"Malformed request"}', "error"),
        (b'{"error":["EQuery:Unknown asset pair"],"result":null}', "error"),
    ],
)  # fmt: skip
def test_answers_are_acknowledgements_errors_or_notices(frame, what):
    (said,) = decode(frame, HEARD)
    assert (said.what, said.ts) == (what, HEARD)


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"{}", b"[]", b"null", b"[1,2,3,4]", b'{"channel":"level3","data":[]}', BOOK[:-2],
        BOOK.replace(b"snapshot", b"partial"), BOOK.replace(b"3832923880", b"4294967296"),
        BOOK.replace(b"83744.20", b"NaN"), BOOK.replace(b"83744.20", b'"83744.20"'),
        BOOK.replace(b"83744.20", b"{}"), BOOK.replace(b"83744.20", b"1e999"), BOOK.replace(b"0.56251979", b"-1"),
        BOOK.replace(b"2026-09-25T17:48:24.799230Z", b"2026-09-25 17:48:24"),
        BOOK.replace(b"2026-09-25T", b"2026-02-30T"), BOOK.replace(b"2026-", b"9999-"),
        TRADE.replace(b'"buy"', b'"bid"'), TRADE.replace(b"109116693", b"18446744073709551616"),
        TRADE.replace(b"0.5", b"0"), CANDLE.replace(b'"interval":1', b'"interval":0'),
        OLD_BOOK.replace(b'"2479000840"', b'"4294967296"'), OLD_BOOK.replace(b'"2479000840"', b'"x"'),
        OLD_BOOK.replace(b'"1622766170.577187"', b'"1622766170,5"'), OLD_BOOK.replace(b'"a"', b'"as"'),
        OLD_BOOK.replace(b',"1622766170.577187"', b""), OLD_TRADES.replace(b'"s"', b'"x"'),
        OLD_TRADES.replace(b'"trade"', b'"openOrders"'), OLD_CANDLE.replace(b"ohlc-1", b"ohlc"),
        OLD_SPREAD.replace(b"31760.1", b"1_000"), b"[" * 100_000, b'{"data":' * 50_000,
    ],
)  # fmt: skip
def test_what_is_not_the_dialect_gives_one_error(frame):
    with pytest.raises(UndecodableFrame):
        decode(frame, HEARD)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(
        [BOOK, TRADE, TICK, CANDLE, PAIRS, OLD_BOOK, OLD_TRADES, OLD_CANDLE, OLD_SPREAD]
    ),
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


def checksum(book):
    """CRC32 of the ten best asks, then bids: price and size without dot and leading zeros."""
    best = sorted(book["asks"].items(), key=lambda row: float(row[0]))[:10]
    best += sorted(book["bids"].items(), key=lambda row: -float(row[0]))[:10]
    text = "".join(part.replace(".", "").lstrip("0") for row in best for part in row)
    return zlib.crc32(text.encode())


def apply(book, change, depth):
    """Absolute sizes by price; 0 takes a level away; what lies beyond the depth is dropped."""
    for side, texts, sign in (("asks", change.ask_texts, 1), ("bids", change.bid_texts, -1)):
        for price, size in texts:
            if float(size):
                book[side][price] = size
            else:
                book[side].pop(price, None)
        for price in sorted(book[side], key=lambda price: sign * float(price))[depth:]:
            del book[side][price]


def recorded(path):
    """'<seconds>: <JSON>' a line; what was sent and said about the connection is left out."""
    with gzip.open(path, "rb") as file:
        for line in file:
            stamp, found, frame = line.partition(b": ")
            if found and stamp.replace(b".", b"").isdigit():
                yield frame.strip()


@pytest.mark.real
@pytest.mark.fault("B13", "B14", "B15")
def test_every_checksum_of_a_recording_agrees(shared):
    books, agreed, kinds = {}, 0, []
    for frame in recorded(shared / "wire" / "cryptofeed-v2" / "KRAKEN.ws.50.0.gz"):
        for event in decode(frame, HEARD):
            kinds.append(event.__struct_config__.tag)
            if not isinstance(event, BookChange):
                continue
            if event.snapshot:
                books[event.symbol] = {"asks": {}, "bids": {}}
            apply(books[event.symbol], event, 1_000)
            if event.checksum is not None:
                assert checksum(books[event.symbol]) == event.checksum
                agreed += 1
    assert (len(books), agreed) == (10, 4_269)
    assert (len(kinds), kinds.count("control")) == (4_321, 42)


@pytest.mark.real
def test_every_frame_of_the_trade_and_ticker_recordings_decodes(shared):
    found = {}
    for name in ("KRAKEN.ws.48.0", "KRAKEN.ws.49.0"):
        for frame in recorded(shared / "wire" / "cryptofeed-v2" / f"{name}.gz"):
            for event in decode(frame, HEARD):
                found.setdefault(event.__struct_config__.tag, []).append(event)
    assert {kind: len(events) for kind, events in found.items()} == {
        "control": 83, "trade": 10, "quote": 18, "ticker": 18,
    }  # fmt: skip
    assert all(quote.bid < quote.ask for quote in found["quote"])


@pytest.mark.real
def test_trades_agree_with_another_reader(shared):
    path = shared / "wire" / "tardis-node" / "kraken.jsonl"
    compared = 0
    for line, frame in zip(frames.lines(path), frames.wrapped(path), strict=True):
        events = decode(frame, HEARD)
        for event, other in zip(events, json.loads(line).get("expected", []), strict=False):
            if isinstance(event, Trade):
                said = (other["symbol"], other["side"], other["price"], other["amount"])
                assert (event.symbol, event.taker_side, event.price, event.size) == said
                compared += 1
    assert compared == 3


# 13 of 21 are frames of the futures market or REST books, which name no pair of the websocket.
@pytest.mark.real
def test_frames_of_2021_to_2023_decode_and_those_of_futures_are_refused(shared):
    counts = {"decoded": 0, "refused": 0}
    for frame in frames.wrapped(shared / "wire" / "crypto-msg-parser" / "kraken.jsonl", "raw"):
        try:
            decode(frame, HEARD)
        except UndecodableFrame:
            counts["refused"] += 1
        else:
            counts["decoded"] += 1
    assert counts == {"decoded": 8, "refused": 13}
