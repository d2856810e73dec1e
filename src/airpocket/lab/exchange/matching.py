"""Price-time matching: the order books and the only two doors into them, `submit` and `cancel`."""

from airpocket.domain.kernel import kernel
from airpocket.lab.exchange.clearing import charged, cleared, fee_of
from airpocket.lab.exchange.journal import DEPTH, TRADE, note
from airpocket.lab.exchange.state import Market

BUY, SELL = 1, -1


@kernel
def cancel(m: Market, order: int) -> None:
    """Takes a resting order out of its book."""
    it = m.orders[order]
    book, side, tick = it.book, it.side, it.tick
    m.levels[book, tick].lots -= it.lots
    _unlinked(m, order)
    _depth(m, book, side, tick)
    _best_again(m, book, side)


@kernel
def cancel_all(m: Market, account: int) -> None:
    """Takes every resting order of an account out of its book."""
    while m.accounts[account].orders >= 0:
        cancel(m, m.accounts[account].orders)


@kernel
def rest(m: Market, book: int, owner: int, side: int, tick: int, lots: int) -> int:
    """A limit order that only rests: moved back to the touch where it would trade; its number, or −1.

    −1: the book is halted, the tick outside the window, or no order is free.
    """
    terms = m.books[book]
    tick = min(tick, terms.ask - 1) if side == BUY else max(tick, terms.bid + 1)
    order = m.free
    if terms.halted or lots <= 0 or tick < 1 or tick >= terms.window or order < 0:
        return -1
    m.events += 1
    it = m.orders[order]
    m.free = it.next
    it.owner, it.book, it.side, it.tick, it.lots, it.tag = owner, book, side, tick, lots, 0
    level = m.levels[book, tick]
    it.next = -1
    it.prev = level.tail
    if level.tail >= 0:
        m.orders[level.tail].next = order
    else:
        level.head = order
    level.tail = order
    level.lots += lots
    first = m.accounts[owner].orders
    it.mine_next, it.mine_prev = first, -1
    if first >= 0:
        m.orders[first].mine_prev = order
    m.accounts[owner].orders = order
    if side == BUY:
        terms.bid = max(terms.bid, tick)
    else:
        terms.ask = min(terms.ask, tick)
    _depth(m, book, side, tick)
    return order


@kernel
def take(m: Market, book: int, owner: int, lots: int, limit: int, cause: int) -> tuple[int, int]:
    """An immediate-or-cancel order for signed `lots`, no worse than `limit` ticks.

    Returns lots filled (unsigned) and their value in units. An order that meets its owner's own resting
    order cancels that one. Fees go to the venue's treasury.
    """
    terms = m.books[book]
    side = BUY if lots > 0 else SELL
    left, paid = abs(lots), 0
    if terms.halted:
        return 0, 0
    m.events += 1
    while left > 0:
        tick = terms.ask if side == BUY else terms.bid
        if tick < 1 or tick >= terms.window or side * (tick - limit) > 0:
            break
        level = m.levels[book, tick]
        while left > 0 and level.head >= 0:
            filled, value = _met(m, level.head, owner, left, cause)
            left -= filled
            paid += value
        _depth(m, book, -side, tick)
        _best_again(m, book, -side)
    return abs(lots) - left, paid


@kernel
def _met(m: Market, order: int, owner: int, left: int, cause: int) -> tuple[int, int]:
    """One resting order against what is left of a taker's; lots filled and their value."""
    it = m.orders[order]
    book, tick, side = it.book, it.tick, it.side
    level = m.levels[book, tick]
    maker = it.owner
    if maker == owner:
        level.lots -= it.lots
        _unlinked(m, order)
        return 0, 0
    filled = min(left, it.lots)
    it.lots -= filled
    level.lots -= filled
    if it.lots == 0:
        _unlinked(m, order)
    terms = m.books[book]
    if side == BUY:
        value = cleared(m, book, maker, owner, filled, tick)
    else:
        value = cleared(m, book, owner, maker, filled, tick)
    treasury = m.venues[terms.venue].treasury
    charged(m, owner, treasury, fee_of(value, terms.taker_fee))
    charged(m, maker, treasury, fee_of(value, terms.maker_fee))
    terms.last = tick
    terms.flow -= side * filled
    m.trades += 1
    note(m, TRADE, book, (tick, -side * filled, owner, maker, cause))
    return filled, value


@kernel
def _unlinked(m: Market, order: int) -> None:
    """Out of its level's queue and its owner's list, back among the free."""
    it = m.orders[order]
    level = m.levels[it.book, it.tick]
    if it.prev >= 0:
        m.orders[it.prev].next = it.next
    else:
        level.head = it.next
    if it.next >= 0:
        m.orders[it.next].prev = it.prev
    else:
        level.tail = it.prev
    if it.mine_prev >= 0:
        m.orders[it.mine_prev].mine_next = it.mine_next
    else:
        m.accounts[it.owner].orders = it.mine_next
    if it.mine_next >= 0:
        m.orders[it.mine_next].mine_prev = it.mine_prev
    it.owner = -1
    it.lots = 0
    it.next = m.free
    m.free = order
    m.events += 1


@kernel
def _best_again(m: Market, book: int, side: int) -> None:
    """The best level of a side, from where it was outwards: 0 or the window where it is empty."""
    terms = m.books[book]
    if side == BUY:
        tick = terms.bid
        while tick > 0 and m.levels[book, tick].head < 0:
            tick -= 1
        terms.bid = tick
    else:
        tick = terms.ask
        while tick < terms.window and m.levels[book, tick].head < 0:
            tick += 1
        terms.ask = tick


@kernel
def _depth(m: Market, book: int, side: int, tick: int) -> None:
    terms = m.books[book]
    terms.changes += 1
    note(m, DEPTH, book, (tick, m.levels[book, tick].lots, side, terms.changes, 0))
