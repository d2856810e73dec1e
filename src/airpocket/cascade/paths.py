"""Many paths of one push: price moved by noise, a push and those it forces out, step by step, on every core."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpocket.cascade.step import F, State, Terms, U, advance, marked, mixed, noise
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import spans, spread_kernel

Floats32: TypeAlias = NDArray[np.float32]
Words: TypeAlias = NDArray[np.uint32]

LANES = 256  # paths that go together: what they work on stays in a core's first cache
_ZERO, _ONE = F(0.0), F(1.0)
_LEAST_REACH, _NO_LIMIT = 1e-9, 1e6  # no price is as near, none as far; 32 bits divide by both
_MAY_BE_ENDLESS = ("recovery_s", "mark_lag_s", "reach", "fund_usd")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a path runs through, by log-price displacement from the start; B buckets of equal width.

    edges: (B + 1,) rising, from below the price to above it. forced_usd: (M, B + 1) what is forced out between
    the price and each edge, a row a draw of the map; above the price buying, below it selling. usd_per_log: (B,)
    what rests a unit of log-price, in a book at rest.
    """

    edges: FloatArray
    forced_usd: FloatArray
    usd_per_log: FloatArray

    def __post_init__(self) -> None:
        edges, rows = self.edges, np.atleast_2d(self.forced_usd)
        if edges.ndim != 1 or len(edges) < 3 or not edges[0] < 0.0 < edges[-1]:
            raise ValueError(
                "edges must run from below the price to above it, two buckets at least"
            )
        if not np.allclose(np.diff(edges), (edges[-1] - edges[0]) / (len(edges) - 1), rtol=1e-6):
            raise ValueError("buckets must be equally wide")
        if rows.shape[1] != len(edges) or not np.isfinite(rows).all() or (rows < 0.0).any():
            raise ValueError(f"forced_usd must be (M, {len(edges)}), finite and zero or more")
        above, below = rows[:, edges >= 0.0], rows[:, edges <= 0.0]
        if (np.diff(above) < 0.0).any() or (np.diff(below) > 0.0).any():
            raise ValueError("forced_usd must not fall with the distance from the price")
        depth = self.usd_per_log
        if depth.shape != (len(edges) - 1,) or not np.isfinite(depth).all() or (depth <= 0.0).any():
            raise ValueError(
                f"usd_per_log must be {len(edges) - 1} positive numbers: a book without depth"
            )


@dataclass(frozen=True, slots=True)
class Deal:
    """What each of N paths was dealt, arrays (N,).

    volatility: log-price a √second. fuel: times the ladder. stops: share of that fuel whose owners had orders to
    leave: they trade like the rest, but nobody forced them out. booked: share of forced flow that is sent to the
    book, 0 to 1. latency_s, recovery_s: mean wait of a forced order, and the time in which a displacement
    fades to 1/e (inf: never). depth: times the book. lasts: share of an impact that stays, 0 to 1.
    push_usd: signed, spread over the push. jump: log-price at once, signed; it fades as an impact does.
    reach: log-price past the level it was forced out at, up to which a forced order may trade, on average; they
    lie evenly from none to twice that (inf: any price). passed: share of a move that the index makes at once, so
    much of it the mark sees; mark_lag_s: how long the mark takes to see the rest (1 and anything: the mark is
    the price). fund_usd: what an insurance fund takes of one side before winners are deleveraged.
    draw: row of the ground's ladder; paths that go together take the draw of their first.
    """

    volatility: FloatArray
    fuel: FloatArray
    stops: FloatArray
    booked: FloatArray
    latency_s: FloatArray
    recovery_s: FloatArray
    depth: FloatArray
    lasts: FloatArray
    push_usd: FloatArray
    jump: FloatArray
    reach: FloatArray
    passed: FloatArray
    mark_lag_s: FloatArray
    fund_usd: FloatArray
    draw: IntArray

    def __post_init__(self) -> None:
        n = len(self.draw)
        for name in self.__dataclass_fields__:
            array = getattr(self, name)
            signed, endless = name in ("push_usd", "jump"), name in _MAY_BE_ENDLESS
            good = ~np.isnan(array) if endless else np.isfinite(array)
            if array.shape != (n,) or not good.all() or (not signed and (array < 0.0).any()):
                raise ValueError(f"{name} must be {n} numbers, none negative or unknown")
        for name in ("latency_s", "recovery_s", "depth", "mark_lag_s", "reach"):
            if (getattr(self, name) <= 0.0).any():
                raise ValueError(f"{name} must be positive")
        for name in ("stops", "booked", "lasts", "passed"):
            if (getattr(self, name) > 1.0).any():
                raise ValueError(f"{name} is a share: at most 1")


