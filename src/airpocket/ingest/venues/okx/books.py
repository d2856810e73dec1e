"""OKX's books: whole windows, or one snapshot and its changes, chained by the id before."""

from airpocket.domain.wire import Level, LiveEvent
from airpocket.ingest.said import Book, Chain, Said
from airpocket.ingest.values import BadValue
from airpocket.ingest.venues.okx import shapes
from airpocket.ingest.venues.okx.names import Worths, said

# Windows that are sent whole each time, against books that are sent whole once and then changed.
WHOLE = {
    "books": False,
    "books-l2-tbt": False,
    "books50-l2-tbt": False,
    "books5": True,
    "bbo-tbt": True,
}


def quotes(data: bytes, symbol: str, heard: int, worths: Worths) -> list[LiveEvent]:
    """The best level of each side; of a contract of unknown worth nothing, for a quote's sizes are coin."""
    found: list[LiveEvent] = []
    for each in shapes.BOOKS.decode(data):
        who, worth = _said(each, symbol, heard), worths.of(each.inst_id or symbol)
        if worth.known:
            bids, asks = worth.levels(_plain(each.bids)), worth.levels(_plain(each.asks))
            found.append(who.quote(_best(bids), _best(asks), each.last))
    return found


def books(
    data: bytes, symbol: str, heard: int, worths: Worths, *, snapshot: bool
) -> list[LiveEvent]:
    """Sizes in coin where a contract's worth is known; texts only where there is a sum to hold them against."""
    found: list[LiveEvent] = []
    messages = shapes.BOOKS.decode(data)
    # a constant 0 since 2026-06-23
    written = shapes.WRITTEN.decode(data) if any(each.checksum for each in messages) else []
    for at, each in enumerate(messages):
        who, worth = _said(each, symbol, heard), worths.of(each.inst_id or symbol)
        bids, asks = worth.levels(_plain(each.bids)), worth.levels(_plain(each.asks))
        levels = Book(bids, asks)
        if each.checksum:
            levels = Book(bids, asks, _texts(written[at].bids), _texts(written[at].asks))
        previous = None if each.previous == -1 else each.previous
        chain = Chain(snapshot, each.last, each.last, previous, each.checksum or None, worth.known)
        found.append(who.book(levels, chain))
    return found


def _best(levels: tuple[Level, ...]) -> Level | None:
    """The first level; a size of -0 becomes 0."""
    return (levels[0][0], levels[0][1] + 0.0) if levels else None


def _said(message: shapes.Book, symbol: str, heard: int) -> Said:
    named = message.inst_id or symbol
    if not named:
        raise BadValue("a book that names no contract")
    return said(named, message.ts, heard)


def _plain(rows: tuple[shapes.Row, ...]) -> tuple[Level, ...]:
    return tuple((price, size) for price, size, _, _ in rows)


def _texts(rows: list[shapes.WrittenRow]) -> tuple[tuple[str, str], ...]:
    return tuple((price, size) for price, size, _, _ in rows)
