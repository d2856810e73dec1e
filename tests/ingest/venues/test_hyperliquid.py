"""Hyperliquid's frames: every book is whole, a bar counts once it is over, a fill's owner may be either side."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.venues import frames

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.events import Bar, OpenInterest, Ticker
from airpocket.domain.wire import (
    BookChange,
    Control,
    FundingEstimate,
    Listing,
    OffBook,
    Quote,
    Trade,
)
from airpocket.ingest.venues.hyperliquid.decoder import decode

HEARD = 1_800_000_000_000_000_000
OWNER, OTHER = "0x" + "a" * 40, "0x" + "B" * 40

BOOK = (
    b'{"channel":"l2Book","data":{"coin":"BTC","time":1790232236546,"levels":['
    b'[{"px":"84143.0","sz":"10.25923","n":36}],[{"px":"84144.0","sz":"50.66449","n":18}]]}}'
)
TRADES = (
    b'{"channel":"trades","data":[{"coin":"BTC","side":"A","px":"84143.0","sz":"0.5","time":1790232216193,'
    b'"hash":"0x7a","tid":1045359869404765,"users":["0x9a","0x82"]},{"coin":"@142","side":"B","px":"2.0",'
    b'"sz":"3","time":1790232216194,"hash":"0x7b","tid":7,"users":["0x9a","0x82"]}]}'
)
CONTEXT = (
    b'{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"funding":"-0.0000018952","openInterest":'
    b'"36585.5","prevDayPx":"86627.0","oraclePx":"84198.0","markPx":"84148.0","midPx":null}}}'
)
CANDLE = (
    b'{"channel":"candle","data":{"t":1790232180000,"T":1790232239999,"s":"BTC","i":"1m","o":"84143.0",'
    b'"c":"84142.5","h":"84144.0","l":"84141.0","v":"14.27847","n":114}}'
)
BEST = b'{"channel":"bbo","data":{"coin":"BTC","time":1790232237145,"bbo":[null,{"px":"3","sz":"2","n":1}]}}'
META = (
    b'{"universe":[{"szDecimals":5,"name":"BTC","maxLeverage":40},'
    b'{"szDecimals":1,"name":"MATIC","isDelisted":true}]}'
)


def fill(direction, side, *, user="", liquidated=OWNER):
    told = {"coin": "ETH", "px": "4000.0", "sz": "2.5", "side": side, "time": 1760132400000,
            "startPosition": "2.5", "dir": direction, "tid": 9, "fee": "0.0"}  # fmt: skip
    if liquidated:
        told["liquidation"] = {"liquidatedUser": liquidated, "markPx": "4001", "method": "market"}
    return json.dumps({"channel": "userFills", "data": {"user": user, "fills": [told]}}).encode()


def test_a_book_is_whole_and_has_no_sequence():
    (book,) = decode(BOOK, HEARD)
    assert isinstance(book, BookChange)
    assert (book.snapshot, book.first, book.last, book.previous) == (True, None, None, None)
    assert (book.bids, book.asks) == (((84143.0, 10.25923),), ((84144.0, 50.66449),))
    assert (book.symbol, book.ts, book.usable_from) == ("BTC", 1_790_232_236_546_000_000, HEARD)


def test_side_a_is_a_taker_who_sold_and_an_unnamed_quote_gives_no_dollars():
    sold, bought = decode(TRADES, HEARD)
    assert isinstance(sold, Trade)
    assert (sold.taker_side, sold.price, sold.size, sold.notional_usd) == (
        "sell",
        84143.0,
        0.5,
        42071.5,
    )
    assert sold.trade_id == 1045359869404765
    assert (bought.taker_side, bought.symbol, bought.notional_usd) == ("buy", "@142", None)


def test_already_subscribed_confirms_what_was_asked_for_again():
    """The first confirmation may be lost; what the second question is told is no refusal."""
    told = '{"channel":"error","data":"Already subscribed: {\\"type\\":\\"candle\\",\\"coin\\":\\"ETH\\"}"}'
    (granted,) = decode(told.encode(), HEARD)
    assert isinstance(granted, Control)
    assert (granted.what, granted.topics) == ("ack", ("candle ETH",))
    (refused,) = decode(b'{"channel":"error","data":"Already unsubscribed: {}"}', HEARD)
    assert isinstance(refused, Control)
    assert (refused.what, refused.topics) == ("error", ())


def test_a_missing_side_of_the_quote_is_unknown():
    (quote,) = decode(BEST, HEARD)
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == (None, None, 3.0, 2.0)


def test_a_context_is_mark_oracle_interest_and_an_hourly_rate():
    ticker, interest, funding = decode(CONTEXT, HEARD)
    assert isinstance(ticker, Ticker)
    assert (ticker.last, ticker.mark, ticker.index) == (None, 84148.0, 84198.0)
    assert isinstance(interest, OpenInterest)
    assert (interest.amount, interest.unit) == (36585.5, "coin")
    assert isinstance(funding, FundingEstimate)
    assert (funding.rate, funding.interval_s, funding.next_settlement) == (
        -0.0000018952,
        3_600,
        None,
    )
    assert {event.ts for event in (ticker, interest, funding)} == {HEARD}


def test_a_bar_counts_only_once_its_last_millisecond_is_over():
    last = 1_790_232_239_999_000_000
    assert decode(CANDLE, last) == []
    (bar,) = decode(CANDLE, last + 1)
    assert isinstance(bar, Bar)
    assert (bar.ts, bar.interval_ns) == (1_790_232_180_000_000_000, 60_000_000_000)
    assert (bar.open, bar.high, bar.low, bar.close) == (84143.0, 84144.0, 84141.0, 84142.5)
    assert (bar.volume, bar.usable_from) == (14.27847, last + 1)


@pytest.mark.parametrize(
    ("frame", "forced"),
    [
        (fill("Liquidated Cross Long", "A"), "sell"),
        (fill("Liquidated Isolated Short", "B"), "buy"),
        (fill("Open Short", "A"), "buy"),  # he opened, so the other side was closed out
        (fill("Close Long", "A", user=OWNER), "sell"),  # his own position
        (fill("Close Long", "A", user=OTHER), "buy"),  # he only took the other side
        (fill("Close Long", "A", user=OTHER, liquidated=OTHER.lower()), "sell"),
    ],
)
@pytest.mark.fault("V19")
def test_the_forced_side_is_of_who_was_closed_out(frame, forced):
    (event,) = decode(frame, HEARD)
    assert (event.forced_side, event.price_kind, event.coverage) == (forced, "fill", "unknown")
    assert (event.symbol, event.price, event.size, event.notional_usd) == (
        "ETH",
        4000.0,
        2.5,
        10_000.0,
    )


@pytest.mark.fault("V19")
def test_where_nobody_says_whose_fill_it_is_no_side_is_guessed():
    assert decode(fill("Close Long", "A"), HEARD) == []
    rows = json.dumps(json.loads(fill("Close Long", "A"))["data"]["fills"]).encode()
    asked = 'https://api.hyperliquid.xyz/info#{"type":"userFills","user":"' + OWNER + '"}'
    assert decode(rows, HEARD, asked)[0].forced_side == "sell"
    assert decode(rows, HEARD, asked.replace(OWNER, OTHER))[0].forced_side == "buy"


@pytest.mark.fault("V21")
def test_deleveraging_is_off_the_book_and_an_ordinary_fill_is_no_market_event():
    (event,) = decode(fill("Auto-Deleveraging", "B"), HEARD)
    assert isinstance(event, OffBook)
    assert (event.reason, event.price, event.size) == ("auto-deleveraging", 4000.0, 2.5)
    assert decode(fill("Close Long", "A", liquidated=""), HEARD) == []


def test_listings_say_who_is_delisted_and_contexts_go_by_position():
    live, gone = decode(META, HEARD)
    assert isinstance(live, Listing)
    assert (live.symbol, live.status, live.contract_size, live.tick_size) == (
        "BTC",
        "live",
        1.0,
        None,
    )
    assert (gone.symbol, gone.status, gone.funding_interval_s) == ("MATIC", "delisted", 3_600)
    state = b'{"funding":"0.0","openInterest":"0.0","oraclePx":"0.2","markPx":"0.2"}'
    events = decode(
        b"[" + META + b",[" + state.replace(b"0.2", b"84000") + b"," + state + b"]]", HEARD
    )
    assert [event.symbol for event in events] == ["BTC", "MATIC", "BTC", "BTC", "BTC"]
    with pytest.raises(UndecodableFrame, match="2 names for 1"):
        decode(b"[" + META + b",[" + state + b"]]", HEARD)


def test_mids_and_nameless_contexts_give_nothing():
    assert decode(b'{"channel":"allMids","data":{"mids":{"BTC":"80868.5"}}}', HEARD) == []
    assert decode(b'{"channel":"allDexsAssetCtxs","data":{"ctxs":[]}}', HEARD) == []


def test_an_empty_answer_is_nothing_only_where_trades_were_asked_for():
    asked = 'https://api.hyperliquid.xyz/info#{"type":"recentTrades","coin":"BTC"}'
    assert decode(b"[]", HEARD, asked) == []


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"{}", b"[]", b"null", b"[[]]", b'[{"coin":"BTC","fundingRate":"0.1"}]', BOOK[:-3],
        b'{"channel":"fastAssetCtxs","data":"q1Y"}', b'{"channel":"trades"}',
        TRADES.replace(b'"A"', b'"C"'), TRADES.replace(b"1045359869404765", b"18446744073709551616"),
        TRADES.replace(b'"0.5"', b'"-0.5"'), BOOK.replace(b'"84143.0"', b"NaN"),
        BOOK.replace(b'"84143.0"', b'"NaN"'), BOOK.replace(b'"10.25923"', b'"1e400"'),
        BOOK.replace(b"1790232236546", b"3"), CANDLE.replace(b'"1m"', b'"1M"'),
        BEST.replace(b"[null,", b"[null,null,"), CONTEXT.replace(b'"84148.0"', b'"0"'),
        fill("Liquidated Cross Long", "B"), b"[" * 100_000, b'{"channel":' * 50_000,
    ],
)  # fmt: skip
def test_what_is_not_the_dialect_gives_one_error(frame):
    with pytest.raises(UndecodableFrame):
        decode(frame, HEARD)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(
        [BOOK, TRADES, CONTEXT, CANDLE, BEST, META, fill("Close Long", "A", user=OWNER)]
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


@pytest.mark.real
def test_live_frames_of_2026_decode_to_what_they_say(shared):
    path = shared / "wire" / "live-2026" / "hyperliquid.jsonl"
    kinds = [
        [event.__struct_config__.tag for event in decode(each, HEARD)]
        for each in frames.lines(path)
    ]
    assert kinds == [
        ["control"], ["control"], ["book_change"], ["book_change"], ["book_change"], ["quote"],
        ["ticker", "open_interest", "funding_estimate"], ["trade"], ["bar"], ["control"], ["control"],
        ["control"],
    ]  # fmt: skip
    said = [e for each in frames.lines(path) for e in decode(each, HEARD) if hasattr(e, "what")]
    assert [event.what for event in said] == ["ack", "ack", "ack", "ack", "notice"]
    empty = [e for each in frames.lines(path) for e in decode(each, HEARD) if e.symbol == "MATIC"]
    assert (empty[0].snapshot, empty[0].bids, empty[0].asks) == (True, (), ())


# The clearinghouse state is an account, and settled funding is history: neither is a live event.
@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("http_all_perp_metas_non_usdc_collateral.json", 3), ("http_meta_perp_sample.json", 3),
        ("http_l2_book_btc.json", 1), ("http_recent_trades_btc.json", 3), ("ws_book_data.json", 1),
        ("ws_allmids.json", 0), ("ws_user_fill_liquidation.json", 1),
        ("http_clearinghouse_state_negative_total_raw_usd.json", None), ("http_funding_history.json", None),
    ],
)  # fmt: skip
def test_captured_bodies_give_events_or_are_refused(shared, name, count):
    body = (shared / "wire" / "nautilus_trader" / "hyperliquid" / name).read_bytes()
    if count is None:
        with pytest.raises(UndecodableFrame):
            decode(body, HEARD)
        return
    assert len(decode(body, HEARD)) == count


@pytest.mark.real
def test_a_taker_that_opened_a_short_closed_somebody_elses(shared):
    name = "ws_user_fill_liquidation.json"
    (event,) = decode(
        (shared / "wire" / "nautilus_trader" / "hyperliquid" / name).read_bytes(), HEARD
    )
    assert (event.forced_side, event.price, event.size) == ("buy", 66653.0, 0.001)


@pytest.mark.real
@pytest.mark.parametrize(("name", "kind"), [("info", Listing), ("l2_snapshot", BookChange)])
def test_answers_of_2023_decode_as_well(shared, name, kind):
    text = (shared / "wire" / "hyperliquid-python-sdk" / f"test_get_{name}.yaml").read_text()
    body = " ".join(re.findall(r"string: '(.*?)'\n", text, re.DOTALL)[-1].split())
    events = decode(body.encode(), HEARD)
    assert events
    assert all(isinstance(event, kind) for event in events)


@pytest.mark.real
def test_older_frames_agree_with_another_reader(shared):
    book, context, quote = (
        decode(each, HEARD)
        for each in frames.wrapped(shared / "wire" / "tardis-node" / "hyperliquid.jsonl")
    )
    assert (book[0].bids, len(context)) == ((), 3)
    assert (quote[0].bid, quote[0].bid_size, quote[0].ask) == (107575.0, 3.87947, None)
