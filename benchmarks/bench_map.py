"""The liquidation map: a symbol-year of minutes, learning, the online update, against NumPy and `np.bincount`."""

from collections.abc import Iterator

import numpy as np

from airpocket.domain.units import MINUTE_NS
from airpocket.liquidations.cells import BOUGHT, SOLD, SQUARES, Cohorts, Rules
from airpocket.liquidations.cohorts import empty, fitted, rules_of
from airpocket.liquidations.feed import Rows
from airpocket.liquidations.flow import advance
from airpocket.liquidations.grid import liquidation_factor
from airpocket.liquidations.settings import MapSettings
from benchmarks.harness import Figure, against, seconds
from benchmarks.numpy_map import numpy_map

_YEAR = 365 * 24 * 60
_DAYS_OF_PEER = 3
_PARTICLES = 200
_ONLINE_BARS = 480
_START = 1_735_689_600_000_000_000
_SETTINGS = MapSettings(ways=_PARTICLES)
_FILED = round(24 * _SETTINGS.memory_days * 3)
_SHIFTS = np.array(
    [
        [abs(np.log(liquidation_factor(side, x, 0.005))) / _SETTINGS.width for x in _SETTINGS.leverage]
        for side in ("short", "long")
    ]
)  # fmt: skip


def rules(at: int = 0) -> Rules:
    """The step's constants in one way the world may be."""
    return rules_of(_SETTINGS.worlds[at], _SHIFTS, 0.5, _SETTINGS)


def stops_known(constants: Rules) -> Rules:
    """The same with the share of stops known: the peer does not learn it."""
    share = constants.stops[0] + constants.stops_at * (constants.stops[1] - constants.stops[0])
    return constants._replace(stops=np.full(2, share))


def made(n: int) -> Rows:
    """n minutes of a price that wanders within a band, so that about 2,000 buckets stay in use; a print
    of either side now and then."""
    rng = np.random.default_rng(0)
    steps = 8e-4 * rng.standard_normal(n)
    log_price = np.empty(n)
    at = 0.0
    for i, step in enumerate(steps):  # pulled back to the middle, or a year would leave the band
        at = 0.999997 * at + step
        log_price[i] = at
    close = 3_000.0 * np.exp(log_price)
    opened = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opened, close) * (1 + rng.uniform(0, 3e-4, n))
    low = np.minimum(opened, close) * (1 - rng.uniform(0, 3e-4, n))
    interest = 1e6 * np.exp(np.cumsum(2e-4 * rng.standard_normal(n)))
    volume = rng.gamma(2.0, 1_700.0, n)
    told = rng.gamma(1.0, 30.0, (2, n)) * (rng.uniform(size=(2, n)) < 0.05)
    end = _START + MINUTE_NS * np.arange(1, n + 1, dtype=np.int64)
    typical = (high + low + close) / 3
    facts = np.stack(
        [high, low, typical, low, high, volume, interest, *told, (told**2).sum(axis=0)]
    )
    return Rows(end, np.ones(n, np.int64), np.ones(n, np.bool_), facts)


def part(rows: Rows, first: int, last: int) -> Rows:
    """Bars first to last."""
    return Rows(rows.end[first:last], rows.points[first:last], rows.measured[first:last],
                np.ascontiguousarray(rows.facts[:, first:last]))  # fmt: skip


def stepped(
    rows: Rows, constants: Rules, cohorts: Cohorts | None = None
) -> tuple[Cohorts, np.ndarray]:
    """All bars through the step, learning from prints as it goes."""
    start = empty(constants, 0, _FILED) if cohorts is None else cohorts
    moved = fitted(start, constants, rows)
    flow = np.empty((len(rows.end), 2))
    advance(moved, constants, rows.end, rows.points, rows.measured, rows.facts, flow)
    return moved, flow


def binned(rows: Rows, constants: Rules) -> np.ndarray:
    """Where openings would be liquidated, by `np.bincount` over a class at a time: nothing is ever closed,
    touched or aged, so a simpler answer."""
    entry = np.log(rows.facts[2]) / _SETTINGS.width
    first = int(entry.min()) - 1_000
    grid = np.zeros((2, constants.shift.shape[1], 3_000))
    for side, sign in ((0, 1.0), (1, -1.0)):
        for k in range(constants.shift.shape[1]):
            at = (entry + sign * constants.shift[side, k]).astype(np.int64) - first
            grid[side, k] = np.bincount(at, constants.sticky * rows.facts[5], minlength=3_000)
    return grid


def online(rows: Rows) -> tuple[float, float]:
    """Mean and longest milliseconds of one more minute with all particles, one core."""
    each = [rules(at) for at in range(_PARTICLES)]
    warm = part(rows, 0, 24 * 60)
    cohorts = [stepped(warm, one)[0] for one in each]
    took: list[float] = []
    for i in range(24 * 60, 24 * 60 + _ONLINE_BARS):
        bar = part(rows, i, i + 1)

        def update(bar: Rows = bar) -> None:
            for at, one in enumerate(each):
                cohorts[at] = stepped(bar, one, cohorts[at])[0]

        took.append(1e3 * seconds(update))
    return float(np.mean(took)), float(np.max(took))


def figures() -> Iterator[Figure]:
    """The peer runs the first days of the year, which are its cheapest, and hears no print."""
    year, constants = made(_YEAR), stops_known(rules())
    few = part(year, 0, _DAYS_OF_PEER * 24 * 60)
    quiet = part(few, 0, len(few.end))
    quiet.facts[[BOUGHT, SOLD, SQUARES]] = np.nan
    cohorts, flow = stepped(quiet, constants)
    first = int(min(cohorts.base[0], -cohorts.base[1] - cohorts.cells.shape[2])) - 500
    count = cohorts.cells.shape[2] + 1_500

    def with_numpy() -> np.ndarray:
        return numpy_map(quiet.end, quiet.points, quiet.facts, constants, first, count)[1]

    assert np.allclose(flow, with_numpy(), rtol=1e-7, atol=1e-3), "the two maps disagree"
    yield against(
        "map_year_of_minutes_with_em_10x3x2", lambda: stepped(year, constants), "NumPy, bar by bar, no EM",
        with_numpy, per=_YEAR, repeats=1, peer_per=len(few.end),
    )  # fmt: skip
    yield against(
        "map_year_of_minutes_against_binning", lambda: stepped(year, constants),
        "np.bincount: nothing closes", lambda: binned(year, constants), per=_YEAR, unit="us", repeats=1,
    )  # fmt: skip
    mean, longest = online(year)
    yield Figure(f"map_online_bar_{_PARTICLES}_particles_mean", "ms", round(mean, 2))
    yield Figure(f"map_online_bar_{_PARTICLES}_particles_longest", "ms", round(longest, 2))
