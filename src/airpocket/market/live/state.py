"""The live markets of one asset: events in, books and tapes kept, and each minute's facts out."""

from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Any

from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.events import Bar, Batch, OpenInterest, Ticker
from airpocket.domain.instruments import Instrument, instrument
from airpocket.domain.units import HOUR_NS, MINUTE_NS, SECOND_NS
from airpocket.domain.wire import (
    BookChange,
    FundingEstimate,
    Liquidation,
    LiveEvent,
    OptionTick,
    Quote,
    Trade,
)
from airpocket.market.books.book import Book
from airpocket.market.books.flow import Flow
from airpocket.market.books.measures import bands
from airpocket.market.books.refill import Refill
from airpocket.market.live import rows
from airpocket.market.live.minute import Minute, Tape

BANDS = (0.1, 0.25, 0.5, 1.0, 2.0)  # per cent of the mid
_MOST_MINUTES = 5
_GRACE_NS = 3 * SECOND_NS  # for trades that are heard after their minute
_DEPTH = {
    "kraken_spot": 100
}  # as subscribed: its books are to be cut to that, and say no deletes beyond
_AHEAD_NS = HOUR_NS  # no clock is that far off: the stamp is wrong
_CHAIN_NS = HOUR_NS // 4  # a chain is kept this often
# These venues' own closed bars are used; of the others, bars are made of the tape.
_TELL_BARS = ("binance", "bybit", "okx")


class LiveMarket:
    """One contract, live. Only `LiveState` changes it."""

    def __init__(self, contract: Instrument, start: int) -> None:
        self.contract = contract
        self.book = Book(contract.venue, contract.symbol, depth=_DEPTH.get(contract.venue))
        self.flow, self.refill = Flow(), Refill()
        self.tape = Tape(Minute(start, whole=False))
        self.quote: Quote | None = None
        self.tick: dict[str, tuple[int, int, float]] = {}  # last, mark, index: ts, heard, value
        self.interest: OpenInterest | None = None
        self.funding: FundingEstimate | None = None
        self.bars: list[Bar] = []
        self.forced: list[Liquidation] = []
        self.forced_count = 0
        self.newest: dict[str, int] = {}  # ts of the last row given out, by kind

    def book_lost(self) -> None:
        """What was being watched on the book can't be told any more."""
        self.flow.lost()
        self.refill.lost()

    @property
    def makes_bars(self) -> bool:
        """Whether the minute bars come from the tape, the venue telling none."""
        return not self.contract.venue.startswith(_TELL_BARS)


