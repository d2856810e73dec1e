"""Levered traders: open at a leverage from the stated mix, close by habit, panic, stop out or are liquidated."""

from airpocket.domain.kernel import kernel
from airpocket.lab.agents.desk import Actor, order, pause
from airpocket.lab.exchange.clearing import notional
from airpocket.lab.exchange.draws import uniform
from airpocket.lab.exchange.journal import ORDINARY
from airpocket.lab.exchange.matching import cancel_all
from airpocket.lab.exchange.solvency import equity
from airpocket.lab.exchange.state import Market

SLIPPAGE = 0.004  # of an opening order: what the book does not give so near stays unopened
CLOSING_SLIPPAGE = 0.004  # of a closing order: the rest of a large position waits for another look
HASTE = 20.0  # leverage that doubles the closing hazard and halves the size: more risk, held for shorter


@kernel
def trade(m: Market, actor: Actor) -> int:
    """One look of a levered trader: a flat one may open, one with a position may close or add margin."""
    trader = m.traders[actor.row]
    book = m.books[trader.book]
    if book.halted or m.accounts[trader.account].stage:
        return pause(m, actor, trader.wake)
    if m.positions[trader.account, book.slot].lots == 0:
        _swept(m, trader.account)
        _opened(m, actor)
    else:
        _looked_after(m, actor)
    return pause(m, actor, trader.wake)


@kernel
def _swept(m: Market, account: int) -> None:
    """What an empty account holds goes back to the pocket."""
    it = m.accounts[account]
    cancel_all(m, account)
    it.pocket += it.cash
    it.cash = 0


@kernel
def leverage_of(m: Market, book: int, u: float) -> float:
    """The leverage at quantile u of the contract's mix, no more than the venue grants."""
    k = 0
    while m.mixes[book, k].below < u:
        k += 1
    return min(m.mixes[book, k].leverage, m.books[book].max_leverage)


@kernel
def margin_share(position_share: float, leverage: float) -> float:
    """Share of the pocket that goes into a new position as margin."""
    return min(1.0, position_share / (1.0 + leverage / HASTE) / leverage)


@kernel
def _opened(m: Market, actor: Actor) -> None:
    trader = m.traders[actor.row]
    it = m.accounts[trader.account]
    phase = m.story[m.phase, trader.book]
    premium = min(max(trader.care * m.books[trader.book].premium, -1.0), 1.0)
    longs = phase.longs * trader.long_bias * (1.0 - max(0.0, premium))
    shorts = phase.shorts * (1.0 - trader.long_bias) * (1.0 + min(0.0, premium))
    if uniform(actor) >= trader.eager * (longs + shorts) * 2.0 or it.pocket <= 0:
        return
    side = 1 if uniform(actor) * (longs + shorts) < longs else -1
    trader.leverage = leverage_of(m, trader.book, uniform(actor))
    margin = int(it.pocket * margin_share(trader.position_share, trader.leverage))
    each = notional(m, trader.book, 1, m.books[trader.book].mark)
    lots = int(margin * trader.leverage * 0.98 / each)
    if lots <= 0:
        return
    paid_in = it.pocket if trader.cross else margin
    it.pocket -= paid_in
    it.cash += paid_in
    filled = abs(order(m, trader.book, trader.account, side * lots, SLIPPAGE, ORDINARY))
    if filled == 0:
        _swept(m, trader.account)
        return
    if not trader.cross and filled < lots:
        back = int(margin * (1.0 - filled / lots))
        it.cash -= back
        it.pocket += back
    if uniform(actor) < trader.stop_share:
        stop_set(m, actor.row, uniform(actor))


@kernel
def stop_set(m: Market, row: int, u: float) -> None:
    """A stop at quantile u between 30 and 80 % of the way that the margin lasts."""
    trader = m.traders[row]
    held = m.positions[trader.account, m.books[trader.book].slot]
    way = (0.3 + 0.5 * u) / trader.leverage
    entry = held.cost / held.lots
    held.stop = max(1, int(entry * (1.0 - way if held.lots > 0 else 1.0 + way)))


@kernel
def _looked_after(m: Market, actor: Actor) -> None:
    """Closing hazard a look: habit, more when in profit (disposition), a jump where the loss frightens."""
    trader = m.traders[actor.row]
    it = m.accounts[trader.account]
    book = m.books[trader.book]
    held = m.positions[trader.account, book.slot]
    phase = m.story[m.phase, trader.book]
    gain = (book.mark * held.lots / held.cost - 1.0) * (1.0 if held.lots > 0 else -1.0)
    on_margin = gain * trader.leverage
    hazard = trader.close * phase.closing * (1.0 + trader.leverage / HASTE)
    if on_margin > trader.take_profit:
        hazard *= trader.tilt
    if on_margin < -trader.panic_at:
        if uniform(actor) < trader.top_up and it.pocket > 0:
            _topped_up(m, trader.account)
            return
        hazard += trader.panic
    if uniform(actor) < hazard:
        order(m, trader.book, trader.account, -held.lots, CLOSING_SLIPPAGE, ORDINARY)


@kernel
def _topped_up(m: Market, account: int) -> None:
    """Adds as much as is left of its equity, from the pocket."""
    it = m.accounts[account]
    more = min(it.pocket, max(0, int(equity(m, account))))
    it.pocket -= more
    it.cash += more
