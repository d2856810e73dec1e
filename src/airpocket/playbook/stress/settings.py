"""What is done to an account to test it; fixed beforehand, nothing of it fitted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StressSettings:
    """All shocks.

    gaps_percent: moves of every coin at once. pushes: shares of a day's volume whose cascade is walked.
    vol_percent: relative, price still. together_percent: price and volatility at once. funding_8h: % against
    every position, for funding_d days. stablecoin_percent: what the quote currency loses. outage_h, outage_sd:
    how long a venue answers nobody, and how many deviations of that time price moves against meanwhile.
    depth_gone_percent: what is missing of every book; exit_after_percent: the move that comes first.
    """

    fresh_h: float = 2.0
    gaps_percent: tuple[float, ...] = (-50, -30, -20, -15, -10, -5, 5, 10, 15, 20, 30, 50)
    vol_percent: tuple[float, ...] = (-30.0, 50.0, 100.0)
    together_percent: tuple[tuple[float, float], ...] = ((-20.0, 80.0), (20.0, 40.0))
    funding_8h: float = 0.30
    funding_d: float = 7.0
    stablecoin_percent: tuple[float, ...] = (5.0, 15.0)
    outage_h: float = 12.0
    outage_sd: float = 3.0
    depth_gone_percent: tuple[float, ...] = (0.0, 50.0, 80.0, 95.0)
    exit_after_percent: tuple[float, ...] = (0.0, 10.0)
    curve_points: int = 161
    curve_reach: float = 0.6  # of log-price each way