class LiveState:
    """Owner of the live markets of one asset. Everything follows from the events and when they were heard.

    `facts` fills with the batches of closed minutes; whoever drives takes them out.
    """

    def __init__(self, asset: str) -> None:
        self.asset = asset
        self.markets: dict[tuple[str, str], LiveMarket] = {}
        self.chain: dict[tuple[str, str], OptionTick] = {}
        self.facts: deque[Batch] = deque()
        self.strangers = 0  # events of symbols that are not this asset's
        self.misdated = 0  # events dated far ahead of when they were heard
        self._minute = 0
        self._foreign: set[tuple[str, str]] = set()
        self._chain_kept = 0
        self._takers: dict[str, Callable[[LiveMarket, Any, str], None]] = {
            "trade": self._trade,
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
            if event.base == self.asset:
                self.chain[event.venue, event.symbol] = event
            return
        taker = self._takers.get(str(event.__struct_config__.tag))
        if taker is None:
            return
        market = self._market(event.venue, event.symbol)
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

    def wanting(self) -> list[tuple[str, str]]:
        """Books that only a new snapshot can mend."""
        return [
            key for key, market in self.markets.items()
            if market.book.connection and market.book.wants_snapshot
        ]  # fmt: skip

    def _market(self, venue: str, symbol: str) -> LiveMarket | None:
        key = (venue, symbol)
        market = self.markets.get(key)
        if market is not None:
            return market
        if key in self._foreign:
            self.strangers += 1
            return None
        try:
            contract = instrument(venue, symbol)
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
        if not tape.is_new(trade.trade_id):
            return
        market.flow.trade(trade)
        market.refill.trade(trade)
        minute = rows.minute_of(trade.ts)
        if minute <= self._minute + MINUTE_NS:
            tape.turn(minute, MINUTE_NS)
        tape.trade(trade, minute)
        if "last" not in market.tick or market.tick["last"][0] <= trade.ts:
            market.tick["last"] = (trade.ts, trade.usable_from, trade.price)

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
        book.apply(change)
        levels = book.levels
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


def closing(market: LiveMarket, closed: int, heard: int) -> list[Batch]:
    """The batches of a market's minute that ended at `closed`: what is known, and no row for what is not."""
    contract, found = market.contract, list[Batch]()

    def give(kind: str, made: list[dict[str, Any]]) -> None:
        fresh = [row for row in made if row["ts"] > market.newest.get(kind, 0)]
        if fresh:
            market.newest[kind] = max(row["ts"] for row in fresh)
            found.append(rows.batch(kind, contract.venue, contract.symbol, fresh))

    minute = market.tape.last
    if minute is not None and minute.whole and minute.start == closed - MINUTE_NS:
        if market.makes_bars and minute.prints:
            give("bar_1m", [rows.bar_row(minute, heard)])
        give("tape_1m", [rows.tape_row(minute, heard, _touch(market, closed))])
    market.tape.last = None
    latest = {bar.ts: bar for bar in market.bars}  # a bar may be told twice, the later time it is whole
    give("bar_1m", [_told(latest[ts]) for ts in sorted(latest)])
    market.bars.clear()
    if market.forced:
        forced = rows.liquidation_rows(market.forced, market.forced_count)
        found.append(
            rows.batch("liquidation", contract.venue, contract.symbol, forced)
        )  # fmt: skip
        market.forced_count += len(market.forced)
        market.forced.clear()
    give("depth", _depth_rows(market, closed, heard))
    give("ticker", _ticker_rows(market))
    if market.interest is not None:
        held = market.interest
        give("open_interest", [{
            "ts": held.ts, "usable_from": held.usable_from, "amount": held.amount, "unit": held.unit,
            "averaged_s": held.averaged_s,
        }])  # fmt: skip
    give("funding_estimate", _funding_rows(market))
    return found


def _told(bar: Bar) -> dict[str, Any]:
    return {
        "ts": bar.ts, "usable_from": bar.usable_from, "open": bar.open, "high": bar.high, "low": bar.low,
        "close": bar.close, "volume": bar.volume, "volume_usd": bar.volume_usd, "taker_buy": bar.taker_buy,
    }  # fmt: skip


def _touch(market: LiveMarket, closed: int) -> dict[str, float | int | None]:
    """What the touch did in the minute; unknown without a live book."""
    if market.book.levels is None:
        return {"reloads": None, "retreats": None, "refill_s": None}
    returns = market.flow.figures(closed).returns.values()
    halves = [side.half_s for side in market.refill.figures().values() if side.half_s is not None]
    return {
        "reloads": sum(side.reloads for side in returns),
        "retreats": sum(side.retreats for side in returns),
        "refill_s": median(halves) if halves else None,
    }


def _depth_rows(market: LiveMarket, closed: int, heard: int) -> list[dict[str, Any]]:
    """Bands that the book reaches beyond; a band cut off by the book's own end is left out, not too small."""
    book = market.book
    if book.levels is None or not book.in_coin or heard - book.heard > MINUTE_NS:
        return []
    return [
        {"ts": closed, "usable_from": heard, "percent": percent, "depth_coin": band.coin, "notional_usd": band.usd}
        for percent, band in sorted(bands(book.levels, BANDS).items())
        if band.whole
    ]  # fmt: skip


def _ticker_rows(market: LiveMarket) -> list[dict[str, Any]]:
    if not market.tick:
        return []
    ts = max(stamp for stamp, _, _ in market.tick.values())
    usable = max(heard for _, heard, _ in market.tick.values())
    fresh = {
        name: value for name, (stamp, _, value) in market.tick.items() if ts - stamp <= MINUTE_NS
    }
    return [{"ts": ts, "usable_from": usable, **fresh}]


def _funding_rows(market: LiveMarket) -> list[dict[str, Any]]:
    """The interval is the venue's own word, else the usual one of the contract; without either, nothing."""
    funding, usual = market.funding, market.contract.funding_interval_ns
    if funding is None:
        return []
    interval_s = funding.interval_s or (usual // SECOND_NS if usual else None)
    if interval_s is None:
        return []
    return [
        {"ts": funding.ts, "usable_from": funding.usable_from, "rate": funding.rate, "interval_s": interval_s}
    ]  # fmt: skip
