"""Levels and zones of each day as bands to watch, beside placebo bands of like days, and what became of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import DAY_NS
from airpocket.evaluation.level_events import Asked, Outcomes, outcomes
from airpocket.evaluation.level_history import Day, Known
from airpocket.levels.roadmap import Level

NEAREST, FURTHEST = (
    0.25,
    2.0,
)  # daily ATR from the price: nearer is the price, further is seldom met
PLACEBOS = 8
_APART_NS = 2 * DAY_NS
_BLOCK_NS = 28 * DAY_NS
_TREND_DAYS = 5


class Band(NamedTuple):
    """A band by name, seen from the price of its day; near and far in quote per coin."""

    name: str
    near: float
    far: float


@dataclass(frozen=True, slots=True)
class Rows:
    """(n,) Bands watched. name: index into `names`; block: four weeks of one coin; now: ns; side: +1 support.
    distance: daily ATR. mine: outcomes; placebo: (PLACEBOS · n,) those of its placebos, row by row."""

    names: tuple[str, ...]
    name: IntArray
    block: IntArray
    now: IntArray
    side: IntArray
    distance: FloatArray
    mine: Outcomes
    placebo: Outcomes


def level_bands(day: Day) -> Iterable[Band]:
    """Every level by what the evidence counts it under."""
    for level in day.levels:
        near, far = ends(level)
        yield Band(level.key, near, far)


def ends(level: Level) -> tuple[float, float]:
    """Where price meets a level, and where it is through."""
    return level.price, level.price if level.far is None else level.far


def rows_of(
    histories: Sequence[Known], bands: Callable[[Day], Iterable[Band]], days: slice = slice(None)
) -> Rows:
    """Bands of every day within reach, with their placebos: bands as far from the price in daily ATR, on the same
    side and as wide, on the days of that coin that are nearest in volatility and in the five days' trend."""
    names: dict[str, int] = {}
    parts: list[Rows] = []
    block = 0
    for known in histories:
        found = _coin_rows(known, bands, names, days, block)
        if found is not None:
            parts.append(found)
            block = int(found.block.max()) + 1

    def column(field: str) -> IntArray:
        return np.concatenate([getattr(part, field) for part in parts])

    def joined(told: list[Outcomes]) -> Outcomes:
        return Outcomes(*(np.concatenate(columns) for columns in zip(*told, strict=True)))

    return Rows(
        tuple(names), column("name"), column("block"), column("now"), column("side"),
        np.concatenate([part.distance for part in parts]), joined([part.mine for part in parts]),
        joined([part.placebo for part in parts]),
    )  # fmt: skip


def _coin_rows(
    known: Known,
    bands: Callable[[Day], Iterable[Band]],
    names: dict[str, int],
    days: slice,
    first_block: int,
) -> Rows | None:
    at: list[int] = []
    name: list[int] = []
    edges: list[tuple[float, float]] = []
    for k in range(len(known.days))[days]:
        for band in bands(known.days[k]):
            at.append(k)
            name.append(names.setdefault(band.name, len(names)))
            edges.append((band.near, band.far))
    if not at:
        return None
    day = np.array(at, dtype=np.int64)
    price, unit, row, now = _columns(known.days)
    near, far = np.array([edge[0] for edge in edges]), np.array([edge[1] for edge in edges])
    side: IntArray = np.where(near < price[day], 1, -1).astype(np.int64)
    distance: FloatArray = side * (price[day] - near) / unit[day]
    depth: FloatArray = side * (near - far) / unit[day]
    kept = (distance >= NEAREST) & (distance <= FURTHEST) & (depth >= 0.0)
    day, side, distance, depth = day[kept], side[kept], distance[kept], depth[kept]
    here = _asked(day, side, distance, depth, (price, unit, row))
    like = _like_days(known.days)[day].ravel()
    there = _asked(
        like, np.repeat(side, PLACEBOS), np.repeat(distance, PLACEBOS), np.repeat(depth, PLACEBOS),
        (price, unit, row),
    )  # fmt: skip
    start = int(now[0])
    block = first_block + (now[day] - start) // _BLOCK_NS
    return Rows(
        tuple(names), np.array(name, dtype=np.int64)[kept], block, now[day], side, distance,
        outcomes(known.bars, here), outcomes(known.bars, there),
    )  # fmt: skip


def _columns(days: Sequence[Day]) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    return (
        np.array([day.price for day in days]),
        np.array([day.atr for day in days]),
        np.array([day.row for day in days], dtype=np.int64),
        np.array([day.now for day in days], dtype=np.int64),
    )


def _asked(
    day: IntArray, side: IntArray, distance: FloatArray, depth: FloatArray,
    columns: tuple[FloatArray, FloatArray, IntArray],
) -> Asked:  # fmt: skip
    price, unit, row = columns
    near = price[day] - side * distance * unit[day]
    return Asked(row[day], side, near, near - side * depth * unit[day], unit[day])


def _like_days(days: Sequence[Day]) -> IntArray:
    """(n, PLACEBOS) the days nearest in log volatility and in trend (daily ATR), each in its own spread, two days
    apart or more."""
    price, unit, _, now = _columns(days)
    before = np.maximum(np.searchsorted(now, now - _TREND_DAYS * DAY_NS), 0)
    marks = np.stack([np.log(unit / price), (price - price[before]) / unit], axis=1)
    marks = (marks - marks.mean(axis=0)) / marks.std(axis=0)
    found = np.empty((len(days), PLACEBOS), dtype=np.int64)
    for k in range(len(days)):
        away = ((marks - marks[k]) ** 2).sum(axis=1)
        away[np.abs(now - now[k]) < _APART_NS] = np.inf
        found[k] = np.argpartition(away, PLACEBOS)[:PLACEBOS]
    return found
