"""The shapes of OKX's v5 messages, field by field, as the venue names them; nearly every value is text."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct, field

from airpocket.ingest.levels import Price, Size

Text = Annotated[str, Meta(max_length=64)]
Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
# price, size, deprecated, orders: as numbers, and as they were written
Row: TypeAlias = tuple[Price, Size, Text, Text]
WrittenRow: TypeAlias = tuple[Text, Text, Text, Text]


class Arg(Struct):
    """What was subscribed."""

    channel: Text = ""
    inst_id: Text = field(name="instId", default="")
    inst_type: Text = field(name="instType", default="")
    family: Text = field(name="instFamily", default="")


class Envelope(Struct):
    """Every message: a channel's data, a REST answer, or something about the connection."""

    arg: Arg | None = None
    action: Text = ""
    data: Raw = field(default_factory=Raw)
    event: Text = ""
    code: Text = ""
    msg: str = ""
    table: str = ""  # the dialect before v5


class Trade(Struct):
    inst_id: Text = field(name="instId")
    trade_id: Text = field(name="tradeId")
    px: Text
    sz: Text
    side: Text
    ts: Text
    count: Text = ""  # how many trades of one order, at one price, are told as one


class Book(Struct):
    """previous: -1 of a snapshot. checksum: of the 25 best levels a side, a signed CRC32."""

    asks: tuple[Row, ...]
    bids: tuple[Row, ...]
    ts: Text
    inst_id: Text = field(name="instId", default="")
    checksum: Annotated[int, Meta(ge=-(2**31), lt=2**32)] | None = None
    last: Id | None = field(name="seqId", default=None)
    previous: Annotated[int, Meta(ge=-1, le=2**63 - 1)] | None = field(
        name="prevSeqId", default=None
    )


class Written(Struct):
    """The levels of a book as they were written."""

    asks: list[WrittenRow]
    bids: list[WrittenRow]


class Tick(Struct):
    """tickers, mark-price, index-tickers: whichever prices it has."""

    inst_id: Text = field(name="instId")
    ts: Text
    last: Text = ""
    mark: Text = field(name="markPx", default="")
    index: Text = field(name="idxPx", default="")
    bid: Text = field(name="bidPx", default="")
    bid_size: Text = field(name="bidSz", default="")
    ask: Text = field(name="askPx", default="")
    ask_size: Text = field(name="askSz", default="")


class Interest(Struct):
    inst_id: Text = field(name="instId")
    ts: Text
    contracts: Text = field(name="oi")
    coin: Text = field(name="oiCcy", default="")


class Funding(Struct):
    inst_id: Text = field(name="instId")
    rate: Text = field(name="fundingRate", default="")
    at: Text = field(name="fundingTime", default="")
    after: Text = field(name="nextFundingTime", default="")
    cap: Text = field(name="maxFundingRate", default="")
    floor: Text = field(name="minFundingRate", default="")
    ts: Text = ""


class Forced(Struct):
    """One liquidated position."""

    px: Text = field(name="bkPx")
    position: Text = field(name="posSide")
    side: Text
    sz: Text
    ts: Text


class ForcedOf(Struct):
    inst_id: Text = field(name="instId")
    details: list[Forced]


class OptionSummary(Struct):
    inst_id: Text = field(name="instId")
    ts: Text
    mark_iv: Text = field(name="markVol", default="")
    bid_iv: Text = field(name="bidVol", default="")
    ask_iv: Text = field(name="askVol", default="")
    forward: Text = field(name="fwdPx", default="")
    delta: Text = field(name="deltaBS", default="")
    delta2: Text = field(name="deltaBs", default="")
    gamma: Text = field(name="gammaBS", default="")
    gamma2: Text = field(name="gammaBs", default="")
    vega: Text = field(name="vegaBS", default="")
    vega2: Text = field(name="vegaBs", default="")
    theta: Text = field(name="thetaBS", default="")
    theta2: Text = field(name="thetaBs", default="")


class Contract(Struct):
    inst_id: Text = field(name="instId")
    kind: Text = field(name="instType")
    contract_type: Text = field(name="ctType", default="")
    value: Text = field(name="ctVal", default="")
    value_coin: Text = field(name="ctValCcy", default="")
    multiplier: Text = field(name="ctMult", default="")
    tick: Text = field(name="tickSz", default="")
    lot: Text = field(name="lotSz", default="")
    listed: Text = field(name="listTime", default="")
    ends: Text = field(name="expTime", default="")
    state: Text = ""


class VenueStatus(Struct):
    """Maintenance: scheduled, ongoing, pre_open, completed or canceled."""

    title: str
    state: Text


ENVELOPE = msgspec.json.Decoder(Envelope)
TRADES = msgspec.json.Decoder(list[Trade])
BOOKS = msgspec.json.Decoder(list[Book], strict=False)  # numbers written as text
WRITTEN = msgspec.json.Decoder(list[Written])
TICKS = msgspec.json.Decoder(list[Tick])
INTERESTS = msgspec.json.Decoder(list[Interest])
FUNDINGS = msgspec.json.Decoder(list[Funding])
FORCED = msgspec.json.Decoder(list[ForcedOf])
OPTIONS = msgspec.json.Decoder(list[OptionSummary])
CONTRACTS = msgspec.json.Decoder(list[Contract])
STATUSES = msgspec.json.Decoder(list[VenueStatus])
CANDLES = msgspec.json.Decoder(list[list[Text]])
