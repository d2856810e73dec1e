"""Made rows and rules for the map's step."""

import numpy as np
from samples import START

from airpocket.domain.units import HOUR_NS, MINUTE_NS
from airpocket.liquidations.cohorts import rules_of
from airpocket.liquidations.feed import Rows
from airpocket.liquidations.grid import liquidation_factor
from airpocket.liquidations.settings import MapSettings

SETTINGS = MapSettings()


def rules(world=None, rate=0.5, s=SETTINGS):
    """The step's constants of one world, every class granted, maintenance 0.5 %."""
    shifts = np.array(
        [
            [np.log(liquidation_factor("short", x, 0.005)) / s.width for x in s.leverage],
            [-np.log(liquidation_factor("long", x, 0.005)) / s.width for x in s.leverage],
        ]
    )
    return rules_of(world or s.worlds[0], shifts, rate, s)


def fixed(constants):
    """The same with the share of stops known, so that open interest has nothing to tell."""
    share = constants.stops[0] + constants.stops_at * np.diff(constants.stops)[0]
    return constants._replace(stops=np.full(2, share))


def rows(n, *, seed=0, step=MINUTE_NS, points=1, sd=0.0008, price=3000.0):
    """n bars of a random walk with open interest that wanders around a million coin; no prints heard."""
    rng = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(sd * rng.standard_normal(n)))
    opened = np.concatenate([[price], close[:-1]])
    high = np.maximum(opened, close) * (1 + rng.uniform(0, sd, n))
    low = np.minimum(opened, close) * (1 - rng.uniform(0, sd, n))
    interest = 1e6 * np.exp(np.cumsum(0.002 * np.sqrt(step / HOUR_NS) * rng.standard_normal(n)))
    volume = rng.gamma(2.0, 1e6 * 2.5 / (24 * HOUR_NS / step), n)
    end = START + step * np.arange(1, n + 1, dtype=np.int64)
    return Rows(
        end=end,
        points=np.full(n, points, np.int64),
        measured=np.ones(n, np.bool_),
        facts=np.stack(
            [
                high,
                low,
                (high + low + close) / 3,
                low,
                high,
                volume,
                interest,
                *np.full((3, n), np.nan),
            ]
        ),
    )


def part(all_rows, first, last):
    """Rows first to last."""
    return Rows(
        all_rows.end[first:last],
        all_rows.points[first:last],
        all_rows.measured[first:last],
        np.ascontiguousarray(all_rows.facts[:, first:last]),
    )
