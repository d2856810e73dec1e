"""Market → liquidation map: every contract's cohorts caught up, weighted by the prior and added up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from airpocket.domain.errors import NothingKnown
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import PositionSide, TimeNs
from airpocket.liquidations.clusters import clusters_of
from airpocket.liquidations.cohorts import Units, VenueCohorts, units
from airpocket.liquidations.feed import Feed, feed_of
from airpocket.liquidations.grid import bucket_of, edges
from airpocket.liquidations.hedged import hedged_longs, hedged_shorts
from airpocket.liquidations.records import Heat, Ladder, LiquidationMap, Part, Source, Unmapped
from airpocket.liquidations.settings import MapSettings
from airpocket.market.state import Contract, Market


@dataclass(frozen=True, slots=True)
class _Held:
    """One contract's coin by rising bucket from `first`: centre (B,) and draws (M, B), of one side."""

    first: int
    centre: FloatArray
    draws: FloatArray

    @property
    def last(self) -> int:
        return self.first + len(self.centre) - 1


@dataclass(frozen=True, slots=True)
class _Draws:
    """The prior, drawn once: world (M,) and the mix of each side (2, M, K)."""

    world: IntArray
    mix: FloatArray


class MapState:
    """Owner of the cohorts of one asset's contracts: `measure` a market, later ones in time order.

    A market measured after many others gives the same bits as measured alone.
    """

    def __init__(self, settings: MapSettings | None = None) -> None:
        self.settings = settings or MapSettings()
        self._venues: dict[str, VenueCohorts] = {}
        self._draws = _drawn(self.settings)

    def measure(self, market: Market) -> LiquidationMap | Unmapped:
        """The map at the market's time, or why there is none."""
        s = self.settings
        try:
            reference = market.reference
        except NothingKnown as error:
            return Unmapped(str(error))
        feeds, left_out = _feeds(market, reference, s)
        if not feeds:
            return Unmapped(_why_none(left_out))
        for feed in feeds:
            self._venues.setdefault(feed.key, VenueCohorts(s)).catch_up(feed)
        sides = [[self._held(feed, side) for feed in feeds] for side in range(2)]
        every = [held for side in sides for held in side if len(held.centre)]
        if not every:
            return Unmapped("the bars since the first open interest hold no position on the map")
        first = min(held.first for held in every)
        edge = edges(first, max(held.last for held in every) - first + 1, s.width)
        shorts, longs = (_ladder(side, first, edge) for side in sides)
        price = float(reference.base.close[-1])
        contracts = [c for c in market.perps if c.key in {feed.key for feed in feeds}]
        return LiquidationMap(
            asset=market.asset,
            now=market.now,
            as_of=TimeNs(_youngest(feeds, reference)),
            price=price,
            edge=edge,
            shorts=shorts,
            longs=longs,
            hedged_shorts=hedged_shorts(contracts, market.now, s),
            hedged_longs=hedged_longs(market.now, s),
            clusters=clusters_of(edge, shorts, longs, price, s),
            heat=self._heat(feeds, reference, first, len(edge) - 1),
            sources=tuple(self._source(feed) for feed in feeds),
            notes=_notes(left_out, s),
            parts=tuple(
                Part(feed.key, *(_ladder([held], first, edge) for held in pair))
                for feed, *pair in zip(feeds, *sides, strict=True)
            ),
        )

    def _source(self, feed: Feed) -> Source:
        venue = self._venues[feed.key]
        assumed = list(feed.assumed)
        if venue.impossible:
            assumed.append(
                f"open interest moved {venue.impossible} times by more than the venue's own volume:"
                " its figures lag or leave trades out"
            )
        return Source(
            feed.key, feed.interest_coin, TimeNs(int(feed.known_at[-1])), venue.bars, tuple(assumed)
        )

    def _held(self, feed: Feed, side: int) -> _Held:
        """One side of one contract under the prior and every draw, each adding up to its open interest."""
        venue = self._venues[feed.key]
        reach = _reach(feed, side, self.settings.width)
        centre = units(venue.worlds[0], side, reach)
        worlds = [units(world, side, reach) for world in venue.worlds]
        first = min(world.first for world in worlds)
        count = max(world.first + len(world.prior) for world in worlds) - first
        draws = np.zeros((len(self._draws.world), count))
        for at, world in enumerate(worlds):
            rows = np.flatnonzero(self._draws.world == at)
            start = world.first - first
            draws[rows, start : start + len(world.prior)] = (
                self._draws.mix[side, rows] @ world.coin.T
            )
        total = draws.sum(axis=1, keepdims=True)
        scaled = np.divide(feed.interest_coin * draws, total, out=draws, where=total > 0.0)
        return _Held(first, _placed(centre, first, count, feed.interest_coin), scaled)

    def _heat(self, feeds: Sequence[Feed], reference: Contract, first: int, count: int) -> Heat:
        """The hours every contract has, added up on the map's buckets."""
        parts = [self._venues[feed.key].hours() for feed in feeds]
        stamps = parts[0][0]
        for others, _, _ in parts[1:]:
            stamps = np.intersect1d(stamps, others)
        bars = reference.base
        at = np.searchsorted(bars.end, stamps, side="right") - 1
        priced = at >= 0
        stamps, at = stamps[priced], at[priced]
        coin = np.zeros((2, len(stamps), count))
        for own, base, ring in parts:
            rows = np.searchsorted(own, stamps)
            for side in range(2):
                _add_rows(coin[side], ring[rows, side], int(base[side]), side, first)
        return Heat(stamps, bars.close[at], coin[0], coin[1])


