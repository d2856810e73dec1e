"""The prices at which a whole account is forced out, up and down, and what it pays and ranks for meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import BoolArray, FloatArray
from airpocket.playbook.ledger import Ledger, PerpLeg
from airpocket.playbook.valuation import value

_DOWN, _UP = 9.0, 7.0  # log moves looked at: to a ten thousandth, to a thousandfold
_STEPS = 1_201
_FINER = 257
_ROUNDS = 6
_PERIODS_A_DAY = 3.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Nearest prices at which equity meets maintenance, below and above the mark; None where none does.

    already: it does not cover maintenance at the mark, and both are None.
    """

    down: float | None
    up: float | None
    already: bool


def thresholds(
    ledger: Ledger, *, vol_shift: float = 0.0, days: float = 0.0, multiple: float = 1.0
) -> Thresholds:
    """Solved on the whole account, options revalued: the nearest root each way, not the furthest.

    multiple: of maintenance; 0 gives where equity is gone.

    Looked for from a ten thousandth to a thousandfold of the mark in steps that widen from 0.00005 % to 1 %;
    an account that dips under maintenance for less than one step and recovers is not seen to.
    """

    def gone(log_move: FloatArray) -> BoolArray:
        at = value(ledger, ledger.mark * np.exp(log_move), vol_shift, days)
        return ~(at.equity_usd - multiple * at.maintenance_usd > 0.0)

    if gone(np.zeros(1))[0]:
        return Thresholds(None, None, already=True)
    down, up = _root(gone, -_DOWN), _root(gone, _UP)
    prices = [None if each is None else ledger.mark * float(np.exp(each)) for each in (down, up)]
    return Thresholds(prices[0], prices[1], already=False)


def _root(gone: Callable[[FloatArray], BoolArray], reach: float) -> float | None:
    bracket = _first(gone, reach * np.linspace(0.0, 1.0, _STEPS) ** 2)
    if bracket is None:
        return None
    for _ in range(_ROUNDS):
        bracket = _first(gone, np.linspace(*bracket, _FINER)) or bracket
    return bracket[1]


def _first(
    gone: Callable[[FloatArray], BoolArray], log_move: FloatArray
) -> tuple[float, float] | None:
    """The first step at whose end it is gone, from a start where it is not."""
    lost = gone(log_move)
    lost[0] = False
    if not lost.any():
        return None
    at = int(np.argmax(lost))
    return float(log_move[at - 1]), float(log_move[at])


def funding_day(ledger: Ledger) -> float:
    """USD a day that funding brings (below zero: costs) at the present rates; NaN where one is unknown."""
    return float(sum(_funding(each) for each in ledger.perps))


def _funding(each: PerpLeg) -> float:
    return -each.leg.sign * each.funding_8h * _PERIODS_A_DAY * _notional_usd(each)


def adl_scores(ledger: Ledger) -> dict[str, float]:
    """Score of each position in its venue's queue for deleveraging: profit over entry value × leverage.

    0 without a profit: it is among the last. Venues rank by this or alike, among all their traders, whom
    nobody else sees: the score orders one's own positions, and tells which less leverage would help.
    """
    equity = float(value(ledger, ledger.mark).equity_usd)
    scores: dict[str, float] = {}
    for each in ledger.perps:
        gain = each.leg.sign * (each.mark / each.position.entry_price - 1.0)
        leverage = _notional_usd(each) / equity if equity > 0.0 else np.inf
        scores[each.position.key] = max(gain, 0.0) * leverage if gain > 0.0 else 0.0
    return scores


def _notional_usd(each: PerpLeg) -> float:
    return each.leg.quantity * each.mark if each.leg.form == "linear" else each.leg.quantity
