"""Where Hyperliquid is heard, keyless. It has no public liquidation channel, and book frames come slowly."""

import json

from airpocket.domain.channels import Channel
from airpocket.ingest.feed import Feed, Socket
from airpocket.ingest.listed import list_poll


def feed(venue: str, symbols: tuple[str, ...]) -> Feed:
    """Coins must be names of the live list: an unknown one closes the whole connection without a word."""
    wanted = [each for symbol in symbols for each in _subscriptions(symbol)]
    socket = Socket(
        venue, "public", "wss://api.hyperliquid.xyz/ws",
        tuple(channel for symbol in symbols for channel in _channels(symbol)),
        hello=tuple(_say(each) for each in wanted), ping='{"method":"ping"}', ping_every_s=30.0,
        sends_per_s=10.0, anew={f"{each['type']} {each['coin']}": _say(each) for each in wanted},
    )  # fmt: skip
    listed = list_poll(
        venue, "https://api.hyperliquid.xyz/info", symbols, body='{"type":"meta"}', weight=20
    )
    return Feed(
        venue,
        (socket,),
        polls=(listed,),
        weight_per_minute=1_200,
        absent={"liquidations": "the venue has no public liquidation channel"},
    )


def _subscriptions(coin: str) -> tuple[dict[str, str], ...]:
    return (
        {"type": "l2Book", "coin": coin}, {"type": "trades", "coin": coin}, {"type": "bbo", "coin": coin},
        {"type": "activeAssetCtx", "coin": coin}, {"type": "candle", "coin": coin, "interval": "1m"},
    )  # fmt: skip


def _channels(coin: str) -> tuple[Channel, ...]:
    context = f"activeAssetCtx {coin}"
    return (
        Channel("book", coin, 16.5, topic=f"l2Book {coin}"),
        Channel("trades", coin, 120.0, topic=f"trades {coin}"),
        Channel("quote", coin, 30.0, topic=f"bbo {coin}"),
        Channel("price", coin, 5.0, topic=context), Channel("open_interest", coin, 5.0, topic=context),
        Channel("funding", coin, 5.0, topic=context),
        Channel("bars", coin, None, topic=f"candle {coin}"),
    )  # fmt: skip


def _say(subscription: dict[str, str]) -> str:
    return json.dumps({"method": "subscribe", "subscription": subscription}, separators=(",", ":"))
