"""Ground and deals out of a map, a book and priors: what many paths of one asset run on."""

from dataclasses import dataclass, field

import numpy as np

from airpocket.cascade.forced import quantile
from airpocket.cascade.hours import PUBLISHED, HourlyDepth
from airpocket.cascade.paths import LANES, Course, Deal, Ground
from airpocket.cascade.procedures import UNHANDLED
from airpocket.cascade.settings import Prior
from airpocket.cascade.way import Way
from airpocket.domain.events import FloatArray, IntArray

_DAY_S = 86_400.0
SHARE_OF_MEAN = (
    0.02  # a bucket without an order holds this much of the mean: price jumps, but somewhere
)
_TWELVE = 12
_AROUND = 0.0025  # log-price over which the book's density is taken, each way


@dataclass(frozen=True, slots=True)
class PathPriors:
    """What nobody measured here, before any result was seen.

    latency_s: from margin call to order; Hyperliquid's engine looks every few seconds, others queue. half_s:
    in which half of a displacement has faded (books on Bitcoin refill in about 10 s; science §3.3). depth:
    times the book as it rests. refill: times it again, for orders that come while the cascade runs and that no
    book shows: from none to the thirtyfold that reconciles books with the square-root law (science §3.6), a
    triangle in its logarithm. lasts: share of an impact that outlives a quarter of an hour; two thirds of it are
    left at the end of a day (Bucci et al. 2019), so more before, but of flow that nobody was informed by hardly
    any in the long run (Donier and Bonart 2015). wander: times the volatility of the days before, for the quarter
    of an hour to come, a triangle in its logarithm: on ETH's bars of 2023 to 2025 it was 0.3 to 1.4 times for
    eight of ten, 2 or more in the wildest. stops: stop orders, as a share of the map's forced flow on top of it.
    pull: by how much the impact grows for each unit of fading displacement: 40 is +40 % at one per cent.

    Where venues' procedures are known (`procedures`; off: everything trades at any price, at the last price):
    maintenance: times that of an ordinary position, tiers run from 0.4 to
    2.5 %. passed: share of a move of the pushed contracts that the index, so the mark, makes at once; arbitrage
    between perpetuals and spot works within seconds, and failed for minutes in crashes. mark_lag_s: how late the
    mark sees the rest, where the venue's rule is not known here. fund: what insurance funds take of one side, as
    a share of the open interest behind them; two venues' published funds were about 3 % of theirs in 2025 (from
    memory). latency_s counts where no venue's own latency is known. hours: depth by hour of the week, for the hours
    ahead of a book that is of now; None: as deep as now throughout.
    """

    latency_s: Prior = Prior(2.0, 6.0, 20.0)
    half_s: Prior = Prior(4.0, 10.0, 60.0)
    depth: Prior = Prior(0.5, 1.0, 1.5)
    refill: Prior = Prior(1.0, 4.0, 30.0)
    lasts: Prior = Prior(0.3, 0.67, 1.0)
    wander: Prior = Prior(0.35, 0.9, 2.5)
    stops: Prior = Prior(0.0, 0.2, 0.6)
    maintenance: Prior = Prior(0.4, 1.0, 2.5)
    passed: Prior = Prior(0.6, 0.9, 1.0)
    mark_lag_s: Prior = Prior(10.0, 30.0, 150.0)
    fund: Prior = Prior(0.01, 0.03, 0.1)
    hours: HourlyDepth | None = PUBLISHED
    pull: float = 40.0
    most_pull: float = 10.0
    procedures: bool = True


@dataclass(frozen=True, slots=True)
class Push:
    """The question. usd: bought (negative: sold) over the push; jump: log-price, at once; depth: of the book.

    on: contracts (venue:symbol) it is placed on, with their own books and positions; none: one book for all. spot:
    it is placed on spot, and comes to perpetuals through their index.
    """

    usd: float = 0.0
    jump: float = 0.0
    depth: float = 1.0
    on: tuple[str, ...] = ()
    spot: bool = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.usd) and np.isfinite(self.jump)):
            raise ValueError("a push needs a finite amount and jump")
        if not 0.0 < self.depth < np.inf:
            raise ValueError("depth must be a positive share of the book")
        if self.on and self.spot:
            raise ValueError("a push is placed on contracts or on spot, not on both")


@dataclass(frozen=True, slots=True)
class PathSettings:
    """paths: how many, in whole groups. course: how they run; its pull is that of the priors."""

    paths: int = 20_480
    course: Course = field(default_factory=lambda: Course(steps=900, push_s=60.0, marks=30))
    priors: PathPriors = field(default_factory=PathPriors)

    def __post_init__(self) -> None:
        if self.paths < LANES:
            raise ValueError(f"{LANES} paths at least")


def ground_of(up: Way, down: Way, *, procedures: bool = True) -> Ground:
    """Both ways on one line of log-price, as far as the nearer of map and book goes on each side.

    Forced flow is gross of stops and net of the hedged share at the centre of its prior; draws are the map's. With
    procedures a position that a venue cuts up is forced out portion by portion, each as far past its level as the
    venue's rule says.
    """
    width = float(np.log1p(up.distance[1] - up.distance[0]))
    above = int(np.log1p(up.distance[-1]) / width + 1e-9)
    below = int(-np.log1p(-down.distance[-1]) / width + 1e-9)
    edges: FloatArray = width * np.arange(-below, above + 1, dtype=np.float64)
    high, low = np.expm1(edges[below:]), -np.expm1(edges[below::-1])
    rows = [
        np.concatenate(
            [_read(down, lower, low, procedures)[:0:-1], _read(up, upper, high, procedures)]
        )
        for upper, lower in zip(up.forced.draws, down.forced.draws, strict=True)
    ]
    depth = np.concatenate([_density(down, low, width)[::-1], _density(up, high, width)])
    return Ground(edges, np.stack(rows), depth)


