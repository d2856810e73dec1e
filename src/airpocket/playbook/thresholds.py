"""The prices at which a whole account is forced out, up and down, and what it pays and ranks for meanwhile."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray
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


def thresholds(ledger: Ledger, *, vol_shift: float = 0.0, days: float = 0.0) -> Thresholds:
    """Solved on the whole account, options revalued: the nearest root each way, not the furthest.

    Looked for from a ten thousandth to a thousandfold of the mark in steps that widen from 0.00005 % to 1 %;
    an account that dips under maintenance for less than one step and recovers is not seen to.
    """
    if not float(value(ledger, ledger.mark, vol_shift, days).surplus_usd) > 0.0:
        return Thresholds(None, None, already=True)
    return Thresholds(
        _root(ledger, -_DOWN, vol_shift, days), _root(ledger, _UP, vol_shift, days), already=False
    )


def _root(ledger: Ledger, reach: float, vol_shift: float, days: float) -> float | None:
    bracket = _first_below(
        ledger, reach * np.linspace(0.0, 1.0, _STEPS) ** 2, vol_shift, days, start=True
    )
    for _ in range(_ROUNDS):
        if bracket is None:
            return None
        bracket = _first_below(ledger, np.linspace(*bracket, _FINER), vol_shift, days, start=False)
    return None if bracket is None else ledger.mark * float(np.exp(bracket[1]))


def _first_below(
    ledger: Ledger, log_move: FloatArray, vol_shift: float, days: float, *, start: bool
) -> tuple[float, float] | None:
    """The first step in which the surplus is gone; the last one where rounding lost it again."""
    gone = ~(value(ledger, ledger.mark * np.exp(log_move), vol_shift, days).surplus_usd > 0.0)
    gone[0] = False
    if not gone.any():
        return None if start else (float(log_move[-2]), float(log_move[-1]))
    at = int(np.argmax(gone))
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
