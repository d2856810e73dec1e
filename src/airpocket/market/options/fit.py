"""A smile through one expiry's quotes: inside them where it can be, free of arbitrage in any case.

First the quasi-explicit form (Zeliade Systems 2009): for each (m, σ) the other three parameters are a least-squares
problem in a box, and only two are searched. From there all five are searched for the quotes that are still missed,
with a price on butterflies, on falling below the expiry before, and on wings steeper than Lee's bound.
"""

import math
from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.kernel import inlined, kernel
from airpocket.market.options.svi import LEE, Svi, crosses

_LOOKED = 0.05 * np.sinh(np.linspace(-1.0, 1.0, 181) * np.arcsinh(2.0 / 0.05))  # log-moneyness at which arbitrage costs
_CORE, _PULL = 0.7, 0.03  # of the half-spread: further from the middle than this costs; nearer, a little
_CLEAR, _ABOVE = 1e-3, 2e-4  # room to the bounds: between the points looked at nothing may cross them
_WELL = 1e-9
_STEPS = 40
_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Slice:
    """Quotes of one expiry as total variances. k: ln(K/F), rising; middle, half: (n,) of the quote's interval."""

    k: FloatArray
    middle: FloatArray
    half: FloatArray


def fit_svi(quotes: Slice, before: Svi | None = None) -> Svi | None:
    """The smile, or None for fewer than five quotes, or where none without arbitrage was found.

    Args:
        before: the smile of the expiry before, below which total variance must not fall.
    """
    if len(quotes.k) < 5:
        return None
    weights = 1.0 / np.maximum(quotes.half, 1e-3 * quotes.middle) ** 2
    floor = np.zeros(len(_LOOKED)) if before is None else before.total_variance(_LOOKED)
    found = _fit(quotes.k, quotes.middle, quotes.half, weights, _LOOKED, floor)
    try:
        smile = Svi(*(float(x) for x in found))
    except ValueError:
        return None
    above = before is None or crosses(before, smile) == 0.0
    return smile if above and smile.butterflies().free else None


@kernel
def _fit(k, middle, half, weights, looked, floor):  # noqa: ANN001, ANN202, PLR0914 - a kernel
    """(a, b, ρ, m, σ)."""
    reach = max(k[-1] - k[0], 0.05)
    best, best_cost = np.zeros(5), math.inf
    for spread in (0.15, 0.5):
        for shift in (-0.25, 0.0, 0.25):
            start = np.array([shift * reach, math.log(spread * reach)])
            end, cost = _search(start, 0.3, 160, k, middle, weights)
            if cost < best_cost:
                best_cost = cost
                best = np.array(_explicit(end[0], math.exp(end[1]), k, middle, weights)[:5])
    return _tight(_climbed(_loose(best), k, middle, half, looked, floor))


@inlined
def _climbed(theta, k, middle, half, looked, floor):  # noqa: ANN001, ANN202
    """From the quotes alone to quotes without arbitrage: a cliff at once would end the search where it stands."""
    for price in (0.3, 3.0, 30.0, 300.0):
        theta = _least_squares(theta, price, k, middle, half, looked, floor)
    return theta


@inlined
def _loose(p):  # noqa: ANN001, ANN202
    """Five free numbers for (a, b, ρ, m, σ): lowest variance, wing slopes, m and σ, all without bounds."""
    a, b, rho, m, sigma = p[0], max(p[1], 1e-6), min(max(p[2], -0.999), 0.999), p[3], p[4]
    least = max(a + b * sigma * math.sqrt(1.0 - rho * rho), 1e-10)
    return np.array([math.log(least), math.log(b), math.atanh(rho), m, math.log(sigma)])


@inlined
def _tight(theta):  # noqa: ANN001, ANN202
    least, b, rho = math.exp(theta[0]), math.exp(theta[1]), math.tanh(theta[2])
    sigma = math.exp(theta[4])
    return least - b * sigma * math.sqrt(1.0 - rho * rho), b, rho, theta[3], sigma


@inlined
def _explicit(m, sigma, k, middle, weights):  # noqa: ANN001, ANN202, PLR0914
    """Best (a, b, ρ) for these m, σ, and the cost: w = a + p (z + y) + q (z − y), 0 ≤ p, q ≤ σ, 0 ≤ a.

    y = (k − m)/σ and z = √(y² + 1), so that p and q are half the wing slopes times σ (Lee: at most 2).
    """
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
    return x[0], steep / sigma, rho, m, sigma, cost


