"""What rules find in one look at the market: speaks, is silent, or can't be told; pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from airpocket.brief.model import Brief
from airpocket.delivery.alerts.rules import Rule
from airpocket.domain.estimates import Estimate
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
            because = f": {row.because[0]}" if row.because else ""
            words = f"{row.title} is {row.state}{because}"
            # each state is an episode of its own: armed that begins to fire is news
            for state in rule.states:
                speaks = None if blind else row.state == state
                yield Finding(rule, f"{row.id} {state}", speaks, speaks, words)


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
    """Of the contract named; without one, of the contract that leads."""
    lead = [t for r in brief.regimes if r.id == "funding" for t in r.tells if t.id == "funding_8h"]
    all_ = [t for r in brief.regimes for t in r.tells if t.id.startswith("funding_8h:")]
    named = [t for t in all_ if t.id == f"funding_8h:{rule.what}"]
    named = named or [t for t in lead if rule.what in ("", t.estimate.source)]
    for tell in named[:1] if rule.what else lead:
        yield _held(rule, rule.what or "lead", tell.estimate, f"{tell.label} funding", "% per 8 h")
    if rule.what and not named:
        yield Finding(rule, rule.what, None, None, f"no funding of {rule.what} is known")


def _levels(rule: Rule, brief: Brief) -> Iterator[Finding]:
    for zone in brief.roadmap.zones:
        if rule.what in ("", zone.role):
            away = abs(zone.distance_percent)
            words = f"price is {away:.2f} % from {zone.role.replace('_', ' ')} {zone.low:,.2f} to {zone.high:,.2f}"
            yield _compared(rule, zone.role, away, words)


def _margin(rule: Rule, look: Look) -> Iterator[Finding]:
    for plan in look.plans:
        held = plan.position
        subject, what = held.id or held.key, f"{held.side} {held.key}"
        tells = {tell.id: tell.estimate for tell in plan.margin.tells}
        distance, buffer = tells.get("distance"), tells.get("buffer")
        if distance is None:
            yield Finding(
                rule, subject, None, None, f"{what}: {plan.margin.unknown or 'no distance'}"
            )
        elif distance.value is not None:
            yield _held(rule, subject, distance, f"{what}: liquidation away by", "%", absolute=True)
        else:  # it has no price: either nothing can force it out, or it is too late
            late = None if buffer is None or buffer.value is None else buffer.value <= 1.0
            yield Finding(rule, subject, late, late, f"{what}: {distance.unknown}")


def _health(rule: Rule, look: Look) -> Iterator[Finding]:
    assert rule.above is not None, "checked when it was read"
    if look.age_s is not None:
        yield _compared(rule, "age", look.age_s, f"the newest data are {look.age_s:,.0f} s old")
    why = look.failure or (look.alarms[0] if look.alarms else "")
    more = (
        f" (and {len(look.alarms) - 1} more)" if len(look.alarms) > 1 and not look.failure else ""
    )
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
