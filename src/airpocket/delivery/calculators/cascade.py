"""Calculators of the cascade: the fuel scan and the closed forms, from plain numbers to plain numbers."""

from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

import numpy as np

from airpocket.cascade import dynamics
from airpocket.cascade.static import static_scan as scan
from airpocket.domain.errors import BadInput
from airpocket.domain.events import FloatArray

P = ParamSpec("P")
R = TypeVar("R")


def static_scan(
    *,
    absorb_cumulative_usd_m: Sequence[float],
    forced_cumulative_usd_m: Sequence[float],
    push_usd_m: float | Sequence[float],
) -> dict[str, object]:
    """Where pushes stop on a ladder of forced flow, and what passing each level costs."""
    many = isinstance(push_usd_m, Sequence)
    pushes = push_usd_m if isinstance(push_usd_m, Sequence) else [push_usd_m]
    found = _asked(scan, _row(absorb_cumulative_usd_m), _row(forced_cumulative_usd_m), _row(pushes))
    stops, stopped = found.stop_index.tolist(), found.stopped.tolist()
    return {
        "stop_index": stops if many else stops[0],
        "stopped_inside_grid": stopped if many else stopped[0],
        "net_absorb_usd_m": found.net_absorb.tolist(),
        "ignition_cost_usd_m": found.ignition_cost.tolist(),
    }


def amplification(*, reproduction_number: float) -> dict[str, object]:
    """All the flow a push sets off over the push itself, for even fuel."""
    return {"amplification": _asked(dynamics.amplification, reproduction_number)}


def overshoot_peak(*, reproduction_number: float, kappa_tau: float) -> dict[str, object]:
    """How far a burst overshoots its first push, when, and whether anything turns it round."""
    found = _asked(dynamics.overshoot_peak, reproduction_number, kappa_tau)
    return {
        "runaway": found.runaway,
        "peak_multiplier": found.peak,
        "runaway_threshold": dynamics.runaway_threshold(kappa_tau),
        "growth": found.growth,
        "time_to_peak_tau": found.time_to_peak,
    }


def runaway_threshold(*, kappa_tau: float) -> dict[str, object]:
    """The reproduction number from which a burst has no turning point while fuel lasts."""
    return {"reproduction_number": _asked(dynamics.runaway_threshold, kappa_tau)}


def squeeze_number(*, reproduction_number: float, kappa_tau: float) -> dict[str, object]:
    """S = R/(1 + √κτ)², and what a burst does there."""
    threshold = _asked(dynamics.runaway_threshold, kappa_tau)
    found = _asked(dynamics.overshoot_peak, reproduction_number, kappa_tau)
    return {
        "squeeze_number": reproduction_number / threshold,
        "growth_threshold": 1.0 + kappa_tau,
        "runaway_threshold": threshold,
        "regime": "runs while fuel lasts" if found.runaway
        else "speeds up, then ends" if found.growth else "ends by itself",
    }  # fmt: skip


def next_generation_matrix(
    *,
    fuel_usd_bn_per_log_price: Sequence[float],
    impact_log_price_per_usd_bn: Sequence[float],
    pass_through: Sequence[Sequence[float]],
) -> dict[str, object]:
    """Forced flow that forced flow on one venue sets off on another, and whether it feeds itself."""
    n = len(fuel_usd_bn_per_log_price)
    if any(len(row) != n for row in pass_through):
        raise BadInput(f"pass_through needs {n} numbers in every row")
    found = _asked(
        dynamics.next_generation_matrix,
        _row(fuel_usd_bn_per_log_price),
        _row(impact_log_price_per_usd_bn),
        np.array(pass_through, dtype=np.float64),
    )
    return {
        "matrix": found.matrix.tolist(),
        "spectral_radius": found.spectral_radius,
        "self_sustaining": found.self_sustaining,
    }


def sqrt_limit_stop(
    *,
    y_coefficient: float,
    daily_vol_fraction: float,
    daily_volume_usd: float,
    fuel_usd_per_unit_move: float,
    initial_move_fraction: float,
) -> dict[str, object]:
    """Where a first move ends in the square-root limit, with even fuel."""
    constant = _asked(
        dynamics.sqrt_constant,
        y_coefficient,
        daily_vol_fraction,
        daily_volume_usd,
        fuel_usd_per_unit_move,
    )
    stop = _asked(dynamics.sqrt_limit_stop, constant, initial_move_fraction)
    return {"stop_move_fraction": stop}


def sqrt_impact(
    *,
    y_coefficient: float,
    daily_vol_fraction: float,
    daily_volume_usd: float,
    order_usd: float,
) -> dict[str, object]:
    """The move an order leaves behind by the square-root law."""
    move = _asked(
        dynamics.sqrt_impact, y_coefficient, daily_vol_fraction, daily_volume_usd, order_usd
    )
    return {"move_fraction": move}


def r_slow(
    *,
    y_coefficient: float,
    daily_vol_fraction: float,
    daily_volume_usd: float,
    fuel_usd_per_unit_move: float,
    move_fraction: float,
) -> dict[str, object]:
    """The reproduction number of the square-root limit after a move."""
    constant = _asked(
        dynamics.sqrt_constant,
        y_coefficient,
        daily_vol_fraction,
        daily_volume_usd,
        fuel_usd_per_unit_move,
    )
    return {"r_slow": _asked(dynamics.r_slow, constant, move_fraction)}


def _row(numbers: Sequence[float]) -> FloatArray:
    row = np.array(numbers, dtype=np.float64)
    if row.ndim != 1:
        raise BadInput("a list of plain numbers is wanted")
    return row


def _asked(function: Callable[P, R], *given: P.args, **named: P.kwargs) -> R:
    """The function's answer; what it refuses becomes bad input."""
    try:
        return function(*given, **named)
    except ValueError as error:
        raise BadInput(str(error)) from error


CALCULATORS: dict[str, Callable[..., dict[str, object]]] = {
    "static_scan": static_scan,
    "amplification": amplification,
    "overshoot_peak": overshoot_peak,
    "runaway_threshold": runaway_threshold,
    "squeeze_number": squeeze_number,
    "next_generation_matrix": next_generation_matrix,
    "sqrt_limit_stop": sqrt_limit_stop,
    "sqrt_impact": sqrt_impact,
    "r_slow": r_slow,
}
