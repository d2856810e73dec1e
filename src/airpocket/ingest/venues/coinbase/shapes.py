"""The shapes of Coinbase's messages: Advanced Trade channels and the older feed's types."""

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct, field

Text = Annotated[str, Meta(max_length=64)]
Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Envelope(Struct):
    """Advanced Trade has a channel with events, the older feed a type."""

    channel: Text = ""
    type: Text = ""
    timestamp: Text = ""
    sequence_num: Id | None = None
    events: Raw = field(default_factory=Raw)
    message: str = ""
    reason: str = ""


class Update(Struct):
    side: Text
    price_level: Text
    new_quantity: Text
    event_time: Text = ""


class Level2(Struct):
    type: Text
    product_id: Text
    updates: list[Update]


class MarketTrade(Struct):
    trade_id: Text
    product_id: Text
    price: Text
    size: Text
    side: Text
    time: Text


class MarketTrades(Struct):
    type: Text
    trades: list[MarketTrade]


class MarketTicker(Struct):
    product_id: Text
    price: Text = ""
    best_bid: Text = ""
    best_bid_quantity: Text = ""
    best_ask: Text = ""
    best_ask_quantity: Text = ""


class MarketTickers(Struct):
    tickers: list[MarketTicker]


class Product(Struct):
    id: Text
    base_currency: Text
    status: Text
    quote_increment: Text = ""
    base_increment: Text = ""
    trading_disabled: bool = False
    product_type: Text = "SPOT"  # not said by the older feed, which has nothing else


class Status(Struct):
    products: list[Product]


class Snapshot(Struct):
    product_id: Text
    bids: list[tuple[Text, Text]]
    asks: list[tuple[Text, Text]]
    time: Text = ""


class Change(Struct):
    product_id: Text
    changes: list[tuple[Text, Text, Text]]
    time: Text = ""


class Match(Struct):
    product_id: Text
    trade_id: Id
    side: Text
    size: Text
    price: Text
    time: Text


class Ticker(Struct):
    product_id: Text
    price: Text = ""
    best_bid: Text = ""
    best_bid_size: Text = ""
    best_ask: Text = ""
    best_ask_size: Text = ""
    time: Text = ""


ENVELOPE = msgspec.json.Decoder(Envelope)
LEVEL2 = msgspec.json.Decoder(list[Level2])
MARKET_TRADES = msgspec.json.Decoder(list[MarketTrades])
MARKET_TICKERS = msgspec.json.Decoder(list[MarketTickers])
STATUS = msgspec.json.Decoder(list[Status])
OLD_STATUS = msgspec.json.Decoder(Status)
PRODUCT = msgspec.json.Decoder(Product)
PRODUCTS = msgspec.json.Decoder(list[Product])
SNAPSHOT = msgspec.json.Decoder(Snapshot)
CHANGE = msgspec.json.Decoder(Change)
MATCH = msgspec.json.Decoder(Match)
TICKER = msgspec.json.Decoder(Ticker)
