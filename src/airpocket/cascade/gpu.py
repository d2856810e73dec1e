"""The paths of `paths.py` on a GPU, a thread a path: the same step, the same dice, the same draws."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from airpocket.cascade.paths import (
    LANES,
    Course,
    Deal,
    Ends,
    Floats32,
    Ground,
    ends_of,
    keys_of,
    padded,
    pushing_steps,
    tables_of,
    terms_of,
    thinness_of,
)
from airpocket.cascade.step import F, State, Terms, U, advance, marked, noise
from airpocket.domain.accelerator import gpu

_MOST_BUCKETS = 4_000  # three tables of them lie in the 48 kB that threads of a block share
_TOLD: tuple[str, ...] = (
    "high", "low", "end", "high_at", "low_at", "behind_high", "behind_low", "unfilled_buys", "unfilled_sells",
)  # fmt: skip
_NIL, _ONE = F(0.0), F(1.0)


def can_run(ground: Ground) -> bool:
    """Whether a GPU is there and the ground fits it."""
    return gpu() is not None and len(ground.usd_per_log) <= _MOST_BUCKETS


def run(ground: Ground, deal: Deal, course: Course) -> Ends:
    """Every path to its end. Numbers differ from the processor's in the last bits: products are fused with sums.

    Raises:
        ValueError: `can_run` says no.
    """
    launch, ends, fan = _loaded(ground, deal, course)
    launch()
    count = len(deal.draw)
    last: dict[str, Floats32] = dict(zip(_TOLD, ends.copy_to_host()[:, :count], strict=True))
    return ends_of(last, fan.copy_to_host()[: course.marks, :count], deal, course)


def kernel_seconds(ground: Ground, deal: Deal, course: Course) -> float:
    """How long the kernel alone runs, everything being on the device: no copies, no compilation."""
    cuda: Any = gpu()
    launch, _, _ = _loaded(ground, deal, course)
    launch()
    begin, end = cuda.event(), cuda.event()
    begin.record()
    launch()
    end.record()
    end.synchronize()
    return float(cuda.event_elapsed_time(begin, end)) / 1_000.0


def _loaded(ground: Ground, deal: Deal, course: Course) -> tuple[Callable[[], None], Any, Any]:
    """Everything on the device: (what launches the kernel, where ends and fan come to lie)."""
    cuda = gpu()
    if cuda is None or not can_run(ground):
        raise ValueError("no GPU that can run this; use airpocket.cascade.paths")
    size = -(-max(len(deal.draw), 1) // LANES) * LANES
    tables, send = tables_of(ground), cuda.to_device
    buckets = len(tables.impact)
    draws = np.ascontiguousarray(deal.draw[::LANES]) % (len(tables.ladder) // buckets)
    ends = cuda.device_array((len(_TOLD), size), np.float32)
    fan = cuda.device_array((max(course.marks, 1), size), np.float32)
    given = (
        *map(send, keys_of(size, course.seed)),
        send(np.stack([padded(array, size) for array in terms_of(deal, course)])),
        send(padded(deal.jump.astype(np.float32), size)),
        send(tables.ladder), send(tables.rise), send(tables.impact), tables.first, tables.per_width,
        tables.top, send(draws), send(thinness_of(course)), ends, fan, course.marks, pushing_steps(course),
        F(course.pull), F(course.most_pull),
    )  # fmt: skip
    kernel = _kernel()[size // LANES, LANES, 0, 3 * 4 * buckets]
    return lambda: kernel(*given), ends, fan


@cache
def _kernel() -> Any:
    cuda = gpu()
    assert cuda is not None

    def paths(
        one: Any, other: Any, terms: Any, jump: Any, ladder: Any, rise: Any, impact: Any, first: Any,
        per_width: Any, top: Any, draws: Any, thinness: Any, ends: Any, fan: Any, marks: int, pushing: int,
        pull: Any, most_pull: Any,
    ) -> None:  # fmt: skip
        path, lane, buckets = cuda.grid(1), cuda.threadIdx.x, impact.size
        shared = cuda.shared.array(0, np.float32)
        row = draws[cuda.blockIdx.x] * buckets
        for k in range(lane, buckets, LANES):
            shared[k] = ladder[row + k]
            shared[buckets + k] = rise[row + k]
            shared[2 * buckets + k] = impact[k]
        cuda.syncthreads()
        dealt = Terms(
            terms[0, path], terms[1, path], terms[2, path], terms[3, path], terms[4, path],
            terms[5, path], terms[6, path], terms[7, path], terms[8, path], terms[9, path], terms[10, path],
        )  # fmt: skip
        it = State(
            _NIL, jump[path], _NIL, _NIL, _NIL, _NIL, _NIL, _NIL, _NIL, _NIL, _NIL, _NIL, _NIL, _NIL, _NIL,
            _NIL, _NIL,
        )  # fmt: skip
        key, other_key, steps = one[path], other[path], thinness.size
        for step in range(steps):
            along = min(max((it.lasting + it.fading - first) * per_width, _NIL), top)
            traded = shared[2 * buckets + np.int32(along)] * thinness[step]
            along = min(max((marked(it, dealt) - first) * per_width, _NIL), top)
            bucket = np.int32(along)
            here = shared[bucket] + shared[buckets + bucket] * (along - F(bucket))
            it = advance(
                it, dealt, here, traded, noise(U(step), key, other_key),
                F(step), _ONE if step < pushing else _NIL, pull, most_pull,
            )  # fmt: skip
            if marks and (step + 1) * marks // steps > step * marks // steps:
                fan[(step + 1) * marks // steps - 1, path] = it.lasting + it.fading
        end = it.lasting + it.fading
        ends[0, path], ends[1, path], ends[2, path] = it.high, it.low, end
        ends[3, path], ends[4, path] = it.high_at, it.low_at
        ends[5, path], ends[6, path] = it.behind_high, it.behind_low
        ends[7, path], ends[8, path] = it.unfilled_buys, it.unfilled_sells

    return cuda.jit(paths)
