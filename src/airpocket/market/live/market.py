"""One contract, live: its book, tape, latest figures, and what they contradict."""

from collections import deque
from dataclasses import dataclass, replace
from typing import TypeAlias

from airpocket.domain.channels import ChannelName
from airpocket.domain.events import Bar, OpenInterest
from airpocket.domain.instruments import Instrument
from airpocket.domain.units import SECOND_NS
from airpocket.domain.wire import (
    BookChange,
    FundingEstimate,
    Liquidation,
    MarginTiers,
    OffBook,
    Quote,
)
from airpocket.market.books.audit import Audit
from airpocket.market.books.book import Book
from airpocket.market.books.flow import Flow
from airpocket.market.books.refill import Refill
from airpocket.market.live.accord import Seen
from airpocket.market.live.band import Outliers
from airpocket.market.live.forced import ForcedLedger
from airpocket.market.live.minute import Minute, Tape
from airpocket.market.live.reference import Version
from airpocket.market.live.stamped import Stamped
from airpocket.market.live.watch import Watch

Touch: TypeAlias = dict[str, float | int | None]  # of a minute, as in its row
# As subscribed: its books are to be cut to that, and say no deletes beyond.
DEPTH = {"kraken_spot": 100}
_PENDING_NS = (
    60 * SECOND_NS
)  # a book that is not known to miss anything may wait so long for the proof
_MOST_OWED = 5  # minutes that a silence may leave open
_FELL_SILENT_NS = 10 * SECOND_NS  # a book that did not change for so long may have missed something
HEIR_CHANGES = 512  # of a connection that runs beside the one a book is made of: it may take over
# These venues' own closed bars are used; of the others, bars are made of the tape.
_TELL_BARS = ("binance", "bybit", "okx")


@dataclass(frozen=True, slots=True)
class Owed:
    """A minute that is over by the clocks and waits for its connection to say so.

    touch: what the touch did in it. rate: USD per quote coin.
    """

    minute: Minute
    touch: Touch
    rate: float


