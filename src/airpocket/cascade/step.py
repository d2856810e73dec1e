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
_NIL, _ONE, _LEAST = F(0.0), F(1.0), F(1e-12)


class State(NamedTuple):
    """Where a path stands. Displacements are log-prices from the start, amounts USD, times steps.

    lasting: what stays of the displacement; fading: what decays. high, low: the extremes so far, and
    behind_high, behind_low what the ladder holds up to them. buys, sells: forced orders on their way to the
    book; bought, sold: forced in all, on the book or off it.
    """

    lasting: np.float32
    fading: np.float32
    high: np.float32
    low: np.float32
    behind_high: np.float32
    behind_low: np.float32
    buys: np.float32
    sells: np.float32
    bought: np.float32
    sold: np.float32
    high_at: np.float32
    low_at: np.float32


class Terms(NamedTuple):
    """What a path was dealt. rough: noise of one step. fuel: times the ladder. booked: share of what is forced
    that reaches the book. sent: part of the waiting orders that a step sends. thin: times the impact.
    lasts: share of an impact that stays. kept: part of the fading rest that is left after a step. push: USD a step.
    """

    rough: np.float32
    fuel: np.float32
    booked: np.float32
    sent: np.float32
    thin: np.float32
    lasts: np.float32
    kept: np.float32
    push: np.float32


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
def advance(  # noqa: PLR0913, PLR0917 - every number a register
    state: State, terms: Terms, ladder: np.float32, impact: np.float32, dice: np.float32, now: np.float32,
    pushing: np.float32, pull: np.float32, most_pull: np.float32,
) -> State:  # fmt: skip
    """The next state. ladder: USD forced up to here; impact: log-price a USD moves here, in a book at rest.

    Only a new extreme forces anybody out (science of `airpocket.cascade.dynamics`); makers who see price
    displaced quote less: impact grows by `pull` a unit of fading displacement, `most_pull` times at most.
    """
    here = state.lasting + state.fading
    higher, lower = here > state.high, here < state.low
    bought = (ladder - state.behind_high) * terms.fuel if higher else _NIL
    sold = (ladder - state.behind_low) * terms.fuel if lower else _NIL
    buys, sells = state.buys + terms.booked * bought, state.sells + terms.booked * sold
    # the last dollar goes at once, the last of a displacement too: ever smaller numbers are slow ones
    buying = buys * terms.sent if buys > _ONE else buys
    selling = sells * terms.sent if sells > _ONE else sells
    thinner = min(_ONE + pull * abs(state.fading), most_pull)
    move = (terms.push * pushing + buying - selling) * impact * terms.thin * thinner
    fading = (state.fading + (_ONE - terms.lasts) * move) * terms.kept
    return State(
        state.lasting + terms.lasts * move + terms.rough * dice, fading if abs(fading) > _LEAST else _NIL,
        here if higher else state.high, here if lower else state.low,
        ladder if higher else state.behind_high, ladder if lower else state.behind_low,
        buys - buying, sells - selling, state.bought + bought, state.sold + sold,
        now if higher else state.high_at, now if lower else state.low_at,
    )  # fmt: skip
