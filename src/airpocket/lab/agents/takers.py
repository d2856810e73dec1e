"""Takers: noise that splits its orders, trend followers, mean reverters, the informed, and scripted flow."""

import numpy as np

from airpocket.domain.kernel import kernel
from airpocket.lab.agents.desk import Actor, lots_of, order, pause
from airpocket.lab.exchange.draws import SIZES, drawn, uniform
from airpocket.lab.exchange.journal import ORDINARY
from airpocket.lab.exchange.pricing import mid
from airpocket.lab.exchange.state import Market

NOISE, TREND, REVERTER, INFORMED, FLOW = 0, 1, 2, 3, 4
SECOND = 1_000_000_000


@kernel
def take_part(m: Market, actor: Actor) -> int:
    """One look of a taker; its next one."""
    taker = m.takers[actor.row]
    phase = m.story[m.phase, taker.book]
    seen = mid(m, taker.book)
    if np.isnan(seen):  # a side is empty
        seen = float(m.books[taker.book].last)
    if m.books[taker.book].halted:
        return pause(m, actor, taker.wake)
    if taker.style == NOISE:
        _noise(m, actor)
        return pause(m, actor, int(taker.wake / max(0.05, phase.activity)))
    if taker.style == INFORMED:
        _informed(m, actor, seen)
    elif taker.style == FLOW:
        _flow(m, actor, phase.flow)
        return taker.wake
    else:
        _towards(m, actor, seen)
    return pause(m, actor, taker.wake)


@kernel
def _noise(m: Market, actor: Actor) -> None:
    """Works on a parent order of Pareto length; a new one leans against what it already holds."""
    taker = m.takers[actor.row]
    if taker.left <= 0:
        held = m.positions[taker.account, m.books[taker.book].slot].lots - taker.home
        buys = 0.5 - 0.5 * min(max(held / taker.limit, -1.0), 1.0)
        taker.side = 1 if uniform(actor) < buys else -1
        taker.left = 1 + int(taker.parent * drawn(actor, m.tables, SIZES))
    taker.left -= 1
    lots = max(1, int(taker.lots * drawn(actor, m.tables, SIZES)))
    order(m, taker.book, taker.account, taker.side * lots, taker.slippage, ORDINARY)


@kernel
def _informed(m: Market, actor: Actor, seen: float) -> None:
    """Trades towards fair value when the book is further from it than the threshold (fraction)."""
    taker = m.takers[actor.row]
    fair = m.fair / m.books[taker.book].tick_usd
    gap = fair / seen - 1.0
    if abs(gap) <= taker.threshold:
        return
    eager = min(4.0, abs(gap) / taker.threshold)
    lots = int(taker.lots * eager * drawn(actor, m.tables, SIZES))
    held = m.positions[taker.account, m.books[taker.book].slot].lots - taker.home
    lots = min(lots, taker.limit - held if gap > 0.0 else taker.limit + held)
    if lots > 0:
        order(m, taker.book, taker.account, lots if gap > 0.0 else -lots, abs(gap), ORDINARY)


@kernel
def _towards(m: Market, actor: Actor, seen: float) -> None:
    """Holds a position in proportion to the distance of two averages, with it (trend) or against it."""
    taker = m.takers[actor.row]
    taker.fast += taker.fast_weight * (seen - taker.fast)
    taker.slow += taker.slow_weight * (seen - taker.slow)
    signal = taker.gain * (taker.fast / taker.slow - 1.0)
    if taker.style == REVERTER:
        signal = taker.gain * (1.0 - seen / taker.slow)
    target = taker.home + int(taker.limit * min(max(signal, -1.0), 1.0))
    missing = target - m.positions[taker.account, m.books[taker.book].slot].lots
    lots = min(abs(missing), max(1, int(taker.lots * drawn(actor, m.tables, SIZES))))
    if abs(missing) > taker.lots:
        side = 1 if missing > 0 else -1
        order(m, taker.book, taker.account, side * lots, taker.slippage, ORDINARY)


@kernel
def _flow(m: Market, actor: Actor, usd_per_second: float) -> None:
    """The scenario's buying (+) or selling, evenly spread; what could not be done is still owed."""
    taker = m.takers[actor.row]
    taker.owed += usd_per_second * (taker.wake / SECOND)
    price = m.books[taker.book].mark * m.books[taker.book].tick_usd
    lots = lots_of(m, taker.book, abs(taker.owed) / price)
    if usd_per_second == 0.0:
        taker.owed = 0.0
    if lots <= 0:
        return
    side = 1 if taker.owed > 0.0 else -1
    done = order(m, taker.book, taker.account, side * lots, taker.slippage, ORDINARY)
    taker.owed -= taker.owed * abs(done) / lots
