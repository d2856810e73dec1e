"""Leverage caps: the most leverage that keeps a distance to liquidation, or survives a gap with a buffer."""

import math
from dataclasses import dataclass

from airpocket.domain.errors import MarginError
from airpocket.domain.units import PositionSide
from airpocket.margin.tiers import TierTable


def liquidation_distance(side: PositionSide, leverage: float, mmr: float) -> float:
    """Fraction of the entry between it and liquidation: (1/Λ − m)/(1 + m) short, /(1 − m) long.

    Negative: the position opens below its maintenance. Raises MarginError for impossible inputs.
    """
    if not (leverage > 0.0 and math.isfinite(leverage)):
        raise MarginError(f"leverage must be positive, not {leverage:g}")
    return (1.0 / leverage - mmr) / (1.0 - _sign(side) * _rate(mmr))


def leverage_cap_distance(side: PositionSide, distance: float, mmr: float) -> float:
    """Largest leverage that keeps liquidation `distance` (fraction) away: 1/(d (1 ± m) + m)."""
    return 1.0 / (_fraction("distance", side, distance) * (1.0 - _sign(side) * _rate(mmr)) + mmr)


def leverage_cap_gap(side: PositionSide, gap: float, buffer: float, mmr: float) -> float:
    """Largest leverage that has `buffer` times maintenance left after an adverse `gap` (fraction).

    1/(g + b m (1 + g)) for a short, 1/(g + b m (1 − g)) for a long.
    """
    if not (buffer >= 0.0 and math.isfinite(buffer)):
        raise MarginError(f"buffer must not be negative, not {buffer:g}")
    g = _fraction("gap", side, gap)
    needed = g + buffer * _rate(mmr) * (1.0 - _sign(side) * g)
    if needed <= 0.0:
        raise MarginError("gap 0 with no buffer caps nothing")
    return 1.0 / needed


def leverage_cap_inverse(side: PositionSide, gap: float, buffer: float, mmr: float) -> float:
    """The gap rule of an inverse contract, margined in coin: (1 ± g)/(g + b m), + for a short.

    With buffer 1 the distance rule: liquidation `gap` away.
    """
    g = _fraction("gap", side, gap)
    needed = g + buffer * _rate(mmr)
    if needed <= 0.0:
        raise MarginError("gap 0 with no buffer caps nothing")
    return (1.0 - _sign(side) * g) / needed


@dataclass(frozen=True, slots=True)
class LeverageCap:
    """The smallest of the rules. binding: `liquidation distance`, `gap and buffer` or `venue limit`.

    Each leverage in x; venue_x None where the venue's limit is not published. mmr fractions are the
    maintenance over notional (deduction counted) at the price each rule looks at.
    """

    leverage_x: float
    binding: str
    distance_x: float
    gap_x: float
    venue_x: float | None
    mmr_at_distance: float
    mmr_at_gap: float


def caps_with_tiers(
    side: PositionSide, notional: float, tiers: TierTable, *, distance: float, gap: float, buffer: float
) -> LeverageCap:  # fmt: skip
    """The cap for a linear position of `notional` (tiers' currency, at the entry) under a tier table.

    The size fixes the notional at the price each rule looks at, so the tier of *that* notional counts:
    a short's grows on the way. Rates are effective ones, maintenance over notional, so that the formulas
    of a flat rate stay exact. Above the last published cap the last tier's rate goes on.

    Raises:
        MarginError: notional outside the table, or an impossible rule.
    """
    tiers.tier_of(notional)
    if not notional > 0.0:
        raise MarginError(f"notional must be positive, not {notional:g}")
    away = 1.0 - _sign(side) * _fraction("distance", side, distance)
    after = 1.0 - _sign(side) * _fraction("gap", side, gap)
    at_distance, at_gap = _effective(tiers, notional * away), _effective(tiers, notional * after)
    rules = {
        "liquidation distance": leverage_cap_distance(side, distance, at_distance),
        "gap and buffer": leverage_cap_gap(side, gap, buffer, at_gap),
    }
    venue = tiers.max_leverage_at(notional)
    if venue is not None:
        rules["venue limit"] = venue
    binding = min(rules, key=lambda rule: rules[rule])
    return LeverageCap(
        rules[binding], binding, rules["liquidation distance"], rules["gap and buffer"], venue,
        at_distance, at_gap,
    )  # fmt: skip


def _effective(tiers: TierTable, notional: float) -> float:
    mmr, deduction = tiers.rate_at(notional)
    return mmr - deduction / notional


def _sign(side: PositionSide) -> int:
    if side not in ("long", "short"):
        raise MarginError(f"side must be long or short, not '{side}'")
    return 1 if side == "long" else -1


def _rate(mmr: float) -> float:
    if not 0.0 <= mmr < 1.0:
        raise MarginError(f"maintenance rate must lie between 0 and 1, not {mmr:g}")
    return mmr


def _fraction(name: str, side: PositionSide, value: float) -> float:
    most = 1.0 if side == "long" else math.inf
    if not 0.0 <= value < most:
        raise MarginError(
            f"{name} of a {side} must be at least 0{'' if side == 'short' else ' and below 1'}, not {value:g}"
        )
    return value
