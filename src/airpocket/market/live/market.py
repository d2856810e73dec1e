"""One contract, live: its book and tape, and the last word on everything else."""

from airpocket.domain.events import Bar, OpenInterest
from airpocket.domain.instruments import Instrument
from airpocket.domain.wire import FundingEstimate, Liquidation, Quote
from airpocket.market.books.audit import Audit
from airpocket.market.books.book import Book
from airpocket.market.books.flow import Flow
from airpocket.market.books.refill import Refill
from airpocket.market.live.band import Outliers
from airpocket.market.live.minute import Minute, Tape

_DEPTH = {
    "kraken_spot": 100
}  # as subscribed: its books are to be cut to that, and say no deletes beyond
# These venues' own closed bars are used; of the others, bars are made of the tape.
_TELL_BARS = ("binance", "bybit", "okx")


class LiveMarket:
    """One contract, live. Only `LiveState` changes it."""

    def __init__(self, contract: Instrument, start: int) -> None:
        self.contract = contract
        self.book = Book(contract.venue, contract.symbol, depth=_DEPTH.get(contract.venue))
        self.audit = Audit()
        self.flow, self.refill = Flow(), Refill()
        self.outliers = Outliers()
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
        self.audit.lost()

    @property
    def makes_bars(self) -> bool:
        """Whether the minute bars come from the tape, the venue telling none."""
        return not self.contract.venue.startswith(_TELL_BARS)
