"""Vacuum zones: stretches where little rests, and how the book stands against each cluster of forced flow."""

from dataclasses import dataclass

import numpy as np

from airpocket.cascade.forced import side_of
from airpocket.cascade.profile import Resting, resting_of
from airpocket.cascade.records import Direction
from airpocket.cascade.settings import CascadeSettings
from airpocket.domain.events import BoolArray, FloatArray
from airpocket.liquidations.records import Amount, Cluster, LiquidationMap
from airpocket.market.state import Market

STEP = 0.001  # of the price
THIN = 0.5  # of the usual density: less is thin
LEAST_STEPS = 2


@dataclass(frozen=True, slots=True)
class Thin:
    """A stretch of the book with less than half the usual density of both sides.

    low, high: quote per coin. resting_usd: what rests in it; usual_usd: what would at the usual density.
    forced: what is forced out in it.
    """

    direction: Direction
    low: float
    high: float
    resting_usd: float
    usual_usd: float
    forced: Amount


@dataclass(frozen=True, slots=True)
class Cover:
    """The book against one cluster: what rests between the price and it, and inside it, USD.

    None: the stored orders do not reach so far.
    """

    cluster: Cluster
    on_the_way_usd: float | None
    inside_usd: float | None


@dataclass(frozen=True, slots=True)
class Vacuum:
    """What a stored book says of the map; `reach` is how far its orders go, a fraction of the price."""

    source: str
    as_of: int
    reach: dict[Direction, float]
    thin: tuple[Thin, ...]
    covers: tuple[Cover, ...]


@dataclass(frozen=True, slots=True)
class NoBook:
    """Nothing says what rests, and why."""

    reason: str


def vacuum_of(
    found: LiquidationMap, market: Market, settings: CascadeSettings | None = None
) -> Vacuum | NoBook:
    """Thin stretches of the newest stored orders both ways, and each cluster's cover.

    The usual density is the median over both sides' steps of 0.1 %. Orders of one contract only, while the map
    may sum several.
    """
    settings = settings or CascadeSettings()
    resting: dict[Direction, Resting] = {}
    directions: tuple[Direction, Direction] = ("up", "down")
    for direction in directions:
        one = resting_of(market, found.price, direction, settings)
        if isinstance(one, str):
            return NoBook(one)
        resting[direction] = one
    density = {each: _density(resting[each]) for each in directions}
    every = np.concatenate(list(density.values()))
    if len(every) == 0:
        return NoBook(f"the stored orders end within {100 * STEP:g} % of the price")
    usual = float(np.median(every))
    return Vacuum(
        source=resting["up"].source,
        as_of=min(int(each.as_of) for each in resting.values()),
        reach={each: float(resting[each].distance[-1]) for each in directions},
        thin=tuple(t for d in directions for t in _thin(d, density[d], usual, found)),
        covers=tuple(_cover(each, resting, found.price) for each in found.clusters),
    )


def _density(resting: Resting) -> FloatArray:
    """(n,) USD in each whole step that the stored orders reach through."""
    steps = int(resting.distance[-1] / STEP + 1e-9)
    edge: FloatArray = STEP * np.arange(steps + 1, dtype=np.float64)
    return np.diff(resting.within(edge))


def _thin(
    direction: Direction, density: FloatArray, usual: float, found: LiquidationMap
) -> list[Thin]:
    sign = 1.0 if direction == "up" else -1.0
    made: list[Thin] = []
    for first, last in runs(density < THIN * usual):
        if last - first < LEAST_STEPS:
            continue
        near, far = (found.price * (1.0 + sign * STEP * k) for k in (first, last))
        low, high = min(near, far), max(near, far)
        inside: BoolArray = (found.middle >= low) & (found.middle <= high)
        made.append(
            Thin(
                direction, low, high, float(density[first:last].sum()), usual * (last - first),
                found.ladder(side_of(direction)).within(inside),
            )
        )  # fmt: skip
    return made


def runs(rows: BoolArray) -> list[tuple[int, int]]:
    """[first, last) of every stretch of true rows."""
    edge = np.diff(np.concatenate([[0], rows.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
    return [(int(first), int(last)) for first, last in zip(starts, ends, strict=True)]


def _cover(cluster: Cluster, resting: dict[Direction, Resting], price: float) -> Cover:
    direction: Direction = "up" if cluster.side == "short" else "down"
    one = resting[direction]
    away = sorted(abs(edge / price - 1.0) for edge in (cluster.low, cluster.high))
    reach = float(one.distance[-1])
    before, after = (float(x) for x in one.within(np.array(away)))
    return Cover(
        cluster,
        before if away[0] <= reach else None,
        after - before if away[1] <= reach else None,
    )
