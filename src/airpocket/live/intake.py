"""Records into events into state: the one way in, live and in replay."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from airpocket.domain.channels import ChannelName
from airpocket.domain.errors import UndecodableFrame, UnknownMessage
from airpocket.domain.wire import LiveEvent
from airpocket.ingest.log.records import Record
from airpocket.ingest.venue import Decode
from airpocket.live.drift import Drift
from airpocket.live.refusals import Refusals
from airpocket.market.pulse import Pulse

_HEARD = ("text", "binary", "rest")
_LOOK_EVERY = 64  # frames of a venue
_ENCODER = msgspec.json.Encoder()


class Taker(Protocol):
    """What takes events in order, and is told when a connection ends or a message of it was lost."""

    def apply(self, event: LiveEvent, connection: str) -> None: ...

    def ended(self, venue: str, connection: str) -> None: ...

    def refused(
        self, venue: str, connection: str, channel: ChannelName | None, frame: bytes
    ) -> None: ...


class Intake:
    """Decodes records in log order and hands the events on. Nothing a frame holds can stop it.

    `refusals` counts what was not understood. `journal` is the hash of all events so far, where asked for:
    equal hashes mean that a replay saw what live saw.
    """

    def __init__(
        self, decoders: Mapping[str, Decode], taker: Taker, pulse: Pulse, *, journal: bool = False
    ) -> None:
        self._decoders, self._taker, self.pulse = decoders, taker, pulse
        self._hash = hashlib.blake2b(digest_size=16) if journal else None
        self.records = self.events = 0
        self.refusals, self.drift = Refusals(), Drift()
        self.frames: Counter[str] = Counter()
        self.latest = 0  # heard, ns

    @property
    def refused(self) -> Counter[tuple[str, str]]:
        """Frames that were not understood, by venue and reason."""
        return self.refusals.counts

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
        if not self.frames[record.venue] % _LOOK_EVERY:
            self.drift.look(record)
        address = record.about if record.kind == "rest" else ""
        try:
            events = decode(record.body, record.heard, address)
        except UndecodableFrame as error:
            channel = self.refusals.refuse(record, error)
            if not isinstance(error, UnknownMessage):
                self._taker.refused(record.venue, record.connection, channel, record.body)
            return []
        for event in events:
            self.pulse.heard(event)
            self._taker.apply(event, record.connection)
            if self._hash is not None:
                self._hash.update(_ENCODER.encode(event))
        self.events += len(events)
        return events

    def _connection(self, record: Record) -> None:
        route = record.connection.rpartition("#")[0]
        if record.kind == "connect":
            self.pulse.opened(record.venue, route, record.heard)
        elif record.kind == "disconnect":
            self.pulse.closed(record.venue, route, record.about)
            self._taker.ended(record.venue, record.connection)
        elif record.kind == "marker":  # a crash came before: nothing that was open still is
            self.pulse.all_closed("the recorder was restarted")
