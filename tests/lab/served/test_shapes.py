"""Frames of the dialects against recorded ones: the same keys and types, kind by kind."""

import gzip
import json
from collections import defaultdict

import pytest
from lab.served.worlds import FIRST, Listener, opened, world

pytestmark = pytest.mark.real

# Recorded keys that ours lack, or the other way, and why.
OTHER = {
    "deribit ticker": {"stats"},  # cut from one recording, present in another
    "bybit tickers": None,  # a delta names whatever changed
    "bybit trade": {"RPI"},  # younger than the recording
    "okx trades": {"seqId", "source"},  # younger than the recording
    "okx funding": {
        "formulaType", "impactValue", "instType", "interestRate", "maxFundingRate", "method", "minFundingRate",
        "premium", "prevFundingTime", "settFundingRate", "settState",
    },  # the recording is of an older form
    "deribit trades": {"combo_trade_id"},  # of combos alone
    "coinm forced": {"st"},  # since 2026-06-30
    "coinm depth": {"st"},
    "coinm trade": {"st", "ps"},
}  # fmt: skip


@pytest.fixture(scope="module")
def told():
    """Frames of every venue, by venue."""
    listener = Listener(opened(world(FIRST, flow=-20.0), speed=8.0))
    listener.subscribe()
    listener.run(14.0)
    return {
        venue: [json.loads(f) for f in frames if f != "pong"]
        for venue, frames in listener.frames.items()
    }


def lines(folder, name):
    return [json.loads(line) for line in (folder / "wire" / name).read_text().splitlines()]


def whole(folder, name):
    return json.loads((folder / "wire" / name).read_text())


def shape(value, path=""):
    """(path, type) of everything in a frame; lists count by their first entry."""
    if isinstance(value, dict):
        found = {(path, "object")}
        for key, inner in value.items():
            found |= shape(inner, f"{path}.{key}")
        return found
    if isinstance(value, list):
        return {(path, "list")} | (shape(value[0], f"{path}[]") if value else set())
    kind = (
        "number"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else type(value).__name__
    )
    return {(path, kind)}


def differing(ours, recorded, allowed=frozenset()):
    """Paths that one has and the other not, or with another type; ends in `allowed` are let go."""
    gap = shape(ours) ^ shape(recorded)
    return {each for each in gap if not any(f".{name}" in each[0] for name in allowed)}


def one(frames, *marks):
    """The last frame whose text holds all marks."""
    return [f for f in frames if all(mark in json.dumps(f) for mark in marks)][-1]


def test_binance_usdm_frames_look_like_those_of_2026(shared, told):
    market, ours = lines(shared, "live-2026/binance_usdm_market.jsonl"), told["binance_usdm"]
    assert not differing(one(ours, "markPriceUpdate"), market[1])
    assert not differing(one(ours, '"forceOrder"'), market[3])
    quote = lines(shared, "live-2026/binance_usdm_public.jsonl")[0]
    assert not differing(one(ours, '"bookTicker"')["data"], quote)
    with gzip.open(shared / "wire/hftbacktest/usdm/ethusdt_20240808.gz", "rt") as file:
        recorded = [
            json.loads(line.split(" ", 1)[1]) for line, _ in zip(file, range(400), strict=False)
        ]
    depth = [
        f
        for f in ours
        if f.get("data", {}).get("e") == "depthUpdate" and f["data"]["b"] and f["data"]["a"]
    ][-1]
    assert not differing(depth, one(recorded, "depthUpdate"), {"ps", "st"})  # since 2026-06-30
    assert not differing(one(ours, '"trade"'), one(recorded, '"trade"'), {"st"})


def test_binance_spot_frames_look_like_recorded_ones(shared, told):
    ours = told["binance_spot"]
    quote = lines(shared, "live-2026/binance_spot.jsonl")[0]
    assert not differing(one(ours, "@bookTicker")["data"], quote)
    with gzip.open(shared / "wire/hftbacktest/spot/ethusdt_20240808.gz", "rt") as file:
        recorded = [
            json.loads(line.split(" ", 1)[1]) for line, _ in zip(file, range(800), strict=False)
        ]
    depth = [
        f
        for f in ours
        if f.get("data", {}).get("e") == "depthUpdate" and f["data"]["b"] and f["data"]["a"]
    ][-1]
    both = [
        f
        for f in recorded
        if f.get("data", {}).get("e") == "depthUpdate" and f["data"]["b"] and f["data"]["a"]
    ]
    assert not differing(depth, both[-1])
    assert not differing(one(ours, '"trade"'), one(recorded, '"e": "trade"'))


