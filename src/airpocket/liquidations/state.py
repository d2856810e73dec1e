"""Market → liquidation map: every contract's cohorts caught up, weighted by the prior and added up."""

from collections.abc import Sequence

import numpy as np

from airpocket.domain.checkpoints import Checkpoints
from airpocket.domain.errors import NothingKnown
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import PositionSide, TimeNs
from airpocket.liquidations.clusters import clusters_of
from airpocket.liquidations.cohorts import VenueCohorts
from airpocket.liquidations.draws import Drawn, ladder_of
from airpocket.liquidations.feed import Feed, feed_of
from airpocket.liquidations.grid import bucket_of, edges
from airpocket.liquidations.hedged import hedged_longs, hedged_shorts, left_on
from airpocket.liquidations.records import Heat, LiquidationMap, Part, Source, Unmapped
from airpocket.liquidations.settings import MapSettings
from airpocket.market.state import Contract, Market


class MapState:
    """Owner of the cohorts of one asset's contracts: `measure` a market, later ones in time order.

    A market measured after many others, or with checkpoints of earlier runs, gives the same bits as measured alone.
    """

    def __init__(
        self, settings: MapSettings | None = None, checkpoints: Checkpoints | None = None
    ) -> None:
        self.settings = settings or MapSettings()
        self._checkpoints = checkpoints
        self._venues: dict[str, VenueCohorts] = {}

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
            venue = self._venues.setdefault(feed.key, VenueCohorts(s, self._checkpoints))
            venue.catch_up(feed)
        price = float(reference.base.close[-1])
        drawn = [Drawn(self._venues[feed.key], feed, at, s) for at, feed in enumerate(feeds)]
        held = [[one.held(side, _reach(feed, side, s.width)) for one, feed in zip(drawn, feeds, strict=True)]
                for side in range(2)]  # fmt: skip
        every = [each for side in held for each in side if len(each.centre)]
        if not every:
            return Unmapped("the bars since the first open interest hold no position on the map")
        first = min(each.first for each in every)
        edge = edges(first, max(each.last for each in every) - first + 1, s.width)
        shorts, longs = (ladder_of(side, first, edge, price) for side in held)
        contracts = [c for c in market.perps if c.key in {feed.key for feed in feeds}]
        heats = self._heats(feeds, reference, first, len(edge) - 1)
        return LiquidationMap(
            asset=market.asset,
            now=market.now,
            as_of=TimeNs(_youngest(feeds, reference)),
            price=price,
            edge=edge,
            shorts=shorts,
            longs=longs,
            hedged_shorts=left_on(shorts, hedged_shorts(contracts, market.now, s)),
            hedged_longs=left_on(longs, hedged_longs(market.now, s)),
            clusters=clusters_of(edge, shorts, longs, price, s),
            heat=summed(heats),
            sources=tuple(self._source(feed) for feed in feeds),
            notes=_notes(left_out, s),
            parts=tuple(
                Part(
                    feed.key,
                    *(ladder_of([one], first, edge, price) for one in pair),
                    past=heat,
                    past_coin=feed.coin_at(heat.ts),
                )
                for feed, heat, *pair in zip(feeds, heats, *held, strict=True)
            ),
        )

    def cohorts(self, key: str) -> VenueCohorts:
        """The cohorts of one contract that was mapped.

        Raises:
            KeyError: it never was.
        """
        return self._venues[key]

    def _source(self, feed: Feed) -> Source:
        venue = self._venues[feed.key]
        assumed = [*feed.assumed, *self._learned(feed, venue)]
        if venue.impossible:
            assumed.append(
                f"open interest moved {venue.impossible} times by more than the venue's own volume:"
                " its figures lag or leave trades out, and ranges are wider for it"
            )
        return Source(
            feed.key, feed.interest_coin, TimeNs(int(feed.known_at[-1])), venue.bars, tuple(assumed)
        )

    def _learned(self, feed: Feed, venue: VenueCohorts) -> list[str]:
        """How the venue's prints were used."""
        if venue.typical_print == 0.0:
            return []
        known = dict(self.settings.rates).get(feed.key)
        low, high = self.settings.rate_sampled if feed.sampled else self.settings.rate_all
        rate = f"{100 * low:.0f} to {100 * high:.0f} %" if known is None else f"{100 * known:.0f} %"
        days = venue.heard_hours / 24.0
        return [
            f"leverage learned from {days:.1f} days of prints, taken to be {rate} of all liquidations"
        ]

    def _heats(
        self, feeds: Sequence[Feed], reference: Contract, first: int, count: int
    ) -> list[Heat]:
        """Each contract's hours that every contract has, on the map's buckets."""
        parts = [self._venues[feed.key].hours() for feed in feeds]
        stamps = parts[0][0]
        for others, _, _ in parts[1:]:
            stamps = np.intersect1d(stamps, others)
        bars = reference.base
        at = np.searchsorted(bars.end, stamps, side="right") - 1
        priced = at >= 0
        stamps, at = stamps[priced], at[priced]
        heats: list[Heat] = []
        for own, base, ring in parts:
            rows = np.searchsorted(own, stamps)
            coin = np.zeros((2, len(stamps), count))
            for side in range(2):
                _add_rows(coin[side], ring[rows, side], int(base[side]), side, first)
            heats.append(Heat(stamps, bars.close[at], coin[0], coin[1]))
        return heats


def summed(heats: Sequence[Heat]) -> Heat:
    """The contracts' hours added up."""
    if len(heats) == 1:
        return heats[0]
    shorts, longs = (
        sum(rows[1:], rows[0]) for rows in ([h.shorts for h in heats], [h.longs for h in heats])
    )
    return Heat(heats[0].ts, heats[0].close, shorts, longs)


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


def _add_rows(into: FloatArray, ring: FloatArray, base: int, side: int, first: int) -> None:
    """Add (T, B) rows counted outward to (T, count) rows by rising bucket from `first`."""
    bucket: IntArray = np.arange(ring.shape[1], dtype=np.int64) + base
    if side == 1:
        bucket = -1 - bucket
    at = bucket - first
    inside = (at >= 0) & (at < into.shape[1])
    into[:, at[inside]] += ring[:, inside]


def _notes(left_out: list[tuple[str, str]], s: MapSettings) -> tuple[str, ...]:
    notes = [
        "which leverage was taken is not published: a prior stands for it, corrected where a venue tells"
        " of liquidations",
        f"{s.ways} ways that positions may be opened, held and left are followed; each counts by how well"
        " it foresaw the liquidations told",
        "what is hedged or backed by a whole wallet is not on the ladder: no price within it forces it out",
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
