"""What is known of one live channel, how it stands at a moment, and the times it was ill."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.channels import MARKET_PACED, Channel, Coverage
from airpocket.domain.units import SECOND_NS
from airpocket.market.rhythm import Rhythm

PulseState: TypeAlias = Literal[
    "waiting",  # connected a moment ago, nothing is due yet
    "live",
    "silent",  # connected, perhaps acknowledged, and never a word of this channel since
    "stale",  # spoke, and stopped; or what comes is old
    "degraded",  # speaks, but can't be trusted: the reason says why
    "down",  # no connection
    "halted",  # the venue lets nobody trade it, or only close: the reason says why
    "delisted",
]


class PulseStatus(Struct, frozen=True):
    """One channel at one moment. `age_s`: since its last message; None before the first.

    `lag_s`: how old its last message was on arrival, by the venue's clock as far as that is known; never
    below zero.
    """

    venue: str
    symbol: str
    channel: str
    state: PulseState
    reason: str
    age_s: float | None
    messages: int
    coverage: Coverage
    lag_s: float | None = None


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
class Beat:
    """What is known of one channel. Only `Pulse` changes it; times are ns of a clock that never steps."""

    venue: str
    route: str
    channel: Channel
    opened: int | None = None
    closed_because: str = "not connected yet"
    last: int | None = None
    # heard, by the clock that never steps, less stamped by the venue; None where we stamped it
    late_ns: int | None = None
    messages: int = 0
    rested: int = 0  # when the venue said, asked, that there was nothing to tell
    fault: str = ""
    distrust: str = ""  # its book lost its thread, or frames of it were not understood
    suspicion: str = ""  # by what the markets themselves show
    unread: str = ""  # the last answer of its poll could not be read
    delisted: bool = False
    dumb: bool = False  # was silent on a connection, and has not spoken since
    granted: bool = False  # the venue named it in an acknowledgement
    ill_since: int | None = None
    healed: int | None = None  # its first message since it fell ill
    was: PulseState = "down"
    was_because: str = ""
    routes_open: int = 0
    rhythm: Rhythm = field(default_factory=Rhythm)

    def forget(self, why: str) -> None:
        """Nothing is known of it any more, but that it is not connected, and why."""
        fresh = Beat(self.venue, self.route, self.channel, closed_because=why)
        for each in fields(self):
            setattr(self, each.name, getattr(fresh, each.name))

    @property
    def spoke(self) -> int | None:
        """When it last spoke on the present connection."""
        last, opened = self.last, self.opened
        return last if last is not None and opened is not None and last >= opened else None

    @property
    def polled(self) -> bool:
        """Whether it is asked for over REST: then no other answer, and no stream, speaks for it."""
        return self.route.startswith("rest ")


def all_quiet(route: Sequence[Beat], now: int) -> bool:
    """Whether nothing at all has come by a route for longer than one of its channels may be silent."""
    heard, limit_s = 0, math.inf
    for beat in route:
        spoke, channel = beat.spoke, beat.channel
        if spoke is not None:
            heard = max(heard, spoke)
            if channel.silence_s is not None and channel.name not in MARKET_PACED:
                limit_s = min(limit_s, channel.silence_s)
    return limit_s < math.inf and now - heard > limit_s * SECOND_NS
