"""What the web process has been told last: documents, the heatmap, the tape, and how the other processes are."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw, Struct

from airpocket.brief.model import ChannelHealth
from airpocket.delivery.serve.models import (
    DocumentState,
    FeedState,
    ForcedPrint,
    ReplayState,
    RunningBar,
    Tape,
    TapePrice,
)
from airpocket.domain.units import format_time

_FORCED_S = 3_600.0
_MOST_FORCED = 2_000
_MOST_BARS = 120


class Heard(Struct, frozen=True, kw_only=True):
    """What the player says of itself: often, and when it was moved. heeded: the last control that it followed."""

    label: str = ""
    heeded: int = 0
    replay: ReplayState | None = None
    feeds: list[FeedState] = []
    alarms: list[str] = []


class Doubts(Struct, frozen=True, kw_only=True):
    """What the analysis says of its data."""

    channels: list[ChannelHealth] = []
    missing: list[str] = []


@dataclass(frozen=True, slots=True)
class Document:
    """One answer as bytes, and which edition of it this is."""

    body: bytes
    state: DocumentState


@dataclass
class TapeSoFar:
    """The tape with every delta applied: what a snapshot tells."""

    at: str = ""
    reference: str = ""
    prices: dict[str, TapePrice] = field(default_factory=dict[str, TapePrice])
    bar: RunningBar | None = None
    closed: deque[RunningBar] = field(default_factory=lambda: deque[RunningBar](maxlen=_MOST_BARS))
    forced: deque[ForcedPrint] = field(
        default_factory=lambda: deque[ForcedPrint](maxlen=_MOST_FORCED)
    )
    cvd: dict[str, float] = field(default_factory=dict[str, float])
    speed: float = 1.0

    def apply(self, delta: Tape) -> None:
        """Take one more message of the player."""
        self.at, self.reference, self.speed = delta.at, delta.reference, delta.speed
        self.prices.update({price.contract: price for price in delta.prices})
        self.bar = delta.bar
        self.closed.extend(delta.closed)
        self.forced.extend(delta.forced)
        self.cvd.update(delta.cvd)
        newest = self.forced[-1].time_s if self.forced else 0.0
        while self.forced and newest - self.forced[0].time_s > _FORCED_S:
            self.forced.popleft()

    def told(self) -> bytes:
        """As one message."""
        return msgspec.json.encode(
            Tape(
                at=self.at,
                reference=self.reference,
                prices=list(self.prices.values()),
                bar=self.bar,
                closed=list(self.closed),
                forced=list(self.forced),
                cvd=self.cvd,
                speed=self.speed,
            )
        )


@dataclass
class Board:
    """Owner of the last word of every process. `edition`: how many editions of the analysis have come."""

    documents: dict[str, Document] = field(default_factory=dict[str, Document])
    head: bytes = b""
    as_of: int = 0
    edition: int = 0
    heat: bytes = b""
    doubts: Doubts = field(default_factory=Doubts)
    heard: Heard = field(default_factory=Heard)
    tape: TapeSoFar = field(default_factory=TapeSoFar)
    tape_at: int = 0

    def take_document(self, name: str, body: bytes, as_of: int, made_at: int) -> None:
        """A new edition of one answer."""
        state = DocumentState(
            sequence=self.edition + 1, as_of=format_time(as_of), made_at=format_time(made_at)
        )
        self.documents[name] = Document(body, state)

    def take_edition(self, head: bytes, as_of: int) -> None:
        """All documents of an edition are here."""
        self.head, self.as_of, self.edition = head, as_of, self.edition + 1

    def states(self) -> Mapping[str, DocumentState]:
        """Which editions are served."""
        return {name: document.state for name, document in self.documents.items()}

    def told_state(self) -> bytes:
        """The `state` topic now; b'' before the first edition."""
        if not self.head:
            return b""
        whole: dict[str, Raw] = msgspec.json.decode(self.head, type=dict[str, Raw])
        more = {"label": self.heard.label, "documents": self.states()}
        return msgspec.json.encode(
            whole | {k: Raw(msgspec.json.encode(v)) for k, v in more.items()}
        )

    @property
    def moment(self) -> int:
        """The moment of the market that is shown, ns; 0: nothing is."""
        return self.tape_at or self.as_of

    def begin_anew(self, at: int) -> None:
        """The market is shown from `at` (ns) on: what was heard goes, and so do answers of a later moment."""
        self.tape, self.tape_at = TapeSoFar(), at
        if self.as_of > at:
            self.documents, self.head, self.heat, self.as_of = {}, b"", b"", 0
