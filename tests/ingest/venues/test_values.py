"""Odd values in the frames of every venue: refused, or read as what they are; never guessed at."""

import contextlib
import gzip
import json
import math
import random
from decimal import Decimal, InvalidOperation

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.venues.wires import (
    FRAMES,
    KINDS,
    NUMBERS,
    SYMBOLS,
    decode,
    figure,
    frame,
    text_id,
    without,
)

from airpocket.domain.errors import UndecodableFrame, UnknownMessage
from airpocket.domain.wire import BookChange, FundingEstimate, Liquidation, Quote, Trade
from airpocket.ingest.peek import channel_of, wire_channel
from airpocket.market.books.book import Book

ALL = sorted(FRAMES)
FUNDED = sorted(venue for venue, kinds in FRAMES.items() if "funding" in kinds)
FORCED = sorted(venue for venue, kinds in FRAMES.items() if "liquidation" in kinds)
TRADED = [(venue, kind) for venue, kind in KINDS if kind in ("trade", "liquidation")]
FIGURED = [(venue, kind) for venue, kind in KINDS if kind in ("trade", "book", "liquidation")]


def refused(venue, body):
    with pytest.raises(UndecodableFrame):
        decode(venue, body)


def shown(event):
    """Every figure of an event, as numbers."""
    for value in msgspec.structs.astuple(event):
        if isinstance(value, float):
            yield value
        elif isinstance(value, tuple):
            yield from (part for level in value for part in level if isinstance(part, float))


def test_the_hand_written_frames_are_understood():
    kinds = {"trade": Trade, "book": BookChange, "quote": Quote, "funding": FundingEstimate,
             "liquidation": Liquidation}  # fmt: skip
    for venue, kind in KINDS:
        assert any(isinstance(e, kinds[kind]) for e in decode(venue, frame(venue, kind))), (
            venue,
            kind,
        )


@pytest.mark.fault("V01")
@pytest.mark.parametrize(("venue", "kind"), FIGURED)
def test_a_required_figure_that_is_missing_or_no_figure_is_refused(venue, kind):
    for hole in ("price", "size"):
        for token in ("null", '""', '"None"', '"NaN"', '"-"', "[]", "{}", "true", '"+"', '"."'):
            refused(venue, frame(venue, kind, **{hole: token}))
        lacking = without(venue, kind, hole)
        if lacking is not None:
            refused(venue, lacking)


@pytest.mark.fault("V01", "V19")
@pytest.mark.parametrize(("venue", "kind"), TRADED)
def test_an_unknown_or_missing_side_or_symbol_is_refused(venue, kind):
    hole = "side" if kind == "trade" else "forced"
    for token in ("null", '""', '"None"', '"LONG"', '"buyer"', "3", '"B U Y"'):
        refused(venue, frame(venue, kind, **{hole: token}))
    for token in ("null", "7", "[]"):
        refused(venue, frame(venue, kind, symbol=token))
    for name in (hole, "symbol"):
        lacking = without(venue, kind, name)
        if lacking is not None:
            refused(venue, lacking)


@pytest.mark.fault("V02")
@pytest.mark.parametrize(("venue", "kind"), FIGURED)
def test_what_is_not_finite_is_refused(venue, kind):
    for hole in ("price", "size"):
        for token in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999"):
            refused(venue, frame(venue, kind, **{hole: token}))
        for text in ("nan", "inf", "-Infinity", "1e999", "1e30"):
            refused(venue, frame(venue, kind, **{hole: f'"{text}"'}))


@pytest.mark.fault("V02")
@pytest.mark.parametrize("venue", ALL)
def test_minus_zero_is_zero_and_an_unimaginably_small_size_is_no_level(venue):
    for kind in ("book", "quote"):
        for text in ("-0", "-0.0", "1e-400"):
            try:
                events = decode(venue, frame(venue, kind, size=figure(venue, text)))
            except UndecodableFrame:
                continue
            for event in events:
                if isinstance(event, BookChange):
                    assert all(not size for _, size in event.bids)
                else:
                    assert not any(
                        value == 0.0 and math.copysign(1.0, value) < 0 for value in shown(event)
                    )
    for venue_funded in FUNDED:
        rate = figure(venue_funded, "-0.0")
        (found,) = (
            e for e in decode(venue_funded, frame(venue_funded, "funding", rate=rate))
            if isinstance(e, FundingEstimate)
        )  # fmt: skip
        assert str(found.rate) == "0.0"


