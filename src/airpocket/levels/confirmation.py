"""What must close where before a zone counts: the three confirmation rules and their live status."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.units import DAY_NS, TimeNs, format_time
from airpocket.levels.averages import atr, rsi
from airpocket.levels.confluence import holds_swing_high
from airpocket.levels.roadmap import Rule, Zone
from airpocket.levels.settings import LevelSettings
from airpocket.levels.words import price_text
from airpocket.market.bars import Bars
from airpocket.market.state import Contract

_FRESH_SHOWN = 2  # a fast rise breaks many zones in a day: the nearest two still say something

Check: TypeAlias = tuple[bool | None, str]  # met, not met, or not known; in a sentence


@dataclass(frozen=True, slots=True)
class _Chart:
    """The unbroken four-hour bars up to now, and what is measured on them."""

    bars: Bars
    strength: FloatArray  # (n,) RSI 14
    range: FloatArray  # (n,) ATR 14, quote per coin
    stale: str  # why the bars can't be judged, or empty


def rules_of(
    contract: Contract,
    zones: list[Zone],
    now: TimeNs,
    settings: LevelSettings,
    spots: tuple[Contract, ...] = (),
) -> list[Rule]:
    """The rules for the zones they concern now, nearest to the price first within each rule.

    A zone just broken has changed its bias: it stays under its rule for `fresh_bars` four-hour closes
    (one day for the daily rule), so that a break can be seen as met and not only as waited for.
    """
    chart = _chart_of(contract, now, settings)
    nearest = sorted(zones, key=lambda zone: abs(zone.distance_percent))
    rules = [
        _continuation(zone, chart, settings, spots)
        for zone in _upward(nearest, chart, settings, lambda zone: zone.bias == "resistance")
    ]
    rules += [
        _price_discovery(zone, chart, settings)
        for zone in _upward(nearest, chart, settings, lambda zone: zone.role == "squeeze_zone")
        if zone.role == "squeeze_zone" or holds_swing_high(zone, standing=zone.bias == "pivot")
    ]
    days = contract.days.last_run()
    rules += [_reversion(zone, zones, days, now) for zone in _downward(nearest, days)]
    return rules


def _chart_of(contract: Contract, now: TimeNs, settings: LevelSettings) -> _Chart:
    bars = contract.four_hours.last_run()
    stale = ""
    if len(bars) == 0:
        stale = "there is no closed four-hour bar"
    elif now - int(bars.end[-1]) >= 2 * int(bars.end[-1] - bars.ts[-1]):
        stale = f"the newest four-hour bar closed at {format_time(int(bars.end[-1]))}"
    return _Chart(bars, rsi(bars), atr(bars), stale)


def break_row(close: FloatArray, level: float, fresh: int) -> int | None:
    """Row of the close that crossed above `level` within the last `fresh`, if every close since held."""
    above = close > level
    if len(close) == 0 or not above[-1]:
        return None
    below = np.flatnonzero(~above)
    if len(below) == 0 or below[-1] + 1 < len(close) - fresh:
        return None
    return int(below[-1]) + 1


def _upward(
    nearest: list[Zone], chart: _Chart, settings: LevelSettings, ahead: Callable[[Zone], bool]
) -> list[Zone]:
    """Zones freshly closed above, the one price is in, and the nearest of those `ahead`."""
    close = chart.bars.close
    fresh = [
        zone for zone in nearest
        if zone.bias == "support"
        and break_row(close, zone.high, settings.fresh_bars) is not None
    ]  # fmt: skip
    pivots = [zone for zone in nearest if zone.bias == "pivot"]
    return fresh[:_FRESH_SHOWN] + pivots + [zone for zone in nearest if ahead(zone)][:1]


def _continuation(
    zone: Zone, chart: _Chart, settings: LevelSettings, spots: tuple[Contract, ...]
) -> Rule:
    """A four-hour close above with volume and strength: the move goes on."""
    checks: list[Check] = [_closed_above(zone.high, chart)]
    spots = tuple(spot for spot in spots if _same_hours(spot, chart))
    note = (
        ""
        if spots
        else "whether spot led the volume is not checked: no spot market has these hours"
    )
    row = break_row(chart.bars.close, zone.high, settings.fresh_bars)
    if row is not None and not chart.stale:
        checks += [_volume_expands(row, chart, settings), _strength_rises(row, chart, settings)]
        if spots:
            checks.append(_spot_led(row, chart, settings, spots))
    elif not chart.stale and checks[0][0]:
        checks.append((False, f"no close crossed it in the last {settings.fresh_bars}"))
    text = (
        f"4 h close above {price_text(zone.high)} with volume at least {settings.volume_ratio:g} × "
        f"the mean of the {settings.volume_bars} bars before, spot's by as much or more, and RSI 14 (4 h) "
        f"rising, at or above {settings.rsi_level:g}"
    )
    return _rule("continuation", zone, text, checks, "the rise is confirmed and continues", note)


def _price_discovery(zone: Zone, chart: _Chart, settings: LevelSettings) -> Rule:
    """A clean break of the squeeze zone: shorts' stops are behind price, nothing known is ahead."""
    text = (
        f"clean reclaim of {price_text(zone.low)} to {price_text(zone.high)}: 4 h close more than "
        f"{settings.clean_atr:g} ATR 14 (4 h) above it, held for {settings.hold_bars} closes or with "
        f"a volume z-score above {settings.volume_z:g} against the {settings.volume_z_bars} bars before"
    )
    implication = "fast price discovery: short stops above the zone are being taken"
    return _rule("price_discovery", zone, text, _clean_break(zone, chart, settings), implication)


