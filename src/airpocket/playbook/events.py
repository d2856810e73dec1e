"""Dated events ahead, and the exit before them (M33, M60)."""

from airpocket.domain.catalysts import Catalyst, ahead
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.playbook.ground import Ground
from airpocket.playbook.records import Play, Step, StepState
from airpocket.playbook.sizes import rounded_down
from airpocket.playbook.words import moment

NO_CALENDAR = "no catalyst file was given (--catalysts): nobody knows here what is scheduled"


def upcoming(ground: Ground) -> list[Catalyst]:
    """Events known at this moment within the horizon, the next first."""
    span = int(ground.settings.event_horizon_d * DAY_NS)
    return ahead(ground.situation.catalysts or (), ground.situation.now, span)


def event_play(ground: Ground) -> Play:
    """Time-based exit (short) or event buffer (long) before the next event that is not a mere rumour."""
    coming = upcoming(ground)
    serious = [event for event in coming if event.confidence != "rumoured"]
    rumours = [event for event in coming if event.confidence == "rumoured"]
    notes = [f"Only rumoured, so no step rests on it: {_words(event)}." for event in rumours]
    return Play(
        id="events", title="Events ahead", refs=["M33", "M60"],
        steps=[_step(ground, serious[0] if serious else None)], notes=notes,
    )  # fmt: skip


def _words(event: Catalyst) -> str:
    return f"{event.name} ({event.kind}, {event.confidence}) at {moment(event.time)}"


def _step(ground: Ground, event: Catalyst | None) -> Step:
    s = ground.settings
    state, because = _state(ground, event)
    by = "" if event is None else f" by {moment(event.time - int(s.event_lead_h * HOUR_NS))}"
    size, action = _exit(ground, by) if ground.is_short else _buffer(ground, by)
    traded = size if size else None
    return Step(
        id="before_event", title="Time-based exit" if ground.is_short else "Event buffer",
        refs=["M33", "M60"] if ground.is_short else ["M45", "M60"], state=state, because=because,
        condition=f"a certain or likely event within {s.event_horizon_d:g} days",
        action=action, size_coin=None if traded is None else ground.coins(traded),
        cost=None if traded is None else ground.cost(traded, ground.price),
        invalidation="the event is called off or moved",
        uncovered="the move before the event; events not in the file",
    )  # fmt: skip


def _exit(ground: Ground, by: str) -> tuple[float, str]:
    size, kept = ground.position.size_coin, _held_through(ground)
    told = f"buy back all, {ground.text(size)},{by or ' a day before it'}"
    if kept is None or kept <= 0:
        return size, told
    if kept >= size:
        return size, f"{told}; or hold: this size keeps 3 × maintenance after +15 %"
    return size, (
        f"{told}; to hold through it, cut to {ground.text(kept)}, the size that keeps 3 × maintenance "
        "after +15 %"
    )


def _buffer(ground: Ground, by: str) -> tuple[float, str]:
    size, kept = ground.position.size_coin, _held_through(ground)
    wider = "give the ATR stop half an ATR more room until a day after it, then take it back"
    if kept is None or kept >= size:
        return 0.0, wider
    cut = ground.rest(kept)
    return cut, f"sell {ground.text(cut)}{by}, so that -15 % leaves 3 × maintenance; {wider}"


def _state(ground: Ground, event: Catalyst | None) -> tuple[StepState, list[str]]:
    if ground.situation.catalysts is None:
        return "unknown", [NO_CALENDAR]
    if event is None:
        days = ground.settings.event_horizon_d
        return "quiet", [f"the catalyst file has none within {days:g} days that was known by now"]
    hours = (event.time - ground.situation.now) / HOUR_NS
    due = hours <= ground.settings.event_lead_h
    return ("firing" if due else "armed"), [f"{_words(event)}, in {hours:,.0f} h"]


def _held_through(ground: Ground) -> float | None:
    if ground.account is None:
        return None
    return rounded_down(ground.account.size_surviving(15.0, 3.0), ground.account.size_coin)
