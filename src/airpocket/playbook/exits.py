"""What it takes to get out: an order walked through what rests, or through the impact law's stand-in."""

from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.profile import Resting, profile_of, resting_in
from airpocket.cascade.records import Profile, Unscanned
from airpocket.cascade.settings import CascadeSettings
from airpocket.domain.positions import Position
from airpocket.domain.units import TimeNs
from airpocket.playbook.situation import Situation


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


def exit_profile(situation: Situation, position: Position, price: float) -> Profile | str:
    """The orders that closing a position takes, or why they are not known.

    Its own contract's, where a book or depth bands of it can be used: an order goes to one venue. Else what the
    scan stands on, which may add up the books of several: an optimistic stand-in, named so.
    """
    short, settings = position.side == "short", CascadeSettings()
    own = situation.contract(position)
    if own is not None:
        found = resting_in(own, TimeNs(situation.now), price, "up" if short else "down", settings)
        if isinstance(found, Resting):
            steps = np.arange(0.0, settings.reach + settings.step / 2, settings.step)
            return profile_of(found, found.source, steps, settings)
    cascade = situation.cascade
    if isinstance(cascade, Unscanned):
        return cascade.reason
    profile = (cascade.up if short else cascade.down).profile
    if profile.kind != "book" or profile.contracts == (position.key,):
        return profile
    return replace(profile, label=f"{profile.label}, standing in for {position.key}")