@inlined
def _residuals(theta, price, k, middle, half, looked, floor, out):  # noqa: ANN001, ANN202, PLR0913, PLR0914, PLR0917
    """Quotes missed, in half-spreads, then what of arbitrage there is; the half sum of squares."""
    a, b, rho, m, sigma = _tight(theta)
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
        g = (
            (1.0 - 0.5 * at * slope / w) ** 2 - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * bend
        )
        out[n + 2 * i] = weight * min(max(_CLEAR - g, 0.0), 10.0)
        short = floor[i] * (1.0 + _ABOVE) - w
        out[n + 2 * i + 1] = weight * max(short, 0.0) / (floor[i] + 1e-9) * 10.0
    out[-1] = weight * max(b * (1.0 + abs(rho)) - 0.999 * LEE, 0.0)
    return 0.5 * np.dot(out, out)


@kernel
def _least_squares(theta, price, k, middle, half, looked, floor):  # noqa: ANN001, ANN202, PLR0914
    """Levenberg 1944, Marquardt 1963, with forward differences."""
    size = len(k) + 2 * len(looked) + 1
    here, there, jacobian = np.empty(size), np.empty(size), np.empty((5, size))
    cost = _residuals(theta, price, k, middle, half, looked, floor, here)
    damping = 1e-2
    for _ in range(_STEPS):
        for j in range(5):
            moved = theta.copy()
            moved[j] += _TINY
            _residuals(moved, price, k, middle, half, looked, floor, there)
            jacobian[j] = (there - here) / _TINY
        square, gradient = jacobian @ jacobian.T, jacobian @ here
        better = False
        for _ in range(8):
            damped = square.copy()
            for j in range(5):
                damped[j, j] += damping * (square[j, j] + 1e-9)
            step = np.linalg.solve(damped, gradient)
            new = theta - np.minimum(np.maximum(step, -0.5), 0.5)
            new_cost = math.inf
            if _inside(new):
                new_cost = _residuals(new, price, k, middle, half, looked, floor, there)
            if new_cost < cost:
                better = True
                break
            damping *= 4.0
        if not better:
            break
        gain = cost - new_cost
        theta, cost = new, new_cost
        here[:] = there
        damping = max(damping / 8.0, 1e-9)
        if gain <= 1e-7 * cost + 1e-12:
            break
    return theta


@inlined
def _inside(theta):  # noqa: ANN001, ANN202
    """Where exponentials stay numbers and a smile stays one."""
    if not (-25.0 < theta[0] < 3.0 and -12.0 < theta[1] < 3.0 and abs(theta[2]) < 4.0):
        return False
    return abs(theta[3]) < 4.0 and -7.0 < theta[4] < 1.5


@inlined
def _cost(theta, k, middle, weights):  # noqa: ANN001, ANN202
    sigma = math.exp(theta[1])
    if not 1e-4 < sigma < 4.0 or abs(theta[0]) > 3.0:
        return 1e300
    return _explicit(theta[0], sigma, k, middle, weights)[5]


@kernel
def _search(start, size, evals, k, middle, weights):  # noqa: ANN001, ANN202
    """Nelder and Mead 1965, with the usual coefficients; the best point and its cost."""
    n = len(start)
    points, costs = np.empty((n + 1, n)), np.empty(n + 1)
    for j in range(n + 1):
        points[j] = start
        if j > 0:
            points[j, j - 1] += size
        costs[j] = _cost(points[j], k, middle, weights)
    done = n + 1
    while done < evals:
        order = np.argsort(costs)
        points, costs = points[order], costs[order]
        if costs[n] - costs[0] <= _WELL * (abs(costs[0]) + _WELL):
            break
        middle_point = np.zeros(n)
        for j in range(n):
            middle_point += points[j] / n
        tried = 2.0 * middle_point - points[n]
        cost = _cost(tried, k, middle, weights)
        done += 1
        if cost < costs[0]:
            further = 3.0 * middle_point - 2.0 * points[n]
            better = _cost(further, k, middle, weights)
            done += 1
            if better < cost:
                tried, cost = further, better
        elif cost >= costs[n - 1]:
            nearer = 0.5 * (middle_point + (tried if cost < costs[n] else points[n]))
            better = _cost(nearer, k, middle, weights)
            done += 1
            if better < min(cost, costs[n]):
                tried, cost = nearer, better
            else:
                for j in range(1, n + 1):
                    points[j] = 0.5 * (points[0] + points[j])
                    costs[j] = _cost(points[j], k, middle, weights)
                done += n
                continue
        points[n], costs[n] = tried, cost
    best = np.argmin(costs)
    return points[best].copy(), costs[best]
