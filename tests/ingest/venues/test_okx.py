"""OKX's frames: contracts become coin where their worth is known, and liquidations say which position went."""

import math
import zlib
from collections import Counter
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.venues import frames

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.events import OpenInterest, Ticker
from airpocket.domain.instruments import instrument
from airpocket.domain.wire import (
    BookChange,
    FundingEstimate,
    Liquidation,
    Listing,
    OptionTick,
    Quote,
    Roll,
    Trade,
)
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


@pytest.mark.fault("V19")
def test_a_long_that_is_liquidated_is_sold_and_its_contracts_are_coin():
    event = one(FORCED)
    assert (event.forced_side, event.price_kind, event.coverage) == ("sell", "bankruptcy", "sample")
    assert event.size == pytest.approx(0.0855)
    assert event.notional_usd == pytest.approx(0.0855 * 82655.7)


@pytest.mark.fault("V19")
def test_a_net_position_is_told_by_the_orders_side_and_contradictions_are_refused():
    assert one(FORCED.replace(b'"long"', b'"net"')).forced_side == "sell"
    short = FORCED.replace(b'"long"', b'"short"')
    assert one(short.replace(b'"sell"', b'"buy"')).forced_side == "buy"
    with pytest.raises(UndecodableFrame):
        decode(short, HEARD, "")


@pytest.mark.parametrize(
    ("symbol", "size", "usd"),
    [(b"ETH-USDT-SWAP", 0.5, 1_500.0), (b"ETH-USD-SWAP", 50 / 3_000, 50.0), (b"ETH-USDT", 5.0, 15_000.0),
     (b"ETH-BTC", 5.0, None), (b"NEWCOIN-USDT-SWAP", None, None), (b"ETH-USD-260327-3000-C", 0.5, None),
     (b"SOL-USD-260327-300-C", None, None)],
)  # fmt: skip
def test_sizes_by_kind_of_contract(symbol, size, usd):
    event = one(TRADE % (symbol, symbol))
    assert event.taker_side == "sell"
    assert event.size == (None if size is None else pytest.approx(size))
    assert event.notional_usd == (None if usd is None else pytest.approx(usd))


@pytest.mark.fault("B13")
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
     BOOK % (b"X", b"update", 2**64, 0),
     BOOK % (b"X", b"update", -1, 0), (BOOK % (b"X", b"update", 2, 1)).replace(b'sum":0', b'sum":%d' % 2**40),
     (BOOK % (b"ETH-USD-SWAP", b"update", 2, 1)).replace(b'"3000.5"', b'"1e-300"'),
     FUNDING.replace(b"1791565600771", b"12"), FORCED[:-4], b"[" * 100_000,
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


@pytest.mark.real
@pytest.mark.fault("B13", "B14")
def test_the_recording_of_2022_decodes_whole_and_its_checksums_agree(shared):
    """290 of 290, by the book itself and by arithmetic written here from the venue's description."""
    books, plain, seen, agreed = {}, {}, 0, 0
    for _, frame in frames.received(shared / "wire" / "cryptofeed-v2" / "OKX.ws.1.0.gz"):
        seen += 1
        for event in decode(frame, HEARD, ""):
            if isinstance(event, BookChange):
                book = books.setdefault(event.symbol, Book("okx", event.symbol))
                book.apply(event)
                assert book.state == "live", book.reason
                agreed += agrees(plain.setdefault(event.symbol, ({}, {})), event)
    assert seen == 410
    assert set(plain) == {"BTC-USD-220527", "UNI-USD-SWAP", "BTC-USDT"}
    assert agreed == sum(book.checked for book in books.values()) == 290


