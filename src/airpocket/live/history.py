"""Recorded books of an archive through the same books and bands as live."""

from airpocket.domain.instruments import Instrument
from airpocket.domain.units import MINUTE_NS
from airpocket.domain.wire import BookChange
from airpocket.ingest.history.recorded_book import Band
from airpocket.market.books.book import Book
from airpocket.market.live.closing import depth_rows


class ReplayedBook:
    """One contract's book; what `airpocket import` hands to the reader of recordings."""

    def __init__(self, contract: Instrument) -> None:
        self._book = Book(contract.venue, contract.symbol)

    def take(self, change: BookChange) -> None:
        """Apply one change."""
        self._book.apply(change)

    def bands(self, at: int) -> tuple[list[Band], str]:
        """Depth at `at` (ns) by the rules of a live minute, or why there is none ('': no band is whole)."""
        rows = depth_rows(self._book, at, at)
        if rows:
            return [(row["percent"], row["depth_coin"], row["notional_usd"]) for row in rows], ""
        return [], self._silence(at)

    def _silence(self, at: int) -> str:
        if self._book.levels is None:
            return self._book.reason
        if at - self._book.heard > MINUTE_NS:
            return "no change for more than a minute"
        if not self._book.in_coin:
            return "the contract's size is not known"
        return "a side is empty" if self._book.levels.touch() is None else ""
