"""The positions of the start: coin of the spot accounts, levered positions at old entries, who holds the rest."""

import math
from typing import NamedTuple

import numpy as np

from airpocket.lab.agents.pairs import ARBITRAGE, CARRY
from airpocket.lab.agents.traders import HASTE, leverage_of, margin_share, stop_set
from airpocket.lab.exchange.clearing import cleared
from airpocket.lab.exchange.solvency import equity, maintenance
from airpocket.lab.exchange.state import INVERSE, SPOT, Market
from airpocket.lab.runs.making import Dice, Draft
from airpocket.lab.runs.population import Populated
from airpocket.lab.runs.worldfile import Traders

OPEN_AT_START = 0.6  # of the levered traders
SAFE = 2.0  # equity of a position of the start, in maintenances, at least
WORST = 0.3  # of the way to bankruptcy that a position of the start may have gone


class Holding(NamedTuple):
    """One position of the start, before sizes are scaled: margin and size in dollars."""

    row: int
    sign: int
    leverage: float
    margin: float
    entry: int  # ticks


def open_positions(made: Draft, m: Market, people: Populated) -> None:
    """Gives every account what it holds when the world starts; perpetuals sum to zero."""
    _coins(made, m)
    for book, rows in people.traders.items():
        traders = made.world.venue[book].traders
        assert traders is not None
        _levered(made, m, people, (book, traders), rows)


def _coins(made: Draft, m: Market) -> None:
    for kind in ("makers", "takers"):
        for k in range(len(made.rows.get(kind, []))):
            one = m[kind][k]
            if m.books[one.book].form == SPOT:
                _endow(m, int(one.account), int(one.book), int(one.home))
    for k in range(len(made.rows.get("pairs", []))):
        pair = m.pairs[k]
        for account, book in ((pair.account_a, pair.book_a), (pair.account_b, pair.book_b)):
            terms = m.books[book]
            if terms.form == SPOT and pair.style == ARBITRAGE:
                _endow(m, int(account), int(book), int(pair.capacity_coin * terms.lots_per_coin))


def _endow(m: Market, account: int, book: int, lots: int) -> None:
    """Coin that the account always had, at the price of the start."""
    held = m.positions[account, m.books[book].slot]
    held.lots = lots
    held.cost = float(lots) * float(m.books[book].mark)
    held.opened = m.now


def _levered(
    made: Draft, m: Market, people: Populated, where: tuple[int, Traders], rows: list[int]
) -> None:
    book, traders = where
    held = _holdings(made, m, book, traders, rows)
    # fsum: the built-in sum of floats differs between Python 3.11 and 3.12
    longs = math.fsum(one.margin * one.leverage for one in held if one.sign > 0)
    shorts = math.fsum(one.margin * one.leverage for one in held if one.sign < 0)
    largest = max(longs, shorts)
    scale = traders.open_interest_usd_m * 1e6 / largest if largest > 0.0 else 0.0
    _fill_pockets(made, m, book, rows, scale if scale > 0.0 else 1.0)
    others, dice = _others(m, people, book), Dice(made.seed, 5, book)
    for k, one in enumerate(held):
        _placed(made, m, book, one, scale, others[k % len(others)])
        if dice.uniform() < traders.stop_share:
            _stopped(m, book, one.row, dice.uniform())
    _hedge(m, people, book)
    for row in people.makers[book]:
        maker = m.makers[row]
        maker.home = float(m.positions[maker.account, m.books[book].slot].lots)


def _holdings(
    made: Draft, m: Market, book: int, traders: Traders, rows: list[int]
) -> list[Holding]:
    """Who is in at the start, on which side, with what margin; money still unscaled."""
    dice = Dice(made.seed, 4, book)
    found: list[Holding] = []
    for row in rows:
        if dice.uniform() >= OPEN_AT_START:
            continue
        sign = 1 if dice.uniform() < traders.long_share else -1
        low, high = traders.long_entry_percent if sign > 0 else traders.short_entry_percent
        leverage = _held_leverage(m, book, dice)
        away = dice.between(low, high) / 100.0
        if sign * away > WORST / leverage:  # so far under water it would not have lasted
            away = sign * WORST / leverage * dice.uniform()
        entry = max(1, round(float(m.books[book].mark) * (1.0 + away)))
        share = float(margin_share(traders.position_share, leverage))
        margin = float(m.accounts[m.traders[row].account].pocket) * share
        found.append(Holding(row, sign, leverage, margin, entry))
    return found


