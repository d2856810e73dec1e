"""The roadmap of one contract: every level source, merged into zones, with rules and what is missing."""

from dataclasses import dataclass, replace

from msgspec.structs import replace as replace_level

from airpocket.domain.estimates import Estimate
from airpocket.domain.units import HOUR_NS, TimeNs, format_time
from airpocket.levels.anchored import anchored_levels
from airpocket.levels.averages import average_levels, averages_of
from airpocket.levels.blocks import block_levels
from airpocket.levels.confirmation import rules_of
from airpocket.levels.confluence import kernel_width, zones_of
from airpocket.levels.demand import demand_levels
from airpocket.levels.evidence import weight_of
from airpocket.levels.numbers import high_levels, range_levels, round_levels
from airpocket.levels.pivots import swing_levels
from airpocket.levels.profile import profile_levels, volume_profile
from airpocket.levels.pulls import gravity_levels, wall_levels
from airpocket.levels.retests import retest_levels
from airpocket.levels.retracement import retracement_levels
from airpocket.levels.roadmap import Found, Level, Roadmap, VolumeProfile, Zone
from airpocket.levels.settings import DEFAULTS, LevelSettings
from airpocket.levels.tracking import followed
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.options.chain import ChainSnapshot
from airpocket.market.state import Contract

_STALE_NS = 6 * HOUR_NS
NOT_READ = ("options flow: trades of options are not read in this version",)


@dataclass(frozen=True, slots=True)
class Beside:
    """What names prices besides one contract's bars: spot markets, the map of forced positions, a chain."""

    spots: tuple[Contract, ...] = ()
    mapped: LiquidationMap | Unmapped | None = None
    chain: ChainSnapshot | str = "no option chain was asked for"


ALONE = Beside()


@dataclass(frozen=True, slots=True)
class Sources:
    """Every level found at a moment, before any merging, and in sentences what could not be had."""

    levels: list[Level]
    missing: list[str]
    profile: VolumeProfile
    averages: dict[str, Estimate]


def sources_at(
    contract: Contract, now: TimeNs, settings: LevelSettings = DEFAULTS, beside: Beside = ALONE
) -> Sources:
    """All levels that are known of a contract at `now`; its bars, of which there must be one, end by then."""
    price = float(contract.base.close[-1])
    averages = averages_of(contract, now)
    profile = volume_profile(contract, now, settings)
    found: list[Found] = [
        swing_levels(contract, now, price, settings),
        retest_levels(contract, now, settings),
        block_levels(contract, now, settings),
        average_levels(averages),
        retracement_levels(contract, settings),
        profile_levels(profile),
        round_levels(contract.base, price, settings),
        high_levels(contract.base, settings),
        range_levels(contract.days, now, settings),
        anchored_levels(contract, now, settings),
        demand_levels(beside.spots, now, settings),
        wall_levels(beside.mapped, settings),
        gravity_levels(beside.chain, settings),
    ]
    return Sources(
        _weighed([level for levels, _ in found for level in levels]),
        [sentence for _, gone in found for sentence in gone],
        profile,
        averages,
    )


def _weighed(levels: list[Level]) -> list[Level]:
    """With what each has been worth, and without swings that are breakouts to be retested: one reason, not two."""
    broken = {level.price for level in levels if level.kind == "breakout_retest"}
    swings = ("swing_high", "swing_low")
    kept = [level for level in levels if level.kind not in swings or level.price not in broken]
    return [replace_level(level, weight=weight_of(level.key)) for level in kept]


def find_levels(
    contract: Contract, now: TimeNs, settings: LevelSettings = DEFAULTS, beside: Beside = ALONE
) -> Roadmap:
    """Zones around the present price, from what had closed and was told by `now`.

    Nothing after `now` is used: the roadmap of a past moment is the same whether or not the data go on.
    Without any bar the roadmap is empty and says so.
    """
    contract = known_at(contract, now)
    if len(contract.base) == 0:
        reason = f"no bar of {contract.key} had closed by {format_time(now)}"
        averages = averages_of(contract, now)
        return Roadmap(zones=[], rules=[], profile=None, averages=averages, missing=[reason])
    price = float(contract.base.close[-1])
    found = sources_at(contract, now, settings, beside)
    width = kernel_width(price, found.averages["atr_14d"], settings)
    zones = [
        followed(contract.four_hours, zone)
        for zone in zones_of(found.levels, price, width, settings)
    ]
    return Roadmap(
        zones=zones,
        rules=rules_of(contract, zones, now, settings, beside.spots),
        profile=found.profile,
        averages=found.averages,
        missing=[
            *_staleness(contract, now),
            *found.missing,
            *_no_squeeze_zone(zones, settings),
            *NOT_READ,
        ],
    )


def known_at(contract: Contract, now: TimeNs) -> Contract:
    """The contract with only the bars that had closed by `now`."""
    return replace(
        contract,
        base=contract.base.until(now),
        hours=contract.hours.until(now),
        four_hours=contract.four_hours.until(now),
        days=contract.days.until(now),
    )


def _staleness(contract: Contract, now: TimeNs) -> list[str]:
    end = int(contract.base.end[-1])
    if now - end < _STALE_NS:
        return []
    age_h = (now - end) / HOUR_NS
    return [f"present price: the newest bar closed {age_h:.0f} h before, at {format_time(end)}"]


def _no_squeeze_zone(zones: list[Zone], settings: LevelSettings) -> list[str]:
    if any(zone.role == "squeeze_zone" for zone in zones):
        return []
    return [
        f"squeeze zone: no swing high that still stands within {settings.reach_percent:g} % above"
    ]
