"""How often levels of each name were touched, held, broke and ran against their placebos, by blocks of time."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.evaluation.level_events import OPEN, YES, Outcomes
from airpocket.evaluation.level_rows import PLACEBOS, Rows

METRICS = ("touched", "held", "went", "came_back", "turned")
DRAWS = 2_000
_SEED = 20_261_126
LEAST = 100  # decided touches below which nothing is said of a name


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened: at levels (`count` of them decided), at placebos, and the difference with
    its interval, all as shares. log_odds: of levels over placebos, with its standard error by block."""

    count: int
    level: float
    placebo: float
    gain: float
    low: float
    high: float
    log_odds: float
    error: float


@dataclass(frozen=True, slots=True)
class Named:
    """All rates of one name, by metric."""

    name: str
    bands: int
    rates: dict[str, Rate]


def rates_of(rows: Rows, confidence: float = 0.95, mask: IntArray | None = None) -> list[Named]:
    """Rates of every name; the interval is of a bootstrap over blocks of four weeks, both sides together."""
    blocks = int(rows.block.max()) + 1 if len(rows.block) else 0
    weight = _drawn(blocks)
    chosen = np.ones(len(rows.name), dtype=np.int64) if mask is None else mask
    sums = {
        metric: _sums(rows, k, blocks, chosen) for k, metric in enumerate(METRICS)
    }  # fmt: skip
    return [
        Named(
            name,
            int(((rows.name == number) & (chosen > 0)).sum()),
            {metric: _rate(sums[metric][number], weight, confidence) for metric in METRICS},
        )
        for number, name in enumerate(rows.names)
    ]


def _drawn(blocks: int) -> FloatArray:
    """(DRAWS, blocks) how often each block is drawn."""
    rng = np.random.default_rng(_SEED)
    return rng.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=DRAWS).astype(np.float64)


def _sums(rows: Rows, metric: int, blocks: int, chosen: IntArray) -> FloatArray:
    """(names, blocks, 4): yes and decided at levels, yes and decided at placebos, the latter per band."""
    cell = rows.name * blocks + rows.block
    size = len(rows.names) * blocks
    out = np.empty((size, 4))
    for k, (told, cells, share) in enumerate(
        ((rows.mine, cell, chosen), (rows.placebo, np.repeat(cell, PLACEBOS), np.repeat(chosen, PLACEBOS)))
    ):  # fmt: skip
        column = _column(told, metric)
        decided = (column != OPEN) & (share > 0)
        scale = 1.0 if k == 0 else 1.0 / PLACEBOS
        out[:, 2 * k] = scale * np.bincount(cells[decided & (column == YES)], minlength=size)
        out[:, 2 * k + 1] = scale * np.bincount(cells[decided], minlength=size)
    return out.reshape(len(rows.names), blocks, 4)


def _column(told: Outcomes, metric: int) -> IntArray:
    return told[metric]


def _rate(sums: FloatArray, weight: FloatArray, confidence: float) -> Rate:
    yes, count, placebo_yes, placebo_count = sums.sum(axis=0)
    if count == 0 or placebo_count == 0:
        nan = float("nan")
        return Rate(int(count), nan, nan, nan, nan, nan, nan, nan)
    drawn = weight @ sums
    some = (drawn[:, 1] > 0) & (drawn[:, 3] > 0)
    shares = drawn[some][:, [0, 2]] / drawn[some][:, [1, 3]]
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(shares[:, 0] - shares[:, 1], (tail, 1.0 - tail))
    level, placebo = yes / count, placebo_yes / placebo_count
    odds = _logit(shares[:, 0], count) - _logit(shares[:, 1], placebo_count)
    return Rate(
        int(count), float(level), float(placebo), float(level - placebo), float(low), float(high),
        float(_logit(np.array([level]), count)[0] - _logit(np.array([placebo]), placebo_count)[0]),
        float(odds.std()),
    )  # fmt: skip


def _logit(share: FloatArray, count: float) -> FloatArray:
    """Log-odds of a share, kept off 0 and 1 by half a case."""
    least = 0.5 / (count + 1.0)
    inside = np.clip(share, least, 1.0 - least)
    return np.log(inside / (1.0 - inside))