def agrees(sides, event):
    """Signed CRC32 over the 25 best levels a side as they were written, bid and ask in turn."""
    for held, texts in zip(sides, (event.bid_texts, event.ask_texts), strict=True):
        if event.snapshot:
            held.clear()
        for price, size in texts:
            held.pop(float(price), None)
            if float(size):
                held[float(price)] = (price, size)
    bids = [sides[0][price] for price in sorted(sides[0], reverse=True)[:25]]
    asks = [sides[1][price] for price in sorted(sides[1])[:25]]
    parts = []
    for row in range(25):
        for side in (bids, asks):
            parts += side[row] if row < len(side) else ()
    return zlib.crc32(":".join(parts).encode()) == event.checksum & 0xFFFFFFFF


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


def from_file(path):
    """Frames of a recorded file, whichever way it keeps them; a whole JSON file is one frame."""
    if path.suffix == ".json":
        return [path.read_bytes()]
    if path.suffix == ".gz":
        return [frame for _, frame in frames.received(path)]
    if path.parent.name == "live-2026":
        return frames.lines(path)
    return frames.wrapped(path, "raw" if path.parent.name == "crypto-msg-parser" else "message")


# v3 tables of 2019 to 2022 are another dialect: refused, never guessed at.
@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "decoded", "before_v5", "unknown_channel", "without_address"),
    [("live-2026/okx_public.jsonl", 2, 0, 0, 0), ("live-2026/okx_liquidations_retyped.jsonl", 2, 0, 0, 0),
     ("cryptofeed-v2/OKX.ws.1.0.gz", 410, 0, 0, 0),
     ("tardis-node/okex.jsonl", 4, 2, 0, 0), ("tardis-node/okex-swap.jsonl", 4, 5, 0, 0),
     ("tardis-node/okex-futures.jsonl", 8, 8, 2, 0), ("tardis-node/okex-options.jsonl", 5, 3, 0, 0),
     ("tardis-node/okex-spreads.jsonl", 0, 0, 1, 0), ("crypto-msg-parser/okx.jsonl", 37, 1, 0, 12),
     ("nautilus_trader/okx/ws_bbo_tbt.json", 1, 0, 0, 0),
     ("nautilus_trader/okx/ws_books_snapshot.json", 1, 0, 0, 0),
     ("nautilus_trader/okx/ws_books_update.json", 1, 0, 0, 0),
     ("nautilus_trader/okx/ws_funding_rate.json", 1, 0, 0, 0),
     ("nautilus_trader/okx/ws_tickers.json", 1, 0, 0, 0), ("nautilus_trader/okx/ws_trades.json", 1, 0, 0, 0),
     ("nautilus_trader/okx/ws_orders_adl.json", 0, 0, 1, 0),
     ("nautilus_trader/okx/ws_orders_liquidation.json", 0, 0, 1, 0)],
)  # fmt: skip
def test_every_recorded_file_decodes_or_its_refusals_are_counted(
    shared, name, decoded, before_v5, unknown_channel, without_address
):
    found = dict.fromkeys(("", "before v5", "unknown channel", "unknown question"), 0)
    for frame in from_file(shared / "wire" / name):
        why = ""
        try:
            decode(frame, HEARD, "")
        except UndecodableFrame as error:
            why = next(word for word in found if word and word in str(error))
        found[why] += 1
    assert tuple(found.values()) == (decoded, before_v5, unknown_channel, without_address)


