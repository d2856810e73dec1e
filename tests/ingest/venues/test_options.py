"""Option tickers of every venue: units held against Black-76, no quote is none, messages speak for their own."""

import json
import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.venues import frames

from airpocket.domain.errors import BadInput, UndecodableFrame
from airpocket.domain.instruments import instrument
from airpocket.domain.units import parse_time
from airpocket.domain.wire import Control, OptionTick
from airpocket.ingest.options import expiry_of, read_name
from airpocket.ingest.values import BadValue
from airpocket.ingest.venues.registry import FEEDS, VENUES
from airpocket.live.feeds import feeds_of

HEARD = 1_800_000_000_000_000_000
BYBIT, BINANCE, OKX, DERIBIT = (
    VENUES[name].decode for name in ("bybit_options", "binance_options", "okx", "deribit")
)
NORMAL = NormalDist()
# The venue page's own example of the stream (option marks, read 2026-11).
MARKS = (
    b'{"stream":"btcusdt@optionMarkPrice","data":[{"s":"BTC-251120-126000-C","mp":"770.543","E":1762867543321,'
    b'"e":"markPrice","i":"104334.60217391","P":"0.000","bo":"0.000","ao":"900.000","bq":"0.0000","aq":"0.2000",'
    b'"b":"-1.0","a":"0.98161161","hl":"924.652","ll":"616.435","vo":"0.9408058","rf":"0.0","d":"0.11111964",'
    b'"t":"-164.26702615","g":"0.00001245","v":"30.63855919"}]}'
)
CHAIN = (
    b'{"retCode":0,"retMsg":"SUCCESS","result":{"category":"option","list":[{"symbol":"ETH-27MAR26-3000-C-USDT",'
    b'"bid1Price":"0","bid1Size":"0","bid1Iv":"0","ask1Price":"120.5","ask1Size":"4.2","ask1Iv":"0.71",'
    b'"markPrice":"110","markIv":"0.65","indexPrice":"2980","underlyingPrice":"2990.5","openInterest":"17",'
    b'"delta":"0.4","gamma":"0.001","vega":"2","theta":"-3"}]},"retExtInfo":{},"time":1772000000000}'
)


def black76(tick, forward, at):
    """Delta, gamma, vega a point, theta a day, and the price in dollars; no interest, a year of 365 days."""
    years = (tick.expiry - at) / (365 * 86_400 * 10**9)
    spread = tick.mark_iv * math.sqrt(years)
    d1 = math.log(forward / tick.strike) / spread + spread / 2
    density, sign = NORMAL.pdf(d1), 1 if tick.call else -1
    price = sign * (
        forward * NORMAL.cdf(sign * d1) - tick.strike * NORMAL.cdf(sign * (d1 - spread))
    )
    return {
        "delta": NORMAL.cdf(d1) - (0 if tick.call else 1),
        "gamma": density / (forward * spread),
        "vega": forward * density * math.sqrt(years) / 100,
        "theta": -forward * density * tick.mark_iv / (2 * math.sqrt(years)) / 365,
        "price": price,
    }


def recorded(shared, name, decode, kind=OptionTick):
    found = []
    for frame in frames.wrapped(shared / "wire" / "tardis-node" / name):
        try:
            found += [event for event in decode(frame, HEARD, "") if isinstance(event, kind)]
        except UndecodableFrame:
            continue
    return found


@pytest.mark.real
def test_bybits_recorded_greeks_are_black_scholes_in_dollars(shared):
    (tick,) = recorded(shared, "bybit-options.jsonl", BYBIT)
    model = black76(tick, tick.forward, tick.ts)
    assert (tick.base, tick.strike, tick.call, tick.price_unit) == ("SOL", 24.0, True, "usd")
    for name in ("delta", "gamma", "vega", "theta"):
        assert getattr(tick, name) == pytest.approx(model[name], rel=2e-3), name
    assert tick.mark == pytest.approx(model["price"], rel=2e-3)
    assert (tick.bid, tick.bid_iv, tick.ask_iv, tick.open_interest) == (0.34, 0.6004, 2.0007, 20.0)


@pytest.mark.real
def test_binances_recorded_greeks_are_black_scholes_in_dollars(shared):
    """The frame names no forward, so it is taken from the venue's own delta."""
    tick = next(t for t in recorded(shared, "binance-european-options.jsonl", BINANCE) if t.delta)
    spread = tick.mark_iv * math.sqrt((tick.expiry - tick.ts) / (365 * 86_400 * 10**9))
    forward = tick.strike * math.exp(spread * NORMAL.inv_cdf(1 + tick.delta) - spread**2 / 2)
    model = black76(tick, forward, tick.ts)
    assert forward == pytest.approx(
        26_960.9, rel=0.02
    )  # the index of that moment, by the recording
    for name in ("gamma", "vega", "theta"):
        assert getattr(tick, name) == pytest.approx(model[name], rel=0.02), name
    assert tick.mark == pytest.approx(model["price"], rel=0.03)
    assert (tick.forward, tick.bid_iv, tick.open_interest) == (None, 0.38032115, None)


