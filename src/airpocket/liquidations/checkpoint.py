"""One contract's cohorts as a checkpoint: named by all that made them, taken up where the same rows begin again."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from airpocket.domain.checkpoints import Arrays, Checkpoints, Mark
from airpocket.domain.events import IntArray
from airpocket.liquidations.cells import FIRST, LAST, Cohorts
from airpocket.liquidations.feed import Feed, Rows
from airpocket.liquidations.settings import MapSettings

WORTH = 100  # steps; to go through fewer again costs less than a checkpoint


class Trail:
    """All that cohorts were made from: constants by `key`, then each step they took. The code is not in it."""

    def __init__(self, key: str) -> None:
        self.key, self.rows = key, 0
        self._digest = sha256()

    def follow(self, rows: Rows) -> None:
        """The steps that were taken next."""
        self._follow(_lines(rows))

    def _follow(self, lines: IntArray) -> None:
        self._digest.update(lines.tobytes())
        self.rows += len(lines)

    @property
    def mark(self) -> Mark:
        return Mark(self.key, self.rows, self._digest.hexdigest())

    def marks(self, rows: Rows, counts: Sequence[int]) -> list[Mark]:
        """The marks after so many of `rows`, each count in reach, longest first."""
        lines, ahead = _lines(rows), Trail(self.key)
        found: list[Mark] = []
        for count in sorted(count for count in counts if 0 < count <= len(lines)):
            ahead._follow(lines[ahead.rows : count])
            found.append(ahead.mark)
        return found[::-1]


def trail_of(feed: Feed, s: MapSettings) -> Trail:
    """The trail of a contract before its first step."""
    made_by = (feed.key, feed.path.simulated, feed.terms, s)
    return Trail(sha256(repr(made_by).encode()).hexdigest())


def _lines(rows: Rows) -> IntArray:
    """(n, 3 + facts) the steps bit for bit, a line each."""
    facts = np.ascontiguousarray(rows.facts.T).view(np.int64)
    return np.column_stack([rows.end, rows.points, rows.measured, facts]).astype(np.int64)


def newest(
    trail: Trail, rows: Rows, fresh: Sequence[Cohorts], checkpoints: Checkpoints
) -> tuple[int, list[Cohorts]]:
    """How many of `rows` the longest checkpoint that began like them has taken, and its worlds; else 0, `fresh`."""
    for mark in trail.marks(rows, list(checkpoints.counts(trail.key))):
        arrays = checkpoints.load(mark)
        worlds = None if arrays is None else worlds_of(arrays, fresh)
        if worlds is not None:
            return mark.rows, worlds
    return 0, list(fresh)


def arrays_of(worlds: Sequence[Cohorts]) -> Arrays:
    """Every array of every world, by the number of the world and the name of the array."""
    return {
        f"{number}.{name}": array
        for number, world in enumerate(worlds)
        for name, array in world._asdict().items()
    }


def worlds_of(arrays: Arrays, fresh: Sequence[Cohorts]) -> list[Cohorts] | None:
    """The worlds again; None where they can't be what `fresh` ones, with no grid yet, have become."""
    if arrays.keys() != arrays_of(fresh).keys():
        return None
    worlds = [
        Cohorts._make(arrays[f"{number}.{name}"] for name in Cohorts._fields)
        for number in range(len(fresh))
    ]
    sound = all(_fits(world, empty) for world, empty in zip(worlds, fresh, strict=True))
    return worlds if sound else None


def _fits(world: Cohorts, empty: Cohorts) -> bool:
    """Whether the step stays within these arrays: its kernel does not look."""
    for found, made in zip(world, empty, strict=True):
        if found.dtype != made.dtype or found.ndim != made.ndim:
            return False
        if any(long not in (size, 0) for long, size in zip(made.shape, found.shape, strict=True)):
            return False
    size = world.cells.shape[2]
    if world.ring.shape[0] != len(world.stamps) or world.ring.shape[2] != size:
        return False
    first, last = (np.append(world.live[:, slot], world.span[:, :, slot]) for slot in (FIRST, LAST))
    placed = (first >= 0).all() and (last >= -1).all() and (last < size).all()
    return bool(placed) and bool((world.counts >= 0).all())
