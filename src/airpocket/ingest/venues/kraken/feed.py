"""Where Kraken's spot market (v2) and its futures are heard, keyless."""

import json
from collections.abc import Mapping

from airpocket.domain.channels import Channel
from airpocket.ingest.feed import Feed, Socket
from airpocket.ingest.listed import coins_of, list_poll


def feed(venue: str, symbols: tuple[str, ...]) -> Feed:
    """The feed of kraken_spot or kraken_futures."""
    return _spot(venue, symbols) if venue == "kraken_spot" else _futures(venue, symbols)


def _spot(venue: str, symbols: tuple[str, ...]) -> Feed:
    channels = tuple(
        channel
        for symbol in symbols
        for channel in (Channel("book", symbol, 30.0), Channel("trades", symbol, 300.0),
                        Channel("quote", symbol, 60.0))
    )  # fmt: skip
    listed = list(symbols)
    hello = (
        _v2("subscribe", {"channel": "book", "symbol": listed, "depth": 100}),
        _v2("subscribe", {"channel": "trade", "symbol": listed, "snapshot": False}),
        _v2("subscribe", {"channel": "ticker", "symbol": listed, "event_trigger": "bbo"}),
    )
    socket = Socket(
        venue, "public", "wss://ws.kraken.com/v2", channels, hello=hello, ping='{"method":"ping"}',
        ping_every_s=30.0,
    )  # fmt: skip
    again = {
        symbol: (
            "public",
            tuple(
                _v2(method, {"channel": "book", "symbol": [symbol], "depth": 100})
                for method in ("unsubscribe", "subscribe")
            ),
        )
        for symbol in symbols
    }
    polls = tuple(
        list_poll(
            venue, f"https://api.kraken.com/0/public/AssetPairs?pair={symbol.replace('/', '')}",
            coins_of(venue, (symbol,)),
        )
        for symbol in symbols
    )  # fmt: skip
    return Feed(venue, (socket,), polls, again=again, absent={"liquidations": "spot has none"})


def _futures(venue: str, symbols: tuple[str, ...]) -> Feed:
    channels = tuple(
        channel
        for symbol in symbols
        for channel in (
            Channel("book", symbol, 30.0), Channel("trades", symbol, 600.0), Channel("price", symbol, 10.0),
            Channel("quote", symbol, 10.0), Channel("open_interest", symbol, 10.0),
            Channel("funding", symbol, 10.0), Channel("liquidations", symbol, None),
        )
    )  # fmt: skip
    products = list(symbols)
    hello = tuple(_v1("subscribe", name, products) for name in ("ticker", "book", "trade"))
    socket = Socket(
        venue,
        "public",
        "wss://futures.kraken.com/ws/v1",
        channels,
        hello=(*hello, '{"event":"subscribe","feed":"heartbeat"}'),
    )
    again = {
        symbol: (
            "public",
            tuple(_v1(event, "book", [symbol]) for event in ("unsubscribe", "subscribe")),
        )
        for symbol in symbols
    }
    listed = "https://futures.kraken.com/derivatives/api/v3/instruments"
    polls = (list_poll(venue, listed, coins_of(venue, symbols)),)
    return Feed(venue, (socket,), polls, again=again)


def _v2(method: str, params: Mapping[str, object]) -> str:
    return json.dumps({"method": method, "params": params}, separators=(",", ":"))


def _v1(event: str, name: str, products: list[str]) -> str:
    return json.dumps(
        {"event": event, "feed": name, "product_ids": products}, separators=(",", ":")
    )
