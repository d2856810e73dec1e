"""Implied volatility of many options at once: Halley's method on the logarithm of the price, in a bracket."""

import math

import numpy as np
from numpy.typing import ArrayLike

from airpocket.domain.events import BoolArray, FloatArray
from airpocket.domain.kernel import inlined, kernel
from airpocket.market.options.normal import ROOT_2PI, mills

_LOG_ROOT_2PI = math.log(ROOT_2PI)
_TIGHT = 4e-16
_MOST = 80


def implied_volatility(
    call: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, price: ArrayLike,
    rate: float = 0.0,
) -> FloatArray:  # fmt: skip
    """Volatility (fraction a year) at which Black-76 gives `price`; the arguments broadcast.

    NaN where no volatility does: a price at or below its intrinsic value, or at or above F (puts: K), or
    arguments that are no numbers above zero. In units of √(FK) with x = ln(F/K) ≤ 0, every option is an
    out-of-the-money call b(x, s) (Jäckel 2013); ln b is solved for s, and near its bound the rest, whose
    logarithms are nearly straight. In the money the price holds little of the volatility: what its rounding
    leaves is what is found.
    """
    wide = np.broadcast_arrays(
        np.asarray(call, dtype=np.bool_),
        *(np.asarray(each, dtype=np.float64) for each in (forward, strike, years, price)),
    )
    flat = [np.ascontiguousarray(each).reshape(-1) for each in wide]
    out = np.empty(flat[0].size)
    _implied(flat[0], flat[1], flat[2], flat[3], flat[4], rate, out)
    return out.reshape(wide[0].shape)


@kernel
def _implied(
    call: BoolArray, forward: FloatArray, strike: FloatArray, years: FloatArray, price: FloatArray, rate: float,
    out: FloatArray,
) -> None:  # fmt: skip
    for i in range(len(forward)):
        f, k, t = forward[i], strike[i], years[i]
        if not (0.0 < f < math.inf and 0.0 < k < math.inf and 0.0 < t < math.inf):
            out[i] = math.nan
            continue
        value = price[i] * (1.0 if rate == 0.0 else math.exp(rate * t))
        if call[i] and f > k:  # in the money: the other one, by parity
            value -= f - k
        elif not call[i] and k > f:
            value -= k - f
        if value >= min(f, k):
            out[i] = math.nan
            continue
        out[i] = solve(-abs(math.log(f / k)), value / math.sqrt(f * k)) / math.sqrt(t)


@inlined
def solve(x: float, target: float) -> float:
    """s = σ√T with b(x, s) = `target` for x ≤ 0; NaN outside of 0 < target < e^(x/2)."""
    bound = math.exp(0.5 * x)
    if not 0.0 < target < bound:
        return math.nan
    turn = math.sqrt(-2.0 * x)  # where b bends
    at_turn = _price(x, turn, bound) if turn > 0.0 else 0.0
    high = target > 0.5 * bound
    wanted = math.log(bound - target) if high else math.log(target)
    low, most = 0.0, math.inf
    if target < at_turn:
        most = turn
        s = -x / math.sqrt(-0.5 * x + 2.0 * math.log(at_turn / target))
    else:
        low = turn
        s = turn + (target - at_turn) * ROOT_2PI / bound * math.exp(-0.5 * x)
    for _ in range(_MOST):
        h, half = x / s, 0.5 * s
        d1, d2 = h + half, h - half
        exponent = -0.5 * (h * h + half * half)
        if high or d1 >= 0.0:
            density = math.exp(exponent) / ROOT_2PI
            tails = mills(d1) + mills(-d2) if d1 >= 0.0 else 0.0
            rest = density * tails if d1 >= 0.0 else bound - density * (mills(-d1) - mills(-d2))
            if high:
                error, slope = math.log(rest) - wanted, -density / rest
            else:
                reached = bound - rest
                error, slope = math.log(reached) - wanted, density / reached
        else:
            apart = mills(-d1) - mills(-d2)
            error, slope = exponent - _LOG_ROOT_2PI + math.log(apart) - wanted, 1.0 / apart
        if (error > 0.0) != high:
            most = s
        else:
            low = s
        bend = h * h / s - 0.25 * s - slope  # f″ / f′
        newton = error / slope
        step = newton / max(1.0 - 0.5 * newton * bend, 0.5)
        new = s - step
        if not low < new < most:
            new = 0.5 * (low + most) if most < math.inf else 2.0 * s
        if abs(new - s) <= _TIGHT * s:
            return new
        s = new
    return s


@inlined
def _price(x: float, s: float, bound: float) -> float:
    h, half = x / s, 0.5 * s
    d1, d2 = h + half, h - half
    density = math.exp(-0.5 * (h * h + half * half)) / ROOT_2PI
    if d1 < 0.0:
        return density * (mills(-d1) - mills(-d2))
    return bound - density * (mills(d1) + mills(-d2))
