"""The state machine of one direction: a pure step from hour to hour, and the fold over the last days."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.verdict.evidence import Evidence
from airpocket.verdict.records import Direction, State, Transition
from airpocket.verdict.settings import VerdictSettings

SIGN = {"up": 1.0, "down": -1.0}


class Hour(NamedTuple):
    """One hour seen in one direction: prices times ±1, so that "beyond" is always greater.

    NaN is not known. interest, opened: per cent; crowded: sds of funding against the side that would be
    forced; move_sd: of the hour, positive in the direction.
    """

    end: int
    close: float
    best: float  # the hour's extreme in the direction
    level: float
    atr: float
    move_sd: float
    volume_ratio: float
    interest: float
    opened: float
    crowded: float
    gap_h: float


@dataclass(frozen=True, slots=True)
class Course:
    """Where the machine stands. level, start, best, atr: signed prices of the leg, NaN before one.

    since_row: rows in this state. interest: per cent open interest changed since ignition; lowest: its
    low; both NaN once an hour of it is not known. stalled: hours without a new extreme.
    """

    state: State = "quiet"
    since: int = 0
    rows: int = 0
    level: float = float("nan")
    start: float = float("nan")
    best: float = float("nan")
    atr: float = float("nan")
    interest: float = float("nan")
    lowest: float = float("nan")
    stalled: int = 0


class Move(NamedTuple):
    """The next state and why; None: stay."""

    state: State
    because: tuple[str, ...]


def hours_of(evidence: Evidence, direction: Direction) -> list[Hour]:
    """The evidence, hour by hour, seen in one direction."""
    sign = SIGN[direction]
    best, level = (evidence.high, evidence.top) if sign > 0 else (-evidence.low, -evidence.bottom)
    columns: tuple[FloatArray, ...] = (
        sign * evidence.close, best, level, evidence.atr, sign * evidence.move_sd,
        evidence.volume_ratio, 100.0 * evidence.interest, 100.0 * evidence.opened,
        -sign * evidence.funding_sd, evidence.gap_h,
    )  # fmt: skip
    table = np.stack(columns, axis=1)
    return [
        Hour(int(evidence.end[row]), *(float(value) for value in table[row]))
        for row in range(len(evidence))
    ]


def fold(
    evidence: Evidence, direction: Direction, s: VerdictSettings
) -> tuple[Course, list[Transition]]:
    """The machine run from quiet over all hours; the changes on the way."""
    course = Course()
    changes: list[Transition] = []
    for hour in hours_of(evidence, direction):
        following, because = step(course, hour, direction, s)
        if because:
            changes.append(
                Transition(
                    at=hour.end, direction=direction, before=course.state, after=following.state,
                    because=list(because),
                )
            )  # fmt: skip
        course = following
    return course, changes


def step(
    course: Course, hour: Hour, direction: Direction, s: VerdictSettings
) -> tuple[Course, tuple[str, ...]]:
    """One hour on; the reasons where the state changed, else none."""
    if hour.gap_h > s.gap_h:
        why = (f"{hour.gap_h:.0f} hours are missing before this one: judged anew",)
        changed = course.state != "quiet"
        return Course(since=hour.end), why if changed else ()
    going = _gone_on(course, hour)
    move = _RULES[course.state](going, hour, s) if hour.atr > 0.0 else None
    if move is None:
        return going, ()
    return _entered(going, hour, move.state), (*move.because, *_context(hour, move.state))


def _gone_on(course: Course, hour: Hour) -> Course:
    """The same state an hour later."""
    if course.state in ("quiet", "armed"):
        return replace(course, rows=course.rows + 1)
    fresh = hour.best > course.best
    interest = 100.0 * ((1.0 + course.interest / 100.0) * (1.0 + hour.interest / 100.0) - 1.0)
    return replace(
        course,
        rows=course.rows + 1,
        best=max(course.best, hour.best),
        interest=interest,
        lowest=min(course.lowest, interest) if np.isfinite(interest) else float("nan"),
        stalled=0 if fresh else course.stalled + 1,
    )


def _entered(course: Course, hour: Hour, state: State) -> Course:
    if state == "quiet":
        return Course(since=hour.end)
    if state == "armed":
        return Course(state="armed", since=hour.end, level=hour.level, atr=hour.atr)
    if state == "ignition":
        return Course(
            state="ignition", since=hour.end, level=hour.level, start=hour.level, best=hour.best,
            atr=hour.atr, interest=hour.interest, lowest=hour.interest,
        )  # fmt: skip
    return replace(course, state=state, since=hour.end, rows=0)


def _quiet(course: Course, hour: Hour, s: VerdictSettings) -> Move | None:
    beyond = (hour.close - hour.level) / hour.atr
    if beyond >= s.break_atr and hour.move_sd >= s.shock_sd and hour.interest < 0.0:
        return Move(
            "ignition",
            (
                f"a shock of {hour.move_sd:.1f} sd in one hour through the {s.level_h} h extreme",
                f"open interest {hour.interest:+.1f} % in that hour: positions were closed",
            ),
        )
    fuel = _fuel(hour, s)
    if beyond >= -s.near_atr and fuel:
        place = f"{abs(beyond):.1f} hourly ATRs {'beyond' if beyond > 0 else 'short of'}"
        return Move("armed", (f"price is {place} the {s.level_h} h extreme", *fuel))
    return None


def _fuel(hour: Hour, s: VerdictSettings) -> tuple[str, ...]:
    """Why there is something to force; empty when nothing known says so."""
    found: list[str] = []
    if hour.crowded >= s.crowded_sd:
        found.append(f"funding {hour.crowded:.1f} sd on the side that would be forced")
    if hour.opened >= s.opened_percent:
        found.append(f"open interest {hour.opened:+.1f} % in a day: positions were opened into it")
    return tuple(found)


def _armed(course: Course, hour: Hour, s: VerdictSettings) -> Move | None:
    beyond = (hour.close - hour.level) / hour.atr
    if beyond >= s.break_atr and hour.move_sd >= s.impulse_sd:
        return Move(
            "ignition",
            (
                f"closed {beyond:.1f} hourly ATRs beyond the {s.level_h} h extreme",
                f"with an hour of {hour.move_sd:.1f} sd",
            ),
        )
    held = (hour.close - course.level) / hour.atr
    if course.rows >= s.dwell_h and held >= s.break_atr and hour.level > course.level:
        return Move(
            "ignition",
            (
                f"still {held:.1f} hourly ATRs beyond the extreme it was armed at,"
                f" after {course.rows} h",
            ),
        )
    if course.rows >= s.dwell_h and beyond < -s.away_atr:
        return Move("quiet", (f"price went {-beyond:.1f} hourly ATRs away from the extreme",))
    if course.rows >= s.armed_h:
        return Move("quiet", (f"nothing broke in {course.rows} h",))
    return None


def _ignition(course: Course, hour: Hour, s: VerdictSettings) -> Move | None:
    leg = (course.best - course.start) / course.atr
    if course.rows >= s.dwell_h and leg >= s.leg_atr and course.interest <= -s.covered_percent:
        return Move(
            "squeeze on",
            (
                f"the leg is {leg:.1f} hourly ATRs and open interest {course.interest:+.1f} % since it"
                " began: positions are being closed by force or fear",
            ),
        )
    back = (course.level - hour.close) / hour.atr
    if back >= s.failed_atr:
        return Move("quiet", (f"a failed break: price closed {back:.1f} hourly ATRs back inside",))
    if course.rows >= s.ignition_h:
        if np.isfinite(course.interest):
            why = f"open interest {course.interest:+.1f} % since the break: no covering to speak of"
        else:
            why = "open interest is not known since the break, so covering can't be told"
        return Move("consolidation", (f"{course.rows} h beyond the level without a squeeze", why))
    return None


def _squeeze(course: Course, hour: Hour, s: VerdictSettings) -> Move | None:
    if course.rows < s.dwell_h:
        return None
    blown = hour.move_sd >= s.blow_off_sd and hour.volume_ratio >= s.blow_off_sd
    if blown:
        return Move(
            "exhaustion",
            (
                f"a blow-off hour: {hour.move_sd:.1f} sd on {hour.volume_ratio:.1f} times the usual"
                " volume",
            ),
        )
    refilled = course.interest - course.lowest
    if course.stalled >= s.stall_h // 2 and refilled >= s.refill_percent:
        return Move(
            "exhaustion",
            (
                f"no new extreme for {course.stalled} h while open interest came back"
                f" {refilled:+.1f} points from its low",
            ),
        )
    if course.stalled >= s.stall_h:
        return Move("exhaustion", (f"no new extreme for {course.stalled} h",))
    return None


def _exhaustion(course: Course, hour: Hour, s: VerdictSettings) -> Move | None:
    if course.rows < s.dwell_h:
        return None
    if course.stalled == 0 and hour.interest < 0.0:
        return Move(
            "squeeze on",
            (f"a new extreme with open interest {hour.interest:+.1f} % in the hour",),
        )
    share = given_back(course, hour)
    if share >= s.retrace_share:
        return Move("retrace", (f"{100 * share:.0f} % of the leg is given back",))
    if course.rows >= s.settle_h:
        return Move(
            "consolidation",
            (f"{course.rows} h with at most {100 * share:.0f} % of the leg given back",),
        )
    return None


def _settling(course: Course, hour: Hour, s: VerdictSettings) -> Move | None:
    """Retrace and consolidation: over after a while, or a new leg."""
    beyond = (hour.close - hour.level) / hour.atr
    if beyond >= s.break_atr and hour.move_sd >= s.impulse_sd:
        return Move(
            "ignition",
            (
                f"a new leg: closed {beyond:.1f} hourly ATRs beyond the {s.level_h} h extreme with an"
                f" hour of {hour.move_sd:.1f} sd",
            ),
        )
    share = given_back(course, hour)
    if (
        course.state == "consolidation"
        and course.rows >= s.dwell_h
        and share >= 2 * s.retrace_share
    ):
        return Move("retrace", (f"{100 * share:.0f} % of the leg is given back",))
    if course.rows >= s.over_h:
        return Move("quiet", (f"{course.rows} h of {course.state}: the leg is over",))
    return None


def given_back(course: Course, hour: Hour) -> float:
    """Share of the leg from its start to its best price that is lost again."""
    leg = course.best - course.start
    return (course.best - hour.close) / leg if leg > 0.0 else float("nan")


def _context(hour: Hour, state: State) -> tuple[str, ...]:
    """What an ignition rests on besides price, so that a reader can doubt it."""
    if state != "ignition":
        return ()
    if np.isfinite(hour.volume_ratio):
        return (f"on {hour.volume_ratio:.1f} times the usual volume",)
    return ("its volume is not known",)


_RULES = {
    "quiet": _quiet,
    "armed": _armed,
    "ignition": _ignition,
    "squeeze on": _squeeze,
    "exhaustion": _exhaustion,
    "retrace": _settling,
    "consolidation": _settling,
}
