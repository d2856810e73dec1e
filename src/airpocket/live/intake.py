"""Records into events into state: the one way in, live and in replay."""

import hashlib
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from airpocket.domain.depth import plain
from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.units import DAY_NS
from airpocket.domain.wire import LiveEvent
from airpocket.ingest.log.records import Record
from airpocket.ingest.venue import Decode
from airpocket.market.pulse import Pulse

MISDATED = "an event stamped more than a day from when it was heard"
CLOCK_SET = "clock set"  # what a marker of a stepped clock is about
_HEARD = ("text", "binary", "rest")
_EXAMPLES = 20
_ENCODER = msgspec.json.Encoder(enc_hook=plain)


class Taker(Protocol):
    """What takes events in order, and is told when a connection ends."""

    def apply(self, event: LiveEvent, connection: str) -> None: ...

    def ended(self, venue: str, connection: str) -> None: ...


class Intake:
    """Decodes records in log order and hands the events on. Nothing a frame holds can stop it.

    `refused` counts frames per (venue, reason); `examples` keeps the newest of them. `journal` is the hash
    of all events so far, where asked for: equal hashes mean that a replay saw what live saw.
    """

    def __init__(
        self, decoders: Mapping[str, Decode], taker: Taker, pulse: Pulse, *, journal: bool = False
    ) -> None:
        self._decoders, self._taker, self.pulse = decoders, taker, pulse
        self._hash = hashlib.blake2b(digest_size=16) if journal else None
        self.records = self.events = 0
        self.refused: Counter[tuple[str, str]] = Counter()
        self.frames: Counter[str] = Counter()
        self.examples: deque[tuple[str, str, bytes]] = deque(maxlen=_EXAMPLES)
        self.latest = 0  # heard, ns

    @property
    def journal(self) -> str:
        """The hash so far; '' when it was not asked for."""
        return "" if self._hash is None else self._hash.hexdigest()

    def take_all(self, records: Iterable[Record]) -> None:
        """Take records in their order."""
        for record in records:
            self.take(record)

    def take(self, record: Record) -> list[LiveEvent]:
        """The events of one record, after they were applied."""
        self.records += 1
        self.latest = max(self.latest, record.heard)
        if record.kind not in _HEARD:
            self._connection(record)
            return []
        decode = self._decoders.get(record.venue)
        if decode is None:
            self.refused[record.venue, "no decoder of this venue"] += 1
            return []
        self.frames[record.venue] += 1
        address = record.about if record.kind == "rest" else ""
        try:
            events = decode(record.body, record.heard, address)
        except UndecodableFrame as error:
            self.refused[record.venue, str(error)[:120]] += 1
            self.examples.append((record.venue, str(error), record.body[:400]))
            return []
        at, polled = record.monotonic or record.heard, record.kind == "rest"
        for event in events:
            if abs(record.heard - event.ts) > DAY_NS:
                self.refused[record.venue, MISDATED] += 1
                continue
            self.pulse.heard(event, at, polled=polled)
            self._taker.apply(event, record.connection)
            if self._hash is not None:
                self._hash.update(_ENCODER.encode(event))
        self.events += len(events)
        return events

    def _connection(self, record: Record) -> None:
        route = record.connection.rpartition("#")[0]
        if record.kind == "connect":
            self.pulse.opened(record.venue, route, record.monotonic or record.heard)
        elif record.kind == "disconnect":
            self.pulse.closed(record.venue, route, record.about)
            self._taker.ended(record.venue, record.connection)
        elif (
            record.kind == "marker" and record.about != CLOCK_SET
        ):  # a crash came before: nothing that was open still is
            self.pulse.all_closed("the recorder was restarted")
