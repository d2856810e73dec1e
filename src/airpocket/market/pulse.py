"""Is each live channel alive? Data alone proves it: neither a connection nor an acknowledgement counts."""

from collections import deque
from collections.abc import Iterable, Mapping

from airpocket.domain.channels import CHANNEL_OF, MARKET_PACED, Channel
from airpocket.domain.units import SECOND_NS
from airpocket.domain.wire import Control, Listing, LiveEvent, OptionTick, VolTick
from airpocket.market.beats import Beat, Outage, PulseState, PulseStatus, all_quiet

_FIRST_WORD_S = 10.0  # a channel with a shorter cadence is still given this long to begin
_OLDEST_S = 10.0  # a message older than this on arrival makes its channel stale
_HOPELESS_S = 60.0  # a backlog as old as this is given up
_AHEAD_S = 1.0  # a stamp further ahead of our clock than this is said
_ALONE_S = 30.0  # one symbol among many is given at least this long
_PROOF_S = 70.0  # a channel of one-minute bars is one that proves
_OUTAGES_KEPT = 1_000


class Pulse:
    """The one owner of live health. Times are ns of a clock that never steps (the records' `monotonic`)."""

    def __init__(self, declared: Iterable[tuple[str, str, Channel]] = ()) -> None:
        self._beats: dict[tuple[str, str, str], Beat] = {}
        self._routes: dict[tuple[str, str], list[Beat]] = {}
        self._kin: dict[tuple[str, str, str], list[Beat]] = {}  # venue, route, channel
        self._topics: dict[tuple[str, str], list[Beat]] = {}
        # What makes a time of the day of a steady clock's reading (ns): ours at first, each venue's where known.
        self.base: int | None = None
        self._bases: dict[str, int] = {}
        self.latest = 0  # the newest moment heard of
        self._halts: dict[tuple[str, str], str] = {}  # symbol '': the whole venue
        self._suspected: set[tuple[str, str, str]] = set()
        self._distrusted: set[tuple[str, str, str]] = set()
        self.outages: deque[Outage] = deque(maxlen=_OUTAGES_KEPT)
        for venue, route, channel in declared:
            self.declare(venue, route, channel)

    def declare(self, venue: str, route: str, channel: Channel) -> None:
        """A channel that a route promises to bring."""
        beat = Beat(venue, route, channel)
        self._beats[venue, channel.symbol, channel.name] = beat
        self._beats = dict(sorted(self._beats.items()))  # the order in which they are told
        self._routes.setdefault((venue, route), []).append(beat)
        self._kin.setdefault((venue, route, channel.name), []).append(beat)
        if channel.topic:
            self._topics.setdefault((venue, channel.topic), []).append(beat)

    def opened(self, venue: str, route: str, at: int) -> None:
        """A connection of the route opened; with another still open, nothing is expected anew."""
        if at < self.latest - _FIRST_WORD_S * SECOND_NS:
            self._forget()  # another boot of the machine: its clock began anew
        self.latest = max(self.latest, at)
        for beat in self._routes.get((venue, route), ()):
            if beat.routes_open == 0:
                beat.opened, beat.granted = at, False
            beat.routes_open += 1

    def closed(self, venue: str, route: str, reason: str) -> None:
        """A connection of the route ended."""
        for beat in self._routes.get((venue, route), ()):
            beat.routes_open = max(beat.routes_open - 1, 0)
            if beat.routes_open == 0:
                beat.opened, beat.closed_because = None, reason

    def restarted(self) -> None:
        """A recording begins and knows only what it hears itself: a replay judges it as it was judged live."""
        self.latest, self.base = 0, None
        for each in (self._bases, self._halts, self._suspected, self._distrusted):
            each.clear()
        for beat in self._beats.values():
            beat.forget("the recorder was restarted")

    def heard(self, event: LiveEvent, at: int | None = None, *, polled: bool = False) -> None:
        """An event came at `at` (by default when it was usable); of channels nobody declared, no concern here.

        Args:
            polled: by REST. An answer we asked for proves no stream alive.
        """
        name = CHANNEL_OF.get(str(event.__struct_config__.tag))
        if name is None:
            if isinstance(event, Control):
                self._granted(event)
            return
        symbol = event.base if isinstance(event, OptionTick | Listing) else event.symbol
        if isinstance(event, VolTick):  # declared by its coin: ETH, not ETH-DVOL
            symbol = symbol.partition("-")[0]
        if isinstance(event, OptionTick) and event.says and "mark_iv" not in event.says:
            name = "option_prices"
        beat = self._beats.get((event.venue, symbol, name))
        if beat is None or beat.polled is not polled:
            return
        at = event.usable_from if at is None else at
        if (spoke := beat.spoke) is not None:
            beat.rhythm.add(at - spoke)
        if beat.ill_since is not None and beat.healed is None:
            beat.healed = at
        beat.last = at if beat.last is None else max(beat.last, at)
        self.latest = max(self.latest, at)
        if self.base is None:
            self.base = event.usable_from - at
        beat.late_ns = None if event.ts == event.usable_from else at - event.ts
        beat.messages += 1
        beat.dumb = False
        beat.unread = ""

    def unreadable(self, venue: str, route: str, reason: str) -> None:
        """A route's answer was not what was asked for: so until one can be read again."""
        for beat in self._routes.get((venue, route), ()):
            beat.unread = reason

    def suspect(self, found: Mapping[tuple[str, str, str], str]) -> None:
        """All channels (venue, symbol, channel) that the markets themselves contradict now, and why."""
        for key in self._suspected | set(found):
            if key in self._beats:
                self._beats[key].suspicion = found.get(key, "")
        self._suspected = set(found)

    def distrust(self, found: Mapping[tuple[str, str, str], str]) -> None:
        """All channels (venue, symbol, channel) whose books or frames can't be trusted now, and why."""
        for key in self._distrusted | set(found):
            if key in self._beats:
                self._beats[key].distrust = found.get(key, "")
        self._distrusted = set(found)

    def halt(self, venue: str, symbol: str, reason: str) -> None:
        """Nobody may open a position in it, '' that again everybody may; symbol '': the whole venue."""
        if reason:
            self._halts[venue, symbol] = reason
        else:
            self._halts.pop((venue, symbol), None)

    def last_heard(self, venue: str, symbol: str) -> int | None:
        """When a market's own channels last spoke (ns, time of the day by our clock); None if never."""
        lasts = [
            beat.last for (whose, what, name), beat in self._beats.items()
            if (whose, what) == (venue, symbol) and name != "listings" and beat.last is not None
        ]  # fmt: skip
        return max(lasts) + (self.base or 0) if lasts else None

    @property
    def incidents(self) -> tuple[tuple[str, str], ...]:
        """Venues that are shut as a whole, and why: one incident each, however many channels it halts."""
        return tuple(
            (venue, why) for (venue, symbol), why in sorted(self._halts.items()) if not symbol
        )

    def fault(self, venue: str, symbol: str, channel: str, reason: str) -> None:
        """Why a channel can't be trusted; '' when it can again."""
        beat = self._beats.get((venue, symbol, channel))
        if beat is not None:
            beat.fault = reason

    def rests(self, venue: str, symbol: str, channel: str, at: int) -> None:
        """The venue, asked at `at` (ns), had nothing that the channel should have told."""
        beat = self._beats.get((venue, symbol, channel))
        if beat is not None:
            beat.rested = max(beat.rested, at)

    def delisted(self, venue: str, symbol: str, *, gone: bool = True) -> None:
        """The venue no longer lists the symbol, and nothing more is expected of it; or it does again."""
        for (whose, what, name), beat in self._beats.items():
            if (whose, what) == (venue, symbol) and name != "listings":
                beat.delisted = gone

    def clock_is(self, venue: str, base: int) -> None:
        """How old the venue's messages are is told by its own clock from now on: it less our steady one (ns)."""
        self._bases[venue] = base

    def slept(self, slept_ns: int) -> None:
        """Time passed that the steady clock left out; what came before it was no older for it."""
        for beat in self._beats.values():
            beat.late_ns = None if beat.late_ns is None else beat.late_ns - slept_ns
        self.base = None if self.base is None else self.base + slept_ns
        for venue in self._bases:
            self._bases[venue] += slept_ns

    def least_lag_s(self, venue: str, base: int) -> float | None:
        """The smallest age on arrival of the venue's newest messages, by our clock; None before any."""
        late = [
            beat.late_ns for beat in self._beats.values()
            if beat.venue == venue and beat.spoke is not None and beat.late_ns is not None
        ]  # fmt: skip
        return (min(late) + base) / SECOND_NS if late else None

    def status(self, now: int) -> tuple[PulseStatus, ...]:
        """Every declared channel at `now`, in a fixed order; intervals of illness are noted as they end."""
        found: list[PulseStatus] = []
        for beat in self._beats.values():
            state, reason = self._judged(beat, now)
            self._note(beat, state, reason, now)
            last, channel = beat.last, beat.channel
            age = None if last is None else max(now - last, 0) / SECOND_NS
            lag = None if last is None else max(self._lag_s(beat), 0.0)
            found.append(
                PulseStatus(
                    beat.venue, channel.symbol, channel.name, state, reason, age,
                    beat.messages, channel.coverage, lag,
                )
            )  # fmt: skip
        return tuple(found)

    def state_of(self, venue: str, symbol: str, channel: str, now: int) -> tuple[PulseState, str]:
        """State and reason of one channel; 'down' for one that was never declared."""
        beat = self._beats.get((venue, symbol, channel))
        return ("down", "not subscribed") if beat is None else self._judged(beat, now)

    def ill_routes(self, now: int) -> dict[tuple[str, str], str]:
        """Routes to call anew → why: connected, and a channel is silent or stale for all of its symbols.

        Messages that come late are no reason until they are a minute late: to hang up would lose those on
        their way, and it may be us who are slow.
        """
        found: dict[tuple[str, str], str] = {}
        for key, beat in self._ill(now):
            silence_s = beat.channel.silence_s
            if silence_s is None or self._kin_speak(beat, now):
                continue
            spoke = beat.spoke
            comes = spoke is not None and now - spoke <= silence_s * SECOND_NS
            if not (comes and self._lag_s(beat) <= _HOPELESS_S):
                _, reason = self._judged(beat, now)
                found.setdefault(key, f"{beat.channel.name} {beat.channel.symbol}: {reason}")
        return found

    def ill_alone(self, now: int) -> list[tuple[str, str, str]]:
        """(venue, symbol, channel) silent or stale while the same channel of other symbols speaks."""
        return [
            (beat.venue, beat.channel.symbol, beat.channel.name)
            for _, beat in self._ill(now)
            if self._kin_speak(beat, now)
        ]

    def stopped(self, channel: str, now: int) -> list[tuple[str, str]]:
        """(venue, symbol) whose channel spoke on its connection, and now it, or all of its route, is silent for
        longer than is normal, or whose last word was old when it came: what followed it may not have come."""
        found: list[tuple[str, str]] = []
        for (venue, symbol, name), beat in self._beats.items():
            if name != channel or (spoke := beat.spoke) is None:
                continue
            if (silence_s := beat.channel.silence_s) is not None:
                quiet_s = (now - spoke) / SECOND_NS
                alone = quiet_s > silence_s and quiet_s > self._patience_s(beat, silence_s, now)
                dead = all_quiet(self._routes[venue, beat.route], now)
                if alone or dead or self._lag_s(beat) > _OLDEST_S:
                    found.append((venue, symbol))
        return found

    def not_granted(self, now: int) -> list[tuple[str, str, str]]:
        """(venue, route, topic) that the venue's acknowledgement left out, and that never spoke."""
        return sorted(
            {
                (beat.venue, beat.route, beat.channel.topic)
                for beats in self._topics.values()
                for beat in beats
                if self._left_out(beat, now)
            }
        )

    def proofs(self, venue: str, route: str) -> set[tuple[str, str]]:
        """(channel, symbol) that a successor of the route's connection must bring, to be believed.

        Those that spoke on the present one and do so about once a minute; before anything spoke, all that
        promise to.
        """
        beats = [
            beat for beat in self._routes.get((venue, route), ())
            if (beat.channel.silence_s or 1e9) <= _PROOF_S and not beat.delisted
        ]  # fmt: skip
        spoke = [beat for beat in beats if beat.spoke is not None]
        quick = [
            b for b in spoke if b.channel.name not in MARKET_PACED or b.rhythm.limit_s <= _PROOF_S
        ]
        return {(beat.channel.name, beat.channel.symbol) for beat in quick or spoke or beats}

    def _ill(self, now: int) -> list[tuple[tuple[str, str], Beat]]:
        return [
            (key, beat)
            for key, beats in self._routes.items()
            for beat in beats
            if beat.opened is not None and self._judged(beat, now)[0] in ("silent", "stale")
        ]

    def _granted(self, event: Control) -> None:
        for topic in event.topics:
            for beat in self._topics.get((event.venue, topic), ()):
                beat.granted = event.what == "ack"

    def _left_out(self, beat: Beat, now: int) -> bool:
        if beat.opened is None or beat.granted or beat.spoke is not None or not beat.channel.topic:
            return False
        return (now - beat.opened) / SECOND_NS > _FIRST_WORD_S

    def _lag_s(self, beat: Beat) -> float:
        """By the venue's own clock; by ours as it was at the start where the venue's is not known."""
        if beat.late_ns is None:  # its messages bear no time but ours
            return 0.0
        base = self._bases.get(beat.venue, self.base or 0)
        return (beat.late_ns + base) / SECOND_NS

    def _kin_speak(self, beat: Beat, now: int) -> bool:
        """Whether the same channel of another symbol speaks on the same route."""
        silence_ns = (beat.channel.silence_s or 0.0) * SECOND_NS
        return any(
            other is not beat and (spoke := other.spoke) is not None and now - spoke <= silence_ns
            for other in self._kin[beat.venue, beat.route, beat.channel.name]
        )

    def _judged(self, beat: Beat, now: int) -> tuple[PulseState, str]:
        if beat.delisted:
            return "delisted", "the venue no longer lists it"
        halt = self._halted(beat) if self._halts else ""
        if halt:
            return "halted", halt
        if beat.opened is None:
            return "down", beat.closed_because
        ill = beat.fault or beat.unread or beat.distrust or beat.suspicion
        if ill:
            return "degraded", ill
        if self._left_out(beat, now):
            return "silent", "the venue's confirmation leaves it out"
        if beat.channel.silence_s is None:
            return self._sparse(beat, now)
        return self._cadenced(beat, beat.channel.silence_s, now)

    def _halted(self, beat: Beat) -> str:
        """Of the venue first: one incident, whatever its contracts say. A list tells of neither."""
        if beat.channel.name == "listings":
            return ""
        whole = self._halts.get((beat.venue, ""))
        return whole or self._halts.get((beat.venue, beat.channel.symbol), "")

    def _sparse(self, beat: Beat, now: int) -> tuple[PulseState, str]:
        """Silence proves nothing here: the route must be proven alive by a channel that speaks."""
        states: list[PulseState] = []
        for other in self._routes[beat.venue, beat.route]:
            if other.channel.silence_s is not None:
                states.append(self._judged(other, now)[0])
                if states[-1] == "live":
                    return "live", "" if beat.messages else "none so far; its route delivers"
        if beat.spoke is not None:
            if not states:
                return "live", ""
            return "stale", "no other channel of its route delivers"
        if "waiting" in states and "silent" not in states:
            return "waiting", ""
        return "silent", "its route delivers nothing"

    def _cadenced(self, beat: Beat, silence_s: float, now: int) -> tuple[PulseState, str]:
        spoke, opened = beat.spoke, beat.opened or 0
        quiet_s = (now - max(opened if spoke is None else spoke, beat.rested)) / SECOND_NS
        limit_s = silence_s if spoke is not None else max(silence_s, _FIRST_WORD_S)
        if quiet_s > limit_s and beat.channel.name in MARKET_PACED:
            limit_s = self._patience_s(beat, limit_s, now)
        if quiet_s > limit_s:
            if spoke is None:
                return "silent", f"connected for {quiet_s:,.0f} s and never a message"
            return "stale", f"nothing for {quiet_s:,.0f} s, at most {limit_s:,.0f} s is normal"
        if spoke is None:
            return ("silent", "called anew, and no message yet") if beat.dumb else ("waiting", "")
        lag_s = self._lag_s(beat)
        if lag_s > _OLDEST_S and beat.channel.name != "bars":
            return "stale", f"messages are {lag_s:,.0f} s old when they arrive"
        return "live", (f"stamped {-lag_s:,.1f} s ahead of our clock" if lag_s < -_AHEAD_S else "")

    def _patience_s(self, beat: Beat, limit_s: float, now: int) -> float:
        """A market may rest: one symbol among many that speak, or one that was always slow, gets longer."""
        if self._kin_speak(beat, now):
            return max(limit_s, _ALONE_S, beat.rhythm.limit_s)
        return max(limit_s, beat.rhythm.limit_s) if beat.rhythm.known else limit_s

    def _forget(self) -> None:
        self.latest, self.base = 0, None
        self._bases.clear()
        for beat in self._beats.values():
            beat.last = beat.opened = beat.ill_since = beat.healed = None
            beat.routes_open = beat.rested = 0

    def _note(self, beat: Beat, state: PulseState, reason: str, now: int) -> None:
        if state == "live":
            if beat.ill_since is not None:
                self.outages.append(
                    Outage(
                        beat.venue, beat.channel.symbol, beat.channel.name, beat.ill_since,
                        now if beat.healed is None else beat.healed, beat.was, beat.was_because,
                    )
                )  # fmt: skip
            beat.ill_since = beat.healed = None
        elif beat.ill_since is None and state != "waiting":
            beat.ill_since = now if beat.last is None else min(beat.last, now)
        if state != "live":
            beat.was, beat.was_because, beat.healed = state, reason, None
            beat.dumb = beat.dumb or state == "silent"
