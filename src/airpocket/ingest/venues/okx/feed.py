"""Where OKX is heard, keyless. Liquidations come for all swaps at once; candles have an address of their own."""

import json

from airpocket.domain.channels import Channel
from airpocket.ingest.feed import Feed, Poll, Socket
from airpocket.ingest.listed import coins_of, list_poll

_HOST = "wss://ws.okx.com:8443/ws/v5"
_REST = "https://www.okx.com/api/v5"
_GOODBYES = ("64008",)  # "the connection will soon be closed for a service upgrade"
_SAYS = 480  # subscriptions and their ends, an hour and connection


def feed(venue: str, symbols: tuple[str, ...]) -> Feed:
    """Perpetuals (…-SWAP) and spot pairs; options of the perpetuals' coins come as a summary."""
    swaps = tuple(symbol for symbol in symbols if symbol.endswith("-SWAP"))
    args = [arg for symbol in symbols for arg in _args(symbol)]
    channels = [channel for symbol in symbols for channel in _channels(symbol)]
    if swaps:
        args.append({"channel": "liquidation-orders", "instType": "SWAP"})
        channels += [
            Channel("liquidations", symbol, None, "sample", "liquidation-orders SWAP")
            for symbol in swaps
        ]
    families = sorted({f"{symbol.split('-', maxsplit=1)[0]}-USD" for symbol in swaps})
    args += [{"channel": "opt-summary", "instFamily": family} for family in families]
    channels += [
        Channel("options", family.removesuffix("-USD"), 120.0, topic=f"opt-summary {family}")
        for family in families
    ]
    args.append({"channel": "status"})
    public = Socket(
        venue, "public", f"{_HOST}/public", tuple(channels), hello=(_say("subscribe", args),),
        ping="ping", ping_every_s=20.0, goodbyes=_GOODBYES, anew=_anew(args), says_per_hour=_SAYS,
    )  # fmt: skip
    candles = [{"channel": "candle1m", "instId": symbol} for symbol in symbols]
    business = Socket(
        venue, "business", f"{_HOST}/business",
        tuple(Channel("bars", symbol, 65.0, topic=f"candle1m {symbol}") for symbol in symbols),
        hello=(_say("subscribe", candles),), ping="ping", ping_every_s=20.0, goodbyes=_GOODBYES,
        anew=_anew(candles), says_per_hour=_SAYS,
    )  # fmt: skip
    return Feed(
        venue,
        (public, business),
        polls=(
            *_lists(venue, symbols, swaps),
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
        Channel("trades", symbol, 120.0, topic=f"trades {symbol}"),
        Channel("book", symbol, 10.0, topic=f"books {symbol}"),
        Channel("quote", symbol, 30.0, topic=f"bbo-tbt {symbol}"),
        Channel("price", symbol, 30.0, topic=f"tickers {symbol}"),
    )
    if not symbol.endswith("-SWAP"):
        return common
    return (
        *common,
        Channel("open_interest", symbol, 30.0, topic=f"open-interest {symbol}"),
        Channel("funding", symbol, 180.0, topic=f"funding-rate {symbol}"),
    )


def _anew(args: list[dict[str, str]]) -> dict[str, str]:
    """Each topic as its confirmation names it → what subscribes to it alone."""
    return {" ".join(arg.values()): _say("subscribe", [arg]) for arg in args}


def _lists(venue: str, symbols: tuple[str, ...], swaps: tuple[str, ...]) -> tuple[Poll, ...]:
    """All perpetuals, whose contract values change at times; of spot our own pairs."""
    root = f"{_REST}/public/instruments?instType="
    found = [list_poll(venue, f"{root}SWAP", coins_of(venue, swaps))] if swaps else []
    for pair in (symbol for symbol in symbols if symbol not in swaps):
        found.append(list_poll(venue, f"{root}SPOT&instId={pair}", ()))
    return tuple(found)


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
