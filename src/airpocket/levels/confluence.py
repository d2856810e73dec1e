"""Levels → zones: where reasons lie close together, how many there are, and each zone's place on the roadmap."""

import math

import msgspec
import numpy as np

from airpocket.domain.estimates import Estimate
from airpocket.domain.events import FloatArray
from airpocket.levels.evidence import record_of, strength_of
from airpocket.levels.roadmap import Bias, Level, LevelKind, Zone
from airpocket.levels.settings import LevelSettings

_WIDTH_RANGE = (0.001, 0.012)  # log price: after a crash a wider zone would name every price
# One extreme seen by several rules is one reason, not several.
_FAMILIES: dict[LevelKind, str] = {
    "swing_high": "high", "all_time_high": "high", "cycle_high": "high", "range_high": "high",
    "swing_low": "low", "range_low": "low", "breakout_retest": "breakout",
}  # fmt: skip


def kernel_width(price: float, atr: Estimate, settings: LevelSettings) -> float:
    """The standard deviation of the level density in log price: a share of the daily true range."""
    width = settings.width_percent / 100
    if atr.value is not None:
        width = settings.width_atr * atr.value / price
    return min(max(width, _WIDTH_RANGE[0]), _WIDTH_RANGE[1])


def one_reason_each(levels: list[Level]) -> list[Level]:
    """Highs (or lows) at exactly the same price become one level: the loudest, with every label."""
    merged: dict[tuple[str, float], Level] = {}
    for level in levels:
        key = (_FAMILIES.get(level.kind, level.label), level.price)
        twin = merged.get(key)
        if twin is None:
            merged[key] = level
            continue
        loud, quiet = (twin, level) if twin.prominence >= level.prominence else (level, twin)
        label = loud.label
        if quiet.label.split(" (")[0] not in label:  # the same swing on a finer scale says no more
            label = f"{label}; {quiet.label}"
        merged[key] = msgspec.structs.replace(
            loud, label=label, standing=loud.standing and quiet.standing
        )
    return list(merged.values())


def density(at: FloatArray, prices: FloatArray, weights: FloatArray, width: float) -> FloatArray:
    """(len(at),) Σ w·exp(−½((x − x_i)/width)²): the level density, in log price; weighted by prominence."""
    steps = (at[:, None] - prices[None, :]) / width
    return (np.exp(-0.5 * steps * steps) * weights).sum(axis=1)


def groups_of(prices: FloatArray, weights: FloatArray, width: float) -> list[tuple[int, int]]:
    """Rows [start, stop) of levels that belong together; prices are rising log prices.

    The level where the density is highest gathers all within one kernel width; then the same again
    with those that are left. No group is wider than two widths, and groups never interleave.
    """
    left = np.ones(len(prices), dtype=np.bool_)
    groups: list[tuple[int, int]] = []
    while left.any():
        rows = np.flatnonzero(left)
        peak = rows[np.argmax(density(prices[rows], prices[rows], weights[rows], width))]
        mine = rows[np.abs(prices[rows] - prices[peak]) <= width]
        groups.append((int(mine[0]), int(mine[-1]) + 1))
        left[mine] = False
    return sorted(groups)


def zones_of(
    levels: list[Level], price: float, width: float, settings: LevelSettings
) -> list[Zone]:
    """Disjoint zones by rising price, at most `zones_per_side` on each side of the present price.

    A zone's band is from its lowest to its highest level with a quarter of a kernel width to spare, or
    half the way to the next level if that is less. Kept are the nearest zone, the nearest with a
    standing swing high, the highest in the data, then the most prominent.
    """
    near = [level for level in one_reason_each(levels) if _within(level, price, settings)]
    if not near:
        return []
    near.sort(key=lambda level: (level.price, level.kind, level.label))
    logs = np.log([level.price for level in near])
    ends = np.concatenate([[-np.inf], logs, [np.inf]])
    zones: list[Zone] = []
    for start, stop in groups_of(logs, np.array([level.prominence for level in near]), width):
        inside = near[start:stop]
        if math.fsum(level.prominence for level in inside) < settings.min_prominence:
            continue
        below = min(width / 4, float(ends[start + 1] - ends[start]) / 2)
        above = min(width / 4, float(ends[stop + 1] - ends[stop]) / 2)
        zones.append(_zone(inside, inside[0].price * math.exp(-below),
                           inside[-1].price * math.exp(above), price))  # fmt: skip
    return with_roles(_kept(zones, settings), settings)


