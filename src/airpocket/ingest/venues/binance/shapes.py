"""The shapes of Binance's messages, field by field, as the venue names them."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct, field

from airpocket.ingest.levels import Levels, Size

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Text = Annotated[str, Meta(max_length=64)]


class Envelope(Struct):
    """The outermost object, whichever it is; fields of inner messages are decoded again by type."""

    stream: str = ""
    data: Raw = field(default_factory=Raw)
    e: str = ""
    st: int = 0
    symbol: str = ""
    id: int | str | None = None
    code: int | None = None
    msg: str = ""
    error: dict[str, Any] | None = None
    last_update_id: Id | None = field(default=None, name="lastUpdateId")
    open_interest: Text | None = field(default=None, name="openInterest")
    mark_price: Text | None = field(default=None, name="markPrice")
    u: Id | None = None
    b: Raw = field(default_factory=Raw)


class Trade(Struct, tag_field="e"):
    s: Text
    p: Size
    q: Size
    T: Id
    m: bool
    t: Id | None = None
    a: Any = None  # aggregate id; spot raw trades once used it for an order id
    X: str = "MARKET"
    st: int = 0


class SingleTrade(Trade, tag="trade"):
    """One match."""


class AggregateTrade(Trade, tag="aggTrade"):
    """All matches of one taker's order at one price."""


class Mark(Struct, tag_field="e", tag="markPriceUpdate"):
    E: Id
    s: Text
    p: Text
    r: Text = ""
    T: Id = 0
    i: Text = ""
    st: int = 0


class Order(Struct):
    s: Text
    S: str
    p: Text
    q: Text
    T: Id
    ap: Text = "0"
    z: Text = "0"
    st: int = 0  # of a forced order the family stands here, not around it


class Forced(Struct, tag_field="e", tag="forceOrder"):
    E: Id
    o: Order
    st: int = 0


class BestQuote(Struct):
    """Best bid and ask; spot sends it without a type."""

    u: Id
    s: Text
    b: Size
    B: Size
    a: Size
    A: Size
    T: Id = 0
    E: Id = 0
    st: int = 0


class FuturesQuote(BestQuote, tag_field="e", tag="bookTicker"):
    """The same from the futures."""


class Depth(Struct, tag_field="e", tag="depthUpdate"):
    E: Id
    s: Text
    U: Id
    u: Id
    b: Levels
    a: Levels
    pu: Id | None = None
    T: Id = 0
    st: int = 0


class Combined(Struct):
    """A message of a combined stream, of the kinds that come thousands a second: read in one pass."""

    stream: str
    data: Depth | SingleTrade | AggregateTrade | FuturesQuote | Mark | Forced


class Snapshot(Struct):
    last_update_id: Id = field(name="lastUpdateId")
    bids: Levels
    asks: Levels
    E: Id = 0
    T: Id = 0
    symbol: str = ""


class Candle(Struct):
    t: Id
    i: str
    o: Text
    h: Text
    l: Text  # noqa: E741 - the venue's own name
    c: Text
    v: Text
    q: Text
    V: Text
    x: bool


class Kline(Struct):
    E: Id
    s: Text
    k: Candle


class Last(Struct):
    E: Id
    s: Text
    c: Text


class OpenInterest(Struct):
    symbol: Text
    open_interest: Text = field(name="openInterest")
    time: Id = 0


class Premium(Struct):
    symbol: Text
    mark_price: Text = field(name="markPrice")
    index_price: Text = field(name="indexPrice", default="")
    rate: Text = field(name="lastFundingRate", default="")
    next_settlement: Id = field(name="nextFundingTime", default=0)
    time: Id = 0


ENVELOPE = msgspec.json.Decoder(Envelope)
COMBINED = msgspec.json.Decoder(Combined, strict=False)
SINGLE_TRADE = msgspec.json.Decoder(SingleTrade, strict=False)
AGGREGATE_TRADE = msgspec.json.Decoder(AggregateTrade, strict=False)
MARK = msgspec.json.Decoder(Mark)
FORCED = msgspec.json.Decoder(Forced)
QUOTE = msgspec.json.Decoder(BestQuote, strict=False)
FUTURES_QUOTE = msgspec.json.Decoder(FuturesQuote, strict=False)
DEPTH = msgspec.json.Decoder(Depth, strict=False)
SNAPSHOT = msgspec.json.Decoder(Snapshot, strict=False)
KLINE = msgspec.json.Decoder(Kline)
LAST = msgspec.json.Decoder(Last)
OPEN_INTEREST = msgspec.json.Decoder(OpenInterest)
PREMIUM = msgspec.json.Decoder(Premium)
