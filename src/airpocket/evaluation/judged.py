"""Foreseen pushes held against what came of them: coverage, chances, forced dollars, skill with its interval."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from airpocket.cascade.calibrate.blend import priors_from
from airpocket.cascade.deals import PathPriors
from airpocket.domain.events import FloatArray, IntArray
from airpocket.evaluation.forecasts import Forecast
from airpocket.evaluation.pushed import Case

LEVELS: FloatArray = np.arange(1.0, 100.0) / 100.0
AT_PERCENT = (0.5, 1.0, 2.0, 3.0)
BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
_LOW, _MIDDLE, _HIGH = 9, 49, 89  # of LEVELS: 10, 50, 90 %
_COUNTS = 0.05  # of the push: forced flow from which its relative error is judged
_DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Said:
    """One forecast as quantiles (99,): extreme %, forced_usd, retrace (share of the extreme), extreme_s; NaN where
    a method does not say. reach: chance of each of AT_PERCENT. off_book, likely: shares. there_usd: median forced
    of the twentieth of its draws that stop nearest to where price did.
    """

    extreme: FloatArray
    forced_usd: FloatArray
    retrace: FloatArray
    extreme_s: FloatArray
    reach: FloatArray
    off_book: float
    likely: float
    there_usd: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One push: where it was, what was done, what came of it (per cent, USD, s) and what each method said.

    held_usd: what the true ladder held up to the true stop; marked_usd: up to the farthest mark of each contract.
    measured: the priors that a measurement was blended into. again, again_usd: extreme and forced_usd of the same
    push into the same market, with other chance from there on.
    """

    world: str
    seed: int
    usd: float
    seconds: int
    extreme: float
    end: float
    extreme_s: float
    forced_usd: float
    booked_usd: float
    deleveraged_usd: float
    elsewhere: float
    held_usd: float
    marked_usd: float
    measured: tuple[str, ...]
    said: Mapping[str, Said]
    again: tuple[float, ...]
    again_usd: tuple[float, ...]

    @property
    def retrace(self) -> float:
        """Share of the extreme that came back; NaN without one."""
        return 1.0 - self.end / self.extreme if self.extreme > 0.05 else float("nan")


def judged(case: Case, forecasts: Mapping[str, Forecast]) -> Judged:
    """One case and its forecasts as a row."""
    went, before, sign = case.went, case.before, 1.0 if case.kick.up else -1.0
    mine = (before.short == case.kick.up) & (sign * before.away > 0.0)
    moved = np.log1p(before.away) * sign
    basis = priors_from(before.measured, PathPriors(), case.kick.usd).basis
    behind, marked = mine & (moved <= went.extreme), np.array(went.marked)[before.contract]
    return Judged(
        world=case.world, seed=case.seed, usd=case.kick.usd, seconds=case.kick.seconds,
        extreme=_percent(went.extreme, sign), end=_percent(went.end, sign), extreme_s=went.extreme_s,
        forced_usd=went.forced_usd, booked_usd=went.booked_usd, deleveraged_usd=went.deleveraged_usd,
        elsewhere=went.elsewhere, held_usd=float(before.usd[behind].sum()),
        marked_usd=float(before.usd[mine & (moved <= marked)].sum()),
        measured=tuple(one.name for one in basis if one.used_measured),
        said={name: _said(one, sign, went.extreme) for name, one in forecasts.items()},
        again=tuple(_percent(one.extreme, sign) for one in case.again),
        again_usd=tuple(one.forced_usd for one in case.again),
    )  # fmt: skip


def _percent(displaced: float, sign: float) -> float:
    return 100.0 * sign * float(np.expm1(sign * displaced))


