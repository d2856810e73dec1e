"""The venues asked once: facts with their own times, what did not answer named, and nothing invented."""

import asyncio
import json

import pytest
from live.fake_venue import FakeVenue

from airpocket.delivery import at_a_glance
from airpocket.domain.errors import NothingKnown, UndecodableFrame
from airpocket.domain.events import Bar, Funding, OpenInterest
from airpocket.ingest.glance import read_safely, settlements
from airpocket.ingest.venues.registry import GLANCES
from airpocket.ingest.world import SystemClock

HOUR_MS = 3_600_000
NOW_MS = SystemClock().now() // 1_000_000
HEARD = NOW_MS * 1_000_000


def reader(venue, symbol, ending):
    """How the answer to the question whose address holds `ending` is read."""
    questions = GLANCES[venue](venue, symbol, HEARD)
    return next(q.read for q in questions if ending in q.poll.address)


def hours(n):
    return [(NOW_MS // HOUR_MS - n + 1 + k) * HOUR_MS for k in range(n)]


def test_a_running_bar_is_no_fact_and_volumes_are_coin():
    rows = [
        [t, "3000", "3010", "2990", "3005", "50", t + HOUR_MS - 1, "150000", 9, "30", "90000", "0"]
        for t in hours(3)
    ]
    found = read_safely(
        reader("binance_usdm", "ETHUSDT", "klines"), json.dumps(rows).encode(), HEARD
    )
    assert [bar.ts for bar in found] == [t * 1_000_000 for t in hours(3)[:2]]
    assert isinstance(found[0], Bar)
    assert (found[0].volume, found[0].volume_usd, found[0].taker_buy) == (50.0, 150_000.0, 30.0)
    coin = read_safely(
        reader("binance_coinm", "ETHUSD_PERP", "klines"), json.dumps(rows).encode(), HEARD
    )
    assert (coin[0].volume, coin[0].volume_usd, coin[0].taker_buy) == (150_000.0, None, 90_000.0)


def test_bybit_inverse_turnover_is_the_coin():
    rows = [[str(t), "3000", "3010", "2990", "3005", "90000", "30"] for t in reversed(hours(3))]
    body = json.dumps({"retCode": 0, "result": {"list": rows}}).encode()
    inverse = read_safely(reader("bybit_inverse", "ETHUSD", "kline"), body, HEARD)
    linear = read_safely(reader("bybit_linear", "ETHUSDT", "kline"), body, HEARD)
    assert (inverse[0].volume, inverse[0].volume_usd) == (30.0, 90_000.0)
    assert (linear[0].volume, linear[0].volume_usd) == (90_000.0, 30.0)
    assert [bar.ts for bar in linear] == sorted(bar.ts for bar in linear)


def test_okx_contract_volume_is_told_in_coin_too():
    rows = [[str(t), "3000", "3010", "2990", "3005", "500", "50", "150000", "1"] for t in hours(3)]
    body = json.dumps({"code": "0", "data": rows}).encode()
    swap = read_safely(reader("okx", "ETH-USDT-SWAP", "candles"), body, HEARD)
    spot = read_safely(reader("okx", "ETH-USDT", "candles"), body, HEARD)
    assert (swap[0].volume, spot[0].volume) == (50.0, 500.0)


def test_intervals_are_the_spacing_of_settlements():
    eight = 8 * 3_600 * 10**9
    base = HEARD - HEARD % eight
    rates = [(base - 3 * eight, "0.0001"), (base - 2 * eight, "0.0002"), (base, "-0.0003")]
    found = settlements("v", "S", rates)
    assert [(e.rate, e.interval_s) for e in found if isinstance(e, Funding)] == [
        (0.0002, 28_800),
        (-0.0003, 28_800),
    ]
    assert settlements("v", "S", rates[:1]) == []


@pytest.mark.parametrize(
    ("venue", "symbol", "what"),
    [("binance_usdm", "ETHUSDT", "klines"), ("bybit_linear", "ETHUSDT", "kline"),
     ("okx", "ETH-USDT-SWAP", "candles"), ("hyperliquid", "ETH", "candleSnapshot"),
     ("binance_usdm", "ETHUSDT", "fundingRate")],
)  # fmt: skip
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[[]]", b'[["x"]]', b"<html>", b"null", b'[[1,"NaN","1","1","1","1"]]',
             b'{"data":[["1"]]}', b'{"result":{"list":[["-5","1","1","1","1","1","1"]]}}', b"[" * 50_000]
)  # fmt: skip
def test_answers_of_another_shape_are_refused(venue, symbol, what, body):
    try:
        found = read_safely(reader(venue, symbol, what), body, HEARD)
    except UndecodableFrame:
        return
    assert found == []


def market_answers():
    price = 3_000.0
    rows = [[t, str(price), "3060", "2940", str(price), "5000", t + HOUR_MS - 1, "15000000", 9, "2600", "1", "0"]
            for t in hours(900)]  # fmt: skip
    bids = [[f"{price * (1 - k * 5e-5):.2f}", "5"] for k in range(1, 1_001)]
    asks = [[f"{price * (1 + k * 5e-5):.2f}", "4"] for k in range(1, 1_001)]
    book = {"lastUpdateId": 1, "E": NOW_MS, "T": NOW_MS, "bids": bids, "asks": asks}
    held = [
        {
            "symbol": "ETHUSDT",
            "sumOpenInterest": "900000",
            "sumOpenInterestValue": "1",
            "timestamp": t,
        }
        for t in hours(300)
    ]
    host = "/fapi.binance.com"
    return {
        f"{host}/fapi/v1/klines": (200, json.dumps(rows).encode()),
        f"{host}/fapi/v1/depth": (200, json.dumps(book).encode()),
        f"{host}/futures/data/openInterestHist": (200, json.dumps(held).encode()),
    }


def test_a_brief_is_made_of_what_answers_and_names_what_does_not():
    async def quiet(connection, path):
        await asyncio.sleep(60)

    async def run():
        async with FakeVenue(quiet, market_answers()) as venue:
            return await asyncio.to_thread(at_a_glance.brief_at_a_glance, "ETH", venue.gate)

    brief = asyncio.run(run())
    assert brief.price.reference == "binance_usdm:ETHUSDT"
    missing = "\n".join(brief.health.missing)
    assert "at a glance: 1 contracts answered" in missing
    assert "bybit_linear:ETHUSDT: not answered: HTTP 404" in missing
    assert "binance_usdm:ETHUSDT fundingRate: not answered" in missing
    assert any(channel.kind == "depth" for channel in brief.health.channels)


def test_without_any_answer_nothing_is_known():
    async def quiet(connection, path):
        await asyncio.sleep(60)

    async def run():
        async with FakeVenue(quiet, {}) as venue:
            with pytest.raises(NothingKnown, match="no venue gave prices of ETH"):
                await asyncio.to_thread(at_a_glance.brief_at_a_glance, "ETH", venue.gate)

    asyncio.run(run())


def test_open_interest_history_has_its_own_times():
    body = json.dumps([{"symbol": "ETHUSDT", "sumOpenInterest": "5.5", "sumOpenInterestValue": "1", "timestamp": t}
                       for t in reversed(hours(3))]).encode()  # fmt: skip
    found = read_safely(reader("binance_usdm", "ETHUSDT", "openInterestHist"), body, HEARD)
    assert [e.ts for e in found if isinstance(e, OpenInterest)] == [t * 1_000_000 for t in hours(3)]
