"""Books built from recordings against the venue's own best bid and ask."""

import gzip
import re

import pytest
from ingest.venues.frames import stamped

from airpocket.domain.wire import BookChange, Quote
from airpocket.ingest.venues.registry import VENUES
from airpocket.market.books.book import Book

pytestmark = pytest.mark.real
ADDRESS = "https://example/depth?symbol=ETHUSDT"


def told(decode, frames, kinds):
    """The events of the wanted kinds; the rest of the recording is not decoded."""
    for heard, frame in frames:
        if any(kind in frame for kind in kinds):
            yield from decode(frame, heard, ADDRESS)


@pytest.mark.parametrize(("market", "compared"), [("usdm", 6_581), ("spot", 3_432)])
def test_every_top_of_the_book_is_the_quote_of_the_same_update(shared, market, compared):
    """After each change with last id u, price and size equal the latest quote whose own id is not above u."""
    path = shared / f"wire/hftbacktest/{market}/ethusdt_20240808.gz"
    kinds = (b"depthUpdate", b"lastUpdateId", b"bookTicker")
    book, quotes, tops = Book(f"binance_{market}", "ETHUSDT"), [], []
    for event in told(VENUES[f"binance_{market}"].decode, stamped(path), kinds):
        if isinstance(event, Quote):
            quotes.append(event)
        elif isinstance(event, BookChange):
            before = book.applied
            book.apply(event)
            if book.applied > before and not event.snapshot:
                assert book.state == "live", book.reason
                tops.append((event.last, tuple(book.levels.touch())))
            elif event.snapshot:
                # changes that waited were joined with it
                tops += [(book._last, tuple(book.levels.touch()))] * (book.applied - before - 1)
    quotes.sort(key=lambda quote: quote.update_id)
    at, agreed = 0, 0
    for last, top in tops:
        while at + 1 < len(quotes) and quotes[at + 1].update_id <= last:
            at += 1
        quote = quotes[at]
        agreed += top == (quote.bid, quote.bid_size, quote.ask, quote.ask_size)
    assert (agreed, len(tops)) == (compared, compared)
    assert book.gaps == 0
    assert book.levels.bids.known_to() < book.levels.touch().bid
    assert book.levels.asks.known_to() > book.levels.touch().ask


def old_recording(folder, name):
    """'<unix s>: <JSON>' is a frame, '<url> -> <unix s>: <JSON>' a REST answer; in the order heard."""
    found = []
    for part in (f"{name}.http.0.0.gz", f"{name}.ws.1.0.gz"):
        with gzip.open(folder / part, "rt") as file:
            for line in file:
                match = re.match(r"(?:(https\S+) -> )?(\d+\.\d+): (\{.*)", line)
                if match:
                    found.append((float(match[2]), match[1] or "", match[3].encode()))
    return sorted(found, key=lambda row: row[0])


@pytest.mark.parametrize(
    ("name", "venue", "counts"),
    [
        ("BINANCE", "binance_spot", {"NKNUSDT": 149, "BLZETH": 9, "LRCBTC": 13, "RUNEEUR": 1}),
        ("BINANCE_FUTURES", "binance_usdm",
         {"SUSHIUSDT": 252, "AKROUSDT": 188, "KEEPUSDT": 132, "CTKUSDT": 180}),
    ],
)  # fmt: skip
def test_thin_books_follow_their_chains_without_a_gap(shared, name, venue, counts):
    books = {symbol: Book(venue, symbol) for symbol in counts}
    for at, address, frame in old_recording(shared / "wire/cryptofeed-v2", name):
        if b"depthUpdate" in frame or b"lastUpdateId" in frame:
            for event in VENUES[venue].decode(frame, int(at * 1e9), address):
                if isinstance(event, BookChange):
                    books[event.symbol].apply(event)
    assert {symbol: book.applied - 1 for symbol, book in books.items()} == counts
    assert {(book.state, book.gaps) for book in books.values()} == {("live", 0)}
