"""What a frame is about, without decoding it: the wire's own name of the channel, and ours for it."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from airpocket.domain.channels import ChannelName

_LOOKED_AT = 512  # bytes; every venue names the channel early
_NAMED = re.compile(rb'"(?:stream|topic|channel|feed|e|type|table)"\s*:\s*"([^"\\]{1,128})"')
_CHANNELS: Mapping[str, ChannelName] = MappingProxyType(
    {
        "depth": "book", "depthUpdate": "book", "orderbook": "book", "books": "book", "book": "book",
        "books5": "book", "books-l2-tbt": "book", "books50-l2-tbt": "book", "l2Book": "book",
        "book_snapshot": "book", "l2_data": "book", "level2": "book", "l2update": "book", "snapshot": "book",
        "trade": "trades", "trades": "trades", "aggTrade": "trades", "publicTrade": "trades",
        "market_trades": "trades", "match": "trades", "last_match": "trades", "trade_snapshot": "trades",
        "bookTicker": "quote", "bbo": "quote", "bbo-tbt": "quote", "quote": "quote",
        "markPrice": "price", "markPriceUpdate": "price", "mark-price": "price", "index-tickers": "price",
        "tickers": "price", "ticker": "price", "ticker_batch": "price", "activeAssetCtx": "price",
        "forceOrder": "liquidations", "!forceOrder": "liquidations", "allLiquidation": "liquidations",
        "liquidation": "liquidations", "liquidation-orders": "liquidations",
        "kline_1m": "bars", "kline": "bars", "candle1m": "bars", "candle": "bars", "ohlc": "bars",
        "funding-rate": "funding", "open-interest": "open_interest", "openInterest": "open_interest",
        "opt-summary": "options", "get_book_summary_by_currency": "options",
        "deribit_volatility_index": "vol_index",
    }
)  # fmt: skip


# Venues that count the messages of a connection, whatever channel they are of.
_COUNTED = MappingProxyType({"coinbase": re.compile(rb'"sequence_num"\s*:\s*(\d{1,18})')})


def message_number(venue: str, frame: bytes) -> int | None:
    """The number of a message among all of its connection; None where the venue numbers none."""
    pattern = _COUNTED.get(venue)
    found = None if pattern is None else pattern.search(frame[:_LOOKED_AT])
    return None if found is None else int(found[1])


def wire_channel(frame: bytes, address: str = "") -> str:
    """The venue's own word for the channel or, of a REST body, for what was asked; '' if it can't be seen."""
    if address:
        return urlsplit(address).path.rsplit("/", maxsplit=1)[-1][:60]
    found = _NAMED.search(frame[:_LOOKED_AT])
    if found is None:
        return ""
    name = found[1].decode("utf-8", "replace")
    if "@" in name:  # ethusdt@depth@100ms, !forceOrder@arr
        stream = name.split("@")
        name = stream[0] if stream[0].startswith("!") else stream[1]
    return name.split(".", maxsplit=1)[0][:60]


def channel_of(name: str) -> ChannelName | None:
    """Our channel for the venue's word; None for words that are none of ours."""
    return _CHANNELS.get(name)
