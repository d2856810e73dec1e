"""A smile through one expiry's quotes: inside them where it can be, free of arbitrage in any case.

First the quasi-explicit form (Zeliade Systems 2009) on a grid: for each (m, σ) the other three parameters are a
least-squares problem in a box. From the best of each width all five go on to the quotes still missed, with a rising
price on butterflies, on falling below the expiry before, and on wings steeper than Lee's bound.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.kernel import inlined, kernel
from airpocket.market.options.svi import LEE, Svi, crosses

Raw: TypeAlias = tuple[float, float, float, float, float]  # a, b, ρ, m, σ
_LOOKED = 0.05 * np.sinh(
    np.linspace(-1.0, 1.0, 181) * np.arcsinh(2.0 / 0.05)
)  # log-moneyness at which arbitrage costs
_CORE, _PULL = (
    0.7,
    0.03,
)  # of the half-spread: further from the middle than this costs; nearer, a little
_WING = 0.3  # half-spreads that wings cost which are as steep as a smile of its height has them
_CLEAR, _ABOVE = (
    1e-3,
    2e-4,
)  # room to the bounds: between the points looked at nothing may cross them
_WELL = 1e-9
_STARTS, _STEPS = 4, 40
_PRICES = (0.03, 0.3, 3.0, 30.0, 300.0)
_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Slice:
    """Quotes of one expiry as total variances. k: ln(K/F), rising; middle, half: (n,) of the quote's interval."""

    k: FloatArray
    middle: FloatArray
    half: FloatArray


class _Task(NamedTuple):
    """(n,) log-moneyness, middle, half width, weight of each quote; (l,) where to look, and the variance before."""

    k: FloatArray
    middle: FloatArray
    half: FloatArray
    weights: FloatArray
    looked: FloatArray
    floor: FloatArray


def fit_svi(quotes: Slice, before: Svi | None = None) -> Svi | None:
    """The smile, or None for fewer than five quotes, or where none without arbitrage was found.

    Args:
        before: the smile of the expiry before, below which total variance must not fall.
    """
    if len(quotes.k) < 5:
        return None
    weights = 1.0 / np.maximum(quotes.half, 1e-3 * quotes.middle) ** 2
    floor = np.zeros(len(_LOOKED)) if before is None else before.total_variance(_LOOKED)
    found = _fit(_Task(quotes.k, quotes.middle, quotes.half, weights, _LOOKED, floor))
    try:
        smile = Svi(*(float(x) for x in found))
    except ValueError:
        return None
    above = before is None or crosses(before, smile) == 0.0
    return smile if above and smile.butterflies().free else None


@kernel
def _fit(task: _Task) -> Raw:
    reach = max(task.k[-1] - task.k[0], 0.05)
    size = len(task.k) + 2 * len(task.looked) + 3
    best, least = (task.middle.min(), 0.1, 0.0, 0.0, 0.1), math.inf
    for wide in range(_STARTS):
        sigma = reach * 0.05 * 40.0 ** (wide / (_STARTS - 1.0))
        start, start_cost = best, math.inf
        for aside in range(-3, 4):
            found, cost = _explicit(0.1 * aside * reach, sigma, task)
            if cost < start_cost:
                start, start_cost = found, cost
        theta = _loose(start)
        # a cliff at once would end the search where it stands
        for price in _PRICES:
            theta = _least_squares(theta, price, task)
        cost = _residuals(theta, _PRICES[-1], task, np.empty(size))
        if cost < least:
            best, least = _tight(theta), cost
    return best


@inlined
def _loose(raw: Raw) -> FloatArray:
    """Five free numbers for (a, b, ρ, m, σ): lowest variance, wing slopes, m and σ, all without bounds."""
    a, b, rho, m, sigma = raw
    b, rho = max(b, 1e-6), min(max(rho, -0.999), 0.999)
    least = max(a + b * sigma * math.sqrt(1.0 - rho * rho), 1e-10)
    return np.array([math.log(least), math.log(b), math.atanh(rho), m, math.log(sigma)])


@inlined
def _tight(theta: FloatArray) -> Raw:
    least, b, rho = math.exp(theta[0]), math.exp(theta[1]), math.tanh(theta[2])
    sigma = math.exp(theta[4])
    return least - b * sigma * math.sqrt(1.0 - rho * rho), b, rho, theta[3], sigma


@inlined
def _explicit(m: float, sigma: float, task: _Task) -> tuple[Raw, float]:
    """Best (a, b, ρ) for these m, σ, and the cost: w = a + p (z + y) + q (z − y), 0 ≤ p, q ≤ σ, 0 ≤ a.

    y = (k − m)/σ and z = √(y² + 1), so that p and q are half the wing slopes times σ (Lee: at most 2).
    """
    k, middle, weights = task.k, task.middle, task.weights
    s = np.zeros((3, 4))
    total = 0.0
    for i in range(len(k)):
        y = (k[i] - m) / sigma
        z = math.sqrt(y * y + 1.0)
        u, v, g, w = z + y, z - y, weights[i], middle[i]
        s[0, 0] += g
        s[0, 1] += g * u
        s[0, 2] += g * v
        s[1, 1] += g * u * u
        s[1, 2] += g * u * v
        s[2, 2] += g * v * v
        s[0, 3] += g * w
        s[1, 3] += g * u * w
        s[2, 3] += g * v * w
        total += g * w * w
    s[1, 0], s[2, 0], s[2, 1] = s[0, 1], s[0, 2], s[1, 2]
    x = np.array([s[0, 3] / s[0, 0], 0.0, 0.0])
    most = 0.5 * LEE * sigma
    for _ in range(200):  # one after the other: exact in the box, three numbers
        moved = 0.0
        for j in range(3):
            left = s[j, 3]
            for h in range(3):
                if h != j:
                    left -= s[j, h] * x[h]
            new = max(left / s[j, j], 0.0)
            if j > 0:
                new = min(new, most)
            moved = max(moved, abs(new - x[j]) / (abs(new) + 1e-12))
            x[j] = new
        if moved < _WELL:
            break
    cost = total
    for j in range(3):
        cost -= 2.0 * x[j] * s[j, 3]
        for h in range(3):
            cost += x[j] * s[j, h] * x[h]
    steep = x[1] + x[2]
    rho = (x[1] - x[2]) / steep if steep > 0.0 else 0.0
    return (x[0], steep / sigma, rho, m, sigma), cost


