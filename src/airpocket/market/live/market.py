"""One contract, live: its book, tape, latest figures, and what they contradict."""

from collections import deque

from airpocket.domain.events import Bar, OpenInterest
from airpocket.domain.instruments import Instrument
from airpocket.domain.wire import (
    BookChange,
    FundingEstimate,
    Liquidation,
    MarginTiers,
    OffBook,
    Quote,
)
from airpocket.market.books.book import Book
from airpocket.market.books.flow import Flow
from airpocket.market.books.refill import Refill
from airpocket.market.live.accord import Seen
from airpocket.market.live.forced import ForcedLedger
from airpocket.market.live.minute import Minute, Tape
from airpocket.market.live.reference import Version
from airpocket.market.live.watch import Watch

# As subscribed: its books are to be cut to that, and say no deletes beyond.
DEPTH = {"kraken_spot": 100}
HEIR_CHANGES = 512  # of a connection that runs beside the one a book is made of: it may take over
# These venues' own closed bars are used; of the others, bars are made of the tape.
_TELL_BARS = ("binance", "bybit", "okx")


class LiveMarket:
    """One contract, live. Only `LiveState` changes it."""

    def __init__(self, contract: Instrument, start: int) -> None:
        self.contract = contract
        self.book = Book(contract.venue, contract.symbol, depth=DEPTH.get(contract.venue))
        self.flow, self.refill = Flow(), Refill()
        self.tape = Tape(Minute(start, whole=False))
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

    def book_lost(self) -> None:
        """What was being watched on the book can't be told any more."""
        self.flow.lost()
        self.refill.lost()

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
