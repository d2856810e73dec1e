"""Worlds weighed by what was told → one side's ladder with draws, none above open interest."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.liquidations.cohorts import DUST, Units, VenueCohorts, units
from airpocket.liquidations.feed import Feed
from airpocket.liquidations.records import Ladder
from airpocket.liquidations.settings import MapSettings, even_points

_TURN = 0.3  # of log-price, where more near the price begins to be less
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Held:
    """One contract's coin by rising bucket from `first`: centre (B,) and draws (M, B), of one side.

    beyond: coin that no price forces out.
    """

    first: int
    centre: FloatArray
    draws: FloatArray
    beyond: float

    @property
    def last(self) -> int:
        return self.first + len(self.centre) - 1


class Drawn:
    """One contract's worlds, drawn `settings.draws` times by their weights; the same draw for both sides."""

    def __init__(self, venue: VenueCohorts, feed: Feed, number: int, s: MapSettings) -> None:
        self._venue, self._feed, self._s = venue, feed, s
        self._weights = venue.weights
        self._rng = np.random.default_rng([s.seed, number])
        # one draw in each slice of the weights, so that few draws stand for many worlds
        at = (np.arange(s.draws) + self._rng.uniform(size=s.draws)) / s.draws
        self._world: IntArray = np.minimum(
            np.searchsorted(np.cumsum(self._weights), at), len(self._weights) - 1
        )
        self._doubt = np.exp(s.doubt * self._rng.standard_normal(s.draws) - 0.5 * s.doubt**2)
        moves = max(int(np.count_nonzero(np.diff(feed.coin))), 1)
        outrun = min(venue.impossible / moves, 1.0)  # open interest that cannot be what it says
        self._blind = s.blind * float(np.sqrt(min(feed.hidden + outrun, 1.0)))
        # evenly, whatever the world: a range from few draws shall not hang on which of them met
        even = even_points(s.draws, number + 2)[:, number]
        self._near = np.array([_NORMAL.inv_cdf(float(each)) for each in even])

    def held(self, side: int, reach: int) -> Held:
        """One side beyond bucket `reach` (counted outward)."""
        worlds = [
            units(world, rules, side, reach)
            for world, rules in zip(self._venue.worlds, self._venue.rules, strict=True)
        ]
        found = [world for world in worlds if len(world.coin)]
        if not found:
            return Held(0, np.zeros(0), np.zeros((self._s.draws, 0)), 0.0)
        first = min(world.first for world in found)
        count = max(world.first + len(world.coin) for world in found) - first
        centre, beyond = np.zeros(count), 0.0
        draws = np.zeros((self._s.draws, count))
        for at, world in enumerate(worlds):
            own = slice(world.first - first, world.first - first + len(world.coin))
            scale = self._scale(float(world.coin.sum()) + world.never)
            centre[own] += self._weights[at] * scale * world.coin.sum(axis=1)
            beyond += self._weights[at] * scale * world.never
            rows = np.flatnonzero(self._world == at)
            if len(rows):
                factor = self._factors(side, at, len(rows))
                draws[rows, own] = self._mixed(world, factor, at, side)
        doubt = self._doubt[:, None] * self._misplaced(side, first, count)
        drawn = self._lumped(draws * doubt)
        most = drawn.sum(axis=1, keepdims=True) / self._feed.interest_coin
        return Held(first, centre, drawn / np.maximum(most, 1.0), beyond)

    def _misplaced(self, side: int, first: int, count: int) -> FloatArray:
        """(M, B) factors, their mean 1: how much open interest there is was seen, so that what bad input hid is
        where it stands. More near the price is less far from it."""
        away = np.arange(first + 0.5, first + count) * self._s.width - np.log(self._feed.price)
        away = np.maximum(away if side == 0 else -away, 0.0)
        sd = self._blind * (_TURN - away) / (_TURN + away)
        return np.exp(sd * self._near[:, None] - 0.5 * sd**2)

    def _scale(self, total: float) -> float:
        return self._feed.interest_coin / total if total > 0.0 else 0.0

    def _factors(self, side: int, at: int, count: int) -> FloatArray:
        """(count, K + 1) what the mix of a world may be over its estimate: Gamma, by the prints behind it."""
        cohorts, rules = self._venue.worlds[at], self._venue.rules[at]
        prior = self._s.strength * rules.prior[side]
        behind = prior + np.concatenate([[0.0], cohorts.caught[side]])
        shape = np.maximum(behind, 1e-3)
        return self._rng.gamma(shape, size=(count, len(shape))) / shape

    def _mixed(self, world: Units, factor: FloatArray, at: int, side: int) -> FloatArray:
        """(count, B) coin of a world under other mixes, each adding up to open interest."""
        coin = factor[:, 1:] @ world.coin.T
        total = coin.sum(axis=1) + factor[:, 0] * world.never
        return coin * np.array([self._scale(float(each)) for each in total])[:, None]

    def _lumped(self, coin: FloatArray) -> FloatArray:
        """The same in whole positions: a sum of amounts has the variance of as many typical positions."""
        lump = self._s.lump * self._venue.typical_print
        if lump <= 0.0:
            return coin
        drawn = self._rng.gamma(np.maximum(coin / lump, 1e-12)) * lump
        return np.where(drawn > DUST, drawn, 0.0)


def ladder_of(held: Sequence[Held], first: int, edge: FloatArray, price: float) -> Ladder:
    """The contracts' coin added up and valued at each bucket's own price, USD."""
    middle = np.sqrt(edge[:-1] * edge[1:])
    usd = np.zeros(len(middle))
    draws = np.zeros((len(held[0].draws), len(middle)))
    for each in held:
        if len(each.centre) == 0:
            continue
        inside = slice(each.first - first, each.last - first + 1)
        usd[inside] += each.centre
        draws[:, inside] += each.draws
    beyond = sum(each.beyond for each in held) * price
    return Ladder(usd * middle, draws * middle, beyond=beyond)