def _within(level: Level, price: float, settings: LevelSettings) -> bool:
    reach = settings.reach_percent / 100
    inside = price * (1 - reach) <= level.price <= price * (1 + reach)
    return inside or level.kind == "all_time_high"


def _zone(levels: list[Level], low: float, high: float, price: float) -> Zone:
    bias: Bias = "pivot"
    distance = 0.0
    if low > price:
        bias, distance = "resistance", 100 * (low / price - 1)
    elif high < price:
        bias, distance = "support", 100 * (high / price - 1)
    loudest_first = sorted(levels, key=lambda level: (-level.prominence, level.price, level.label))
    return Zone(
        low=low, high=high, bias=bias, role=bias, distance_percent=distance,
        strength=strength_of(levels), confluence=loudest_first,
        prominence=math.fsum(level.prominence for level in levels), record=record_of(levels),
    )  # fmt: skip


def holds_swing_high(zone: Zone, *, standing: bool = True) -> bool:
    """Whether a swing high lies in the zone; with `standing`, one that price has not traded through."""
    return any(
        level.kind in ("swing_high", "all_time_high", "cycle_high")
        and (level.standing or not standing)
        for level in zone.confluence
    )


def _kept(zones: list[Zone], settings: LevelSettings) -> list[Zone]:
    kept = [zone for zone in zones if zone.bias == "pivot"]
    for bias in ("support", "resistance"):
        side = sorted(
            (zone for zone in zones if zone.bias == bias),
            key=lambda zone: abs(zone.distance_percent),
        )
        kept += _chosen(side, settings.zones_per_side)
    return sorted(kept, key=lambda zone: zone.low)


def _chosen(side: list[Zone], count: int) -> list[Zone]:
    """The zones of one side to show, given nearest first."""
    resistance = bool(side) and side[0].bias == "resistance"
    release = next((k for k, zone in enumerate(side) if holds_swing_high(zone)), 0)
    pinned = {0, release, len(side) - 1} if resistance else {0}
    order = sorted(range(len(side)), key=lambda k: (k not in pinned, -side[k].prominence, k))
    return [side[k] for k in order[:count]]


def with_roles(zones: list[Zone], settings: LevelSettings) -> list[Zone]:
    """Zones by rising price, each with its place on the roadmap; no squeeze zone beyond reach."""
    supports = [zone for zone in reversed(zones) if zone.bias == "support"]
    resistances = [zone for zone in zones if zone.bias == "resistance"]
    roles = {id(zone): f"support_{k}" for k, zone in enumerate(supports, 1)}
    roles |= {id(zone): f"resistance_{k}" for k, zone in enumerate(resistances, 1)}
    if supports[1:]:
        roles[id(max(supports[1:], key=lambda zone: zone.prominence))] = "major_support"
    if supports:
        roles[id(supports[0])] = "immediate_support"
    for zone in resistances:
        if any(level.kind == "all_time_high" for level in zone.confluence):
            roles[id(zone)] = "discovery_trigger"
    reachable = [zone for zone in resistances if zone.distance_percent <= settings.reach_percent]
    release = next((zone for zone in reachable if holds_swing_high(zone)), None)
    if release is not None:
        roles[id(release)] = "squeeze_zone"
    return [msgspec.structs.replace(zone, role=roles.get(id(zone), zone.role)) for zone in zones]
