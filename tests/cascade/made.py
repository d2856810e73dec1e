"""Made maps and markets for the cascade's tests."""

import numpy as np
import samples

from airpocket.domain.estimates import PERCENT, known, unknown
from airpocket.domain.events import Batch
from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.liquidations.records import (
    Amount,
    Cluster,
    Heat,
    Ladder,
    LiquidationMap,
    Source,
    Unmapped,
)
from airpocket.market.state import MarketState
from airpocket.signals.panel import SignalState

HOURS = 24 * 40
NOW = TimeNs(samples.START + HOURS * HOUR_NS)


def market(*batches, bars=None):
    """A market of 40 days of made bars, with whatever else is given."""
    state = MarketState("ETH")
    for batch in (samples.bars(HOURS) if bars is None else bars, *batches):
        state.apply(batch)
    return state.snapshot(NOW)


def measured(seen):
    return SignalState().measure(seen)


def price_of(seen):
    return float(seen.reference.base.close[-1])


def depth(usd_by_percent, *, at=None, venue="binance_usdm", symbol="ETHUSDT"):
    """Depth bands at one moment; negative percents are bids."""
    n = len(usd_by_percent)
    ts = np.full(n, NOW if at is None else at, np.int64)
    rows = sorted(usd_by_percent.items())
    columns = {
        "ts": ts, "usable_from": ts, "percent": np.array([p for p, _ in rows]),
        "depth_coin": np.full(n, np.nan), "notional_usd": np.array([usd for _, usd in rows], float),
    }  # fmt: skip
    return Batch("depth", venue, symbol, columns, ("made",))


def even_depth(usd_per_percent=30e6):
    bands = (0.1, 0.25, 0.5, 1.0, 2.0)
    return depth({sign * b: b * usd_per_percent for sign in (-1, 1) for b in bands})


def book(bids, asks, *, at=None, venue="binance_usdm", symbol="ETHUSDT"):
    """A book of (price, size) levels."""
    rows = [("bid", *level) for level in bids] + [("ask", *level) for level in asks]
    ts = np.full(len(rows), NOW if at is None else at, np.int64)
    columns = {
        "ts": ts, "usable_from": ts, "book_side": np.array([row[0] for row in rows]),
        "price": np.array([row[1] for row in rows], float),
        "size": np.array([row[2] for row in rows], float),
    }  # fmt: skip
    return Batch("book", venue, symbol, columns, ("made",))


def even_book(price, *, usd_per_percent=30e6, reach=0.02, levels=200, gap=1e-5):
    """The same notional on every level, both sides alike."""
    away = gap + np.linspace(0, reach - gap, levels)
    usd = usd_per_percent * 100 * reach / levels
    return book(
        [(price * (1 - d), usd / (price * (1 - d))) for d in away],
        [(price * (1 + d), usd / (price * (1 + d))) for d in away],
    )


def ladder_map(price, shorts=(), longs=(), *, reach=0.2, bucket=0.0005, draws=20, hedged=20.0):
    """A map from amounts (distance from, to, usd) each way; draws scale it between 0.5 and 1.5.

    Edges are even in simple per cent, so that up and down are exact mirrors.
    """
    steps = round(reach / bucket)
    edge = price * (1 + bucket * np.arange(-steps, steps + 1))
    middle = np.abs(bucket * (np.arange(-steps, steps) + 0.5))
    above = np.arange(2 * steps) >= steps
    sides = {}
    for name, amounts, mine in (("short", shorts, above), ("long", longs, ~above)):
        usd = np.zeros(2 * steps)
        for start, stop, total in amounts:
            inside = mine & (middle > start) & (middle < stop)
            usd[inside] += total / inside.sum()
        scale = np.linspace(0.5, 1.5, draws)[:, None] if draws else np.empty((0, 1))
        sides[name] = Ladder(usd, scale * usd)
    share = (
        unknown(PERCENT, "no carry seen")
        if hedged is None
        else known(hedged, PERCENT, as_of=NOW, now=NOW, source="made", provenance="modelled")
    )
    clusters = [cluster("short", price, *amounts, 1.0) for amounts in shorts] + [
        cluster("long", price, *amounts, -1.0) for amounts in longs
    ]
    return LiquidationMap(
        asset="ETH", now=NOW, as_of=NOW, price=price, edge=edge, shorts=sides["short"],
        longs=sides["long"], hedged_shorts=share, hedged_longs=share, clusters=tuple(clusters),
        heat=Heat(np.empty(0, np.int64), np.empty(0), np.empty((0, 2 * steps)), np.empty((0, 2 * steps))),
        sources=(Source("binance_usdm:ETHUSDT", 1e6, NOW, HOURS, ()),), notes=(),
    )  # fmt: skip


def cluster(side, price, start, stop, usd, sign):
    ends = sorted((price * (1 + sign * start), price * (1 + sign * stop)))
    middle = sign * (start + stop) / 2
    return Cluster(
        side,
        ends[0],
        ends[1],
        price * (1 + middle),
        100 * middle,
        Amount(usd, 0.5 * usd, 1.5 * usd),
        0.5,
    )


NO_MAP = Unmapped("made so")
