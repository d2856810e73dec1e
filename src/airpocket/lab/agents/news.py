"""The world outside: phases of the scenario, fair value with clustered fat-tailed news, each book's pace."""

import numpy as np

from airpocket.domain.kernel import kernel
from airpocket.lab.agents.desk import Actor
from airpocket.lab.exchange.draws import NORMAL, STUDENT, drawn
from airpocket.lab.exchange.journal import FAIR, note
from airpocket.lab.exchange.pricing import SECOND, mid
from airpocket.lab.exchange.state import Market
from airpocket.lab.exchange.steps import set_halted

REVERSION = 1.0 / 1_800.0  # of volatility towards its mean, a second
WANDER = 0.02  # of volatility, a root second
PACE = 300.0  # s, time constant of a book's slow average
USUAL = 14_400.0  # s, time constant of the usual distance from it
SHAKE = 1.2533141373  # standard deviation of a normal over its mean distance, √(π/2)


@kernel
def turn(m: Market, actor: Actor) -> int:
    """One second of the world; ns to the next."""
    while m.phase + 1 < m.phase_count and m.story[m.phase + 1, 0].start <= m.now - m.start:
        m.phase += 1
    phase = m.story[m.phase, 0]
    kick = WANDER * drawn(actor, m.tables, NORMAL)
    level = m.fair_volatility * (1.0 + kick) + REVERSION * (1.0 - m.fair_volatility)
    m.fair_volatility = min(max(level, 0.3), 5.0)
    shock = phase.volatility * m.fair_volatility * drawn(actor, m.tables, STUDENT)
    m.fair *= 1.0 + phase.drift + shock
    note(m, FAIR, 0, (int(m.fair / m.books[0].tick_usd * 1_000.0 + 0.5), 0, 0, 0, 0))
    for book in range(m.book_count):
        set_halted(m, book, m.story[m.phase, book].halted)
        _paced(m, book)
    return SECOND


@kernel
def _paced(m: Market, book: int) -> None:
    """How far the mid is from its slow average, and how far it usually is."""
    terms = m.books[book]
    seen = mid(m, book)
    if np.isnan(seen):
        return
    terms.slow += (seen - terms.slow) / PACE
    terms.move = seen / terms.slow - 1.0
    terms.sigma += (SHAKE * np.abs(terms.move) - terms.sigma) / USUAL
