"""What rules find in one look at the market: speaks, is silent, or can't be told; pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from airpocket.brief.model import Brief
from airpocket.delivery.alerts.rules import Rule
from airpocket.domain.estimates import Estimate
from airpocket.domain.tells import Tell
from airpocket.playbook.records import Plan


@dataclass(frozen=True, slots=True)
class Look:
    """One look. age_s: of the newest data, by the wall clock, None unknown; alarms: what the recorder says."""

    at: int  # ns, of the market
    brief: Brief | None
    plans: tuple[Plan, ...] = ()
    age_s: float | None = None
    alarms: tuple[str, ...] = ()
    failure: str = ""  # why there is no brief


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of one subject. begins: it would begin an episode; holds: one that began goes on.

    Both None: can't be told, which neither begins nor ends anything.
    """

    rule: Rule
    subject: str
    begins: bool | None
    holds: bool | None
    words: str

    @property
    def key(self) -> str:
        """Of its episodes."""
        return f"{self.rule.name}|{self.subject}"


def findings(rule: Rule, look: Look) -> list[Finding]:
    """Everything that a rule says of a look."""
    if rule.on == "health":
        return list(_health(rule, look))
    if look.brief is None:
        return []
    of = {
        "trigger": _triggers, "verdict": _verdict, "squeeze": _squeeze, "funding": _funding, "level": _levels,
    }  # fmt: skip
    if rule.on == "margin":
        return list(_margin(rule, look))
    return list(of[rule.on](rule, look.brief))


def _triggers(rule: Rule, brief: Brief) -> Iterator[Finding]:
    for row in brief.triggers:
        if rule.what in ("", row.id):
            blind = row.state == "unknown"
            speaks = None if blind else row.state in rule.states
            because = f": {row.because[0]}" if row.because else ""
            yield Finding(rule, row.id, speaks, speaks, f"{row.title} is {row.state}{because}")


def _verdict(rule: Rule, brief: Brief) -> Iterator[Finding]:
    said = brief.verdict
    speaks = None if said.state == "unknown" else said.state in rule.states
    if speaks and rule.direction and said.direction != rule.direction:
        speaks = False
    way = f" {said.direction}" if said.direction else ""
    because = f": {said.because[0]}" if said.because else ""
    # each state is an episode of its own: ignition that becomes a squeeze is news
    for state in rule.states:
        mine = None if speaks is None else speaks and said.state == state
        yield Finding(rule, state, mine, mine, f"verdict {said.state}{way}{because}")


def _squeeze(rule: Rule, brief: Brief) -> Iterator[Finding]:
    for way in brief.cascade.pushes.ways:
        if rule.direction in ("", way.direction):
            figure = way.pocket_squeeze if rule.what == "pocket" else way.squeeze
            where = "in the nearest pocket" if rule.what == "pocket" else "over the next 1 %"
            yield _held(rule, way.direction, figure, f"squeeze number {way.direction} {where}", "")


def _funding(rule: Rule, brief: Brief) -> Iterator[Finding]:
    for reading in brief.regimes:
        if reading.id == "funding":
            yield from (
                _held(rule, tell.estimate.source or tell.label, tell.estimate, tell.label, "% per 8 h")
                for tell in reading.tells
                if _is_rate(tell) and rule.what in ("", tell.estimate.source.split(" ")[0])
            )


def _is_rate(tell: Tell) -> bool:
    return tell.estimate.unit == "% per 8 h" and tell.id.startswith("funding")


def _levels(rule: Rule, brief: Brief) -> Iterator[Finding]:
    for zone in brief.roadmap.zones:
        if rule.what in ("", zone.role):
            away = abs(zone.distance_percent)
            words = f"price is {away:.2f} % from {zone.role.replace('_', ' ')} {zone.low:,.2f} to {zone.high:,.2f}"
            yield _compared(rule, zone.role, away, words)


def _margin(rule: Rule, look: Look) -> Iterator[Finding]:
    for plan in look.plans:
        held = plan.position
        distance = next(
            (t.estimate for t in plan.margin.tells if t.id == "liquidation_distance"), None
        )
        if distance is None:
            yield Finding(rule, held.id or held.key, None, None, plan.margin.unknown or "no distance")
        else:
            yield _held(
                rule, held.id or held.key, distance, f"{held.side} {held.key}: liquidation away", "%", absolute=True
            )


def _health(rule: Rule, look: Look) -> Iterator[Finding]:
    assert rule.above is not None, "checked when it was read"
    if look.age_s is not None:
        yield _compared(rule, "age", look.age_s, f"the newest data are {look.age_s:,.0f} s old")
    why = look.failure or (look.alarms[0] if look.alarms else "")
    more = f" (and {len(look.alarms) - 1} more)" if len(look.alarms) > 1 and not look.failure else ""
    ill = bool(why)
    yield Finding(rule, "alarms", ill, ill, f"{why}{more}" if ill else "no alarm")


def _held(
    rule: Rule, subject: str, figure: Estimate, what: str, unit: str, *, absolute: bool = False
) -> Finding:
    """A figure against the rule's threshold; a lower bound speaks where it is enough."""
    if figure.value is None:
        return Finding(rule, subject, None, None, f"{what}: unknown: {figure.unknown}")
    value = abs(figure.value) if absolute else figure.value
    least = "≥ " if figure.at_least else ""
    words = f"{what} {least}{value:,.4g}{f' {unit}' if unit else ''} ({figure.provenance})"
    found = _compared(rule, subject, value, words)
    if figure.at_least and not found.begins:
        return Finding(rule, subject, None, None, words)
    return found


def _compared(rule: Rule, subject: str, value: float, words: str) -> Finding:
    if rule.above is not None:
        clear = rule.above if rule.clear is None else rule.clear
        return Finding(rule, subject, value >= rule.above, value >= clear, words)
    assert rule.below is not None, "checked when it was read"
    clear = rule.below if rule.clear is None else rule.clear
    return Finding(rule, subject, value <= rule.below, value <= clear, words)