@pytest.mark.real
def test_recorded_sizes_are_coin_as_counted_by_hand(shared):
    events = []
    for frame in frames.wrapped(shared / "wire" / "crypto-msg-parser" / "okx.jsonl", "raw"):
        if b'"arg"' in frame:
            events += decode(frame, HEARD, "")
    trades = {event.symbol: event for event in events if isinstance(event, Trade)}
    assert trades["BTC-USDT-SWAP"].size == pytest.approx(0.07)  # 7 contracts of 0.01 BTC
    assert trades["BTC-USDT-SWAP"].notional_usd == pytest.approx(0.07 * 43_568.8)
    assert trades["BTC-USD-SWAP"].notional_usd == 100.0  # 1 contract of 100 USD
    assert trades["BTC-USD-SWAP"].size == pytest.approx(100 / 43_574.9)
    assert trades["BTC-USDT"].size == 0.00373695
    assert trades["BTC-USD-220304-32000-P"].size == pytest.approx(0.85)  # 85 contracts of 0.01 BTC
    assert trades["BTC-USD-220304-32000-P"].notional_usd is None  # priced in coin
    quotes = {event.symbol: event for event in events if isinstance(event, Quote)}
    assert quotes["BTC-USD-SWAP"].bid_size is not None
    assert not any(
        symbol.endswith("220624") for symbol in quotes
    )  # dated: contracts of unsaid worth
    books = [e for e in events if isinstance(e, BookChange) and e.symbol == "BTC-USDT-220325"]
    assert [(e.in_coin, e.bids[0]) for e in books] == [(False, (43_741.8, 2.0))]


@pytest.mark.real
def test_recorded_futures_of_2021_to_2026(shared):
    """A liquidation, an open interest told in both units, and a dated contract that pays funding."""
    events = []
    for frame in frames.wrapped(shared / "wire" / "tardis-node" / "okex-futures.jsonl"):
        if (
            b'"table"' not in frame
            and b'"liquidations"' not in frame
            and b"price-limit" not in frame
        ):
            events += decode(frame, HEARD, "")
    (forced,) = (event for event in events if isinstance(event, Liquidation))
    assert (forced.symbol, forced.forced_side, forced.price) == ("XRP-USD-230929", "buy", 0.55205)
    assert (forced.ts, forced.size) == (1_680_173_247_614_000_000, None)
    (held,) = (event for event in events if isinstance(event, OpenInterest))
    assert (held.amount, held.unit) == (23_687.0, "coin")
    (funding,) = (event for event in events if isinstance(event, FundingEstimate))
    assert (funding.symbol, funding.interval_s) == ("BTC-USD_UM_XPERP-310404", 28_800)
    assert (funding.rate, funding.next_settlement) == (
        -0.0004270396398519, 1_785_888_000_000_000_000,
    )  # fmt: skip


@pytest.mark.real
def test_greeks_are_black_scholes_and_vega_is_per_volatility_point(shared):
    """The forward is not in this frame of 2021: it follows from delta; gamma and vega must then agree."""
    (option,) = (
        event
        for frame in frames.wrapped(shared / "wire" / "tardis-node" / "okex-options.jsonl")
        if b"opt-summary" in frame
        for event in decode(frame, HEARD, "")
    )
    assert (option.symbol, option.bid_iv, option.ask_iv) == ("ETH-USD-211227-4150-P", None, 5.0)
    assert option.forward is None
    years = (option.expiry - option.ts) / (365 * 86_400 * 10**9)
    spread = option.mark_iv * years**0.5
    d1 = NormalDist().inv_cdf(option.delta + 1.0)
    forward = option.strike * math.exp(d1 * spread - spread**2 / 2)
    assert option.gamma == pytest.approx(NormalDist().pdf(d1) / (forward * spread), rel=0.02)
    assert option.vega == pytest.approx(forward * NormalDist().pdf(d1) * years**0.5 / 100, rel=0.02)


