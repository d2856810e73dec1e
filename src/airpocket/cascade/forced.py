"""Forced flow by distance from the map, and the sets of priors that a range is taken over."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from airpocket.cascade.records import Direction
from airpocket.cascade.settings import CascadeSettings, Prior
from airpocket.domain.estimates import Estimate
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import PositionSide
from airpocket.liquidations.records import LiquidationMap

# Fractional steps of the four-dimensional additive recurrence (powers of 1/1.1673…, the root of x⁵ = x + 1):
# evenly spread points without any randomness.
_STEPS = 1.1673039782614187 ** -np.arange(1.0, 5.0)


class Forced(NamedTuple):
    """Gross forced flow one way, cumulative USD: centre (B,), draws (M, B), at distances (B,)."""

    distance: FloatArray
    centre: FloatArray
    draws: FloatArray


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What nobody measured, once as the centres and N times as sets, arrays (N,).

    y: of the square-root law. beyond: orders past the last stored one, over the centre. fuel multiplies
    the gross forced flow: book share × (1 − hedged share). draw: row of the map's draws. hedged: that share alone.
    """

    fuel_centre: float
    y_centre: float
    y: FloatArray
    beyond: FloatArray
    fuel: FloatArray
    draw: IntArray
    hedged: Prior

    def refill(self, kind: Literal["book", "square_root"]) -> FloatArray:
        """(N,) what the modelled part of a profile is multiplied by; a smaller Y absorbs more."""
        return self.beyond if kind == "book" else (self.y_centre / self.y) ** 2


def side_of(direction: Direction) -> PositionSide:
    """Whose positions a move this way forces out."""
    return "short" if direction == "up" else "long"


def forced_of(
    found: LiquidationMap, price: float, direction: Direction, distance: FloatArray
) -> Forced:
    """The map's ladder seen from `price`, cut where the map ends; a bucket's amount lies evenly in it.

    What the map holds behind the price is left out: price has been there.
    """
    ladder = found.ladder(side_of(direction))
    away = found.edge / price - 1.0 if direction == "up" else 1.0 - found.edge / price
    rows = np.atleast_2d(ladder.draws) if ladder.draws.size else ladder.usd[None, :]
    if direction == "down":
        away, centre, rows = away[::-1], ladder.usd[::-1], rows[:, ::-1]
    else:
        centre = ladder.usd
    inside = distance[distance <= away[-1] + 1e-12]
    return Forced(
        inside,
        _cumulative(away, centre, inside),
        np.stack([_cumulative(away, row, inside) for row in rows]),
    )


def _cumulative(away: FloatArray, usd: FloatArray, distance: FloatArray) -> FloatArray:
    total = np.concatenate([[0.0], np.cumsum(usd)])
    behind = np.interp(0.0, away, total)
    return np.maximum(np.interp(distance, away, total) - behind, 0.0)


def beliefs(hedged: Estimate, draws: int, settings: CascadeSettings) -> Beliefs:
    """Sets of priors, evenly spread over their triangles and over the map's draws.

    An unknown hedged share leaves the flow gross, which the scan's notes say.
    """
    n = np.arange(settings.scenarios, dtype=np.int64)
    even: FloatArray = (0.5 + (n[:, None].astype(np.float64) + 1.0) * _STEPS) % 1.0
    share = _hedged(hedged)
    y = quantile(settings.impact_y, even[:, 0])
    fuel = quantile(settings.book_share, even[:, 1]) * (1.0 - quantile(share, even[:, 2]))
    beyond = quantile(settings.beyond_book, even[:, 3]) / settings.beyond_book.centre
    centre = settings.book_share.centre * (1.0 - share.centre)
    return Beliefs(centre, settings.impact_y.centre, y, beyond, fuel, n % draws, share)


def _hedged(hedged: Estimate) -> Prior:
    if hedged.value is None:
        return Prior(0.0, 0.0, 0.0)
    centre = min(max(hedged.value / 100.0, 0.0), 1.0)
    if hedged.low is None or hedged.high is None:
        return Prior(centre, centre, centre)
    low, high = max(hedged.low / 100.0, 0.0), min(hedged.high / 100.0, 1.0)
    return Prior(min(low, centre), centre, max(high, centre))


def quantile(prior: Prior, share: FloatArray) -> FloatArray:
    """Inverse of the triangular distribution, element by element."""
    width = prior.high - prior.low
    if width <= 0.0:
        return np.full(len(share), prior.centre)
    rising, falling = prior.centre - prior.low, prior.high - prior.centre
    left = prior.low + np.sqrt(share * width * rising)
    right = prior.high - np.sqrt((1.0 - share) * width * falling)
    return np.where(share * width < rising, left, right)