@pytest.mark.real
def test_a_recorded_mark_alone_speaks_for_nothing_else(shared):
    first = recorded(shared, "binance-european-options.jsonl", BINANCE)[0]
    assert (first.symbol, first.mark, first.says) == ("XRP-231006-0.44-C", 7.949, ("mark",))


@pytest.mark.real
def test_okx_tells_options_in_parts_and_open_interest_in_coin(shared):
    held, mark, greeks = recorded(shared, "okex-options.jsonl", OKX)
    assert (held.says, held.open_interest) == (("open_interest",), 3.6)
    assert (mark.says, mark.mark) == (("mark",), 3.8005764218904408)
    assert "delta" in greeks.says
    assert "bid" not in greeks.says


@pytest.mark.real
def test_a_contract_of_okx_options_is_a_tenth_of_an_ether_and_a_hundredth_of_a_bitcoin(shared):
    raw = [json.loads(f) for f in frames.wrapped(shared / "wire/tardis-node/okex-options.jsonl")]
    row = next(m["data"][0] for m in raw if m.get("arg", {}).get("channel") == "open-interest")
    listed = json.loads(
        (shared / "wire/nautilus_trader/okx/http_get_instruments_option.json").read_text()
    )
    bitcoin = listed["data"][0]
    assert float(row["oiCcy"]) / float(row["oi"]) == pytest.approx(
        instrument("okx", row["instId"]).contract_size
    )
    assert float(bitcoin["ctVal"]) * float(bitcoin["ctMult"]) == pytest.approx(
        instrument("okx", bitcoin["instId"]).contract_size
    )


def test_okx_quotes_of_options_are_coin_and_an_empty_side_is_no_quote():
    frame = (
        b'{"code":"0","data":[{"instType":"OPTION","instId":"BTC-USD-260327-50000-C","last":"0.0005","askPx":"0.0015",'
        b'"askSz":"330","bidPx":"","bidSz":"","ts":"1754166283149"}]}'
    )
    (tick,) = OKX(
        frame, HEARD, "https://x/api/v5/market/tickers?instType=OPTION&instFamily=BTC-USD"
    )
    assert (tick.bid, tick.bid_size, tick.ask, tick.price_unit) == (None, None, 0.0015, "coin")
    assert tick.ask_size == pytest.approx(3.3)
    assert tick.says == ("bid", "bid_size", "ask", "ask_size")


def test_minus_one_is_no_quote_on_binance():
    (tick,) = BINANCE(MARKS, HEARD, "")
    model = black76(tick, tick.index, tick.ts)
    assert (tick.bid, tick.bid_size, tick.bid_iv) == (None, None, None)
    assert (tick.ask, tick.ask_size, tick.ask_iv) == (900.0, 0.2, 0.98161161)
    assert (tick.forward, tick.index) == (None, 104334.60217391)
    assert tick.vega == pytest.approx(model["vega"], rel=0.02)
    assert tick.mark == pytest.approx(model["price"], rel=0.03)


def test_binances_answers_speak_for_what_they_hold():
    mark = b'[{"symbol":"BTC-260327-90000-C","markPrice":"1343.2","bidIV":"-1","askIV":"1.5",'
    mark += b'"markIV":"1.45","delta":"0.5"}]'
    (marked,) = BINANCE(mark, HEARD, "https://eapi.binance.com/eapi/v1/mark")
    ticker = b'[{"symbol":"BTC-260327-90000-C","bidPrice":"0.0","askPrice":"1500"}]'
    (quoted,) = BINANCE(ticker, HEARD, "https://eapi.binance.com/eapi/v1/ticker")
    held = b'[{"symbol":"BTC-260327-90000-C","sumOpenInterest":"12.5","timestamp":"1772000000000"}]'
    (open_,) = BINANCE(
        held, HEARD, "https://eapi.binance.com/eapi/v1/openInterest?underlyingAsset=BTC"
    )
    assert (marked.bid_iv, marked.ask_iv, marked.mark_iv, marked.vega) == (None, 1.5, 1.45, None)
    assert (quoted.says, quoted.bid, quoted.ask) == (("bid", "ask"), None, 1500.0)
    assert (open_.says, open_.open_interest) == (("open_interest",), 12.5)


def test_bybits_chain_over_rest_is_the_same_under_other_names():
    (tick,) = BYBIT(CHAIN, HEARD, "")
    assert (tick.bid, tick.bid_size, tick.bid_iv) == (None, None, None)
    assert (tick.ask, tick.ask_size, tick.ask_iv, tick.mark_iv) == (120.5, 4.2, 0.71, 0.65)
    assert (tick.forward, tick.index, tick.open_interest) == (2990.5, 2980.0, 17.0)
    assert tick.ts == 1_772_000_000 * 10**9
    assert instrument("bybit_options", tick.symbol).quote == "USDT"


def test_bybit_refuses_in_words():
    (error,) = BYBIT(
        b'{"retCode":10001,"retMsg":"params error","result":{},"time":1772000000000}', HEARD, ""
    )
    (ack,) = BYBIT(
        b'{"success":true,"conn_id":"x","type":"COMMAND_RESP","data":{"failTopics":[]}}', HEARD, ""
    )
    assert (error.what, error.text) == ("error", "10001: params error")
    assert isinstance(ack, Control)
    assert ack.what == "ack"


