"""Scores of a map against truth: error, correlation, distance of shapes, coverage, and paired intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray, IntArray

BANDS = (1.0, 3.0, 5.0, 10.0, -1.0, -3.0, -5.0, -10.0)  # % from the price; above it shorts
BLOCK = 6  # scored points in a row that a bootstrap draws together


@dataclass(frozen=True, slots=True)
class Points:
    """Scored points: world (n,) number, truth, said, low, high (n, bands) USD; apart (n, 2) distance of the
    normalised ladders within 10 %, % of price. low and high NaN where a map says no interval."""

    world: IntArray
    truth: FloatArray
    said: FloatArray
    low: FloatArray
    high: FloatArray
    apart: FloatArray


@dataclass(frozen=True, slots=True)
class Score:
    """One map at one band. error: Σ|said − truth|/Σ truth. bias: Σ said/Σ truth. rank: Spearman within
    worlds, averaged. correlation: Pearson over all points. coverage: share inside 10 to 90 %."""

    band: float
    points: int
    error: float
    bias: float
    rank: float
    correlation: float
    coverage: float | None


def joined(parts: Sequence[Points]) -> Points:
    """Points of several worlds as one."""
    return Points(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("world", "truth", "said", "low", "high", "apart")
        )
    )


def scored(points: Points) -> list[Score]:
    """Every band."""
    return [_scored(points, at) for at in range(len(BANDS))]


def _scored(points: Points, at: int) -> Score:
    truth, said = points.truth[:, at], points.said[:, at]
    inside = (truth >= points.low[:, at]) & (truth <= points.high[:, at])
    known = np.isfinite(points.low[:, at])
    ranks = [
        _correlation(_ranked(truth[points.world == one]), _ranked(said[points.world == one]))
        for one in np.unique(points.world)
    ]
    ranks = [rank for rank in ranks if np.isfinite(rank)]
    return Score(
        BANDS[at], len(truth), error_of(truth, said), _bias(truth, said),
        float(np.mean(ranks)) if ranks else float("nan"), _correlation(truth, said),
        float(inside[known].mean()) if known.any() else None,
    )  # fmt: skip


def _bias(truth: FloatArray, said: FloatArray) -> float:
    total = float(truth.sum())
    return float(said.sum()) / total if total > 0.0 else float("nan")


def error_of(truth: FloatArray, said: FloatArray) -> float:
    """Weighted absolute error: Σ|said − truth| / Σ truth; NaN where there is no truth."""
    total = float(truth.sum())
    return float(np.abs(said - truth).sum()) / total if total > 0.0 else float("nan")


def _ranked(values: FloatArray) -> FloatArray:
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(len(values), dtype=np.float64)
    return ranks


def _correlation(one: FloatArray, other: FloatArray) -> float:
    spread = float(one.std() * other.std())
    if len(one) < 3 or spread == 0.0:
        return float("nan")
    return float(((one - one.mean()) * (other - other.mean())).mean() / spread)


def shape_distance(
    truth_at: FloatArray, truth_usd: FloatArray, said_at: FloatArray, said_usd: FloatArray
) -> float:
    """Wasserstein-1 distance of two normalised ladders over distances from the price; NaN where one is empty."""
    if truth_usd.sum() <= 0.0 or said_usd.sum() <= 0.0:
        return float("nan")
    at = np.concatenate([truth_at, said_at])
    mass = np.concatenate([truth_usd / truth_usd.sum(), -said_usd / said_usd.sum()])
    order = np.argsort(at, kind="stable")
    return float(np.abs(np.cumsum(mass[order])[:-1] * np.diff(at[order])).sum())


def ratio_interval(
    points: Points, other: Points, band: float, seed: int, draws: int = 2_000
) -> tuple[float, float, float]:
    """Error of `points` over error of `other` at a band, with its 95 % interval from a paired block bootstrap.

    Blocks of six points in a row within a world are drawn with replacement, for both maps the same.
    """
    at = BANDS.index(band)
    truth = points.truth[:, at]
    ours, theirs = np.abs(points.said[:, at] - truth), np.abs(other.said[:, at] - truth)
    blocks = blocks_of(points.world)
    sums = np.array([[ours[block].sum(), theirs[block].sum()] for block in blocks])
    drawn = np.random.default_rng(seed).integers(0, len(blocks), size=(draws, len(blocks)))
    total = sums[drawn].sum(axis=1)
    low, high = np.quantile(total[:, 0] / total[:, 1], (0.025, 0.975))
    return float(ours.sum() / theirs.sum()), float(low), float(high)


def blocks_of(world: IntArray) -> Sequence[IntArray]:
    """Rows of each block: up to six points in a row of one world."""
    found: list[IntArray] = []
    for one in np.unique(world):
        rows = np.flatnonzero(world == one)
        found += [rows[k : k + BLOCK] for k in range(0, len(rows), BLOCK)]
    return found
