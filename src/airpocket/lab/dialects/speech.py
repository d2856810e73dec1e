"""What every dialect has in common: frames for topics, clients and their topics, answers, manners."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qs

import msgspec

from airpocket.domain.units import SECOND_NS
from airpocket.lab.dialects.contract import Contract
from airpocket.lab.dialects.ledger import Forced, Ledger, Print

ABRUPT = 1006  # ends without a closing frame


class Frame(NamedTuple):
    """One message for everybody who subscribed to `topic`; `book`: the symbol whose chain it is a link of."""

    topic: str
    text: str
    book: str = ""


class Close(NamedTuple):
    """The venue hangs up."""

    code: int
    reason: str = ""


Said: TypeAlias = str | Close


class Question(NamedTuple):
    """A REST question, its path without the host."""

    method: str
    path: str
    query: str
    body: bytes = b""

    def get(self, name: str, default: str = "") -> str:
        return parse_qs(self.query).get(name, [default])[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """What REST says back."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Manners:
    """A venue's own rules of keeping company; 0: none is documented.

    messages: how many inbound messages (control frames too) in `messages_s` seconds, else `too_many`.
    ping_every_s, pong_within_s: the server's own pings. life_s: a connection's longest life.
    arrivals: new connections in `arrivals_s` seconds; at_once: connections at one time.
    weight: REST budget of `weight_s` seconds, named after `pool` where venues share one.
    """

    messages: int = 0
    messages_s: float = 1.0
    too_many: Said = Close(1008, "too many requests")
    ping_every_s: float = 0.0
    pong_within_s: float = 20.0
    life_s: float = 0.0
    arrivals: int = 0
    arrivals_s: float = 300.0
    at_once: int = 0
    weight: int = 0
    weight_s: float = 60.0
    pool: str = ""
    over_limit: int = 429
    used_header: str = ""


@dataclass(eq=False, slots=True)
class Client:
    """One connection as the venue sees it. Times are ns of the wire."""

    route: str
    opened: int
    path: str = ""
    enveloped: bool = True
    topics: set[str] = field(default_factory=set[str])
    heard_at: int = 0
    sent_at: int = 0
    count: int = 0
    notes: dict[str, int] = field(default_factory=dict[str, int])


