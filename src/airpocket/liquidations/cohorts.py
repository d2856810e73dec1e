"""One contract's cohorts through time: caught up bar by bar, and read as a ladder in coin."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import NamedTuple

import numpy as np

from airpocket.domain.checkpoints import Checkpoints, NothingKept
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import DAY_NS
from airpocket.liquidations.ageing import laid_out, weigh
from airpocket.liquidations.cells import (
    FIRST,
    HEARD,
    HIGH,
    HOUR,
    IMPOSSIBLE,
    LAST,
    LOW,
    NOWHERE,
    SNAPSHOTS,
    Cohorts,
    Rules,
)
from airpocket.liquidations.checkpoint import WORTH, Trail, arrays_of, newest, trail_of
from airpocket.liquidations.feed import Feed, Rows, rows_of
from airpocket.liquidations.flow import advance
from airpocket.liquidations.learn import typical_print, weights_of
from airpocket.liquidations.settings import SPELL_H, Habits, MapSettings
from airpocket.liquidations.stops import MOMENTS

_SLACK = 64  # rows added when the grid grows, so that it seldom does
_THREADS = 2
_EDGE = 4  # rows kept free at both ends, for ageing
DUST = 1e-6  # coin; less than that is nobody's position
_MEMORIES = 3  # how many memories of hours are kept on file


class Units(NamedTuple):
    """One side's coin by bucket of liquidation, in one way the world may be.

    first: bucket of row 0; coin: (B, K) by rising bucket and class, under the mix. never: coin that no
    price forces out. mix: (K + 1,), caught: (K,) prints behind it.
    """

    first: int
    coin: FloatArray
    never: float


def rules_of(world: Habits, shifts: FloatArray, rate: float, s: MapSettings) -> Rules:
    """The step's constants in one world; shifts: (2, K), NaN where the venue grants no such leverage."""
    granted = np.isfinite(shifts)
    prior = np.stack([mix_of(world, mix, s) for mix in (s.shorts_mix, s.longs_mix)])
    prior[:, 1:][~granted] = 0.0
    prior /= prior.sum(axis=1, keepdims=True)
    shift = np.where(granted, shifts, 1.0)
    part = 1.0 / np.array(s.leverage)
    margin = np.maximum(np.stack([np.log1p(part), -np.log1p(-part)]) / s.width, shift)
    trigger, before = _stops(shift, margin, s)
    pace = np.array([world.calm, *((x / 10.0) ** world.haste for x in s.leverage)])
    return Rules(
        prior=prior,
        shift=shift,
        trigger=trigger,
        margin=margin,
        before=before,
        pace=pace,
        ageing=np.array(s.ageing),
        width=s.width,
        sticky=world.sticky,
        gain=world.gain,
        taken=s.winning,
        loss=world.loss,
        lost=s.losing,
        top_up=1.0 - (1.0 - world.top_up) ** SPELL_H,
        rate=rate,
        strength=s.strength,
        likeness=s.likeness,
        shape=s.shape,
        fade=float(np.exp(-1.0 / (24.0 * s.memory_days))),
        stops=np.array([s.low.stops, s.high.stops]),
        slopes=np.array(s.slopes),
        stops_at=(world.stops - s.low.stops) / max(s.high.stops - s.low.stops, 1e-9),
        trust=s.trust,
    )


def mix_of(world: Habits, mix: Sequence[float], s: MapSettings) -> FloatArray:
    """(K + 1,) a prior mix with the share far from price that it has in a world, each part in its proportions."""
    whole = np.array(mix)
    far = np.append(True, np.array(s.leverage) <= s.far_leverage)
    off = whole[far].sum()
    near = (1.0 - world.far) / (1.0 - off) if off < 1.0 else 0.0
    return whole * np.where(far, world.far / off, near)


def _stops(shift: FloatArray, margin: FloatArray, s: MapSettings) -> tuple[FloatArray, FloatArray]:
    """(2, K, L) buckets to the trigger of each layer, liquidation first, then stops, spread evenly over the
    losses at which they are set and that liquidation leaves; (2, K) share of stops that it leaves."""
    low, high = s.stop_range
    farthest = np.minimum(shift / margin, high)
    set_before = np.maximum(farthest - low, 0.0)
    middles = (np.arange(s.stop_layers) + 0.5) / s.stop_layers
    at = (low + set_before[:, :, None] * middles) * margin[:, :, None]
    trigger = np.concatenate([shift[:, :, None], np.minimum(at, shift[:, :, None])], axis=2)
    return trigger, set_before / (high - low)


