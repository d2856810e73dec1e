"""The live markets of one asset: events in, books and tapes kept, and each minute's facts out."""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from typing import Any

from airpocket.domain.channels import ChannelName
from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.events import Bar, Batch, OpenInterest, Ticker
from airpocket.domain.instruments import Instrument, instrument
from airpocket.domain.units import HOUR_NS, MINUTE_NS, SECOND_NS
from airpocket.domain.wire import (
    BookChange,
    FundingEstimate,
    Liquidation,
    LiveEvent,
    MarginTiers,
    OffBook,
    OptionTick,
    Quote,
    Trade,
)
from airpocket.market.live import accord, rows
from airpocket.market.live.band import Band
from airpocket.market.live.chain import Chain
from airpocket.market.live.closing import closing, owed
from airpocket.market.live.lead import Leads
from airpocket.market.live.market import LiveMarket, as_listed
from airpocket.market.live.reference import Change, Version
from airpocket.market.live.stamped import Stamped

_MOST_MINUTES = 5
_SILENCE_NS = 2 * MINUTE_NS  # of all venues at once
_GRACE_NS = 3 * SECOND_NS  # for trades that are heard after their minute
_AHEAD_NS = HOUR_NS  # no clock is that far off: the stamp is wrong
_CHAIN_NS = HOUR_NS // 4  # a chain is kept this often


