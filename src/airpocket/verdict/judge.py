"""The verdict of a moment: the machine's state in its stronger direction, with what speaks for and against."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from msgspec import structs

from airpocket.cascade.records import Cascade, Unscanned
from airpocket.domain.errors import NothingKnown
from airpocket.domain.estimates import PERCENT, RATIO, Estimate, known, unknown
from airpocket.domain.tells import Tell, at_most, context
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Market
from airpocket.signals.interest import closing_doubt, lead_interest, venue_interests
from airpocket.signals.panel import Signals
from airpocket.verdict.evidence import Evidence, evidence_of
from airpocket.verdict.machine import SIGN, Course, fold
from airpocket.verdict.outlook import ranged, reached, would_change
from airpocket.verdict.reach import Reach
from airpocket.verdict.records import Direction, Transition, Verdict
from airpocket.verdict.settings import VerdictSettings
from airpocket.verdict.triggers import risk_tell

# from the least to the most telling
_RANK = ("quiet", "consolidation", "retrace", "armed", "exhaustion", "ignition", "squeeze on")
_STALE_H = 3
_RETREAT_SD = -1.5  # of the share of best prices taken that return: at or below, the touch retreats
_DIRECTIONS: tuple[Direction, Direction] = ("up", "down")
_IMPLICATION = {
    "quiet": "nothing is being forced",
    "armed": "fuel and price are in place; a break would start forced flow",
    "ignition": "the level broke; forced flow may follow",
    "squeeze on": "positions are being forced out; the move feeds on itself while they last",
    "exhaustion": "the forced flow is running dry",
    "retrace": "the leg is being given back",
    "consolidation": "the leg is kept without being driven further",
    "unknown": "nothing can be said",
}


def verdict(
    market: Market,
    signals: Signals,
    mapped: LiquidationMap | Unmapped,
    found: Cascade | Unscanned,
    settings: VerdictSettings | None = None,
    near: Mapping[Direction, Reach] | None = None,
) -> Verdict:
    """The state machine M7 at the market's time, as far as bars, funding and open interest allow.

    near: how near the next pockets are; one within reach that would run arms a way that is quiet.
    """
    s, near = settings or VerdictSettings(), near or {}
    try:
        evidence = evidence_of(market, s)
    except NothingKnown as error:
        return _unknown(str(error))
    fault = _fault(evidence, market.now)
    if fault:
        return _unknown(fault)
    runs = {
        d: _armed_by_reach(*fold(evidence, d, s), near.get(d), evidence, market.now)
        for d in _DIRECTIONS
    }
    direction = max(_DIRECTIONS, key=lambda d: (_RANK.index(runs[d][0].state), runs[d][0].since))
    course, path = runs[direction]
    opposite: Direction = "down" if direction == "up" else "up"
    other = runs[opposite][0]
    doubt = closing_doubt(lead_interest(venue_interests(market), market.now, _STALE_H), market)
    tells = _tells(evidence, signals, mapped, found, market.now)
    if doubt:
        tells = [_doubted(tell, doubt) if tell.id == "green_interest" else tell for tell in tells]
    quiet = course.state == "quiet"
    return Verdict(
        id="verdict",
        title="Verdict",
        state=course.state,
        direction=None if quiet else direction,
        since=course.since or None,
        because=[
            *_because(course, path, direction, signals),
            *_runs_on(course, near.get(direction)),
        ],
        other=other.state,
        would_change=[
            *would_change(course, evidence, direction, s, near.get(direction)),
            *(would_change(other, evidence, opposite, s, near.get(opposite)) if quiet else []),
        ],
        path=path,
        missing=[
            *_missing(evidence, signals),
            *([f"covering can't be told: {doubt}"] if doubt else []),
        ],
        tells=tells,
        refs=["M7"],
        implication=_IMPLICATION[course.state],
        ahead=[tell for each in near.values() for tell in each.tells],
    )


def _armed_by_reach(
    course: Course, path: list[Transition], reach: Reach | None, evidence: Evidence, now: int
) -> tuple[Course, list[Transition]]:
    """A quiet way whose next pocket is within reach and would run is armed; what the hours said stays as it is."""
    if course.state != "quiet" or reach is None or reach.pocket is None or not reach.open:
        return course, path
    sign, because = SIGN[reach.direction], [reached(reach)]
    level = evidence.top[-1] if sign > 0 else evidence.bottom[-1]
    armed = replace(
        course, state="armed", since=now, level=sign * float(level), atr=float(evidence.atr[-1])
    )
    change = Transition(
        at=now, direction=reach.direction, before="quiet", after="armed", because=because
    )
    return armed, [*path, change]


def _runs_on(course: Course, reach: Reach | None) -> list[str]:
    """What the cascade says of a move that is on its way."""
    if reach is None or course.state not in ("ignition", "squeeze on"):
        return []
    found: list[str] = []
    if reach.here.value is not None:
        state = "nothing turns a burst round" if reach.here.above(1.0) else "a burst ends by itself"
        found.append(
            f"squeeze number {ranged(reach.here)} at the price: {state} (modelled)"
            if reach.here.high
            else "nothing is forced within a per cent of the price (modelled)"
        )
    if reach.pocket is not None and reach.minutes.value is not None:
        found.append(reached(reach))
    return found


def _unknown(reason: str) -> Verdict:
    return Verdict(
        id="verdict", title="Verdict", state="unknown", direction=None, since=None, because=[reason],
        other="unknown", would_change=[], path=[], missing=[reason], ahead=[], tells=[], refs=["M7"],
        implication=_IMPLICATION["unknown"],
    )  # fmt: skip


def _fault(evidence: Evidence, now: int) -> str:
    if len(evidence) == 0 or now - int(evidence.end[-1]) > 2 * HOUR_NS:
        return "no hour has closed in the last two"
    if not (np.isfinite(evidence.top[-1]) and np.isfinite(evidence.atr[-1])):
        return "too few hours of prices to know what is usual"
    return ""


def _because(
    course: Course, path: list[Transition], direction: Direction, signals: Signals
) -> list[str]:
    if path and path[-1].after == course.state:
        reasons = list(path[-1].because)
    else:
        reasons = ["price is away from its extremes, or nothing known is there to be forced"]
    if course.state not in ("ignition", "squeeze on"):
        return reasons
    thinning = signals.tells["ask_thinning" if direction == "up" else "bid_thinning"]
    spot = signals.tells["spot_premium"]
    if direction == "up" and thinning.met and spot.met:
        reasons.append(_vertical(signals))
    elif thinning.met is False:
        reasons.append(
            "resting orders ahead are not retreating: a stall at the next level is likely"
        )
    reload = signals.tells["reload_score"]
    if reload.met:
        reasons.append("what is taken at the touch is reloaded at once: the mark of a stall")
    elif reload.estimate.value is not None and reload.estimate.value <= _RETREAT_SD:
        reasons.append("quotes step away when they are taken: little stands in the way")
    return reasons


def _vertical(signals: Signals) -> str:
    lead = signals.tells["lead_lag"].met
    if lead:
        return "offers retreat and spot leads: the mark of a vertical leg"
    if lead is None:
        return "offers retreat and spot pays more: a vertical leg if spot moves first, which is not measured"
    return "offers retreat and spot pays more, but is not measured to move first"


def _missing(evidence: Evidence, signals: Signals) -> list[str]:
    found: list[str] = []
    for tell_id, what in (
        ("reload_score", "whether quotes retreat from, or reload at, the touch is unknown"),
        ("fast_prints", "the speed of prints is unknown"),
    ):
        estimate = signals.tells[tell_id].estimate
        if estimate.value is None:
            found.append(f"{what}: {estimate.unknown}")
    if not np.isfinite(evidence.interest[-1]):
        found.append("open interest of the last hour is not known: covering can't be told")
    if not np.isfinite(evidence.funding_sd[-1]):
        found.append("funding has no history to be scored by: crowding can't be told")
    spot = signals.tells["spot_premium"]
    if spot.met is None:
        found.append(f"whether spot leads is unknown: {spot.estimate.unknown}")
    elif signals.tells["lead_lag"].met is None:
        found.append(f"whether spot leads is unknown: {signals.tells['lead_lag'].estimate.unknown}")
    return found


def _tells(
    evidence: Evidence,
    signals: Signals,
    mapped: LiquidationMap | Unmapped,
    found: Cascade | Unscanned,
    now: int,
) -> list[Tell]:
    """Tell-tales of a broadening unwind, then what map and scan put in the way."""
    positive = signals.tells.get(_positive_id(signals))
    tells = [
        *([positive] if positive is not None else []),
        at_most("green_interest", "open interest over the green hours of a day",
                _green_interest(evidence, now), -1.0, "covering at -1 %"),
        signals.tells["ask_thinning"],
        signals.tells["bid_thinning"],
        signals.tells["spot_premium"],
        signals.tells["reload_share"],
        signals.tells["reload_score"],
    ]  # fmt: skip
    tells += [risk_tell("short", mapped), risk_tell("long", mapped)]
    glide = unknown(RATIO, found.reason) if isinstance(found, Unscanned) else found.glide
    tells.append(context("glide", "cost of a push up over a push down", glide))
    return tells


def _doubted(tell: Tell, why: str) -> Tell:
    return structs.replace(tell, estimate=unknown(tell.estimate.unit, why), met=None)


def _positive_id(signals: Signals) -> str:
    return next((name for name in signals.tells if name.startswith("funding_positive:")), "")


def _green_interest(evidence: Evidence, now: int) -> Estimate:
    """Change of open interest over the last day's hours that closed above their open, %."""
    day = evidence.end > now - DAY_NS
    green = day & (evidence.close > evidence.open)
    changes = evidence.interest[green]
    if int(day.sum()) < 24:
        return unknown(PERCENT, "hours of the last day are missing")
    if len(changes) == 0:
        return unknown(PERCENT, "no hour of the last day closed above its open")
    if not np.isfinite(changes).all():
        return unknown(PERCENT, "open interest is not known for every one of those hours")
    total = 100.0 * (float(np.prod(1.0 + changes)) - 1.0)
    return known(
        total, PERCENT, as_of=int(evidence.end[-1]), now=now, source="open interest by hour"
    )
