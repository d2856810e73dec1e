"""Clearing: what a fill does to two accounts; every unit that leaves one arrives in another."""

from airpocket.domain.kernel import kernel
from airpocket.lab.exchange.state import INVERSE, RATE, SPOT, Market


@kernel
def value_of(m: Market, book: int, lots: int, tick: int) -> int:
    """What so many lots are worth at a tick, units of collateral: quote (linear), coin (inverse)."""
    terms = m.books[book]
    if terms.form == INVERSE:
        # to the nearest unit, in two parts so that no product leaves 64 bits
        whole, rest = terms.scale // tick, terms.scale % tick
        return lots * whole + (2 * lots * rest + tick) // (2 * tick)
    return lots * tick * terms.scale


@kernel
def worth(m: Market, book: int, lots: int, price: float) -> float:
    """What a signed position adds to the cash of its account at a price in ticks, units."""
    terms = m.books[book]
    if terms.form == INVERSE:
        return -(lots * float(terms.scale)) / price
    return lots * price * terms.scale


@kernel
def notional(m: Market, book: int, lots: int, price: float) -> float:
    """Size of a position at a price in ticks, units of collateral, never negative."""
    return abs(worth(m, book, lots, price))


@kernel
def exchanged(m: Market, book: int, account: int, lots: int, tick: int, value: int) -> None:
    """An account buys (lots > 0) or sells at a tick for `value`; the other half is the caller's."""
    terms = m.books[book]
    held = m.positions[account, terms.slot]
    sign = 1 if lots > 0 else -1
    gives = sign if terms.form != INVERSE else -sign
    m.accounts[account].cash -= gives * value
    before = held.lots
    after = before + lots
    if before == 0 or (before > 0) == (lots > 0):
        held.cost += float(lots) * tick
        if before == 0:
            held.opened = m.now
    elif (after > 0) == (before > 0) and after != 0:
        held.cost *= after / before
    else:
        held.cost = float(after) * tick
        held.opened = m.now
    held.lots = after
    if after == 0:
        held.stop = 0
    if terms.form != SPOT:
        terms.open_interest += max(after, 0) - max(before, 0)


@kernel
def charged(m: Market, account: int, to: int, amount: int) -> None:
    """Moves money between two accounts of a venue; a negative amount goes the other way."""
    m.accounts[account].cash -= amount
    m.accounts[to].cash += amount


@kernel
def cleared(m: Market, book: int, buyer: int, seller: int, lots: int, tick: int) -> int:
    """Both halves of a fill of `lots` > 0, without fees; returns its value."""
    value = value_of(m, book, lots, tick)
    exchanged(m, book, buyer, lots, tick, value)
    exchanged(m, book, seller, -lots, tick, value)
    return value


@kernel
def fee_of(value: int, rate: int) -> int:
    """A fee in units, rounded down; rates in parts of RATE, a rebate below zero rounded up."""
    return value * rate // RATE if rate >= 0 else -(value * -rate // RATE)
