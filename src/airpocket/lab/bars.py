"""Trade bars and premium bars of the simulated market: minutes that add up to the hours exactly."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.units import HOUR_NS, MINUTE_NS
from airpocket.lab.chance import stream
from airpocket.lab.listings import LISTINGS, SPOT, Listing, Prices
from airpocket.lab.scenario import FINE_NS, FloatArray, IntArray
from airpocket.lab.tables import BundledTable, build
from airpocket.lab.world import World


@dataclass(frozen=True, slots=True)
class Turnover:
    """Traded amounts per step; coin in eighths and dollars whole, so that sums are exact."""

    volume: FloatArray  # (steps,), coin
    volume_usd: FloatArray
    taker_buy: FloatArray  # coin


def turnover_of(world: World, listing: Listing, prices: Prices) -> Turnover:
    """Volume follows volatility and the size of the move; forced and scenario flow come on top."""
    columns, told = world.columns, world.story
    minutes = world.steps.minutes
    moves = np.log(prices.close / prices.open)
    typical = 0.0007 * np.sqrt(minutes)
    noise = _noise(world, listing, "volume")
    calm = listing.volume_coin_per_min * minutes * told.activity
    calm = calm * np.exp(0.6 * columns["log_volatility"] + 0.30 * noise)
    free = calm * (1.0 + 0.5 * np.abs(moves) / typical)
    bought, sold = _forced(world, listing)
    skew = told.spot_skew if listing is SPOT else told.perp_skew
    share = 0.5 + 0.07 * np.tanh(moves / typical) + skew
    share = np.clip(share + 0.02 * _noise(world, listing, "taker"), 0.05, 0.95)
    volume = _eighths(free + bought + sold)
    vwap = (prices.open + prices.high + prices.low + prices.close) / 4.0
    taker_buy = np.minimum(_eighths(free * share + bought), volume)
    return Turnover(volume, np.round(volume * vwap), taker_buy)


def _forced(world: World, listing: Listing) -> tuple[FloatArray, FloatArray]:
    """Coin bought and sold on this market by force, and on spot by the scenario's buyers."""
    if listing.number is None:
        bought = world.story.spot_buying_usd / world.close
        return bought, np.zeros(len(bought))
    columns = world.columns
    return columns["bought_coin"][:, listing.number], columns["sold_coin"][:, listing.number]


def _noise(world: World, listing: Listing, name: str) -> FloatArray:
    draws = stream(world.seed, name).standard_normal((len(world.close), 3))
    return draws[:, LISTINGS.index(listing)]


def _eighths(values: FloatArray) -> FloatArray:
    return np.round(values * 8.0) / 8.0


def bar_tables(
    world: World, listing: Listing, prices: Prices, turnover: Turnover, source: str
) -> list[BundledTable]:
    """Hourly bars of the whole span, and minute bars of the last three days; usable at their close."""
    columns = {
        "open": prices.open,
        "high": prices.high,
        "low": prices.low,
        "close": prices.close,
        "volume": turnover.volume,
        "volume_usd": turnover.volume_usd,
        "taker_buy": turnover.taker_buy,
    }
    fine = world.first_step_from(FINE_NS)
    minutes = {name: values[fine:] for name, values in columns.items()}
    hours = _hourly(columns, hour_starts(world))
    minute_open = world.steps.open_ns[fine:]
    hour_open = world.steps.open_ns[hour_starts(world)]
    return [
        build("bar_1h", listing.name, source, (hour_open, hour_open + HOUR_NS), hours),
        build("bar_1m", listing.name, source, (minute_open, minute_open + MINUTE_NS), minutes),
    ]


def hour_starts(world: World) -> IntArray:
    """The index of the first step of every hour."""
    return np.flatnonzero(world.steps.open_ns % HOUR_NS == 0).astype(np.int64)


def _hourly(columns: dict[str, FloatArray], starts: IntArray) -> dict[str, FloatArray]:
    last = np.append(starts[1:], len(columns["close"])) - 1
    hours = {
        "open": columns["open"][starts],
        "high": np.maximum.reduceat(columns["high"], starts),
        "low": np.minimum.reduceat(columns["low"], starts),
        "close": columns["close"][last],
    }
    for name in [name for name in columns if name not in hours]:
        hours[name] = np.add.reduceat(columns[name], starts)
    return hours


def premium_table(world: World, listing: Listing, prices: Prices, source: str) -> BundledTable:
    """Hourly bars of the premium of perpetual over index (fraction, at step closes)."""
    premium = np.round(prices.premium, 8)
    starts = hour_starts(world)
    opened = np.concatenate([premium[:1], premium[:-1]])
    columns = {
        "open": opened,
        "high": np.maximum(premium, opened),
        "low": np.minimum(premium, opened),
        "close": premium,
    }
    hour_open = world.steps.open_ns[starts]
    times = (hour_open, hour_open + HOUR_NS)
    return build("premium_bar_1h", listing.name, source, times, _hourly(columns, starts))


__all__ = ["Turnover", "bar_tables", "hour_starts", "premium_table", "turnover_of"]