def _held_leverage(m: Market, book: int, dice: Dice) -> float:
    """The leverage of a position found open: of the mix, the rarer the sooner such positions close."""
    while True:
        leverage = float(leverage_of(m, book, dice.uniform()))
        if dice.uniform() * (1.0 + leverage / HASTE) < 1.0:
            return leverage


def _fill_pockets(made: Draft, m: Market, book: int, rows: list[int], scale: float) -> None:
    """Pockets from drawn wealth to units of money."""
    for row in rows:
        it = m.accounts[m.traders[row].account]
        it.pocket = made.units(book, float(it.pocket) * scale)


def _others(m: Market, people: Populated, book: int) -> list[int]:
    """Accounts that take the other side of the levered: makers."""
    return [int(m.makers[row].account) for row in people.makers[book]]


def _placed(made: Draft, m: Market, book: int, one: Holding, scale: float, other: int) -> None:
    """One position at its old entry, against `other`."""
    trader = m.traders[one.row]
    it = m.accounts[trader.account]
    lots = int(made.lots(book, one.margin * one.leverage * scale))
    if lots == 0:
        return
    buyer, seller = (trader.account, other) if one.sign > 0 else (other, trader.account)
    paid_in = min(int(it.pocket), made.units(book, one.margin * scale))
    if trader.cross:
        paid_in = int(it.pocket)
    it.pocket -= paid_in
    it.cash += paid_in
    cleared(m, book, buyer, seller, lots, one.entry)
    trader.leverage = one.leverage
    _made_safe(m, int(trader.account))


def _stopped(m: Market, book: int, row: int, u: float) -> None:
    """A stop as new positions have it, unless price already passed it."""
    terms = m.books[book]
    held = m.positions[m.traders[row].account, terms.slot]
    if held.lots == 0:
        return
    stop_set(m, row, u)
    sign = 1 if held.lots > 0 else -1
    if sign * (float(terms.mark) - float(held.stop)) <= 0.0:
        held.stop = 0


def _made_safe(m: Market, account: int) -> None:
    """Adds margin where an old entry would be liquidated at once: its holder must have done so."""
    it = m.accounts[account]
    short = SAFE * maintenance(m, account) - equity(m, account)
    if short > 0.0:
        more = int(np.ceil(short))
        it.cash += more
        it.pocket = max(0, int(it.pocket) - more)


def _hedge(m: Market, people: Populated, book: int) -> None:
    """What makers came to hold short goes to the carry funds, with spot coin for as much."""
    rows = people.carriers.get(book, [])
    terms = m.books[book]
    makers = _others(m, people, book)
    short = sum(min(0, int(m.positions[k, terms.slot].lots)) for k in makers)
    if not rows or short == 0:
        return
    tick = round(float(terms.mark))
    for k, maker in enumerate(makers):
        lots = -min(0, int(m.positions[maker, terms.slot].lots))
        if lots == 0:
            continue
        pair = m.pairs[rows[k % len(rows)]]
        assert pair.style == CARRY
        cleared(m, book, maker, int(pair.account_b), lots, tick)
        usd_each = terms.tick_usd * tick if terms.form != INVERSE else 1.0
        coin = lots / terms.lots_per_coin * usd_each / (terms.tick_usd * tick)
        spot = m.books[pair.book_a]
        held = int(m.positions[pair.account_a, spot.slot].lots)
        _endow(m, int(pair.account_a), int(pair.book_a), held + int(coin * spot.lots_per_coin))
