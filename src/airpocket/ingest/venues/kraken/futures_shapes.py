"""The shapes of Kraken's futures messages, field by field, as the venue names them; numbers are numbers."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

Text = Annotated[str, Meta(max_length=64)]
Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Envelope(Struct):
    feed: Text = ""
    event: Text = ""
    message: str = ""
    product_ids: list[Text] = field(default_factory=list[Text])


class Level(Struct):
    price: float
    qty: float


class Snapshot(Struct):
    product_id: Text
    timestamp: Id
    seq: Id
    bids: list[Level]
    asks: list[Level]


class Change(Struct):
    product_id: Text
    timestamp: Id
    seq: Id
    side: Text
    price: float
    qty: float


class Trade(Struct):
    product_id: Text
    side: Text
    type: Text
    seq: Id
    time: Id
    qty: float
    price: float
    uid: Text = ""


class Trades(Struct):
    trades: list[Trade]


class Ticker(Struct):
    product_id: Text
    time: Id | None = None
    bid: float | None = None
    ask: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    last: float | None = None
    index: float | None = None
    mark: float | None = field(name="markPrice", default=None)
    interest: float | None = field(name="openInterest", default=None)
    rate: float | None = field(name="relative_funding_rate", default=None)
    next_settlement: float | None = field(name="next_funding_rate_time", default=None)
    suspended: bool | None = None


class Contract(Struct):
    """One row of the instruments list; `decimals` of a size."""

    symbol: Text
    type: Text
    tradeable: bool
    size: float = field(name="contractSize", default=1.0)
    tick: float | None = field(name="tickSize", default=None)
    decimals: Annotated[int, Meta(ge=-18, le=18)] | None = field(
        name="contractValueTradePrecision", default=None
    )
    opened: Text = field(name="openingDate", default="")
    cap: float | None = field(name="maxRelativeFundingRate", default=None)


class Contracts(Struct):
    instruments: list[Contract]


ENVELOPE = msgspec.json.Decoder(Envelope)
SNAPSHOT = msgspec.json.Decoder(Snapshot)
CHANGE = msgspec.json.Decoder(Change)
TRADE = msgspec.json.Decoder(Trade)
TRADES = msgspec.json.Decoder(Trades)
TICKER = msgspec.json.Decoder(Ticker)
CONTRACTS = msgspec.json.Decoder(Contracts)
