"""Liquidation procedures: one small state machine a venue, as science and `airpocket.margin.rules` tell them.

An account goes from stage 0 (sound) to 1 (in liquidation) when equity no longer exceeds maintenance at
the mark; the venue's engine acts `delay` later, and again every `delay` while it lasts.
"""

import numpy as np

from airpocket.domain.kernel import kernel
from airpocket.lab.exchange.clearing import charged, notional, worth
from airpocket.lab.exchange.matching import cancel_all
from airpocket.lab.exchange.solvency import (
    bankruptcy_price,
    equity,
    has_positions,
    largest_slot,
    maintenance,
    maintenance_of,
    short_of_margin,
    tier_at,
)
from airpocket.lab.exchange.state import RATE, Market
from airpocket.lab.exchange.takeover import (
    deleverage,
    disposed,
    ended,
    forced_order,
    fund_can_take,
    taken_over,
    to_tick,
)

REACH = 0.05  # a fund's closing order goes no further beyond bankruptcy; the rest stays its stock
REDUCE, TAKEOVER, TIERED, CLIPS, VAULT = 0, 1, 2, 3, 4


@kernel
def supervise(m: Market, venue: int) -> None:
    """Starts and carries on the liquidations of a venue at its present marks."""
    it = m.venues[venue]
    now = m.now
    for account in range(it.first_account, it.first_account + it.accounts):
        one = m.accounts[account]
        if one.system:
            continue
        if not has_positions(m, account):
            if one.cash < 0:  # a stop or a closing order went past bankruptcy
                ended(m, account, False)
            continue
        if one.stage == 0 and short_of_margin(m, account):
            one.stage, one.due = 1, now + it.delay
        if one.stage == 1 and one.due <= now:
            act(m, account)


@kernel
def act(m: Market, account: int) -> None:
    """One action of the venue's engine on an account in liquidation."""
    it = m.accounts[account]
    venue = m.venues[it.venue]
    cancel_all(m, account)
    slot = largest_slot(m, account)
    if slot < 0 or not short_of_margin(m, account):
        it.stage = 0
        return
    book = venue.first_book + slot
    it.due = m.now + max(venue.delay, 1)
    if venue.procedure == REDUCE:
        _reduced(m, account, book)
    elif venue.procedure == TAKEOVER:
        _taken(m, account, book)
    elif venue.procedure == TIERED:
        _down_two_tiers(m, account, book)
    elif venue.procedure == CLIPS:
        _clipped(m, account, book)
    else:
        _to_vault(m, account, book)
    if it.stage == 1 and has_positions(m, account) and not short_of_margin(m, account):
        it.stage = 0


@kernel
def lots_to_cover(m: Market, account: int, book: int) -> int:
    """Fewest lots whose closing leaves equity at or above maintenance; all where none does.

    Counted as filled at the touch where that is worse than the mark, with the fee paid.
    """
    terms = m.books[book]
    lots = m.positions[account, terms.slot].lots
    sign = 1 if lots > 0 else -1
    rate = m.venues[terms.venue].liquidation_fee / RATE
    own = maintenance_of(m, book, lots, terms.mark)
    others = maintenance(m, account) - own
    value = equity(m, account)
    best = terms.bid if lots > 0 else terms.ask
    touch = float(best) if 1 <= best < terms.window else terms.mark
    low, high = 0, abs(lots)
    while high - low > 1:
        half = (low + high) // 2
        cost = rate * notional(m, book, half, terms.mark)
        cost += max(
            0.0, worth(m, book, sign * half, terms.mark) - worth(m, book, sign * half, touch)
        )
        left = maintenance_of(m, book, sign * (abs(lots) - half), terms.mark) + others
        if value - cost >= left:
            high = half
        else:
            low = half
    return high


@kernel
def _reduced(m: Market, account: int, book: int) -> None:
    """Binance: one order for just enough, no worse than bankruptcy; still short: the rest is disposed of."""
    slot = m.books[book].slot
    lots = m.positions[account, slot].lots
    side = -1 if lots > 0 else 1
    limit = to_tick(m, book, bankruptcy_price(m, account, book))
    forced_order(m, book, account, account, side * lots_to_cover(m, account, book), limit)
    rest = m.positions[account, slot].lots
    if rest != 0 and short_of_margin(m, account):
        disposed(m, book, account, rest, limit)
    ended(m, account, False)


