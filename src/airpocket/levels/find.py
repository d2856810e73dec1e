"""The roadmap of one contract: every level source, merged into zones, with rules and what is missing."""

from dataclasses import replace

from airpocket.domain.units import HOUR_NS, TimeNs, format_time
from airpocket.levels.anchored import anchored_levels
from airpocket.levels.averages import average_levels, averages_of
from airpocket.levels.confirmation import rules_of
from airpocket.levels.confluence import kernel_width, zones_of
from airpocket.levels.numbers import high_levels, range_levels, round_levels
from airpocket.levels.pivots import swing_levels
from airpocket.levels.profile import profile_levels, volume_profile
from airpocket.levels.retracement import retracement_levels
from airpocket.levels.roadmap import Found, Level, Roadmap, Zone
from airpocket.levels.settings import DEFAULTS, LevelSettings
from airpocket.market.state import Contract

_STALE_NS = 6 * HOUR_NS
NOT_READ = (
    "options open-interest gravity: strikes are not read for the roadmap in this version",
    "options flow: trades of options are not read in this version",
    "4-hour supply blocks: no rule for them has been fixed in this version",
    "spot-demand clusters: signed spot volume by price is not read in this version",
    "liquidation walls: the map of forced positions is not laid over the roadmap in this version",
)


def find_levels(contract: Contract, now: TimeNs, settings: LevelSettings = DEFAULTS) -> Roadmap:
    """Zones around the present price, from this contract's bars that had closed by `now`.

    Nothing after `now` is used: the roadmap of a past moment is the same whether or not the data go on.
    Without any bar the roadmap is empty and says so.
    """
    contract = known_at(contract, now)
    if len(contract.base) == 0:
        reason = f"no bar of {contract.key} had closed by {format_time(now)}"
        averages = averages_of(contract, now)
        return Roadmap(zones=[], rules=[], profile=None, averages=averages, missing=[reason])
    price = float(contract.base.close[-1])
    averages = averages_of(contract, now)
    profile = volume_profile(contract, now, settings)
    sources: list[Found] = [
        swing_levels(contract, now, price, settings),
        average_levels(averages),
        retracement_levels(contract, settings),
        profile_levels(profile),
        round_levels(contract.base, price, settings),
        high_levels(contract.base, settings),
        range_levels(contract.days, now, settings),
        anchored_levels(contract, now, settings),
    ]
    levels: list[Level] = [level for found, _ in sources for level in found]
    width = kernel_width(price, averages["atr_14d"], settings)
    zones = zones_of(levels, price, width, settings)
    return Roadmap(
        zones=zones,
        rules=rules_of(contract, zones, now, settings),
        profile=profile,
        averages=averages,
        missing=[
            *_staleness(contract, now),
            *(sentence for _, gone in sources for sentence in gone),
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