def _read(way: Way, cumulative: FloatArray, distance: FloatArray, procedures: bool) -> FloatArray:
    net = 1.0 - way.beliefs.hedged.centre
    away = np.abs(np.log1p(way.sign * distance))
    found = np.zeros(len(distance))
    for share, past in way.handling.portions if procedures else ((1.0, 0.0),):
        level = way.sign * np.expm1(way.sign * np.maximum(away - past, 0.0))
        found += share * net * np.interp(level, way.distance, cumulative)
    return np.maximum.accumulate(np.maximum(found, 0.0))


def _density(way: Way, distance: FloatArray, width: float) -> FloatArray:
    """USD a unit of log-price around each bucket outwards, over a quarter of a per cent to either side.

    A step's orders walk many buckets, and are priced by the one where they begin; single quotes and the gaps
    between them, which stand elsewhere a second later, would be cliffs and holes there.
    """
    total = np.interp(distance, way.distance, way.profile.absorb_usd)
    reach, n = round(_AROUND / width), len(total) - 1
    low = np.maximum(np.arange(n) - reach, 0)
    high = np.minimum(np.arange(n) + reach + 1, n)
    resting = (total[high] - total[low]) / (width * (high - low))
    return np.maximum(resting, SHARE_OF_MEAN * max(float(resting.mean()), 1.0))


def deal_of(way: Way, push: Push, daily_volatility: float, settings: PathSettings) -> Deal:
    """What each path is dealt: even points over the priors, path k always the k-th, whatever is asked.

    way: whose beliefs count, the one that is pushed. daily_volatility: a fraction.
    """
    count, p = settings.paths // LANES * LANES, settings.priors
    n, even = np.arange(count), even_points(count, _TWELVE)
    hedged, handled = way.beliefs.hedged, way.handling if p.procedures else UNHANDLED
    unhedged = 1.0 - quantile(hedged, even[:, 0])
    spread = unhedged / (1.0 - hedged.centre) if hedged.centre < 1.0 else 0.0 * unhedged
    endless, stops = np.full(count, np.inf), quantile(p.stops, even[:, 1])
    return Deal(
        volatility=daily_volatility / np.sqrt(_DAY_S) * log_quantile(p.wander, even[:, 11]),
        fuel=spread * (1.0 + stops),
        stops=stops / (1.0 + stops),
        booked=quantile(way.settings.book_share, even[:, 2]),
        latency_s=_blended(handled.waits, quantile(p.latency_s, even[:, 3])),
        recovery_s=quantile(p.half_s, even[:, 4]) / np.log(2.0),
        depth=push.depth * quantile(p.depth, even[:, 5]) * log_quantile(p.refill, even[:, 7]),
        lasts=quantile(p.lasts, even[:, 6]),
        push_usd=np.full(count, push.usd),
        jump=np.full(count, push.jump),
        reach=handled.reach * log_quantile(p.maintenance, even[:, 8]),
        passed=quantile(p.passed, even[:, 9]) if p.procedures else np.ones(count),
        mark_lag_s=_blended(handled.lags, quantile(p.mark_lag_s, even[:, 9])),
        fund_usd=handled.interest_usd * log_quantile(p.fund, even[:, 10]) if handled.known else endless,
        draw=_every_draw(len(n), len(way.forced.draws)),
    )  # fmt: skip


def _blended(told: tuple[tuple[float, float], ...], otherwise: FloatArray) -> FloatArray:
    """The mean of what is told of some shares and, for the rest of the whole, of what is drawn."""
    rest = max(1.0 - sum(share for share, _ in told), 0.0)
    return sum(share * value for share, value in told) + rest * otherwise


def even_points(count: int, dimensions: int) -> FloatArray:
    """(count, dimensions) points in the unit cube, evenly spread; the first ones are the same for any count.

    The additive recurrence with powers of 1/x, x the root of x^(d + 1) = x + 1 (Roberts 2018).
    """
    root = 1.1
    for _ in range(64):
        root = (1.0 + root) ** (1.0 / (dimensions + 1.0))
    steps = root ** -np.arange(1.0, dimensions + 1.0)
    return (0.5 + np.arange(1.0, count + 1.0)[:, None] * steps) % 1.0


def log_quantile(prior: Prior, share: FloatArray) -> FloatArray:
    """Inverse of a distribution that is triangular in the logarithm."""
    low, centre, high = np.log([prior.low, prior.centre, prior.high]).tolist()
    return np.exp(quantile(Prior(low, centre, high), share))


def _every_draw(paths: int, rows: int) -> IntArray:
    """(N,) rows of the ladder: groups of paths go evenly through all of them, also where there are fewer groups."""
    groups = -(-paths // LANES)
    order = np.arange(groups, dtype=np.int64)
    order = order % rows if groups >= rows else order * rows // groups
    return np.repeat(order, LANES)[:paths]
