"""Is each live channel alive? Data alone proves it: neither a connection nor an acknowledgement counts."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from airpocket.domain.channels import CHANNEL_OF, Channel, Coverage
from airpocket.domain.units import SECOND_NS
from airpocket.domain.wire import LiveEvent, OptionTick, VolTick

PulseState: TypeAlias = Literal[
    "waiting",  # connected a moment ago, nothing is due yet
    "live",
    "silent",  # connected, perhaps acknowledged, and never a word of this channel since
    "stale",  # spoke, and stopped; or what comes is old
    "degraded",  # speaks, but can't be trusted: the reason says why
    "down",  # no connection
    "delisted",
]
_FIRST_WORD_S = 10.0  # a channel with a shorter cadence is still given this long to begin
_OLDEST_S = 10.0  # a message older than this on arrival makes its channel stale
_OUTAGES_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class PulseStatus:
    """One channel at one moment. `age_s`: since its last message; None before the first."""

    venue: str
    symbol: str
    channel: str
    state: PulseState
    reason: str
    age_s: float | None
    messages: int
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Outage:
    """A closed interval (ns) in which a channel was not live: what happened in it is not known."""

    venue: str
    symbol: str
    channel: str
    start: int
    end: int
    state: PulseState
    reason: str


@dataclass(slots=True)
class _Beat:
    venue: str
    route: str
    channel: Channel
    opened: int | None = None
    closed_because: str = "not connected yet"
    last: int | None = None
    lag_s: float = 0.0
    messages: int = 0
    fault: str = ""
    delisted: bool = False
    ill_since: int | None = None
    was: PulseState = "down"
    was_because: str = ""
    routes_open: int = field(default=0)


class Pulse:
    """The one owner of live health. All times are ns of the clock that stamps the records."""

    def __init__(self, declared: Iterable[tuple[str, str, Channel]] = ()) -> None:
        self._beats: dict[tuple[str, str, str], _Beat] = {}
        self._routes: dict[tuple[str, str], list[_Beat]] = {}
        self.outages: deque[Outage] = deque(maxlen=_OUTAGES_KEPT)
        for venue, route, channel in declared:
            self.declare(venue, route, channel)

    def declare(self, venue: str, route: str, channel: Channel) -> None:
        """A channel that a route promises to bring."""
        beat = _Beat(venue, route, channel)
        self._beats[venue, channel.symbol, channel.name] = beat
        self._routes.setdefault((venue, route), []).append(beat)

    def opened(self, venue: str, route: str, at: int) -> None:
        """A connection of the route opened; with another still open, nothing is expected anew."""
        for beat in self._routes.get((venue, route), ()):
            if beat.routes_open == 0:
                beat.opened = at
            beat.routes_open += 1

    def closed(self, venue: str, route: str, reason: str) -> None:
        """A connection of the route ended."""
        for beat in self._routes.get((venue, route), ()):
            beat.routes_open = max(beat.routes_open - 1, 0)
            if beat.routes_open == 0:
                beat.opened, beat.closed_because = None, reason

    def all_closed(self, reason: str) -> None:
        """Nothing is connected any more."""
        for beat in self._beats.values():
            beat.routes_open, beat.opened, beat.closed_because = 0, None, reason

    def heard(self, event: LiveEvent) -> None:
        """An event came; events of channels nobody declared are no concern here."""
        name = CHANNEL_OF.get(str(event.__struct_config__.tag))
        if name is None:
            return
        symbol = event.symbol
        if isinstance(event, OptionTick | VolTick):  # declared by their coin: ETH, not ETH-DVOL
            symbol = event.base if isinstance(event, OptionTick) else symbol.partition("-")[0]
        beat = self._beats.get((event.venue, symbol, name))
        if beat is None:
            return
        at = event.usable_from
        beat.last = at if beat.last is None else max(beat.last, at)
        beat.lag_s = (at - event.ts) / SECOND_NS
        beat.messages += 1

    def fault(self, venue: str, symbol: str, channel: str, reason: str) -> None:
        """Why a channel can't be trusted; '' when it can again."""
        beat = self._beats.get((venue, symbol, channel))
        if beat is not None:
            beat.fault = reason

    def delisted(self, venue: str, symbol: str) -> None:
        """The venue no longer lists the symbol; nothing more is expected of it."""
        for (whose, what, _), beat in self._beats.items():
            if (whose, what) == (venue, symbol):
                beat.delisted = True

    def status(self, now: int) -> tuple[PulseStatus, ...]:
        """Every declared channel at `now`, in a fixed order; intervals of illness are noted as they end."""
        found: list[PulseStatus] = []
        for key in sorted(self._beats):
            beat = self._beats[key]
            state, reason = self._judged(beat, now)
            self._note(beat, state, reason, now)
            age = None if beat.last is None else max(now - beat.last, 0) / SECOND_NS
            found.append(
                PulseStatus(
                    beat.venue, beat.channel.symbol, beat.channel.name, state, reason, age,
                    beat.messages, beat.channel.coverage,
                )
            )  # fmt: skip
        return tuple(found)

    def state_of(self, venue: str, symbol: str, channel: str, now: int) -> tuple[PulseState, str]:
        """State and reason of one channel; 'down' for one that was never declared."""
        beat = self._beats.get((venue, symbol, channel))
        return ("down", "not subscribed") if beat is None else self._judged(beat, now)

    def ill_routes(self, now: int) -> dict[tuple[str, str], str]:
        """Routes that are connected and have a channel that is silent or stale → why."""
        found: dict[tuple[str, str], str] = {}
        for key, beats in self._routes.items():
            for beat in beats:
                state, reason = self._judged(beat, now)
                if state in ("silent", "stale") and beat.opened is not None:
                    found.setdefault(key, f"{beat.channel.name} {beat.channel.symbol}: {reason}")
        return found

    def _judged(self, beat: _Beat, now: int) -> tuple[PulseState, str]:
        if beat.delisted:
            return "delisted", "the venue no longer lists it"
        if beat.opened is None:
            return "down", beat.closed_because
        if beat.fault:
            return "degraded", beat.fault
        if beat.channel.silence_s is None:
            return self._sparse(beat, now)
        return _cadenced(beat, beat.channel.silence_s, now)

    def _sparse(self, beat: _Beat, now: int) -> tuple[PulseState, str]:
        """Silence proves nothing here: the route must be proven alive by a channel that speaks."""
        proofs = [
            other for other in self._routes[beat.venue, beat.route]
            if other.channel.silence_s is not None
        ]  # fmt: skip
        states = [self._judged(other, now)[0] for other in proofs]
        if "live" in states:
            return "live", "" if beat.messages else "none so far; its route delivers"
        if beat.last is not None and beat.opened is not None and beat.last >= beat.opened:
            return (
                ("live", "") if not proofs else ("stale", "no other channel of its route delivers")
            )
        return ("waiting", "") if "waiting" in states else ("silent", "its route delivers nothing")

    def _note(self, beat: _Beat, state: PulseState, reason: str, now: int) -> None:
        if state == "live":
            if beat.ill_since is not None:
                self.outages.append(
                    Outage(
                        beat.venue, beat.channel.symbol, beat.channel.name, beat.ill_since, now,
                        beat.was, beat.was_because,
                    )
                )  # fmt: skip
            beat.ill_since = None
        elif beat.ill_since is None and state != "waiting":
            beat.ill_since = now if beat.last is None else min(beat.last, now)
        if state != "live":
            beat.was, beat.was_because = state, reason


def _cadenced(beat: _Beat, silence_s: float, now: int) -> tuple[PulseState, str]:
    opened = beat.opened or 0
    last = beat.last if beat.last is not None and beat.last >= opened else None
    quiet_s = (now - (opened if last is None else last)) / SECOND_NS
    if last is None:
        if quiet_s > max(silence_s, _FIRST_WORD_S):
            return "silent", f"connected for {quiet_s:,.0f} s and never a message"
        return "waiting", ""
    if quiet_s > silence_s:
        return "stale", f"nothing for {quiet_s:,.0f} s, at most {silence_s:,.0f} s is normal"
    if beat.lag_s > _OLDEST_S and beat.channel.name != "bars":
        return "stale", f"messages are {beat.lag_s:,.0f} s old when they arrive"
    return "live", ""
