"""Where OKX is heard, keyless. Liquidations come for all swaps at once; candles have an address of their own."""

import json

from airpocket.domain.channels import Channel
from airpocket.ingest.feed import Feed, Poll, Socket
from airpocket.ingest.listed import coins_of, list_poll

_HOST = "wss://ws.okx.com:8443/ws/v5"
_REST = "https://www.okx.com/api/v5"


def feed(venue: str, symbols: tuple[str, ...]) -> Feed:
    """Perpetuals (…-SWAP) and spot pairs; options of the perpetuals' coins come as a summary."""
    swaps = tuple(symbol for symbol in symbols if symbol.endswith("-SWAP"))
    args = [arg for symbol in symbols for arg in _args(symbol)]
    channels = [channel for symbol in symbols for channel in _channels(symbol)]
    if swaps:
        args.append({"channel": "liquidation-orders", "instType": "SWAP"})
        channels += [Channel("liquidations", symbol, None, "sample") for symbol in swaps]
    families = sorted({f"{symbol.split('-', maxsplit=1)[0]}-USD" for symbol in swaps})
    args += [{"channel": "opt-summary", "instFamily": family} for family in families]
    channels += [Channel("options", family.removesuffix("-USD"), 120.0) for family in families]
    args.append({"channel": "status"})
    public = Socket(
        venue, "public", f"{_HOST}/public", tuple(channels), hello=(_say("subscribe", args),),
        ping="ping", ping_every_s=20.0,
    )  # fmt: skip
    business = Socket(
        venue, "business", f"{_HOST}/business",
        tuple(Channel("bars", symbol, 65.0) for symbol in symbols),
        hello=(_say("subscribe", [{"channel": "candle1m", "instId": s} for s in symbols]),),
        ping="ping", ping_every_s=20.0,
    )  # fmt: skip
    return Feed(
        venue,
        (public, business),
        polls=_lists(venue, symbols, swaps),
        again={symbol: ("public", _again(symbol)) for symbol in symbols},
    )


def _args(symbol: str) -> list[dict[str, str]]:
    names = ["trades", "books", "bbo-tbt", "tickers"]
    if symbol.endswith("-SWAP"):
        names += ["mark-price", "open-interest", "funding-rate"]
    found = [{"channel": name, "instId": symbol} for name in names]
    if symbol.endswith("-SWAP"):
        found.append({"channel": "index-tickers", "instId": symbol.removesuffix("-SWAP")})
    return found


def _channels(symbol: str) -> tuple[Channel, ...]:
    common = (
        Channel("trades", symbol, 120.0), Channel("book", symbol, 10.0), Channel("quote", symbol, 30.0),
        Channel("price", symbol, 30.0),
    )  # fmt: skip
    if not symbol.endswith("-SWAP"):
        return common
    return (*common, Channel("open_interest", symbol, 30.0), Channel("funding", symbol, 180.0))


def _lists(venue: str, symbols: tuple[str, ...], swaps: tuple[str, ...]) -> tuple[Poll, ...]:
    """All perpetuals, whose contract values change at times; of spot our own pairs."""
    root = f"{_REST}/public/instruments?instType="
    found = [list_poll(venue, f"{root}SWAP", coins_of(venue, swaps))] if swaps else []
    for pair in (symbol for symbol in symbols if symbol not in swaps):
        found.append(list_poll(venue, f"{root}SPOT&instId={pair}", ()))
    return tuple(found)


def _again(symbol: str) -> tuple[str, ...]:
    args = [{"channel": "books", "instId": symbol}]
    return (_say("unsubscribe", args), _say("subscribe", args))


def _say(op: str, args: list[dict[str, str]]) -> str:
    return json.dumps({"op": op, "args": args}, separators=(",", ":"))
