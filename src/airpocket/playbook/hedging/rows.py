"""The scenarios that a hedge must hold up in: moves of price, shifts of volatility, days ahead, and the tails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from airpocket.domain.events import BoolArray, FloatArray
from airpocket.playbook.hedging.settings import HedgeSettings
from airpocket.playbook.hedging.walked import PathPoint


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """(r,) scenarios. move: of price, fraction. shift: of volatility at 30 days, relative. days: ahead.

    kept: where the account must keep its multiple of maintenance; in the others the hedge alone must not be
    worth less than nothing.
    """

    move: FloatArray
    shift: FloatArray
    days: FloatArray
    kept: BoolArray

    def __len__(self) -> int:
        return len(self.move)


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """What is held, without the hedge, in every row: (r,) USD."""

    equity: FloatArray
    maintenance: FloatArray


Valued: TypeAlias = Callable[[Rows], Base]


def rows_of(
    short: bool, gap_percent: float, settings: HedgeSettings, *,
    days: Sequence[float] | None = None, paths: Sequence[PathPoint] = (), tails_kept: bool = False,
) -> Rows:  # fmt: skip
    """The grid up to the gap, its edge included, the points of cascade paths at their own times, and the tails.

    Args:
        short: whether a rise is what hurts.
        days: ahead, instead of the settings'.
        paths: where cascades lead, each with every shift of volatility; those against the position beyond the gap
            are tails.
        tails_kept: whether the multiple is to be kept in the tails against the position too.
    """
    hurts = 1.0 if short else -1.0
    step = settings.step_percent / 100.0
    gap = gap_percent / 100.0
    with_us = -hurts * np.arange(step, settings.calm_percent / 100.0 + step / 2, step)
    against = hurts * np.append(np.arange(step, gap - 1e-9, step), gap)
    near = np.unique(np.concatenate([with_us, [0.0], against]))
    far = np.unique(np.concatenate([settings.tails_up, settings.tails_down]))
    kept = np.concatenate([np.ones(len(near), dtype=np.bool_), (hurts * far > 0.0) & tails_kept])
    grid = _crossed(np.concatenate([near, far]), kept, settings.vol_shifts, days or settings.days)
    return _joined(grid, _walked(paths, hurts, gap, settings.vol_shifts, tails_kept=tails_kept))


def line_of(moves: FloatArray, settings: HedgeSettings, days: Sequence[float]) -> Rows:
    """Every move with every shift and day, all to be kept: for looking along one line of prices."""
    return _crossed(moves, np.ones(len(moves), dtype=np.bool_), settings.vol_shifts, days)


def _crossed(
    moves: FloatArray, kept: BoolArray, shifts: Sequence[float], days: Sequence[float]
) -> Rows:
    at = [
        each.reshape(-1)
        for each in np.meshgrid(np.arange(len(moves)), np.asarray(shifts), np.asarray(days), indexing="ij")
    ]  # fmt: skip
    picked = at[0].astype(np.int64)
    return Rows(moves[picked], at[1].astype(np.float64), at[2].astype(np.float64), kept[picked])


def _walked(
    paths: Sequence[PathPoint], hurts: float, gap: float, shifts: Sequence[float], *, tails_kept: bool
) -> Rows:  # fmt: skip
    points = sorted({each for each in paths if each.move > -1.0})
    move, day = (np.array([each[k] for each in points], dtype=np.float64) for k in (0, 1))
    count = len(shifts)
    move, day = np.repeat(move, count), np.repeat(day, count)
    kept = (hurts * move <= gap) | tails_kept
    return Rows(move, np.tile(np.asarray(shifts, dtype=np.float64), len(points)), day, kept)


def _joined(one: Rows, other: Rows) -> Rows:
    return Rows(
        np.concatenate([one.move, other.move]), np.concatenate([one.shift, other.shift]),
        np.concatenate([one.days, other.days]), np.concatenate([one.kept, other.kept]),
    )  # fmt: skip
