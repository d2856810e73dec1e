"""The shapes of Binance's messages, field by field, as the venue names them."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct, field

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


class Trade(Struct):
    s: Text
    p: Text
    q: Text
    T: Id
    m: bool
    t: Id | None = None
    a: Any = None  # aggregate id; spot raw trades once used it for an order id
    X: str = "MARKET"


class Mark(Struct):
    E: Id
    s: Text
    p: Text
    r: Text = ""
    T: Id = 0
    i: Text = ""


class Order(Struct):
    s: Text
    S: str
    p: Text
    q: Text
    T: Id
    ap: Text = "0"
    z: Text = "0"


class Forced(Struct):
    E: Id
    o: Order


class Ticker(Struct):
    u: Id
    s: Text
    b: Text
    B: Text
    a: Text
    A: Text
    T: Id = 0
    E: Id = 0


class Depth(Struct):
    E: Id
    s: Text
    U: Id
    u: Id
    b: list[tuple[Text, Text]]
    a: list[tuple[Text, Text]]
    pu: Id | None = None
    T: Id = 0


class Snapshot(Struct):
    last_update_id: Id = field(name="lastUpdateId")
    bids: list[tuple[Text, Text]]
    asks: list[tuple[Text, Text]]
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
TRADE = msgspec.json.Decoder(Trade)
MARK = msgspec.json.Decoder(Mark)
FORCED = msgspec.json.Decoder(Forced)
TICKER = msgspec.json.Decoder(Ticker)
DEPTH = msgspec.json.Decoder(Depth)
SNAPSHOT = msgspec.json.Decoder(Snapshot)
KLINE = msgspec.json.Decoder(Kline)
LAST = msgspec.json.Decoder(Last)
OPEN_INTEREST = msgspec.json.Decoder(OpenInterest)
PREMIUM = msgspec.json.Decoder(Premium)
