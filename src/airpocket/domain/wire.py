"""What a venue says live, in the house's words and units: one frozen record per kind of message."""

from typing import Literal, TypeAlias

from airpocket.domain.events import Bar, Fact, OpenInterest, Ticker
from airpocket.domain.units import Side

PriceKind: TypeAlias = Literal["fill", "order", "bankruptcy"]
Level: TypeAlias = tuple[float, float]  # price, size


class Trade(Fact, frozen=True, kw_only=True, tag="trade"):
    """One trade, or several of one order where `aggregate`; taker_side is who crossed the spread.

    size: coin; notional_usd: None where the quote is not dollars or the contract's size is not known.
    """

    price: float
    size: float | None
    notional_usd: float | None
    taker_side: Side
    trade_id: int | str
    aggregate: bool = False


class OffBook(Fact, frozen=True, kw_only=True, tag="off_book"):
    """A transfer at a price away from the book (insurance fund, auto-deleveraging): not for the tape."""

    price: float
    size: float | None
    reason: str
    trade_id: int | str


class Quote(Fact, frozen=True, kw_only=True, tag="quote"):
    """Best bid and ask; None where a side is empty. update_id: the book's own count, where it has one."""

    bid: float | None
    bid_size: float | None
    ask: float | None
    ask_size: float | None
    update_id: int | None = None


class BookChange(Fact, frozen=True, kw_only=True, tag="book_change"):
    """A book, or a change of it: absolute sizes by price, 0 takes a level away.

    first, last: the update ids it spans; previous: the last id before it, where the venue says so.
    in_coin: whether sizes are coin; otherwise they are contracts of unknown worth.
    """

    snapshot: bool
    first: int | None
    last: int | None
    previous: int | None
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    in_coin: bool = True


class FundingEstimate(Fact, frozen=True, kw_only=True, tag="funding_estimate"):
    """The running estimate of the next settlement: fraction per interval; interval_s None if unsaid."""

    rate: float
    next_settlement: int | None
    interval_s: int | None = None


class Liquidation(Fact, frozen=True, kw_only=True, tag="liquidation"):
    """A forced close. forced_side buy: a short was closed. coverage sample: totals are lower bounds."""

    forced_side: Side
    price: float
    price_kind: PriceKind
    size: float | None
    notional_usd: float | None
    coverage: Literal["all", "sample", "unknown"]


class Control(Fact, frozen=True, kw_only=True, tag="control"):
    """The venue about the connection itself: what is an acknowledgement, an error, a notice."""

    what: Literal["ack", "error", "notice"]
    text: str


LiveEvent: TypeAlias = (
    Bar | OpenInterest | Ticker | Trade | OffBook | Quote | BookChange | FundingEstimate
    | Liquidation | Control
)  # fmt: skip
