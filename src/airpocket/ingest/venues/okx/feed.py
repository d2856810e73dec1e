"""Where OKX is heard, keyless. Liquidations come for all swaps at once; candles have an address of their own."""

import json

from airpocket.domain.channels import Channel
from airpocket.ingest.feed import Feed, Poll, Socket

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
        polls=(
            *(_instruments(venue, kind) for kind in ("SWAP",) if swaps),
            *(poll for family in families for poll in _option_polls(venue, family)),
        ),
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


def _instruments(venue: str, kind: str) -> Poll:
    """Contract values change at times; asked for hourly."""
    return Poll(venue, f"{_REST}/public/instruments?instType={kind}", (), every_s=3_600.0)


def _option_polls(venue: str, family: str) -> tuple[Poll, ...]:
    """Quotes, marks and open interest of a whole family in one answer each; by websocket they come one by one."""
    what = f"instType=OPTION&instFamily={family}"
    return tuple(
        Poll(venue, f"{_REST}/{path}?{what}", channels, every_s=60.0)
        for path, channels in (
            ("market/tickers", (Channel("option_prices", family.removesuffix("-USD"), 180.0),)),
            ("public/mark-price", ()),
            ("public/open-interest", ()),
        )
    )


def _again(symbol: str) -> tuple[str, ...]:
    args = [{"channel": "books", "instId": symbol}]
    return (_say("unsubscribe", args), _say("subscribe", args))


def _say(op: str, args: list[dict[str, str]]) -> str:
    return json.dumps({"op": op, "args": args}, separators=(",", ":"))
