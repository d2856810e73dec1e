"""A live book held against a snapshot of its venue: levels that no change touched since must be the same."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from airpocket.domain.wire import BookChange, Level
from airpocket.market.books.ladder import Ladder, SideLadder

# Changes kept to tell what was touched since a snapshot was made: it arrives well within a second.
_KEPT = 64
TOLERATED = 0.001  # of the size that was compared


@dataclass(frozen=True, slots=True)
class Finding:
    """`levels` were compared; `share` of their size differs, the largest difference at `price`."""

    levels: int
    share: float
    price: float | None

    @property
    def drifted(self) -> bool:
        return self.share > TOLERATED


class Audit:
    """Of one book with numbered changes. Everything follows from the events, so a replay finds the same.

    A snapshot ends at an id of its own, which is seldom the book's: it waits until the book is that far, and
    then only levels that no later change touched are compared. Beyond what either knows nothing is claimed.
    """

    def __init__(self) -> None:
        self._recent: deque[BookChange] = deque(maxlen=_KEPT)
        self._snapshot: BookChange | None = None
        self.compared = self.skipped = self.drifted = 0
        self.last: Finding | None = None

    def note(self, change: BookChange) -> None:
        """A change that was given to the book."""
        self._recent.append(change)

    def told(self, snapshot: BookChange) -> None:
        """A snapshot came while the book was live."""
        self._snapshot = snapshot

    def lost(self) -> None:
        """The book is not live: there is nothing to hold a snapshot against."""
        self._recent.clear()
        self._snapshot = None

    def judge(self, levels: Ladder) -> Finding | None:
        """What the comparison found, once it can be made; the book must be as far as the last change noted."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.last is None or not self._recent:
            return None
        newest = self._recent[-1].last
        if newest is None or newest < snapshot.last:
            return None  # the book is not that far yet
        self._snapshot = None
        oldest = self._recent[0]
        start = oldest.first if oldest.previous is None else oldest.previous + 1
        if start is None or start > snapshot.last + 1:
            self.skipped += 1
            return None  # what was touched since is not known any more
        later = [each for each in self._recent if (each.last or 0) > snapshot.last]
        bids = _compared(
            levels.bids, snapshot.bids, {p for c in later for p, _ in c.bids}, falling=True
        )
        asks = _compared(
            levels.asks, snapshot.asks, {p for c in later for p, _ in c.asks}, falling=False
        )
        self.last = _finding([*bids, *asks])
        self.compared += 1
        self.drifted += self.last.drifted
        return self.last


def _compared(
    mine: SideLadder, theirs: Sequence[Level], touched: set[float], *, falling: bool
) -> Iterator[tuple[float, float, float]]:
    """(price, size in the book, size in the snapshot) of every level that both must know."""
    told = {price: size for price, size in theirs if size > 0.0}
    if not told:
        return
    ours, known, sign = dict(mine.best_first()), mine.known_to(), -1.0 if falling else 1.0
    reach = sign * (min(told) if falling else max(told))
    if known is not None:
        reach = min(reach, sign * known)
    for price in sorted({*ours, *told} - touched):
        if sign * price <= reach:
            yield price, ours.get(price, 0.0), told.get(price, 0.0)


def _finding(levels: Iterable[tuple[float, float, float]]) -> Finding:
    rows = list(levels)
    total = sum(max(mine, theirs) for _, mine, theirs in rows)
    wrong = [(abs(mine - theirs), price) for price, mine, theirs in rows if mine != theirs]
    share = sum(size for size, _ in wrong) / total if total else 0.0
    return Finding(len(rows), share, max(wrong)[1] if wrong else None)
