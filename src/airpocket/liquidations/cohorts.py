"""One contract's cohorts through time: caught up bar by bar, and read as a ladder in coin."""

from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import NamedTuple

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.liquidations.feed import Feed, Rows, rows_of
from airpocket.liquidations.flow import (
    FIRST,
    HIGH,
    IMPOSSIBLE,
    LAST,
    LOW,
    PARITY,
    SNAPSHOTS,
    Cohorts,
    Rules,
    advance,
)
from airpocket.liquidations.grid import shifts
from airpocket.liquidations.settings import Churn, MapSettings

_SLACK = 64  # rows added when the grid grows, so that it seldom does
_THREADS = 2
_EDGE = 4  # rows kept free at both ends, for ageing


class Units(NamedTuple):
    """Coin held by bucket and class as if each class took all openings.

    first: bucket of row 0; coin: (B, K), rows by rising bucket; prior: (B,) under the prior's mix.
    """

    first: int
    coin: FloatArray
    prior: FloatArray


def rules_of(world: Churn, s: MapSettings) -> Rules:
    """The step's constants in one world."""
    return Rules(
        np.array([s.shorts_mix, s.longs_mix]),
        shifts(s.leverage, world.maintenance, s.width),
        np.array(s.ageing),
        s.width,
        world.sticky,
    )


def empty(classes: int, hours: int) -> Cohorts:
    """Nothing held; the grid is made by the first `fitted`."""
    return Cohorts(
        cells=np.zeros((2, 2, 0, classes + 1)),
        base=np.zeros(2, np.int64),
        live=np.array([[1 << 40, -1], [1 << 40, -1]], dtype=np.int64),
        held=np.zeros(2),
        scale=np.ones(2),
        memory=np.zeros(2),
        counts=np.zeros(6, np.int64),
        ring=np.zeros((hours, 2, 0)),
        stamps=np.zeros(hours, np.int64),
    )


def fitted(cohorts: Cohorts, rules: Rules, rows: Rows) -> Cohorts:
    """The same cohorts on a grid that holds wherever these bars can put mass; amounts do not change."""
    low = int(np.floor(np.log(rows.facts[LOW].min()) / rules.width))
    high = int(np.floor(np.log(rows.facts[HIGH].max()) / rules.width))
    nearest = np.array([low, -1 - high]) - _EDGE
    reach = np.ceil(rules.shift.max(axis=1)).astype(np.int64)
    farthest = np.array([high, -1 - low]) + reach + _EDGE
    size = cohorts.cells.shape[2]
    if size and (nearest >= cohorts.base).all() and (farthest < cohorts.base + size).all():
        return cohorts
    first = nearest - _SLACK
    last = farthest + _SLACK
    if size:
        first = np.minimum(first, cohorts.base)
        last = np.maximum(last, cohorts.base + size - 1)
    return _moved(cohorts, first, int((last - first).max()) + 1)


def _moved(cohorts: Cohorts, first: IntArray, size: int) -> Cohorts:
    hours, classes, before = len(cohorts.stamps), cohorts.cells.shape[3], cohorts.cells.shape[2]
    cells = np.zeros((2, 2, size, classes))
    ring = np.zeros((hours, 2, size))
    live = cohorts.live.copy()
    for side in range(2):
        by = int(cohorts.base[side] - first[side]) if before else 0
        cells[:, side, by : by + before] = cohorts.cells[:, side]
        ring[:, side, by : by + before] = cohorts.ring[:, side]
        live[side, FIRST] += by
        if live[side, LAST] >= 0:
            live[side, LAST] += by
    return cohorts._replace(cells=cells, ring=ring, live=live, base=np.array(first, dtype=np.int64))


def units(cohorts: Cohorts, side: int, reach: int) -> Units:
    """What one side holds beyond bucket `reach` (counted outward), by rising bucket."""
    first, last = cohorts.live[side]
    cells = cohorts.cells[cohorts.counts[PARITY], side, first : last + 1] * cohorts.scale[side]
    bucket: IntArray = np.arange(first, last + 1, dtype=np.int64) + int(cohorts.base[side])
    cells[bucket <= reach] = 0.0
    if side == 0 or len(cells) == 0:
        return Units(int(first + cohorts.base[side]), cells[:, :-1], cells[:, -1])
    return Units(int(-1 - bucket[-1]), cells[::-1, :-1], cells[::-1, -1])


def _advanced(cohorts: Cohorts, rules: Rules, rows: Rows) -> Cohorts:
    moved = fitted(cohorts, rules, rows)
    flow = np.empty((len(rows.end), 2))
    advance(moved, rules, rows.end, rows.points, rows.measured, rows.facts, flow)
    return moved


class VenueCohorts:
    """Owner of one contract's cohorts in every world of the prior; changed by `catch_up` alone."""

    def __init__(self, settings: MapSettings) -> None:
        self._settings = settings
        self._rules = [rules_of(world, settings) for world in settings.worlds]
        self._restart()

    def _restart(self) -> None:
        classes = len(self._settings.leverage)
        hours = 24 * self._settings.heat_days
        self.worlds = [empty(classes, 0 if at else hours) for at in range(len(self._rules))]
        self.bars = 0
        self._until = 0
        self._taken: tuple[str, int, IntArray, FloatArray] | None = None

    def catch_up(self, feed: Feed) -> None:
        """Take the bars settled since the last call; from the start when the past reads differently now.

        Catching up in many calls or in one gives the same bits.
        """
        if self._taken is not None and not self._continues(feed):
            self._restart()
        rows = rows_of(feed, self._until, self._settings.turnover_day)
        if len(rows.end):
            # the worlds don't touch one another and the kernel lets go of the interpreter
            with ThreadPoolExecutor(_THREADS) as threads:
                self.worlds = list(threads.map(_advanced, self.worlds, self._rules, repeat(rows)))
            self.bars += len(rows.end)
            self._until = int(rows.end[-1])
        self._taken = (feed.path.key, *self._past(feed))

    def _past(self, feed: Feed) -> tuple[int, IntArray, FloatArray]:
        count = int(np.searchsorted(feed.known_at, self._until, side="right"))
        return feed.start, feed.known_at[:count], feed.coin[:count]

    def _continues(self, feed: Feed) -> bool:
        assert self._taken is not None
        path, start, known_at, coin = self._taken
        now_start, now_known_at, now_coin = self._past(feed)
        return (
            (path, start) == (feed.path.key, now_start)
            and np.array_equal(known_at, now_known_at)
            and np.array_equal(coin, now_coin)
        )

    @property
    def impossible(self) -> int:
        """How often open interest changed by more than the venue's own volume since its last change."""
        return int(self.worlds[0].counts[IMPOSSIBLE])

    def hours(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Last whole hours: stamps (T,) ns, base (2,) bucket outward of row 0, coin (T, 2, B)."""
        cohorts = self.worlds[0]
        count, size = int(cohorts.counts[SNAPSHOTS]), len(cohorts.stamps)
        order = np.arange(max(0, count - size), count) % size if size else np.arange(0)
        return cohorts.stamps[order], cohorts.base, cohorts.ring[order]
