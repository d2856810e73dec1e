"""The door on loopback: every venue of a world at one port, the venue's host as the path's first part."""

import asyncio
import ipaddress
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from airpocket.domain.errors import BadInput
from airpocket.domain.ports import Clock
from airpocket.domain.units import SECOND_NS
from airpocket.lab.dialects.speech import ABRUPT, Answer, Client, Close, Dialect, Question
from airpocket.lab.server.faults import Action
from airpocket.lab.server.house import SLICE_NS, House, Told
from airpocket.lab.server.limits import KeepAlive, Rate, Weights, refused
from airpocket.lab.server.wire import Head, Wire

_ORIGIN = ("airpocket", "/origin")  # no venue's: here the market says that it is simulated
_BEFORE_SHUTDOWN_S = 1.0  # from a venue's notice to the end of its connections


@dataclass(frozen=True, slots=True)
class GateSettings:
    """day_s: seconds of the wire after which a venue that ends connections daily does so."""

    host: str = "127.0.0.1"
    port: int = 0
    day_s: float = 86_400.0

    def __post_init__(self) -> None:
        """
        Raises:
            BadInput: the host is not of this machine's loopback.
        """
        if not _is_loopback(self.host):
            raise BadInput(
                f"{self.host}: a simulated market is served on loopback only, such as 127.0.0.1"
            )


class _Guest:
    """A websocket's client, its dialect and its manners."""

    def __init__(self, dialect: Dialect, client: Client, now: int) -> None:
        self.dialect, self.client = dialect, client
        manners = dialect.manners
        self.inbound = Rate(manners.messages, manners.messages_s)
        self.alive = KeepAlive(manners, now)
        self.opened = now
        self.leaving: int | None = None


class Counts(NamedTuple):
    """What the gate did so far."""

    frames: int
    questions: int
    connections: int
    late_ms: float  # how far the market is behind the clock


