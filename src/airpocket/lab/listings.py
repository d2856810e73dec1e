"""What is listed in the simulated market, and each listing's own price, bar by bar."""

from dataclasses import dataclass

import numpy as np

from airpocket.lab.chance import stream
from airpocket.lab.scenario import FloatArray
from airpocket.lab.world import World


@dataclass(frozen=True, slots=True)
class Listing:
    """One market: `number` is its place among the perpetual venues, None for spot."""

    venue: str
    symbol: str
    number: int | None
    volume_coin_per_min: float
    depth_usd: float  # within 1 % of mid on one side, on a normal hour

    @property
    def name(self) -> tuple[str, str]:
        return self.venue, self.symbol


PERP = Listing("sim_perp", "ETHUSDT", 0, 2_500.0, 38e6)
PERP2 = Listing("sim_perp2", "ETHUSDT", 1, 1_000.0, 16e6)
SPOT = Listing("sim_spot", "ETHUSDT", None, 560.0, 24e6)
LISTINGS = (PERP, PERP2, SPOT)


@dataclass(frozen=True, slots=True)
class Prices:
    """One listing's price in every step, quote per coin, and its premium over the index, fraction."""

    open: FloatArray  # (steps,)
    high: FloatArray
    low: FloatArray
    close: FloatArray
    premium: FloatArray  # at the close
    mark: FloatArray  # at the close


def prices_of(world: World, listing: Listing) -> Prices:
    """Spot is the index; a perpetual trades at its premium, and follows a spot-led move late."""
    index = world.close
    ratio = np.ones(len(index))
    mark = index
    if listing.number is not None:
        slow = 1.0 + world.premium[:, listing.number]
        ratio = slow + _lag(world)
        mark = np.round(index * slow, 2)
    close = np.round(index * ratio, 2)
    opened = np.concatenate([close[:1], close[:-1]])
    wick = np.exp(0.00012 * np.abs(_wicks(world, listing)))
    high = np.round(world.columns["high"] * ratio * wick[:, 0], 2)
    low = np.round(world.columns["low"] * ratio / wick[:, 1], 2)
    return Prices(
        open=opened,
        high=np.maximum(high, np.round(np.maximum(opened, close) + 0.01, 2)),
        low=np.minimum(low, np.round(np.minimum(opened, close) - 0.01, 2)),
        close=close,
        premium=close / index - 1.0,
        mark=mark,
    )


def _wicks(world: World, listing: Listing) -> FloatArray:
    if listing.number is None:
        return np.zeros((len(world.close), 2))
    draws = stream(world.seed, "wicks").standard_normal((len(world.close), 2, 2))
    return draws[:, :, listing.number]


def _lag(world: World) -> FloatArray:
    """The part of a move perps have yet to follow (own flow) or have run ahead (forced flow)."""
    moves = np.diff(np.log(world.close), prepend=np.log(world.close[0]))
    forced = world.columns["forced_return"]
    minutes = world.steps.minutes
    kicks = ((-0.30 * (moves - forced) + 0.20 * forced) / minutes).tolist()
    keep = np.exp2(-minutes).tolist()
    level = 0.0
    path: list[float] = []
    for kick, kept in zip(kicks, keep, strict=True):
        level = level * kept + kick
        path.append(level)
    return np.array(path)