@pytest.mark.fault("V03")
@pytest.mark.parametrize(("venue", "kind"), FIGURED)
def test_a_price_that_is_not_above_zero_and_a_negative_size_are_refused(venue, kind):
    for text in ("0", "0.0", "-1", "-0.5"):
        refused(venue, frame(venue, kind, price=figure(venue, text)))
    refused(venue, frame(venue, kind, size=figure(venue, "-1")))


@pytest.mark.fault("V04")
@pytest.mark.parametrize(("venue", "kind"), TRADED)
def test_a_trade_of_size_zero_is_no_trade(venue, kind):
    body = frame(venue, kind, size=figure(venue, "0"))
    if venue.startswith("binance") and kind == "liquidation":
        body = body.replace(b'"q":"0"', b'"q":"0.0"')
    refused(venue, body)


@pytest.mark.fault("V06")
@pytest.mark.parametrize(("venue", "kind"), KINDS)
def test_a_number_too_big_for_its_field_is_refused_or_stays_text(venue, kind):
    for number in (f"{2**63}", f"{2**64}", "9" * 5_000):
        for hole in ("id", "ts", "seq"):
            token = f'"{number}"' if hole == "id" and text_id(venue) else number
            body = frame(venue, kind, **{hole: token})
            if body == frame(venue, kind):
                continue  # the kind has no such field
            try:
                events = decode(venue, body)
            except UndecodableFrame:
                continue
            assert hole == "id"
            assert [event.trade_id for event in events] == [number]


@pytest.mark.fault("V07")
@pytest.mark.parametrize(("venue", "kind"), FIGURED)
def test_only_a_plain_decimal_is_a_figure(venue, kind):
    for hole in ("price", "size"):
        for text in (
            "1_000",
            "１２",
            "1,5",
            "1 000",
            "0x10",
            " 1",
            "1 ",
            "1e",
            "--1",
            "1.2.3",
            "٣",
            "1f",
            "²",
        ):
            refused(venue, frame(venue, kind, **{hole: f'"{text}"'}))
        for text in ("1e3", "1E+3", "25e-1", "+5", ".5", "5."):
            try:
                events = decode(venue, frame(venue, kind, **{hole: f'"{text}"'}))
            except UndecodableFrame:
                continue
            numbers = [number for event in events for number in shown(event)]
            assert hole == "size" or float(Decimal(text)) in numbers


@pytest.mark.fault("V07")
@pytest.mark.parametrize("venue", ALL)
def test_a_figure_in_the_other_spelling_is_the_same_or_refused(venue):
    usual = decode(venue, frame(venue, "trade"))
    other = "3000.5" if venue not in NUMBERS else '"3000.5"'
    try:
        assert decode(venue, frame(venue, "trade", price=other)) == usual
    except UndecodableFrame:
        assert not venue.startswith("binance")  # which has written both


plain = st.decimals("0.00000001", "9999999", allow_nan=False, places=10).filter(
    lambda value: len(value.normalize().as_tuple().digits) <= 15
)


@pytest.mark.fault("V08")
@pytest.mark.parametrize("venue", ALL)
@given(price=plain, size=plain)
def test_fifteen_digits_survive_from_the_wire_to_the_book(venue, price, size):
    """Prices to the last digit; sizes where the wire's size is coin."""
    body = frame(venue, "book", price=figure(venue, f"{price:f}"), size=figure(venue, f"{size:f}"))
    (change,) = decode(venue, body)
    book = Book(venue, SYMBOLS[venue])
    book.apply(msgspec.structs.replace(change, snapshot=True, checksum=None))
    ((held, amount),) = book.levels.bids.top(5)
    assert Decimal(repr(held)) == price
    if venue not in ("binance_coinm", "bybit_inverse", "deribit", "okx"):
        assert Decimal(repr(amount)) == size


