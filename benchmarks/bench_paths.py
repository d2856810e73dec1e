"""Paths of a cascade: nanoseconds a path-step on one core and all, against NumPy and JAX, and on a GPU if any."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numba
import numpy as np

from airpocket.cascade import gpu, paths
from airpocket.cascade.fuel import screen
from airpocket.cascade.paths import Course, Deal, Ground
from benchmarks.array_paths import jax_paths, numpy_paths
from benchmarks.harness import Figure, against, seconds
from benchmarks.lrvx_peer import PUBLISHED, ground_of, ladder_of, seconds_a_scenario, shorts

_BUCKETS = 2_048
_COURSE = Course(steps=512, pull=20.0)
_FEW, _MANY, _GPU = 16_384, 100_000, 1_000_000


def ground() -> Ground:
    """A ladder of clusters on both sides, and a book that thins out."""
    rng = np.random.default_rng(1)
    edges = np.linspace(-0.2, 0.2, _BUCKETS + 1)
    outward = np.cumsum(rng.gamma(0.2, 4e6, _BUCKETS // 2))
    row = np.concatenate([outward[::-1], [0.0], outward])
    depth = 6e9 * np.exp(-4.0 * np.abs(edges[:-1]))
    return Ground(edges, row[None, :], depth)


def deal(count: int) -> Deal:
    """Terms as their priors spread them."""
    rng = np.random.default_rng(2)
    return Deal(
        volatility=np.full(count, 2e-4), fuel=rng.uniform(0.2, 1.0, count), stops=np.zeros(count),
        booked=rng.uniform(0.5, 1.0, count),
        latency_s=rng.uniform(2.0, 20.0, count), recovery_s=rng.uniform(7.0, 60.0, count),
        depth=rng.uniform(0.4, 1.6, count), lasts=rng.uniform(0.13, 0.53, count),
        push_usd=np.full(count, 5e7), jump=np.zeros(count), reach=rng.uniform(0.002, 0.02, count),
        passed=rng.uniform(0.6, 1.0, count), mark_lag_s=rng.uniform(10.0, 150.0, count),
        fund_usd=np.full(count, np.inf), draw=np.zeros(count, np.int64),
    )  # fmt: skip


@contextmanager
def _on(threads: int) -> Iterator[None]:
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        yield
    finally:
        numba.set_num_threads(before)


def figures() -> Iterator[Figure]:
    """One core against NumPy and JAX, all cores, a whole answer of 100,000 paths, and a GPU."""
    where, few = ground(), deal(_FEW)
    ours = paths.run(where, few, _COURSE)
    highs, ends = numpy_paths(where, few, _COURSE)
    for mine, theirs in ((ours.high, highs), (ours.end, ends)):  # other noise: alike, not equal
        assert abs(mine.mean() - theirs.mean()) < 5 * theirs.std() / _FEW**0.5
        assert abs(mine.std() / theirs.std() - 1.0) < 0.05
    per = _FEW * _COURSE.steps
    run = lambda: paths.run(where, few, _COURSE)  # noqa: E731
    with _on(1):
        yield against("path-step, one core", run, "NumPy", lambda: numpy_paths(where, few, _COURSE),
                      per=per, repeats=5)  # fmt: skip
        compiled = jax_paths(where, few, _COURSE)
        if compiled is None:
            print("skipped: JAX is not installed (pip install jax)")
        else:
            yield against("path-step, one core", run, "JAX, CPU", compiled, per=per, repeats=5)
        yield from _against_lrvx(few)
    cores = min(os.cpu_count() or 1, numba.config.NUMBA_NUM_THREADS)
    many = deal(_MANY)
    whole = Course(steps=600, pull=20.0, marks=32)
    took = statistics.median(seconds(lambda: paths.run(where, many, whole)) for _ in range(5))
    yield Figure(f"{_MANY:,} paths x 600 steps, {cores} cores", "s", round(took, 3))
    yield Figure(f"path-step, {cores} cores", "ns", round(1e9 * took / (_MANY * 600), 3))
    if gpu.can_run(where):
        yield from _on_gpu(where)


def _against_lrvx(few: Deal) -> Iterator[Figure]:
    """Scenarios on the same positions and book: our single shocks and whole paths, its single shocks."""
    peer = seconds_a_scenario()
    if peer is None:
        print(f"skipped: lrvx is not installed (pip install lrvx); published: {PUBLISHED}")
        return
    theirs, liquidated = peer
    same, (ladder, shocks) = ground_of(shorts()), ladder_of(shorts(), _MANY)
    assert liquidated > 0, "the peer liquidates nobody"
    assert paths.run(same, few, _COURSE).bought_usd.max() > 0.0, "our paths force out nobody"
    assert screen(ladder, shocks).absorbed.mean() > 1.01 * shocks.push.mean(), (
        "our scan forces out nobody"
    )
    cases = (
        ("one shock", lambda: screen(ladder, shocks), _MANY),
        ("a path of 512 steps", lambda: paths.run(same, few, _COURSE), _FEW),
    )
    for name, ours, count in cases:
        took = statistics.median(_processor_seconds(ours) for _ in range(5)) / count
        yield Figure(
            f"lrvx's book and positions, one core: {name}", "us", round(1e6 * took, 3),
            "lrvx, one shock", round(1e6 * theirs, 1), round(theirs / took, 1),
        )  # fmt: skip


def _processor_seconds(work: Callable[[], object]) -> float:
    """Of this process: two processes that other work slows down differently are compared fairly."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _on_gpu(where: Ground) -> Iterator[Figure]:
    terms, course = deal(_GPU), Course(steps=600, pull=20.0)
    gpu.run(where, deal(256), course)
    took = statistics.median(seconds(lambda: gpu.run(where, terms, course)) for _ in range(5))
    launch = statistics.median(gpu.kernel_seconds(where, terms, course) for _ in range(5))
    name = f"{_GPU:,} paths x 600 steps, GPU"
    yield Figure(f"{name}: whole answer", "s", round(took, 4))
    yield Figure(f"{name}: kernel", "s", round(launch, 5))
    yield Figure(f"{name}: kernel, path-steps a second", "1e9", round(_GPU * 600 / launch / 1e9, 1))
