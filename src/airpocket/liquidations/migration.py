"""How the map moved between two moments: each cluster matched with the one it was, and what became of it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from airpocket.domain.units import PositionSide
from airpocket.liquidations.records import Amount, Cluster, LiquidationMap

Fate: TypeAlias = Literal["new", "grown", "shrunk", "moved", "steady", "traded", "gone"]

REACH = 0.02  # of the price, between peaks of one cluster then and now
CHANGED = 0.25  # of its amount: less is steady
SHIFTED = 0.0025  # of the price: a peak that moved less stands still


@dataclass(frozen=True, slots=True)
class Migration:
    """One cluster then and now; None where there was, or is, none.

    fate: traded: price went through it since; steady: as much as before, though perhaps no peak of its own then
    or now. moved_percent: of the peak, signed, of the price then.
    """

    side: PositionSide
    fate: Fate
    before: Cluster | None
    now: Cluster | None
    before_usd: Amount
    now_usd: Amount

    @property
    def moved_percent(self) -> float | None:
        if self.before is None or self.now is None:
            return None
        return 100.0 * (self.now.peak / self.before.peak - 1.0)


def migration_of(
    before: LiquidationMap, now: LiquidationMap, traded: tuple[float, float]
) -> list[Migration]:
    """Clusters of both maps, matched by nearest peaks of one side; amounts are of the same price range in both.

    traded: lowest and highest price between the two moments, quote per coin.
    """
    found: list[Migration] = []
    for side in ("short", "long"):
        then = [each for each in before.clusters if each.side == side]
        here = [each for each in now.clusters if each.side == side]
        for old, new in _pairs(then, here, now.price):
            found.append(_migration(side, old, new, before, now, traded))
    return found


def _pairs(
    then: list[Cluster], here: list[Cluster], price: float
) -> list[tuple[Cluster | None, Cluster | None]]:
    """The nearest peaks first; whoever is left over has no partner."""
    close = sorted(
        (abs(old.peak - new.peak) / price, i, k)
        for i, old in enumerate(then)
        for k, new in enumerate(here)
        if abs(old.peak - new.peak) <= REACH * price
    )
    partner: dict[int, int] = {}
    for _, i, k in close:
        if i not in partner and k not in partner.values():
            partner[i] = k
    pairs: list[tuple[Cluster | None, Cluster | None]] = [
        (old, here[partner[i]] if i in partner else None) for i, old in enumerate(then)
    ]
    taken = set(partner.values())
    return pairs + [(None, new) for k, new in enumerate(here) if k not in taken]


def _migration(
    side: PositionSide, old: Cluster | None, new: Cluster | None,
    before: LiquidationMap, now: LiquidationMap, traded: tuple[float, float],
) -> Migration:  # fmt: skip
    ends = [each for each in (old, new) if each is not None]
    low, high = min(each.low for each in ends), max(each.high for each in ends)
    was, is_ = (_between(each, side, low, high) for each in (before, now))
    return Migration(side, _fate(old, new, was.usd, is_.usd, traded), old, new, was, is_)


def _between(mapped: LiquidationMap, side: PositionSide, low: float, high: float) -> Amount:
    inside: np.ndarray[tuple[int], np.dtype[np.bool_]] = (mapped.middle >= low) & (
        mapped.middle <= high
    )
    return mapped.ladder(side).within(inside)


def _fate(
    old: Cluster | None, new: Cluster | None, was: float, is_: float, traded: tuple[float, float]
) -> Fate:
    if new is None:
        assert old is not None
        reached = traded[1] >= old.peak if old.side == "short" else traded[0] <= old.peak
        if reached:
            return "traded"
        return "steady" if is_ >= (1.0 - CHANGED) * was else "gone"
    if old is None:
        return "steady" if was >= (1.0 - CHANGED) * is_ else "new"
    if is_ > (1.0 + CHANGED) * was:
        return "grown"
    if is_ < (1.0 - CHANGED) * was:
        return "shrunk"
    return "moved" if abs(new.peak / old.peak - 1.0) > SHIFTED else "steady"
