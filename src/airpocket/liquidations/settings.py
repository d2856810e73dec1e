"""The assumptions behind the liquidation map: grid, leverage mix, churn, maintenance, hedged share."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Churn:
    """How fast positions turn over and at which margin they are taken: one way the world may be.

    sticky: share of a venue's volume, per side, that opens positions meant to last. maintenance: margin
    rate, fraction of notional. weight: how often the draws use it.
    """

    sticky: float
    maintenance: float
    weight: float


@dataclass(frozen=True, slots=True)
class MapSettings:
    """Priors fixed before any result was seen; none is fitted to liquidations.

    leverage: classes, x. shorts_mix, longs_mix: share of what is opened in each class; longs are taken
    to be more levered, shorts to hold more hedgers at low leverage (Soska et al. 2021). concentration:
    of the Dirichlet around the mix: 20 lets a class of 20 % vary by about 9 points. worlds: the first is
    the centre. ETH perpetuals turn over about 5 times their open interest a day; 7 % of that a side
    makes a position last about 3 days, 3 to 15 % about 7 days to 1.3 days. drift_h, spread_h: collateral
    added later moves liquidation prices away from the price, in buckets and buckets² an hour.
    turnover_day: volume over open interest a day where a venue's volume is unknown.
    """

    width: float = 0.001  # of a bucket, in log-price
    leverage: tuple[float, ...] = (2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
    shorts_mix: tuple[float, ...] = (0.24, 0.18, 0.20, 0.19, 0.12, 0.05, 0.02)
    longs_mix: tuple[float, ...] = (0.10, 0.13, 0.20, 0.25, 0.18, 0.09, 0.05)
    concentration: float = 20.0
    worlds: tuple[Churn, ...] = (
        Churn(0.07, 0.005, 0.4), Churn(0.03, 0.005, 0.2), Churn(0.15, 0.005, 0.2),
        Churn(0.07, 0.004, 0.1), Churn(0.07, 0.010, 0.1),
    )  # fmt: skip
    draws: int = 64
    seed: int = 20_200_312
    drift_h: float = 0.02
    spread_h: float = 0.015
    turnover_day: float = 3.0
    stale_h: int = 6
    unit_jump: float = 5.0
    least_rows: int = 24
    own_share: float = 0.9  # of the time, that a venue's own bars must cover to be its path
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
            if len(mix) != len(self.leverage) or min(mix) <= 0 or not math.isclose(sum(mix), 1.0):
                raise ValueError(f"{name} needs a positive share for each class, adding up to 1")
        if not self.worlds or self.draws < 1:
            raise ValueError("needs a world and a draw")
        highest = max(world.maintenance for world in self.worlds)
        if min(self.leverage) <= 1.0 or 1.0 / max(self.leverage) < highest:
            raise ValueError("leverage must exceed 1 x and leave margin above maintenance")
        if min(self.ageing) < 0.0:
            raise ValueError(
                "drift_h and spread_h admit no moves that all lead away from the price"
            )

    @property
    def ageing(self) -> tuple[float, float, float]:
        """Shares of a bucket that stay, go one bucket out and two buckets out in an hour.

        Mean drift_h and variance 2·spread_h; nothing ever moves towards the price.
        """
        two = (2.0 * self.spread_h + self.drift_h**2 - self.drift_h) / 2.0
        one = self.drift_h - 2.0 * two
        return 1.0 - one - two, one, two
