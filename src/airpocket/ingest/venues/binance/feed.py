"""Where Binance's three markets are heard, keyless. Futures streams are split by route since 2026-04-23."""

from urllib.parse import quote

from airpocket.domain.channels import Channel
from airpocket.ingest.feed import Feed, Poll, Socket
from airpocket.ingest.listed import coins_of, list_poll

_SPOT = "wss://stream.binance.com:9443/stream?streams="
_USDM = "wss://fstream.binance.com"
_COINM = "wss://dstream.binance.com/stream?streams="
_GOODBYES = ("serverShutdown",)
# Weight of a book snapshot and the budgets per minute; COIN-M shares the one of USD-M, so each takes half.
_WEIGHTS = {"binance_usdm": 1_200, "binance_coinm": 1_200, "binance_spot": 6_000}


def feed(venue: str, symbols: tuple[str, ...]) -> Feed:
    """The feed of one market: binance_usdm, binance_coinm or binance_spot."""
    sockets = {"binance_usdm": _usdm, "binance_coinm": _coinm, "binance_spot": _spot}[venue](
        symbols
    )
    futures = venue != "binance_spot"
    return Feed(
        venue,
        sockets,
        polls=(
            *(tuple(_interest(venue, symbol) for symbol in symbols) if futures else ()),
            *_lists(venue, symbols),
        ),
        snapshots={symbol: _snapshot(venue, symbol) for symbol in symbols},
        weight_per_minute=_WEIGHTS[venue],
        absent={} if futures else {"liquidations": "spot has none"},
    )


def _usdm(symbols: tuple[str, ...]) -> tuple[Socket, ...]:
    public = _names(symbols, "depth@100ms", "bookTicker", "trade")
    market = _names(symbols, "markPrice@1s", "forceOrder", "kline_1m") + "/!contractInfo"
    return (
        Socket("binance_usdm", "public", f"{_USDM}/public/stream?streams={public}", _book(symbols),
               goodbyes=_GOODBYES),
        Socket("binance_usdm", "market", f"{_USDM}/market/stream?streams={market}", _carry(symbols),
               goodbyes=_GOODBYES),
    )  # fmt: skip


def _coinm(symbols: tuple[str, ...]) -> tuple[Socket, ...]:
    names = _names(
        symbols, "depth@100ms", "bookTicker", "aggTrade", "markPrice@1s", "forceOrder", "kline_1m"
    )
    return (Socket("binance_coinm", "all", _COINM + names, _book(symbols) + _carry(symbols),
                   goodbyes=_GOODBYES),)  # fmt: skip


def _spot(symbols: tuple[str, ...]) -> tuple[Socket, ...]:
    names = _names(symbols, "depth@100ms", "bookTicker", "trade", "kline_1m")
    bars = tuple(Channel("bars", symbol, 65.0) for symbol in symbols)
    return (
        Socket("binance_spot", "all", _SPOT + names, _book(symbols) + bars, goodbyes=_GOODBYES),
    )


def _names(symbols: tuple[str, ...], *streams: str) -> str:
    """Stream names; some symbols hold letters that an address must not."""
    return "/".join(f"{quote(symbol.lower())}@{stream}" for symbol in symbols for stream in streams)


def _book(symbols: tuple[str, ...]) -> tuple[Channel, ...]:
    return tuple(
        channel
        for symbol in symbols
        for channel in (
            Channel("book", symbol, 5.0), Channel("quote", symbol, 30.0), Channel("trades", symbol, 60.0),
        )
    )  # fmt: skip


def _carry(symbols: tuple[str, ...]) -> tuple[Channel, ...]:
    return tuple(
        channel
        for symbol in symbols
        for channel in (
            Channel("price", symbol, 3.0), Channel("funding", symbol, 3.0),
            Channel("liquidations", symbol, None, "sample"), Channel("bars", symbol, 65.0),
        )
    )  # fmt: skip


def _interest(venue: str, symbol: str) -> Poll:
    host, api = ("fapi", "fapi") if venue == "binance_usdm" else ("dapi", "dapi")
    url = f"https://{host}.binance.com/{api}/v1/openInterest?symbol={quote(symbol)}"
    # twice the poll: from then on nothing that needs a change of it may be said
    return Poll(venue, url, (Channel("open_interest", symbol, 30.0),), every_s=15.0)


def _lists(venue: str, symbols: tuple[str, ...]) -> tuple[Poll, ...]:
    """Futures whole; of spot, whose list is megabytes, only our own pairs."""
    coins = coins_of(venue, symbols)
    if venue == "binance_spot":
        asked = "%22,%22".join(quote(symbol) for symbol in symbols)
        url = f"https://api.binance.com/api/v3/exchangeInfo?symbols=[%22{asked}%22]"
        return (list_poll(venue, f"{url}&showPermissionSets=false", coins, weight=20),)
    api = "fapi" if venue == "binance_usdm" else "dapi"
    root = f"https://{api}.binance.com/{api}/v1"
    return (
        list_poll(venue, f"{root}/exchangeInfo", coins),
        list_poll(venue, f"{root}/fundingInfo", ()),
    )


def _snapshot(venue: str, symbol: str) -> Poll:
    if venue == "binance_spot":
        url = f"https://api.binance.com/api/v3/depth?symbol={quote(symbol)}&limit=5000"
        return Poll(venue, url, (), every_s=0.0, weight=250)
    api = "fapi" if venue == "binance_usdm" else "dapi"
    url = f"https://{api}.binance.com/{api}/v1/depth?symbol={quote(symbol)}&limit=1000"
    return Poll(venue, url, (), every_s=0.0, weight=20)
