"""What every agent's orders pass through: what it can afford, and when it looks again."""

from typing import Any, TypeAlias

from airpocket.domain.kernel import kernel
from airpocket.lab.exchange.draws import EXPONENTIAL, drawn
from airpocket.lab.exchange.matching import take
from airpocket.lab.exchange.solvency import free_margin
from airpocket.lab.exchange.state import INVERSE, SPOT, Market

Actor: TypeAlias = Any  # one record of state.ACTOR

MILLISECOND = 1_000_000


@kernel
def pause(m: Market, actor: Actor, mean: int) -> int:
    """Time to the next look, ns: exponential, at least a millisecond."""
    return max(MILLISECOND, int(mean * drawn(actor, m.tables, EXPONENTIAL)))


@kernel
def lots_of(m: Market, book: int, coin: float) -> int:
    """Whole lots of an amount of coin at the book's mark, rounded down."""
    terms = m.books[book]
    if terms.form == INVERSE:
        return int(coin * terms.mark * terms.tick_usd * terms.lots_per_coin)
    return int(coin * terms.lots_per_coin)


@kernel
def affordable(m: Market, book: int, account: int, lots: int) -> int:
    """As many of signed `lots` as the account may order: spot by what it owns, perpetuals by margin."""
    terms = m.books[book]
    held = m.positions[account, terms.slot].lots
    side = 1 if lots > 0 else -1
    if terms.form == SPOT:
        if side > 0:
            most = int(max(0, m.accounts[account].cash) * 0.99 / (terms.ask * terms.scale))
        else:
            most = max(0, held)
        return side * min(abs(lots), most)
    closing = abs(held) if held * side < 0 else 0
    if abs(lots) <= closing:
        return lots
    each = terms.mark * terms.scale if terms.form != INVERSE else terms.scale / terms.mark
    room = int(max(0.0, free_margin(m, account, book)) / each)
    return side * min(abs(lots), room + 2 * closing)


@kernel
def order(m: Market, book: int, account: int, lots: int, slippage: float, cause: int) -> int:
    """A market order for what is affordable of signed `lots`, at most `slippage` (fraction) beyond the
    touch; signed lots filled."""
    terms = m.books[book]
    lots = affordable(m, book, account, lots)
    if lots == 0 or (lots > 0 and terms.ask >= terms.window) or (lots < 0 and terms.bid < 1):
        return 0
    if lots > 0:
        filled, _ = take(m, book, account, lots, int(terms.ask * (1.0 + slippage)), cause)
        return filled
    filled, _ = take(m, book, account, lots, int(terms.bid * (1.0 - slippage)), cause)
    return -filled
