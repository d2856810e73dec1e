"""The assumptions behind the liquidation map: grid, leverage mix, habits of traders, reporting, hedged share."""

import math
from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray

SPELL_H = 1  # hours between two looks at habits and age


@dataclass(frozen=True, slots=True)
class Habits:
    """How positions are opened, held and left: one way the world may be.

    sticky: share of a venue's volume, per side, that opens positions meant to last. haste: exponent of
    leverage in the closing hazard, against 10x. stops: share of positions with a stop; in a way, which
    part of what is believed of it. gain, loss: closing hazard of winners and of losers against the rest.
    top_up: share of losers that in an hour add as much margin as they have left. told: where a reporting
    rate lies in its range, 0 to 1. calm: closing hazard of what no price forces out, against 10x. far: share
    of what is opened that no price near forces out: never, or levered up to `far_leverage`.
    """

    sticky: float
    haste: float
    stops: float
    gain: float
    loss: float
    top_up: float
    told: float
    calm: float
    far: float


@dataclass(frozen=True, slots=True)
class MapSettings:
    """Priors of the map; what prints teach starts from here.

    leverage: classes, x. shorts_mix, longs_mix: share of what is opened that no price forces out (hedged,
    or backed by a whole wallet), then in each class; the same for both, as nothing known says how far they
    differ. far_leverage: classes up to it are told of by no price near, so that their share, with those
    never forced out, differs from way to way; it keeps its proportions. strength: of that prior, and
    likeness: of the two sides to each other, in typical prints. low, high: edges of the box of habits,
    which `ways` points fill evenly; set on the training worlds. rate_sampled, rate_all: range of the share
    of forced closes that a feed tells when it calls itself a sample, and when it claims all. rates: by
    contract key, where a rate is known. temper: exponent of the likelihood of a way, trust: of what open
    interest says of stops. slopes: range of what open interest falls by, of what the model has price force
    out. doubt: standard deviation of what the model gets wrong in ways that it does not know, in logs;
    blind: the same of what stands near the price, where no open interest was seen in the last `sight_days`;
    young_days: of it that a map wants. lump: size of a position, in typical prints. drift_h, spread_h:
    collateral added later moves liquidation prices away from the price, in buckets and buckets² an hour.
    turnover_day: volume over open interest a day where a venue's volume is unknown. typical_usd: notional
    whose maintenance tier stands for all positions.
    """

    width: float = 0.001  # of a bucket, in log-price
    leverage: tuple[float, ...] = (2.0, 3.0, 5.0, 10.0, 20.0, 25.0, 50.0, 75.0, 100.0, 125.0)
    shorts_mix: tuple[float, ...] = (
        0.22, 0.11, 0.10, 0.13, 0.16, 0.08, 0.06, 0.065, 0.035, 0.025, 0.015,
    )  # fmt: skip
    longs_mix: tuple[float, ...] = (
        0.22, 0.11, 0.10, 0.13, 0.16, 0.08, 0.06, 0.065, 0.035, 0.025, 0.015,
    )  # fmt: skip
    far_leverage: float = 3.0
    strength: float = 40.0
    likeness: float = 300.0
    low: Habits = Habits(0.11, 0.0, 0.1, 1.0, 1.0, 0.0, 0.0, 0.4, 0.2)
    high: Habits = Habits(0.36, 0.6, 0.95, 3.0, 2.8, 0.3, 1.0, 1.1, 0.6)
    ways: int = 24
    rate_sampled: tuple[float, float] = (0.25, 0.85)
    rate_all: tuple[float, float] = (0.85, 1.0)
    rates: tuple[tuple[str, float], ...] = ()
    stop_range: tuple[float, float] = (0.3, 0.8)  # of margin lost, where stops sit
    stop_layers: int = 2
    winning: float = 0.3  # gain on margin from which winners close at their own hazard
    losing: float = 0.5  # loss on margin, likewise
    maintenance: float = 0.005  # where no schedule of the venue is known
    typical_usd: float = 100_000.0
    shape: float = 2.0  # of the Gamma in an hour's Gamma-Poisson
    memory_days: float = 30.0  # in which prints come to count a third
    temper: float = 0.06
    trust: float = 0.3
    slopes: tuple[float, float] = (0.5, 0.8)
    doubt: float = 0.18
    lump: float = 1.0
    blind: float = 0.9
    sight_days: int = 3
    young_days: int = 3
    quiet_h: int = 72  # without a print, after which a feed is taken to be down
    draws: int = 64
    seed: int = 20_200_312
    drift_h: float = 0.02
    spread_h: float = 0.015
    turnover_day: float = 3.0
    stale_h: int = 6
    unit_jump: float = 5.0
    least_rows: int = 24
    own_share: float = 0.9  # of the time, that a venue's own bars must cover to be its path
    history_days: int = 60  # of the past that are gone through, up to half as many more
    lead_days: int = 10  # of bars before the first open interest, to place what was open already
    heat_days: int = 14
    cluster_window: float = 0.005
    cluster_reach: float = 0.25
    cluster_prominence: float = 0.1  # of the side's highest peak
    clusters: int = 5
    hedged_at_zero: float = 0.35
    hedged_at_ten: float = 0.50  # at funding of 10 % a year
    hedged_range: float = 0.15
    hedged_longs: tuple[float, float, float] = (0.05, 0.10, 0.20)

    def __post_init__(self) -> None:
        for name in ("shorts_mix", "longs_mix"):
            mix = getattr(self, name)
            whole = math.isclose(sum(mix), 1.0)
            if len(mix) != len(self.leverage) + 1 or min(mix) < 0 or mix[0] <= 0 or not whole:
                raise ValueError(f"{name} needs a share for 'never' and each class, adding up to 1")
        if self.ways < 1 or self.draws < 1:
            raise ValueError("needs a way the world may be and a draw")
        if min(self.leverage) <= 1.0 or not 0.0 <= self.maintenance < 1.0 / min(self.leverage):
            raise ValueError("leverage must exceed 1 x and leave margin above maintenance")
        if min(self.ageing) < 0.0:
            raise ValueError(
                "drift_h and spread_h admit no moves that all lead away from the price"
            )
        for key, rate in self.rates:
            if not 0.0 < rate <= 1.0:
                raise ValueError(f"rates: {key}: must lie above 0 and up to 1, not {rate:g}")

    @property
    def ageing(self) -> tuple[float, float, float]:
        """Shares of a bucket that stay, go one bucket out and two buckets out in a spell.

        Mean drift_h and variance 2·spread_h an hour; nothing ever moves towards the price.
        """
        drift, spread = SPELL_H * self.drift_h, SPELL_H * self.spread_h
        two = (2.0 * spread + drift**2 - drift) / 2.0
        one = drift - 2.0 * two
        return 1.0 - one - two, one, two

    @property
    def worlds(self) -> tuple[Habits, ...]:
        """`ways` points that fill the box of habits evenly, its middle first."""
        return tuple(self._habits(point) for point in even_points(self.ways, 9))

    def _habits(self, u: FloatArray) -> Habits:
        low, high = self.low, self.high
        return Habits(
            sticky=_between(low.sticky, high.sticky, u[0], logs=True),
            haste=_between(low.haste, high.haste, u[1]),
            stops=_between(low.stops, high.stops, u[2]),
            gain=_between(low.gain, high.gain, u[3], logs=True),
            loss=_between(low.loss, high.loss, u[4], logs=True),
            top_up=_between(low.top_up, high.top_up, u[5]),
            told=_between(low.told, high.told, u[6]),
            calm=_between(low.calm, high.calm, u[7], logs=True),
            far=_between(low.far, high.far, u[8]),
        )

    def rate_of(self, key: str, told: float, *, sampled: bool) -> float:
        """The reporting rate of a contract in a world: known, or at `told` of the range for its feed."""
        known = dict(self.rates)
        if key in known:
            return known[key]
        low, high = self.rate_sampled if sampled else self.rate_all
        return low + told * (high - low)


def _between(low: float, high: float, u: float, *, logs: bool = False) -> float:
    return float(low * (high / low) ** u) if logs else float(low + u * (high - low))


def even_points(count: int, dimensions: int) -> FloatArray:
    """(count, dimensions) points of the unit box, its middle first: the additive recurrence of Roberts (2018).

    x_n = frac(½ + n a), a_i = φ^(−i), φ the root of φ^(d+1) = φ + 1.
    """
    root = 1.5
    for _ in range(60):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    step = root ** -np.arange(1.0, dimensions + 1)
    return np.asarray((0.5 + np.arange(count)[:, None] * step) % 1.0, dtype=np.float64)
