"""One market's minute, gathered trade by trade and quote by quote."""

from dataclasses import dataclass, field

from airpocket.domain.units import SECOND_NS
from airpocket.domain.wire import Quote, Trade
from airpocket.market.live.witness import Witness

_GATHERED_NS = (
    SECOND_NS  # venues gather trades for up to a quarter of a second; books may be sooner
)
_SEAM_NS = 5 * SECOND_NS  # sooner than a line that fell silent is given up


@dataclass(slots=True)
class Minute:
    """Sums of one minute; `whole` is False when the tape was not heard all through it."""

    start: int  # ns
    whole: bool = True
    prints: int = 0
    buy: float = 0.0  # coin
    sell: float = 0.0
    buy_usd: float = 0.0
    sell_usd: float = 0.0
    sized: bool = True  # every trade's size was known
    in_dollars: bool = True  # every trade's dollars were
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    spread_sum: float = 0.0
    quotes: int = 0

    def trade(self, trade: Trade) -> None:
        """Add one trade."""
        price = trade.price
        if self.prints == 0:
            self.open = self.high = self.low = price
        self.high, self.low, self.close = max(self.high, price), min(self.low, price), price
        self.prints += 1
        bought = trade.taker_side == "buy"
        if trade.size is None:
            self.sized = False
        elif bought:
            self.buy += trade.size
        else:
            self.sell += trade.size
        if trade.notional_usd is None:
            self.in_dollars = False
        elif bought:
            self.buy_usd += trade.notional_usd
        else:
            self.sell_usd += trade.notional_usd

    def quote(self, bid: float, ask: float) -> None:
        """Add one look at the touch."""
        self.spread_sum += 2e4 * (ask - bid) / (ask + bid)
        self.quotes += 1

    @property
    def spread_bps(self) -> float | None:
        """Mean over the looks, in bp of the mid; None without one."""
        return self.spread_sum / self.quotes if self.quotes else None


@dataclass(slots=True)
class Line:
    """A connection that brings the trades: since when, and how far it has told by the venue's stamps (ns)."""

    since: int
    told: int = 0

    def follows(self, before: "Line") -> None:
        """Take over what another brought, where that still spoke when this one began."""
        if self.since <= before.told + _SEAM_NS:
            self.since = min(self.since, before.since)


@dataclass(slots=True)
class Tape:
    """The running and the last minute of one market, and the witness that tells which trades are new.

    `heard_by`: the connections that bring its trades, one of them since `since` (ns); a minute that began
    before, or in which none was left, has a hole. The minute that runs may be over already: it is closed a few
    seconds late, or by the first trade of the next.
    """

    running: Minute
    last: Minute | None = None
    heard_by: dict[str, Line] = field(default_factory=dict[str, Line])
    since: int = 0
    holed: int = 0  # the latest moment (ns) of which a trade may be missing
    late: int = 0
    witness: Witness = field(default_factory=Witness)

    @property
    def repeated(self) -> int:
        """Trades that were told again."""
        return self.witness.repeated

    def heard(self, connection: str, at: int) -> None:
        """A connection brings its trades."""
        if not self.heard_by:
            self.since = at
            self.running.whole = False
        if connection not in self.heard_by:
            line = Line(at)
            for other in self.heard_by.values():
                line.follows(other)
            self.heard_by[connection] = line

    def spoke(self, connection: str, stamp: int) -> None:
        """Something of this market came by a connection, stamped by the venue (ns): what was before has come."""
        line = self.heard_by.get(connection)
        if line is not None and stamp > line.told:
            line.told = stamp

    def lost(self, connection: str) -> None:
        """A connection is over; another that began while it still spoke goes on without a seam."""
        gone = self.heard_by.pop(connection)
        if not self.heard_by:
            self.running.whole = False
            return
        for line in self.heard_by.values():
            line.follows(gone)
        self.since = max(self.since, min(line.since for line in self.heard_by.values()))
        if self.since > self.running.start:
            self.running.whole = False

    def told_until(self, start: int, end: int) -> bool:
        """Whether one connection brought all from `start` to `end` (ns): it has told of later.

        A line that is silent at the end of a minute may be dead, or may bring the last trades late.
        """
        return any(
            line.since <= start and line.told >= end + _GATHERED_NS
            for line in self.heard_by.values()
        )

    def hole(self, at: int) -> None:
        """A trade of the minute that runs, or of a later one until `at` (ns), may be missing."""
        self.running.whole = False
        self.holed = max(self.holed, at)

    def turn(self, minute: int, length_ns: int) -> None:
        """Begin the minute that starts at `minute`, unless it is running or past."""
        if minute <= self.running.start:
            return
        if self.witness.settle():
            self.running.whole = False
        self.last = self.running if minute - self.running.start == length_ns else None
        heard = bool(self.heard_by) and self.since <= minute
        self.running = Minute(minute, whole=heard and self.holed < minute)

    def trade(self, trade: Trade, minute: int) -> None:
        """Add a trade to the minute of its own time; one whose minute is not open only counts as late.

        Then the running minute is no whole one either: its own trades may be as late, or our clock is off,
        and it would read as a minute without trades.
        """
        if minute == self.running.start:
            self.running.trade(trade)
        elif self.last is not None and minute == self.last.start:
            self.last.trade(trade)
        else:
            self.late += 1
            self.running.whole = False

    def quote(self, quote: Quote) -> None:
        """Add a two-sided, uncrossed quote to the running minute."""
        if quote.bid is not None and quote.ask is not None and quote.bid < quote.ask:
            self.running.quote(quote.bid, quote.ask)
