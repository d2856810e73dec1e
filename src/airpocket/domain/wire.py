"""What a venue says live, in the house's words and units: one frozen record per kind of message."""

from typing import Literal, TypeAlias

from airpocket.domain.events import Bar, Fact, OpenInterest, Ticker
from airpocket.domain.units import Side

PriceKind: TypeAlias = Literal["fill", "order", "bankruptcy"]
Status: TypeAlias = Literal["live", "halted", "delisted", "unknown"]
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
    checksum: the venue's own, to be compared over bid_texts and ask_texts, the levels (price, size) as
    they were written; None and empty where the venue sends none, or a constant 0.
    """

    snapshot: bool
    first: int | None
    last: int | None
    previous: int | None
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    in_coin: bool = True
    checksum: int | None = None
    bid_texts: tuple[tuple[str, str], ...] = ()
    ask_texts: tuple[tuple[str, str], ...] = ()


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


class Listing(Fact, frozen=True, kw_only=True, tag="listing"):
    """What the venue says of a contract now; None where it does not say.

    contract_size: coin per contract, or dollars where `size_unit` is usd; 1 where sizes are coin anyway.
    """

    base: str
    kind: Literal["spot", "linear", "inverse", "option"]
    contract_size: float | None
    size_unit: Literal["coin", "usd"]
    tick_size: float | None
    status: Status
    funding_interval_s: int | None = None


class OptionTick(Fact, frozen=True, kw_only=True, tag="option_tick"):
    """The state of one option: prices in `price_unit` per coin, volatilities as fractions a year.

    forward: the underlying's price for this expiry; delta is Black-Scholes; vega is per volatility point,
    theta per day; open_interest: coin. None is no quote or not said, never a placeholder.
    says: the fields this message speaks for, where others of the venue's bring the rest; () is all of them.
    """

    base: str
    expiry: int  # ns
    strike: float
    call: bool
    price_unit: Literal["coin", "usd"]
    bid: float | None = None
    bid_size: float | None = None
    ask: float | None = None
    ask_size: float | None = None
    mark: float | None = None
    bid_iv: float | None = None
    ask_iv: float | None = None
    mark_iv: float | None = None
    forward: float | None = None
    index: float | None = None
    delta: float | None = None
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None
    open_interest: float | None = None
    says: tuple[str, ...] = ()


class VolTick(Fact, frozen=True, kw_only=True, tag="vol_tick"):
    """An implied-volatility index at one moment, per cent a year."""

    value: float


class Control(Fact, frozen=True, kw_only=True, tag="control"):
    """The venue about the connection itself: what is an acknowledgement, an error, a notice."""

    what: Literal["ack", "error", "notice"]
    text: str


LiveEvent: TypeAlias = (
    Bar | OpenInterest | Ticker | Trade | OffBook | Quote | BookChange | FundingEstimate
    | Liquidation | Listing | OptionTick | VolTick | Control
)  # fmt: skip
