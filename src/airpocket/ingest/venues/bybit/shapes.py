"""The shapes of Bybit's v5 messages, field by field, as the venue names them."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct, field

from airpocket.ingest.levels import Levels

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Text = Annotated[str, Meta(max_length=64)]


class Envelope(Struct):
    """Every message: a topic with data, or an answer about the connection."""

    topic: Annotated[str, Meta(max_length=128)] = ""
    type: str = ""
    ts: Id = 0
    cts: Id = 0
    data: Raw = field(default_factory=Raw)
    op: str = ""
    success: bool | None = None
    ret_msg: Any = None
    ret_code: int | None = None


class PublicTrade(Struct):
    T: Id
    s: Text
    S: Text
    v: Text
    p: Text
    i: Text


class Book(Struct):
    s: Text
    b: Levels
    a: Levels
    u: Id


class Forced(Struct):
    """One entry of allLiquidation: S is the side of the position, not of the order."""

    T: Id
    s: Text
    S: Text
    v: Text
    p: Text


class OldForced(Struct):
    """The topic before February 2025, at most one a second."""

    time: Id = field(name="updatedTime")
    symbol: Text
    side: Text
    size: Text
    price: Text


class Tick(Struct):
    """A snapshot, or what changed since; an omitted field keeps its last value."""

    symbol: Text
    last: Text = field(name="lastPrice", default="")
    mark: Text = field(name="markPrice", default="")
    index: Text = field(name="indexPrice", default="")
    open_interest: Text = field(name="openInterest", default="")
    rate: Text = field(name="fundingRate", default="")
    next_settlement: Text = field(name="nextFundingTime", default="")
    interval_hours: Text = field(name="fundingIntervalHour", default="")
    bid: Text = field(name="bid1Price", default="")
    bid_size: Text = field(name="bid1Size", default="")
    ask: Text = field(name="ask1Price", default="")
    ask_size: Text = field(name="ask1Size", default="")


class Candle(Struct):
    start: Id
    interval: Text
    open: Text
    high: Text
    low: Text
    close: Text
    volume: Text
    turnover: Text
    confirm: bool


ENVELOPE = msgspec.json.Decoder(Envelope)
TRADES = msgspec.json.Decoder(list[PublicTrade])
BOOK = msgspec.json.Decoder(Book, strict=False)
FORCED = msgspec.json.Decoder(list[Forced])
OLD_FORCED = msgspec.json.Decoder(OldForced)
TICK = msgspec.json.Decoder(Tick)
CANDLES = msgspec.json.Decoder(list[Candle])
