"""A perpetual with Chinese letters from subscription to page, and hostile names that get nowhere."""

import json
from urllib.parse import unquote

import pytest
from live.fake_venue import FakeVenue
from live.test_recording import now_ms, record

from airpocket.delivery.cli import main
from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.instruments import instruments_of
from airpocket.ingest.lake import Lake
from airpocket.ingest.log import reader
from airpocket.ingest.query import run_sql
from airpocket.live.feeds import feeds_of
from airpocket.live.replay import Replay
from airpocket.live.session import RAW

COIN, SYMBOL = "币安人生", "币安人生USDT"


def streamed(name, **data):
    data = {"E": now_ms(), "T": now_ms(), "s": SYMBOL, **data}
    return json.dumps({"stream": f"{SYMBOL.lower()}@{name}", "data": data}, ensure_ascii=False)


@pytest.mark.fault("V15")
def test_chinese_letters_travel_from_the_subscription_to_log_store_and_query(tmp_path):
    asked, seen = [], []

    async def speak(connection, path):
        asked.append(unquote(path))
        if "/public/" in path:
            await connection.send(
                streamed("depth@100ms", e="depthUpdate", U=95, u=103, pu=90, b=[], a=[])
            )
            await connection.send(
                streamed("trade", e="trade", t=1, p="0.25", q="4", X="MARKET", m=False)
            )
            await connection.send(streamed("depth@100ms", e="depthUpdate", U=104, u=106, pu=103,
                                           b=[["0.2499", "7"]], a=[]))  # fmt: skip
        else:
            bar = {"t": now_ms() // 60_000 * 60_000 - 60_000, "i": "1m", "o": "0.2", "h": "0.3", "l": "0.2",
                   "c": "0.25", "v": "9", "q": "2", "V": "4", "x": True}  # fmt: skip
            await connection.send(streamed("kline_1m", e="kline", k=bar))
        await connection.wait_closed()

    def snapshot():
        body = {"lastUpdateId": 100, "bids": [["0.2498", "5"]], "asks": [["0.2502", "4"]]}
        return 200, json.dumps(body).encode(), {}

    interest = json.dumps(
        {"openInterest": "1000", "symbol": SYMBOL, "time": now_ms()}, ensure_ascii=False
    )
    venue = FakeVenue(speak, {
        "/fapi.binance.com/fapi/v1/depth": snapshot,
        "/fapi.binance.com/fapi/v1/openInterest": (200, interest.encode(), {}),
    })  # fmt: skip

    def heard(session):
        market = session.states.by_asset[COIN].markets.get(("binance_usdm", SYMBOL))
        if market is None or market.book.applied < 3 or market.book.levels is None:
            return False
        seen.append(tuple(market.book.levels.touch()))
        return bool(market.bars and market.interest)

    session = record(tmp_path, venue, for_s=10.0, until=heard, assets=(COIN,))
    market = session.states.by_asset[COIN].markets["binance_usdm", SYMBOL]
    assert seen[-1] == (0.2499, 7.0, 0.2502, 4.0)
    assert any(f"{SYMBOL.lower()}@trade" in path for path in asked)
    assert not session.recorder.intake.refused
    assert sum(SYMBOL.encode() in r.body for r in reader.records(tmp_path / RAW)) >= 5
    replay = Replay((COIN,))
    replay.run(tmp_path / RAW)
    again = replay.states.by_asset[COIN].markets["binance_usdm", SYMBOL]
    assert again.book.applied == market.book.applied == 3
    assert again.interest == market.interest
    _, rows = run_sql(Lake(tmp_path), "select distinct symbol from channel_state")
    assert sorted(rows) == sorted([(COIN,), (SYMBOL,)])  # the coin names its list
    assert all(path.name.isascii() for path in tmp_path.rglob("*"))
    assert main(["venues", COIN, "--store", str(tmp_path), "--json"]) == 0


@pytest.mark.fault("V15")
def test_venues_that_know_plain_letters_only_are_left_out():
    feeds = feeds_of([COIN])
    assert "deribit" not in feeds
    assert {"binance_usdm", "bybit_linear", "okx"} <= set(feeds)
    assert all(socket.url.isascii() for feed in feeds.values() for socket in feed.sockets)
    assert all(poll.url.isascii() for poll in feeds["binance_usdm"].polls)
    assert all(text.isascii() for feed in feeds.values() for s in feed.sockets for text in s.hello)


@pytest.mark.fault("V16")
@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "A*", "A?", "A/B/C", "A\0B", "%2e%2e", "x" * 1_000, "<img src=x onerror=y>", "=cmd()|'x'",
     "", " ", "A B", "A\nB", "'; drop table bar_1m; --", "\u202eHTE"],
)  # fmt: skip
def test_a_hostile_name_is_no_coin_and_the_message_is_short_and_plain(name):
    with pytest.raises(UnknownInstrument) as told:
        instruments_of(name)
    assert len(str(told.value)) < 120
    assert str(told.value).isprintable()
    with pytest.raises(UnknownInstrument):
        feeds_of([name])
