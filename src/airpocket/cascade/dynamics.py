"""Closed forms of a cascade: amplification, overshoot with resilience, several venues, the slow limit."""

import math
from typing import NamedTuple

import numpy as np

from airpocket.domain.events import FloatArray


class Overshoot(NamedTuple):
    """peak and time_to_peak (in units of the latency τ) are None in a runaway; growth: it speeds up first.

    time_to_peak is also None where the peak is only approached (no resilience at all).
    """

    runaway: bool
    growth: bool
    peak: float | None
    time_to_peak: float | None


class NextGeneration(NamedTuple):
    """matrix: (n, n) forced flow of venue i per unit of forced flow on venue j."""

    matrix: FloatArray
    spectral_radius: float
    self_sustaining: bool


def amplification(reproduction: float) -> float:
    """1 / (1 − R): all flow over the push, for an even ladder and book.

    Raises:
        ValueError: R is not in [0, 1); from 1 on the flow never ends while fuel lasts.
    """
    if not 0.0 <= reproduction < 1.0:
        raise ValueError(f"amplification needs a reproduction number in [0, 1), not {reproduction}")
    return 1.0 / (1.0 - reproduction)


def runaway_threshold(kappa_tau: float) -> float:
    """(1 + √κτ)²: the reproduction number from which a burst has no turning point while fuel lasts.

    Raises:
        ValueError: κτ is negative or not finite.
    """
    _finite_from_zero(kappa_tau=kappa_tau)
    return (1.0 + math.sqrt(kappa_tau)) ** 2


def overshoot_peak(reproduction: float, kappa_tau: float) -> Overshoot:
    """First peak of z″ + (1 + κτ − R) z′ + κτ z = 0, z(0) = 1, z′(0) = R − κτ, time in units of τ.

    z is the displacement as a multiple of the first push. With c = 1 + κτ − R and D = c²/4 − κτ the
    peak is where tanh(√D t)/√D = (R − κτ) / (κτ + c (R − κτ)/2), a tangent for D < 0. It is final:
    only new highs trigger. Assumes one venue, even fuel, linear impact.

    Raises:
        ValueError: R or κτ is negative or not finite.
    """
    _finite_from_zero(reproduction_number=reproduction, kappa_tau=kappa_tau)
    growth = reproduction > 1.0 + kappa_tau
    if reproduction >= runaway_threshold(kappa_tau):
        return Overshoot(True, growth, None, None)
    if reproduction <= kappa_tau:
        return Overshoot(False, growth, 1.0, 0.0)
    damping = 1.0 + kappa_tau - reproduction
    rise = reproduction - kappa_tau
    fall = kappa_tau + damping * rise / 2.0
    discriminant = damping**2 / 4.0 - kappa_tau
    if discriminant < 0.0:
        omega = math.sqrt(-discriminant)
        time = math.atan2(omega * rise, fall) / omega
        return Overshoot(False, growth, _displaced(time, damping, rise, discriminant), time)
    omega = math.sqrt(discriminant)
    if omega * rise >= fall:  # resilience too small to see: the static limit, approached for ever
        return Overshoot(False, growth, amplification(reproduction), None)
    time = math.atanh(omega * rise / fall) / omega if omega > 0.0 else rise / fall
    return Overshoot(False, growth, _displaced(time, damping, rise, discriminant), time)


def _displaced(time: float, damping: float, rise: float, discriminant: float) -> float:
    """z at `time`."""
    omega = math.sqrt(abs(discriminant))
    slope = rise + damping / 2.0
    if omega * time < 1e-9:
        wave, swing = 1.0, time
    elif discriminant < 0.0:
        wave, swing = math.cos(omega * time), math.sin(omega * time) / omega
    else:
        wave, swing = math.cosh(omega * time), math.sinh(omega * time) / omega
    return math.exp(-damping * time / 2.0) * (wave + slope * swing)


def next_generation_matrix(
    fuel: FloatArray, impact: FloatArray, pass_through: FloatArray
) -> NextGeneration:
    """K_ij = W_ij ρ_i λ_j and its spectral radius: above 1 the venues feed each other without end.

    fuel: (n,) forced flow per unit of log price; impact: (n,) log price per unit of flow; pass_through:
    (n, n), how much of venue j's move reaches venue i's mark.

    Raises:
        ValueError: shapes do not fit, or a number is negative or not finite.
    """
    n = len(fuel)
    if n == 0 or impact.shape != (n,) or pass_through.shape != (n, n):
        raise ValueError(
            f"{n} venues need {n} impacts and a {n} × {n} pass-through, not "
            f"{impact.shape} and {pass_through.shape}"
        )
    for name, array in (("fuel", fuel), ("impact", impact), ("pass-through", pass_through)):
        if not np.isfinite(array).all() or (array < 0).any():
            raise ValueError(f"{name} holds a number that is negative or not finite")
    matrix = pass_through * fuel[:, None] * impact[None, :]
    radius = float(np.abs(np.linalg.eigvals(matrix)).max())
    return NextGeneration(matrix, radius, radius > 1.0)