class LiveState:
    """Owner of the live markets of one asset. Everything follows from the events and when they were heard.

    `facts` fills with the batches of closed minutes; whoever drives takes them out.
    """

    def __init__(self, asset: str, asked: Collection[tuple[str, str]] | None = None) -> None:
        """
        Args:
            asked: (venue, symbol) that were subscribed; no other makes a market but one that is listed from
                now on. None: any of the asset.
        """
        self.asset, self._subscribed = asset, None if asked is None else frozenset(asked)
        self.facts: deque[Batch] = deque()
        self.restarted()
        self._takers: dict[str, Callable[[LiveMarket, Any, str], None]] = {
            "trade": self._trade,
            "quote": self._quote,
            "book_change": self._book,
            "ticker": self._ticker,
            "open_interest": self._interest,
            "funding_estimate": self._funding,
            "liquidation": self._forced,
            "bar": self._bar,
            "off_book": self._off_book,
            "margin_tiers": self._tiers,
        }

    def restarted(self) -> None:
        """A recording begins: it knows only what it hears itself. Only `facts` not yet taken out stay.

        So a replay of several recordings tells what each of them told when it was live.
        """
        self._asked = None if self._subscribed is None else set(self._subscribed)
        self.markets: dict[tuple[str, str], LiveMarket] = {}
        self.chain = Chain()
        self.leads = Leads()
        self.strangers = 0  # events of symbols that are not this asset's
        self.misdated = 0  # events dated far ahead of when they were heard
        self.rates: dict[str, float] = {}  # USD per quote coin, where the spot markets tell
        self._listed: dict[tuple[str, str], Version] = {}
        self._minute = self._heard = 0
        self._foreign: set[tuple[str, str]] = set()
        self._band = Band()
        self._stamped, self._sure = Stamped(), True
        self._chain_kept = 0

    def apply(self, event: LiveEvent, connection: str = "") -> None:
        """Take one event; `connection` it came by. Events of other assets are counted and let go."""
        if event.ts - event.usable_from > _AHEAD_NS:
            self.misdated += 1
            return
        heard, before = event.usable_from, self._heard
        self._heard = heard
        market = self.markets.get((event.venue, event.symbol))
        self._note_stamp(event, market, connection, heard - before)
        if heard - self._minute >= MINUTE_NS + _GRACE_NS:
            if heard - before > _SILENCE_NS:
                self._heard_nothing(heard)
            self._roll(heard)
        if isinstance(event, OptionTick):
            if event.base == self.asset:
                self.chain.apply(event)
            return
        taker = self._takers.get(str(event.__struct_config__.tag))
        if taker is None:
            return
        market = market or self._market(event)
        if market is not None:
            taker(market, event, connection)
            if market.owed:
                self.facts.extend(owed(market, heard))

    def _note_stamp(
        self, event: LiveEvent, market: LiveMarket | None, connection: str, passed_ns: int
    ) -> None:
        """How far the venues' clocks have come; `passed_ns`: since the event before, by ours."""
        # a trade tells so only when it is known whether others are missing before it
        if market is not None and market.stamped.hear(event) and not isinstance(event, Trade):
            market.tape.spoke(connection, event.ts)
        if self._stamped.hear(event):
            self._sure = True
        elif passed_ns > _GRACE_NS:
            self._sure = False  # a silence, or our clock was set: the next stamp tells

    def ended(self, venue: str, connection: str) -> None:
        """A connection is over: books it fed and minutes it told can't be trusted."""
        for (whose, _), market in self.markets.items():
            if whose == venue:
                market.ended(connection)

    def refused(
        self, venue: str, connection: str, channel: ChannelName | None, frame: bytes, at: int
    ) -> None:
        """A frame heard at `at` (ns) was not understood: what it told is missing from what it belonged to."""
        fed = [
            market for (whose, _), market in self.markets.items()
            if whose == venue and connection in (market.book.connection, *market.tape.heard_by)
        ]  # fmt: skip
        text = frame.lower()
        named = [market for market in fed if market.contract.symbol.lower().encode() in text]
        for market in named or fed:
            market.refused(connection, channel, at)

    def unheard(self, venue: str, symbol: str, channel: ChannelName, at: int) -> None:
        """Something of a contract has stopped coming: a minute without trades is not known to have had none."""
        market = self.markets.get((venue, symbol))
        if market is not None and channel == "trades":
            market.hole(at)
        elif market is not None and channel == "book":
            market.book.unheard()

    def faults(self, now: int) -> dict[tuple[str, str, str], str]:
        """(venue, symbol, channel) → why what comes there can't be trusted."""
        return {
            (*key, channel): reason
            for key, market in self.markets.items()
            for channel, reason in market.faults(now).items()
        }

    def delisted(self) -> list[tuple[str, str]]:
        """Contracts whose book the venue took away."""
        return [key for key, market in self.markets.items() if market.book.state == "delisted"]

    def auditable(self) -> list[tuple[str, str]]:
        """Live books that a snapshot can be held against."""
        return [key for key, market in self.markets.items() if market.book.auditable]

    def changed(self, change: Change) -> None:
        """A listing changed: what is heard from here on is of the new version, and books begin anew."""
        listing = change.version.listing
        if listing.base != self.asset or listing.kind == "option":
            return
        key = (change.venue, change.symbol)
        self._listed[key] = change.version
        if change.what == "listed" and self._asked is not None:
            self._asked.add(key)  # newcomers are heard from then on
        market = self.markets.get(key)
        if market is None:
            return
        if change.what == "relisted":  # another contract under an old name begins with nothing
            market = self._begin(market.contract, market.book.connection)
            market.book.restart(change.text)
        elif change.what == "size":
            market.worth_changed(as_listed(market.contract, change.version), change.text)
        elif change.what == "rules":
            market.book.restart(change.text)
            market.book_lost()
        if change.version not in market.listings:
            market.listings.append(change.version)

    def suspicions(self, now: int) -> dict[tuple[str, str, str], str]:
        """(venue, symbol, channel) → what the markets themselves show against it at `now` (ns)."""
        seen = [market.seen() for market in self.markets.values()]
        self.rates = accord.parities(seen, now)
        found = {
            (*key, "price"): reason
            for key, reason in accord.divergences(seen, self.rates, now).items()
        }
        for key, market in self.markets.items():
            for channel, reason in market.watch.reasons(now).items():
                found[(*key, channel)] = reason
        return found

    def notes(self) -> list[str]:
        """What concerns every market of the asset: quote coins that are no dollar."""
        return [
            f"1 {coin} is worth {rate:.4f} USD by spot {self.asset}: dollar sums are converted"
            for coin, rate in sorted(accord.depegs(self.rates).items())
        ]

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
        return self._begin(contract, "")

    def _begin(self, contract: Instrument, connection: str) -> LiveMarket:
        """A market without a past, under the listing in force."""
        key = (contract.venue, contract.symbol)
        version = self._listed.get(key)
        if version is not None:
            contract = as_listed(contract, version)
        market = self.markets[key] = LiveMarket(contract, self._minute)
        market.book.connection = connection
        if version is not None:
            market.listings.append(version)
        self.leads.watch(contract, market.tape)
        return market

    def _trade(self, market: LiveMarket, trade: Trade, connection: str) -> None:
        tape = market.tape
        tape.heard(connection, max(trade.usable_from, trade.ts))
        new = tape.witness.is_new(trade, len(tape.heard_by))
        tape.spoke(connection, trade.ts)
        if tape.witness.waits:
            market.owed.clear()  # of which minute the missing ones are, nobody knows
        if not new:
            return
        middle = self._band.middle(self._told_prices(), trade.usable_from)
        if market.outliers.suspect(trade.price, trade.notional_usd, middle, trade.usable_from):
            tape.hole(trade.ts)  # if it was real after all, the minute lacks it
            return
        market.flow.trade(trade)
        market.refill.trade(trade)
        self.leads.trade(trade)
        minute = rows.minute_of(trade.ts)
        if minute <= self._minute + MINUTE_NS:
            tape.turn(minute, MINUTE_NS)
        tape.trade(trade, minute)
        if "last" not in market.tick or market.tick["last"][0] <= trade.ts:
            market.tick["last"] = (trade.ts, trade.usable_from, trade.price)
        market.watch.price(trade.usable_from, trade.price)

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
        market.take_book(change, connection)

    def _ticker(self, market: LiveMarket, ticker: Ticker, connection: str) -> None:
        del connection
        for name in ("last", "mark", "index"):
            value = getattr(ticker, name)
            if value is not None:
                market.tick[name] = (ticker.ts, ticker.usable_from, value)
        if ticker.mark is not None:
            market.watch.price(ticker.usable_from, ticker.mark)

    def _interest(self, market: LiveMarket, interest: OpenInterest, connection: str) -> None:
        del connection
        believed = market.watch.interest(interest)
        if believed is not None:
            market.interest = believed

    def _funding(self, market: LiveMarket, funding: FundingEstimate, connection: str) -> None:
        del connection
        market.funding = funding

    def _forced(self, market: LiveMarket, forced: Liquidation, connection: str) -> None:
        market.watch.forced(forced.usable_from)
        if market.ledger.is_new(forced, connection):
            market.forced.append(forced)

    def _off_book(self, market: LiveMarket, print_: OffBook, connection: str) -> None:
        """Forced flow of its own class, and never part of the tape or the price."""
        del connection
        if market.tape.witness.is_new(print_, len(market.tape.heard_by)):
            market.off_book.append(print_)

    def _tiers(self, market: LiveMarket, tiers: MarginTiers, connection: str) -> None:
        del connection
        market.tiers = tiers

    def _bar(self, market: LiveMarket, bar: Bar, connection: str) -> None:
        del connection
        if bar.interval_ns == MINUTE_NS:
            market.bars.append(bar)

    def _heard_nothing(self, until: int) -> None:
        """Nothing came from anywhere: we were not there, or our clock was set. No minute until now is whole."""
        until = max(until, self._stamped.at(until))  # minutes are counted by the venues' clocks
        for market in self.markets.values():
            market.tape.running.whole, market.tape.since = False, until

    def _roll(self, heard: int) -> None:
        """Close all minutes that ended before `heard`, less a grace for late trades."""
        closed = rows.minute_of(heard - _GRACE_NS)
        told = self._stamped.at(heard) if self._sure else 0
        # after a long silence of everything the minutes in between were heard by nobody
        begin = max(self._minute, closed - _MOST_MINUTES * MINUTE_NS)
        for minute in range(begin + MINUTE_NS, closed + 1, MINUTE_NS) if self._minute else ():
            for key in sorted(self.markets):
                market = self.markets[key]
                market.tape.turn(minute, MINUTE_NS)
                rate = accord.depegs(self.rates).get(market.contract.quote, 1.0)
                self.facts.extend(closing(market, minute, heard, rate, told))
            self.facts.extend(self.leads.close(minute, heard))
        if heard - self._chain_kept >= _CHAIN_NS and len(self.chain):
            self._chain_kept = heard
            self._keep_chain(heard)
        self._minute = closed

    def _keep_chain(self, heard: int) -> None:
        for venue, ticks in self.chain.snapshot(heard).items():
            ready = rows.chain_rows(ticks, heard, heard)
            if ready:
                self.facts.append(rows.batch("option_quote", venue, f"{self.asset}-OPTIONS", ready))
