"""The modelled map of one venue held against what its public accounts hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from airpocket.domain.units import PositionSide, TimeNs
from airpocket.liquidations.records import LiquidationMap

_PERCENT = (1.0, 3.0, 5.0, 10.0)
_SIDES: tuple[PositionSide, PositionSide] = ("short", "long")
_LEAST_COVERAGE = 0.05  # of a side's open interest, below which accounts say nothing about the rest


@dataclass(frozen=True, slots=True)
class Against:
    """One band of one side at one moment. USD.

    counted: what accounts hold there, over their share of open interest, as if the rest held alike.
    modelled, low, high: what the model alone says of the whole, and its 10 to 90 % range.
    """

    at: TimeNs
    key: str
    side: PositionSide
    percent: float
    coverage: float
    counted: float
    modelled: float
    low: float
    high: float

    @property
    def verdict(self) -> Literal["inside", "too small", "too large"]:
        if self.counted > self.high:
            return "too small"
        return "too large" if self.counted < self.low else "inside"


def against_census(found: LiquidationMap) -> list[Against]:
    """Every band of a map of one contract whose accounts were counted; none where they hold too little.

    The model has not seen the accounts: its own ladder (`parts`) is taken, not the blend.
    """
    told = {each.key: each for each in found.measured if each.kind == "perpetual"}
    if len(found.parts) != 1 or found.parts[0].key not in told or len(found.measured) != 1:
        return []
    part, measured = found.parts[0], told[found.parts[0].key]
    rows: list[Against] = []
    for side, sign in zip(_SIDES, (1.0, -1.0), strict=True):
        coverage, exact = measured.coverage(side), found.ladder(side).exact
        if coverage is None or coverage < _LEAST_COVERAGE or exact is None:
            continue
        away = sign * (found.middle / found.price - 1.0)
        for percent in _PERCENT:
            inside = (away >= 0.0) & (away <= percent / 100.0)
            amount = part.ladder(side).within(inside)
            counted = float(exact[inside].sum()) / coverage
            rows.append(
                Against(found.now, part.key, side, sign * percent, coverage, counted, amount.usd,
                        amount.low, amount.high)
            )  # fmt: skip
    return rows


def summed(rows: Sequence[Against]) -> list[tuple[float, int, float, float, float]]:
    """By band: percent, moments, Σ|modelled − counted|/Σ counted, Σ modelled/Σ counted, share inside."""
    found: list[tuple[float, int, float, float, float]] = []
    for percent in sorted({row.percent for row in rows}):
        mine = [row for row in rows if row.percent == percent]
        counted = np.array([row.counted for row in mine])
        modelled = np.array([row.modelled for row in mine])
        total = float(counted.sum())
        error = float(np.abs(modelled - counted).sum()) / total if total > 0.0 else float("nan")
        bias = float(modelled.sum()) / total if total > 0.0 else float("nan")
        inside = float(np.mean([row.verdict == "inside" for row in mine]))
        found.append((percent, len(mine), error, bias, inside))
    return found
