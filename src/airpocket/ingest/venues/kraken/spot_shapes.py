"""The shapes of Kraken's spot messages: v2 objects field by field, v1 arrays place by place."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct, field

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Sum = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Text = Annotated[str, Meta(max_length=64)]


class Envelope(Struct):
    """A v2 channel, a v2 answer to `method`, or a v1 `event`; REST errors are a list."""

    channel: Text = ""
    type: Text = ""
    data: Raw = field(default_factory=Raw)
    method: Text = ""
    success: bool | None = None
    error: str | list[str] | None = None
    event: Text = ""
    status: Any = None
    message: str = field(name="errorMessage", default="")
    pair: Text = ""


class Level(Struct):
    """A level whose numbers stay as they are written, because the checksum is over that writing."""

    price: Raw
    qty: Raw


class Book(Struct):
    symbol: Text
    bids: list[Level] = field(default_factory=list[Level])
    asks: list[Level] = field(default_factory=list[Level])
    checksum: Sum | None = None
    timestamp: Text = ""


class Trade(Struct):
    symbol: Text
    side: Text
    price: float
    qty: float
    trade_id: Id
    timestamp: Text


class Tick(Struct):
    symbol: Text
    bid: float
    bid_qty: float
    ask: float
    ask_qty: float
    last: float | None = None
    timestamp: Text = ""


class Candle(Struct):
    """`timestamp` is the end of the interval; the length is in minutes."""

    symbol: Text
    open: float
    high: float
    low: float
    close: float
    volume: float
    interval: Annotated[int, Meta(ge=1, le=100_000)]
    interval_begin: Text


class Pair(Struct):
    symbol: Text
    base: Text
    status: Text
    price_increment: float | Text | None = None


class Reference(Struct):
    pairs: list[Pair] = field(default_factory=list[Pair])


class RestPair(Struct):
    name: Text = field(name="wsname", default="")
    tick: Text = field(name="tick_size", default="")
    lot: Annotated[int, Meta(ge=0, le=18)] | None = field(name="lot_decimals", default=None)
    status: Text = ""


class RestPairs(Struct):
    result: dict[str, RestPair]


class State(Struct):
    system: Text


class OldBook(Struct):
    """as, bs: the whole book; a, b: what changed. Rows are price, size, time and sometimes a mark."""

    whole_asks: list[list[Text]] | None = field(name="as", default=None)
    whole_bids: list[list[Text]] | None = field(name="bs", default=None)
    asks: list[list[Text]] = field(name="a", default_factory=list[list[Text]])
    bids: list[list[Text]] = field(name="b", default_factory=list[list[Text]])
    checksum: Text = field(name="c", default="")


class OldTick(Struct):
    """a, b: price, whole lots, size; c: price and size of the last trade."""

    a: tuple[Text, Any, Text]
    b: tuple[Text, Any, Text]
    c: tuple[Text, Text]


# price, size, time, side (b, s), order type (m, l), remark
OldTrade = tuple[Text, Text, Text, Text, Text, str]
# bid, ask, time, bid size, ask size
OldSpread = tuple[Text, Text, Text, Text, Text]
# time, end, open, high, low, close, mean price, volume, count
OldCandle = tuple[Text, Text, Text, Text, Text, Text, Text, Text, Any]

ENVELOPE = msgspec.json.Decoder(Envelope)
BOOKS = msgspec.json.Decoder(list[Book])
TRADES = msgspec.json.Decoder(list[Trade])
TICKS = msgspec.json.Decoder(list[Tick])
CANDLES = msgspec.json.Decoder(list[Candle])
REFERENCE = msgspec.json.Decoder(Reference)
PAIRS = msgspec.json.Decoder(RestPairs)
STATES = msgspec.json.Decoder(list[State])
PARTS = msgspec.json.Decoder(list[Raw])
NAME = msgspec.json.Decoder(Text)
OLD_BOOK = msgspec.json.Decoder(OldBook)
OLD_TICK = msgspec.json.Decoder(OldTick)
OLD_TRADES = msgspec.json.Decoder(list[OldTrade])
OLD_SPREAD = msgspec.json.Decoder(OldSpread)
OLD_CANDLE = msgspec.json.Decoder(OldCandle)
