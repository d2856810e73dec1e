"""Records into events into state: the one way in, live and in replay."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from airpocket.domain.channels import ChannelName
from airpocket.domain.depth import plain
from airpocket.domain.errors import UndecodableFrame, UnknownMessage
from airpocket.domain.units import DAY_NS, SECOND_NS
from airpocket.domain.wire import LiveEvent
from airpocket.ingest.log.records import Record
from airpocket.ingest.origin import told_by
from airpocket.ingest.venue import Decode, SizedDecode
from airpocket.live.counted import Counted
from airpocket.live.drift import Drift
from airpocket.live.listed import Listed
from airpocket.live.refusals import Refusals
from airpocket.market.live.reference import Change
from airpocket.market.pulse import Pulse

MISDATED = "an event stamped more than a day from when it was heard"
LOST = "messages that never came, by the venue's own count"
CLOCK_SET = "clock set"  # what a marker of a stepped clock is about
SLEPT = "slept"  # of a machine that slept
MEASURED = "clock measured"  # and of a venue's clock against ours
_HEARD = ("text", "binary", "rest")
_MISSED: tuple[ChannelName, ...] = ("trades", "book")  # what a silence may have kept from us
_LOOK_EVERY = 64  # frames of a venue
_ENCODER = msgspec.json.Encoder(enc_hook=plain)


class _Slept(msgspec.Struct):
    for_s: float


class _Measured(msgspec.Struct):
    venue: str
    base_ns: int  # the venue's time of the day less our steady clock's


class Taker(Protocol):
    """What takes events in order, and is told when a recording begins, a connection ends or a message was lost."""

    def restarted(self) -> None: ...

    def apply(self, event: LiveEvent, connection: str) -> None: ...

    def ended(self, venue: str, connection: str) -> None: ...

    def refused(
        self, venue: str, connection: str, channel: ChannelName | None, frame: bytes, at: int
    ) -> None: ...

    def unheard(self, venue: str, symbol: str, channel: ChannelName, at: int) -> None: ...

    def changed(self, change: Change) -> None: ...

    def suspicions(self, now: int) -> Mapping[tuple[str, str, str], str]: ...


class Intake:
    """Decodes records in log order and hands the events on. Nothing a frame holds can stop it.

    `refusals` counts what was not understood. `journal` is the hash of all events so far, where asked for:
    equal hashes mean that a replay saw what live saw.
    """

    def __init__(
        self,
        decoders: Mapping[str, Decode],
        taker: Taker,
        pulse: Pulse,
        *,
        sized: Mapping[str, SizedDecode] | None = None,
        journal: bool = False,
    ) -> None:
        """Args: sized: makers of decoders by venue, where sizes on the wire are contracts."""
        self._taker, self.pulse = taker, pulse
        self.listed = Listed(decoders, sized or {}, pulse, taker)
        self._asked = 0  # when the markets were last looked over for contradictions
        self._hash = hashlib.blake2b(digest_size=16) if journal else None
        self.records = self.events = 0
        self.refusals, self.drift = Refusals(), Drift()
        self._counted = Counted()
        self._open: dict[tuple[str, str], None] = {}  # venue, connection
        self.frames: Counter[str] = Counter()
        self.latest = 0  # heard, ns
        self.simulated = ""  # the label of the market heard, where it is invented

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
        if not 0 <= record.heard - self._asked < SECOND_NS:  # the clock may have been set back
            self._look_over(record)
        decode = self.listed.decoders.get(record.venue)
        if decode is None:
            self.refused[record.venue, "no decoder of this venue"] += 1
            return []
        self.frames[record.venue] += 1
        if not self.frames[record.venue] % _LOOK_EVERY:
            self.drift.look(record)
        address = record.about if record.kind == "rest" else ""
        if record.kind != "rest" and (lost := self._counted.lost(record)):
            self.refused[record.venue, LOST] += lost
            # of whom, nobody knows
            self._taker.refused(record.venue, record.connection, None, b"", record.heard)
        try:
            events = decode(record.body, record.heard, address)
        except UndecodableFrame as error:
            self._refuse(record, error)
            return []
        moment, polled = record.monotonic or record.heard, record.kind == "rest"
        kept: list[LiveEvent] = []
        for said in events:
            if abs(record.heard - said.ts) > DAY_NS:
                self.refused[record.venue, MISDATED] += 1
                continue
            event = self.listed.take(said, record.connection)
            kept.append(event)
            self.pulse.heard(event, moment, polled=polled)
            self._taker.apply(event, record.connection)
            if self._hash is not None:
                self._hash.update(_ENCODER.encode(event))
        self.events += len(kept)
        return kept

    def _look_over(self, record: Record) -> None:
        """Once a second: what the markets contradict, and whose trades or book have stopped coming."""
        self._asked = record.heard
        self.pulse.suspect(self._taker.suspicions(record.heard))
        for channel in _MISSED:
            for venue, symbol in self.pulse.stopped(channel, record.monotonic or record.heard):
                self._taker.unheard(venue, symbol, channel, record.heard)

    def _refuse(self, record: Record, error: UndecodableFrame) -> None:
        """What a frame told is missing from what it belonged to; a kind of message new to us belongs to nothing."""
        channel = self.refusals.refuse(record, error)
        if not isinstance(error, UnknownMessage):
            self._taker.refused(record.venue, record.connection, channel, record.body, record.heard)
        if record.kind == "rest":
            self.pulse.unreadable(record.venue, route_of(record), str(error)[:120])

    def _connection(self, record: Record) -> None:
        route = route_of(record)
        if record.kind == "connect":
            self.pulse.opened(record.venue, route, record.monotonic or record.heard)
            self._open[record.venue, record.connection] = None
        elif record.kind == "disconnect":
            self.pulse.closed(record.venue, route, record.about)
            self._open.pop((record.venue, record.connection), None)
            self._ended(record.venue, record.connection)
        elif record.kind == "marker" and record.about == SLEPT:
            said = msgspec.json.decode(record.body, type=_Slept)
            self.pulse.slept(round(said.for_s * SECOND_NS))
        elif record.kind == "marker" and record.about == MEASURED:
            measured = msgspec.json.decode(record.body, type=_Measured)
            self.pulse.clock_is(measured.venue, measured.base_ns)
        elif record.kind == "marker" and record.about != CLOCK_SET:
            # a recording begins: nothing that was open still is
            self.simulated = self.simulated or told_by(record)
            self.pulse.restarted()
            self._asked = 0
            for venue, connection in self._open:  # ended without a word, when the recorder did
                self._ended(venue, connection)
            self._open.clear()
            self.listed.forget()
            self._taker.restarted()

    def _ended(self, venue: str, connection: str) -> None:
        self._counted.ended(venue, connection)
        self._taker.ended(venue, connection)


def route_of(record: Record) -> str:
    """The route whose connection a record came by."""
    return record.connection.rpartition("#")[0]
