"""Where Bybit's v5 markets are heard, keyless; a book is sent whole on subscribing."""

import json

from airpocket.domain.channels import Channel
from airpocket.ingest.feed import Feed, Poll, Socket
from airpocket.ingest.listed import coins_of, list_poll

_FAMILY = {"bybit_linear": "linear", "bybit_inverse": "inverse", "bybit_spot": "spot"}


def feed(venue: str, symbols: tuple[str, ...]) -> Feed:
    """The feed of one market: bybit_linear, bybit_inverse or bybit_spot."""
    topics = [topic for symbol in symbols for topic in _topics(venue, symbol)]
    socket = Socket(
        venue,
        "public",
        f"wss://stream.bybit.com/v5/public/{_FAMILY[venue]}",
        tuple(channel for symbol in symbols for channel in _channels(venue, symbol)),
        # spot takes ten topics a request
        hello=tuple(_say("subscribe", topics[at : at + 10]) for at in range(0, len(topics), 10)),
        ping='{"op":"ping"}',
        ping_every_s=20.0,
    )
    again = {symbol: ("public", _again(venue, symbol)) for symbol in symbols}
    spot = venue == "bybit_spot"
    return Feed(
        venue,
        (socket,),
        polls=_lists(venue, symbols),
        again=again,
        absent={"liquidations": "spot has none"} if spot else {},
    )


def _lists(venue: str, symbols: tuple[str, ...]) -> tuple[Poll, ...]:
    """By coin, which spot does not know: there by pair."""
    root = f"https://api.bybit.com/v5/market/instruments-info?category={_FAMILY[venue]}"
    if venue == "bybit_spot":
        asked = [(f"symbol={symbol}", coins_of(venue, (symbol,))) for symbol in symbols]
    else:
        asked = [(f"baseCoin={coin}&limit=1000", [coin]) for coin in coins_of(venue, symbols)]
    return tuple(list_poll(venue, f"{root}&{what}", coins) for what, coins in asked)


def _book(venue: str) -> str:
    return "orderbook.1000" if venue == "bybit_spot" else "orderbook.200"


def _topics(venue: str, symbol: str) -> tuple[str, ...]:
    common = (
        f"publicTrade.{symbol}",
        f"{_book(venue)}.{symbol}",
        f"tickers.{symbol}",
        f"kline.1.{symbol}",
    )
    if venue == "bybit_spot":
        return common
    return (*common, f"allLiquidation.{symbol}")  # fmt: skip


def _channels(venue: str, symbol: str) -> tuple[Channel, ...]:
    common = (
        Channel("trades", symbol, 60.0), Channel("book", symbol, 10.0), Channel("bars", symbol, 65.0),
        Channel("price", symbol, 30.0),
    )  # fmt: skip
    if venue == "bybit_spot":
        return common
    return (
        *common, Channel("funding", symbol, None), Channel("open_interest", symbol, 60.0),
        Channel("liquidations", symbol, None),
    )  # fmt: skip


def _again(venue: str, symbol: str) -> tuple[str, ...]:
    topic = [f"{_book(venue)}.{symbol}"]
    return (_say("unsubscribe", topic), _say("subscribe", topic))


def _say(op: str, topics: list[str]) -> str:
    return json.dumps({"op": op, "args": topics}, separators=(",", ":"))