def _clean_break(zone: Zone, chart: _Chart, settings: LevelSettings) -> list[Check]:
    if chart.stale:
        return [(None, chart.stale)]
    span = float(chart.range[-1])
    if not np.isfinite(span):
        return [(None, f"ATR 14 (4 h) needs 15 bars without a gap; there are {len(chart.bars)}")]
    level = zone.high + settings.clean_atr * span
    checks: list[Check] = [_closed_above(level, chart)]
    row = break_row(chart.bars.close, level, settings.fresh_bars)
    if row is None:
        if checks[0][0]:
            checks.append((False, f"no close crossed it in the last {settings.fresh_bars}"))
        return checks
    held = len(chart.bars) - row
    if held >= settings.hold_bars:
        return [*checks, (True, f"held for {held} closes")]
    score = volume_z(chart.bars.volume, row, settings.volume_z_bars)
    if score is None:
        return [*checks, (None, f"held for {held} close, and the volume's z-score is not known")]
    return [*checks, (score > settings.volume_z, f"held for {held} close; volume z {score:.1f}")]


def volume_z(volume: FloatArray, row: int, bars: int) -> float | None:
    """Standard deviations of a bar's volume above the mean of the `bars` before; None if not known."""
    before = volume[max(row - bars, 0) : row]
    if len(before) < bars or not np.isfinite(volume[row]) or not np.all(np.isfinite(before)):
        return None
    spread = float(before.std(ddof=1))
    return (float(volume[row]) - float(before.mean())) / spread if spread > 0 else None


def _closed_above(level: float, chart: _Chart) -> Check:
    if chart.stale:
        return None, chart.stale
    last = float(chart.bars.close[-1])
    side = "above" if last > level else "not above"
    return last > level, f"last 4 h close {price_text(last)} is {side} {price_text(level)}"


def _volume_expands(row: int, chart: _Chart, settings: LevelSettings) -> Check:
    ratio = _expansion(chart.bars.volume, row, settings)
    if isinstance(ratio, str):
        return None, ratio
    return ratio >= settings.volume_ratio, f"volume of the break was {ratio:.2f} × the mean before"


def _expansion(volume: FloatArray, row: int, settings: LevelSettings) -> float | str:
    """A bar's volume over the mean of the bars before, or why it is not known."""
    before = volume[max(row - settings.volume_bars, 0) : row]
    if len(before) < settings.volume_bars:
        return f"volume: {len(before)} of the {settings.volume_bars} bars before are there"
    if not np.all(np.isfinite(volume[row - settings.volume_bars : row + 1])):
        return "volume: not published for every bar needed"
    mean = float(before.mean())
    if mean <= 0:
        return f"volume: nothing traded in the {settings.volume_bars} bars before the break"
    return float(volume[row]) / mean


def _same_hours(spot: Contract, chart: _Chart) -> bool:
    """Whether a spot market's four-hour bars reach the chart's newest."""
    ends = spot.four_hours.end
    return len(ends) > 0 and len(chart.bars) > 0 and int(ends[-1]) >= int(chart.bars.end[-1])


