"""Deribit's frames: who was liquidated, sizes by contract, volatilities as fractions, dropped channels visible."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.venues import frames

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.events import OpenInterest, Ticker
from airpocket.domain.wire import (
    BookChange,
    FundingEstimate,
    Liquidation,
    Listing,
    OptionTick,
    Quote,
    Roll,
    Trade,
    VolTick,
)
from airpocket.ingest.venues.deribit.decoder import decode
from airpocket.ingest.venues.deribit.names import read
from airpocket.market.books.book import Book

HEARD = 1_800_000_000_000_000_000
TRADE = (
    b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.%s.100ms","data":[{"trade_seq":1,'
    b'"trade_id":"9","timestamp":1791565600771,"price":4000.0,"instrument_name":"%s","direction":"%s",'
    b'"amount":8000.0%s}]}}'
)
BOOK = (
    b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.ETH-PERPETUAL.100ms","data":{"timestamp":'
    b'1791565600771,"type":"%s","change_id":%d,"instrument_name":"ETH-PERPETUAL","bids":[["new",4000.0,8000.0]],'
    b'"asks":[["change",4001.0,4001.0],["delete",4002.0,0.0]]%s}}}'
)


def one(frame, address=""):
    (event,) = decode(frame, HEARD, address)
    return event


def forced(side, mark, symbol=b"ETH-PERPETUAL"):
    events = decode(TRADE % (symbol, symbol, side, b',"liquidation":"%s"' % mark), HEARD, "")
    return [event.forced_side for event in events if isinstance(event, Liquidation)]


@pytest.mark.parametrize(
    ("direction", "mark", "expected"),
    [(b"sell", b"T", ["sell"]), (b"buy", b"T", ["buy"]), (b"buy", b"M", ["sell"]), (b"sell", b"M", ["buy"]),
     (b"buy", b"MT", ["buy", "sell"])],
)  # fmt: skip
@pytest.mark.fault("V19")
def test_taker_maker_or_both_were_liquidated(direction, mark, expected):
    assert forced(direction, mark) == expected


def test_sizes_are_dollars_coin_or_contracts_by_the_name():
    inverse = one(TRADE % (b"ETH-PERPETUAL", b"ETH-PERPETUAL", b"buy", b""))
    linear = one(TRADE % (b"ETH_USDC-PERPETUAL", b"ETH_USDC-PERPETUAL", b"buy", b""))
    option = one(TRADE % (b"ETH-27MAR26-4000-C", b"ETH-27MAR26-4000-C", b"buy", b""))
    assert (inverse.size, inverse.notional_usd) == (2.0, 8_000.0)
    assert (linear.size, linear.notional_usd) == (8_000.0, 32_000_000.0)
    assert (option.size, option.notional_usd) == (8_000.0, None)


@pytest.mark.parametrize(
    ("symbol", "kind", "strike", "call"),
    [("BTC-27MAR26-80000-C", "option", 80_000.0, True), ("MATIC_USDC-9MAR24-1d02-C", "option", 1.02, True),
     ("MATIC_USDC-9MAR24-1D02-P", "option", 1.02, False), ("BTC-PERPETUAL", "inverse", 0.0, False),
     ("ETH_USDC-PERPETUAL", "linear", 0.0, False), ("BTC-25JUN21", "inverse", 0.0, False),
     ("BTC-FS-30SEP22_PERP", "other", 0.0, False), ("BTC-STRD-27MAR26-80000", "other", 0.0, False),
     ("BTC-31FEB26-80000-C", "other", 0.0, False)],
)  # fmt: skip
def test_names_tell_what_a_contract_is(symbol, kind, strike, call):
    name = read(symbol)
    assert (name.kind, name.strike, name.call) == (kind, strike, call)


def test_books_chain_by_the_change_before():
    snapshot, change = (
        one(BOOK % (b"snapshot", 50, b"")),
        one(BOOK % (b"change", 60, b',"prev_change_id":50')),
    )
    assert isinstance(snapshot, BookChange)
    assert snapshot.bids == ((4000.0, 2.0),)
    assert snapshot.asks == ((4001.0, 1.0), (4002.0, 0.0))
    book = Book("deribit", "ETH-PERPETUAL")
    book.apply(snapshot)
    book.apply(change)
    assert book.state == "live"
    book.apply(one(BOOK % (b"change", 90, b',"prev_change_id":70')))
    assert (book.state, book.gaps) == ("untrusted", 1)


def test_a_dropped_channel_is_missing_from_the_acknowledgement():
    assert one(b'{"jsonrpc":"2.0","id":4,"result":[]}').text == "0 channels:"
    assert "book.X.100ms" in one(b'{"jsonrpc":"2.0","id":4,"result":["book.X.100ms"]}').text
    assert (
        one(b'{"jsonrpc":"2.0","id":5,"error":{"code":13778,"message":"raw_subscriptions"}}').what
        == "error"
    )
    assert (
        one(b'{"params":{"type":"test_request"},"method":"heartbeat","jsonrpc":"2.0"}').what
        == "notice"
    )


def test_a_chain_in_one_answer():
    body = (
        b'{"jsonrpc":"2.0","result":[{"instrument_name":"ETH-27MAR26-4000-C","creation_timestamp":1774000000000,'
        b'"bid_price":0.01,"ask_price":null,"mark_price":0.012,"mark_iv":55.5,"underlying_price":3900.5,'
        b'"open_interest":120.0},{"instrument_name":"ETH-PERPETUAL","creation_timestamp":1774000000000,'
        b'"open_interest":5000000}]}'
    )
    url = "https://www.deribit.com/api/v2/public/get_book_summary_by_currency?currency=ETH&kind=option"
    option, perp = decode(body, HEARD, url)
    assert isinstance(option, OptionTick)
    assert (option.bid, option.ask, option.mark_iv, option.forward) == (0.01, None, 0.555, 3900.5)
    assert isinstance(perp, OpenInterest)
    assert (perp.amount, perp.unit) == (5_000_000.0, "usd")


@pytest.mark.parametrize(
    "frame",
    [b"", b"{}", b"[]", b"null", TRADE % (b"ETH-PERPETUAL", b"ETH-PERPETUAL", b"hold", b""),
     TRADE % (b"ETH-PERPETUAL", b"ETH-PERPETUAL", b"buy", b',"liquidation":"X"'),
     (TRADE % (b"E", b"ETH-PERPETUAL", b"buy", b"")).replace(b"4000.0", b"-1"),
     (TRADE % (b"E", b"ETH-PERPETUAL", b"buy", b"")).replace(b"4000.0", b"NaN"),
     BOOK % (b"what", 5, b""), BOOK % (b"change", 2**64, b""), (BOOK % (b"change", 5, b""))[:-5], b"[" * 100_000,
     b'{"jsonrpc":"2.0","id":3,"result":{"a":1}}'],
)  # fmt: skip
def test_what_is_not_the_dialect_gives_one_error(frame):
    with pytest.raises(UndecodableFrame):
        decode(frame, HEARD, "")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([TRADE % (b"ETH-PERPETUAL", b"ETH-PERPETUAL", b"buy", b""), BOOK % (b"change", 9, b"")]),
       st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=4))  # fmt: skip
def test_mutated_frames_decode_or_give_that_error(frame, cuts):
    for at, put in cuts:
        frame = frame[: at % len(frame)] + put + frame[at % len(frame) + 1 :] or b"{}"
    try:
        events = decode(frame, HEARD, "")
    except UndecodableFrame:
        return
    assert all(event.heard == HEARD for event in events)


@pytest.mark.real
def test_the_recording_of_2021_decodes_whole_without_a_gap(shared):
    books, options, seen = {}, 0, 0
    for _, frame in frames.received(shared / "wire" / "cryptofeed-v2" / "DERIBIT.ws.1.0.gz"):
        seen += 1
        for event in decode(frame, HEARD, ""):
            if isinstance(event, BookChange):
                books.setdefault(event.symbol, Book("deribit", event.symbol)).apply(event)
            options += isinstance(event, OptionTick)
    assert (seen, options, len(books)) == (136, 89, 10)
    assert sum(book.applied for book in books.values()) == 46
    assert all((book.state, book.gaps) == ("live", 0) for book in books.values())


@pytest.mark.real
@pytest.mark.fault("V19")
def test_the_liquidations_of_march_2020_are_both_longs(shared):
    events = [
        e
        for f in frames.wrapped(shared / "wire" / "tardis-node" / "deribit.jsonl")
        for e in decode(f, HEARD, "")
    ]
    forced = [event for event in events if isinstance(event, Liquidation)]
    assert [(event.forced_side, event.price, event.notional_usd) for event in forced] == [
        ("sell", 4469.5, 1_120.0), ("sell", 4458.5, 2_500.0),
    ]  # fmt: skip
    quiet = next(e for e in events if isinstance(e, OptionTick) and e.symbol == "ETH-5JUN20-310-P")
    assert (quiet.bid, quiet.ask, quiet.bid_iv, quiet.mark_iv) == (
        None,
        None,
        None,
        pytest.approx(1.1863),
    )
    assert not any("FS" in event.symbol for event in events)  # a spread is no contract of its own


@pytest.mark.real
def test_live_frames_of_2026_decode_to_what_they_say(shared):
    events = [
        e
        for f in frames.lines(shared / "wire" / "live-2026" / "deribit.jsonl")
        for e in decode(f, HEARD, "")
    ]
    books = {e.symbol: e for e in events if isinstance(e, BookChange) and e.snapshot}
    assert books["ETH-PERPETUAL"].bids[0] == (2772.65, pytest.approx(2700 / 2772.65))  # dollars
    assert books["NVDA_USDC-PERPETUAL"].bids[0] == (228.51, 0.22)  # coin
    funding = [e for e in events if isinstance(e, FundingEstimate)]
    assert funding[0].rate == pytest.approx(1.423e-4)
    assert all(e.interval_s == 28_800 for e in funding)
    assert any(isinstance(e, Ticker) and e.mark == 86778.14 for e in events)


@pytest.mark.real
def test_the_other_documented_shapes(shared):
    folder = shared / "wire" / "nautilus_trader" / "deribit"
    trades = decode((folder / "ws_trades.json").read_bytes(), HEARD, "")
    assert [type(event) for event in trades] == [Trade, Trade]
    assert [type(e) for e in decode((folder / "ws_quote.json").read_bytes(), HEARD, "")] == [Quote]
    (index,) = decode((folder / "ws_volatility_index.json").read_bytes(), HEARD, "")
    assert isinstance(index, VolTick)
    assert (index.symbol, index.value) == ("BTC-DVOL", 129.36)
    url = "https://www.deribit.com/api/v2/public/get_instruments?currency=BTC&kind=option"
    body = json.loads((folder / "http_get_instrument_option.json").read_bytes())
    listing, roll = decode(json.dumps({**body, "result": [body["result"]]}).encode(), HEARD, url)
    assert isinstance(listing, Listing)
    assert isinstance(roll, Roll)
    assert (listing.kind, listing.status) == ("option", "live")


@pytest.mark.real
def test_other_recorded_shapes_decode_or_are_listed(shared):
    refused = []
    for frame in frames.wrapped(shared / "wire" / "crypto-msg-parser" / "deribit.jsonl", "raw"):
        try:
            decode(frame, HEARD, "")
        except UndecodableFrame as error:
            refused.append(str(error))
    assert len(refused) == 10  # three charts; seven REST bodies whose address is not with them
    assert all("chart.trades" in reason or "unknown question" in reason for reason in refused)
