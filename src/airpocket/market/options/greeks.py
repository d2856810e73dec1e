"""Black-76 on the expiry's forward: price and greeks of many European options at once.

An inverse option pays (S − K)⁺/S in coin. With the forward as numéraire it is a vanilla option (Lucic and Sepp
2024): its price in coin is the price in the quote over F, and only the delta of who counts in coin differs.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from airpocket.domain.events import BoolArray, FloatArray
from airpocket.domain.kernel import kernel
from airpocket.market.options.normal import ROOT_2PI, mills


class Greeks(NamedTuple):
    """Of options on F, per option; arrays of one shape.

    price: quote units, discounted. delta: to F. delta_coin: premium-adjusted, for who counts in coin.
    gamma: of the delta, per unit of F. vega: per 1.0 of volatility. theta: a year, F held still.
    rho: per 1.0 of rate.
    """

    price: FloatArray
    delta: FloatArray
    delta_coin: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    rho: FloatArray


def greeks(
    call: ArrayLike, forward: ArrayLike, strike: ArrayLike, years: ArrayLike, volatility: ArrayLike,
    rate: float = 0.0,
) -> Greeks:  # fmt: skip
    """Price and greeks (Black 1976); the arguments broadcast against one another.

    Args:
        call: true for calls, false for puts.
        years: to expiry, of 365 days; 0 is expiry itself.
        volatility: fraction a year; 0 gives the discounted intrinsic value.
        rate: a year, continuously compounded.

    Raises:
        ValueError: a forward or strike is not positive, or years or volatility negative, or one not finite.
    """
    calls = np.asarray(call, dtype=np.bool_)
    numbers = [np.asarray(each, dtype=np.float64) for each in (forward, strike, years, volatility)]
    for name, each, least in zip(("forward", "strike"), numbers[:2], (0.0, 0.0), strict=True):
        if not ((each > least) & np.isfinite(each)).all():
            raise ValueError(f"{name} must be positive and finite")
    for name, each in zip(("years", "volatility"), numbers[2:], strict=True):
        if not ((each >= 0.0) & np.isfinite(each)).all():
            raise ValueError(f"{name} must be finite and not negative")
    if not math.isfinite(rate):
        raise ValueError("rate must be finite")
    wide = np.broadcast_arrays(calls, *numbers)
    shape = wide[0].shape
    flat = [np.ascontiguousarray(each).reshape(-1) for each in wide]
    out = np.empty((7, flat[0].size))
    _greeks(flat[0], flat[1], flat[2], flat[3], flat[4], rate, out)
    return Greeks(*out.reshape(7, *shape))


@kernel
def _greeks(
    call: BoolArray, forward: FloatArray, strike: FloatArray, years: FloatArray, volatility: FloatArray,
    rate: float, out: FloatArray,
) -> None:  # fmt: skip
    for i in range(len(forward)):
        f, k, t, vol = forward[i], strike[i], years[i], volatility[i]
        is_call = call[i]
        discount = 1.0 if rate == 0.0 else math.exp(-rate * t)
        past = math.sqrt(t)
        root = vol * past
        if root > 0.0:
            d1 = math.log(f / k) / root + 0.5 * root
            d2 = d1 - root
            density = math.exp(-0.5 * d1 * d1) / ROOT_2PI
            tail1 = density * mills(abs(d1))
            tail2 = density * (f / k) * mills(abs(d2))  # F n(d₁) = K n(d₂)
        else:
            d1 = d2 = 1.0 if f > k else -1.0
            density = tail1 = tail2 = 0.0
        above1 = 1.0 - tail1 if d1 > 0.0 else tail1
        above2 = 1.0 - tail2 if d2 > 0.0 else tail2
        below1 = tail1 if d1 > 0.0 else 1.0 - tail1
        below2 = tail2 if d2 > 0.0 else 1.0 - tail2
        # the one out of the money from the tails, the other by parity: nothing cancels
        to_call = f * above1 - k * above2
        to_put = k * below2 - f * below1
        spare = to_call if f <= k else to_put
        inside = f - k if is_call else k - f
        value = discount * (max(spare, 0.0) + max(inside, 0.0))
        slope = discount * f * density
        out[0, i] = value
        out[1, i] = discount * (above1 if is_call else -below1)
        out[2, i] = discount * (k / f) * (above2 if is_call else -below2)
        out[3, i] = discount * density / (f * root) if root > 0.0 else 0.0
        out[4, i] = slope * past
        out[5, i] = rate * value - (0.5 * slope * vol / past if past > 0.0 else 0.0)
        out[6, i] = -t * value


class SpotGreeks(NamedTuple):
    """Of one option on a spot with a yield (generalised Black-Scholes); names as in `Greeks`."""

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float


def spot_greeks(
    call: bool, spot: float, strike: float, years: float, volatility: float, rate: float, yields: float
) -> SpotGreeks:  # fmt: skip
    """The same seen from the spot, S = F e^(−(r − q)T): deltas to S, time with S held still.

    Raises:
        ValueError: as `greeks`; or yields is not finite.
    """
    if not math.isfinite(yields):
        raise ValueError("the yield must be finite")
    grown = math.exp((rate - yields) * years)
    forward = greeks(call, spot * grown, strike, years, volatility, rate)
    value, to_forward = float(forward.price), float(forward.delta)
    drift = (rate - yields) * spot * grown * to_forward  # F falls as time passes and S stays
    return SpotGreeks(
        price=value, delta=to_forward * grown, gamma=float(forward.gamma) * grown * grown,
        vega=float(forward.vega), theta=float(forward.theta) - drift,
        rho=float(forward.rho) + to_forward * spot * grown * years,
    )  # fmt: skip
