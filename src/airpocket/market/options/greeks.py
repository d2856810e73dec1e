"""Black-76 on the expiry's forward: price and greeks of many European options at once.

An inverse option pays (S − K)⁺/S in coin. With the forward as numéraire it is a vanilla option (Lucic and Sepp
2024): its price in coin is the price in the quote over F, and only the delta of who counts in coin differs.
"""

import math
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike

from airpocket.domain.events import BoolArray, FloatArray
from airpocket.domain.kernel import fused, inlined, kernel
from airpocket.market.options import blocks
from airpocket.market.options.elementary import exponential, logarithm


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
    for name, each in zip(("forward", "strike", "years", "volatility"), numbers, strict=True):
        least, most = (each.min(), each.max()) if each.size else (1.0, 1.0)  # no number compares
        if name in ("forward", "strike") and not 0.0 < least <= most < math.inf:
            raise ValueError(f"{name} must be positive and finite")
        if not 0.0 <= least <= most < math.inf:
            raise ValueError(f"{name} must be finite and not negative")
    if not math.isfinite(rate):
        raise ValueError("rate must be finite")
    wide = np.broadcast(calls, *numbers)
    out = np.empty((len(Greeks._fields), wide.size))
    block = np.ones(_ROWS * blocks.ROW)
    at = 0
    chunks = cast(Any, np.nditer)(  # its types know no "contig"
        (calls, *numbers), ("buffered", "external_loop", "zerosize_ok"), [("readonly", "contig")] * 5,
        order="C", buffersize=_CHUNK,
    )  # fmt: skip
    for call_, f, k, t, vol in chunks:
        _greeks(call_, (f, k, t, vol), rate, block, at, out)
        at += len(call_)
    return Greeks(*out.reshape(len(out), *wide.shape))


_CHUNK = 16_384  # options that go to the kernel at once: broadcast to arrays that the cache holds
_F, _K, _T, _VOL, _CALL, _DISCOUNT, _PER = (
    row * blocks.ROW for row in range(blocks.FIRST_FREE, blocks.FIRST_FREE + 7)
)
_OUT = blocks.FIRST_FREE + 7
_PRICE, _DELTA, _COIN, _GAMMA, _VEGA, _THETA, _RHO = (
    row * blocks.ROW for row in range(_OUT, _OUT + 7)
)
_ROWS = _OUT + 7
_LEAST, _MOST = -708.0, 709.0  # what `exponential` takes


@kernel
def _greeks(
    call: BoolArray, numbers: tuple[FloatArray, FloatArray, FloatArray, FloatArray], rate: float,
    block: FloatArray, at: int, out: FloatArray,
) -> None:  # fmt: skip
    for start in range(0, len(call), blocks.LANES):
        count = min(blocks.LANES, len(call) - start)
        for number in range(4):
            blocks.move(numbers[number][start : start + count], block[_F + number * blocks.ROW :])
        blocks.move(call[start : start + count], block[_CALL:])
        if rate != 0.0:
            for i in range(blocks.LANES):
                block[_DISCOUNT + i] = exponential(min(max(-rate * block[_T + i], _LEAST), _MOST))
        for i in range(blocks.LANES):
            _distances(block, i)
        for i in range(blocks.LANES):
            blocks.tails(block, i)
        for i in range(blocks.LANES):
            _sensitivities(block, i, rate)
        for number in range(7):
            row = (_OUT + number) * blocks.ROW
            blocks.move(block[row : row + count], out[number, at + start :])


@inlined
def _distances(block: FloatArray, i: int) -> None:
    f, k = block[_F + i], block[_K + i]
    root = block[_VOL + i] * math.sqrt(block[_T + i])
    ratio = f / k  # F n(d₁) = K n(d₂)
    per = 1.0 / (f * (root if root > blocks.STILL else 1.0))
    d1 = fused(logarithm(ratio), f * per, 0.5 * root)
    block[blocks.D1 + i] = d1 if root > blocks.STILL else (blocks.SURE if f > k else -blocks.SURE)
    block[blocks.ROOT + i] = root
    block[blocks.RATIO + i] = ratio
    block[_PER + i] = per


@inlined
def _sensitivities(block: FloatArray, i: int, rate: float) -> None:
    f, k, t, vol = block[_F + i], block[_K + i], block[_T + i], block[_VOL + i]
    is_call, discount = block[_CALL + i] > 0.0, block[_DISCOUNT + i]
    d1, tail1, tail2 = block[blocks.D1 + i], block[blocks.TAIL1 + i], block[blocks.TAIL2 + i]
    d2 = d1 - block[blocks.ROOT + i]
    above1 = 1.0 - tail1 if d1 > 0.0 else tail1
    above2 = 1.0 - tail2 if d2 > 0.0 else tail2
    below1 = tail1 if d1 > 0.0 else 1.0 - tail1
    below2 = tail2 if d2 > 0.0 else 1.0 - tail2
    # the one out of the money from the tails, the other by parity: nothing cancels
    spare = f * above1 - k * above2 if f <= k else k * below2 - f * below1
    inside = f - k if is_call else k - f
    value = discount * (max(spare, 0.0) + max(inside, 0.0))
    steep, per = discount * block[blocks.DENSITY + i], block[_PER + i]
    slope = f * steep
    block[_PRICE + i] = value
    block[_DELTA + i] = discount * (above1 if is_call else -below1)
    block[_COIN + i] = discount * (k / f) * (above2 if is_call else -below2)
    block[_GAMMA + i] = steep * per
    block[_VEGA + i] = slope * math.sqrt(t)
    block[_THETA + i] = rate * value - 0.5 * slope * vol * (vol * (f * per))  # 1 / √T = σ / root
    block[_RHO + i] = -t * value


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
