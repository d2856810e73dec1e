"""What a plan assumes: rules of thumb and priors, fixed before any result was seen; none is fitted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """All thresholds of the playbook.

    Margin: gaps_percent are the overnight moves tested; buffers the multiples of maintenance to keep
    after them. distance_percent is the least liquidation distance, raised to `distance_sigmas` daily
    standard deviations, and to at least high_vol_distance_percent when realised volatility ranks at
    high_vol_rank or above in its year. squeeze_gap_percent: the gap to survive while the verdict runs against
    the position. valid_h: how long steps stand that rest on levels; quotes_h: that rest on option quotes.
    Stops: in multiples of ATR 14; noise_atr (4 h) is the least distance of a structural stop, pad_atr
    (4 h) how far beyond the structure it lies; margin_share is the most of the way to liquidation a stop
    may use. Bids: discounts below the high-volume node with rising weights, snapped to zones within
    snap_percent, risking risk_percent of the portfolio. Sizes of steps are shares of the position.
    """

    fresh_h: float = 2.0
    gaps_percent: tuple[float, ...] = (5.0, 10.0, 15.0)
    squeeze_gap_percent: float = 20.0
    survive_percent: tuple[float, ...] = (10.0, 15.0)
    buffers: tuple[float, ...] = (2.0, 3.0)
    distance_percent: float = 8.0
    distance_sigmas: float = 2.5
    high_vol_distance_percent: float = 12.0
    high_vol_rank: float = 80.0
    event_horizon_d: float = 7.0
    event_lead_h: float = 24.0
    stop_atr: float = 2.0
    stop_atr_step: float = 0.5
    stop_atr_range: tuple[float, float] = (1.5, 2.5)
    noise_atr: float = 1.0
    pad_atr: float = 0.25
    margin_share: float = 0.8
    bid_discounts_percent: tuple[float, ...] = (3.0, 6.0, 10.0)
    bid_weights: tuple[float, ...] = (1.0, 2.0, 3.0)
    snap_percent: float = 1.0
    risk_percent: tuple[float, float] = (1.0, 2.0)
    trend_bars: int = 20
    trend_volume: float = 1.5
    trend_share: float = 0.5
    rich_funding_8h: float = 0.03
    hot_funding_8h: float = 0.10
    funding_share: float = 0.25
    spot_widen_bps: float = 3.0
    spot_wide_bps: float = 10.0
    widen_hours: int = 4
    trim_share: float = 0.2
    iv_jump_percent: float = 20.0
    vol_rank_exit: float = 90.0
    neutral_funding_8h: float = 0.01
    chase_sd: float = 2.5
    valid_h: float = 24.0
    quotes_h: float = 1.0
