"""What would move the state machine on, in sentences with prices."""

from airpocket.levels.words import price_text
from airpocket.verdict.evidence import Evidence
from airpocket.verdict.machine import SIGN, Course
from airpocket.verdict.records import Direction
from airpocket.verdict.settings import VerdictSettings


def would_change(
    course: Course, evidence: Evidence, direction: Direction, s: VerdictSettings
) -> list[str]:
    """The next states within reach of the present one."""
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