def _spot_led(
    row: int, chart: _Chart, settings: LevelSettings, spots: tuple[Contract, ...]
) -> Check:
    """Spot's volume in the same four hours expanded at least as much as the contract's own."""
    own = _expansion(chart.bars.volume, row, settings)
    if isinstance(own, str):
        return None, f"spot-led: {own}"
    best: tuple[float, float, str] | None = None
    for spot in spots:
        bars = spot.four_hours.until(int(chart.bars.end[row])).last_run()
        if len(bars) == 0 or int(bars.end[-1]) != int(chart.bars.end[row]):
            continue
        ratio = _expansion(bars.volume, len(bars) - 1, settings)
        if not isinstance(ratio, str) and (best is None or float(bars.volume[-1]) > best[0]):
            best = float(bars.volume[-1]), ratio, spot.key
    if best is None:
        return None, "spot-led: no spot market has the volumes of the break and the bars before"
    _, ratio, key = best
    words = f"spot's ({key}) was {ratio:.2f} × its mean, against {own:.2f} × here"
    return ratio >= own, words


def _strength_rises(row: int, chart: _Chart, settings: LevelSettings) -> Check:
    now, before = float(chart.strength[-1]), float(chart.strength[row - 1])
    if not (np.isfinite(now) and np.isfinite(before)):
        have = len(chart.bars)
        return None, f"RSI 14 (4 h) needs 43 bars without a gap before the break; {have} are there"
    met = now >= settings.rsi_level and now > before
    return met, f"RSI 14 (4 h) is {now:.1f}, {before:.1f} before the break"


def _downward(nearest: list[Zone], days: Bars) -> list[Zone]:
    """Zones the newest day closed below for the first time, the one price is in, and the supports."""
    close = days.close
    fresh = [
        zone for zone in nearest
        if zone.bias == "resistance" and len(close) > 1 and close[-1] < zone.low <= close[-2]
    ]  # fmt: skip
    named = ("immediate_support", "major_support")
    standing = [zone for zone in nearest if zone.bias == "pivot" or zone.role in named]
    return fresh[:_FRESH_SHOWN] + standing


def _reversion(zone: Zone, zones: list[Zone], days: Bars, now: TimeNs) -> Rule:
    """A daily close below support: the way is open to the next demand."""
    below = [other for other in zones if other.high <= zone.low and other.bias != "resistance"]
    implication = "deeper reversion; no further demand zone is known within reach"
    if below:
        following = below[-1]
        implication = (
            f"deeper reversion to the next demand zone, {price_text(following.low)} to "
            f"{price_text(following.high)} ({following.role.replace('_', ' ')})"
        )
    check = _day_closed_below(zone, days, now)
    return _rule("deeper_reversion", zone, f"daily close below {price_text(zone.low)}", [check],
                 implication)  # fmt: skip


def _day_closed_below(zone: Zone, days: Bars, now: TimeNs) -> Check:
    """The newest day closed below and the one before did not: only a level once held can be lost.

    A zone that price has climbed back above since (its bias is support again) is not lost.
    """
    level = zone.low
    if len(days) < 2:
        return None, f"two closed days in a row are needed; there are {len(days)}"
    last, before, end = float(days.close[-1]), float(days.close[-2]), int(days.end[-1])
    if now - end >= 2 * DAY_NS:
        return None, f"the newest closed day ended at {format_time(end)}"
    words = (
        f"last daily closes {price_text(before)} and {price_text(last)} against {price_text(level)}"
    )
    lost = last < level <= before
    if lost and zone.bias == "support":
        return False, f"{words}; price is back above it since"
    return lost, words


def status_of(met: list[bool | None]) -> Literal["waiting", "met", "unknown"]:
    """Waiting if a part is known not to hold; unknown if one can't be judged; met if all hold."""
    if False in met:
        return "waiting"
    return "unknown" if None in met else "met"


def _rule(
    name: str, zone: Zone, text: str, checks: list[Check], implication: str, note: str = ""
) -> Rule:
    return Rule(
        id=f"{name}:{zone.role}",
        text=text,
        zone_low=zone.low,
        zone_high=zone.high,
        status=status_of([met for met, _ in checks]),
        because=[words for _, words in checks] + ([note] if note else []),
        implication=implication,
    )
