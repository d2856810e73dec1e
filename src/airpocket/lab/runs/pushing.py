"""A known push into a running market: market orders of the venue itself, so that nobody's margin is in the way."""

from collections.abc import Iterator

from airpocket.domain.events import IntArray
from airpocket.domain.kernel import kernel
from airpocket.lab.exchange.journal import ORDINARY
from airpocket.lab.exchange.matching import take
from airpocket.lab.exchange.pricing import mid
from airpocket.lab.exchange.state import INVERSE, Market
from airpocket.lab.runs.session import Session

SECOND = 1_000_000_000


def push(session: Session, book: int, usd: float, seconds: int) -> Iterator[IntArray]:
    """Buys (or sells, usd < 0) for so many dollars, evenly each second, at any price; the journal's new rows.

    What a second's book did not hold is still owed in the next one; what is owed at the end is left undone.
    """
    owed = 0.0
    for _ in range(seconds):
        owed += usd / seconds
        owed -= ordered(session.market, book, owed)
        yield from session.until(session.now + SECOND)


@kernel
def ordered(m: Market, book: int, usd: float) -> float:
    """One market order of the venue's treasury; signed dollars of what it got, at the middle before it."""
    terms = m.books[book]
    each = mid(m, book) * terms.tick_usd / terms.lots_per_coin
    if terms.form == INVERSE:
        each = 1.0 / terms.lots_per_coin
    lots = int(abs(usd) / each + 0.5) if each > 0.0 else 0
    if lots == 0:
        return 0.0
    side = 1 if usd > 0.0 else -1
    limit = terms.window - 1 if side > 0 else 1
    filled, _ = take(m, book, m.venues[terms.venue].treasury, side * lots, limit, ORDINARY)
    return side * filled * each
