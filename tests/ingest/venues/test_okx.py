"""OKX's frames: contracts become coin where their worth is known, and liquidations say which position went."""

import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.venues import frames

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.wire import BookChange, FundingEstimate, Listing, OptionTick, Quote
from airpocket.ingest.venues.okx.decoder import decode
from airpocket.market.books.book import Book

HEARD = 1_800_000_000_000_000_000
FORCED = (
    b'{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"details":[{"bkLoss":"0","bkPx":"82655.7",'
    b'"ccy":"","posSide":"long","side":"sell","sz":"8.55","ts":"1791565600771"}],"instFamily":"BTC-USDT",'
    b'"instId":"BTC-USDT-SWAP","instType":"SWAP","uly":"BTC-USDT"}]}'
)
BOOK = (
    b'{"arg":{"channel":"books","instId":"%s"},"action":"%s","data":[{"asks":[["3000.5","20","0","2"]],'
    b'"bids":[["3000","10","0","1"],["2999","0","0","0"]],"ts":"1791565600771","checksum":0,"seqId":%d,"prevSeqId":%d}]}'
)
FUNDING = (
    b'{"arg":{"channel":"funding-rate","instId":"ETH-USDT-SWAP"},"data":[{"instId":"ETH-USDT-SWAP","fundingRate":'
    b'"-0.0002","fundingTime":"1791590400000","nextFundingTime":"1791604800000","ts":"1791565600771"}]}'
)
TRADE = (
    b'{"arg":{"channel":"trades","instId":"%s"},"data":[{"instId":"%s","tradeId":"7","px":"3000","sz":"5",'
    b'"side":"sell","ts":"1791565600771"}]}'
)


def one(frame, address=""):
    (event,) = decode(frame, HEARD, address)
    return event


def test_a_long_that_is_liquidated_is_sold_and_its_contracts_are_coin():
    event = one(FORCED)
    assert (event.forced_side, event.price_kind, event.coverage) == ("sell", "bankruptcy", "sample")
    assert event.size == pytest.approx(0.0855)
    assert event.notional_usd == pytest.approx(0.0855 * 82655.7)


def test_a_net_position_is_told_by_the_orders_side_and_contradictions_are_refused():
    assert one(FORCED.replace(b'"long"', b'"net"')).forced_side == "sell"
    short = FORCED.replace(b'"long"', b'"short"')
    assert one(short.replace(b'"sell"', b'"buy"')).forced_side == "buy"
    with pytest.raises(UndecodableFrame):
        decode(short, HEARD, "")


@pytest.mark.parametrize(
    ("symbol", "size", "usd"),
    [(b"ETH-USDT-SWAP", 0.5, 1_500.0), (b"ETH-USD-SWAP", 50 / 3_000, 50.0), (b"ETH-USDT", 5.0, 15_000.0),
     (b"ETH-BTC", 5.0, None), (b"NEWCOIN-USDT-SWAP", None, None), (b"ETH-USD-260327-3000-C", None, None)],
)  # fmt: skip
def test_sizes_by_kind_of_contract(symbol, size, usd):
    event = one(TRADE % (symbol, symbol))
    assert event.taker_side == "sell"
    assert event.size == (None if size is None else pytest.approx(size))
    assert event.notional_usd == (None if usd is None else pytest.approx(usd))


def test_books_chain_by_identity_and_a_constant_zero_is_no_checksum():
    first, change = (
        one(BOOK % (b"ETH-USDT-SWAP", b"snapshot", 100, -1)),
        one(BOOK % (b"ETH-USDT-SWAP", b"update", 107, 100)),
    )
    assert isinstance(first, BookChange)
    assert (first.snapshot, first.last, first.previous, first.checksum) == (True, 100, None, None)
    assert (change.snapshot, change.last, change.previous) == (False, 107, 100)
    assert change.bids == ((3000.0, 1.0), (2999.0, 0.0))
    assert not one(BOOK % (b"NEWCOIN-USDT-SWAP", b"snapshot", 1, -1)).in_coin
    book = Book("okx", "ETH-USDT-SWAP")
    for event in (first, change, one(BOOK % (b"ETH-USDT-SWAP", b"update", 107, 107))):
        book.apply(event)
    assert book.state == "live"
    book.apply(one(BOOK % (b"ETH-USDT-SWAP", b"update", 130, 120)))
    assert (book.state, book.gaps) == ("untrusted", 1)


