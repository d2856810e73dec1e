"""Reference data in a whole recording on loopback: a newcomer is taken up, and replay sees what live saw."""

import asyncio
import json
from dataclasses import replace

import pytest
from live.fake_venue import FakeVenue
from live.test_recording import FAST, REST, mark, steady, trade

from airpocket.ingest.world import SystemClock
from airpocket.live.feeds import feeds_of
from airpocket.live.replay import Replay
from airpocket.live.session import RAW, Session, SessionSettings


def row(symbol):
    return {"symbol": symbol, "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "ETH",
            "onboardDate": 1569398400000, "deliveryDate": 4133404800000,
            "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.01"}]}  # fmt: skip


def lists(*symbols):
    return json.dumps({"symbols": [row(symbol) for symbol in symbols]}).encode()


async def until(holds):
    while True:
        await asyncio.sleep(0.02)
        if holds():
            return


def newcomer(frame):
    """The same of a contract listed later, stream and content."""
    return frame.replace("ETHUSDT", "ETHUSDC").replace("ethusdt", "ethusdc")


@pytest.mark.fault("M01", "M09")
def test_a_contract_listed_while_recording_is_heard_soon_and_replay_agrees(tmp_path):
    known = ["ETHUSDT"]

    async def speak(connection, path):
        if "ethusdc" in path:
            while True:
                await connection.send(newcomer(trade(1)))
                await connection.send(newcomer(mark()))
                await asyncio.sleep(0.05)
        await steady(connection, path)

    rest = {
        **REST,
        "/fapi.binance.com/fapi/v1/exchangeInfo": lambda: (200, lists(*known), {}),
        "/fapi.binance.com/fapi/v1/fundingInfo": (
            200,
            b'[{"symbol":"SOLUSDT","fundingIntervalHours":4}]',
        ),
    }

    async def run():
        async with FakeVenue(speak, rest) as venue:
            feed = feeds_of(["ETH"], ["binance_usdm"])["binance_usdm"]
            often = tuple(
                replace(poll, every_s=0.1) if "Info" in poll.url else poll for poll in feed.polls
            )
            settings = SessionSettings(
                gate=venue.gate, for_s=10.0, recorder=replace(FAST, journal=True)
            )
            session = Session(
                tmp_path, ("ETH",), {"binance_usdm": replace(feed, polls=often)}, SystemClock(), settings,
            )  # fmt: skip

            async def watch():
                await until(lambda: venue.asked["/fapi.binance.com/fapi/v1/exchangeInfo"] >= 2)
                known.append("ETHUSDC")
                key = ("binance_usdm", "ETHUSDC")
                await until(lambda: key in session.states.by_asset["ETH"].markets)
                session.stop()

            watching = asyncio.create_task(watch())
            await session.run()
            watching.cancel()
            return session

    session = asyncio.run(run())
    market = session.states.by_asset["ETH"].markets["binance_usdm", "ETHUSDC"]
    assert market.contract.base == "ETH"
    routes = {route for _, route in session.recorder.connections}
    assert routes == {"public", "market", "public+ETHUSDC", "market+ETHUSDC"}
    channels = {(c.symbol, c.channel) for c in session.health().channels}
    assert {("ETHUSDC", "trades"), ("ETHUSDC", "liquidations"), ("ETH", "listings")} <= channels
    rate = session.states.by_asset["ETH"].markets["binance_usdm", "ETHUSDT"].funding
    assert rate.interval_s in (None, 28_800)  # None only if it was heard before the list
    found = Replay(("ETH",)).run(tmp_path / RAW)
    assert found.journal == session.recorder.intake.journal
