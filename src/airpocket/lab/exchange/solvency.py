"""Solvency: equity against maintenance of an account, isolated or cross, and the prices where they meet.

An account is cross when its whole wallet is its `cash`, isolated when only one position's margin is.
The same forms as `airpocket.margin.kernel`, over the market's arrays; tests compare the two.
"""

import numpy as np

from airpocket.domain.kernel import kernel
from airpocket.lab.exchange.clearing import notional, worth
from airpocket.lab.exchange.state import INVERSE, SLOTS, SPOT, Market


@kernel
def tier_at(m: Market, book: int, size: float) -> int:
    """Index of the tier that holds a notional (units): above its floor, up to and with its cap."""
    terms = m.books[book]
    tier = 0
    while tier + 1 < terms.tiers and size > m.tiers[book, tier + 1].floor:
        tier += 1
    return tier


@kernel
def rate_of(m: Market, book: int, lots: int, size: float) -> tuple[float, float]:
    """Maintenance rate with the counted closing fee, and the deduction (units), at a notional."""
    terms = m.books[book]
    tier = m.tiers[book, tier_at(m, book, size)]
    coin = abs(lots) / terms.lots_per_coin if terms.form != INVERSE else size * terms.unit
    return tier.mmr + terms.slope * coin + terms.counted_fee, tier.deduction


@kernel
def maintenance_of(m: Market, book: int, lots: int, price: float) -> float:
    """Maintenance of one position at a price in ticks, units, the counted closing fee included."""
    if lots == 0 or m.books[book].form == SPOT:
        return 0.0
    size = notional(m, book, lots, price)
    rate, deduction = rate_of(m, book, lots, size)
    return size * rate - deduction


@kernel
def equity(m: Market, account: int) -> float:
    """Cash and positions at their marks, units; spot coin counts at the last mark too."""
    it = m.accounts[account]
    first = m.venues[it.venue].first_book
    total = float(it.cash)
    for slot in range(m.venues[it.venue].books):
        lots = m.positions[account, slot].lots
        if lots != 0:
            total += worth(m, first + slot, lots, m.books[first + slot].mark)
    return total


@kernel
def maintenance(m: Market, account: int) -> float:
    """Maintenance of all of an account's positions at their marks, units."""
    it = m.accounts[account]
    first = m.venues[it.venue].first_book
    total = 0.0
    for slot in range(m.venues[it.venue].books):
        lots = m.positions[account, slot].lots
        if lots != 0:
            total += maintenance_of(m, first + slot, lots, m.books[first + slot].mark)
    return total


@kernel
def gross(m: Market, account: int) -> float:
    """Notional of all positions at their marks, units."""
    it = m.accounts[account]
    first = m.venues[it.venue].first_book
    total = 0.0
    for slot in range(m.venues[it.venue].books):
        lots = m.positions[account, slot].lots
        if lots != 0:
            total += notional(m, first + slot, lots, m.books[first + slot].mark)
    return total


@kernel
def largest_slot(m: Market, account: int) -> int:
    """The slot with the largest maintenance, or −1 where all are flat: what is closed first."""
    it = m.accounts[account]
    first = m.venues[it.venue].first_book
    best, most = -1, -1.0
    for slot in range(m.venues[it.venue].books):
        lots = m.positions[account, slot].lots
        if lots != 0:
            size = maintenance_of(m, first + slot, lots, m.books[first + slot].mark)
            if size > most:
                best, most = slot, size
    return best


@kernel
def bankruptcy_price(m: Market, account: int, book: int) -> float:
    """Ticks at which the account is worth nothing once the counted fee is paid, other legs at mark.

    0: a position that can lose no more than it has; inf: none is bankrupt however far the price goes.
    """
    terms = m.books[book]
    lots = m.positions[account, terms.slot].lots
    base = equity(m, account) - worth(m, book, lots, terms.mark)
    paid = lots - terms.counted_fee * abs(lots)
    if terms.form == INVERSE:
        over = (lots + terms.counted_fee * abs(lots)) * terms.scale
        return max(0.0, over / base) if base != 0.0 and over / base > 0.0 else np.inf
    return max(0.0, -base / (paid * terms.scale))


@kernel
def liquidation_price(m: Market, account: int, book: int) -> float:
    """Ticks at which equity meets maintenance, other legs at their marks; NaN where it never does.

    On each tier equity − maintenance is straight in the notional n: W' + d n − (r n − c); the root
    counts on the tier that holds it (science of `airpocket.margin.kernel`).
    """
    terms = m.books[book]
    lots = m.positions[account, terms.slot].lots
    if lots == 0:
        return np.nan
    others = maintenance(m, account) - maintenance_of(m, book, lots, terms.mark)
    base = equity(m, account) - worth(m, book, lots, terms.mark) - others
    towards = (1.0 if lots > 0 else -1.0) * (-1.0 if terms.form == INVERSE else 1.0)
    for tier in range(terms.tiers):
        low = m.tiers[book, tier].floor
        high = m.tiers[book, tier + 1].floor if tier + 1 < terms.tiers else np.inf
        size = _root(m, book, lots, base, towards, tier)
        if low <= size <= high and size > 0.0:
            if terms.form == INVERSE:
                return abs(lots) * terms.scale / size
            return size / (abs(lots) * terms.scale)
    return np.nan


@kernel
def _root(m: Market, book: int, lots: int, base: float, towards: float, tier: int) -> float:
    """The notional at which base + d n = (r + slope·coin) n − c on one tier; −1 without one."""
    terms = m.books[book]
    at = m.tiers[book, tier]
    linear = at.mmr + terms.counted_fee - towards
    constant = base + at.deduction
    if terms.form != INVERSE or terms.slope == 0.0:
        coin = abs(lots) / terms.lots_per_coin if terms.form != INVERSE else 0.0
        linear += terms.slope * coin
        return constant / linear if linear != 0.0 else -1.0
    bent = terms.slope * terms.unit
    inside = linear * linear + 4.0 * bent * constant
    if inside < 0.0:
        return -1.0
    root = np.sqrt(inside)
    return 2.0 * constant / (linear + (root if linear > 0.0 else -root))


@kernel
def short_of_margin(m: Market, account: int) -> bool:
    """Whether equity no longer exceeds maintenance."""
    return equity(m, account) <= maintenance(m, account)


@kernel
def has_positions(m: Market, account: int) -> bool:
    """Whether an account holds anything."""
    for slot in range(SLOTS):  # noqa: SIM110 - numba has no generators here
        if m.positions[account, slot].lots != 0:
            return True
    return False


@kernel
def free_margin(m: Market, account: int, book: int) -> float:
    """Units of notional that may still be opened under the contract's largest leverage."""
    return equity(m, account) * m.books[book].max_leverage - gross(m, account)