class LiveMarket:
    """One contract, live. Only `LiveState` changes it."""

    def __init__(self, contract: Instrument, start: int) -> None:
        self.contract = contract
        self.book = Book(contract.venue, contract.symbol, depth=DEPTH.get(contract.venue))
        self.audit = Audit()
        self.flow, self.refill = Flow(), Refill()
        self.outliers = Outliers()
        self.tape = Tape(Minute(start, whole=False))
        self.owed: deque[Owed] = deque(maxlen=_MOST_OWED)
        self.quote: Quote | None = None
        self.tick: dict[str, tuple[int, int, float]] = {}  # last, mark, index: ts, heard, value
        self.interest: OpenInterest | None = None
        self.funding: FundingEstimate | None = None
        self.bars: list[Bar] = []
        self.forced: list[Liquidation] = []
        self.forced_count = self.off_book_count = 0
        self.ledger, self.watch = ForcedLedger(), Watch()
        self.off_book: list[OffBook] = []
        self.tiers: MarginTiers | None = None
        self.bounds: tuple[float | None, float | None] = (
            None,
            None,
        )  # of funding, as last given out
        self.heir: deque[tuple[str, BookChange]] = deque(maxlen=HEIR_CHANGES)
        self.listings: list[Version] = []  # that came into force and are not yet given out
        self.newest: dict[str, int] = {}  # ts of the last row given out, by kind
        self.stamped = Stamped()

    def book_lost(self) -> None:
        """What was being watched on the book can't be told any more."""
        self.flow.lost()
        self.refill.lost()
        self.audit.lost()

    def take_book(self, change: BookChange, connection: str) -> None:
        """One connection at a time speaks for a book; a snapshot by another takes over."""
        book = self.book
        rest = connection.startswith("rest ")
        if not rest and connection != book.connection:
            if book.connection and not change.snapshot:
                self.heir.append((connection, change))
                return
            book.connection = connection
        if rest and change.snapshot and book.auditable and not self._missed(change):
            self.audit.told(change)
        else:
            book.apply(change)
            if book.auditable and not change.snapshot:
                self.audit.note(change)
        self._audited()
        levels = book.levels
        if levels is None:
            self.book_lost()
            return
        self.flow.changed(levels, change.usable_from)
        self.refill.changed(levels, change.usable_from)
        best = levels.touch()
        if self.quote is None and best is not None:
            self.tape.running.quote(best.bid, best.ask)

    def _missed(self, snapshot: BookChange) -> bool:
        """Whether a book that fell silent is behind what its venue tells when asked: that replaces it."""
        silent = snapshot.usable_from - self.book.heard >= _FELL_SILENT_NS
        return silent and self.book.is_behind(snapshot)

    def _audited(self) -> None:
        levels = self.book.levels
        found = self.audit.judge(levels) if levels is not None else None
        if found is not None and found.drifted:
            self.book.distrust(
                f"{found.share:.2%} of it differs from the venue's snapshot, most at {found.price:g}",
                for_good=True,
            )

    def ended(self, connection: str) -> None:
        """A connection is over; one that ran beside it goes on where it ended, so that no change is missed."""
        waiting = [(by, change) for by, change in self.heir if by != connection]
        self.heir = deque(waiting, maxlen=HEIR_CHANGES)
        if self.book.connection == connection:
            self.book.distrust("the connection was lost")
            self.book.connection = ""
            self.book_lost()
            self.heir = deque(maxlen=HEIR_CHANGES)
            for by, change in waiting:
                self.take_book(change, by)
        if connection in self.tape.heard_by:
            self.tape.lost(connection)

    def hole(self, at: int) -> None:
        """A trade may be missing from what was heard at `at` (ns): by our clock or by the venue's stamps."""
        self.owed.clear()  # it may be of a minute that is not known to be over
        self.tape.hole(max(at, self.stamped.at(at)))

    def refused(self, connection: str, channel: ChannelName | None, at: int) -> None:
        """A frame that may have been of this market was lost or not understood; channel None: of any."""
        if channel in (None, "trades"):
            self.hole(at)
        if channel in (None, "book") and self.book.connection == connection:
            self.book.distrust("a message of it was lost or not understood")
            self.book_lost()

    def faults(self, now: int) -> dict[str, str]:
        """Channel → why what comes there can't be trusted at `now` (ns)."""
        found: dict[str, str] = {}
        waits = self.book.pending_since
        if self.book.state not in ("live", "empty", "delisted") and (
            waits is None or not 0 <= now - waits <= _PENDING_NS
        ):
            found["book"] = self.book.reason
        if self.outliers.recent(now):
            found["trades"] = (
                f"{self.outliers.count} prints far from mark and index, the last within a minute"
            )
        return found

    def worth_changed(self, contract: Instrument, why: str) -> None:
        """A contract is worth something else now: sizes from before can't be mixed with sizes from here on."""
        if contract.contract_size == self.contract.contract_size:
            return
        self.contract, self.quote, self.watch = contract, None, Watch()
        self.book.restart(why)
        self.book_lost()

    def seen(self) -> Seen:
        """Its prices, for the comparison with others."""
        return Seen(
            self.contract, {name: (heard, value) for name, (_, heard, value) in self.tick.items()}
        )

    @property
    def makes_bars(self) -> bool:
        """Whether the minute bars come from the tape, the venue telling none."""
        return not self.contract.venue.startswith(_TELL_BARS)


def as_listed(contract: Instrument, version: Version) -> Instrument:
    """The contract as its listing says; a size counted in something else than the contract's kind is none."""
    listing = version.listing
    counted = (listing.size_unit == "usd") == (contract.kind == "inverse")
    known = listing.contract_size is not None
    size = (listing.contract_size if counted else None) if known else contract.contract_size
    return replace(contract, contract_size=size)
