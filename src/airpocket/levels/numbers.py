"""Prices people remember: round numbers, the highest in the data, cycle tops, edges of earlier ranges."""

import math

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.domain.units import DAY_NS, TimeNs, day_of
from airpocket.levels.averages import owned
from airpocket.levels.roadmap import Found, Level, LevelKind
from airpocket.levels.settings import PROMINENCE, LevelSettings
from airpocket.levels.words import price_text
from airpocket.market.bars import Bars

_RANGE_COVERAGE = 0.9
_ROUND_SORTS = {1.5: "tenfold", 1.0: "half", 0.5: "tenth"}


def round_numbers(price: float, reach_percent: float) -> list[tuple[float, float]]:
    """(price, prominence) of round numbers within reach, scaled to the magnitude of the price.

    With m the power of ten at or below the price: multiples of m have 1.5, of m/2 1.0, of m/10 0.5.

    >>> round_numbers(2450.0, 5.0)
    [(2400.0, 0.5), (2500.0, 1.0)]
    """
    exponent = math.floor(math.log10(price)) - 1
    reach = reach_percent / 100
    found: list[tuple[float, float]] = []
    for k in range(_steps(price * (1 - reach), exponent, up=True),
                   _steps(price * (1 + reach), exponent, up=False) + 1):  # fmt: skip
        size = 1.5 if k % 10 == 0 else 1.0 if k % 5 == 0 else 0.5
        value = k * 10**exponent if exponent >= 0 else k / 10**-exponent
        if k > 0:
            found.append((float(value), size))
    return found


def _steps(price: float, exponent: int, *, up: bool) -> int:
    steps = price / 10**exponent if exponent >= 0 else price * 10**-exponent
    return math.ceil(steps) if up else math.floor(steps)


def round_levels(base: Bars, price: float, settings: LevelSettings) -> Found:
    """Round numbers as levels; they were known before the data start."""
    start = int(base.ts[0])
    levels = [
        Level(price=value, kind="round_number", label=f"round number {price_text(value)}",
              formed_at=start, confirmed_at=start, prominence=size, sort=_ROUND_SORTS[size])
        for value, size in round_numbers(price, settings.reach_percent)
    ]  # fmt: skip
    return levels, []


@kernel
def _cycle_tops(
    high: FloatArray, low: FloatArray, fall: float, tops: IntArray, known: IntArray
) -> int:
    """A top is confirmed by a fall of `fall`; the next cycle starts when the fall is made good from
    the bottom up (price ÷ bottom ≥ 1 / (1 − fall)). Returns how many tops were found."""
    found = 0
    rising = True
    top = 0
    bottom = np.inf
    for i in range(len(high)):
        if rising and low[i] <= (1.0 - fall) * high[top]:
            tops[found] = top
            known[found] = i
            found += 1
            rising = False
            bottom = low[i]
        elif rising and high[i] > high[top]:
            top = i
        elif not rising:
            bottom = min(bottom, low[i])
            if high[i] >= bottom / (1.0 - fall):
                rising = True
                top = i
    return found


def high_levels(base: Bars, settings: LevelSettings) -> Found:
    """The highest price in the data, and the tops of cycles that a fall by half has ended."""
    start = day_of(int(base.ts[0]))
    row = int(np.argmax(base.high))
    levels = [_high(base, row, row, "all_time_high", f"highest in the data since {start}")]
    tops = np.empty(len(base), np.int64)
    known = np.empty(len(base), np.int64)
    found = _cycle_tops(owned(base.high), owned(base.low), settings.cycle_fall, tops, known)
    for top, seen in zip(tops[:found].tolist(), known[:found].tolist(), strict=True):
        label = f"cycle high of {day_of(int(base.ts[top]))}"
        levels.append(_high(base, top, seen, "cycle_high", label))
    return levels, []


def _high(base: Bars, row: int, seen: int, kind: LevelKind, label: str) -> Level:
    price = float(base.high[row])
    standing = not bool((base.high[row + 1 :] > price).any())
    return Level(
        price=price, kind=kind, label=label if standing else f"{label}, traded through since", standing=standing,
        formed_at=int(base.ts[row]), confirmed_at=int(base.end[seen]), prominence=PROMINENCE[kind],
    )  # fmt: skip


def range_levels(days: Bars, now: TimeNs, settings: LevelSettings) -> Found:
    """High and low of the last 30 and 90 days before the newest three: ranges that price has left or not.

    The newest days are left out, so that a break of the range does not move its edge at once.
    """
    levels: list[Level] = []
    missing: list[str] = []
    end = now - now % DAY_NS - settings.range_skip_days * DAY_NS
    for span in settings.range_days:
        window = days.since(end - span * DAY_NS).until(end)
        if len(window) < _RANGE_COVERAGE * span:
            missing.append(f"{span}-day range: {len(window)} of {span} closed days are there")
            continue
        dates = f"{span}-day range to {day_of(end - 1)}"
        sort = f"{span} d"
        levels.append(_edge(window, int(np.argmax(window.high)), "range_high", (dates, sort), end))
        levels.append(_edge(window, int(np.argmin(window.low)), "range_low", (dates, sort), end))
    return levels, missing


def _edge(window: Bars, row: int, kind: LevelKind, dates: tuple[str, str], end: int) -> Level:
    high = kind == "range_high"
    return Level(
        price=float(window.high[row] if high else window.low[row]),
        kind=kind,
        label=f"{'high' if high else 'low'} of the {dates[0]}",
        formed_at=int(window.ts[row]),
        confirmed_at=end,
        prominence=PROMINENCE[kind],
        sort=dates[1],
    )
