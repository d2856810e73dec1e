"""A venue's own clock: each step it looks at stops, marks, liquidations, feeds, premium and funding."""

from airpocket.domain.kernel import kernel
from airpocket.lab.exchange.feeds import flush_when_due
from airpocket.lab.exchange.journal import STATUS, STOP, note
from airpocket.lab.exchange.matching import take
from airpocket.lab.exchange.pricing import (
    PREMIUM_EVERY,
    SECOND,
    note_mark,
    pay_funding,
    sample_basis,
    sample_premium,
    update_index,
    update_mark,
)
from airpocket.lab.exchange.procedures import supervise
from airpocket.lab.exchange.state import SPOT, Market
from airpocket.lab.exchange.takeover import unload

UNLOAD_EVERY = 10 * SECOND


@kernel
def step(m: Market, venue: int) -> int:
    """One step of a venue; ns to the next. Steps lie on whole multiples of their length in virtual time."""
    it = m.venues[venue]
    first = it.first_book
    if m.books[first].halted:
        return it.step
    stops(m, venue)
    for book in range(first, first + it.books):
        flush_when_due(m, book)
    if m.now % SECOND == 0:
        _each_second(m, venue)
    if m.books[first].form != SPOT:
        supervise(m, venue)
    return it.step


@kernel
def _each_second(m: Market, venue: int) -> None:
    it = m.venues[venue]
    now = m.now
    due = now >= it.mark_next
    for book in range(it.first_book, it.first_book + it.books):
        if m.books[book].form != SPOT:
            update_index(m, book)
            sample_basis(m, book)
            if now % PREMIUM_EVERY == 0:
                sample_premium(m, book)
            if now >= it.funding_next:
                pay_funding(m, book)
        if due:
            update_mark(m, book)
            note_mark(m, book)
        if now % UNLOAD_EVERY == 0 and m.books[book].form != SPOT:
            unload(m, book, it.fund)
            if it.vault != it.fund:
                unload(m, book, it.vault)
    if due:
        it.mark_next = now + it.mark_every
    if now >= it.funding_next and it.funding_every > 0:
        it.funding_next += it.funding_every * ((now - it.funding_next) // it.funding_every + 1)


@kernel
def stops(m: Market, venue: int) -> None:
    """Stop orders whose price the last trade has reached become market orders."""
    it = m.venues[venue]
    for account in range(it.first_account, it.first_account + it.accounts):
        for slot in range(it.books):
            held = m.positions[account, slot]
            if held.stop == 0 or m.accounts[account].stage:
                continue
            book = it.first_book + slot
            last = m.books[book].last
            if held.lots > 0 and last <= held.stop:
                held.stop = 0
                take(m, book, account, -held.lots, 1, STOP)
            elif held.lots < 0 and last >= held.stop:
                held.stop = 0
                take(m, book, account, -held.lots, m.books[book].window - 1, STOP)


@kernel
def set_halted(m: Market, book: int, halted: int) -> None:
    """Stops or restarts a book: no order enters, none leaves, marks stand still."""
    if m.books[book].halted != halted:
        m.books[book].halted = halted
        note(m, STATUS, book, (halted, 0, 0, 0, 0))
