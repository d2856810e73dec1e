"""What would move the state machine on, in sentences with prices."""

from airpocket.domain.estimates import Estimate
from airpocket.levels.words import price_text
from airpocket.verdict.evidence import Evidence
from airpocket.verdict.machine import SIGN, Course
from airpocket.verdict.reach import Reach
from airpocket.verdict.records import Direction
from airpocket.verdict.settings import VerdictSettings


def would_change(
    course: Course, evidence: Evidence, direction: Direction, s: VerdictSettings,
    reach: Reach | None = None,
) -> list[str]:  # fmt: skip
    """The next states within reach of the present one."""
    return [*_by_hours(course, evidence, direction, s), *_by_reach(course, reach)]


def _by_hours(
    course: Course, evidence: Evidence, direction: Direction, s: VerdictSettings
) -> list[str]:
    sign = SIGN[direction]
    past = "above" if direction == "up" else "below"
    inside = "below" if direction == "up" else "above"
    atr = float(evidence.atr[-1])
    level = float(evidence.top[-1] if direction == "up" else evidence.bottom[-1])
    broken = price_text(level + sign * s.break_atr * atr)
    crowd = "shorts" if direction == "up" else "longs"
    if course.state == "quiet":
        near = price_text(level - sign * s.near_atr * atr)
        return [
            f"an hourly close {past} {near} with {crowd} crowded (funding {s.crowded_sd:g} sd their way)"
            f" or open interest up {s.opened_percent:g} % in a day → armed, {direction}"
        ]
    if course.state == "armed":
        away = price_text(level - sign * s.away_atr * atr)
        return [
            f"an hourly close {past} {broken} in an hour of {s.impulse_sd:g} sd, or held {past} it → ignition",
            f"an hourly close {inside} {away} → quiet",
        ]
    if course.state == "ignition":
        leg = price_text(sign * (course.start + s.leg_atr * course.atr))
        back = price_text(sign * (course.level - s.failed_atr * atr))
        return [
            f"a trade {past} {leg} with open interest {s.covered_percent:g} % under where it was at the"
            " break → squeeze on",
            f"an hourly close {inside} {back} → a failed break, quiet",
            f"{s.ignition_h} h without either → consolidation",
        ]
    best = price_text(sign * course.best)
    if course.state == "squeeze on":
        return [
            f"{s.stall_h} h without a trade {past} {best}, or half as long while open interest comes back"
            f" by {s.refill_percent:g} points → exhaustion"
        ]
    back = price_text(sign * (course.best - s.retrace_share * (course.best - course.start)))
    if course.state == "exhaustion":
        return [
            f"a trade {past} {best} while open interest falls → squeeze on again",
            f"an hourly close {inside} {back} ({100 * s.retrace_share:.0f} % of the leg) → retrace",
            f"{s.settle_h} h without either → consolidation",
        ]
    return [
        f"an hourly close {past} {broken} in an hour of {s.impulse_sd:g} sd → ignition of a new leg",
        f"{s.over_h} h in this state → quiet",
    ]


def _by_reach(course: Course, reach: Reach | None) -> list[str]:
    """What taker flow would have to do, where a pocket is seen and nothing has begun."""
    if course.state not in ("quiet", "armed") or reach is None or reach.pocket is None:
        return []
    if reach.open:
        return [f"{reached(reach)}; beyond {reach.settings.leave_min:g} min → out of reach again"]
    if reach.cost.value is None or reach.rate.value is None or reach.within:
        return []
    rate = _usd(reach.cost.value / reach.settings.enter_min)
    side = "buying" if reach.direction == "up" else "selling"
    return [
        f"taker {side} of {rate} a minute → the pocket at {reach.pocket.start_percent:+.2f} % is within reach"
    ]


def reached(reach: Reach) -> str:
    """The nearest pocket in words: where it is, what opens it, in how many minutes of flow, whether it runs."""
    pocket = reach.pocket
    if pocket is None:
        return ""
    side = "buying" if reach.direction == "up" else "selling"
    end = "" if pocket.inside_grid else " (where the scan ends)"
    return (
        f"a pocket from {pocket.start_percent:+.3g} to {pocket.stop_percent:+.3g} %{end} opens for "
        f"{_usd(pocket.push_usd)}, {ranged(reach.minutes)} minutes of the present taker {side}; squeeze number "
        f"{ranged(reach.squeeze)} there"
    )


def _usd(value: float) -> str:
    for size, word in ((1e9, " bn"), (1e6, " mn"), (1e3, ",000")):
        if value >= size:
            return f"${value / size:.3g}{word}"
    return f"${value:.0f}"


def ranged(estimate: Estimate) -> str:
    """A figure with its range, three digits each."""
    if estimate.value is None:
        return "unknown"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.2g}"
    return f"{estimate.value:.2g} ({estimate.low:.2g} to {estimate.high:.2g})"