def test_binance_coinm_frames_look_like_recorded_ones(shared, told):
    recorded = [row["message"] for row in lines(shared, "tardis-node/binance-delivery.jsonl")]
    ours = told["binance_coinm"]
    sides = [f for f in ours if f.get("data", {}).get("e") == "depthUpdate" and f["data"]["b"]][-1]
    sides["data"]["a"] = []
    assert not differing(sides, one(recorded, "depthUpdate"), OTHER["coinm depth"])
    forced = [f for f in ours if f.get("data", {}).get("e") == "forceOrder"]
    if forced:
        assert not differing(forced[-1], one(recorded, "forceOrder"), OTHER["coinm forced"])


def test_bybit_frames_look_like_recorded_ones(shared, told):
    live, ours = lines(shared, "live-2026/bybit_linear.jsonl"), told["bybit_linear"]
    assert not differing(one(ours, "allLiquidation", '"data"'), live[0])
    delta = one(ours, '"tickers.ETHUSDT"', '"delta"')
    assert {key for key, _ in shape({**delta, "data": 0})} == {
        key for key, _ in shape({**live[2], "data": 0})
    }
    assert {type(value) for value in delta["data"].values()} == {str}
    recorded = [row["message"] for row in lines(shared, "tardis-node/bybit.jsonl")]
    trade = one(ours, '"publicTrade')
    assert not differing(trade, one(recorded, '"publicTrade'), OTHER["bybit trade"])
    snapshot, book = (
        one(ours, '"orderbook.200', '"snapshot"'),
        one(recorded, '"orderbook.1.', '"snapshot"'),
    )
    assert not differing(snapshot, book, {"cts"})


def test_okx_frames_look_like_recorded_ones(shared, told):
    ours = told["okx"]
    liquidation = lines(shared, "live-2026/okx_public.jsonl")[0]
    assert not differing(one(ours, "liquidation-orders", "details"), liquidation)
    folder = "nautilus_trader/okx"
    assert not differing(
        one(ours, '"books"', '"snapshot"'), whole(shared, f"{folder}/ws_books_snapshot.json")
    )
    assert not differing(
        one(ours, '"bbo-tbt"', '"asks"'), whole(shared, f"{folder}/ws_bbo_tbt.json")
    )
    assert not differing(
        one(ours, '"tickers"', '"last"'), whole(shared, f"{folder}/ws_tickers.json")
    )
    assert not differing(
        one(ours, '"trades"', '"px"'),
        whole(shared, f"{folder}/ws_trades.json"),
        OTHER["okx trades"],
    )
    funding = whole(shared, f"{folder}/ws_funding_rate.json")
    assert not differing(
        one(ours, '"funding-rate"', '"fundingTime"'), funding, OTHER["okx funding"]
    )


def test_deribit_frames_look_like_recorded_ones(shared, told):
    live, ours = lines(shared, "live-2026/deribit.jsonl"), told["deribit"]
    assert not differing(one(ours, '"result": ["book.'), live[0])
    assert not differing(one(ours, '"type": "snapshot"'), live[2])
    change = [f for f in ours if '"change"' in json.dumps(f) and f["params"]["data"].get("asks")][
        -1
    ]
    change["params"]["data"]["bids"] = []
    assert not differing(change, live[3])
    assert not differing(one(ours, '"ticker.'), live[8], OTHER["deribit ticker"])
    trades = whole(shared, "nautilus_trader/deribit/ws_trades.json")
    frame = [f for f in ours if f.get("params", {}).get("channel", "").startswith("trades.")]
    plain = [f for f in frame if "liquidation" not in f["params"]["data"][0]][-1]
    assert not differing(plain, trades, OTHER["deribit trades"])
    index = whole(shared, "nautilus_trader/deribit/ws_volatility_index.json")
    assert not differing(one(ours, "deribit_volatility_index", 'volatility"'), index)


def test_hyperliquid_frames_look_like_recorded_ones(shared, told):
    live, ours = lines(shared, "live-2026/hyperliquid.jsonl"), told["hyperliquid"]
    by_channel = defaultdict(list)
    for frame in ours:
        by_channel[frame["channel"]].append(frame)
    assert not differing(
        [f for f in by_channel["subscriptionResponse"] if "mantissa" in json.dumps(f)][-1], live[0]
    )
    for at, channel in (
        (2, "l2Book"),
        (5, "bbo"),
        (6, "activeAssetCtx"),
        (7, "trades"),
        (8, "candle"),
    ):
        both_sides = [f for f in by_channel[channel] if "null" not in json.dumps(f)]
        assert not differing(both_sides[-1], live[at]), channel