@pytest.mark.fault("V08")
def test_tenths_add_up_where_levels_meet_and_eighteen_digits_are_the_nearest_number():
    (change,) = decode(
        "binance_usdm", frame("binance_usdm", "book", price='"0.3"', size='"1.000000000000000001"')
    )
    assert change.bids == ((0.3, 1.0),)
    book = Book("binance_usdm", "ETHUSDT")
    book.apply(msgspec.structs.replace(change, snapshot=True))
    assert book.levels.bids.size_at(0.3) == 1.0
    (shib,) = decode("coinbase", frame("coinbase", "book", price='"0.0000130512"'))
    assert shib.bids[0][0] == 1.30512e-05


@pytest.mark.fault("V09")
@pytest.mark.parametrize("venue", ALL)
def test_of_a_key_told_twice_the_last_counts(venue):
    """No decoder can see it; this is what each of them does, so that nobody has to wonder."""
    body = frame(venue, "quote")
    key = next(k for k in (b'"b":', b'"bid1Price":', b'"bids":', b'"best_bid_price":', b'"px":', b'"bid":',
                           b'"best_bid":') if k in body)  # fmt: skip
    at = body.index(key)
    twice = (
        body[:at]
        + key
        + (b"[]," if key == b'"bids":' else b'"9",' if venue not in NUMBERS else b"9,")
        + body[at:]
    )
    assert decode(venue, twice) == decode(venue, body)


@pytest.mark.fault("V10")
@pytest.mark.parametrize(("venue", "kind"), KINDS)
def test_fields_nobody_knows_change_nothing(venue, kind):
    body = frame(venue, kind)
    more = body.replace(b'{"', b'{"zzz":{"deep":[1,{"x":null,"y":[[]]}]},"')
    if venue.startswith("binance"):  # its own field first, as ever
        more = body.replace(b'"data":{"e"', b'"data":{"zzz":[{"x":null}],"e"').replace(
            b'"T":', b'"zz":{"y":1},"T":'
        )
    assert decode(venue, more) == decode(venue, body)


@pytest.mark.fault("V10")
@pytest.mark.parametrize("venue", ALL)
def test_a_new_kind_of_message_is_told_apart_from_a_broken_one(venue):
    new = {
        "binance": b'{"e":"TRADE_LITE","E":1,"s":"ETHUSDT"}', "bybit": b'{"topic":"insurance.USDT","data":{}}',
        "okx": b'{"arg":{"channel":"adl-warning"},"data":[]}', "hyperliquid": b'{"channel":"novelty","data":{}}',
        "deribit": b'{"method":"subscription","params":{"channel":"block_rfq.any","data":{}}}',
        "kraken": b'{"channel":"level3","type":"update","data":[]}',
        "coinbase": b'{"channel":"futures","events":[]}',
    }[venue.split("_")[0]]  # fmt: skip
    if venue == "kraken_futures":
        new = b'{"feed":"new_feed","product_id":"PF_ETHUSD"}'
    with pytest.raises(UnknownMessage, match="unknown"):
        decode(venue, new)


@pytest.mark.fault("V12")
@pytest.mark.parametrize(("venue", "kind"), KINDS)
def test_half_a_frame_and_more_than_one_are_refused(venue, kind):
    body = frame(venue, kind)
    for cut in range(len(body)):
        refused(venue, body[:cut])
    for more in (body, b"x", b"}", b"\0", b",", b"null"):
        refused(venue, body + more)
    refused(venue, b"\xef\xbb\xbf" + body)
    refused(venue, b"\0" + body)
    assert decode(venue, b" \r\n" + body + b"\n") == decode(
        venue, body
    )  # white space is no content