def test_the_funding_interval_is_the_distance_of_settlements():
    event = one(FUNDING)
    assert isinstance(event, FundingEstimate)
    assert (event.rate, event.interval_s, event.next_settlement) == (
        -0.0002,
        14_400,
        1_791_590_400_000 * 10**6,
    )
    assert (
        one(
            FUNDING.replace(b'"nextFundingTime":"1791604800000"', b'"nextFundingTime":""')
        ).interval_s
        is None
    )
    with pytest.raises(UndecodableFrame):
        decode(FUNDING.replace(b"1791604800000", b"1791590400000"), HEARD, "")


def test_an_index_price_concerns_the_perpetual():
    frame = (
        b'{"arg":{"channel":"index-tickers","instId":"ETH-USDT"},"data":[{"instId":"ETH-USDT","idxPx":"3000.1",'
        b'"ts":"1791565600771"}]}'
    )
    event = one(frame)
    assert (event.symbol, event.index, event.last) == ("ETH-USDT-SWAP", 3000.1, None)


def test_answers_about_the_connection_and_over_rest():
    assert one(b"pong").what == "ack"
    assert (
        one(b'{"event":"subscribe","arg":{"channel":"books","instId":"X"}}').text
        == "subscribe books X"
    )
    assert one(b'{"event":"error","code":"60018","msg":"no"}').what == "error"
    assert one(b'{"event":"notice","code":"64008","msg":"soon"}').what == "notice"
    rest = (
        b'{"code":"0","msg":"","data":[{"instId":"ETH-USDT-SWAP","instType":"SWAP","oi":"100","oiCcy":"10",'
        b'"ts":"1791565600771"}]}'
    )
    held = one(
        rest, "https://www.okx.com/api/v5/public/open-interest?instType=SWAP&instId=ETH-USDT-SWAP"
    )
    assert (held.amount, held.unit) == (10.0, "coin")
    with pytest.raises(UndecodableFrame):
        decode(rest, HEARD, "")


def test_options_carry_black_scholes_greeks_and_no_quote_is_none():
    frame = (
        b'{"arg":{"channel":"opt-summary","instFamily":"ETH-USD"},"data":[{"instId":"ETH-USD-260327-4150-P",'
        b'"markVol":"1.3","bidVol":"","askVol":"5","delta":"-1.01","deltaBS":"-0.98","gammaBS":"0.0007","vegaBS":"3",'
        b'"thetaBS":"-43","fwdPx":"3010.5","ts":"1774000000000"}]}'
    )
    event = one(frame)
    assert isinstance(event, OptionTick)
    assert (event.base, event.strike, event.call, event.forward) == ("ETH", 4150.0, False, 3010.5)
    assert (event.mark_iv, event.bid_iv, event.ask_iv, event.delta) == (1.3, None, 5.0, -0.98)
    assert event.expiry == 1_774_598_400 * 10**9  # 2026-03-27 08:00 UTC


@pytest.mark.parametrize(
    "frame",
    [b"", b"ping", b"{}", b"[]", b'{"arg":{"channel":"what"},"data":[]}', FORCED.replace(b'"sell"', b'"SELL"'),
     FORCED.replace(b'"8.55"', b'"NaN"'), FORCED.replace(b'"82655.7"', b'"0"'), BOOK % (b"X", b"replace", 1, 0),
     BOOK % (b"X", b"update", 2**64, 0), FUNDING.replace(b"1791565600771", b"12"), FORCED[:-4], b"[" * 100_000,
     b'{"table":"swap/ticker","data":[]}'],
)  # fmt: skip
def test_what_is_not_the_dialect_gives_one_error(frame):
    with pytest.raises(UndecodableFrame):
        decode(frame, HEARD, "")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([FORCED, BOOK % (b"ETH-USDT-SWAP", b"update", 9, 8), FUNDING]),
       st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=4))  # fmt: skip
def test_mutated_frames_decode_or_give_that_error(frame, cuts):
    for at, put in cuts:
        frame = frame[: at % len(frame)] + put + frame[at % len(frame) + 1 :] or b"{}"
    try:
        events = decode(frame, HEARD, "")
    except UndecodableFrame:
        return
    assert all(event.heard == HEARD for event in events)


def counted(seen):
    understood, refused = [], {}
    for frame in seen:
        try:
            understood += decode(frame, HEARD, "")
        except UndecodableFrame as error:
            refused[str(error)] = refused.get(str(error), 0) + 1
    return understood, refused


