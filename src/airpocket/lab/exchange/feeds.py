"""Liquidation feeds: what each venue tells of its forced closes, how sampled and how late."""

from airpocket.domain.kernel import kernel
from airpocket.lab.exchange.journal import PRINT, note
from airpocket.lab.exchange.state import PENDING, Market

SILENT, LATEST, BATCHED, AT_ONCE = 0, 1, 2, 3


@kernel
def tell(m: Market, book: int, lots: int, tick: int) -> None:
    """A forced close of signed `lots` (the order's sign) goes towards the venue's feed.

    SILENT: there is none (Hyperliquid). LATEST: only the last of a window is told, at its end (Binance,
    OKX). BATCHED: all, at the window's end (Bybit). AT_ONCE: with the trade (Deribit).
    """
    terms = m.books[book]
    feed = m.venues[terms.venue].feed
    if feed == SILENT or lots == 0:
        return
    now = m.now
    if feed == AT_ONCE:
        note(m, PRINT, book, (tick, lots, now, 0, 0))
        return
    if feed == LATEST:
        terms.pending = 0
    elif terms.pending == PENDING:
        flush(m, book)
    one = m.pending[book, terms.pending]
    one.time, one.side, one.lots, one.tick = now, (1 if lots > 0 else -1), abs(lots), tick
    terms.pending += 1


@kernel
def flush(m: Market, book: int) -> None:
    """What waits is told now."""
    terms = m.books[book]
    for k in range(terms.pending):
        one = m.pending[book, k]
        note(m, PRINT, book, (one.tick, one.side * one.lots, one.time, 0, 0))
    terms.pending = 0


@kernel
def flush_when_due(m: Market, book: int) -> None:
    """Tells what waits where a window of the feed ends now."""
    window = m.venues[m.books[book].venue].feed_window
    if m.books[book].pending and window > 0 and m.now % window == 0:
        flush(m, book)