def empty(rules: Rules, hours: int, filed: int) -> Cohorts:
    """Nothing held; the grid is made by the first `fitted`. hours: snapshots kept; filed: hours of prints."""
    classes, columns = rules.shift.shape[1], rules.trigger[0].size
    made = Cohorts(
        cells=np.zeros((2, columns, 0)),
        base=np.zeros(2, np.int64),
        live=np.array([NOWHERE, NOWHERE], dtype=np.int64),
        span=np.full((2, columns, 2), NOWHERE, dtype=np.int64),
        held=np.zeros((2, columns)),
        scale=np.ones((2, columns)),
        never=np.zeros(2),
        mix=np.vstack([rules.prior, rules.prior.mean(axis=0)]),
        memory=np.zeros(7),
        counts=np.zeros(6, np.int64),
        hour=np.zeros((2, classes)),
        told=np.zeros(2),
        flows=np.zeros((filed, 2, classes)),
        tells=np.full((filed, 2), np.nan),
        foreseen=np.zeros((filed, 3)),
        sizes=np.zeros(2),
        caught=np.zeros((2, classes)),
        knee=np.zeros(1),
        weight=np.zeros((2, columns)),
        unstopped=np.ones((2, classes)),
        stops=rules.stops[:1] + rules.stops_at * np.diff(rules.stops),
        exits=np.zeros(2),
        moments=np.zeros(MOMENTS),
        burst=np.zeros(2),
        spread=np.ones(filed),
        score=np.zeros(1),
        ring=np.zeros((hours, 2, 0)),
        stamps=np.zeros(hours, np.int64),
    )
    weigh(made, rules)
    return made


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
    hours, (_, columns, before) = len(cohorts.stamps), cohorts.cells.shape
    cells = np.zeros((2, columns, size))
    ring = np.zeros((hours, 2, size))
    live, span = cohorts.live.copy(), cohorts.span.copy()
    for side in range(2):
        by = int(cohorts.base[side] - first[side]) if before else 0
        cells[side, :, by : by + before] = cohorts.cells[side]
        ring[:, side, by : by + before] = cohorts.ring[:, side]
        live[side] += by * (live[side, LAST] >= 0)
        span[side] += by * (span[side, :, LAST:] >= 0)
    base = np.array(first, dtype=np.int64)
    return cohorts._replace(cells=cells, ring=ring, live=live, span=span, base=base)


def units(cohorts: Cohorts, rules: Rules, side: int, reach: int) -> Units:
    """What one side holds beyond bucket `reach` (counted outward), by rising bucket."""
    base, size = int(cohorts.base[side]), cohorts.cells.shape[2]
    stops = int(np.ceil(rules.shift[side].max())) + 2  # a stop's position is liquidated farther out
    by_class = np.zeros((size + stops, rules.shift.shape[1]))
    first = max(int(cohorts.live[side, FIRST]), reach + 1 - base)
    laid_out(cohorts, rules, side, first, by_class)
    by_class[by_class < DUST] = 0.0  # where a tail ends depends on where the grid does
    never = float(cohorts.mix[side, 0] * cohorts.never[side])
    held = np.flatnonzero(by_class.any(axis=1))
    if len(held) == 0:
        return Units(0, np.zeros((0, by_class.shape[1])), never)
    part = by_class[held[0] : held[-1] + 1]
    if side == 0:
        return Units(base + int(held[0]), part, never)
    return Units(-1 - (base + int(held[-1])), part[::-1], never)


def _advanced(cohorts: Cohorts, rules: Rules, rows: Rows) -> Cohorts:
    moved = fitted(cohorts, rules, rows)
    flow = np.empty((len(rows.end), 2))
    advance(moved, rules, rows.end, rows.points, rows.measured, rows.facts, flow)
    return moved


def _day_before(settled: int) -> int:
    """The last midnight that lies a day or more back."""
    return (settled - DAY_NS) // DAY_NS * DAY_NS