@pytest.mark.real
def test_recorded_instruments_are_worth_what_the_decoder_takes_them_for(shared):
    """The venue's own lists of 2022, 25 bodies with their addresses."""
    bodies, found = 0, {}
    for address, body in frames.answered(shared / "wire" / "cryptofeed-v2" / "OKX.0.gz"):
        bodies += 1
        *listings, roll = decode(body, HEARD, address)
        assert roll.symbols == tuple(event.symbol for event in listings)
        found |= {event.symbol: event for event in listings}
    kinds = Counter(event.kind for event in found.values())
    assert bodies == 25
    assert (kinds["spot"], kinds["linear"], kinds["inverse"]) == (513, 178, 92)
    for symbol, listing in found.items():
        if symbol.endswith("-SWAP"):
            contract = instrument("okx", symbol)
            assert contract.kind == listing.kind
            assert contract.contract_size in (None, listing.contract_size), symbol
            assert listing.size_unit == ("usd" if listing.kind == "inverse" else "coin")
    assert (found["BTC-USDT-SWAP"].contract_size, found["BTC-USDT-SWAP"].tick_size) == (0.01, 0.1)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "asked", "kind", "events"),
    [("instruments_swap", "public/instruments?instType=SWAP", Listing, 3),
     ("instruments_option", "public/instruments?instType=OPTION&uly=BTC-USD", Listing, 4),
     ("mark_price", "public/mark-price?instType=SWAP", Ticker, 1),
     ("option_summary", "public/opt-summary?instFamily=BTC-USD", OptionTick, 4),
     ("order_book", "market/books?instId=BTC-USDT-SWAP&sz=400", BookChange, 1),
     ("trades", "market/trades?instId=BTC-USDT", Trade, 2)],
)  # fmt: skip
def test_rest_bodies_are_read_by_what_was_asked(shared, name, asked, kind, events):
    body = (shared / "wire" / "nautilus_trader" / "okx" / f"http_get_{name}.json").read_bytes()
    found = decode(body, HEARD, f"https://www.okx.com/api/v5/{asked}")
    ends = [Roll] if kind is Listing else []
    assert [type(event) for event in found] == [kind] * events + ends


def test_a_quote_of_a_contract_of_unknown_worth_is_not_given():
    frame = (
        b'{"arg":{"channel":"tickers","instId":"NEWCOIN-USDT-SWAP"},"data":[{"instId":"NEWCOIN-USDT-SWAP","last":"3",'
        b'"askPx":"3.1","askSz":"5","bidPx":"2.9","bidSz":"5","ts":"1791565600771"}]}'
    )
    assert not any(isinstance(event, Quote) for event in decode(frame, HEARD, ""))
    best = (
        b'{"arg":{"channel":"bbo-tbt","instId":"%s"},"data":[{"asks":[["3.1","5","0","2"]],"bids":[["2.9","5","0","1"]],'
        b'"ts":"1791565600771","seqId":7}]}'
    )
    assert decode(best % b"NEWCOIN-USDT-SWAP", HEARD, "") == []
    known = one(best % b"ETH-USDT-SWAP")
    assert (known.bid, known.bid_size, known.update_id) == (2.9, pytest.approx(0.5), 7)


def test_trades_of_one_order_told_as_one_are_an_aggregate():
    frame = TRADE % (b"ETH-USDT", b"ETH-USDT")
    assert not one(frame).aggregate
    assert not one(frame.replace(b'"side"', b'"count":"1","side"')).aggregate
    assert one(frame.replace(b'"side"', b'"count":"3","side"')).aggregate


def test_an_acknowledgement_repeats_what_was_granted_and_nothing_else():
    """An instId asked for beside instType is dropped silently: only this tells."""
    frame = b'{"event":"subscribe","arg":{"channel":"liquidation-orders","instType":"SWAP"},"connId":"a"}'
    assert one(frame).text == "subscribe liquidation-orders SWAP"
    full = b'{"event":"channel-conn-count-error","channel":"orders","connCount":"20","connId":"a"}'
    assert one(full).what == "error"
    assert (
        one(b'{"event":"channel-conn-count","channel":"orders","connCount":"2"}').what == "notice"
    )


def test_the_texts_of_levels_are_kept_only_where_there_is_a_sum_to_hold_them_against():
    frame = BOOK % (b"ETH-USDT-SWAP", b"update", 9, 8)
    assert (one(frame).bid_texts, one(frame).ask_texts) == ((), ())
    summed = one(frame.replace(b'"checksum":0', b'"checksum":-855196043'))
    assert (summed.checksum, summed.ask_texts) == (-855196043, (("3000.5", "20"),))
    assert summed.bid_texts == (("3000", "10"), ("2999", "0"))
