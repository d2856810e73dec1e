"""The roadmap's levels and zones in a few words: what a table or a picture has room for."""

import math
from collections.abc import Sequence

from airpocket.brief import words
from airpocket.domain.units import day_of, format_time
from airpocket.levels.roadmap import Level, LevelKind, Track, Zone
from airpocket.levels.words import price_text

_NAMES: dict[LevelKind, str] = {
    "swing_high": "swing high", "swing_low": "swing low", "ema_20d": "EMA 20 d", "ema_21d": "EMA 21 d",
    "ema_50d": "EMA 50 d", "fibonacci": "retracement", "volume_node": "high-volume node",
    "low_volume_node": "low-volume node", "value_area": "value area edge", "point_of_control": "point of control",
    "round_number": "round number", "all_time_high": "highest in the data", "cycle_high": "cycle high",
    "range_high": "range high", "range_low": "range low", "anchored_vwap": "anchored VWAP",
    "breakout_retest": "breakout", "supply_block": "supply block", "demand_block": "demand block",
    "spot_demand": "spot demand", "liquidation_wall": "liquidation wall", "option_gravity": "option strike",
}  # fmt: skip
_DATED = (
    "swing_high",
    "swing_low",
    "breakout_retest",
    "supply_block",
    "demand_block",
    "cycle_high",
)


def reason(level: Level) -> str:
    """One level in a few words: 'swing high (25-05-27, 4 h)', '0.618 retracement', 'EMA 50 d'."""
    name = _NAMES[level.kind]
    if level.kind == "fibonacci":
        return f"{level.sort} {name}"
    if level.kind in ("range_high", "range_low"):
        return f"{level.sort} {name}"
    if level.kind in ("round_number", "option_gravity"):
        return f"{name} {price_text(level.price)}"
    if level.kind in _DATED:
        return f"{name} ({_dated(level)})"
    return name


def _dated(level: Level) -> str:
    """'25-05-27, 4 h, used': the day it is of, its scale, and whether price has been there since."""
    used = "" if level.standing else "used"
    return ", ".join(part for part in (day_of(level.formed_at)[2:], level.sort, used) if part)


def reasons(levels: Sequence[Level], most: int) -> str:
    """Up to `most` levels, loudest first, like kinds together, then how many more there are."""
    groups: dict[str, list[Level]] = {}
    for level in levels:
        groups.setdefault(f"{level.kind} {level.standing}", []).append(level)
    told = [_together(group) for group in groups.values()]
    more = len(told) - most
    return ", ".join(told[:most]) + (f" + {more} more" if more > 0 else "")


def _together(group: Sequence[Level]) -> str:
    if len(group) == 1 or group[0].kind not in _DATED:
        return reason(group[0])
    name = _NAMES[group[0].kind]
    return f"{len(group)} {name}s ({_dated(group[0])} and others)"


def state(track: Track | None) -> str:
    """What closes did to a zone: 'tested 3 times, last 05-12', 'broken 05-08'."""
    if track is None:
        return words.UNKNOWN
    when = format_time(track.state_since)[5:10]
    match track.state:
        case "untouched":
            return f"untouched since {when}"
        case "inside":
            return f"price in it since {when}"
        case "tested" if track.tests:
            return (
                f"tested {track.tests} times, last {when}" if track.tests > 1 else f"tested {when}"
            )
        case "retested":
            return f"retested {when} after {_before(track)}"
        case _:
            return f"{track.state} {when}"


def _before(track: Track) -> str:
    """The break or reclaim that a retest followed."""
    for change in reversed(track.changes):
        if change.state in ("broken", "reclaimed"):
            what = "break" if change.state == "broken" else "reclaim"
            return f"{what} {format_time(change.came_at)[5:10]}"
    return "a break"


def band(zone: Zone) -> str:
    """A zone's band with as many digits as its width gives meaning: '4,687 to 4,729'."""
    step = 10.0 ** math.floor(math.log10(max(zone.high - zone.low, 1e-9 * zone.high) / 10.0))
    decimals = max(0, -round(math.log10(step)))
    low, high = (f"{round(edge / step) * step:,.{decimals}f}" for edge in (zone.low, zone.high))
    return low if low == high else f"{low} to {high}"


def place(zone: Zone) -> str:
    """A zone's place with its bias, where the place does not say it: 'squeeze zone (resistance)'."""
    role = words.name(zone.role)
    return role if zone.bias in role else f"{role} ({zone.bias})"