@pytest.mark.fault("V13")
@pytest.mark.parametrize("venue", ALL)
def test_ten_thousand_levels_of_nesting_are_refused_or_skipped(venue):
    body = frame(venue, "trade")
    for deep in (b"[" * 10_000, b'{"a":' * 10_000, b"[" * 10_000 + b"]" * 10_000,
                 b'{"a":' * 10_000 + b"1" + b"}" * 10_000):  # fmt: skip
        refused(venue, deep)
        unknown = body[:-1] + b',"zzz":' + deep + b"}"
        with contextlib.suppress(UndecodableFrame):
            assert decode(venue, unknown) == decode(venue, body)
        refused(venue, frame(venue, "trade", price="@").replace(b"@", deep))


@pytest.mark.fault("V14")
@pytest.mark.parametrize("venue", ALL)
def test_odd_characters_in_a_name_are_refused_or_travel_as_they_are(venue):
    for name in (
        "\\ud800",
        "\\udc00\\ud800",
        "\\u0000",
        "\\u0007\\n",
        "\\u202eHTE",
        "\\u200b",
        "é",
        "\\ufeff",
    ):
        try:
            events = decode(venue, frame(venue, "trade", symbol=f'"{name}"'))
        except UndecodableFrame:
            continue
        for event in events:
            told = json.loads(f'"{name}"')
            assert event.symbol in (told, told.upper())  # Kraken's futures spell both ways
            assert json.loads(msgspec.json.encode(event))["symbol"] == event.symbol
    for raw in (
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\x00",
        b"\n",
        b"\x1b",
    ):
        refused(venue, frame(venue, "trade", symbol='"@"').replace(b'"@"', b'"ETH' + raw + b'"'))


@pytest.mark.fault("V17")
@pytest.mark.parametrize("venue", ALL)
def test_bytes_that_are_no_text_are_refused_and_never_unpacked(venue):
    body = frame(venue, "trade")
    for packed in (gzip.compress(body), gzip.compress(b"0" * 10_000_000), body.decode().encode("utf-16"),
                   bytes(range(256)), b"\x78\x9c" + body, random.Random(7).randbytes(5_000)):  # fmt: skip
        refused(venue, packed)


@pytest.mark.fault("V18")
@pytest.mark.parametrize("venue", ALL)
def test_an_empty_list_is_nothing_and_another_shape_is_refused(venue):
    body = frame(venue, "trade").decode()
    if '[{"' not in body:
        for shape in ("[]", "{}", "null", "7", '""', "[[]]"):
            refused(venue, shape.encode())
        return
    start, end = body.index('[{"'), body.rindex("}]") + 2
    if venue == "coinbase":
        start, end = body.rindex('[{"'), body.index("}]") + 2
    one = body[start + 1 : end - 1]
    assert decode(venue, (body[:start] + "[]" + body[end:]).encode()) == []
    for shape in (one, "{}", "null", "7", '""', "[[]]", "[{}]", "[null]", '["x"]'):
        refused(venue, (body[:start] + shape + body[end:]).encode())
    many = decode(
        venue, (body[:start] + "[" + ",".join([one] * 10_000) + "]" + body[end:]).encode()
    )
    assert len(many) == 10_000


@pytest.mark.fault("V19")
@pytest.mark.parametrize("venue", FORCED)
def test_the_forced_side_is_that_of_the_order_that_closed_the_position(venue):
    """In every dialect the hand-written frame says that a long was closed."""
    (forced,) = (
        e for e in decode(venue, frame(venue, "liquidation")) if isinstance(e, Liquidation)
    )
    assert forced.forced_side == "sell"


@pytest.mark.fault("V19")
@pytest.mark.parametrize("venue", ALL)
def test_the_side_of_a_trade_is_the_takers(venue):
    """In every dialect the hand-written frame says that the taker sold."""
    (trade,) = decode(venue, frame(venue, "trade"))
    assert trade.taker_side == "sell"


@pytest.mark.fault("V20")
@pytest.mark.parametrize("venue", FUNDED)
def test_a_funding_rate_of_zero_is_a_rate_and_a_missing_one_is_none(venue):
    def rates(body):
        return [e.rate for e in decode(venue, body) if isinstance(e, FundingEstimate)]

    assert rates(frame(venue, "funding", rate=figure(venue, "0"))) == [0.0]
    assert rates(frame(venue, "funding", rate=figure(venue, "0.00000000"))) == [0.0]
    for body in (without(venue, "funding", "rate"), frame(venue, "funding", rate="null"),
                 frame(venue, "funding", rate='""')):  # fmt: skip
        try:
            assert rates(body) == []
        except UndecodableFrame:
            assert b'"fundingRate":null' in body or b'"r":null' in body or b'""' in body


