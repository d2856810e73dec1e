"""Compiles what the live path needs before anything is heard: a first message must not wait for it."""

from airpocket.domain.wire import BookChange
from airpocket.ingest.venues.registry import VENUES
from airpocket.market.books.book import Book

_SNAPSHOT = b'{"lastUpdateId":1,"bids":[["99","1"],["98","1"]],"asks":[["101","1"],["102","1"]]}'
_CHANGE = (
    b'{"stream":"ethusdt@depth","data":{"e":"depthUpdate","E":1700000000000,"T":1700000000000,"s":"ETHUSDT",'
    b'"U":1,"u":2,"pu":1,"b":[["99","2"],["97","1"]],"a":[["101","0"]]}}'
)


def warm_up() -> None:
    """Take one made-up book through the reader of frames and the kernels of a book."""
    venue = VENUES["binance_usdm"]
    book = Book(venue.name, "ETHUSDT")
    for frame, address in ((_SNAPSHOT, "?symbol=ETHUSDT"), (_CHANGE, "")):
        for event in venue.decode(frame, 0, address):
            assert isinstance(event, BookChange)
            book.apply(event)
    levels = book.levels
    assert levels is not None
    assert levels.touch() == (99.0, 2.0, 102.0, 1.0)
    assert levels.asks.size_at(102.0) == 1.0
    assert len(levels.bids.top(5)) == 3
