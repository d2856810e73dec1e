"""Bybit's frames: the side of a liquidation is the position's, omitted fields stay unsaid, sizes by family."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.venues import frames

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.wire import BookChange, FundingEstimate, Liquidation, Quote
from airpocket.ingest.venues.registry import VENUES

HEARD = 1_800_000_000_000_000_000
LINEAR, INVERSE, SPOT = (VENUES[f"bybit_{name}"].decode for name in ("linear", "inverse", "spot"))

FORCED = (
    b'{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1791565601482,"data":['
    b'{"T":1791565600992,"s":"BTCUSDT","S":"Buy","v":"0.006","p":"82396.90"},'
    b'{"T":1791565601058,"s":"BTCUSDT","S":"Sell","v":"0.038","p":"82394.30"}]}'
)
BOOK = (
    b'{"topic":"orderbook.50.BTCUSD","type":"delta","ts":1680673820717,"cts":1680673820700,"data":'
    b'{"s":"BTCUSD","b":[["20000","1000"]],"a":[["20001","0"]],"u":%d,"seq":5}}'
)
TICK = (
    b'{"topic":"tickers.ETHUSDT","type":"delta","ts":1791091006483,"cs":1,"data":{"symbol":"ETHUSDT",'
    b'"markPrice":"3000.5","fundingRate":"-0.0001","nextFundingTime":"1791100800000",'
    b'"fundingIntervalHour":"4","openInterest":"12.5"}}'
)


@pytest.mark.fault("V19")
def test_a_long_that_is_liquidated_is_sold_and_every_entry_counts():
    first, second = LINEAR(FORCED, HEARD, "")
    assert (first.forced_side, second.forced_side) == ("sell", "buy")
    assert (first.price, first.price_kind, first.size) == (82396.9, "bankruptcy", 0.006)
    assert first.notional_usd == pytest.approx(494.38, abs=0.01)
    assert first.coverage == "all"


def test_inverse_sizes_are_dollars():
    (change,) = INVERSE(BOOK % 9, HEARD, "")
    assert isinstance(change, BookChange)
    assert not change.snapshot
    assert change.bids == ((20000.0, 0.05),)
    assert change.asks == ((20001.0, 0.0),)


@pytest.mark.fault("B07")
def test_an_update_number_of_one_is_a_restart_and_so_a_snapshot():
    assert INVERSE(BOOK % 1, HEARD, "")[0].snapshot


@pytest.mark.fault("V20")
def test_what_a_ticker_omits_is_not_said():
    ticker, interest, funding = LINEAR(TICK, HEARD, "")
    assert (ticker.last, ticker.mark, ticker.index) == (None, 3000.5, None)
    assert (interest.amount, interest.unit) == (12.5, "coin")
    assert isinstance(funding, FundingEstimate)
    assert (funding.rate, funding.interval_s) == (-0.0001, 14_400)
    half = TICK[: TICK.index(b'"markPrice"')] + b'"bid1Price":"1","bid1Size":"2"}}'
    assert LINEAR(half, HEARD, "") == []


def test_answers_are_acknowledgements_or_errors():
    (ack,) = LINEAR(b'{"success":true,"ret_msg":"","op":"subscribe","conn_id":"x"}', HEARD, "")
    (error,) = LINEAR(b'{"success":false,"ret_msg":"bad topic","op":"subscribe"}', HEARD, "")
    assert (ack.what, error.what, error.text) == ("ack", "error", "subscribe: bad topic")


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"{}", b"[]", b'{"topic":"what.X"}', b'{"topic":"tickers.X"}', FORCED[:-3],
        FORCED.replace(b'"Buy"', b'"Long"'), FORCED.replace(b'"0.006"', b'"-1"'),
        FORCED.replace(b'"82396.90"', b'"1e400"'), BOOK % 2**64, (BOOK % 3).replace(b"delta", b"diff"),
        TICK.replace(b"1791091006483", b"3"), b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_not_the_dialect_gives_one_error(frame):
    with pytest.raises(UndecodableFrame):
        LINEAR(frame, HEARD, "")


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([FORCED, BOOK % 7, TICK]),
    st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=4),
)
def test_mutated_frames_decode_or_give_that_error(frame, cuts):
    for at, put in cuts:
        frame = frame[: at % len(frame)] + put + frame[at % len(frame) + 1 :] or b"{}"
    try:
        events = INVERSE(frame, HEARD, "")
    except UndecodableFrame:
        return
    assert all(event.heard == HEARD for event in events)


@pytest.mark.real
def test_live_frames_of_2026_decode_to_what_they_say(shared):
    folder = shared / "wire" / "live-2026"
    events = [e for f in frames.lines(folder / "bybit_linear.jsonl") for e in LINEAR(f, HEARD, "")]
    forced = [event for event in events if isinstance(event, Liquidation)]
    assert [(e.symbol, e.forced_side) for e in forced] == [
        ("BTCUSDT", "sell"), ("BTCUSDT", "sell"), ("STRKUSDT", "sell"),
    ]  # fmt: skip
    assert not any(isinstance(event, Quote) for event in events)  # its delta names one side only
    (short,) = (
        e
        for f in frames.lines(folder / "bybit_liquidations_retyped.jsonl")
        for e in LINEAR(f, HEARD, "")
    )
    assert (short.symbol, short.forced_side) == ("ADAUSDT", "buy")


@pytest.mark.real
@pytest.mark.fault("V19")
def test_the_same_longs_are_sold_on_all_three_venues(shared):
    """BTC longs liquidated on 2026-10-09 between 17:06:40 and 17:06:42 UTC."""
    folder, found = shared / "wire" / "live-2026", []
    for venue, name in (
        ("binance_usdm", "binance_usdm_market"), ("bybit_linear", "bybit_linear"), ("okx", "okx_public"),
    ):  # fmt: skip
        for frame in frames.lines(folder / f"{name}.jsonl"):
            found += [
                e for e in VENUES[venue].decode(frame, HEARD, "")
                if isinstance(e, Liquidation) and e.symbol in ("BTCUSDT", "BTC-USDT-SWAP")
            ]  # fmt: skip
    assert {event.venue for event in found} == {"binance_usdm", "bybit_linear", "okx"}
    assert {event.forced_side for event in found} == {"sell"}
    assert all(82_000 < event.price < 83_000 for event in found)


# v2 and v3 shapes of 2019 to 2022: another dialect, refused and never guessed at.
@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "venue", "understood"),
    [("bybit", "linear", 5), ("bybit", "inverse", 5), ("bybit-spot", "spot", 4)],
)
def test_v5_frames_decode_and_older_dialects_are_refused(shared, name, venue, understood):
    decode, found = VENUES[f"bybit_{venue}"].decode, 0
    for frame in frames.wrapped(shared / "wire" / "tardis-node" / f"{name}.jsonl"):
        try:
            decode(frame, HEARD, "")
        except UndecodableFrame:
            continue
        found += 1
    assert found == understood