@dataclass(frozen=True, slots=True)
class Course:
    """How paths run. pull: by how much the impact grows a unit of displacement that will fade, most_pull times
    at most: makers who step back. marks: moments at which all paths are kept for a fan, evenly spread. ahead:
    times the depth in each equal part of the course, over that of its start: the hours to come.
    """

    steps: int = 600
    step_s: float = 1.0
    push_s: float = 60.0
    pull: float = 0.0
    most_pull: float = 10.0
    marks: int = 0
    seed: int = 0
    ahead: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.steps < 1 or not 0.0 < self.step_s < np.inf or not 0 <= self.marks <= self.steps:
            raise ValueError(
                "a course needs a step, of positive length, and no more marks than steps"
            )
        if not (self.push_s >= 0.0 and self.pull >= 0.0 and self.most_pull >= 1.0):
            raise ValueError("push_s and pull must not be negative, most_pull not below 1")
        if not 0 <= self.seed < 2**32:
            raise ValueError("seed must be of 32 bits")
        if not all(0.0 < one < np.inf for one in self.ahead):
            raise ValueError("ahead must be positive shares of the depth of now")


class Ends(NamedTuple):
    """How N paths went, arrays (N,): extremes and end as log-price displacements, when (s) the extremes were
    reached, what was forced (USD, book or not; stops left out), what of it the book never took; fan: (marks, N)
    displacements.
    """

    high: Floats32
    low: Floats32
    end: Floats32
    high_s: Floats32
    low_s: Floats32
    bought_usd: Floats32
    sold_usd: Floats32
    missed_bought_usd: Floats32
    missed_sold_usd: Floats32
    fan: Floats32


class Tables(NamedTuple):
    """The ground in 32 bits. ladder, rise: at and from each left edge, draw after draw (M B,). impact: (B,)."""

    ladder: Floats32
    rise: Floats32
    impact: Floats32
    first: np.float32
    per_width: np.float32
    top: np.float32


def tables_of(ground: Ground) -> Tables:
    """The ground in 32 bits."""
    rows = np.atleast_2d(ground.forced_usd).astype(np.float32)
    buckets = len(ground.usd_per_log)
    width = (ground.edges[-1] - ground.edges[0]) / buckets
    return Tables(
        rows[:, :-1].ravel(), np.diff(rows, axis=1).ravel(),
        (1.0 / ground.usd_per_log).astype(np.float32), F(ground.edges[0]), F(1.0 / width),
        np.nextafter(F(buckets), _ZERO),
    )  # fmt: skip


def terms_of(deal: Deal, course: Course) -> tuple[Floats32, ...]:
    """The fields of `Terms`, arrays (N,)."""
    step = course.step_s
    pushes = max(pushing_steps(course), 1)
    found = (
        deal.volatility * np.sqrt(step), deal.fuel, deal.booked, -np.expm1(-step / deal.latency_s),
        1.0 / deal.depth, deal.lasts, np.exp(-step / deal.recovery_s), deal.push_usd / pushes,
        np.clip(2.0 * deal.reach, _LEAST_REACH, _NO_LIMIT), deal.passed, -np.expm1(-step / deal.mark_lag_s),
    )  # fmt: skip
    return tuple(np.ascontiguousarray(array, dtype=np.float32) for array in found)


def pushing_steps(course: Course) -> int:
    """Steps over which the push is spread."""
    return min(round(course.push_s / course.step_s), course.steps)


def thinness_of(course: Course) -> Floats32:
    """(steps,) times the impact of each step: one over the depth ahead."""
    if not course.ahead:
        return np.ones(course.steps, np.float32)
    part = np.arange(course.steps) * len(course.ahead) // course.steps
    return (1.0 / np.array(course.ahead)[part]).astype(np.float32)


def keys_of(count: int, seed: int) -> tuple[Words, Words]:
    """Two keys a path, (count,) each: of the first no two are alike."""
    one = _scrambled(
        np.arange(count, dtype=np.uint32) ^ _scrambled(np.full(count, seed, np.uint32))
    )
    return one, _scrambled(one ^ U(0x5BD1E995))


def _scrambled(x: Words) -> Words:
    with np.errstate(over="ignore"):
        return np.asarray(mixed(x), np.uint32)  # pyright: ignore[reportArgumentType]


