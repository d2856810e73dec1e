"""The shapes of Hyperliquid's messages and info answers, field by field, as the venue names them."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, field

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Text = Annotated[str, Meta(max_length=64)]


class Envelope(Struct):
    """Every frame has a channel; an info answer has none, and tells itself by its fields."""

    channel: Text = ""
    data: Raw = field(default_factory=Raw)
    levels: Raw = field(default_factory=Raw)
    universe: Raw = field(default_factory=Raw)


class Order(Struct):
    """One price level; `n` orders stand in it, where it is said."""

    px: Text
    sz: Text


class Book(Struct):
    """Both sides whole, bids first; some captured info answers lack the time."""

    coin: Text
    levels: tuple[list[Order], list[Order]]
    time: Id = 0


class Best(Struct):
    """Bid, then ask; null where a side is empty."""

    coin: Text
    time: Id
    bbo: Annotated[list[Order | None], Meta(max_length=2)]


class Trade(Struct):
    coin: Text
    side: Text
    px: Text
    sz: Text
    time: Id
    tid: Id


class Context(Struct):
    """The state of one contract; a spot pair has neither funding nor open interest."""

    mark: Text | None = field(name="markPx", default=None)
    oracle: Text | None = field(name="oraclePx", default=None)
    interest: Text | None = field(name="openInterest", default=None)
    funding: Text | None = None


class NamedContext(Struct):
    coin: Text
    ctx: Context


class Candle(Struct):
    """t: open time, T: the last millisecond it covers."""

    t: Id
    T: Id
    s: Text
    i: Text
    o: Text
    h: Text
    l: Text  # noqa: E741 - the venue's name
    c: Text
    v: Text


class Forced(Struct):
    user: Text = field(name="liquidatedUser")
    method: Text = ""


class Fill(Struct):
    """A fill of one account; `dir` says what it did to the position, `liquidation` who was closed out."""

    coin: Text
    px: Text
    sz: Text
    side: Text
    time: Id
    dir: Text
    tid: Id = 0  # not said in 2023
    liquidation: Forced | None = None


class Fills(Struct):
    """An account's channel; without fills it told of something else."""

    fills: list[Fill] | None = None
    user: Text = ""


class Coin(Struct):
    name: Text
    delisted: bool | None = field(name="isDelisted", default=None)
    decimals: Annotated[int, Meta(ge=0, le=18)] | None = field(name="szDecimals", default=None)


class Listed(Struct):
    universe: list[Coin]


class Subscription(Struct):
    type: Text = ""
    coin: Text | None = None


class Answer(Struct):
    method: Text = ""
    subscription: Subscription = field(default_factory=Subscription)


class Posted(Struct):
    id: Id


class Row(Struct):
    """Which kind of row an info answer lists: what none of them names stays unset."""

    universe: Any = UNSET
    tid: Any = UNSET
    dir: Any = UNSET
    T: Any = UNSET


ENVELOPE = msgspec.json.Decoder(Envelope)
BOOK = msgspec.json.Decoder(Book)
BEST = msgspec.json.Decoder(Best)
TRADES = msgspec.json.Decoder(list[Trade])
CONTEXT = msgspec.json.Decoder(NamedContext)
CONTEXTS = msgspec.json.Decoder(list[Context])
CANDLE = msgspec.json.Decoder(Candle)
CANDLES = msgspec.json.Decoder(list[Candle])
FILLS = msgspec.json.Decoder(Fills)
FILL_ROWS = msgspec.json.Decoder(list[Fill])
META = msgspec.json.Decoder(Listed)
METAS = msgspec.json.Decoder(list[Listed])
ANSWER = msgspec.json.Decoder(Answer)
SUBSCRIPTION = msgspec.json.Decoder(Subscription)
POSTED = msgspec.json.Decoder(Posted)
MESSAGE = msgspec.json.Decoder(str)
ROW = msgspec.json.Decoder(Row)
ROWS = msgspec.json.Decoder(list[Raw])
