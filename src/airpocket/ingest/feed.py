"""What a venue's feed is made of, as data: its sockets, its polls, and what each promises to bring."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from airpocket.domain.channels import Channel, ChannelName


@dataclass(frozen=True, slots=True)
class Socket:
    """One websocket connection.

    `hello` is said after connecting; `ping` is the venue's own keep-alive text, to be said every
    `ping_every_s`; `replies` pairs a mark in a received frame with the answer it demands. `life_s` is how
    long the venue keeps a connection, less a margin; a notice that begins with one of `goodbyes` says that
    it ends sooner.

    `anew`: topic → what subscribes to it alone, for those left out of a confirmation. At most `sends_per_s`
    messages go out in any second, and `says_per_hour` besides pings in any hour (0: the venue sets no limit).
    """

    venue: str
    route: str
    url: str
    channels: tuple[Channel, ...]
    hello: tuple[str, ...] = ()
    ping: str = ""
    ping_every_s: float = 0.0
    replies: tuple[tuple[bytes, str], ...] = ()
    sends_per_s: float = 4.0
    life_s: float = 23 * 3_600.0
    goodbyes: tuple[str, ...] = ()
    anew: Mapping[str, str] = field(default_factory=dict[str, str])
    says_per_hour: int = 0


@dataclass(frozen=True, slots=True)
class Poll:
    """One REST question, asked every `every_s`; `body` is posted where there is one.

    `address` is what the decoder is told of where the answer came from. `weight` counts against the
    venue's budget. `headers` may hold a key: they are never written down.
    """

    venue: str
    url: str
    channels: tuple[Channel, ...]
    every_s: float
    body: str = ""
    weight: int = 1
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def address(self) -> str:
        return f"{self.url}#{self.body}" if self.body else self.url


@dataclass(frozen=True, slots=True)
class Feed:
    """All that one venue brings of the symbols asked for.

    `snapshots`: the REST question that gives a book by symbol, where changes alone come by socket.
    `again`: what to say on which route for a fresh book, where the venue sends one on subscribing.
    `weight_per_minute` is the venue's REST budget; `absent` names what it has no public channel for.
    """

    venue: str
    sockets: tuple[Socket, ...]
    polls: tuple[Poll, ...] = ()
    snapshots: Mapping[str, Poll] = field(default_factory=dict[str, Poll])
    again: Mapping[str, tuple[str, tuple[str, ...]]] = field(
        default_factory=dict[str, tuple[str, tuple[str, ...]]]
    )
    weight_per_minute: int = 600
    absent: Mapping[ChannelName, str] = field(default_factory=dict[ChannelName, str])

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Every channel promised, sockets first."""
        held = [*self.sockets, *self.polls]
        return tuple(channel for link in held for channel in link.channels)
