"""What the roadmap assumes: spans, windows, widths, weights and the pre-registered break rules."""

from dataclasses import dataclass
from typing import Literal

from airpocket.levels.roadmap import LevelKind

# How loudly a level asks to be named: judgement, not fitted, 1 for an ordinary one; swings by their scale. It
# chooses what is shown and where zones lie. What levels have been worth is another thing: learned.py.
PROMINENCE: dict[LevelKind, float] = {
    "ema_20d": 0.75,  # 20 and 21 lie side by side: together they count as one average and a half
    "ema_21d": 0.75,
    "ema_50d": 1.5,
    "fibonacci": 0.5,  # 0.618 counts twice
    "volume_node": 1.0,
    "low_volume_node": 0.5,
    "value_area": 1.0,
    "point_of_control": 1.5,
    "all_time_high": 2.5,
    "cycle_high": 2.0,
    "range_high": 1.0,
    "range_low": 1.0,
    "anchored_vwap": 1.0,
    "breakout_retest": 1.0,
    "supply_block": 1.0,
    "demand_block": 1.0,
    "spot_demand": 1.0,
    "liquidation_wall": 1.0,
    "option_gravity": 1.0,
}


@dataclass(frozen=True, slots=True)
class SwingScale:
    """One size of swing: an extreme over `reach` bars on both sides, looked for `lookback_days` back."""

    bars: Literal["hours", "four_hours", "days"]
    label: str
    reach: int
    lookback_days: int
    prominence: float


# A day, three days, a week on both sides: each scale sees swings about three times as large as the last.
SWING_SCALES = (
    SwingScale("hours", "1 h", 24, 30, 0.5),
    SwingScale("four_hours", "4 h", 18, 180, 1.0),
    SwingScale("days", "1 d", 7, 730, 2.0),
)


@dataclass(frozen=True, slots=True)
class LevelSettings:
    """Everything the roadmap can be told; the break rules were fixed before any result was seen."""

    scales: tuple[SwingScale, ...] = SWING_SCALES
    fibonacci_ratios: tuple[float, ...] = (0.236, 0.382, 0.5, 0.618, 0.786)
    # volume profile
    profile_days: int = 90
    profile_bin_bps: float = 10.0
    profile_share: float = 0.7
    profile_rule: Literal["one_row", "two_rows"] = "one_row"
    profile_min_coverage: float = 0.5  # share of the window's hours that must have a volume
    smoothing_bps: float = 50.0  # standard deviation of the Gaussian that smooths the profile
    node_prominence: float = 0.1  # of the highest smoothed volume
    acceptance_bars: int = 6  # four-hour closes beyond a node: a day
    # ranges and cycles
    range_days: tuple[int, ...] = (30, 90)
    range_skip_days: int = 3
    cycle_fall: float = 0.5  # a fall by half ends a cycle
    vwap_min_coverage: float = 0.95
    # supply and demand blocks, on four-hour bars
    block_days: int = 90
    block_bars: int = 3  # how soon after its base a move must have left: half a day
    block_atr: float = 2.0  # how far beyond the base it must have closed
    # spot demand, walls of the map, strikes
    demand_prominence: float = 0.25  # of the highest net buying by price
    demand_clusters: int = 3
    walls: int = 3  # a side
    gravity_days: int = 35
    gravity_strikes: int = 4
    # zones
    width_atr: float = 0.25  # kernel width in daily ATR
    width_percent: float = 1.0  # kernel width while the ATR is unknown
    reach_percent: float = 25.0
    zones_per_side: int = 6
    min_prominence: float = 1.0
    # confirmation, on closed four-hour bars
    fresh_bars: int = 6  # how long a break counts as fresh
    volume_ratio: float = 1.5  # "expanding": against the mean of the bars before
    volume_bars: int = 20
    rsi_level: float = 60.0
    clean_atr: float = 0.25
    hold_bars: int = 2
    volume_z: float = 1.0
    volume_z_bars: int = 42  # a week


DEFAULTS = LevelSettings()
