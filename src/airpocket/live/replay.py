"""A recorded log through the same decoders into the same state, as it was heard."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from airpocket.domain.errors import NothingKnown
from airpocket.ingest.log import reader
from airpocket.ingest.log.gaps import Gap, Gaps
from airpocket.ingest.log.records import Record
from airpocket.ingest.log.segment import LogDamage
from airpocket.ingest.origin import label_of
from airpocket.live.feeds import decoders, feeds_of, sized_decoders
from airpocket.live.intake import Intake
from airpocket.live.recorder import pulse_of
from airpocket.live.session import States


@dataclass(frozen=True)
class Replayed:
    """What a replay went through. `journal` is the hash of all events in order; times are ns heard.

    `gaps`: when no connection of a route was open, however the recording ended. `simulated`: the label of a
    market that is invented.
    """

    records: int
    frames: int
    events: int
    refused: dict[str, int]  # 'venue: reason' → frames
    first: int
    last: int
    damages: tuple[LogDamage, ...]
    journal: str
    gaps: tuple[Gap, ...] = ()
    simulated: str = ""


class Replay:
    """Drives one intake through a log."""

    def __init__(self, assets: tuple[str, ...]) -> None:
        feeds = feeds_of(assets)
        self.states = States(assets, feeds)
        self.pulse = pulse_of(feeds.values())
        self.intake = Intake(
            decoders(), self.states, self.pulse, sized=sized_decoders(), journal=True
        )
        self._first = 0
        self._damages: list[LogDamage] = []
        self._gaps = Gaps()

    def run(self, folder: Path, *, pace: Callable[[Record], None] | None = None) -> Replayed:
        """Replay a log folder; `pace` is called before each record and may wait.

        Raises:
            NothingKnown: no log lies there.
        """
        if not folder.is_dir():
            raise NothingKnown(f"{folder}: no recorded log lies here; airpocket record makes one")
        self.intake.simulated = label_of(folder)
        for found in reader.read(folder):
            if isinstance(found, LogDamage):
                self._damages.append(found)
                continue
            if pace is not None:
                pace(found)
            self._first = self._first or found.heard
            self._gaps.take(found)
            self.intake.take(found)
        return self.report()

    def feed(self, records: Iterable[Record]) -> None:
        """Replay records from elsewhere."""
        for record in records:
            self._first = self._first or record.heard
            self._gaps.take(record)
            self.intake.take(record)

    def report(self) -> Replayed:
        """What was gone through so far."""
        refused = {f"{venue}: {reason}": n for (venue, reason), n in self.intake.refused.items()}
        return Replayed(
            self.intake.records, sum(self.intake.frames.values()), self.intake.events, refused,
            self._first, self.intake.latest, tuple(self._damages), self.intake.journal,
            tuple(self._gaps.all()), self.intake.simulated,
        )  # fmt: skip
