"""Limits as the venues enforce them: REST weight by window, bans for those who go on, messages a second."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from airpocket.domain.units import SECOND_NS
from airpocket.lab.dialects.speech import Answer, Manners

_FORGIVEN = 10  # questions over the limit before the ban
_FIRST_BAN_S, _LONGEST_BAN_S = 120, 259_200  # two minutes to three days (Binance)


@dataclass(slots=True)
class Weights:
    """One address' REST budget of one pool; times are ns of the wire."""

    manners: Manners
    window: int = -1
    used: int = 0
    over: int = 0
    bans: int = 0
    banned_until: int = 0

    def ask(self, weight: int, now: int) -> Answer | None:
        """None where the question may be answered, else the refusal."""
        manners = self.manners
        if now < self.banned_until:
            return refused(418, self.banned_until - now)
        if not manners.weight:
            return None
        length = round(manners.weight_s * SECOND_NS)
        if now // length != self.window:
            self.window, self.used = now // length, 0
        self.used += weight
        if self.used <= manners.weight:
            self.over = 0
            return None
        self.over += 1
        if self.over > _FORGIVEN:
            self.over, self.bans = 0, self.bans + 1
            lasts = min(_FIRST_BAN_S * 2 ** (self.bans - 1), _LONGEST_BAN_S) * SECOND_NS
            self.banned_until = now + lasts
            return refused(418, lasts)
        return refused(manners.over_limit, (self.window + 1) * length - now)

    def headers(self) -> dict[str, str]:
        """What the venue tells of the budget with each answer."""
        name = self.manners.used_header
        return {name: str(self.used)} if name else {}


def refused(status: int, wait_ns: int) -> Answer:
    """Too many requests, and how long to stay away."""
    body = b'{"code":-1003,"msg":"Too many requests; current limit exceeded."}'
    return Answer(status, body, {"Retry-After": str(max(1, -(-wait_ns // SECOND_NS)))})


@dataclass(slots=True)
class Rate:
    """At most so many in so many seconds; 0: any number."""

    most: int
    seconds: float
    times: deque[int] = field(default_factory=deque[int])

    def too_many(self, now: int) -> bool:
        """Whether the one that comes now is one too many."""
        if not self.most:
            return False
        self.times.append(now)
        since = now - round(self.seconds * SECOND_NS)
        while self.times and self.times[0] <= since:
            self.times.popleft()
        return len(self.times) > self.most


@dataclass(slots=True)
class KeepAlive:
    """The venue's own pings of one connection. A pong that nobody asked for does not count."""

    manners: Manners
    pinged: int  # ns of the wire
    waiting: bool = False

    def tick(self, now: int) -> Literal["ping", "cut", ""]:
        """What is to be done now."""
        manners = self.manners
        if not manners.ping_every_s:
            return ""
        since_s = (now - self.pinged) / SECOND_NS
        if self.waiting:
            return "cut" if since_s > manners.pong_within_s else ""
        if since_s < manners.ping_every_s:
            return ""
        self.pinged, self.waiting = now, True
        return "ping"

    def ponged(self) -> None:
        self.waiting = False
