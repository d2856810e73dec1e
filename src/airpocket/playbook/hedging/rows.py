"""The scenarios that a hedge must hold up in: moves of price, shifts of volatility, days ahead, and the tails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from airpocket.domain.events import BoolArray, FloatArray
from airpocket.playbook.hedging.settings import HedgeSettings


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
    days: Sequence[float] | None = None, paths: Sequence[float] = (), tails_kept: bool = False,
) -> Rows:  # fmt: skip
    """The grid up to the gap, its edge included, the moves of cascade paths, and the tails.

    Args:
        short: whether a rise is what hurts.
        days: ahead, instead of the settings'.
        paths: moves that cascade paths reached, fractions; those against the position beyond the gap are tails.
        tails_kept: whether the multiple is to be kept in the tails against the position too.
    """
    hurts = 1.0 if short else -1.0
    step = settings.step_percent / 100.0
    gap = gap_percent / 100.0
    with_us = -hurts * np.arange(step, settings.calm_percent / 100.0 + step / 2, step)
    against = hurts * np.append(np.arange(step, gap - 1e-9, step), gap)
    walked = np.array([move for move in paths if move > -1.0], dtype=np.float64)
    near = np.unique(np.concatenate([with_us, [0.0], against, walked[hurts * walked <= gap]]))
    far = np.unique(
        np.concatenate([settings.tails_up, settings.tails_down, walked[hurts * walked > gap]])
    )
    kept = np.concatenate([np.ones(len(near), dtype=np.bool_), (hurts * far > 0.0) & tails_kept])
    return _crossed(np.concatenate([near, far]), kept, settings.vol_shifts, days or settings.days)


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
