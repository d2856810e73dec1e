"""Many lab cascades with known truth, foreseen and judged: files and seeds in, everything measured out."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from airpocket.cascade.deals import PathSettings
from airpocket.cascade.settings import CascadeSettings
from airpocket.domain.errors import NothingKnown
from airpocket.evaluation.forecasts import ALONE, FORECASTS, MODEL, SHIPPED, STATIC, forecasts_of
from airpocket.evaluation.judged import (
    Bin,
    Judged,
    Method,
    Skill,
    inside_interval,
    judged,
    method_of,
    permuted,
    reliability,
    skill_of,
)
from airpocket.evaluation.pushed import On, Pushed
from airpocket.lab.runs.worldcheck import read_world

SEEDS, MOMENTS, PATHS = 6, 7, 4_096
_ON: dict[str, On] = {"perp": "perp", "spot": "spot", "alone": "alone"}
_HERE = Path(__file__).parent / "worlds" / "cascade"
_SEED = 20_261_127  # of bootstraps and permutations
_APART = 1_000  # between the seeds of two worlds: no two share their news
_AGAINST = (SHIPPED, ALONE, STATIC)
_FRESH = 700  # the seeds before these were scored in earlier states of the model


@dataclass(frozen=True, slots=True)
class PushJob:
    """One run to be pushed at several moments."""

    world: Path
    seed: int
    moments: int
    on: On


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave. moments: asked for; unanswered: why pushes have no forecast. hash: of its journal."""

    file: str
    seed: int
    moments: int
    hash: str
    rows: tuple[Judged, ...]
    unanswered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cascades:
    """Everything measured. inside: 95 % of the model's coverage. shuffled: the skill left where every truth gets
    another push's forecast.
    """

    runs: tuple[Run, ...]
    rows: tuple[Judged, ...]
    methods: dict[str, Method]
    inside: tuple[float, float]
    skills: tuple[Skill, ...]
    shuffled: tuple[Skill, ...]
    bins: tuple[Bin, ...]


def bundled_jobs(name: str, seeds: int = SEEDS, moments: int = MOMENTS) -> list[PushJob]:
    """The worlds that come along: `score` (never tuned on), `train`, or `drawn`, train's at random round the base;
    each with `seeds` seeds of its own.
    """
    files = sorted((_HERE / name).glob("*/*.toml"))
    first, fresh = {"train": (1, 0), "score": (1 + len(files), _FRESH), "drawn": (100, 0)}[name]
    return [
        PushJob(file, _APART * (first + k) + fresh + seed, moments, _ON[file.parent.name])
        for k, file in enumerate(files)
        for seed in range(seeds)
    ]


def jobs_of(worlds: Sequence[Path], seeds: int, moments: int, on: On) -> list[PushJob]:
    """World files of one's own, each with seeds of its own from 1 on."""
    return [
        PushJob(file, _APART * k + 1 + seed, moments, on)
        for k, file in enumerate(worlds)
        for seed in range(seeds)
    ]


def run_cascades(jobs: Sequence[PushJob], workers: int, told: Callable[[str], None]) -> Cascades:
    """Runs, pushes, foresees and judges; `told` hears each run's file when it is done.

    Raises:
        BadInput: a world file is wrong.
        NothingKnown: not one push could be judged.
    """
    for job in jobs:
        read_world(job.world)  # a wrong file is told before anything runs
    found: list[Run] = []
    if workers <= 1:
        for job in jobs:
            found.append(run_of(job))
            told(job.world.name)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for job, one in zip(jobs, pool.map(run_of, jobs), strict=True):
                found.append(one)
                told(job.world.name)
    return summed(found)


def run_of(job: PushJob) -> Run:
    """One run, every push of it judged."""
    settings, how = CascadeSettings(), PathSettings(paths=PATHS)
    rows: list[Judged] = []
    unanswered: list[str] = []
    pushed = Pushed(read_world(job.world), job.seed, job.moments, job.on)
    for case in pushed.cases():
        try:
            rows.append(judged(case, forecasts_of(case, settings, how)))
        except NothingKnown as reason:
            unanswered.append(str(reason))
    return Run(job.world.name, job.seed, job.moments, pushed.hash, tuple(rows), tuple(unanswered))


def summed(runs: Sequence[Run]) -> Cascades:
    """The runs' pushes as one."""
    rows = [row for run in runs for row in run.rows]
    if not rows:
        raise NothingKnown(
            "no push could be judged: every book broke, or no forecast had an answer"
        )
    mixed = permuted(rows, _SEED)
    return Cascades(
        runs=tuple(runs), rows=tuple(rows),
        methods={name: method_of(rows, name) for name in FORECASTS},
        inside=inside_interval(rows, MODEL, _SEED),
        skills=tuple(skill_of(rows, MODEL, other, _SEED) for other in _AGAINST),
        shuffled=tuple(skill_of(mixed, MODEL, other, _SEED) for other in _AGAINST),
        bins=tuple(reliability(rows, MODEL)),
    )  # fmt: skip
