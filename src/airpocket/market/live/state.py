"""The live markets of one asset: events in, books and tapes kept, and each minute's facts out."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from airpocket.domain.channels import ChannelName
from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.events import Bar, Batch, OpenInterest, Ticker
from airpocket.domain.instruments import instrument
from airpocket.domain.units import HOUR_NS, MINUTE_NS, SECOND_NS
from airpocket.domain.wire import (
    BookChange,
    FundingEstimate,
    Liquidation,
    LiveEvent,
    OffBook,
    OptionTick,
    Quote,
    Trade,
)
from airpocket.market.live import rows
from airpocket.market.live.band import Band
from airpocket.market.live.closing import closing
from airpocket.market.live.market import LiveMarket

_MOST_MINUTES = 5
_GRACE_NS = 3 * SECOND_NS  # for trades that are heard after their minute
_AHEAD_NS = HOUR_NS  # no clock is that far off: the stamp is wrong
_CHAIN_NS = HOUR_NS // 4  # a chain is kept this often
_MOST_OPTIONS = 20_000  # no asset has more listed


class LiveState:
    """Owner of the live markets of one asset. Everything follows from the events and when they were heard.

    `facts` fills with the batches of closed minutes; whoever drives takes them out.
    """

    def __init__(self, asset: str, asked: frozenset[tuple[str, str]] | None = None) -> None:
        """Args: asked: (venue, symbol) that were subscribed; no other makes a market. None: any of the asset."""
        self.asset, self._asked = asset, asked
        self.markets: dict[tuple[str, str], LiveMarket] = {}
        self.chain: dict[tuple[str, str], OptionTick] = {}
        self.facts: deque[Batch] = deque()
        self.strangers = 0  # events of symbols that are not this asset's
        self.misdated = 0  # events dated far ahead of when they were heard
        self._minute = 0
        self._foreign: set[tuple[str, str]] = set()
        self._band = Band()
        self._chain_kept = 0
        self._takers: dict[str, Callable[[LiveMarket, Any, str], None]] = {
            "trade": self._trade,
            "off_book": self._off_book,
            "quote": self._quote,
            "book_change": self._book,
            "ticker": self._ticker,
            "open_interest": self._interest,
            "funding_estimate": self._funding,
            "liquidation": self._forced,
            "bar": self._bar,
        }

    def apply(self, event: LiveEvent, connection: str = "") -> None:
        """Take one event; `connection` it came by. Events of other assets are counted and let go."""
        if event.ts - event.usable_from > _AHEAD_NS:
            self.misdated += 1
            return
        if event.usable_from - self._minute >= MINUTE_NS + _GRACE_NS:
            self._roll(event.usable_from)
        if isinstance(event, OptionTick):
            key = (event.venue, event.symbol)
            if event.base == self.asset and (key in self.chain or len(self.chain) < _MOST_OPTIONS):
                self.chain[key] = event
            return
        taker = self._takers.get(str(event.__struct_config__.tag))
        if taker is None:
            return
        market = self.markets.get((event.venue, event.symbol)) or self._market(event)
        if market is not None:
            taker(market, event, connection)

    def ended(self, venue: str, connection: str) -> None:
        """A connection is over: books it fed and minutes it told can't be trusted."""
        for (whose, _), market in self.markets.items():
            if whose != venue:
                continue
            if market.book.connection == connection:
                market.book.distrust("the connection was lost")
                market.book.connection = ""
                market.book_lost()
            if connection in market.tape.heard_by:
                market.tape.lost(connection)

    def refused(
        self, venue: str, connection: str, channel: ChannelName | None, frame: bytes
    ) -> None:
        """A frame was not understood: what it would have told is missing from what it belonged to."""
        fed = [
            market for (whose, _), market in self.markets.items()
            if whose == venue and connection in (market.book.connection, *market.tape.heard_by)
        ]  # fmt: skip
        text = frame.lower()
        named = [market for market in fed if market.contract.symbol.lower().encode() in text]
        for market in named or fed:
            if channel in (None, "trades"):
                market.tape.hole()
            if channel in (None, "book") and market.book.connection == connection:
                market.book.distrust("a message of it was not understood")
                market.book_lost()

    def faults(self, now: int) -> dict[tuple[str, str, str], str]:
        """(venue, symbol, channel) → why what comes there can't be trusted."""
        found: dict[tuple[str, str, str], str] = {}
        for (venue, symbol), market in self.markets.items():
            if market.book.state not in ("live", "empty", "delisted"):
                found[venue, symbol, "book"] = market.book.reason
            if market.outliers.recent(now):
                found[venue, symbol, "trades"] = (
                    f"{market.outliers.count} prints far from mark and index, the last within a minute"
                )
        return found

    def delisted(self) -> list[tuple[str, str]]:
        """Contracts whose book the venue took away."""
        return [key for key, market in self.markets.items() if market.book.state == "delisted"]

    def auditable(self) -> list[tuple[str, str]]:
        """Live books that a snapshot can be held against."""
        return [key for key, market in self.markets.items() if market.book.auditable]

    def wanting(self) -> list[tuple[str, str]]:
        """Books that only a new snapshot can mend."""
        return [
            key for key, market in self.markets.items()
            if market.book.connection and market.book.wants_snapshot
        ]  # fmt: skip

    def _market(self, event: LiveEvent) -> LiveMarket | None:
        """The market of an event that has none yet, if the event may make it one.

        A forced close may of any contract of the asset: such channels tell of all contracts at once.
        """
        key = (event.venue, event.symbol)
        asked = self._asked is None or key in self._asked or isinstance(event, Liquidation)
        if key in self._foreign or not asked:
            self.strangers += 1
            return None
        try:
            contract = instrument(*key)
        except UnknownInstrument:
            contract = None
        if contract is None or contract.base != self.asset or contract.kind == "option":
            if len(self._foreign) < 10_000:
                self._foreign.add(key)
            self.strangers += 1
            return None
        market = self.markets[key] = LiveMarket(contract, self._minute)
        return market

    def _trade(self, market: LiveMarket, trade: Trade, connection: str) -> None:
        tape = market.tape
        tape.heard(connection, trade.usable_from)
        if not tape.witness.is_new(trade, len(tape.heard_by)):
            return
        middle = self._band.middle(self._told_prices(), trade.usable_from)
        if market.outliers.suspect(trade.price, trade.notional_usd, middle, trade.usable_from):
            tape.hole()  # if it was real after all, the minute lacks it
            return
        market.flow.trade(trade)
        market.refill.trade(trade)
        minute = rows.minute_of(trade.ts)
        if minute <= self._minute + MINUTE_NS:
            tape.turn(minute, MINUTE_NS)
        tape.trade(trade, minute)
        if "last" not in market.tick or market.tick["last"][0] <= trade.ts:
            market.tick["last"] = (trade.ts, trade.usable_from, trade.price)

    def _off_book(self, market: LiveMarket, told: OffBook, connection: str) -> None:
        del connection
        market.tape.witness.number(told.venue, told.trade_id)

    def _told_prices(self) -> Iterator[tuple[int, float]]:
        """(heard, price) of every mark and index of the asset."""
        for market in self.markets.values():
            for name in ("mark", "index"):
                if name in market.tick:
                    _, heard, price = market.tick[name]
                    yield heard, price

    def _quote(self, market: LiveMarket, quote: Quote, connection: str) -> None:
        del connection
        market.quote = quote
        market.tape.quote(quote)

    def _book(self, market: LiveMarket, change: BookChange, connection: str) -> None:
        """One connection at a time speaks for a book; a snapshot by another takes over."""
        book = market.book
        rest = connection.startswith("rest ")
        if not rest and connection != book.connection:
            if book.connection and not change.snapshot:
                return
            book.connection = connection
        if rest and change.snapshot and book.auditable:
            market.audit.told(change)
        else:
            book.apply(change)
            if book.auditable and not change.snapshot:
                market.audit.note(change)
        levels = book.levels
        found = market.audit.judge(levels) if levels is not None else None
        if found is not None and found.drifted:
            book.distrust(
                f"{found.share:.2%} of it differs from the venue's snapshot, most at {found.price:g}",
                for_good=True,
            )
            levels = None
        if levels is None:
            market.book_lost()
            return
        market.flow.changed(levels, change.usable_from)
        market.refill.changed(levels, change.usable_from)
        best = levels.touch()
        if market.quote is None and best is not None:
            market.tape.running.quote(best.bid, best.ask)

    def _ticker(self, market: LiveMarket, ticker: Ticker, connection: str) -> None:
        del connection
        for name in ("last", "mark", "index"):
            value = getattr(ticker, name)
            if value is not None:
                market.tick[name] = (ticker.ts, ticker.usable_from, value)

    def _interest(self, market: LiveMarket, interest: OpenInterest, connection: str) -> None:
        del connection
        market.interest = interest

    def _funding(self, market: LiveMarket, funding: FundingEstimate, connection: str) -> None:
        del connection
        market.funding = funding

    def _forced(self, market: LiveMarket, forced: Liquidation, connection: str) -> None:
        del connection
        market.forced.append(forced)

    def _bar(self, market: LiveMarket, bar: Bar, connection: str) -> None:
        del connection
        if bar.interval_ns == MINUTE_NS:
            market.bars.append(bar)

    def _roll(self, heard: int) -> None:
        """Close all minutes that ended before `heard`, less a grace for late trades."""
        closed = rows.minute_of(heard - _GRACE_NS)
        # after a long silence of everything the minutes in between were heard by nobody
        begin = max(self._minute, closed - _MOST_MINUTES * MINUTE_NS)
        for minute in range(begin + MINUTE_NS, closed + 1, MINUTE_NS) if self._minute else ():
            for key in sorted(self.markets):
                market = self.markets[key]
                market.tape.turn(minute, MINUTE_NS)
                self.facts.extend(closing(market, minute, heard))
        if heard - self._chain_kept >= _CHAIN_NS and self.chain:
            self._chain_kept = heard
            self._keep_chain(heard)
        self._minute = closed

    def _keep_chain(self, heard: int) -> None:
        by_market: dict[str, list[OptionTick]] = {}
        for tick in self.chain.values():
            if tick.expiry > heard and heard - tick.usable_from < _CHAIN_NS:
                by_market.setdefault(tick.venue, []).append(tick)
        for venue in sorted(by_market):
            ready = rows.chain_rows(by_market[venue], heard, heard)
            if ready:
                self.facts.append(rows.batch("option_quote", venue, f"{self.asset}-OPTIONS", ready))
