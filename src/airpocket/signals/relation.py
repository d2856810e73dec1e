"""Does anything follow a slow driver? An event study on what was known then, with block-bootstrap intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from airpocket.domain.estimates import Estimate, known, unknown
from airpocket.domain.events import BoolArray, FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.market.bars import Bars
from airpocket.signals.driver_records import NO_HISTORY, Relation
from airpocket.signals.windows import values_at

POINTS_PERCENT = "% points"


@dataclass(frozen=True, slots=True)
class RelationSettings:
    """How a relation is tested. year, least: readings before one, most and least, that it is scored against.

    A reading counts as high or low from `at_sd`; a move is of forced size from `move_sd` standard deviations of a
    day (of the hours before) and `move_percent`, within a day. Below least_days, least_events nothing is said.
    """

    horizon_days: int = 5
    year: int = 250
    least: int = 60
    at_sd: float = 1.0
    move_sd: float = 3.0
    move_percent: float = 6.0
    least_days: int = 60
    least_events: int = 10
    draws: int = 400
    seed: int = 20_261_126


def relation(
    known_at: IntArray, signal: FloatArray, hours: Bars, now: int, settings: RelationSettings
) -> Relation | str:
    """What followed; or why it can't be told.

    known_at: (n,) ns, rising, when each reading could be known; signal: (n,) the reading as it was known then.
    """
    s = settings
    alone = np.append(np.diff(known_at) > 0, True)  # of readings that came at once the newest
    known_at, signal = known_at[alone], signal[alone]
    scores = trailing_scores(signal, s.year, s.least)
    later = later_returns(known_at, hours, s.horizon_days * DAY_NS)
    judged = np.isfinite(scores) & np.isfinite(later)
    if int(judged.sum()) < s.least_days:
        return (
            f"{NO_HISTORY}: {int(judged.sum())} readings can be judged, {s.least_days} are needed"
        )
    rises, falls = _moved(known_at[judged], hours, s)
    scores, later = scores[judged], later[judged]
    high, low = scores >= s.at_sd, scores <= -s.at_sd
    as_of = int(known_at[judged][-1])
    drawn = stationary(len(scores), max(10.0, 2.0 * s.horizon_days), s.draws, s.seed)
    found = [
        _difference(outcome, group, drawn, (as_of, now), s)
        for outcome, group in (
            (later, high), (later, low), (rises, high), (falls, high), (rises, low), (falls, low),
        )
    ]  # fmt: skip
    return Relation(
        horizon_days=s.horizon_days, days=len(scores), high_days=int(high.sum()), low_days=int(low.sum()),
        after_high=found[0], after_low=found[1], rises_after_high=found[2], falls_after_high=found[3],
        rises_after_low=found[4], falls_after_low=found[5],
    )  # fmt: skip


def trailing_scores(signal: FloatArray, year: int, least: int) -> FloatArray:
    """(n,) standard deviations of each reading from the mean of up to `year` before it; NaN below `least`."""
    scores = np.full(len(signal), np.nan)
    for at in range(least, len(signal)):
        past = signal[max(0, at - year) : at]
        past = past[np.isfinite(past)]
        sd = past.std() if len(past) >= least else 0.0
        if sd > 1e-12 * max(1.0, float(np.abs(past).max(initial=0.0))):
            scores[at] = (signal[at] - past.mean()) / sd
    return scores


def later_returns(known_at: IntArray, hours: Bars, horizon_ns: int) -> FloatArray:
    """(n,) per cent from the last close at each moment to that `horizon_ns` later; NaN without either."""
    if len(hours) == 0:
        return np.full(len(known_at), np.nan)
    stale = 3 * HOUR_NS
    before = values_at(hours.end, hours.close, known_at, stale)
    after = values_at(hours.end, hours.close, known_at + horizon_ns, stale)
    told = known_at + horizon_ns <= int(hours.end[-1])
    return np.where(told, 100.0 * (after / before - 1.0), np.nan)


def forced_size(hours: Bars, settings: RelationSettings) -> tuple[BoolArray, BoolArray]:
    """(n,) hours whose high (low) stands far above the lowest (below the highest) price of the day before.

    Far: `move_sd` standard deviations of a day, by the 720 hourly returns before that day, and `move_percent`.
    The rule of the labels in squeezes.csv, without their refinement; it sees no position, only size and haste.
    """
    n, day, month = len(hours), 24, 720
    up, down = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    if n <= day + month + 1:
        return up, down
    change = np.diff(np.log(hours.close), prepend=np.nan)
    spread = sliding_window_view(change[1:], month).std(axis=1)  # of hours 1…month, and on
    at = np.arange(month + day, n)
    sigma = spread[at - day - month] * np.sqrt(day)
    least = np.log1p(settings.move_percent / 100.0)
    need = np.maximum(settings.move_sd * sigma, least)
    lowest = sliding_window_view(hours.low, day).min(axis=1)[at - day]
    highest = sliding_window_view(hours.high, day).max(axis=1)[at - day]
    whole = hours.ts[at] - hours.ts[at - day] == day * HOUR_NS  # no move across a hole
    up[at] = whole & (np.log(hours.high[at] / lowest) >= need)
    down[at] = whole & (np.log(highest / hours.low[at]) >= need)
    return up, down


def _moved(known_at: IntArray, hours: Bars, s: RelationSettings) -> tuple[FloatArray, FloatArray]:
    """(n,) 100 where the window after a reading holds a move of forced size that began in it, else 0."""
    if s.horizon_days < 2:  # a day's move does not begin and end in a shorter window
        return np.full(len(known_at), np.nan), np.full(len(known_at), np.nan)
    recent = hours.since(int(known_at[0]) - 40 * DAY_NS)
    flags = forced_size(recent, s)
    first = np.searchsorted(
        recent.ts, known_at + DAY_NS
    )  # the day before the hour lies inside the window too
    last = np.searchsorted(recent.end, known_at + s.horizon_days * DAY_NS, side="right")
    sums = [np.concatenate([[0], np.cumsum(flag)]) for flag in flags]
    found = [
        np.where(one[np.maximum(last, first)] > one[first], np.float64(100.0), np.float64(0.0))
        for one in sums
    ]
    return found[0], found[1]


def _difference(
    outcome: FloatArray, group: BoolArray, drawn: IntArray, times: tuple[int, int], s: RelationSettings
) -> Estimate:  # fmt: skip
    """Mean of a group less the mean of the rest, with its 95 % interval."""
    count = int(group.sum())
    if count < s.least_events:
        return unknown(POINTS_PERCENT, f"{count} such readings, {s.least_events} are needed")
    if np.isnan(outcome).any():
        return unknown(POINTS_PERCENT, f"a window of {s.horizon_days} d is too short for it")
    value = float(outcome[group].mean() - outcome[~group].mean())
    taken, inside = outcome[drawn], group[drawn]
    inner, outer = inside.sum(axis=1), (~inside).sum(axis=1)
    usable = (inner > 0) & (outer > 0)
    mean_in = (taken * inside).sum(axis=1)[usable] / inner[usable]
    mean_out = (taken * ~inside).sum(axis=1)[usable] / outer[usable]
    low, high = np.quantile(mean_in - mean_out, (0.025, 0.975))
    interval = (min(float(low), value), max(float(high), value))
    return known(
        value, POINTS_PERCENT, as_of=times[0], now=times[1], source=f"{count} of {len(group)} readings",
        interval=interval,
    )  # fmt: skip


def stationary(n: int, mean_block: float, draws: int, seed: int) -> IntArray:
    """(draws, n) rows of a stationary bootstrap: blocks of geometric length, wrapped (Politis and Romano 1994)."""
    chance = np.random.default_rng(seed)
    fresh = chance.random((draws, n)) < 1.0 / mean_block
    fresh[:, 0] = True
    start = chance.integers(0, n, size=(draws, n))
    at = np.arange(n)
    begun = np.maximum.accumulate(np.where(fresh, at, 0), axis=1)
    return (np.take_along_axis(start, begun, axis=1) + at - begun) % n


def excludes_zero(estimate: Estimate) -> bool:
    """Whether the interval lies on one side of zero."""
    if estimate.low is None or estimate.high is None:
        return False
    return estimate.low > 0.0 or estimate.high < 0.0
