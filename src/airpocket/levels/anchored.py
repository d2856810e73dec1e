"""Volume-weighted average prices from an anchor: confirmed swings, and the start of month and quarter."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.units import DAY_NS, HOUR_NS, TimeNs, day_of
from airpocket.levels.pivots import Swings, bars_of, confirmed_swings
from airpocket.levels.roadmap import Found, Level
from airpocket.levels.settings import PROMINENCE, LevelSettings
from airpocket.market.bars import Bars
from airpocket.market.state import Contract


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where an average starts (`at`, ns), what for, and from when one could know to start it there."""

    at: int
    label: str
    confirmed_at: int
    sort: str


def anchored_vwap(bars: Bars, anchor: int) -> FloatArray:
    """(rows from `anchor` on,) Σ p·v / Σ v since the anchor, p = (high + low + close) / 3.

    NaN from the first bar without a volume on, and while nothing has traded.
    """
    since = bars.since(anchor)
    typical = (since.high + since.low + since.close) / 3
    traded = np.cumsum(since.volume)
    paid = np.cumsum(typical * since.volume)
    return np.divide(paid, traded, out=np.full(len(since), np.nan), where=traded > 0)


def anchors_of(contract: Contract, now: TimeNs, settings: LevelSettings) -> list[Anchor]:
    """The last confirmed major swing high and low, the quarter, and the month unless it is the same."""
    found: list[Anchor] = []
    for scale in settings.scales:
        if scale.bars == "days":
            swings = confirmed_swings(bars_of(contract, scale), scale.reach)
            found += [
                _swing_anchor(contract.hours, kind)
                for kind in (swings.highs(), swings.lows())
                if len(kind)
            ]
    month = _start_of(now, 1)
    quarter = _start_of(now, 3)
    found.append(Anchor(quarter, f"the quarter's start, {day_of(quarter)}", quarter, "calendar"))
    if month != quarter:
        found.append(Anchor(month, f"the month's start, {day_of(month)}", month, "calendar"))
    return found


def _swing_anchor(hours: Bars, swings: Swings) -> Anchor:
    """The hour in which the newest of these daily swings printed its extreme."""
    name = "high" if swings.is_high[-1] else "low"
    day = hours.since(int(swings.formed_at[-1])).until(int(swings.formed_end[-1]))
    at = int(swings.formed_at[-1])
    if len(day):
        row = np.argmax(day.high) if swings.is_high[-1] else np.argmin(day.low)
        at = int(day.ts[row])
    return Anchor(at, f"the swing {name} of {day_of(at)}", int(swings.confirmed_at[-1]), "swing")


def _start_of(now: int, count: int) -> int:
    """Start, in UTC, of the running block of `count` calendar months."""
    months = int(np.datetime64(now, "ns").astype("M8[M]").astype(np.int64))
    start = np.datetime64(months - months % count, "M")
    return int(start.astype("M8[ns]").astype(np.int64))


def anchored_levels(contract: Contract, now: TimeNs, settings: LevelSettings) -> Found:
    """The newest value of each anchored average; a swing's only from its confirmation on."""
    levels: list[Level] = []
    missing: list[str] = []
    for anchor in anchors_of(contract, now, settings):
        if now - anchor.at < DAY_NS:
            continue  # a few hours' average is the price itself
        bars = contract.hours.since(anchor.at)
        covered = len(bars) * HOUR_NS / (now - now % HOUR_NS - anchor.at)
        average = anchored_vwap(contract.hours, anchor.at)
        if covered < settings.vwap_min_coverage:
            missing.append(
                f"anchored VWAP from {anchor.label}: hourly bars cover {covered:.0%} since"
            )
        elif not np.isfinite(average[-1]):
            missing.append(f"anchored VWAP from {anchor.label}: a bar since has no volume")
        else:
            levels.append(_level(anchor, float(average[-1])))
    return levels, missing


def _level(anchor: Anchor, price: float) -> Level:
    return Level(
        price=price,
        kind="anchored_vwap",
        label=f"VWAP from {anchor.label}",
        formed_at=anchor.at,
        confirmed_at=anchor.confirmed_at,
        prominence=PROMINENCE["anchored_vwap"],
        sort=anchor.sort,
    )
