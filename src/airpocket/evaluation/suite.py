"""Many worlds, scored side by side: files and seeds in, one record of everything measured out."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from airpocket.evaluation.limits import Limits, limits_of
from airpocket.evaluation.maps import MAPS, SOLD, WorldScore, score_world
from airpocket.evaluation.observed import observe
from airpocket.evaluation.placebo import Reached
from airpocket.evaluation.scores import Score, joined, ratio_interval, scored
from airpocket.lab.runs.worldcheck import read_world
from airpocket.liquidations.settings import MapSettings

EVERY_H, FROM_H = 6.0, 72.0
TRAIN_SEED = 101  # of the first training world, the next ones follow
_HERE = Path(__file__).parent / "worlds"
_SEED = 20_261_126  # of the bootstraps


@dataclass(frozen=True, slots=True)
class Job:
    """One world file and the seed it is run with."""

    world: Path
    seed: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """Error of one map over that of the sold style within +3 %, with its 95 % interval."""

    map: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Suite:
    """Everything measured over the worlds. scores: by map, every band; worlds: as they came."""

    worlds: tuple[WorldScore, ...]
    files: tuple[str, ...]
    scores: dict[str, list[Score]]
    apart: dict[str, float]
    ratios: tuple[Ratio, ...]
    clusters: Reached
    draw: tuple[float, float, float]


def bundled_worlds(name: str) -> list[Path]:
    """The world files that come along: `score` (never tuned on) or `train`."""
    return sorted((_HERE / name).glob("*.toml"))


def jobs_of(worlds: Sequence[Path], seeds: Sequence[int]) -> list[Job]:
    """Every world with every seed; without seeds each world with its place in the list, from 1."""
    if seeds:
        return [Job(world, seed) for world in worlds for seed in seeds]
    return [Job(world, number) for number, world in enumerate(worlds, 1)]


def run_suite(jobs: Sequence[Job], workers: int, told: Callable[[str], None]) -> Suite:
    """Runs and scores every world; `told` hears each one's name when it is done.

    Raises:
        BadInput: a world file is wrong, or names a venue that the market state does not know.
    """
    for job in jobs:
        read_world(job.world)  # a wrong file is told before anything runs
    found: list[WorldScore] = []
    if workers <= 1:
        for number, job in enumerate(jobs):
            found.append(_scored(job, number))
            told(found[-1].name)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for one in pool.map(_scored, jobs, range(len(jobs))):
                found.append(one)
                told(one.name)
    return _suite(tuple(found), jobs)


def trained(workers: int) -> Limits:
    """What limits the map, on the worlds that its settings were set on."""
    worlds = bundled_worlds("train")
    seeds = range(TRAIN_SEED, TRAIN_SEED + len(worlds))
    return limits_of(worlds, seeds, workers, MapSettings(), every_h=EVERY_H, from_h=FROM_H)


def _scored(job: Job, number: int) -> WorldScore:
    return score_world(
        observe(read_world(job.world), job.seed, EVERY_H, FROM_H), number, MapSettings()
    )


def _suite(worlds: tuple[WorldScore, ...], jobs: Sequence[Job]) -> Suite:
    points = {name: joined([world.points[name] for world in worlds]) for name in MAPS}
    ratios = tuple(
        Ratio(name, *ratio_interval(points[name], points[SOLD], 3.0, _SEED))
        for name in MAPS
        if name != SOLD
    )
    clusters = Reached(
        np.concatenate([world.clusters.clusters for world in worlds]),
        np.concatenate([world.clusters.placebos for world in worlds]),
    )
    return Suite(
        worlds=worlds,
        files=tuple(job.world.name for job in jobs),
        scores={name: scored(each) for name, each in points.items()},
        apart={name: float(np.nanmean(each.apart)) for name, each in points.items()},
        ratios=ratios,
        clusters=clusters,
        draw=_draw(worlds),
    )


def _draw(worlds: Sequence[WorldScore]) -> tuple[float, float, float]:
    """Mean flow met at clusters over that at placebos, weights by world, with a 95 % bootstrap by world."""
    sums = np.array(
        [[w.clusters.clusters.sum(), w.clusters.placebos.sum()] for w in worlds], dtype=np.float64
    )
    if sums[:, 1].sum() <= 0.0:
        return float("nan"), float("nan"), float("nan")
    drawn = np.random.default_rng(_SEED).integers(0, len(sums), size=(2_000, len(sums)))
    total = sums[drawn].sum(axis=1)
    low, high = np.quantile(total[:, 0] / np.maximum(total[:, 1], 1e-12), (0.025, 0.975))
    return float(sums[:, 0].sum() / sums[:, 1].sum()), float(low), float(high)
