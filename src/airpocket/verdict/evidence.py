"""What the state machine looks at, hour by hour: closed hours only, each with what was known at its end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS, SECOND_NS
from airpocket.market.bars import Bars
from airpocket.market.carry import InterestHistory, funding_of
from airpocket.market.state import Market
from airpocket.signals.funding import eight_hour_periods
from airpocket.signals.interest import venue_interests
from airpocket.signals.windows import values_at
from airpocket.verdict.settings import VerdictSettings

_LEAST_SHARE = 0.5  # of a window that must be there

_Statistic: TypeAlias = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Columns (n,) by closed hour, oldest first; NaN: not known at that hour's end.

    top, bottom: extreme of the hours before, quote per coin. atr: mean true range of an hour, quote per
    coin. move_sd: the hour's return over the usual. volume_ratio: volume over its usual median.
    interest: fractional change of open interest in coin within the hour, over every contract known at
    both its ends. opened: the same over a day. funding_sd: funding against its own last months.
    gap_h: hours missing before this one.
    """

    end: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    top: FloatArray
    bottom: FloatArray
    atr: FloatArray
    move_sd: FloatArray
    volume_ratio: FloatArray
    interest: FloatArray
    opened: FloatArray
    funding_sd: FloatArray
    gap_h: FloatArray

    def __len__(self) -> int:
        return len(self.end)


def evidence_of(market: Market, s: VerdictSettings) -> Evidence:
    """The evidence of the last days; a row does not change when later hours come."""
    look_back = max(s.level_h, s.atr_h, s.usual_h) + 1
    hours = market.reference.hours.since(market.now - (s.days * 24 + look_back) * HOUR_NS)
    keep = hours.end > market.now - s.days * DAY_NS
    venues = venue_interests(market)
    before = np.concatenate([hours.close[:1], hours.close[:-1]])
    returned = np.log(hours.close / before)
    columns = {
        "top": _before(hours.high, s.level_h, _highest),
        "bottom": _before(hours.low, s.level_h, _lowest),
        "atr": _over(_true_range(hours, before), s.atr_h, _mean),
        "move_sd": returned / _before(returned, s.usual_h, _deviation),
        "volume_ratio": hours.volume / _before(hours.volume, s.usual_h, _median),
        "interest": _interest_change(venues, hours.end, 1, s),
        "opened": _interest_change(venues, hours.end, 24, s),
        "funding_sd": _funding_sd(market, hours.end, s),
        "gap_h": np.diff(hours.ts, prepend=hours.ts[:1] - HOUR_NS) / HOUR_NS - 1.0,
    }
    return Evidence(
        end=hours.end[keep], open=hours.open[keep], high=hours.high[keep], low=hours.low[keep],
        close=hours.close[keep], **{name: each[keep] for name, each in columns.items()},
    )  # fmt: skip


def _true_range(hours: Bars, before: FloatArray) -> FloatArray:
    return np.maximum(hours.high, before) - np.minimum(hours.low, before)


def _over(values: FloatArray, window: int, of: _Statistic) -> FloatArray:
    """(n,) statistic of the `window` values up to each; NaN unless half of them are known."""
    if len(values) == 0:
        return values
    padded = np.concatenate([np.full(window - 1, np.nan), values])
    rows = np.lib.stride_tricks.sliding_window_view(padded, window)
    enough = np.isfinite(rows).sum(axis=1) >= _LEAST_SHARE * window
    found = np.full(len(values), np.nan)
    if enough.any():
        found[enough] = of(rows[enough])
    return found


def _before(values: FloatArray, window: int, of: _Statistic) -> FloatArray:
    """The same of the values before each, without it."""
    return _over(np.concatenate([[np.nan], values[:-1]]), window, of) if len(values) else values


def _highest(rows: FloatArray) -> FloatArray:
    return np.nanmax(rows, axis=1)


def _lowest(rows: FloatArray) -> FloatArray:
    return np.nanmin(rows, axis=1)


def _mean(rows: FloatArray) -> FloatArray:
    return np.nanmean(rows, axis=1)


def _median(rows: FloatArray) -> FloatArray:
    return np.nanmedian(rows, axis=1)


def _deviation(rows: FloatArray) -> FloatArray:
    spread = np.nanstd(rows, axis=1)
    return np.where(spread > 0.0, spread, np.nan)  # a flat market has no scale


def _interest_change(
    venues: Sequence[InterestHistory], end: IntArray, hours: int, s: VerdictSettings
) -> FloatArray:
    """(n,) fractional change over `hours`, summed over the contracts with a figure at both ends.

    A figure that is not newer than the earlier end says nothing of the change.
    """
    tolerance = s.interest_stale_h * HOUR_NS
    now, then = np.zeros(len(end)), np.zeros(len(end))
    for venue in venues:
        start = end - hours * HOUR_NS
        later = values_at(venue.known_at, venue.coin, end, min(tolerance, hours * HOUR_NS - 1))
        earlier = values_at(venue.known_at, venue.coin, start, tolerance)
        both = np.isfinite(later) & np.isfinite(earlier)
        now += np.where(both, later, 0.0)
        then += np.where(both, earlier, 0.0)
    return np.divide(now, then, out=np.full(len(end), np.nan), where=then > 0.0) - 1.0


def _funding_sd(market: Market, end: IntArray, s: VerdictSettings) -> FloatArray:
    """(n,) last settled 8 h period against the periods before it, of one contract for all hours."""
    histories = {c.key: h for c in market.perps if (h := funding_of(c)) is not None}
    if not histories:
        return np.full(len(end), np.nan)
    oldest = min(histories, key=lambda key: (int(histories[key].settled_at[0]), key))
    chosen = histories.get(market.reference.key, histories[oldest])
    ends, rate = eight_hour_periods(chosen)
    scored = (rate - _before(rate, 3 * s.funding_days, _mean)) / _before(
        rate, 3 * s.funding_days, _deviation
    )
    # settled stamps run up to a second late, so a period is known at the first hour that ends after it
    return values_at(ends + SECOND_NS, scored, end, 16 * HOUR_NS)
