"""Funding, open interest, tickers and liquidations of the simulated perpetuals."""

import numpy as np

from airpocket.domain.units import HOUR_NS, MINUTE_NS, forced_side_of
from airpocket.lab.bars import hour_starts
from airpocket.lab.listings import Listing, Prices
from airpocket.lab.scenario import FINE_NS, RECENT_NS, START_NS, FloatArray, IntArray
from airpocket.lab.tables import BundledTable, Values, build
from airpocket.lab.world import World

INTEREST_PER_8H = 0.0001
CLAMP = 0.0005
_SETTLE_HOURS = 8


def funding_rate(premium: FloatArray) -> float:
    """F = P̄ + clamp(I − P̄, ±0.05 %) for an 8 h interval, fraction; P̄ the mean of `premium` (hours,)."""
    mean = float(np.mean(premium))
    return round(mean + min(CLAMP, max(-CLAMP, INTEREST_PER_8H - mean)), 8)


def funding_tables(
    world: World, listing: Listing, prices: Prices, source: str
) -> list[BundledTable]:
    """Settlements at 00, 08 and 16 UTC, and the running estimate at every full hour of the last month."""
    closes = _hourly_premium(world, prices)
    count = len(closes) // _SETTLE_HOURS
    settled = np.arange(1, count + 1, dtype=np.int64) * _SETTLE_HOURS * HOUR_NS + START_NS
    rates = [funding_rate(closes[i - _SETTLE_HOURS : i]) for i in _ends(count)]
    hours = np.arange(1, len(closes) + 1, dtype=np.int64)
    hours = hours[(hours % _SETTLE_HOURS != 0) & (START_NS + hours * HOUR_NS >= RECENT_NS)]
    running = [funding_rate(closes[i - i % _SETTLE_HOURS : i]) for i in hours.tolist()]
    asked = START_NS + hours * HOUR_NS
    return [
        build("funding", listing.name, source, (settled, settled), _rates(rates)),
        build("funding_estimate", listing.name, source, (asked, asked), _rates(running)),
    ]


def _rates(rates: list[float]) -> dict[str, FloatArray | IntArray]:
    interval = np.full(len(rates), _SETTLE_HOURS * 3_600, dtype=np.int64)
    return {"rate": np.array(rates, dtype=np.float64), "interval_s": interval}


def _ends(count: int) -> range:
    return range(_SETTLE_HOURS, (count + 1) * _SETTLE_HOURS, _SETTLE_HOURS)


def _hourly_premium(world: World, prices: Prices) -> FloatArray:
    last = np.append(hour_starts(world)[1:], len(prices.close)) - 1
    return np.round(prices.premium[last], 8)


def observed(world: World, since_ns: int) -> IntArray:
    """Steps at whose close something is observed: full hours, and every 5 minutes in the last 3 days."""
    at = world.steps.close_ns
    every = np.where(at <= FINE_NS, HOUR_NS, 5 * MINUTE_NS)
    return np.flatnonzero((at % every == 0) & (at >= since_ns)).astype(np.int64)


def open_interest_table(world: World, listing: Listing, source: str) -> BundledTable:
    """Open interest in coin, one-sided, at the moment of observation."""
    steps = observed(world, START_NS)
    at = world.steps.close_ns[steps]
    amount: FloatArray = world.columns["open_interest"][steps, listing.number or 0]
    columns: dict[str, Values] = {
        "amount": np.round(amount, 3),
        "unit": ["coin"] * len(at),
        "averaged_s": np.zeros(len(at), dtype=np.int64),
    }
    return build("open_interest", listing.name, source, (at, at), columns)


def ticker_table(world: World, listing: Listing, prices: Prices, source: str) -> BundledTable:
    """Last, mark and index price; a spot market has only the last."""
    steps = observed(world, RECENT_NS)
    at = world.steps.close_ns[steps]
    spot = listing.number is None
    columns = {
        "last": prices.close[steps],
        "mark": None if spot else prices.mark[steps],
        "index": None if spot else world.close[steps],
    }
    return build("ticker", listing.name, source, (at, at), columns)


def liquidation_table(world: World, listing: Listing, prices: Prices, source: str) -> BundledTable:
    """Every forced close of the venue, at the liquidation price as far as the market traded there."""
    found = [event for event in world.liquidations if event.venue == listing.number]
    at = np.array([event.ts for event in found], dtype=np.int64)
    step = np.array([event.step for event in found], dtype=np.int64)
    wanted = np.array([event.forced.price for event in found], dtype=np.float64)
    price: FloatArray = np.round(np.clip(wanted, prices.low[step], prices.high[step]), 2)
    coin = np.array([event.forced.size_coin for event in found], dtype=np.float64)
    size = np.round(coin, 3)
    columns: dict[str, Values] = {
        "forced_side": [forced_side_of(event.forced.side) for event in found],
        "price": price,
        "size": size,
        "notional_usd": np.round(price * size),
        "coverage": ["all"] * len(found),
        "seq": np.arange(len(found), dtype=np.int64),
    }
    return build("liquidation", listing.name, source, (at, at), columns)
