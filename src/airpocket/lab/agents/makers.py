"""Market makers: a ladder of quotes round a belief, refilled step by step, pulled when price runs."""

import numpy as np

from airpocket.domain.kernel import kernel
from airpocket.lab.agents.desk import Actor, pause
from airpocket.lab.exchange.draws import uniform
from airpocket.lab.exchange.matching import cancel, rest
from airpocket.lab.exchange.pricing import mid
from airpocket.lab.exchange.state import SPOT, Market

# distance of each quote from the half-spread, in units of `stretch` ticks; it covers the gap to the next
LADDER = np.array(
    [0, 1, 2, 4, 6, 9, 14, 20, 30, 45, 65, 95, 140, 200, 300, 450, 650], dtype=np.float64
)
SPAN = 450.0  # units from the first quote to the last
TOLERANCE = 0.2  # a quote may be off its place by this share of its distance
MOST_LEAN = 3.0  # the skew grows up to so many limits of stock
SHY = 0.8  # share of a side's size that is withheld at the limit
BASIS_PACE = 0.0005  # of the way to the present basis, a look
HOUR_NS = 3_600_000_000_000
WEEK_OFFSET = 72  # 1970-01-01 was a Thursday; hour 0 of the week is Monday's


@kernel
def make(m: Market, actor: Actor) -> int:
    """One look of a maker: move the belief, then every quote that is missing, misplaced or too large."""
    maker = m.makers[actor.row]
    terms = m.books[maker.book]
    if terms.halted:
        return pause(m, actor, maker.wake)
    believe(m, actor.row)
    stock = m.positions[maker.account, terms.slot].lots
    maker.home += maker.lay_off * (stock - maker.home)
    lean = min(max((stock - maker.home) / maker.limit, -MOST_LEAN), MOST_LEAN)
    centre = maker.belief * (1.0 - maker.skew * lean)
    for side in range(2):
        sign = 1 if side == 0 else -1
        share = willing(m, actor.row, sign) * (1.0 - SHY * min(1.0, max(0.0, lean * sign)))
        if terms.form == SPOT and sign < 0 and stock <= 0:
            share = 0.0
        for k in range(maker.levels):
            _quote(m, actor, sign, k, centre, share)
    return pause(m, actor, maker.wake)


@kernel
def believe(m: Market, row: int) -> None:
    """The belief learns from the tape of the own book and, by `link`, from the reference and usual basis.

    A buyer's lots raise it by `learn` each, linear as in Kyle 1985. It does not follow the book's own
    middle: that holds the makers' skew already and would run away with it.
    """
    maker = m.makers[row]
    flow = m.books[maker.book].flow
    maker.belief *= 1.0 + min(max(maker.learn * (flow - maker.seen), -0.01), 0.01)
    maker.seen = flow
    if maker.reference >= 0 and not m.books[maker.reference].halted:
        other = mid(m, maker.reference)
        if not np.isnan(other):
            other *= m.books[maker.reference].tick_usd / m.books[maker.book].tick_usd
            maker.basis += BASIS_PACE * (maker.belief - other - maker.basis)
            maker.belief += maker.link * (other + maker.basis - maker.belief)


@kernel
def willing(m: Market, row: int, sign: int) -> float:
    """Share of its full size a maker shows on a side (+1 bids): scenario, hour of week, and how far price
    ran.

    Pull-back is 1/(1 + ηx + (ηx)²/2), close to e^(−ηx), x the distance from the five-minute average over
    its usual size (science §3.4), doubled on the side that is run over.
    """
    maker = m.makers[row]
    terms = m.books[maker.book]
    phase = m.story[m.phase, maker.book]
    hour = (m.now // HOUR_NS + WEEK_OFFSET) % 168
    ran = terms.move / terms.sigma
    x = maker.pull * abs(ran) * (1.5 if ran * sign < 0.0 else 0.75)
    calm = max(maker.floor, 1.0 / (1.0 + x + x * x / 2.0))
    return (phase.bids if sign > 0 else phase.offers) * m.hours[hour] * calm


@kernel
def _quote(m: Market, actor: Actor, sign: int, k: int, centre: float, share: float) -> None:
    maker = m.makers[actor.row]
    away = maker.half_spread + LADDER[k] * maker.stretch
    place = int(np.floor(centre - away)) if sign > 0 else int(np.ceil(centre + away))
    full = maker.density * (LADDER[k + 1] - LADDER[k]) * share
    side = 0 if sign > 0 else 1
    number = m.quotes[actor.row, side, k]
    kept = 0
    if number >= 0:
        it = m.orders[number]
        if it.owner == maker.account and it.tag == 1 + side + 2 * k:
            off = abs(it.tick - place)
            if off <= max(1.0, TOLERANCE * away) and 0.5 * full <= it.lots <= 2.0 * full:
                return
            kept = it.lots
            cancel(m, number)
        m.quotes[actor.row, side, k] = -1
    wanted = full * (0.6 + 0.8 * uniform(actor))
    lots = int(min(wanted, kept + maker.refill * full))
    number = rest(m, maker.book, maker.account, sign, place, lots)
    if number >= 0:
        m.orders[number].tag = 1 + side + 2 * k
        m.quotes[actor.row, side, k] = number