class Dialect(ABC):
    """One venue: rows in, frames out; pure, every time handed in.

    `hosts`: the addresses it answers at. `unit_ns`: what one unit of its stamps is.
    """

    hosts: tuple[str, ...] = ()
    manners = Manners()

    def __init__(self, name: str, contracts: Sequence[Contract]) -> None:
        self.name = name
        self.ledgers = {contract.book: Ledger(contract) for contract in contracts}
        self.by_symbol = {ledger.contract.symbol: ledger for ledger in self.ledgers.values()}
        self.unit_ns = 1_000_000
        self.audience: Counter[str] = Counter()
        self._beats: dict[str, int] = {}

    def take(self, row: Sequence[int]) -> None:
        """One row of the journal, its times the wire's; of another venue's book it is let go."""
        ledger = self.ledgers.get(row[2])
        if ledger is not None:
            ledger.take(row)

    def forget(self) -> None:
        """What happened so far is nobody's news: its trades, forced closes and bars are not told."""
        for ledger in self.ledgers.values():
            ledger.candle = None
            for waiting in (ledger.trades, ledger.forced, ledger.closed):
                waiting.clear()

    def stamp(self, now: int) -> int:
        """ns → what the venue writes."""
        return now // self.unit_ns

    def due(self, beat: str, every_ns: int, now: int) -> bool:
        """Whether a beat of `every_ns` has come since it was asked last."""
        count = now // every_ns
        if self._beats.get(beat) == count:
            return False
        self._beats[beat] = count
        return True

    def wanted(self, topic: str) -> bool:
        """Whether anybody listens."""
        return self.audience[topic] > 0

    def join(self, client: Client, topic: str) -> bool:
        """The client listens from now on; False where it did already."""
        if topic in client.topics:
            return False
        client.topics.add(topic)
        self.audience[topic] += 1
        return True

    def leave(self, client: Client, topic: str) -> bool:
        if topic not in client.topics:
            return False
        client.topics.discard(topic)
        self.audience[topic] -= 1
        return True

    def gone(self, client: Client) -> None:
        """The connection is over."""
        for topic in list(client.topics):
            self.leave(client, topic)

    @abstractmethod
    def open(self, path: str, query: str, now: int) -> Client | int:
        """A new connection, or the HTTP status it is refused with."""

    @abstractmethod
    def hear(self, client: Client, text: str, now: int) -> list[Said]:
        """What the venue says back to a message."""

    @abstractmethod
    def speak(self, now: int) -> list[Frame]:
        """What is due at `now`, in order."""

    @abstractmethod
    def answer(self, question: Question, now: int) -> Answer:
        """A REST question's answer."""

    @abstractmethod
    def restart(self, now: int) -> list[Frame]:
        """The matching service was restarted: its books count anew, as the venue does it."""

    def weight(self, question: Question) -> int:
        """What a question counts against the budget."""
        del question
        return 1

    def envelope(self, client: Client, frame: Frame, now: int) -> str:
        """A frame as this client gets it."""
        del client, now
        return frame.text

    def tick(self, client: Client, now: int) -> list[Said]:
        """Once a second: heartbeats, and whether the client kept the rules."""
        del client, now
        return []

    def farewell(self, now: int) -> str:
        """What is said to all before a planned end of connections; '' for nothing."""
        del now
        return ""


def written(value: object) -> str:
    """JSON text."""
    return msgspec.json.encode(value).decode()


def read(text: str) -> dict[str, Any] | None:
    """A JSON object, or None for anything else."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return None


def texts(value: object) -> list[str]:
    """A list of texts; empty for anything else."""
    try:
        return msgspec.convert(value, list[str])
    except msgspec.ValidationError:
        return []


def mapping(value: object) -> dict[str, Any]:
    """An object; empty for anything else."""
    try:
        return msgspec.convert(value, dict[str, Any])
    except msgspec.ValidationError:
        return {}


def mappings(value: object) -> list[dict[str, Any]]:
    """A list of objects; empty for anything else."""
    try:
        return msgspec.convert(value, list[dict[str, Any]])
    except msgspec.ValidationError:
        return []


def answered(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON body."""
    return Answer(status, msgspec.json.encode(value), headers or {})


def drained(ledger: Ledger) -> tuple[list[Print], list[Forced]]:
    """Trades and forced closes not told yet; afterwards they are."""
    found = ledger.trades, ledger.forced
    ledger.trades, ledger.forced = [], []
    return found


def grouped(trades: Sequence[Print]) -> list[list[Print]]:
    """Matches of one taker's order at one price, in order."""
    found: list[list[Print]] = []
    for one in trades:
        if found and _same(found[-1][-1], one):
            found[-1].append(one)
        else:
            found.append([one])
    return found


def _same(a: Print, b: Print) -> bool:
    return (a.ts, a.taker, a.tick, a.lots > 0, a.off) == (b.ts, b.taker, b.tick, b.lots > 0, b.off)


def rows_text(
    levels: Sequence[tuple[int, ...]], write: Callable[[int], str], size: Callable[[int], str]
) -> str:
    """[["3000.1","2.5"],…]"""
    return "[" + ",".join([f'["{write(level[0])}","{size(level[1])}"]' for level in levels]) + "]"


def changed_quote(ledger: Ledger) -> tuple[int, int, int, int] | None:
    """The touch where it is not what was told last."""
    best = ledger.best()
    if best == ledger.told or not (best[0] or best[2]):
        return None
    ledger.told = best
    return best


MS100 = SECOND_NS // 10
