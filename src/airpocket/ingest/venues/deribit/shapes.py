"""The shapes of Deribit's JSON-RPC messages, field by field, as the venue names them; numbers are numbers."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct, field

from airpocket.ingest.levels import Levels, Price, Size

Text = Annotated[str, Meta(max_length=64)]
Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Entry: TypeAlias = tuple[Literal["new", "change", "delete"], Price, Size]


class Params(Struct):
    channel: Annotated[str, Meta(max_length=128)] = ""
    data: Raw = field(default_factory=Raw)
    type: Text = ""


class Error(Struct):
    code: int = 0
    message: str = ""


class Envelope(Struct):
    """A subscription's message, a heartbeat, or the answer to something we asked."""

    method: Text = ""
    params: Params | None = None
    result: Raw = field(default_factory=Raw)
    error: Error | None = None


class Trade(Struct):
    instrument_name: Text
    price: float
    amount: float
    direction: Text
    timestamp: Id
    trade_id: Text
    liquidation: Text = ""
    block_trade_id: Text | None = None  # agreed between two parties, not met in the book


class Book(Struct):
    instrument_name: Text
    timestamp: Id
    change_id: Id
    bids: tuple[Entry, ...]
    asks: tuple[Entry, ...]
    type: Text = ""
    prev_change_id: Id | None = None


class Window(Struct):
    """A book sent whole: a grouped channel, or an answer over REST."""

    instrument_name: Text
    timestamp: Id
    bids: Levels
    asks: Levels
    change_id: Id | None = None


class Greeks(Struct):
    delta: float | None = None
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None


class Ticker(Struct):
    instrument_name: Text
    timestamp: Id
    last_price: float | None = None
    mark_price: float | None = None
    index_price: float | None = None
    open_interest: float | None = None
    current_funding: float | None = None
    funding_8h: float | None = None
    best_bid_price: float | None = None
    best_bid_amount: float | None = None
    best_ask_price: float | None = None
    best_ask_amount: float | None = None
    mark_iv: float | None = None
    bid_iv: float | None = None
    ask_iv: float | None = None
    underlying_price: float | None = None
    greeks: Greeks | None = None


class Quote(Struct):
    instrument_name: Text
    timestamp: Id
    best_bid_price: float | None = None
    best_bid_amount: float | None = None
    best_ask_price: float | None = None
    best_ask_amount: float | None = None


class Perpetual(Struct):
    timestamp: Id
    interest: float
    index_price: float


class OptionMark(Struct):
    instrument_name: Text
    mark_price: float | None = None
    iv: float | None = None
    timestamp: Id = 0


class Volatility(Struct):
    timestamp: Id
    volatility: float
    index_name: Text


class IndexPrice(Struct):
    timestamp: Id
    price: float
    index_name: Text


class Summary(Struct):
    """One row of a book summary: the whole chain in one answer, without greeks."""

    instrument_name: Text
    creation_timestamp: Id
    bid_price: float | None = None
    ask_price: float | None = None
    mark_price: float | None = None
    mark_iv: float | None = None
    underlying_price: float | None = None
    open_interest: float | None = None
    current_funding: float | None = None
    funding_8h: float | None = None
    last: float | None = None


class Contract(Struct):
    instrument_name: Text
    tick_size: float | None = None
    min_trade_amount: float | None = None
    is_active: bool | None = None
    creation_timestamp: Id | None = None
    expiration_timestamp: Id | None = None


class Platform(Struct):
    """locked: true, false, or 'partial'."""

    locked: bool | Text | None = None
    maintenance: bool | None = None


class Version(Struct):
    """The answer to the test that keeps a connection alive."""

    version: Text


ENVELOPE = msgspec.json.Decoder(Envelope)
TRADES = msgspec.json.Decoder(list[Trade])
BOOK = msgspec.json.Decoder(Book)
WINDOW = msgspec.json.Decoder(Window)
TICKER = msgspec.json.Decoder(Ticker)
QUOTE = msgspec.json.Decoder(Quote)
PERPETUAL = msgspec.json.Decoder(Perpetual)
MARKS = msgspec.json.Decoder(list[OptionMark])
VOLATILITY = msgspec.json.Decoder(Volatility)
INDEX = msgspec.json.Decoder(IndexPrice)
SUMMARIES = msgspec.json.Decoder(list[Summary])
CONTRACTS = msgspec.json.Decoder(list[Contract])
PLATFORM = msgspec.json.Decoder(Platform)
GRANTED = msgspec.json.Decoder(list[Annotated[str, Meta(max_length=128)]] | str | Version)
