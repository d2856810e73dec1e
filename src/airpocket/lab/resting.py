"""Resting orders of the simulated market: depth by band over time, and one full book at the end."""

import numpy as np

from airpocket.lab.carry import observed
from airpocket.lab.chance import stream
from airpocket.lab.listings import LISTINGS, Listing, Prices
from airpocket.lab.scenario import RECENT_NS, FloatArray
from airpocket.lab.tables import BundledTable, build
from airpocket.lab.world import World

BANDS_PERCENT = (0.1, 0.25, 0.5, 1.0, 2.0)
_SHARE_OF_1_PERCENT = (0.11, 0.27, 0.53, 1.0, 1.75)
_LEVEL_STEP_USD = 0.25
_HALF_SPREAD_USD = 0.05


def resting_tables(
    world: World, listing: Listing, prices: Prices, source: str
) -> list[BundledTable]:
    """Depth bands of the last month and the book of the last moment, which agree with each other."""
    steps = observed(world, RECENT_NS)
    depth = _depth(world, listing, source, prices)
    at = world.steps.close_ns[steps[-1:]]
    last = {side: bands[-1] for side, bands in _bands(world, listing).items()}
    mid = float(prices.close[-1])
    draws = stream(world.seed, "book", LISTINGS.index(listing))
    rows: list[tuple[str, float, float]] = []
    for side, sign in (("bid", -1.0), ("ask", 1.0)):
        price = _level_prices(mid, sign)
        size = _level_sizes(draws, price, mid, last[side])
        rows += [(side, p, s) for p, s in zip(price.tolist(), size.tolist(), strict=True)]
    times = np.repeat(at, len(rows))
    columns = {
        "book_side": [row[0] for row in rows],
        "price": np.array([row[1] for row in rows]),
        "size": np.array([row[2] for row in rows]),
    }
    return [depth, build("book", listing.name, source, (times, times), columns)]


def _depth(world: World, listing: Listing, source: str, prices: Prices) -> BundledTable:
    steps = observed(world, RECENT_NS)
    at = world.steps.close_ns[steps]
    bands = _bands(world, listing)
    count = len(BANDS_PERCENT)
    percent = np.array([*(-band for band in BANDS_PERCENT), *BANDS_PERCENT])
    notional = np.hstack([bands["bid"], bands["ask"]])  # (times, 10)
    # orders lie denser near the mid, so their mean price is nearer than the middle of the band
    mean_price = prices.close[steps][:, None] * (1.0 + 0.0045 * percent[None, :])
    times = np.repeat(at, 2 * count)
    columns = {
        "percent": np.tile(percent, len(at)),
        "depth_coin": np.round(notional / mean_price, 1).ravel(),
        "notional_usd": notional.ravel(),
    }
    return build("depth", listing.name, source, (times, times), columns)


def _bands(world: World, listing: Listing) -> dict[str, FloatArray]:
    """Cumulative resting notional (times, bands) by side, USD to the nearest thousand."""
    steps = observed(world, RECENT_NS)
    order = LISTINGS.index(listing)
    shake = stream(world.seed, "depth").standard_normal((len(world.close), 2, 8, len(LISTINGS)))
    found: dict[str, FloatArray] = {}
    for number, side in enumerate(("bid", "ask")):
        state = world.columns["bids_log" if side == "bid" else "offers_log"][steps]
        level = listing.depth_usd * np.exp(state) * (0.4 + 0.6 * world.story.activity[steps])
        noise = shake[steps, number, : len(BANDS_PERCENT), order]
        layers = np.diff(np.array(_SHARE_OF_1_PERCENT), prepend=0.0)[None, :] * level[:, None]
        layers = layers * np.exp(0.06 * noise)
        found[side] = np.round(np.cumsum(layers, axis=1) / 1_000.0) * 1_000.0
    return found


def _level_prices(mid: float, sign: float) -> FloatArray:
    count = int(mid * BANDS_PERCENT[-1] / 100.0 / _LEVEL_STEP_USD)
    away = np.arange(count, dtype=np.float64) * _LEVEL_STEP_USD + _HALF_SPREAD_USD
    return np.round(mid + sign * away, 2)


def _level_sizes(
    draws: np.random.Generator, price: FloatArray, mid: float, bands: FloatArray
) -> FloatArray:
    """Uneven level sizes, coin, scaled so that every band holds the notional its depth row says."""
    weight = np.exp(0.7 * draws.standard_normal(len(price)))
    away = np.abs(price / mid - 1.0) * 100.0
    layer = np.searchsorted(np.array(BANDS_PERCENT), away, side="left")
    wanted = np.diff(bands, prepend=0.0)
    share = weight / np.bincount(layer, weight, len(bands))[layer]
    return np.round(share * wanted[layer] / price, 3)
