"""Exponential and logarithm in plain arithmetic, without a branch: loops over them become vector code."""

import math

import numpy as np

from airpocket.domain.kernel import fused, inlined

_LOG2_E = 1.0 / math.log(2.0)
# ln 2 in two parts, the first so short that its small multiples are exact
_LN2, _LN2_REST = 0.6931471803691238, 1.9082149292705877e-10
# adding 1.5 × 2⁵² to a small number leaves its nearest integer in the lowest bits
_SHIFT = 1.5 * 2.0**52
_SHIFT_BITS = np.float64(_SHIFT).view(np.int64)
_ROOT_HALF_BITS = np.float64(math.sqrt(0.5)).view(np.int64)
_MANTISSA = np.int64(52)


@inlined
def exponential(x: float) -> float:
    """eˣ for −708 ≤ x ≤ 709, within 1 unit in the last place.

    2ⁿ e^r with |r| ≤ ½ ln 2; e^r is 1 + r + r² times the Chebyshev interpolant of degree 9.
    """
    shifted = fused(x, _LOG2_E, _SHIFT)
    n = shifted - _SHIFT
    r = fused(n, -_LN2_REST, fused(n, -_LN2, x))
    two = r * r
    four = two * two
    low = fused(
        two, fused(0.008333333333330062, r, 0.04166666666662413), fused(0.16666666666666669, r, 0.5)
    )
    middle = fused(
        two, fused(2.7557268459997064e-06, r, 2.4801521295954376e-05),
        fused(0.00019841269863053618, r, 0.0013888888917213717),
    )  # fmt: skip
    high = fused(2.510038549551032e-08, r, 2.7620088445409746e-07)
    grown = 1.0 + fused(two, fused(four, fused(four, high, middle), low), r)
    exponent = np.float64(shifted).view(np.int64) << _MANTISSA
    return np.int64(np.float64(grown).view(np.int64) + exponent).view(np.float64)


@inlined
def logarithm(x: float) -> float:
    """ln x for positive x, within 1 unit in the last place; ±709 where x has left the normal numbers.

    n ln 2 + 2 artanh s with s = (m − 1)/(m + 1) and √½ ≤ m < √2, by the Chebyshev interpolant of degree 6 in s².
    """
    bits = np.float64(x).view(np.int64)
    exponent = (bits - _ROOT_HALF_BITS) >> _MANTISSA
    m = np.int64(bits - (exponent << _MANTISSA)).view(np.float64)
    n = np.int64(exponent + _SHIFT_BITS).view(np.float64) - _SHIFT
    over = m - 1.0
    s = over / (m + 1.0)
    two = s * s
    four = two * two
    low = fused(two, 0.3999999999989889, 0.666666666666667)
    middle = fused(two, 0.22222211089379496, 0.28571428626253836)
    high = fused(four, 0.14617807153417325, fused(two, 0.15331611722055008, 0.1818289243253687))
    series = fused(four, fused(four, high, middle), low)
    # 2s = over − s over: what is small is taken from what is exact
    return fused(n, _LN2, over - fused(s, fused(-two, series, over), -n * _LN2_REST))