@pytest.mark.fault("B09")
@pytest.mark.parametrize("venue", [v for v in ALL if "«seq»" in FRAMES[v]["book"]])
def test_a_sequence_that_is_no_number_is_refused_or_ends_trust(venue):
    """A whole number written as text is that number; the chain decides over it as over any other."""
    for token in (
        "null",
        '"x"',
        "{}",
        "[]",
        "true",
        "-1",
        "1.5",
        f"{2**63}",
        f"{2**64}",
        '""',
        '"1_0"',
        '"１２"',
    ):
        book = Book(venue, SYMBOLS[venue])
        (start,) = decode(venue, frame(venue, "book", seq="11", previous="10"))
        book.apply(msgspec.structs.replace(start, snapshot=True))
        (joined,) = decode(venue, frame(venue, "book", seq="12", previous="11"))
        if venue.startswith("binance"):
            joined = msgspec.structs.replace(joined, first=11)
        book.apply(joined)
        assert book.state == "live", book.reason
        try:
            (odd,) = decode(venue, frame(venue, "book", seq=token, previous="12"))
        except UndecodableFrame:
            (odd,) = decode(
                venue, frame(venue, "book", seq="14", previous="13")
            )  # the next one tells
        book.apply(odd)
        assert book.state == "untrusted", (token, odd)


@pytest.mark.fault("B19")
@pytest.mark.parametrize(
    ("venue", "label"),
    [("bybit_linear", b"publicTrade.BTCUSDT"), ("okx", b'"instId":"BTC-USDT-SWAP"'),
     ("deribit", b"trades.BTC-PERPETUAL.100ms"), ("binance_usdm", b"btcusdt@trade")],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["trade", "book", "quote"])
def test_a_message_under_the_label_of_another_symbol_is_refused(venue, label, kind):
    body = frame(venue, kind)
    if venue == "binance_usdm":
        wrong = body.replace(b"!all@arr", label)
        assert decode(venue, body.replace(b"!all@arr", b"ethusdt@x")) == decode(venue, body)
    elif venue == "okx":
        body = (
            body.replace(b'"data":[{', b'"data":[{"instId":"ETH-USDT-SWAP",')
            if kind != "trade"
            else body
        )
        wrong = body.replace(b'"instId":"ETH-USDT-SWAP"', label, 1)
    else:
        old = b"ETH-PERPETUAL." if venue == "deribit" else b".ETHUSDT"
        wrong = body.replace(old, old.replace(b"ETH", b"BTC"), 1)
    assert decode(venue, body)
    assert wrong != body
    refused(venue, wrong)


@pytest.mark.parametrize(("venue", "kind"), KINDS)
def test_the_channel_of_a_frame_is_seen_without_decoding_it(venue, kind):
    body = frame(venue, kind)
    if venue.startswith("binance"):
        name = {"trade": "trade", "book": "depth@100ms", "quote": "bookTicker", "funding": "markPrice@1s",
                "liquidation": "forceOrder"}[kind]  # fmt: skip
        body = body.replace(b"!all@arr", f"ethusdt@{name}".encode())
    told = channel_of(wire_channel(body))
    expected = {"trade": ("trades",), "book": ("book",), "quote": ("quote", "price", "book"),
                "funding": ("funding", "price"), "liquidation": ("liquidations", "trades", None)}[kind]  # fmt: skip
    assert told in expected


@given(st.text(max_size=12))
def test_what_the_house_reads_as_a_number_is_what_decimal_reads_and_never_more(text):
    body = frame("okx", "trade", price=json.dumps(text))
    try:
        (trade,) = decode("okx", body)
    except UndecodableFrame:
        return
    try:
        assert trade.price == float(Decimal(text))
    except InvalidOperation:  # pragma: no cover
        pytest.fail(f"{text!r} was read as {trade.price}")