def _said(one: Forecast, sign: float, stopped: float) -> Said:
    extreme = 100.0 * sign * np.expm1(sign * one.extreme)
    end = 100.0 * sign * np.expm1(sign * one.end)
    moved = extreme > 0.05
    nearest = np.argsort(np.abs(one.extreme - stopped), kind="stable")[: -(-len(extreme) // 20)]
    back = 1.0 - end[moved] / extreme[moved] if moved.any() else np.full(1, np.nan)
    return Said(
        extreme=np.quantile(extreme, LEVELS), forced_usd=np.quantile(one.forced_usd, LEVELS),
        retrace=np.quantile(back, LEVELS), extreme_s=np.quantile(one.extreme_s, LEVELS),
        reach=np.array([float((extreme >= at).mean()) for at in AT_PERCENT]),
        off_book=one.off_book, likely=one.likely, there_usd=float(np.median(one.forced_usd[nearest])),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Method:
    """One method over all pushes. inside, below, above: shares of the truth against its 10 to 90 %. crps, error:
    mean, % of price (continuous ranked probability score; absolute error of the median). brier: by AT_PERCENT.
    forced_error: median relative error of the median where forced flow was worth it; forced_bias: said over true
    there; forced_inside: its coverage.
    """

    inside: float
    below: float
    above: float
    crps: float
    error: float
    brier: tuple[float, ...]
    forced_error: float
    forced_bias: float
    forced_inside: float


@dataclass(frozen=True, slots=True)
class Skill:
    """1 − CRPS over that of `against`, with the 95 % interval of a bootstrap by run, paired."""

    name: str
    against: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Chances said between two bounds: how many, their mean, and how often it came so."""

    low: float
    high: float
    count: int
    said: float
    came: float


def method_of(rows: Sequence[Judged], name: str) -> Method:
    """Scores of one method."""
    truth = _column(rows, lambda row: row.extreme)
    q = np.stack([row.said[name].extreme for row in rows])
    reach = np.stack([row.said[name].reach for row in rows])
    happened = truth[:, None] >= np.array(AT_PERCENT)
    worth = counting(rows)
    forced = _column(worth, lambda row: row.forced_usd)
    fq = np.array([row.said[name].forced_usd for row in worth]).reshape(-1, len(LEVELS))
    return Method(
        inside=float(((truth >= q[:, _LOW]) & (truth <= q[:, _HIGH])).mean()),
        below=float((truth < q[:, _LOW]).mean()), above=float((truth > q[:, _HIGH]).mean()),
        crps=float(crps_of(rows, name).mean()), error=float(np.abs(q[:, _MIDDLE] - truth).mean()),
        brier=tuple(float(b) for b in ((reach - happened) ** 2).mean(axis=0)),
        forced_error=_median(np.abs(fq[:, _MIDDLE] - forced) / forced),
        forced_bias=float(fq[:, _MIDDLE].sum() / forced.sum()) if len(forced) else float("nan"),
        forced_inside=float(((forced >= fq[:, _LOW]) & (forced <= fq[:, _HIGH])).mean())
        if len(forced) else float("nan"),
    )  # fmt: skip


def counting(rows: Sequence[Judged]) -> list[Judged]:
    """Those whose forced flow was at least a twentieth of the push."""
    return [row for row in rows if row.forced_usd >= _COUNTS * abs(row.usd)]


def crps_of(rows: Sequence[Judged], name: str) -> FloatArray:
    """(n,) continuous ranked probability scores, %: twice the mean pinball loss over the 99 quantiles.

    Gneiting and Raftery 2007; Laio and Tamea 2007 for the form.
    """
    truth = _column(rows, lambda row: row.extreme)[:, None]
    q = np.stack([row.said[name].extreme for row in rows])
    return 2.0 * np.where(truth >= q, LEVELS * (truth - q), (1.0 - LEVELS) * (q - truth)).mean(
        axis=1
    )


def skill_of(rows: Sequence[Judged], name: str, against: str, seed: int) -> Skill:
    """Whole runs are drawn with replacement, both methods alike."""
    ours, theirs = crps_of(rows, name), crps_of(rows, against)
    runs = runs_of(rows)
    sums = np.array(
        [[ours[runs == k].sum(), theirs[runs == k].sum()] for k in range(runs.max() + 1)]
    )
    drawn = np.random.default_rng(seed).integers(0, len(sums), size=(_DRAWS, len(sums)))
    total = sums[drawn].sum(axis=1)
    low, high = np.quantile(1.0 - total[:, 0] / total[:, 1], (0.025, 0.975))
    return Skill(name, against, 1.0 - float(ours.sum() / theirs.sum()), float(low), float(high))


def runs_of(rows: Sequence[Judged]) -> IntArray:
    """(n,) number of each row's run: one world, one seed."""
    keys = list(dict.fromkeys((row.world, row.seed) for row in rows))
    return np.array([keys.index((row.world, row.seed)) for row in rows], dtype=np.int64)


def inside_interval(rows: Sequence[Judged], name: str, seed: int) -> tuple[float, float]:
    """95 % of the share inside 10 to 90 %, runs drawn with replacement."""
    held = np.array(
        [row.said[name].extreme[_LOW] <= row.extreme <= row.said[name].extreme[_HIGH] for row in rows],
        dtype=np.float64,
    )  # fmt: skip
    runs = runs_of(rows)
    sums = np.array([[held[runs == k].sum(), (runs == k).sum()] for k in range(runs.max() + 1)])
    drawn = np.random.default_rng(seed).integers(0, len(sums), size=(_DRAWS, len(sums)))
    total = sums[drawn].sum(axis=1)
    low, high = np.quantile(total[:, 0] / total[:, 1], (0.025, 0.975))
    return float(low), float(high)


def reliability(rows: Sequence[Judged], name: str) -> list[Bin]:
    """All chances of AT_PERCENT together, by what was said."""
    said = np.concatenate([row.said[name].reach for row in rows])
    came = np.concatenate([row.extreme >= np.array(AT_PERCENT) for row in rows])
    found: list[Bin] = []
    for low, high in pairwise(BINS):
        mine = (said >= low) & ((said < high) | (high == BINS[-1]))
        if mine.any():
            found.append(
                Bin(low, high, int(mine.sum()), float(said[mine].mean()), float(came[mine].mean()))
            )
    return found


def permuted(rows: Sequence[Judged], seed: int) -> list[Judged]:
    """Every truth with the forecasts of another push: what skill is left is none of the forecast's."""
    order = np.random.default_rng(seed).permutation(len(rows))
    return [replace(row, said=rows[int(k)].said) for row, k in zip(rows, order, strict=True)]


def spread_error(
    rows: Sequence[Judged], true: Callable[[Judged], float], said: Callable[[Judged], FloatArray]
) -> tuple[int, float, float, float, float]:
    """(n, medians of truth and of what was said, median absolute error, share inside 80 %) where both are known."""
    known = [row for row in rows if np.isfinite(true(row)) and np.isfinite(said(row)).all()]
    if not known:
        nothing = float("nan")
        return 0, nothing, nothing, nothing, nothing
    truth, q = _column(known, true), np.stack([said(row) for row in known])
    return (
        len(known), float(np.median(truth)), float(np.median(q[:, _MIDDLE])),
        float(np.median(np.abs(q[:, _MIDDLE] - truth))),
        float(((truth >= q[:, _LOW]) & (truth <= q[:, _HIGH])).mean()),
    )  # fmt: skip


def given_stop(rows: Sequence[Judged], said: Callable[[Judged], float]) -> tuple[float, float]:
    """Forced flow said for the true stop: median relative error, said over true; where it was worth counting."""
    worth = counting(rows)
    forced, found = _column(worth, lambda row: row.forced_usd), _column(worth, said)
    if not len(forced):
        return float("nan"), float("nan")
    return _median(np.abs(found - forced) / forced), float(found.sum() / forced.sum())


def chance_alone(rows: Sequence[Judged]) -> float:
    """Mean error, % of price, of the median stop of the same pushes with other chance, the floor."""
    return float(np.mean([abs(np.median(row.again) - row.extreme) for row in rows]))


def _column(rows: Sequence[Judged], of: Callable[[Judged], float]) -> FloatArray:
    return np.array([of(row) for row in rows], dtype=np.float64)


def _median(values: FloatArray) -> float:
    return float(np.median(values)) if len(values) else float("nan")
