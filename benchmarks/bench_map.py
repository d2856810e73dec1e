"""The liquidation map's step over a year of minutes, against the same step as an exact NumPy loop."""

from collections.abc import Iterator

import numpy as np

from airpocket.domain.units import MINUTE_NS
from airpocket.liquidations.cohorts import empty, fitted, rules_of
from airpocket.liquidations.feed import Rows
from airpocket.liquidations.flow import Cohorts, advance
from airpocket.liquidations.settings import MapSettings
from benchmarks.harness import Figure, against
from benchmarks.numpy_map import numpy_map

_YEAR = 365 * 24 * 60
_DAYS_OF_PEER = 3
_HOURS_KEPT = 24 * 14
_START = 1_735_689_600_000_000_000
_SETTINGS = MapSettings()
_RULES = rules_of(_SETTINGS.worlds[0], _SETTINGS)
_BUCKETS = 1_000


def made(n: int) -> Rows:
    """n minutes of a price that wanders within a band, so that about 1,000 buckets stay in use."""
    rng = np.random.default_rng(0)
    steps = 8e-4 * rng.standard_normal(n)
    log_price = np.empty(n)
    at = 0.0
    for i, step in enumerate(steps):  # pulled back to the middle, or a year would leave the band
        at = 0.99999 * at + step
        log_price[i] = at
    close = 3_000.0 * np.exp(log_price)
    opened = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opened, close) * (1 + rng.uniform(0, 3e-4, n))
    low = np.minimum(opened, close) * (1 - rng.uniform(0, 3e-4, n))
    interest = 1e6 * np.exp(np.cumsum(2e-4 * rng.standard_normal(n)))
    volume = rng.gamma(2.0, 1_700.0, n)
    end = _START + MINUTE_NS * np.arange(1, n + 1, dtype=np.int64)
    facts = np.stack([high, low, (high + low + close) / 3, low, high, volume, interest])
    return Rows(end, np.ones(n, np.int64), np.ones(n, np.bool_), facts)


def stepped(rows: Rows, hours: int = _HOURS_KEPT) -> tuple[Cohorts, np.ndarray]:
    """All bars through the step, an hourly snapshot each whole hour."""
    cohorts = fitted(empty(len(_SETTINGS.leverage), hours), _RULES, rows)
    flow = np.empty((len(rows.end), 2))
    advance(cohorts, _RULES, rows.end, rows.points, rows.measured, rows.facts, flow)
    return cohorts, flow


def with_numpy(rows: Rows, cohorts: Cohorts) -> np.ndarray:
    """Forced flow by the NumPy loop on the buckets in use."""
    first = int(min(cohorts.base[0], -cohorts.base[1] - cohorts.cells.shape[2]))
    count = cohorts.cells.shape[2] + abs(int(cohorts.base[0]) - first) + 64
    return numpy_map(rows.end, rows.points, rows.facts, _RULES, first, count)[1]


def figures() -> Iterator[Figure]:
    """Nanoseconds a bar over a year; the peer runs its first days, which are its cheapest."""
    year = made(_YEAR)
    days = _DAYS_OF_PEER * 24 * 60
    few = Rows(year.end[:days], year.points[:days], year.measured[:days],
               np.ascontiguousarray(year.facts[:, :days]))  # fmt: skip
    cohorts, flow = stepped(few)
    assert np.allclose(flow, with_numpy(few, cohorts), rtol=1e-9, atol=1e-6), (
        "the two maps disagree"
    )
    whole, _ = stepped(year)
    in_use = int((whole.live[:, 1] - whole.live[:, 0]).sum()) // 2 + 1
    yield against(
        f"map_step_year_of_minutes_7x2x{in_use}", lambda: stepped(year), "NumPy, bar by bar",
        lambda: with_numpy(few, cohorts), per=_YEAR, repeats=3, peer_per=days,
    )  # fmt: skip