class VenueCohorts:
    """Owner of one contract's cohorts in every world of the prior; changed by `catch_up` alone.

    What it would have to go through from the start it takes from `checkpoints`, as far as they have it.
    """

    def __init__(self, settings: MapSettings, checkpoints: Checkpoints | None = None) -> None:
        self._settings = settings
        self._checkpoints = checkpoints or NothingKept()
        self.rules: list[Rules] = []
        self.worlds: list[Cohorts] = []
        self.bars = self._kept = 0  # steps taken; of them in a checkpoint
        self._until = 0
        self._trail = Trail("")
        self._taken: tuple[tuple[object, ...], int, IntArray, FloatArray] | None = None

    def _restart(self, feed: Feed) -> None:
        s = self._settings
        hours, filed = 24 * s.heat_days, round(24 * s.memory_days * _MEMORIES)
        self.rules = [
            rules_of(world, feed.shifts, s.rate_of(feed.key, world.told, sampled=feed.sampled), s)
            for world in s.worlds
        ]
        self.worlds = [
            empty(rules, 0 if at else hours, filed) for at, rules in enumerate(self.rules)
        ]
        self.bars = self._kept = 0
        self._until = 0
        self._trail = trail_of(feed, s)
        self._take_up(rows_of(feed, 0, s))

    def _take_up(self, rows: Rows) -> None:
        """Go on from the longest checkpoint that went through the first of these very rows."""
        count, self.worlds = newest(self._trail, rows, self.worlds, self._checkpoints)
        if count:
            self._trail.follow(rows.part(0, count))
            self.bars = self._kept = count
            self._until = int(rows.end[count - 1])

    def catch_up(self, feed: Feed) -> None:
        """Take the bars settled since the last call; from the start when the past reads differently now.

        Catching up in many calls or in one gives the same bits.
        """
        if self._taken is None or not self._continues(feed):
            self._restart(feed)
        rows = rows_of(feed, self._until, self._settings)
        # late rows are mostly of the last day: a checkpoint before it outlasts them
        early = int(np.searchsorted(rows.end, _day_before(feed.settled), side="right"))
        for part in (rows.part(0, early), rows.part(early, len(rows.end))):
            if len(part.end):
                self._advance(part)
        self._taken = (feed.terms, *self._past(feed))

    def _advance(self, rows: Rows) -> None:
        # the worlds don't touch one another and the kernel lets go of the interpreter
        with ThreadPoolExecutor(_THREADS) as threads:
            self.worlds = list(threads.map(_advanced, self.worlds, self.rules, repeat(rows)))
        self.bars += len(rows.end)
        self._until = int(rows.end[-1])
        self._trail.follow(rows)
        if self.bars - self._kept >= WORTH:
            self._checkpoints.save(self._trail.mark, arrays_of(self.worlds))
            self._kept = self.bars

    def _past(self, feed: Feed) -> tuple[int, IntArray, FloatArray]:
        count = int(np.searchsorted(feed.known_at, self._until, side="right"))
        return feed.start, feed.known_at[:count], feed.coin[:count]

    def _continues(self, feed: Feed) -> bool:
        assert self._taken is not None
        terms, start, known_at, coin = self._taken
        now_start, now_known_at, now_coin = self._past(feed)
        return (
            (terms, start) == (feed.terms, now_start)
            and np.array_equal(known_at, now_known_at)
            and np.array_equal(coin, now_coin)
        )

    @property
    def weights(self) -> FloatArray:
        """(P,) how far each world is believed, by what prints told; even where there were none."""
        scores = np.array([float(world.score[0]) for world in self.worlds])
        return weights_of(self._settings.temper * scores)

    @property
    def impossible(self) -> int:
        """How often open interest changed by more than the venue's own volume since its last change."""
        return int(self.worlds[0].counts[IMPOSSIBLE])

    @property
    def typical_print(self) -> float:
        """Coin of a typical print; 0 where none was heard."""
        return typical_print(self.worlds[0].sizes)

    @property
    def heard_hours(self) -> int:
        """Hours on file in which somebody listened to the venue's liquidations."""
        tells = self.worlds[0].tells[: int(self.worlds[0].counts[HEARD])]
        return int((tells >= 0.0).all(axis=1).sum())

    def foreseen(self) -> tuple[IntArray, FloatArray]:
        """Hours on file, oldest first: index of the hour since 1970 (T,), forced coin by side (T, 2) that
        the worlds, weighed by what was told before, had coming while price took the path it took."""
        first = self.worlds[0]
        count, size = int(first.counts[HEARD]), len(first.tells)
        order = np.arange(max(0, count - size), count) % size
        each = np.stack([world.foreseen[order] for world in self.worlds])
        before = np.cumsum(each[:, :, 2], axis=1) - each[:, :, 2]
        weight = np.exp(self._settings.temper * (before - before.max(axis=0)))
        weight /= weight.sum(axis=0)
        # the newest on file is the hour before the one that runs
        hour = int(first.counts[HOUR]) - len(order) + np.arange(len(order), dtype=np.int64)
        return hour, (weight[:, :, None] * each[:, :, :2]).sum(axis=0)

    def hours(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Last whole hours: stamps (T,) ns, base (2,) bucket outward of row 0, coin (T, 2, B)."""
        cohorts = self.worlds[0]
        count, size = int(cohorts.counts[SNAPSHOTS]), len(cohorts.stamps)
        order = np.arange(max(0, count - size), count) % size if size else np.arange(0)
        return cohorts.stamps[order], cohorts.base, cohorts.ring[order]