@kernel
def _taken(m: Market, account: int, book: int) -> None:
    """Bybit: the whole position to the fund at the bankruptcy price, which closes it in the book."""
    lots = m.positions[account, m.books[book].slot].lots
    tick = to_tick(m, book, bankruptcy_price(m, account, book))
    fund = m.venues[m.books[book].venue].fund
    if not fund_can_take(m, book, lots, tick):
        deleverage(m, book, account, lots, tick)
        ended(m, account, True)
        return
    taken_over(m, book, account, fund, lots, tick)
    ended(m, account, True)
    room = min(REACH, max(0.0, equity(m, fund)) / notional(m, book, lots, float(tick)))
    worst = tick * (1.0 - room) if lots > 0 else tick * (1.0 + room)
    forced_order(m, book, account, fund, -lots, to_tick(m, book, worst))


@kernel
def _down_two_tiers(m: Market, account: int, book: int) -> None:
    """OKX: from the third tier up, down by two tiers and look again; below, closed whole."""
    terms = m.books[book]
    lots = m.positions[account, terms.slot].lots
    size = notional(m, book, lots, terms.mark)
    tier = tier_at(m, book, size)
    close = abs(lots)
    if tier >= 2:
        kept = int(abs(lots) * (m.tiers[book, tier - 1].floor / size))
        close = abs(lots) - kept
    sign = 1 if lots > 0 else -1
    limit = to_tick(m, book, bankruptcy_price(m, account, book))
    rest = forced_order(m, book, account, account, -sign * close, limit)
    disposed(m, book, account, sign * rest, limit)
    ended(m, account, False)


@kernel
def _clipped(m: Market, account: int, book: int) -> None:
    """Deribit: a clip at any price; the engine comes again while maintenance is not covered.

    A bankrupt account's rest goes to the fund, else to the winners: the venue's page says only that
    the fund covers bankruptcies, at the bankruptcy price is assumed.
    """
    lots = m.positions[account, m.books[book].slot].lots
    if equity(m, account) < 0.0:
        disposed(m, book, account, lots, to_tick(m, book, bankruptcy_price(m, account, book)))
        ended(m, account, True)
        return
    share = m.venues[m.books[book].venue].clip
    clip = min(abs(lots), max(1, int(np.ceil(abs(lots) * share))))
    sign = 1 if lots > 0 else -1
    forced_order(m, book, account, account, -sign * clip, _any_price(m, book, -sign))
    ended(m, account, False)


@kernel
def _to_vault(m: Market, account: int, book: int) -> None:
    """Hyperliquid: market order (a fifth first when large), backstop vault, then deleveraging."""
    it = m.accounts[account]
    terms = m.books[book]
    venue = m.venues[terms.venue]
    lots = m.positions[account, terms.slot].lots
    sign = 1 if lots > 0 else -1
    value = equity(m, account)
    if value < 0.0:
        deleverage(m, book, account, lots, to_tick(m, book, terms.mark_before))
        ended(m, account, True)
    elif value < venue.backstop * maintenance(m, account):
        taken_over(m, book, account, venue.vault, lots, to_tick(m, book, terms.mark))
        if not has_positions(m, account):
            charged(m, account, venue.vault, it.cash)
        ended(m, account, True)
    else:
        close = abs(lots)
        large = notional(m, book, lots, terms.mark) > venue.clip_above
        if large and m.now >= it.cool_until:
            close = min(close, max(1, int(np.ceil(close * venue.clip))))
            it.cool_until = m.now + venue.cooldown
        forced_order(m, book, account, account, -sign * close, _any_price(m, book, -sign))
        ended(m, account, False)


@kernel
def _any_price(m: Market, book: int, side: int) -> int:
    return m.books[book].window - 1 if side > 0 else 1