def test_a_strike_that_nobody_quotes_has_no_volatility_on_deribit():
    row = {"instrument_name": "ETH-27MAR26-9000-C", "creation_timestamp": 1772000000000, "mark_iv": 80.0,
           "mark_price": 0.0001, "underlying_price": 2990.0}  # fmt: skip
    address = "https://x/api/v2/public/get_book_summary_by_currency?currency=ETH"
    (dead,) = DERIBIT(json.dumps({"result": [row]}).encode(), HEARD, address)
    (quoted,) = DERIBIT(
        json.dumps({"result": [{**row, "ask_price": 0.01}]}).encode(), HEARD, address
    )
    assert dead.mark_iv is None
    assert quoted.mark_iv == 0.8


def test_deribits_marks_of_a_whole_index_are_fractions():
    rows = [{"instrument_name": "BTC-4JUN27-40500-P", "iv": 0.9, "mark_price": 0.117, "timestamp": 1772470378005},
            {"instrument_name": "BTC-FS-4JUN27_PERP", "iv": 0.9, "mark_price": 1.0}]  # fmt: skip
    frame = {
        "method": "subscription",
        "params": {"channel": "markprice.options.btc_usd", "data": rows},
    }
    (tick,) = DERIBIT(json.dumps(frame).encode(), HEARD, "")
    assert (tick.mark_iv, tick.mark, tick.says) == (0.9, 0.117, ("mark", "mark_iv"))


@pytest.mark.parametrize(
    ("name", "expiry", "strike", "call"),
    [("SOL-28APR23-24-C", "2023-04-28T08:00Z", 24.0, True),
     ("BTC-240927-25000-P", "2024-09-27T08:00Z", 25e3, False),
     ("XRP-231006-0.44-C", "2023-10-06T08:00Z", 0.44, True),
     ("BTC-7MAR26-80000-P-USDT", "2026-03-07T08:00Z", 8e4, False)],
)  # fmt: skip
def test_names_of_both_spellings(name, expiry, strike, call):
    found = read_name(name)
    assert (found.base, found.expiry, found.strike, found.call) == (
        name.split("-")[0], parse_time(expiry), strike, call,
    )  # fmt: skip


@given(st.text(max_size=30))
def test_a_name_is_read_or_refused(text):
    try:
        found = read_name(text)
    except BadValue:
        return
    assert found.strike > 0


def test_days_that_are_none_are_refused():
    for text in ("31FEB26", "260231", "1JAN", "28XXX26", ""):
        with pytest.raises(BadValue):
            expiry_of(text)


def test_every_venue_with_options_is_asked_for_its_chain():
    feeds = feeds_of(["ETH"])
    heard = {
        name: {c.name for c in feed.channels if c.symbol == "ETH"} for name, feed in feeds.items()
    }
    for venue in ("bybit_options", "binance_options", "okx", "deribit"):
        assert "options" in heard[venue], venue
    assert "option_prices" in heard["okx"]
    assert (
        feeds["binance_options"]
        .sockets[0]
        .url.endswith("market/stream?streams=ethusdt@optionMarkPrice")
    )


def test_options_named_one_by_one_come_by_websocket_within_the_venues_limits():
    names = tuple(f"ETH-27MAR26-{1000 + n}-C" for n in range(2_000))
    (socket,) = FEEDS["bybit_options"](names).sockets
    args = [arg for hello in socket.hello for arg in json.loads(hello)["args"]]
    (deribit,) = FEEDS["deribit"](("ETH-PERPETUAL", *names)).sockets
    calls = [json.loads(h)["params"]["channels"] for h in deribit.hello if "subscribe" in h]
    assert len(args) == len(set(args)) == 2_000
    assert max(len(hello) for hello in socket.hello) < 21_000
    assert max(len(call) for call in calls) <= 500
    assert sum(name.startswith("ticker.ETH-27MAR26") for call in calls for name in call) == 2_000
    with pytest.raises(BadInput, match="2,000"):
        FEEDS["bybit_options"]((*names, "ETH-27MAR26-9999-C"))
    with pytest.raises(BadInput, match="3,500"):
        FEEDS["deribit"](names * 2)


@pytest.mark.parametrize(
    ("decode", "frame"),
    [(BYBIT, CHAIN.replace(b'"110"', b'"1e400"')), (BYBIT, CHAIN.replace(b"-C-USDT", b"-X")), (BYBIT, b"{}"),
     (BINANCE, MARKS.replace(b"251120", b"251340")), (BINANCE, MARKS.replace(b'"900.000"', b'"-9"')),
     (BINANCE, b"[1]"),
     (OKX, b'{"arg":{"channel":"opt-summary"},"data":[{"instId":"ETH-USD","ts":"1772000000000"}]}')],
)  # fmt: skip
def test_what_is_not_the_dialect_gives_one_error(decode, frame):
    with pytest.raises(UndecodableFrame):
        decode(frame, HEARD, "")
