"""Small markets made by hand: one venue, one or two contracts, a few accounts, no agents."""

from typing import Any

import numpy as np

from airpocket.lab.exchange.clearing import cleared
from airpocket.lab.exchange.matching import rest
from airpocket.lab.exchange.state import INVERSE, LINEAR, empty_market
from airpocket.lab.exchange.takeover import to_tick

WINDOW = 4_000  # ticks
TREASURY, FUND, VAULT, FIRST = 0, 1, 2, 3
RICH = 10**12
LINEAR_SCALE, INVERSE_SCALE = 1, 10**12
TIERS = ((0.0, 0.005, 0.0),)


def market(
    *, form: int = LINEAR, contracts: int = 1, accounts: int = 6, price: int = 1_000,
    tiers: tuple[tuple[float, float, float], ...] = TIERS, counted_fee: float = 0.0, slope: float = 0.0,
    **venue: float,
) -> Any:  # fmt: skip
    """Accounts FIRST … FIRST + accounts − 1 have nothing; the fund has RICH units, the others nothing.

    Linear: a lot is 0.001 coin and a tick 1 dollar, so money is in thousandths of a dollar. Inverse: a lot is a
    dollar and a tick 1 dollar, money in 1e-12 coin.
    """
    m = empty_market()
    m.now = m.start = 1_000_000_000_000
    m.book_count, m.account_count, m.phase_count = contracts, FIRST + accounts, 1
    it = m.venues[0]
    it.books, it.accounts, it.fund, it.vault = contracts, FIRST + accounts, FUND, VAULT
    it.fund_share, it.funding_every = 1.0, 8 * 3_600 * 10**9
    it.funding_next = m.now + it.funding_every
    for name, value in venue.items():
        setattr(it, name, value)
    for book in range(contracts):
        terms = m.books[book]
        terms.slot, terms.form, terms.window = book, form, WINDOW
        terms.scale = LINEAR_SCALE if form != INVERSE else INVERSE_SCALE
        terms.unit = 0.001 if form != INVERSE else 1e-12
        terms.tick_usd, terms.lots_per_coin = 1.0, 1_000.0 if form != INVERSE else 1.0
        terms.ask, terms.last, terms.max_leverage = WINDOW, price, 100.0
        terms.mark = terms.mark_before = terms.index = terms.slow = float(price)
        terms.counted_fee, terms.slope, terms.tiers = counted_fee, slope, len(tiers)
        terms.sigma = 0.001
        for k, row in enumerate(tiers):
            m.tiers[book, k] = row
    for account in (TREASURY, FUND, VAULT):
        m.accounts[account].system = 1
    m.accounts[FUND].cash = RICH
    return m


def open_position(
    m: Any, account: int, lots: int, tick: int, margin: int, *, other: int, book: int = 0
) -> None:
    """`account` holds signed lots from `tick` with so many units of margin; `other` holds the opposite."""
    m.accounts[account].cash += margin
    buyer, seller = (account, other) if lots > 0 else (other, account)
    cleared(m, book, buyer, seller, abs(lots), tick)


def set_mark(m: Any, price: float, book: int = 0) -> None:
    m.books[book].mark_before = m.books[book].mark
    m.books[book].mark = price


def quote(m: Any, owner: int, ladder: dict[int, int], book: int = 0) -> None:
    """Rests orders: signed lots by tick, bids positive."""
    for tick, lots in ladder.items():
        number = rest(m, book, owner, 1 if lots > 0 else -1, tick, abs(lots))
        assert number >= 0
        assert m.orders[number].tick == tick


def money(m: Any) -> int:
    """All cash and pockets, whole units."""
    count = int(m.account_count)
    return int(m.accounts["cash"][:count].sum() + m.accounts["pocket"][:count].sum())


def held(m: Any, account: int, book: int = 0) -> int:
    return int(m.positions[account, m.books[book].slot].lots)


def net(m: Any, book: int = 0) -> int:
    """Longs less shorts of a contract, lots."""
    return int(m.positions["lots"][: int(m.account_count), int(m.books[book].slot)].sum())


def rows(m: Any, kind: int) -> list[list[int]]:
    """The journal's rows of a kind so far, from the time on."""
    log = m.log[: int(m.logged)]
    return log[log[:, 0] == kind][:, 1:].tolist()


def ticks(m: Any, price: float, book: int = 0) -> int:
    return int(to_tick(m, book, price))


def depth_of(m: Any, book: int = 0) -> dict[int, int]:
    """Resting lots by tick."""
    lots = m.levels[book]["lots"]
    return {int(tick): int(lots[tick]) for tick in np.flatnonzero(lots)}
