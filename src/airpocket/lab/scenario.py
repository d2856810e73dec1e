"""The story of the simulated market: a quiet range, a grind up on growing shorts, a squeeze under way."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpocket.domain.units import DAY_NS, MINUTE_NS, parse_time

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
Waypoints: TypeAlias = tuple[tuple[str, float], ...]

SEED = 5
START_NS = int(parse_time("2025-06-09T00:00Z"))
END_NS = int(parse_time("2026-01-15T12:00Z"))
FINE_NS = END_NS - 3 * DAY_NS  # from here on in steps of one minute, before in steps of five
RECENT_NS = END_NS - 30 * DAY_NS  # from here on tickers and depth are kept
RELEASE = "2026-01-15T04:30Z"  # the pull of the fair value ends: from here flow alone moves price

_FAIR_PRICE_USD: Waypoints = (
    ("2025-06-09T00:00Z", 2_950),
    ("2025-06-25T00:00Z", 3_090),
    ("2025-07-15T00:00Z", 2_900),
    ("2025-08-05T00:00Z", 3_230),
    ("2025-08-25T00:00Z", 3_000),
    ("2025-09-15T00:00Z", 3_330),
    ("2025-10-05T00:00Z", 3_040),
    ("2025-10-20T00:00Z", 3_260),
    ("2025-11-05T00:00Z", 3_020),
    ("2025-11-25T00:00Z", 3_140),
    ("2025-12-10T00:00Z", 3_220),
    ("2025-12-25T00:00Z", 3_290),
    ("2026-01-06T18:00Z", 3_440),
    ("2026-01-10T00:00Z", 3_320),
    ("2026-01-12T12:00Z", 3_350),
    (RELEASE, 3_380),
)
_PULL_PER_HOUR: Waypoints = (  # how fast price returns to its fair value
    ("2025-12-10T00:00Z", 0.04),
    ("2025-12-28T00:00Z", 0.16),
)
_OPEN_INTEREST_COIN: Waypoints = (
    ("2025-06-09T00:00Z", 1_750_000),
    ("2025-11-05T00:00Z", 1_820_000),
    ("2025-12-05T00:00Z", 2_100_000),
    ("2026-01-06T00:00Z", 2_750_000),
    (RELEASE, 3_000_000),
)
_PREMIUM: Waypoints = (  # perp over index, fraction
    ("2025-06-09T00:00Z", 1.5e-4),
    ("2025-09-10T00:00Z", 2.0e-4),
    ("2025-09-14T00:00Z", 9.0e-4),  # longs crowd in below the range high, and pay for it
    ("2025-09-17T00:00Z", 2.0e-4),
    ("2025-11-05T00:00Z", 2.0e-4),
    ("2025-12-01T00:00Z", -1.0e-4),
    ("2025-12-24T00:00Z", -5.0e-4),
    ("2026-01-10T00:00Z", -7.5e-4),
    (RELEASE, -9.0e-4),
    ("2026-01-15T12:00Z", -7.0e-4),
)
_SHORT_SHARE: Waypoints = (  # of new short interest, how much carries a liquidation price
    ("2025-06-09T00:00Z", 0.40),
    ("2025-11-05T00:00Z", 0.42),
    ("2025-12-05T00:00Z", 0.66),
    ("2026-01-15T12:00Z", 0.66),
)
_PERP_SKEW: Waypoints = (  # share of taker buys above one half
    ("2025-06-09T00:00Z", 0.0),
    ("2025-11-05T00:00Z", 0.0),
    ("2025-12-05T00:00Z", -0.010),
    (RELEASE, -0.010),
    ("2026-01-15T06:00Z", 0.0),
)
_SPOT_SKEW: Waypoints = (
    ("2025-06-09T00:00Z", 0.0),
    ("2025-11-05T00:00Z", 0.0),
    ("2025-12-05T00:00Z", 0.012),
    (RELEASE, 0.015),
    ("2026-01-15T06:00Z", 0.04),
)
_SPOT_BUYING_USD_PER_MIN: Waypoints = (
    ("2026-01-15T05:00Z", 0.0),
    ("2026-01-15T06:30Z", 1.5e6),
    ("2026-01-15T09:00Z", 3.2e6),
    ("2026-01-15T12:00Z", 4.2e6),
)
_OFFERS_LOG: Waypoints = (  # log of resting offers against normal; market makers step back
    ("2026-01-15T05:30Z", 0.0),
    ("2026-01-15T08:30Z", -0.55),
    ("2026-01-15T12:00Z", -0.85),
)
_BIDS_LOG: Waypoints = (("2026-01-15T05:30Z", 0.0), ("2026-01-15T12:00Z", -0.15))
_APPETITE: Waypoints = (  # for new positions, against normal
    (RELEASE, 1.0),
    ("2026-01-15T07:30Z", 0.25),
)


@dataclass(frozen=True, slots=True)
class Grid:
    """The steps of the simulation: when each opens (ns) and how long it lasts (minutes)."""

    open_ns: IntArray  # (steps,)
    close_ns: IntArray  # (steps,)
    minutes: FloatArray  # (steps,)


@dataclass(frozen=True, slots=True)
class Story:
    """What the scenario asks of every step; all arrays (steps,), units in the names."""

    fair_log_price: FloatArray
    pull_per_hour: FloatArray
    activity: FloatArray  # hour-of-week factor on volatility and volume
    open_interest_coin: FloatArray
    premium: FloatArray
    short_share: FloatArray
    perp_skew: FloatArray
    spot_skew: FloatArray
    spot_buying_usd: FloatArray  # in the whole step
    offers_log: FloatArray
    bids_log: FloatArray
    appetite: FloatArray


def grid() -> Grid:
    """Five-minute steps, then one-minute steps for the last three days."""
    coarse = np.arange(START_NS, FINE_NS, 5 * MINUTE_NS, dtype=np.int64)
    fine = np.arange(FINE_NS, END_NS, MINUTE_NS, dtype=np.int64)
    minutes = np.concatenate([np.full(len(coarse), 5.0), np.full(len(fine), 1.0)])
    opens = np.concatenate([coarse, fine])
    return Grid(opens, opens + minutes.astype(np.int64) * MINUTE_NS, minutes)


def story(steps: Grid) -> Story:
    """The scenario, read off at every step."""
    release = int(parse_time(RELEASE))
    at = steps.close_ns
    return Story(
        fair_log_price=np.log(_along(at, _FAIR_PRICE_USD)),
        pull_per_hour=np.where(at <= release, _along(at, _PULL_PER_HOUR), 0.0),
        activity=_activity(steps.open_ns),
        open_interest_coin=_along(at, _OPEN_INTEREST_COIN),
        premium=_along(at, _PREMIUM),
        short_share=_along(at, _SHORT_SHARE),
        perp_skew=_along(at, _PERP_SKEW),
        spot_skew=_along(at, _SPOT_SKEW),
        spot_buying_usd=_along(at, _SPOT_BUYING_USD_PER_MIN) * steps.minutes,
        offers_log=_along(at, _OFFERS_LOG),
        bids_log=_along(at, _BIDS_LOG),
        appetite=_along(at, _APPETITE),
    )


def _along(at: IntArray, waypoints: Waypoints) -> FloatArray:
    # hours from the start: whole nanoseconds would lose digits as floats
    hours = (at - START_NS) / (60.0 * MINUTE_NS)
    times = [(int(parse_time(when)) - START_NS) / (60.0 * MINUTE_NS) for when, _ in waypoints]
    return np.interp(hours, times, [value for _, value in waypoints])


def _activity(open_ns: IntArray) -> FloatArray:
    """Busiest around 15:00 UTC, quietest around 05:00, weekends at two thirds; mean about 1."""
    hour = (open_ns % DAY_NS) / (60.0 * MINUTE_NS)
    daily = 1.0 + 0.28 * np.cos((hour - 15.0) * (2.0 * np.pi / 24.0))
    weekday = (open_ns // DAY_NS + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    return daily * np.where(weekday >= 5, 0.72, 1.08)
