"""The mean loss of the worst moves of a week, with and without a hedge, by a distribution that is stated."""

import math

import numpy as np

from airpocket.domain.estimates import USD, Estimate, unknown
from airpocket.domain.events import FloatArray
from airpocket.playbook.hedging.asked import Asked, Maker
from airpocket.playbook.hedging.rows import Rows, line_of

_MOVES = 2_000  # equally likely
_SHARE = 0.05


def moves_of(yearly_percent: float, days: float) -> FloatArray:
    """(n,) equally likely moves of price, fractions, smallest first: Student's t with four degrees of freedom.

    Log moves have the deviation that the volatility gives `days`, and no drift. Quantiles by W. T. Shaw, Sampling
    Student's T distribution, Journal of Computational Finance 9 (2006), equation 37: exact for four degrees.
    """
    at = (np.arange(_MOVES) + 0.5) / _MOVES
    alpha = 4.0 * at * (1.0 - at)
    q = np.cos(np.arccos(np.sqrt(alpha)) / 3.0) / np.sqrt(alpha)
    t = np.sign(at - 0.5) * 2.0 * np.sqrt(np.maximum(q - 1.0, 0.0))
    deviation = yearly_percent / 100.0 * math.sqrt(days / 365.0)
    return np.expm1(deviation * t / math.sqrt(2.0))  # of variance two


def tail_loss(asked: Asked, maker: Maker | None, coins: FloatArray) -> Estimate:
    """USD: the mean loss of equity over the worst 5 % of moves (CVaR), with `coins` of a maker's columns.

    As if nobody were liquidated on the way; volatilities of options as they are.
    """
    days = asked.settings.tail_d
    if asked.yearly.value is None:
        return unknown(USD, f"the volatility is not known: {asked.yearly.unknown}")
    moves = moves_of(asked.yearly.value, days)
    rows = Rows(moves, np.zeros(_MOVES), np.full(_MOVES, days), np.ones(_MOVES, dtype=np.bool_))
    now = asked.base(line_of(np.zeros(1), asked.settings, (0.0,))).equity.min()
    left = asked.base(rows).equity - now
    if maker is not None and len(coins):
        made = maker(rows)
        left = left + (made.worth - made.cost) @ coins
    worst = np.sort(left)[: round(_SHARE * _MOVES)]
    told = f"worst 5 % of {days:g} days' moves, Student's t with 4 degrees at {asked.yearly.value:.0f} % a year"
    return asked.figure(-float(worst.mean()), USD, told)
