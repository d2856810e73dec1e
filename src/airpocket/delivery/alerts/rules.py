"""Alert rules from a TOML file; what is wrong names file, rule and field. docs/alerts.md has the format."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airpocket.domain.units import SECOND_NS, parse_interval
from airpocket.ingest.entries import Entry, read_entries

On: TypeAlias = Literal["trigger", "verdict", "squeeze", "funding", "level", "margin", "health"]
_TRIGGERS = ("clean_break", "thin_hour_impulse", "funding_spike_oi_drop", "spot_led_burst")
_STATES = ("quiet", "armed", "ignition", "squeeze on", "exhaustion", "retrace", "consolidation")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. above, below: where it begins to speak; clear: where it falls silent again (hysteresis).

    what: a trigger's id, a contract, a zone's role, '' for all. for_s: so long it must hold first.
    cooldown_s: after a message of it, no other for so long. urgent: also in quiet hours.
    """

    name: str
    on: On
    what: str = ""
    states: tuple[str, ...] = ()
    direction: Literal["up", "down", ""] = ""
    above: float | None = None
    below: float | None = None
    clear: float | None = None
    for_s: float = 0.0
    cooldown_s: float = 1_800.0
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """Where messages go: an address of apprise, taken from the environment so that no file holds a secret.

    private: it may be on this machine or in a private network, and without encryption.
    """

    name: str
    url: str = field(repr=False)
    private: bool = False


@dataclass(frozen=True, slots=True)
class Pulse:
    """Where a sign of life goes, every so often; an https address from the environment, `private` as above."""

    url: str = field(repr=False)
    every_s: float
    private: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """A whole file. quiet: (from, to) in minutes of the day in `zone`, None: never."""

    rules: tuple[Rule, ...]
    services: tuple[Service, ...]
    quiet: tuple[int, int] | None = None
    zone: ZoneInfo | None = None
    per_hour: int = 20
    positions: Path | None = None
    pulse: Pulse | None = None


def read_rules(path: Path) -> Rules:
    """The rules of a file.

    Raises:
        BadInput: unreadable, or an entry is wrong; names file, entry and field.
    """
    top = read_entries(path)
    quiet, zone = _quiet(top), _zone(top)
    per_hour = top.maybe_positive("per_hour")
    held = top.maybe_text("positions")
    rules = tuple(_rule(entry) for entry in top.entries("rule"))
    services = tuple(_service(entry) for entry in top.entries("service"))
    beat = top.maybe_table("heartbeat")
    pulse = None if beat is None else _pulse(beat)
    top.done()
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            top.fail(f"two rules are called {name!r}", "rule")
    if any(rule.on == "margin" for rule in rules) and not held:
        top.fail("is missing: a rule on margin needs a position file", "positions")
    file = (path.parent / held) if held else None
    return Rules(rules, services, quiet, zone, round(per_hour or 20), file, pulse)


def _rule(entry: Entry) -> Rule:
    on = cast("On", entry.choice("on", get_args(On)))
    rule = Rule(
        name=entry.text("name"), on=on, what=_what(entry, on), states=_states(entry, on),
        direction=_direction(entry, on), above=_number(entry, "above"), below=_number(entry, "below"),
        clear=_number(entry, "clear"), for_s=_span(entry, "for", 0.0),
        cooldown_s=_span(entry, "cooldown", 1_800.0), urgent=_flag(entry, "urgent"),
    )  # fmt: skip
    _check(entry, rule)
    entry.done()
    return rule


def _check(entry: Entry, rule: Rule) -> None:
    sided = (rule.above is not None) + (rule.below is not None)
    if rule.on in ("trigger", "verdict"):
        if sided or rule.clear is not None:
            entry.fail(f"a rule on {rule.on} has no threshold: it names states", "above")
        return
    if sided != 1:
        entry.fail("give one of above and below", "above")
    if rule.on in ("level", "margin") and rule.below is None:
        entry.fail("a distance speaks when it is small: give below, in per cent", "below")
    if rule.on == "health" and rule.above is None:
        entry.fail("an age speaks when it is large: give above, in seconds", "above")
    if rule.clear is not None:
        falls = rule.above is not None and rule.clear > rule.above
        rises = rule.below is not None and rule.clear < rule.below
        if falls or rises:
            entry.fail("must lie on the quiet side of the threshold", "clear")


def _what(entry: Entry, on: On) -> str:
    if on == "trigger":
        return entry.choice("trigger", _TRIGGERS) if entry.maybe_text("trigger") else ""
    field = {"funding": "contract", "level": "role", "squeeze": "which"}.get(on)
    if on == "squeeze":
        return entry.choice("which", ("next", "pocket")) if entry.maybe_text("which") else "pocket"
    return "" if field is None else entry.maybe_text(field)


def _states(entry: Entry, on: On) -> tuple[str, ...]:
    known = {"trigger": ("armed", "firing"), "verdict": _STATES}.get(on)
    if known is None:
        return ()
    value = entry.get("states")
    if value is None:
        return ("firing",) if on == "trigger" else known
    named = cast("list[object]", value) if isinstance(value, list) else []
    if not named or not all(each in known for each in named):
        entry.fail(f"must be a list of {', '.join(known)}", "states")
    return tuple(str(each) for each in named)


def _direction(entry: Entry, on: On) -> Literal["up", "down", ""]:
    if on not in ("verdict", "squeeze") or not entry.maybe_text("direction"):
        return ""
    return "up" if entry.choice("direction", ("up", "down")) == "up" else "down"


def _number(entry: Entry, field: str) -> float | None:
    value = entry.get(field)
    if value is None:
        return None
    finite = isinstance(value, int | float) and abs(value) < 1e15  # not for NaN either
    if isinstance(value, bool) or not finite:
        entry.fail(f"must be a number, not {value!r}", field)
    return float(cast("float", value))


def _span(entry: Entry, field: str, default: float) -> float:
    text = entry.maybe_text(field)
    if not text:
        return default
    try:
        return parse_interval(text) / SECOND_NS
    except ValueError as error:
        entry.fail(str(error), field)


def _flag(entry: Entry, field: str) -> bool:
    value = entry.get(field)
    if not isinstance(value, bool | None):
        entry.fail("must be true or false", field)
    return bool(value)


def _service(entry: Entry) -> Service:
    found = Service(entry.text("name"), _address(entry), _flag(entry, "private"))
    entry.done()
    return found


def _pulse(entry: Entry) -> Pulse:
    found = Pulse(_address(entry), _span(entry, "every", 300.0), _flag(entry, "private"))
    if found.every_s < 30.0:
        entry.fail("must be at least 30s", "every")
    entry.done()
    return found


def _address(entry: Entry) -> str:
    variable = entry.text("url_env")
    url = os.environ.get(variable, "")
    if not url:
        entry.fail(f"the environment has no {variable}: put the service's address there", "url_env")
    return url


def _quiet(top: Entry) -> tuple[int, int] | None:
    text = top.maybe_text("quiet_hours")
    if not text:
        return None
    begin, dash, end = text.partition("-")
    found = [_minute(each) for each in (begin, end)]
    if not dash or None in found or found[0] == found[1]:
        top.fail("write it like 22:00-07:00", "quiet_hours")
    return cast("tuple[int, int]", tuple(found))


def _minute(text: str) -> int | None:
    hour, colon, minute = text.strip().partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2):
        return None
    return 60 * int(hour) + int(minute) if int(hour) < 24 and int(minute) < 60 else None


def _zone(top: Entry) -> ZoneInfo | None:
    name = top.maybe_text("timezone")
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        top.fail(f"no time zone is called {name!r}", "timezone")
