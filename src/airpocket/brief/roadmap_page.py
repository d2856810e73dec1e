"""The roadmap as plain blocks: the ladder of zones around the price, the rules, averages, profile, records."""

from airpocket.brief import words
from airpocket.brief.blocks import Block, Cell, Facts, Grid, Points, Words, nothing
from airpocket.brief.blocks import band as between
from airpocket.brief.roadmap_words import band, place, reasons, state
from airpocket.domain.estimates import Estimate
from airpocket.domain.tells import NOT_EVALUATED, Tell
from airpocket.levels.roadmap import Level, Roadmap, Zone

_REASONS = 4  # named in a row of the ladder


def roadmap_blocks(roadmap: Roadmap, last: Estimate) -> list[Block]:
    """The whole section: zones, what each level is, rules, averages, profile, and what could not be had."""
    blocks: list[Block] = [
        ladder(roadmap.zones, last) if roadmap.zones else nothing("no zone was found")
    ]
    if roadmap.zones:
        blocks.append(
            Points("What lies in them", [_named(zone) for zone in _falling(roadmap.zones)])
        )
        blocks.append(Points("How such levels did before", records(roadmap.zones)))
    blocks += rule_blocks(roadmap)
    averages = [
        Tell(id=key, label=words.name(key), estimate=each) for key, each in roadmap.averages.items()
    ]
    if averages:
        blocks.append(Facts("Moving averages", averages))
    blocks.extend(profile_blocks(roadmap))
    if roadmap.missing:
        blocks.append(Points("Level sources not had", roadmap.missing))
    return blocks


def rule_blocks(roadmap: Roadmap) -> list[Block]:
    """The confirmation rules with their live status."""
    if not roadmap.rules:
        return []
    rows: list[tuple[Cell, ...]] = [
        (
            rule.text,
            between(rule.zone_low, rule.zone_high),
            rule.status,
            "; ".join(rule.because),
            rule.implication,
        )
        for rule in roadmap.rules
    ]
    return [Grid("Confirmation rules", ("Rule", "Zone", "Status", "Because", "Then"), rows)]


def ladder(zones: list[Zone], last: Estimate) -> Grid:
    """Zones from the highest to the lowest, with the price as the marked rung between them."""
    ordered = sorted(zones, key=lambda zone: (-_side_of(zone, last), -(zone.low + zone.high)))
    rows = [_rung(zone) for zone in ordered]
    here = sum(_side_of(zone, last) >= 0 for zone in ordered) if last.known else 0
    rows.insert(here, ("PRICE NOW", last, "", "", "", ""))
    columns = ("Zone", "Quote per coin", "Away", "State", "Strength", "Reasons")
    return Grid("Zones above and below the price", columns, rows, marked=here)


def _side_of(zone: Zone, last: Estimate) -> int:
    """1 above the price, 0 around it (or nobody knows), -1 below."""
    if last.value is None or zone.low <= last.value <= zone.high:
        return 0
    return 1 if zone.low > last.value else -1


def _rung(zone: Zone) -> tuple[Cell, ...]:
    inside = zone.distance_percent == 0
    return (
        place(zone),
        band(zone),
        "price is inside" if inside else words.signed_percent(zone.distance_percent),
        state(zone.track),
        strength(zone),
        reasons(zone.confluence, _REASONS) or "none named",
    )


def strength(zone: Zone) -> str:
    """A zone's strength with its sign: below zero it gives way more often than other prices."""
    return "0" if zone.strength == 0.0 else f"{zone.strength:+.2f}"


def records(zones: list[Zone]) -> list[str]:
    """Each record once: what levels like these did, against other prices."""
    told = (record for zone in zones for record in zone.record.split("; "))
    found = list(dict.fromkeys(words.plain(record) for record in told if record))
    if found == [NOT_EVALUATED]:
        return ["no level has a track record yet"]
    return [record for record in found if record != NOT_EVALUATED]


def _falling(zones: list[Zone]) -> list[Zone]:
    return sorted(zones, key=lambda zone: -(zone.low + zone.high))


def _named(zone: Zone) -> str:
    told = "; ".join(_reason(level) for level in zone.confluence)
    return f"{words.name(zone.role)} {band(zone)}: {told or 'none named'}"


def _reason(level: Level) -> str:
    return words.plain(level.label) or words.name(level.kind)


def profile_blocks(roadmap: Roadmap) -> list[Block]:
    """Value area, point of control, nodes, and whether price is accepted beyond one."""
    profile = roadmap.profile
    if profile is None:
        return [Words(f"Volume profile {words.UNKNOWN}: not computed")]
    tells = [
        Tell(id="poc", label="Point of control", estimate=profile.point_of_control),
        Tell(id="val", label="Value area low", estimate=profile.value_area_low),
        Tell(id="vah", label="Value area high", estimate=profile.value_area_high),
    ]
    nodes: list[str] = [profile.acceptance] if profile.acceptance else []
    for label, prices in (
        ("High-volume nodes", profile.high_volume_nodes),
        ("Low-volume nodes", profile.low_volume_nodes),
    ):
        nodes.append(f"{label}: {', '.join(words.price(each) for each in prices) or 'none found'}")
    return [Facts(f"Volume profile, {words.plain(profile.window)}", tells), Points("", nodes)]
