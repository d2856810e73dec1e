"""What a venue says live, in the house's words and units: one frozen record per kind of message."""

from typing import Literal, TypeAlias

from airpocket.domain.depth import Level, Levels
from airpocket.domain.events import Bar, Fact, OpenInterest, Ticker
from airpocket.domain.units import Side

PriceKind: TypeAlias = Literal["fill", "order", "bankruptcy"]
# settling: trading ended, positions are being closed out. Only live is open for new positions.
Status: TypeAlias = Literal["live", "halted", "settling", "delisted", "unknown"]
# Why a transfer passed the book by: taken over by the venue's fund, deleveraged, or agreed elsewhere.
OffBookCause: TypeAlias = Literal["insurance", "deleveraging", "other"]


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
    """A transfer at a price away from the book (insurance fund, auto-deleveraging): not for the tape.

    reason: the venue's own word; `cause` says what it means.
    """

    price: float
    size: float | None
    reason: str
    trade_id: int | str

    @property
    def cause(self) -> OffBookCause:
        """Forced flow of either class, or neither (block trades, assignments)."""
        return _CAUSES.get(self.reason, "other")


_CAUSES: dict[str, OffBookCause] = {
    "insurance_fund": "insurance",
    "adl": "deleveraging",
    "auto-deleveraging": "deleveraging",
}


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
    bids: tuple[Level, ...] | Levels
    asks: tuple[Level, ...] | Levels
    in_coin: bool = True
    checksum: int | None = None
    bid_texts: tuple[tuple[str, str], ...] = ()
    ask_texts: tuple[tuple[str, str], ...] = ()


class FundingEstimate(Fact, frozen=True, kw_only=True, tag="funding_estimate"):
    """The running estimate of the next settlement: fraction per interval; interval_s None if unsaid.

    cap, floor: the venue's bounds of the rate, fractions per the same interval; None where it says none.
    """

    rate: float
    next_settlement: int | None
    interval_s: int | None = None
    cap: float | None = None
    floor: float | None = None

    @property
    def capped(self) -> bool | None:
        """Whether the rate stands at a bound, so that it says less than the premium does; None: unsaid."""
        if self.cap is None and self.floor is None:
            return None
        at_cap = self.cap is not None and self.rate >= self.cap
        return at_cap or (self.floor is not None and self.rate <= self.floor)

    def until_settlement_s(self, now: int) -> float | None:
        """Seconds from `now` (ns) to the settlement; None where it is not said, or already past."""
        due = self.next_settlement
        return None if due is None or due <= now else (due - now) / 1e9


class Liquidation(Fact, frozen=True, kw_only=True, tag="liquidation"):
    """A forced close. forced_side buy: a short was closed. coverage sample: totals are lower bounds.

    trade_id: the print it was read from, where the venue marks prints; its trade is told as well, so the
    two are one event and are never summed.
    """

    forced_side: Side
    price: float
    price_kind: PriceKind
    size: float | None
    notional_usd: float | None
    coverage: Literal["all", "sample", "unknown"]
    trade_id: int | str | None = None


class Listing(Fact, frozen=True, kw_only=True, tag="listing"):
    """What the venue says of a contract now; None where it does not say.

    contract_size: coin per contract, or dollars where `size_unit` is usd; 1 where sizes are coin anyway.
    listed_at, ends_at: ns; ends_at is an announced end of a perpetual or a pair, not an expiry's day.
    funding_cap, funding_floor: fractions per funding interval.
    """

    base: str
    kind: Literal["spot", "linear", "inverse", "option"]
    contract_size: float | None
    size_unit: Literal["coin", "usd"]
    tick_size: float | None
    status: Status
    funding_interval_s: int | None = None
    lot_size: float | None = None  # in the venue's own units of size
    listed_at: int | None = None
    ends_at: int | None = None
    funding_cap: float | None = None
    funding_floor: float | None = None


class FundingTerms(Fact, frozen=True, kw_only=True, tag="funding_terms"):
    """How often a contract settles funding and between which rates, where a list of its own says so."""

    interval_s: int | None
    cap: float | None = None
    floor: float | None = None


class MarginTiers(Fact, frozen=True, kw_only=True, tag="margin_tiers"):
    """The maintenance schedule a venue announces: (floor, cap, rate, most leverage, deduction) by bracket.

    floor, cap and deduction: notional in `currency`.
    """

    currency: str
    brackets: tuple[tuple[float, float, float, float, float], ...]


class Roll(Fact, frozen=True, kw_only=True, tag="roll"):
    """A list was told to its end: `symbols` are all that stood on the list named `scope`."""

    scope: str
    symbols: tuple[str, ...]


class VenueState(Fact, frozen=True, kw_only=True, tag="venue_state"):
    """Whether a venue trades at all, in its own words: maintenance and outages concern every contract."""

    trading: bool
    text: str


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
    """The venue about the connection itself: what is an acknowledgement, an error, a notice.

    topics: the subscriptions an acknowledgement confirms, where it names them: what it leaves out is not
    granted.
    """

    what: Literal["ack", "error", "notice"]
    text: str
    topics: tuple[str, ...] = ()


LiveEvent: TypeAlias = (
    Bar | OpenInterest | Ticker | Trade | OffBook | Quote | BookChange | FundingEstimate
    | Liquidation | Listing | FundingTerms | MarginTiers | Roll | VenueState | OptionTick | VolTick | Control
)  # fmt: skip