def run(ground: Ground, deal: Deal, course: Course) -> Ends:
    """Every path to its end. The same seed gives the same bits however many cores there are."""
    count = len(deal.draw)
    size = -(-max(count, 1) // LANES) * LANES
    terms = tuple(padded(array, size) for array in terms_of(deal, course))
    state = tuple(np.zeros(size, np.float32) for _ in State._fields)
    state[1][:count] = deal.jump
    fan = np.zeros((course.marks, size), np.float32)
    tables = tables_of(ground)
    draws = np.ascontiguousarray(deal.draw[::LANES]) % (len(tables.ladder) // len(tables.impact))
    _run(
        keys_of(size, course.seed), terms, state, tables, draws, thinness_of(course), fan,
        pushing_steps(course), F(course.pull), F(course.most_pull),
    )  # fmt: skip
    last = dict(zip(State._fields, (array[:count] for array in state), strict=True))
    end = last["lasting"] + last["fading"]
    return ends_of(last | {"end": end}, fan[:, :count], deal, course)


def ends_of(last: Mapping[str, Floats32], fan: Floats32, deal: Deal, course: Course) -> Ends:
    """Ends out of the last state, by the names of its fields, and `end`; steps become seconds."""
    step, fuel = np.float32(course.step_s), deal.fuel.astype(np.float32)
    bought, sold = fuel * last["behind_high"], fuel * last["behind_low"]
    return Ends(
        np.maximum(last["high"], last["end"]), np.minimum(last["low"], last["end"]), last["end"],
        last["high_at"] * step, last["low_at"] * step,
        _without(deal.stops, bought), _without(deal.stops, sold),
        _without(deal.stops, _missed(bought, deal.booked, last["unfilled_buys"])),
        _without(deal.stops, _missed(sold, deal.booked, last["unfilled_sells"])), fan,
    )  # fmt: skip


def _without(stops: FloatArray, usd: Floats32) -> Floats32:
    return ((1.0 - stops).astype(np.float32) * usd).astype(np.float32)


def _missed(forced: Floats32, booked: FloatArray, unfilled: Floats32) -> Floats32:
    return (forced * (1.0 - booked) + unfilled).astype(np.float32)


def padded(array: Floats32, size: int) -> Floats32:
    """With zeros behind, up to `size`."""
    return np.concatenate([array, np.zeros(size - len(array), np.float32)])


@spread_kernel
def _run(  # noqa: PLR0913, PLR0917 - a kernel takes its arrays one by one
    keys: tuple[Words, Words], terms: tuple[Floats32, ...], state: tuple[Floats32, ...], tables: Tables,
    draws: IntArray, thinness: Floats32, fan: Floats32, pushing: int, pull: np.float32, most_pull: np.float32,
) -> None:  # fmt: skip
    """All steps of LANES paths, then the next ones. Everything of a lane is read first and written last, and its
    index is unsigned: then the loop over lanes becomes vector code.
    """
    # fmt: off
    one, other = keys
    rough, fuel, booked, sent, thin, lasts, kept, push, reach, passed, averaged = terms
    (lasting, fading, basis, high, low, mark_high, mark_low, behind_high, behind_low, buys, sells, buys_from,
     sells_from, unfilled_buys, unfilled_sells, high_at, low_at) = state
    # fmt: on
    ladder, rise, impact, first, per_width, top = tables
    marks, steps = fan.shape[0], thinness.size
    for block in spans(draws.size):
        start = block * LANES
        row = draws[block] * impact.size
        for step in range(steps):
            on = _ONE if step < pushing else _ZERO
            now, count, season = F(step), U(step), thinness[step]
            for lane in range(LANES):
                j = U(start + lane)
                before = State(
                    lasting[j], fading[j], basis[j], high[j], low[j], mark_high[j], mark_low[j], behind_high[j],
                    behind_low[j], buys[j], sells[j], buys_from[j], sells_from[j], unfilled_buys[j],
                    unfilled_sells[j], high_at[j], low_at[j],
                )  # fmt: skip
                dealt = Terms(
                    rough[j], fuel[j], booked[j], sent[j], thin[j], lasts[j], kept[j], push[j], reach[j],
                    passed[j], averaged[j],
                )  # fmt: skip
                along = (before.lasting + before.fading - first) * per_width
                along = min(max(along, _ZERO), top)
                traded = impact[U(np.int32(along))] * season
                along = (marked(before, dealt) - first) * per_width
                along = min(max(along, _ZERO), top)
                bucket = np.int32(along)
                inside, at = along - F(bucket), U(row + bucket)
                after = advance(
                    before, dealt, ladder[at] + rise[at] * inside, traded, noise(count, one[j], other[j]),
                    now, on, pull, most_pull,
                )  # fmt: skip
                # fmt: off
                lasting[j], fading[j], basis[j] = after.lasting, after.fading, after.basis
                high[j], low[j] = after.high, after.low
                mark_high[j], mark_low[j] = after.mark_high, after.mark_low
                behind_high[j], behind_low[j] = after.behind_high, after.behind_low
                buys[j], sells[j] = after.buys, after.sells
                buys_from[j], sells_from[j] = after.buys_from, after.sells_from
                unfilled_buys[j], unfilled_sells[j] = after.unfilled_buys, after.unfilled_sells
                high_at[j], low_at[j] = after.high_at, after.low_at
                # fmt: on
            if marks and (step + 1) * marks // steps > step * marks // steps:
                mark = (step + 1) * marks // steps - 1
                for lane in range(LANES):
                    j = U(start + lane)
                    fan[mark, j] = lasting[j] + fading[j]