@pytest.mark.real
def test_the_recording_of_2022_decodes_whole_and_its_checksums_agree(shared):
    """290 of 290, by the book itself and by arithmetic written here from the venue's description."""
    books, agreed, frames_seen = {}, 0, 0
    plain = {}
    for _, frame in frames.received(shared / "wire" / "cryptofeed-v2" / "OKX.ws.1.0.gz"):
        frames_seen += 1
        outer = json.loads(frame) if frame.startswith(b"{") else {}
        for event in decode(frame, HEARD, ""):
            if isinstance(event, BookChange):
                book = books.setdefault(event.symbol, Book("okx", event.symbol))
                book.apply(event)
                assert book.state == "live", book.reason
        if outer.get("arg", {}).get("channel") == "books" and "data" in outer:
            agreed += agrees(
                plain.setdefault(outer["arg"]["instId"], {"bids": {}, "asks": {}}), outer
            )
    assert frames_seen == 410
    assert agreed == sum(book.checked for book in books.values()) == 290


def agrees(book, outer):
    (data,) = outer["data"]
    if outer["action"] == "snapshot":
        book["bids"], book["asks"] = {}, {}
    for side in ("bids", "asks"):
        for price, size, *_ in data[side]:
            if float(size):
                book[side][float(price)] = (price, size)
            else:
                book[side].pop(float(price), None)
    bids = [book["bids"][p] for p in sorted(book["bids"], reverse=True)[:25]]
    asks = [book["asks"][p] for p in sorted(book["asks"])[:25]]
    parts = []
    for row in range(25):
        for side in (bids, asks):
            parts += side[row] if row < len(side) else ()
    return zlib.crc32(":".join(parts).encode()) == data["checksum"] & 0xFFFFFFFF


@pytest.mark.real
def test_live_frames_of_2026_decode_to_what_they_say(shared):
    folder = shared / "wire" / "live-2026"
    long, error = (
        event for f in frames.lines(folder / "okx_public.jsonl") for event in decode(f, HEARD, "")
    )
    assert (long.forced_side, long.symbol, error.what) == ("sell", "BTC-USDT-SWAP", "error")
    shorts = [
        e
        for f in frames.lines(folder / "okx_liquidations_retyped.jsonl")
        for e in decode(f, HEARD, "")
    ]
    assert {event.forced_side for event in shorts} == {"buy"}
    assert all(
        event.size is None and event.notional_usd is None for event in shorts
    )  # contract values unsaid


# v3 tables of 2019 to 2021 are another dialect: refused, never guessed at.
@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "key", "refused"),
    [("tardis-node/okex-swap", "message", 5), ("tardis-node/okex-futures", "message", 10),
     ("tardis-node/okex-options", "message", 3), ("tardis-node/okex", "message", 2),
     ("crypto-msg-parser/okx", "raw", 13)],
)  # fmt: skip
def test_older_recorded_shapes_decode_or_are_listed(shared, name, key, refused):
    _, why = counted(frames.wrapped(shared / "wire" / f"{name}.jsonl", key))
    assert sum(why.values()) == refused
    known = ("before v5", "price-limit", "'liquidations'", "unknown question")
    assert all(any(word in reason for word in known) for reason in why)


@pytest.mark.real
def test_instruments_tell_what_a_contract_is_worth(shared):
    body = (
        shared / "wire" / "nautilus_trader" / "okx" / "http_get_instruments_swap.json"
    ).read_bytes()
    listings = decode(body, HEARD, "https://www.okx.com/api/v5/public/instruments?instType=SWAP")
    found = {event.symbol: event for event in listings if isinstance(event, Listing)}
    assert (found["BTC-USD-SWAP"].contract_size, found["BTC-USD-SWAP"].size_unit) == (100.0, "usd")
    assert (found["ETH-USDT-SWAP"].contract_size, found["ETH-USDT-SWAP"].size_unit) == (0.1, "coin")


def test_a_quote_of_a_contract_of_unknown_worth_is_not_given():
    frame = (
        b'{"arg":{"channel":"tickers","instId":"NEWCOIN-USDT-SWAP"},"data":[{"instId":"NEWCOIN-USDT-SWAP","last":"3",'
        b'"askPx":"3.1","askSz":"5","bidPx":"2.9","bidSz":"5","ts":"1791565600771"}]}'
    )
    assert not any(isinstance(event, Quote) for event in decode(frame, HEARD, ""))
