"""Those who hold two markets: arbitrage between books, and carry, long spot against a hedged short."""

import numpy as np

from airpocket.domain.kernel import kernel
from airpocket.lab.agents.desk import Actor, affordable, lots_of, order, pause
from airpocket.lab.exchange.journal import ORDINARY
from airpocket.lab.exchange.pricing import SECOND, funding_estimate
from airpocket.lab.exchange.state import INVERSE, SPOT, Market

ARBITRAGE, CARRY = 0, 1
SLIPPAGE = 0.001


@kernel
def pair_up(m: Market, actor: Actor) -> int:
    """One look of an agent with accounts on two books."""
    pair = m.pairs[actor.row]
    a, b = m.books[pair.book_a], m.books[pair.book_b]
    whole = not (a.halted or b.halted)
    if whole and a.bid >= 1 and b.bid >= 1 and a.ask < a.window and b.ask < b.window:
        if pair.style == ARBITRAGE:
            _arbitrage(m, actor.row)
        else:
            _carry(m, actor.row)
    return pause(m, actor, pair.wake)


@kernel
def coin_held(m: Market, account: int, book: int) -> float:
    """Signed coin of a position; inverse contracts at the mark."""
    terms = m.books[book]
    coin = m.positions[account, terms.slot].lots / terms.lots_per_coin
    return coin / (terms.mark * terms.tick_usd) if terms.form == INVERSE else coin


@kernel
def _arbitrage(m: Market, row: int) -> None:
    """Buys the cheap book and sells the dear one when they are apart by more than the threshold.

    The threshold doubles as the stock grows and halves for what brings it back.
    """
    pair = m.pairs[row]
    a, b = m.books[pair.book_a], m.books[pair.book_b]
    stock = coin_held(m, pair.account_b, pair.book_b) / pair.capacity_coin
    rich_b = b.bid * b.tick_usd / (a.ask * a.tick_usd) - 1.0
    rich_a = a.bid * a.tick_usd / (b.ask * b.tick_usd) - 1.0
    if rich_b > pair.threshold * (1.0 - min(max(stock, -1.0), 0.5)) and stock > -1.0:
        both(m, row, 1)
    elif rich_a > pair.threshold * (1.0 + min(max(stock, -0.5), 1.0)) and stock < 1.0:
        both(m, row, -1)


@kernel
def _carry(m: Market, row: int) -> None:
    """Adds to long spot and short perpetual while funding pays, takes back when it costs."""
    pair = m.pairs[row]
    every = m.venues[m.books[pair.book_b].venue].funding_every / (8.0 * 3_600.0 * SECOND)
    rate = funding_estimate(m, pair.book_b) / every
    held = -coin_held(m, pair.account_b, pair.book_b)
    if rate > pair.threshold and held < pair.capacity_coin:
        both(m, row, 1)
    elif rate < pair.exit and held > 0.0:
        both(m, row, -1)


@kernel
def both(m: Market, row: int, direction: int) -> None:
    """One clip: direction +1 buys book a and sells book b; the second order matches what the first got."""
    pair = m.pairs[row]
    coin = pair.clip_coin
    if m.books[pair.book_a].form == SPOT and direction < 0:
        coin = min(coin, m.positions[pair.account_a, m.books[pair.book_a].slot].lots
                   / m.books[pair.book_a].lots_per_coin)  # fmt: skip
    second = lots_of(m, pair.book_b, coin)
    if abs(affordable(m, pair.book_b, pair.account_b, -direction * second)) < second:
        return
    first = lots_of(m, pair.book_a, coin)
    done = order(m, pair.book_a, pair.account_a, direction * first, SLIPPAGE, ORDINARY)
    if done == 0:
        return
    rest = int(np.floor(second * (abs(done) / first) + 0.5))
    order(m, pair.book_b, pair.account_b, -direction * rest, 20.0 * SLIPPAGE, ORDINARY)
