"""When no connection of a route was open, derived from the log's own records of connections and starts."""

from collections.abc import Iterable
from dataclasses import dataclass

from airpocket.domain.units import TimeNs
from airpocket.ingest.log.records import Record

_BROKE_OFF = "the recorder ended without a word"


@dataclass(frozen=True, slots=True)
class Gap:
    """A route on which nothing could be heard, from `since` to `until` (UTC ns); None: to the log's end.

    `since` is when the route was last known to be up: for a recorder that was killed, the last record it
    wrote.
    """

    venue: str
    route: str
    since: TimeNs
    until: TimeNs | None
    cause: str


class Gaps:
    """Follows a log record by record; keeps the open connections and the gaps found, nothing else."""

    def __init__(self) -> None:
        self.found: list[Gap] = []
        self._open: dict[tuple[str, str], set[str]] = {}
        self._dark: dict[tuple[str, str], tuple[TimeNs, str]] = {}
        self._heard = TimeNs(0)

    def take(self, record: Record) -> None:
        """The next record of the log, in its order."""
        key = (record.venue, record.connection.rpartition("#")[0])
        if record.kind == "connect":
            self._opened(key, record)
        elif record.kind == "disconnect":
            self._closed(key, record.connection, record.heard, record.about)
        elif record.kind == "marker" and not record.about:
            # a start: whatever was open before it is so no longer; other markers say what they are about
            for each, connections in list(self._open.items()):
                for connection in list(connections):
                    self._closed(each, connection, self._heard, _BROKE_OFF)
        self._heard = TimeNs(max(self._heard, record.heard))

    def all(self) -> list[Gap]:
        """Every gap in the order it began; those not yet over come with `until` None."""
        lasting = [Gap(*key, since, None, why) for key, (since, why) in self._dark.items()]
        return sorted([*self.found, *lasting], key=lambda gap: (gap.since, gap.venue, gap.route))

    def _opened(self, key: tuple[str, str], record: Record) -> None:
        self._open.setdefault(key, set()).add(record.connection)
        if key in self._dark:
            since, why = self._dark.pop(key)
            self.found.append(Gap(*key, since, record.heard, why))

    def _closed(self, key: tuple[str, str], connection: str, at: TimeNs, why: str) -> None:
        connections = self._open.get(key, set())
        connections.discard(connection)
        if not connections and self._open.pop(key, None) is not None:
            self._dark[key] = (at, why)


def gaps_in(records: Iterable[Record]) -> list[Gap]:
    """Every gap of every route in a log, from its records alone."""
    gaps = Gaps()
    for record in records:
        gaps.take(record)
    return gaps.all()