def _drawn(s: MapSettings) -> _Draws:
    rng = np.random.default_rng(s.seed)
    weight = np.array([world.weight for world in s.worlds])
    world = rng.choice(len(weight), size=s.draws, p=weight / weight.sum())
    mix = [
        rng.dirichlet(s.concentration * np.array(each), size=s.draws)
        for each in (s.shorts_mix, s.longs_mix)
    ]
    return _Draws(world, np.stack(mix))


def _feeds(
    market: Market, reference: Contract, s: MapSettings
) -> tuple[list[Feed], list[tuple[str, str]]]:
    feeds: list[Feed] = []
    left_out: list[tuple[str, str]] = []
    for contract in market.perps:
        feed = feed_of(contract, reference, market.now, s)
        if isinstance(feed, str):
            left_out.append((contract.key, feed))
        else:
            feeds.append(feed)
    return feeds, left_out


def _youngest(feeds: Sequence[Feed], reference: Contract) -> int:
    return max(int(reference.base.end[-1]), *(int(feed.known_at[-1]) for feed in feeds))


def _why_none(left_out: list[tuple[str, str]]) -> str:
    if not left_out:
        return "no perpetual is known"
    return "; ".join(f"{key}: {reason}" for key, reason in left_out)


def _reach(feed: Feed, side: int, width: float) -> int:
    """Bucket, counted outward, up to which prices have traded since the cohorts were last settled."""
    bars = feed.beyond
    if len(bars) == 0:
        return -(1 << 40)
    if side == 0:
        return bucket_of(float(bars.high.max()), width)
    return -1 - bucket_of(float(bars.low.min()), width)


def _placed(centre: Units, first: int, count: int, total: float) -> FloatArray:
    placed = np.zeros(count)
    start = centre.first - first
    placed[start : start + len(centre.prior)] = centre.prior
    held = placed.sum()
    return placed * (total / held) if held > 0.0 else placed


def _ladder(held: Sequence[_Held], first: int, edge: FloatArray) -> Ladder:
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
    return Ladder(usd * middle, draws * middle)


def _add_rows(into: FloatArray, ring: FloatArray, base: int, side: int, first: int) -> None:
    """Add (T, B) rows counted outward to (T, count) rows by rising bucket from `first`."""
    bucket: IntArray = np.arange(ring.shape[1], dtype=np.int64) + base
    if side == 1:
        bucket = -1 - bucket
    at = bucket - first
    inside = (at >= 0) & (at < into.shape[1])
    into[:, at[inside]] += ring[:, inside]


def _notes(left_out: list[tuple[str, str]], s: MapSettings) -> tuple[str, ...]:
    sticky = s.worlds[0].sticky
    notes = [
        "which leverage was taken is not published: the mix is a prior, and intervals come from its spread",
        f"of each bar's volume {100 * sticky:g} % a side is taken to open positions that stay; the rest is"
        " passed to and fro",
        "no liquidation print was used to fit anything",
    ]
    notes += [f"not in the map: {key} ({reason})" for key, reason in left_out]
    return tuple(notes)


def within_share(heat: Heat, edge: FloatArray, side: PositionSide, percent: float) -> FloatArray:
    """(T,) share of one side's coin that a move of `percent` against it would force out, by hour."""
    middle = np.sqrt(edge[:-1] * edge[1:])
    rows = heat.shorts if side == "short" else heat.longs
    sign = 1.0 if side == "short" else -1.0
    away = sign * (middle[None, :] / heat.close[:, None] - 1.0)
    inside = (away >= 0.0) & (away <= percent / 100.0)
    total = rows.sum(axis=1)
    near = np.where(inside, rows, 0.0).sum(axis=1)
    return np.divide(near, total, out=np.full(len(total), np.nan), where=total > 0.0)
