"""Portfolio margin as a stress test: moves of price and volatility that an account is made to lose from."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray

SOURCE = "grid of spot and volatility shocks that Paradex publishes, Deribit's in kind; approximates any venue's"
# of the initial requirement, which is the worst loss
MAINTENANCE_SHARE = 0.5
_SPOT = (-0.16, -0.12, -0.08, -0.04, 0.0, 0.04, 0.08, 0.12, 0.16)
_UP, _DOWN = 0.40, -0.22
_TAILS = (
    (-0.66, 0.24), (-0.33, 0.48), (0.50, 0.32), (1.0, 0.16), (2.0, 0.08), (3.0, 0.0533), (4.0, 0.04), (5.0, 0.032),
)  # fmt: skip
_SHORT_POWER, _LONG_POWER, _SHORT_DAYS = 0.30, 0.13, 30.0


@dataclass(frozen=True, slots=True)
class StressGrid:
    """(r,) scenarios. move: of price, fraction; vol_shock: at 30 days, fraction; weight: of the loss counted."""

    move: FloatArray
    vol_shock: FloatArray
    weight: FloatArray


GRID = StressGrid(
    move=np.array([*_SPOT, *_SPOT, *(move for move, _ in _TAILS)]),
    vol_shock=np.array([*[_UP] * len(_SPOT), *[_DOWN] * len(_SPOT), *[_UP] * len(_TAILS)]),
    weight=np.array([*[1.0] * (2 * len(_SPOT)), *(weight for _, weight in _TAILS)]),
)


def shock_factor(days: FloatArray) -> FloatArray:
    """What a shock to volatility is at `days` to expiry, against 30 days: (30/max(1, days))^p.

    p = 0.30 under 30 days, else 0.13.
    """
    power = np.where(days < _SHORT_DAYS, _SHORT_POWER, _LONG_POWER)
    return (_SHORT_DAYS / np.maximum(1.0, days)) ** power


def requirement(change: FloatArray, fee: FloatArray | float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Initial and maintenance requirement of changes in value under `GRID`.

    change: (r, …) money made (below zero: lost) in each scenario. fee: counted on top of both, same unit.
    """
    weight = GRID.weight.reshape(-1, *[1] * (change.ndim - 1))
    worst = np.maximum((-change * weight).max(axis=0), 0.0)
    return worst + fee, MAINTENANCE_SHARE * worst + fee
