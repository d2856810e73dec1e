"""Binance's frames: signs, units and clocks by hand-made answers, and nothing but one error for the rest."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.venues import frames

from airpocket.domain.errors import UndecodableFrame, UnknownInstrument
from airpocket.domain.wire import BookChange, Liquidation, Quote, Trade
from airpocket.ingest.venues.registry import VENUES, venue_named

HEARD = 1_800_000_000_000_000_000
USDM, COINM, SPOT = (VENUES[f"binance_{name}"].decode for name in ("usdm", "coinm", "spot"))

AGG = (
    b'{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1786171884624,"a":3404749954,"s":"BTCUSDT",'
    b'"p":"64990.90","q":"0.002","nq":"0.002","f":1,"l":1,"T":1786171884471,"m":true,"st":1}}'
)
FORCED = (
    b'{"e":"forceOrder","E":1791565603055,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"0.190",'
    b'"p":"82338.30","ap":"82651.90","X":"FILLED","l":"0.155","z":"0.190","T":1791565602120,"st":1}}'
)
DEPTH = (
    b'{"e":"depthUpdate","E":1786171884624,"T":1786171884600,"s":"ETHUSDT","U":5,"u":9,"pu":4,'
    b'"b":[["2681.38","0"],["2681.00","3.5"]],"a":[["2681.39","1.25"]]}'
)


@pytest.mark.fault("V19")
def test_a_maker_who_buys_means_a_taker_who_sells():
    (trade,) = USDM(AGG, HEARD, "")
    assert (trade.venue, trade.symbol, trade.taker_side) == ("binance_usdm", "BTCUSDT", "sell")
    assert (trade.price, trade.size) == (64990.9, 0.002)
    assert trade.notional_usd == pytest.approx(129.9818)
    assert trade.ts == 1_786_171_884_471 * 1_000_000
    assert trade.usable_from == trade.heard == HEARD
    assert trade.aggregate


@pytest.mark.fault("V19")
def test_a_sold_liquidation_closes_a_long_at_its_average_fill():
    (forced,) = USDM(FORCED, HEARD, "")
    assert isinstance(forced, Liquidation)
    assert forced.forced_side == "sell"
    assert (forced.price, forced.price_kind, forced.size) == (82651.9, "fill", 0.19)
    assert forced.coverage == "sample"


def test_either_family_may_come_on_either_address():
    coin = FORCED.replace(b"BTCUSDT", b"BTCUSD_PERP").replace(b'"st":1', b'"st":2')
    coin = coin.replace(b'"z":"0.190"', b'"z":"7"')
    framed = (
        b'{"stream":"!forceOrder@arr","data":' + coin + b"}"
    )  # st stands inside the order, as recorded
    (forced,) = USDM(framed, HEARD, "")
    assert forced.venue == "binance_coinm"
    assert forced.notional_usd == 700.0
    assert forced.size == pytest.approx(700.0 / 82651.9)


def test_other_coins_of_coin_m_are_ten_dollars_a_contract():
    trade = b'{"e":"trade","T":1591097736594,"s":"ETHUSD_PERP","t":5,"p":"200","q":"4","m":false,"X":"MARKET"}'
    (found,) = COINM(trade, HEARD, "")
    assert (found.notional_usd, found.size, found.taker_side) == (40.0, 0.2, "buy")


def test_a_book_change_keeps_its_ids_and_deletes_by_zero():
    (change,) = USDM(DEPTH, HEARD, "")
    assert isinstance(change, BookChange)
    assert (change.first, change.last, change.previous, change.snapshot) == (5, 9, 4, False)
    assert change.bids == ((2681.38, 0.0), (2681.0, 3.5))
    assert change.asks == ((2681.39, 1.25),)


def test_a_snapshot_takes_its_symbol_from_where_it_came_from():
    body = b'{"lastUpdateId":77,"bids":[["10","1"]],"asks":[["11","2"]]}'
    (book,) = SPOT(body, HEARD, "/api/v3/depth?symbol=ETHUSDT&limit=1000")
    assert (book.symbol, book.snapshot, book.last, book.ts) == ("ETHUSDT", True, 77, HEARD)
    with pytest.raises(UndecodableFrame, match="names no symbol"):
        SPOT(body, HEARD, "")


def test_a_spot_quote_has_no_time_of_its_own():
    (quote,) = SPOT(b'{"u":4,"s":"BTCUSDT","b":"63704.0","B":"4.7","a":"0","A":"0"}', HEARD, "")
    assert quote == Quote(venue="binance_spot", symbol="BTCUSDT", ts=HEARD, usable_from=HEARD,
                          heard=HEARD, bid=63704.0, bid_size=4.7, ask=None, ask_size=None,
                          update_id=4)  # fmt: skip


def test_a_cross_pair_has_no_dollars():
    frame = AGG.replace(b"BTCUSDT", b"ETHBTC").replace(b"btcusdt", b"ethbtc")
    (trade,) = SPOT(frame, HEARD, "")
    assert trade.notional_usd is None
    assert trade.size == 0.002


@pytest.mark.fault("C01")
@pytest.mark.parametrize(
    ("stamp", "unit"), [(1786171884, "s"), (1786171884471123, "us"), (1786171884471123456, "ns")]
)
def test_a_stamp_in_another_unit_is_refused_and_not_guessed(stamp, unit):
    with pytest.raises(
        UndecodableFrame, match=f"trade time comes in {unit}, not in ms: has the venue"
    ):
        USDM(AGG.replace(b'"T":1786171884471', b'"T":%d' % stamp), HEARD, "")


@pytest.mark.fault("V21")
def test_a_takeover_away_from_the_book_is_no_trade():
    frame = (
        b'{"e":"trade","T":1591097736594,"s":"ETHUSDT","t":5,"p":"2366.55","q":"4","m":false,'
        b'"X":"INSURANCE_FUND"}'
    )
    (found,) = USDM(frame, HEARD, "")
    assert not isinstance(found, Trade)
    assert (found.reason, found.price) == ("insurance_fund", 2366.55)


@pytest.mark.fault("V07")
def test_a_price_written_as_a_number_is_the_same_price():
    (text,), (number,) = (
        USDM(AGG, HEARD, ""),
        USDM(AGG.replace(b'"64990.90"', b"64990.9"), HEARD, ""),
    )
    assert text == number


def test_answers_about_the_connection_are_told_apart():
    (ack,) = USDM(b'{"result":null,"id":7}', HEARD, "")
    (error,) = USDM(b'{"code":-1121,"msg":"Invalid symbol."}', HEARD, "")
    assert (ack.what, ack.text) == ("ack", "7")
    assert (error.what, error.text) == ("error", "-1121: Invalid symbol.")


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"e":"what"}', b'{"stream":"x","data":3}',
        AGG.replace(b'"64990.90"', b'"NaN"'), AGG.replace(b'"64990.90"', b'"inf"'),
        AGG.replace(b'"64990.90"', b'"1_0"'), AGG.replace(b'"64990.90"', b'"-3"'),
        AGG.replace(b'"64990.90"', b'"0"'), AGG.replace(b'"64990.90"', b"true"),
        AGG.replace(b"3404749954", b"18446744073709551616"), AGG.replace(b"1786171884471", b"12"),
        AGG.replace(b"true", b'"yes"'), AGG[:-9], FORCED.replace(b"SELL", b"LONG"),
        DEPTH.replace(b'"U":5', b'"U":50'), b'{"data":' * 5_000, b"[" * 100_000,
        AGG.replace(b'"BTCUSDT"', b'"' + b"A" * 100 + b'"'), b" " * (17 * 1024 * 1024),
    ],
)  # fmt: skip
@pytest.mark.parametrize("decode", [USDM, COINM, SPOT], ids=["usdm", "coinm", "spot"])
def test_what_is_not_the_dialect_gives_one_error(decode, frame):
    with pytest.raises(UndecodableFrame):
        decode(frame, HEARD, "")


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([AGG, FORCED, DEPTH]),
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=4),
)
def test_mutated_frames_decode_or_give_that_error(frame, cuts):
    for at, put in cuts:
        frame = frame[: at % len(frame)] + put + frame[at % len(frame) + 1 :] or b"{}"
    try:
        events = USDM(frame, HEARD, "")
    except UndecodableFrame:
        return
    assert all(event.heard == HEARD for event in events)


def test_an_unknown_venue_is_named():
    with pytest.raises(UnknownInstrument, match="binance_usdm"):
        venue_named("mtgox")


@pytest.mark.real
def test_the_recorded_squeeze_hour_decodes_whole(shared):
    folder = shared / "wire" / "hftbacktest"
    wanted = {
        "usdm": Counter(BookChange=6_587, Quote=53_992, Trade=14_076),
        "spot": Counter(BookChange=3_435, Quote=24_077, Trade=6_106),
    }
    for name, expected in wanted.items():
        found = Counter()
        decode = VENUES[f"binance_{name}"].decode
        for heard, frame in frames.stamped(folder / name / "ethusdt_20240808.gz"):
            for event in decode(frame, heard, "ethusdt@depthSnapshot"):
                found[type(event).__name__] += 1
        assert found == expected


@pytest.mark.real
def test_live_frames_of_2026_decode_to_what_they_say(shared):
    folder = shared / "wire" / "live-2026"
    market = [
        e for f in frames.lines(folder / "binance_usdm_market.jsonl") for e in USDM(f, HEARD, "")
    ]
    forced = [event for event in market if isinstance(event, Liquidation)]
    assert [(e.symbol, e.forced_side, e.price) for e in forced] == [
        ("STGUSDT", "sell", 0.1355), ("BTCUSDT", "sell", 82651.9), ("MANTAUSDT", "sell", 0.0722187),
    ]  # fmt: skip
    kinds = Counter(type(event).__name__ for event in market)
    assert kinds == {"Trade": 1, "Ticker": 1, "FundingEstimate": 1, "Liquidation": 3}


# Frames that stay undecoded, and why: rows wrapped by a recorder, retired streams, other products.
QUARANTINED = {"binance-futures.jsonl": 0, "binance-delivery.jsonl": 0, "binance.jsonl": 0}


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(QUARANTINED))
def test_older_recorded_shapes_decode_or_are_listed(shared, name):
    decode = {"binance-futures.jsonl": USDM, "binance-delivery.jsonl": COINM}.get(name, SPOT)
    refused = []
    for frame in frames.wrapped(shared / "wire" / "tardis-node" / name):
        try:
            assert decode(frame, HEARD, "")
        except UndecodableFrame as error:
            refused.append(f"{error}: {json.loads(frame)}"[:160])
    assert len(refused) == QUARANTINED[name], refused
