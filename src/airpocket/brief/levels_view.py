"""The roadmap of an assessment as a view of its own."""

import numpy as np

from airpocket.brief import words
from airpocket.brief.blocks import Block, Part, Points, Words
from airpocket.brief.levels_model import Average, Candles, LevelsView
from airpocket.brief.roadmap_page import ladder, profile_blocks, records, rule_blocks
from airpocket.brief.roadmap_words import band
from airpocket.domain.estimates import Estimate
from airpocket.domain.units import DAY_NS, format_time
from airpocket.levels.averages import ema
from airpocket.levels.learned import SOURCE
from airpocket.levels.roadmap import Roadmap, Zone
from airpocket.market.state import Contract
from airpocket.pipeline import Assessment

CHART_DAYS = 45
_SPANS = (20, 50)


def levels_view(now: Assessment) -> LevelsView:
    """The view of one moment."""
    market = now.market
    reference = market.reference
    return LevelsView(
        asset=market.asset,
        as_of=format_time(market.now),
        simulated=market.simulated,
        price=now.signals.last,
        reference=reference.key,
        headline=headline(market.asset, now.roadmap, now.signals.last),
        roadmap=now.roadmap,
        learned_from=SOURCE,
        candles=_candles(reference, int(market.now)),
        averages=[_average(reference, span, int(market.now)) for span in _SPANS],
    )


def price_line(view: LevelsView) -> str:
    """Asset, price with provenance and age, reference contract and as-of time, on one line."""
    return (
        f"{words.plain(view.asset)} {words.figure(view.price)} on {words.plain(view.reference)}, "
        f"as of {words.moment(view.as_of)}"
    )


def headline(asset: str, roadmap: Roadmap, last: Estimate) -> str:
    """Where price stands among its zones, and what would release it, in one sentence."""
    if not roadmap.zones:
        why = roadmap.missing[0] if roadmap.missing else "no level was found"
        return f"{words.plain(asset)}: no zones: {why}"
    roles = {zone.role: zone for zone in roadmap.zones}
    above = next((zone for zone in roadmap.zones if zone.bias == "resistance"), None)
    below = roles.get("immediate_support")
    inside = roles.get("pivot")
    parts = [f"inside {_at(inside)}"] if inside else []
    if below:
        parts.append(f"support {_at(below)}")
    if above:
        parts.append(f"resistance {_at(above)}")
    release = roles.get("squeeze_zone")
    if release and release is not above:
        parts.append(f"squeeze zone {_at(release)}")
    met = [rule for rule in roadmap.rules if rule.status == "met"]
    told = (
        f"; met: {met[0].id.split(':')[0].replace('_', ' ')}, {met[0].implication}" if met else ""
    )
    place = f" {words.price(last.value)}" if last.value is not None else ""
    return f"{words.plain(asset)}{place}: {', '.join(parts)}{told}"


def _at(zone: Zone) -> str:
    away = "" if zone.distance_percent == 0 else f" ({words.signed_percent(zone.distance_percent)})"
    return f"{band(zone)}{away}"


def parts(view: LevelsView) -> list[Part]:
    """The page: the ladder, the rules, the profile, how such levels did, what is missing."""
    roadmap = view.roadmap
    zones: list[Block] = [ladder(roadmap.zones, view.price)] if roadmap.zones else []
    strength = (
        "Strength: log-odds of holding against any other price, learned; below zero the zone gives way more often,"
        " 0: no skill was found. Zones lie where reasons are many and loud, which is a judgement."
    )
    found = records(roadmap.zones)
    did: list[Block] = [Points("", found)] if found else []
    source = view.learned_from or "no recorded history was evaluated"
    made = [
        Part(
            "zones", "Zones", [*zones, Words(strength)] if zones else [Words("no zone was found")]
        ),
        Part(
            "rules", "What would confirm or break them", rule_blocks(roadmap) or [Words("no rule")]
        ),
        Part("profile", "Volume profile", profile_blocks(roadmap)),
        Part("record", "How such levels did before", [*did, Words(f"Learned from: {source}.")]),
    ]
    if roadmap.missing:
        made.append(Part("missing", "Not had", [Points("", roadmap.missing)]))
    return made


def _candles(contract: Contract, now: int) -> Candles:
    bars = contract.four_hours.since(now - CHART_DAYS * DAY_NS)
    return Candles(
        chart_ts=bars.ts.tolist(), open=bars.open.tolist(), high=bars.high.tolist(),
        low=bars.low.tolist(), close=bars.close.tolist(),
    )  # fmt: skip


def _average(contract: Contract, span: int, now: int) -> Average:
    days = contract.days
    values = ema(days, span)
    shown = np.isfinite(values) & (days.end >= now - CHART_DAYS * DAY_NS)
    return Average(
        name=f"EMA {span} d", chart_ts=days.end[shown].tolist(), value=values[shown].tolist()
    )