@inlined
def _residuals(theta: FloatArray, price: float, task: _Task, out: FloatArray) -> float:
    """Quotes missed, in half-spreads, then what of arbitrage there is; the half sum of squares."""
    a, b, rho, m, sigma = _tight(theta)
    k, middle, half, looked, floor = task.k, task.middle, task.half, task.looked, task.floor
    n = len(k)
    for i in range(n):
        x = k[i] - m
        off = (a + b * (rho * x + math.sqrt(x * x + sigma * sigma)) - middle[i]) / half[i]
        over = max(abs(off) - _CORE, 0.0)
        out[i] = (over if off > 0.0 else -over) + _PULL * off
    weight = price * math.sqrt(n)
    for i in range(len(looked)):
        at = looked[i]
        x = at - m
        root = math.sqrt(x * x + sigma * sigma)
        w = a + b * (rho * x + root)
        slope, bend = b * (rho + x / root), b * sigma * sigma / (root * root * root)
        g = (1.0 - 0.5 * at * slope / w) ** 2 - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * bend
        out[n + 2 * i] = weight * min(max(_CLEAR - g, 0.0), 10.0)
        short = floor[i] * (1.0 + _ABOVE) - w
        out[n + 2 * i + 1] = weight * max(short, 0.0) / (floor[i] + 1e-9) * 10.0
    out[-3] = weight * max(b * (1.0 + abs(rho)) - 0.999 * LEE, 0.0)
    # what quotes leave open: wings no steeper than a smile of this height has
    height = _WING / math.sqrt(a + b * sigma * math.sqrt(1.0 - rho * rho))
    out[-2], out[-1] = height * b * (1.0 + rho), height * b * (1.0 - rho)
    total = 0.0
    for i in range(len(out)):
        total += out[i] * out[i]
    return 0.5 * total


@kernel
def _least_squares(theta: FloatArray, price: float, task: _Task) -> FloatArray:
    """Levenberg 1944, Marquardt 1963, with forward differences."""
    size = len(task.k) + 2 * len(task.looked) + 3
    here, there, jacobian = np.empty(size), np.empty(size), np.empty((5, size))
    cost = _residuals(theta, price, task, here)
    damping, gain = 1e-2, math.inf
    for _ in range(_STEPS):
        if gain <= 1e-7 * cost + 1e-12:
            break
        for j in range(5):
            moved = theta.copy()
            moved[j] += _TINY
            _residuals(moved, price, task, there)
            for i in range(size):
                jacobian[j, i] = (there[i] - here[i]) / _TINY
        gain = 0.0
        for _ in range(8):
            new = theta - _step(jacobian, here, damping)
            new_cost = math.inf
            if _inside(new):
                new_cost = _residuals(new, price, task, there)
            if new_cost < cost:
                gain = cost - new_cost
                theta, cost = new, new_cost
                here[:] = there
                damping = max(damping / 8.0, 1e-9)
                break
            damping *= 4.0
    return theta


@inlined
def _step(jacobian: FloatArray, residual: FloatArray, damping: float) -> FloatArray:
    """(J Jᵀ + damping) step = J r by elimination, no part longer than a half."""
    square = np.empty((5, 6))
    for a in range(5):
        for b in range(a, 5):
            total = 0.0
            for i in range(len(residual)):
                total += jacobian[a, i] * jacobian[b, i]
            square[a, b] = square[b, a] = total
        total = 0.0
        for i in range(len(residual)):
            total += jacobian[a, i] * residual[i]
        square[a, 5] = total
    for a in range(5):
        square[a, a] += damping * (square[a, a] + 1e-9)
    return _eliminated(square)


@inlined
def _eliminated(square: FloatArray) -> FloatArray:
    """The solution of a positive definite system, its right side in the last column; no pivot is needed."""
    for a in range(5):
        for b in range(a + 1, 5):
            ratio = square[b, a] / square[a, a]
            for c in range(a, 6):
                square[b, c] -= ratio * square[a, c]
    step = np.empty(5)
    for a in range(4, -1, -1):
        total = square[a, 5]
        for b in range(a + 1, 5):
            total -= square[a, b] * step[b]
        step[a] = total / square[a, a]
    for a in range(5):
        step[a] = min(max(step[a], -0.5), 0.5)
    return step


@inlined
def _inside(theta: FloatArray) -> bool:
    """Where exponentials stay numbers and a smile stays one."""
    if not (-25.0 < theta[0] < 3.0 and -12.0 < theta[1] < 3.0 and abs(theta[2]) < 4.0):
        return False
    return abs(theta[3]) < 4.0 and -7.0 < theta[4] < 1.5