def sqrt_impact(y: float, daily_vol: float, daily_volume_usd: float, order_usd: float) -> float:
    """Y σ √(Q/V): the move, a fraction, that an order of Q worked over about a day leaves behind.

    Donier and Bonart 2015 for Bitcoin, Tóth et al. 2011. Too small for a fast order in a thin book.

    Raises:
        ValueError: a number is negative or not finite, or the volume is zero.
    """
    _finite_from_zero(order_usd=order_usd)
    return _law(y, daily_vol, daily_volume_usd) * math.sqrt(order_usd)


def sqrt_absorbed(
    move: FloatArray, y: float, daily_vol: float, daily_volume_usd: float
) -> FloatArray:
    """V (x/(Yσ))²: the same law the other way round, the USD it takes to move price by x.

    Raises:
        ValueError: Y or σ is not positive: the law would absorb without limit.
    """
    scale = _law(y, daily_vol, daily_volume_usd)
    if scale <= 0.0:
        raise ValueError("the square-root law needs a positive coefficient and volatility")
    return (move / scale) ** 2


def sqrt_constant(y: float, daily_vol: float, daily_volume_usd: float, fuel_usd: float) -> float:
    """c = Y σ √(ρ/V), with ρ the forced USD per unit move; c² is the move an empty push ends at."""
    _finite_from_zero(fuel_usd_per_unit_move=fuel_usd)
    return _law(y, daily_vol, daily_volume_usd) * math.sqrt(fuel_usd)


def sqrt_limit_stop(constant: float, initial_move: float) -> float:
    """x* from √x* = (c + √(c² + 4 x0))/2: the initial move and what even fuel adds to it; always ends.

    Raises:
        ValueError: the initial move is negative or not finite.
    """
    _finite_from_zero(initial_move_fraction=initial_move)
    return ((constant + math.sqrt(constant**2 + 4.0 * initial_move)) / 2.0) ** 2


def r_slow(constant: float, move: float) -> float:
    """c / (2 √x): the reproduction number of the square-root limit after a move of x.

    Raises:
        ValueError: the move is not positive.
    """
    if not (math.isfinite(move) and move > 0.0):
        raise ValueError(f"move_fraction must be positive, not {move}")
    return constant / (2.0 * math.sqrt(move))


def borel(reproduction: float, sizes: list[int]) -> list[float]:
    """P(n) = e^(−Rn) (Rn)^(n−1) / n!: how many liquidations one triggers in all, itself counted.

    Total progeny of a Poisson branching process (Borel 1942); mean 1/(1 − R), variance R/(1 − R)³.

    Raises:
        ValueError: R is not in [0, 1], or a size is below 1.
    """
    if not 0.0 <= reproduction <= 1.0:
        raise ValueError(f"the Borel distribution needs R in [0, 1], not {reproduction}")
    if any(n < 1 for n in sizes):
        raise ValueError("a cascade has at least its first liquidation: sizes start at 1")
    if reproduction == 0.0:
        return [1.0 if n == 1 else 0.0 for n in sizes]
    return [
        math.exp(-reproduction * n + (n - 1) * math.log(reproduction * n) - math.lgamma(n + 1))
        for n in sizes
    ]


def survival_probability(reproduction: float) -> float:
    """1 − q with q = e^(R(q − 1)): the chance that a branching cascade never dies; 0 for R ≤ 1.

    Raises:
        ValueError: R is negative or not finite.
    """
    _finite_from_zero(reproduction_number=reproduction)
    if reproduction <= 1.0:
        return 0.0
    low, high = 0.0, 1.0 - math.log(reproduction) / reproduction  # where e^(R(q−1)) − q is least
    for _ in range(80):
        middle = (low + high) / 2.0
        if math.exp(reproduction * (middle - 1.0)) > middle:
            low = middle
        else:
            high = middle
    return 1.0 - (low + high) / 2.0


def _law(y: float, daily_vol: float, daily_volume_usd: float) -> float:
    """Y σ / √V."""
    _finite_from_zero(y_coefficient=y, daily_vol_fraction=daily_vol)
    if not (math.isfinite(daily_volume_usd) and daily_volume_usd > 0.0):
        raise ValueError(f"daily_volume_usd must be positive, not {daily_volume_usd}")
    return y * daily_vol / math.sqrt(daily_volume_usd)


def _finite_from_zero(**named: float) -> None:
    for name, value in named.items():
        if not (math.isfinite(value) and value >= 0.0):
            raise ValueError(f"{name} must be zero or more and finite, not {value}")
