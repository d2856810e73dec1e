"""Thresholds of the state machine, fixed before any result was seen; none is fitted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VerdictSettings:
    """Entering needs more than staying does, so that a state does not flicker.

    Distances from the level are in hourly ATRs, waits in closed hours. level_h: the level is the extreme
    of so many hours before the last. Fuel for a squeeze upward: funding at least `crowded_sd` below its
    own mean (shorts crowd), or open interest up by `opened_percent` in a day (positions are there to be
    closed); downward the mirror.
    """

    days: int = 10  # of path that are judged and shown
    level_h: int = 72
    atr_h: int = 72
    usual_h: int = 168  # of returns and volume that make an hour usual
    funding_days: int = 90
    near_atr: float = 1.0
    away_atr: float = 2.5
    crowded_sd: float = 1.0
    opened_percent: float = 2.0
    break_atr: float = 0.25
    impulse_sd: float = 1.5
    shock_sd: float = 3.0
    hold_h: int = 2
    leg_atr: float = 2.0
    covered_percent: float = 1.0
    stall_h: int = 6
    refill_percent: float = 0.5
    blow_off_sd: float = 4.0
    retrace_share: float = 0.382
    failed_atr: float = 0.5
    dwell_h: int = 2
    armed_h: int = 48
    ignition_h: int = 12
    settle_h: int = 12
    over_h: int = 24
    gap_h: int = 3
    interest_stale_h: int = 2
