"""Where a forced position goes that the book does not take: insurance fund, backstop vault, deleveraging."""

import numpy as np

from airpocket.domain.kernel import kernel
from airpocket.lab.exchange.clearing import charged, cleared, notional, worth
from airpocket.lab.exchange.feeds import tell
from airpocket.lab.exchange.journal import (
    DELEVERAGED,
    ENDED,
    FORCED,
    FUND,
    LIQUIDATION,
    TAKEN,
    note,
)
from airpocket.lab.exchange.matching import take
from airpocket.lab.exchange.pricing import ORACLE
from airpocket.lab.exchange.solvency import equity, has_positions, maintenance
from airpocket.lab.exchange.state import RATE, Market

FUND_LIMIT = 0.002  # the fund sells its stock no worse than this share beyond the mark


@kernel
def to_tick(m: Market, book: int, price: float) -> int:
    """A price in ticks, to the nearest whole one inside the book's window."""
    return int(min(max(np.floor(price + 0.5), 1.0), m.books[book].window - 1.0))


@kernel
def forced_order(m: Market, book: int, account: int, owner: int, lots: int, limit: int) -> int:
    """A liquidation order of signed `lots` for `account`, sent by `owner`; what did not fill, unsigned.

    The venue's liquidation fee is taken of what filled, as far as the account has equity.
    """
    filled, value = take(m, book, owner, lots, limit, LIQUIDATION)
    note(m, FORCED, book, (account, lots, filled, value, 0))
    if filled:
        tell(m, book, filled if lots > 0 else -filled, m.books[book].last)
    venue = m.venues[m.books[book].venue]
    if owner == account and venue.liquidation_fee > 0:
        fee = value * venue.liquidation_fee // RATE
        charged(m, account, venue.fund, min(fee, max(0, int(equity(m, account)))))
    return abs(lots) - filled


@kernel
def fund_can_take(m: Market, book: int, lots: int, tick: int) -> bool:
    """Whether the fund may hold so much more: a share of its own equity, and never without any."""
    venue = m.venues[m.books[book].venue]
    left = equity(m, venue.fund)
    return left > 0.0 and notional(m, book, lots, float(tick)) <= left * venue.fund_share


@kernel
def taken_over(m: Market, book: int, account: int, by: int, lots: int, tick: int) -> None:
    """`by` takes signed `lots` of a position over at a tick, off the book and without a fee."""
    if lots > 0:
        cleared(m, book, by, account, lots, tick)
    else:
        cleared(m, book, account, by, -lots, tick)
    note(m, TAKEN, book, (account, lots, tick, by, 0))


@kernel
def disposed(m: Market, book: int, account: int, lots: int, tick: int) -> None:
    """The rest of a liquidation at the bankruptcy price: to the fund where it can, else deleveraging."""
    if lots == 0:
        return
    if fund_can_take(m, book, lots, tick):
        taken_over(m, book, account, m.venues[m.books[book].venue].fund, lots, tick)
    else:
        deleverage(m, book, account, lots, tick)


@kernel
def deleverage(m: Market, book: int, account: int, lots: int, tick: int) -> None:
    """Closes signed `lots` against the best ranked on the other side, without a fee; the fund takes dust."""
    slot = m.books[book].slot
    side = 1 if lots > 0 else -1
    left = abs(lots)
    while left > 0:
        winner = first_in_line(m, book, -side)
        if winner < 0:
            taken_over(m, book, account, m.venues[m.books[book].venue].fund, side * left, tick)
            return
        closed = min(left, abs(m.positions[winner, slot].lots))
        if side > 0:
            cleared(m, book, winner, account, closed, tick)
        else:
            cleared(m, book, account, winner, closed, tick)
        note(m, DELEVERAGED, book, (winner, -side * closed, tick, account, 0))
        left -= closed


@kernel
def first_in_line(m: Market, book: int, side: int) -> int:
    """The account on one side (+1 long) with the highest deleveraging rank; −1 where none holds any."""
    venue = m.venues[m.books[book].venue]
    best, most = -1, -1.0
    for account in range(venue.first_account, venue.first_account + venue.accounts):
        lots = m.positions[account, m.books[book].slot].lots
        if lots * side > 0 and not m.accounts[account].system:
            one = rank(m, book, account)
            if one > most:
                best, most = account, one
    return best


@kernel
def rank(m: Market, book: int, account: int) -> float:
    """Deleveraging rank of a position, the venue's form; higher goes first, losers have 0.

    Binance: max(0, UPnL)/max(1, WB) × MM/(WB + UPnL), and the others alike; Hyperliquid: (mark/entry) ×
    notional/equity, for shorts entry/mark (the text gives one form; assumed).
    """
    terms = m.books[book]
    held = m.positions[account, terms.slot]
    entry = held.cost / held.lots
    value = equity(m, account)
    if value <= 0.0:
        return 0.0
    if m.venues[terms.venue].mark_rule == ORACLE:
        gain = terms.mark / entry if held.lots > 0 else entry / terms.mark
        return gain * notional(m, book, held.lots, terms.mark) / value
    profit = worth(m, book, held.lots, terms.mark) - worth(m, book, held.lots, entry)
    return max(0.0, profit) / max(1.0, value - profit) * (maintenance(m, account) / value)


@kernel
def ended(m: Market, account: int, to_fund: bool) -> None:
    """Closes a liquidation whose positions are gone: a debt is the fund's, a rest too where `to_fund`."""
    it = m.accounts[account]
    if has_positions(m, account):
        return
    fund = m.venues[it.venue].fund
    paid = 0
    if it.cash < 0 or to_fund:
        paid = -it.cash
        charged(m, account, fund, it.cash)
    note(m, ENDED, m.venues[it.venue].first_book, (account, it.cash, paid, 0, 0))
    it.stage = 0


@kernel
def unload(m: Market, book: int, holder: int) -> None:
    """A fund or vault sells a little of its stock, near the mark only."""
    terms = m.books[book]
    lots = m.positions[holder, terms.slot].lots
    most = m.venues[terms.venue].unload_lots
    if lots > 0:
        take(m, book, holder, -min(lots, most), int(terms.mark * (1.0 - FUND_LIMIT)), FUND)
    elif lots < 0:
        take(m, book, holder, min(-lots, most), int(terms.mark * (1.0 + FUND_LIMIT)), FUND)
