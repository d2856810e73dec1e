"""The event loop: the actor whose time comes first acts, ties by number, in whole nanoseconds."""

from airpocket.domain.kernel import kernel
from airpocket.lab.agents.makers import make
from airpocket.lab.agents.news import turn
from airpocket.lab.agents.pairs import pair_up
from airpocket.lab.agents.takers import take_part
from airpocket.lab.agents.traders import trade
from airpocket.lab.exchange.journal import SPARE
from airpocket.lab.exchange.state import Market
from airpocket.lab.exchange.steps import step

WORLD, VENUE_CLOCK, MAKES, TAKES, TRADES, PAIRS = range(6)  # actor kinds


@kernel
def advance(m: Market, until: int) -> bool:
    """Virtual time up to and with `until`; False where the log has to be emptied first."""
    while m.queue[0].time <= until:
        if m.logged + SPARE > m.log.shape[0]:
            return False
        m.now = m.queue[0].time
        m.events += 1
        m.queue[0].time += max(1, acted(m, m.queue[0].actor))
        _sink(m, 0)
    m.now = until
    return True


@kernel
def acted(m: Market, number: int) -> int:
    """One actor's turn; ns until its next."""
    actor = m.actors[number]
    if actor.kind == MAKES:
        return make(m, actor)
    if actor.kind == TAKES:
        return take_part(m, actor)
    if actor.kind == TRADES:
        return trade(m, actor)
    if actor.kind == PAIRS:
        return pair_up(m, actor)
    if actor.kind == VENUE_CLOCK:
        return step(m, actor.row)
    return turn(m, actor)


@kernel
def heapify(m: Market) -> None:
    """Puts the queue into heap order."""
    for k in range(m.actor_count // 2, -1, -1):
        _sink(m, k)


@kernel
def _sink(m: Market, k: int) -> None:
    count = m.actor_count
    while True:
        first, left = k, 2 * k + 1
        for child in (left, left + 1):
            if child < count and _before(m, child, first):
                first = child
        if first == k:
            return
        time, actor = m.queue[k].time, m.queue[k].actor
        m.queue[k].time, m.queue[k].actor = m.queue[first].time, m.queue[first].actor
        m.queue[first].time, m.queue[first].actor = time, actor
        k = first


@kernel
def _before(m: Market, one: int, other: int) -> bool:
    a, b = m.queue[one], m.queue[other]
    return a.time < b.time or (a.time == b.time and a.actor < b.actor)
