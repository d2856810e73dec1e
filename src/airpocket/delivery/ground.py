"""A store's facts as they become known: the state of the analysis is moved on, not built anew."""

from airpocket.delivery.answers import past_of, public_of
from airpocket.delivery.kept import checkpoints_of
from airpocket.domain.events import Batch
from airpocket.domain.units import TimeNs
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import facts_of
from airpocket.pipeline import Assessor


class _Late(Exception):
    """A row became known after younger ones of its series: the state must be built anew."""


class Ground:
    """Owns the state of one asset's analysis. Whatever the way there, the state at a moment is the same."""

    def __init__(self, lake: Lake, asset: str) -> None:
        self._lake, self._asset = lake, asset
        self._assessor = self._anew()
        self._now = 0
        self._known: dict[tuple[str, str, str], tuple[int, int]] = {}  # series → newest ts, rows
        self.rebuilt = 0

    def at(self, now: TimeNs) -> Assessor:
        """The state with all that was known at `now`.

        Raises:
            NothingKnown: the store holds nothing of the asset.
            StoreDamaged: a file of it is not what it should be.
        """
        facts = list(facts_of(self._lake, self._asset, now))
        try:
            fresh = self._fresh(facts) if self._now and now >= self._now else None
        except _Late:
            fresh = None
        anew = fresh is None
        if fresh is None:
            self._assessor, self._known, fresh = self._anew(), {}, facts
            self.rebuilt += 1
        for fact in fresh:
            self._assessor.apply(fact)
        self._note(facts)
        self._assessor.hear(*public_of(self._lake, self._asset, now))
        if anew:
            self._assessor.recall(*past_of(self._lake, self._assessor, now))
        self._now = now
        return self._assessor

    def _anew(self) -> Assessor:
        return Assessor(self._asset, checkpoints=checkpoints_of(self._lake))

    def _fresh(self, facts: list[Batch]) -> list[Batch]:
        """The rows that are younger than those applied before.

        Raises:
            _Late: a series has other rows up to there than were applied.
        """
        found: list[Batch] = []
        older: dict[tuple[str, str, str], int] = dict.fromkeys(self._known, 0)
        for fact in facts:
            key = _series(fact)
            newest = self._known.get(key, (-1, 0))[0]
            ts = fact.ints("ts")
            before = int((ts <= newest).sum())
            if before:
                older[key] += before
            if before < len(ts):
                found.append(fact.slice(before, len(ts)))
        if any(older[key] != rows for key, (_, rows) in self._known.items()):
            raise _Late
        return found

    def _note(self, facts: list[Batch]) -> None:
        self._known = {}
        for fact in facts:
            if len(fact):
                newest, rows = self._known.get(_series(fact), (-1, 0))
                last = int(fact.ints("ts")[-1])
                self._known[_series(fact)] = (max(newest, last), rows + len(fact))


def _series(fact: Batch) -> tuple[str, str, str]:
    """Bars of all intervals are one series."""
    return ("bar" if fact.family == "bar" else fact.kind, fact.venue, fact.symbol)
