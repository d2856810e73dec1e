"""Real figures that a run's facts stand beside: a range over days or one recording, with source and date."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A real figure: the middle of a sample, and its tenth and ninetieth percentile where it has days or events.

    low, high: None for a single recording. sample: what it was measured on, with dates. source: where from.
    """

    middle: float
    low: float | None
    high: float | None
    sample: str
    source: str


_MINUTES = (
    "41 whole days, 2025-05-05 to 06-14",
    "ETHUSDT perpetual, Binance, minute bars (github.com/typhonun/DcaTpStrategy)",
)
_RECORDING = (
    "2024-08-08 23:54:15 to 23:59:59 UTC",
    "ETHUSDT, Binance, recorded book and trades (github.com/nkaz001/hftbacktest)",
)
_MULTI = "github.com/0xknxwledge/group-m-finm33150-final"
_INTEREST = f"ETH, Hyperliquid, hourly open interest over Binance's price ({_MULTI})"


def _days(low: float, middle: float, high: float) -> Figure:
    return Figure(middle, low, high, *_MINUTES)


def _recorded(value: float) -> Figure:
    return Figure(value, None, None, *_RECORDING)


# of every kind of market, by the fact's name
REAL: dict[str, Figure] = {
    "volatility_percent_per_day": _days(2.48, 3.71, 5.16),
    "excess_kurtosis": _days(2.68, 4.43, 17.2),
    "tail_index": _days(2.63, 3.39, 3.95),
    "clustering_1m": _days(0.093, 0.192, 0.308),
    "clustering_10m": _days(0.043, 0.106, 0.171),
    "clustering_60m": _days(0.014, 0.055, 0.127),
    "interest_day_percent": Figure(
        0.436, -4.68, 9.11,
        "182 days whose high is less than 5 % above their low, 2025-03-08 to 2026-03-07", _INTEREST,
    ),
    "liquidated_day_percent": Figure(
        0.084, 0.002, 0.98,
        "34 such days, 2025-12-07 to 2026-01-31", f"ETH, Hyperliquid, liquidated volume ({_MULTI})",
    ),
    "interest_over_rise_percent": Figure(
        -2.48, -20.4, 6.50,
        "21 rises of 10.9 to 20.7 %, 2025-03-11 to 2026-02-24", _INTEREST,
    ),
    "funding_8h_bps": Figure(
        0.405, -0.253, 1.0,
        "1,092 settlements, 2025-03-08 to 2026-03-07", f"ETHUSDT, Binance ({_MULTI})",
    ),
}  # fmt: skip
# where the two kinds of market differ
REAL_PERPETUAL: dict[str, Figure] = {
    "spread_bps": _recorded(0.0373),
    "spread_p95_bps": _recorded(0.0373),
    "depth_10bps_usd_m": _recorded(3.81),
    "impact_exponent": _recorded(0.733),
}
REAL_SPOT: dict[str, Figure] = {
    "spread_bps": _recorded(0.0373),
    "spread_p95_bps": _recorded(0.0373),
    "depth_10bps_usd_m": _recorded(1.63),
    "impact_exponent": _recorded(0.571),
}

WORDS: dict[str, str] = {
    "volatility_percent_per_day": "volatility, % a day",
    "excess_kurtosis": "excess kurtosis of 1-minute returns",
    "tail_index": "tail index of 1-minute returns (Hill, largest 5 %)",
    "clustering_1m": "autocorrelation of |r|, 1 minute",
    "clustering_10m": "autocorrelation of |r|, 10 minutes",
    "clustering_60m": "autocorrelation of |r|, 60 minutes",
    "spread_bps": "spread, bp, median",
    "spread_p95_bps": "spread, bp, 95th percentile",
    "depth_10bps_usd_m": "depth within 0.1 % a side, million USD, median",
    "depth_p90_over_p10": "depth, 90th over 10th percentile",
    "impact_exponent": "impact exponent between seconds",
    "interest_day_percent": "open interest over the first day, %",
    "liquidations_day": "accounts liquidated in the first day",
    "liquidated_day_percent": "liquidated in the first day, % of open interest",
    "rise_percent": "largest rise, %",
    "interest_over_rise_percent": "open interest over that rise, %",
    "funding_8h_bps": "funding per 8 h, bp, median",
}


def figure_of(name: str, *, spot: bool) -> Figure | None:
    """The real figure beside a fact of a spot or perpetual market; None where there is none."""
    own = REAL_SPOT if spot else REAL_PERPETUAL
    return own.get(name) or REAL.get(name)
