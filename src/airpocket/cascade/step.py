"""One step of a path: where price is, whom a new extreme forces out, and what reaches the book; for any processor.

Plain functions of 32-bit numbers: `paths.py` compiles them for the processor, `gpu.py` for a GPU.
"""

from typing import NamedTuple

import numpy as np

from airpocket.domain.kernel import anywhere

F, U = np.float32, np.uint32
_STRIDE, _FIRST, _SECOND = U(0x9E3779B9), U(0x21F0AAAD), U(0xD35A2D97)
_15, _16, _8 = U(15), U(16), U(8)
_BYTES, _HALF = U(0x00FF00FF), U(0xFFFF)
# four bytes added up: mean 510, variance 4 (256² − 1)/12
_MEAN, _SCALE = F(510.0), F(1.0 / np.sqrt(4.0 * 65_535.0 / 12.0))
_NIL, _ONE, _LEAST, _HALF_WAY = F(0.0), F(1.0), F(1e-12), F(0.5)


class State(NamedTuple):
    """Where a path stands. Displacements are log-prices from the start, amounts USD, times steps.

    lasting: what stays of the displacement; fading: what decays. basis: how far the price has worked into the
    mark beyond the index. high, low: the extremes so far; mark_high, mark_low those of the mark, and behind_high,
    behind_low what the ladder holds up to them. buys, sells: forced orders on their way to the book; buys_from,
    sells_from: the same times the levels they were forced out at. unfilled_buys, unfilled_sells: sent, not filled.
    """

    lasting: np.float32
    fading: np.float32
    basis: np.float32
    high: np.float32
    low: np.float32
    mark_high: np.float32
    mark_low: np.float32
    behind_high: np.float32
    behind_low: np.float32
    buys: np.float32
    sells: np.float32
    buys_from: np.float32
    sells_from: np.float32
    unfilled_buys: np.float32
    unfilled_sells: np.float32
    high_at: np.float32
    low_at: np.float32


class Terms(NamedTuple):
    """What a path was dealt. rough: noise of one step. fuel: times the ladder. booked: share of what is forced
    that is sent to the book. sent: part of the waiting orders that a step sends. thin: times the impact. lasts:
    share of an impact that stays. kept: part of the fading rest that is left after a step. push: USD a step.
    reach: log-price past their level at which the last orders give up. passed: share of a move that the index
    makes. averaged: part of the way that the mark's basis goes in a step.
    """

    rough: np.float32
    fuel: np.float32
    booked: np.float32
    sent: np.float32
    thin: np.float32
    lasts: np.float32
    kept: np.float32
    push: np.float32
    reach: np.float32
    passed: np.float32
    averaged: np.float32


@anywhere
def mixed(x: np.uint32) -> np.uint32:
    """A one-to-one scrambling of 32 bits in which each bit moves half of the others (C. Wellons, lowbias32)."""
    x = U(x ^ (x >> _16))
    x = U(x * _FIRST)
    x = U(x ^ (x >> _15))
    x = U(x * _SECOND)
    return U(x ^ (x >> _15))


@anywhere
def noise(step: np.uint32, one: np.uint32, other: np.uint32) -> np.float32:
    """Mean 0, variance 1, from a counter: the same whatever else runs, before or beside.

    The sum of four bytes: no tails beyond 3.45, which a sum over many steps does not need (a weak scheme asks
    for the first moments only; Kloeden and Platen 1992, ch. 14). Jumps are drawn for a path as a whole.
    """
    word = mixed(U(mixed(U(step * _STRIDE + one)) ^ other))
    total = U((word & _BYTES) + ((word >> _8) & _BYTES))
    total = U((total & _HALF) + (total >> _16))
    return F((F(np.int32(total)) - _MEAN) * _SCALE)


@anywhere
def marked(state: State, terms: Terms) -> np.float32:
    """The mark: median of the index, the index with its averaged basis, and the price itself."""
    here = state.lasting + state.fading
    index = terms.passed * here
    slow = index + state.basis
    return max(min(index, slow), min(max(index, slow), here))


@anywhere
def filled(
    sent: np.float32, part: np.float32, waiting: np.float32, room: np.float32, reach: np.float32,
    a_dollar_moves: np.float32,
) -> np.float32:  # fmt: skip
    """USD of `sent` that trade before the price leaves what the orders allow.

    Their limits lie evenly up to `reach` past the levels they were forced out at; room: Σ USD × (level − price)
    of all that are `waiting`, a `part` of which was sent. The step is implicit: they never push price past the
    last of their limits.
    """
    allowed = part * (room + reach * waiting) / (reach + sent * a_dollar_moves)
    return max(min(sent, allowed), _NIL)


@anywhere
def advance(  # noqa: PLR0913, PLR0917 - every number a register
    state: State, terms: Terms, ladder: np.float32, impact: np.float32, dice: np.float32, now: np.float32,
    pushing: np.float32, pull: np.float32, most_pull: np.float32,
) -> State:  # fmt: skip
    """The next state. ladder: USD forced up to the mark; impact: log-price a USD moves here, in a book at rest.

    Only a new extreme of the mark forces anybody out (science of `airpocket.cascade.dynamics`); makers who see
    price displaced quote less: impact grows by `pull` a unit of fading displacement, `most_pull` times at most.
    """
    here, mark = state.lasting + state.fading, marked(state, terms)
    higher, lower = here > state.high, here < state.low
    up, down = mark > state.mark_high, mark < state.mark_low
    bought = (ladder - state.behind_high) * terms.fuel * terms.booked if up else _NIL
    sold = (ladder - state.behind_low) * terms.fuel * terms.booked if down else _NIL
    buys, sells = state.buys + bought, state.sells + sold
    buys_from = state.buys_from + bought * _HALF_WAY * (mark + state.mark_high)
    sells_from = state.sells_from + sold * _HALF_WAY * (mark + state.mark_low)
    # the last dollar goes at once, the last of a displacement too: ever smaller numbers are slow ones
    buy_part = terms.sent if buys > _ONE else _ONE
    sell_part = terms.sent if sells > _ONE else _ONE
    buying, selling = buys * buy_part, sells * sell_part
    moves = impact * terms.thin * min(_ONE + pull * abs(state.fading), most_pull)
    lifted = filled(buying, buy_part, buys, buys_from - here * buys, terms.reach, moves)
    hit = filled(selling, sell_part, sells, here * sells - sells_from, terms.reach, moves)
    move = (terms.push * pushing + lifted - hit) * moves
    fading = (state.fading + (_ONE - terms.lasts) * move) * terms.kept
    return State(
        state.lasting + terms.lasts * move + terms.rough * dice, fading if abs(fading) > _LEAST else _NIL,
        state.basis + terms.averaged * (here - terms.passed * here - state.basis),
        here if higher else state.high, here if lower else state.low,
        mark if up else state.mark_high, mark if down else state.mark_low,
        ladder if up else state.behind_high, ladder if down else state.behind_low,
        buys - buying, sells - selling, buys_from * (_ONE - buy_part), sells_from * (_ONE - sell_part),
        state.unfilled_buys + (buying - lifted), state.unfilled_sells + (selling - hit),
        now if higher else state.high_at, now if lower else state.low_at,
    )  # fmt: skip