class Gate:
    """Serves a house on loopback. `async with` opens and closes the door; `run` lets time pass."""

    def __init__(self, house: House, clock: Clock, settings: GateSettings | None = None) -> None:
        self.settings = settings or GateSettings()
        self.house, self._clock = house, clock
        self._guests: dict[str, dict[Wire, _Guest]] = {name: {} for name in house.dialects}
        self._coming: dict[Wire, _Guest] = {}
        self._home: dict[Wire, _Guest] = {}
        self._weights: dict[str, Weights] = {}
        self._server: asyncio.Server | None = None
        self.port = 0
        self.frames = self.questions = 0
        self.opened: Counter[str] = Counter()  # connections by venue and route
        self.asked_of: Counter[str] = Counter()  # questions by path
        self.refused: Counter[int] = Counter()  # answers other than 200
        self._arrivals = {
            name: Rate(dialect.manners.arrivals, dialect.manners.arrivals_s)
            for name, dialect in house.dialects.items()
        }

    async def __aenter__(self) -> "Gate":
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Wire(self), self.settings.host, self.settings.port
            )
        except OSError as error:
            raise BadInput(
                f"{self.settings.host}:{self.settings.port}: {error.strerror or error}"
            ) from error
        self.house.begin(self._clock.now())
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        for wire in list(self._home):
            wire.hang_up(Close(1001, "the market closes"))
        if self._server is not None:
            self._server.close()
            await asyncio.sleep(0)

    @property
    def address(self) -> str:
        """host:port, as `airpocket record --through` wants it."""
        return f"{self.settings.host}:{self.port}"

    @property
    def counts(self) -> Counts:
        late = max(0, self._clock.now() - self.house.now)
        return Counts(self.frames, self.questions, sum(self.opened.values()), late / 1e6)

    async def run(self) -> None:
        """Until cancelled or the world ends."""
        next_second = 0
        while not self.house.over:
            now = self._clock.now()
            for told in self.house.until(now):
                self._deliver(told)
                if self.house.now >= next_second:
                    next_second = self.house.now + SECOND_NS
                    self._each_second(self.house.now)
                    await asyncio.sleep(0)
            left_ns = self.house.now + 2 * SLICE_NS - self._clock.now()
            await asyncio.sleep(max(0.0, left_ns / 1e9))

    # -- what venues say

    def _deliver(self, told: Told) -> None:
        guests = self._guests[told.venue]
        dialect = self.house.dialects[told.venue]
        for action in told.begun:
            self._befall(told.venue, action, told.now)
        if not guests:
            return
        faults = self.house.faults[told.venue]
        for frame in told.frames:
            if not dialect.wanted(frame.topic):
                continue
            for wire, guest in list(guests.items()):
                client = guest.client
                if frame.topic in client.topics and not faults.muted(client, frame.topic):
                    text = dialect.envelope(client, frame, told.now)
                    if text:
                        self._say(wire, guest, text, told.now)

    def _say(self, wire: Wire, guest: _Guest, text: str, now: int) -> None:
        guest.client.sent_at = now
        self.frames += 1
        wire.say(text)

    def _befall(self, venue: str, action: Action, now: int) -> None:
        guests = self._guests[venue]
        if action.what == "disconnect":
            for wire in list(guests):
                wire.hang_up(Close(ABRUPT))
        elif action.what in ("shutdown", "outage"):
            notice = self.house.dialects[venue].farewell(now)
            for wire, guest in list(guests.items()):
                if notice:
                    self._say(wire, guest, notice, now)
                guest.leaving = now + round(_BEFORE_SHUTDOWN_S * SECOND_NS)

    def _each_second(self, now: int) -> None:
        for venue, guests in self._guests.items():
            dialect = self.house.dialects[venue]
            for wire, guest in list(guests.items()):
                if guest.leaving is not None and now >= guest.leaving:
                    wire.hang_up(Close(1001, "going away"))
                    continue
                self._keep_alive(wire, guest, now)
                for said in dialect.tick(guest.client, now):
                    if isinstance(said, str):
                        self._say(wire, guest, said, now)
                    else:
                        wire.hang_up(said)

    def _keep_alive(self, wire: Wire, guest: _Guest, now: int) -> None:
        """The venue's pings, who does not answer them, and who is here for a day."""
        manners = guest.dialect.manners
        life_s = manners.life_s * self.settings.day_s / 86_400.0
        if life_s and now - guest.opened > life_s * SECOND_NS and guest.leaving is None:
            notice = guest.dialect.farewell(now)
            if notice:
                self._say(wire, guest, notice, now)
            guest.leaving = now + round(_BEFORE_SHUTDOWN_S * SECOND_NS)
        due = guest.alive.tick(now)
        if due == "cut":
            wire.hang_up(Close(1008, "Pong timeout"))
        elif due == "ping":
            wire.ping()

    # -- who comes and what they say

    def knocked(self, wire: Wire, head: Head) -> Answer | None:
        now = self._clock.now()
        host, path, query = _parts(head.target)
        status = 404
        for dialect in self._at(host):
            if self.house.out(dialect.name):
                status = 503
                continue
            if self.house.faults[dialect.name].running("ban") is not None or self._crowded(
                dialect, now
            ):
                return refused(
                    418 if self.house.faults[dialect.name].running("ban") else 429, 60 * SECOND_NS
                )
            found = dialect.open(path, query, now)
            if isinstance(found, Client):
                self._coming[wire] = _Guest(dialect, found, now)
                return None
            status = found
        self.refused[status] += 1
        return Answer(status, b"")

    def came_in(self, wire: Wire) -> None:
        guest = self._coming.pop(wire)
        name = guest.dialect.name
        self._guests[name][wire] = self._home[wire] = guest
        self.opened[f"{name} {guest.client.route}"] += 1
        if guest.client.topics and self.house.faults[name].running("flap") is not None:
            guest.leaving = 0  # subscribed by its address: nothing more is to be said

    def heard(self, wire: Wire, text: str | None) -> None:
        guest = self._home.get(wire)
        if guest is None:
            return
        now = self._clock.now()
        dialect, faults = guest.dialect, self.house.faults[guest.dialect.name]
        if guest.inbound.too_many(now):
            wire.say(dialect.manners.too_many)
            return
        if text is None:
            return
        said = dialect.hear(guest.client, text, now)
        for one in said:
            if isinstance(one, Close):
                wire.hang_up(one)
            elif not _is_data(one) or not faults.muted(guest.client, one):
                self._say(wire, guest, one, now)
        if faults.running("flap") is not None:
            wire.hang_up(Close(1001, ""))

    def ponged(self, wire: Wire) -> None:
        guest = self._home.get(wire)
        if guest is not None:
            guest.alive.ponged()

    def left(self, wire: Wire) -> None:
        guest = self._home.pop(wire, None)
        if guest is not None:
            guest.dialect.gone(guest.client)
            self._guests[guest.dialect.name].pop(wire, None)

    def asked(self, wire: Wire, head: Head, body: bytes) -> Answer:
        del wire
        now = self._clock.now()
        host, path, query = _parts(head.target)
        if (host, path) == _ORIGIN:
            return Answer(200, json.dumps({"simulated": self.house.label}).encode())
        self.questions += 1
        self.asked_of[f"{host}{path}"] += 1
        answer = Answer(404, b"no such venue here")
        for dialect in self._at(host):
            answer = self._answered(dialect, Question(head.method, path, query, body), now)
            if answer.status != 404:
                break
        if answer.status != 200:
            self.refused[answer.status] += 1
        return answer

    def _answered(self, dialect: Dialect, question: Question, now: int) -> Answer:
        if self.house.out(dialect.name):
            return Answer(503, b"Service Unavailable")
        ban = self.house.faults[dialect.name].running("ban")
        if ban is not None:
            return refused(418, round((ban.for_s or 120.0) * SECOND_NS))
        pool = dialect.manners.pool or dialect.name
        weights = self._weights.setdefault(pool, Weights(dialect.manners))
        refusal = weights.ask(dialect.weight(question), now)
        if refusal is not None:
            return refusal
        found = dialect.answer(question, now)
        return Answer(found.status, found.body, {**found.headers, **weights.headers()})

    def _at(self, host: str) -> Sequence[Dialect]:
        return [dialect for dialect in self.house.dialects.values() if host in dialect.hosts]

    def _crowded(self, dialect: Dialect, now: int) -> bool:
        """More connections, or more new ones, than the venue takes of one address."""
        most = dialect.manners.at_once
        full = most > 0 and len(self._guests[dialect.name]) >= most
        return self._arrivals[dialect.name].too_many(now) or full


def _parts(target: str) -> tuple[str, str, str]:
    """'/fstream.binance.com/public/stream?streams=…' → host, path, query."""
    path, _, query = target.partition("?")
    host, slash, rest = path.lstrip("/").partition("/")
    return host, slash + rest, query


def _is_data(text: str) -> bool:
    """Whether a reply is market data rather than an acknowledgement."""
    return '"data":' in text or '"events":[{"type"' in text


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
