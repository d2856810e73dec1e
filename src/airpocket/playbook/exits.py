"""What it takes to get out: an order walked through what rests, or through the impact law's stand-in."""

from dataclasses import dataclass

import numpy as np

from airpocket.cascade.records import Cascade, Profile, Unscanned
from airpocket.domain.units import PositionSide


@dataclass(frozen=True, slots=True)
class Walk:
    """One market order walked. mean, last: fractions of the price paid away; filled: share of it that fills.

    Where filled is below 1, mean and last are of what fills before the orders known here end.
    """

    usd: float
    mean: float
    last: float
    filled: float

    @property
    def cost_usd(self) -> float:
        """Slippage of what fills, USD."""
        return self.mean * self.usd * self.filled


def walk(profile: Profile, usd: float, *, depth: float = 1.0, within: float = np.inf) -> Walk:
    """A market order of `usd` through a profile whose depth is multiplied by `depth`, no further than `within`.

    Between two points of the profile orders are taken to lie evenly.

    Raises:
        ValueError: usd or depth is not positive.
    """
    if not (usd > 0.0 and depth > 0.0):
        raise ValueError(f"usd and depth must be positive, not {usd:g} and {depth:g}")
    distance, absorb = np.asarray(profile.distance), np.asarray(profile.absorb_usd) * depth
    end = min(within, float(distance[-1]))
    there = float(np.interp(end, distance, absorb))
    filled = min(1.0, there / usd)
    taken = usd * filled
    if taken <= 0.0:
        return Walk(usd, 0.0, 0.0, 0.0)
    inside = absorb < taken
    last = float(np.interp(taken, absorb, distance))
    xs = np.concatenate([absorb[inside], [taken]])
    ys = np.concatenate([distance[inside], [last]])
    return Walk(usd, float(np.trapezoid(ys, xs)) / taken, float(ys[-1]), filled)


def exit_profile(cascade: Cascade | Unscanned, side: PositionSide) -> Profile | str:
    """The orders that closing a position of this side takes, or why they are not known."""
    if isinstance(cascade, Unscanned):
        return cascade.reason
    return (cascade.up if side == "short" else cascade.down).profile
