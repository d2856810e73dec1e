"""Who said something, of what, when: the part that every live event shares, and the events made with it."""

from typing import Literal, NamedTuple

from airpocket.domain.events import Bar, OpenInterest, Ticker
from airpocket.domain.units import MINUTE_NS, Side
from airpocket.domain.wire import (
    BookChange,
    Control,
    FundingEstimate,
    Level,
    Liquidation,
    PriceKind,
    Quote,
    Trade,
)


class Book(NamedTuple):
    """Levels of one message, with the texts where a checksum needs them."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    bid_texts: tuple[tuple[str, str], ...] = ()
    ask_texts: tuple[tuple[str, str], ...] = ()


class Chain(NamedTuple):
    """Where a book message stands among the others."""

    snapshot: bool
    first: int | None = None
    last: int | None = None
    previous: int | None = None
    checksum: int | None = None
    in_coin: bool = True


class Said(NamedTuple):
    """Venue, symbol, the venue's time and when it was heard (ns)."""

    venue: str
    symbol: str
    ts: int
    heard: int

    def trade(
        self, price: float, size: float | None, notional_usd: float | None, taker: Side,
        trade_id: int | str, *, aggregate: bool = False,
    ) -> Trade:  # fmt: skip
        return Trade(venue=self.venue, symbol=self.symbol, ts=self.ts, usable_from=self.heard, heard=self.heard,
                     price=price, size=size, notional_usd=notional_usd, taker_side=taker, trade_id=trade_id,
                     aggregate=aggregate)  # fmt: skip

    def quote(self, bid: Level | None, ask: Level | None, update_id: int | None = None) -> Quote:
        bid_price, bid_size = bid or (None, None)
        ask_price, ask_size = ask or (None, None)
        return Quote(venue=self.venue, symbol=self.symbol, ts=self.ts, usable_from=self.heard, heard=self.heard,
                     bid=bid_price, bid_size=bid_size, ask=ask_price, ask_size=ask_size,
                     update_id=update_id)  # fmt: skip

    def book(self, levels: Book, chain: Chain) -> BookChange:
        return BookChange(venue=self.venue, symbol=self.symbol, ts=self.ts, usable_from=self.heard,
                          heard=self.heard, snapshot=chain.snapshot, first=chain.first, last=chain.last,
                          previous=chain.previous, bids=levels.bids, asks=levels.asks, in_coin=chain.in_coin,
                          checksum=chain.checksum, bid_texts=levels.bid_texts,
                          ask_texts=levels.ask_texts)  # fmt: skip

    def ticker(
        self, *, last: float | None = None, mark: float | None = None, index: float | None = None
    ) -> Ticker:
        return Ticker(venue=self.venue, symbol=self.symbol, ts=self.ts, usable_from=self.heard,
                      heard=self.heard, last=last, mark=mark, index=index)  # fmt: skip

    def interest(self, amount: float, unit: Literal["coin", "usd", "contracts"]) -> OpenInterest:
        return OpenInterest(venue=self.venue, symbol=self.symbol, ts=self.ts, usable_from=self.heard,
                            heard=self.heard, amount=amount, unit=unit)  # fmt: skip

    def funding(
        self, rate: float, next_settlement: int | None, interval_s: int | None,
        *, bounds: tuple[float | None, float | None] = (None, None),
    ) -> FundingEstimate:  # fmt: skip
        """`bounds`: the venue's cap and floor of the rate."""
        return FundingEstimate(venue=self.venue, symbol=self.symbol, ts=self.ts, usable_from=self.heard,
                               heard=self.heard, rate=rate, next_settlement=next_settlement,
                               interval_s=interval_s, cap=bounds[0], floor=bounds[1])  # fmt: skip

    def liquidation(
        self, forced: Side, price: float, kind: PriceKind, size: float | None,
        notional_usd: float | None, coverage: Literal["all", "sample", "unknown"],
        trade_id: int | str | None = None,
    ) -> Liquidation:  # fmt: skip
        return Liquidation(venue=self.venue, symbol=self.symbol, ts=self.ts, usable_from=self.heard,
                           heard=self.heard, forced_side=forced, price=price, price_kind=kind, size=size,
                           notional_usd=notional_usd, coverage=coverage, trade_id=trade_id)  # fmt: skip

    def bar(
        self, prices: tuple[float, float, float, float], volume: float | None, minutes: int
    ) -> Bar:
        """`prices`: open, high, low, close; `ts` is the bar's open."""
        return Bar(venue=self.venue, symbol=self.symbol, ts=self.ts, usable_from=self.heard, heard=self.heard,
                   interval_ns=minutes * MINUTE_NS, open=prices[0], high=prices[1], low=prices[2],
                   close=prices[3], volume=volume)  # fmt: skip


def control(
    venue: str,
    heard: int,
    what: Literal["ack", "error", "notice"],
    text: str,
    topics: tuple[str, ...] = (),
) -> Control:
    """The venue about the connection itself; `topics`: the subscriptions it says it granted."""
    return Control(venue=venue, symbol="", ts=heard, usable_from=heard, heard=heard, what=what,
                   text=text[:300], topics=topics)  # fmt: skip
