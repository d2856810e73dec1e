"""Where Coinbase's Advanced Trade market is heard, keyless; one channel a message, heartbeats keep it open."""

import json

from airpocket.domain.channels import Channel
from airpocket.ingest.feed import Feed, Socket
from airpocket.ingest.listed import coins_of, list_poll


def feed(venue: str, symbols: tuple[str, ...]) -> Feed:
    """Spot pairs such as ETH-USD."""
    channels = tuple(
        channel
        for symbol in symbols
        for channel in (
            Channel("book", symbol, 10.0), Channel("trades", symbol, 120.0), Channel("quote", symbol, 60.0),
        )
    )  # fmt: skip
    names = ("heartbeats", "level2", "market_trades", "ticker")
    socket = Socket(
        venue, "public", "wss://advanced-trade-ws.coinbase.com", channels,
        hello=tuple(_say("subscribe", name, symbols) for name in names),
    )  # fmt: skip
    again = {
        symbol: (
            "public",
            tuple(_say(kind, "level2", (symbol,)) for kind in ("unsubscribe", "subscribe")),
        )
        for symbol in symbols
    }
    root = "https://api.exchange.coinbase.com/products"
    polls = tuple(list_poll(venue, f"{root}/{each}", coins_of(venue, (each,))) for each in symbols)
    return Feed(venue, (socket,), polls, again=again, absent={"liquidations": "spot has none"})


def _say(kind: str, channel: str, symbols: tuple[str, ...]) -> str:
    return json.dumps(
        {"type": kind, "product_ids": list(symbols), "channel": channel}, separators=(",", ":")
    )
