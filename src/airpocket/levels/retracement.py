"""Fibonacci retracements of the last confirmed leg between two swings."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.units import day_of
from airpocket.levels.pivots import Swings, bars_of, confirmed_swings
from airpocket.levels.roadmap import Found, Level
from airpocket.levels.settings import PROMINENCE, LevelSettings
from airpocket.market.state import Contract

_GOLDEN = 0.618


@dataclass(frozen=True, slots=True)
class Leg:
    """A move between two confirmed swings; prices in quote per coin, times in ns."""

    low: float
    high: float
    rising: bool
    started_at: int
    ended_at: int
    confirmed_at: int


def fibonacci_level(low: float, high: float, ratio: float, *, rising: bool = True) -> float:
    """The price after giving back `ratio` of the leg: high − ratio·(high − low), mirrored for a fall."""
    reach = ratio * (high - low)
    return high - reach if rising else low + reach


def last_leg(swings: Swings) -> Leg | None:
    """The newest leg: from the extreme of the last but one series of like swings to that of the last.

    Two highs without a low between them are one series, of which the higher counts. None when there
    are not both kinds, or when a gap left the low above the high.
    """
    if len(swings) == 0:
        return None
    changes = np.flatnonzero(np.diff(swings.is_high)) + 1
    if len(changes) == 0:
        return None
    before = int(changes[-2]) if len(changes) > 1 else 0
    end = _extreme(swings, int(changes[-1]), len(swings))
    start = _extreme(swings, before, int(changes[-1]))
    rising = bool(swings.is_high[end])
    top, bottom = (end, start) if rising else (start, end)
    if swings.price[top] <= swings.price[bottom]:
        return None
    return Leg(
        low=float(swings.price[bottom]),
        high=float(swings.price[top]),
        rising=rising,
        started_at=int(swings.formed_at[start]),
        ended_at=int(swings.formed_at[end]),
        confirmed_at=int(max(swings.confirmed_at[start], swings.confirmed_at[end])),
    )


def _extreme(swings: Swings, start: int, stop: int) -> int:
    prices = swings.price[start:stop]
    best = np.argmax(prices) if swings.is_high[start] else np.argmin(prices)
    return start + int(best)


def retracement_levels(contract: Contract, settings: LevelSettings) -> Found:
    """Retracements of the last leg on the coarsest scale that has one; the 1 h scale is too fine."""
    for scale in reversed(settings.scales):
        if scale.bars == "hours":
            continue
        leg = last_leg(confirmed_swings(bars_of(contract, scale), scale.reach))
        if leg is not None:
            return [_level(leg, ratio, scale.label) for ratio in settings.fibonacci_ratios], []
    return [], ["no Fibonacci retracements: no confirmed swing high and low to measure between"]


def _level(leg: Leg, ratio: float, scale: str) -> Level:
    move = "rise" if leg.rising else "fall"
    dates = f"{day_of(leg.started_at)} to {day_of(leg.ended_at)}"
    return Level(
        price=fibonacci_level(leg.low, leg.high, ratio, rising=leg.rising),
        kind="fibonacci",
        label=f"{ratio} retracement of the {move} of {dates} ({scale})",
        formed_at=leg.ended_at,
        confirmed_at=leg.confirmed_at,
        prominence=PROMINENCE["fibonacci"] * (2 if ratio == _GOLDEN else 1),
        sort=f"{ratio}",
    )
