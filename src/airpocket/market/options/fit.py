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

_LOOKED = np.linspace(-2.0, 2.0, 161)  # log-moneyness at which arbitrage costs
_CORE = 0.7  # of the half-spread: further from the middle than this costs
_CLEAR, _ABOVE = 1e-3, 2e-4  # room to the bounds: between the points looked at nothing may cross them
_WELL = 1e-9
_EVALS = 500


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
            end, cost = _search(0.0, start, 0.3, 160, k, middle, half, weights, looked, floor)
            if cost < best_cost:
                best_cost = cost
                best = np.array(_explicit(end[0], math.exp(end[1]), k, middle, weights)[:5])
    theta = _loose(best)
    for price in (1.0, 30.0, 1e3, 1e3, 1e3):  # a cliff at once would end the search where it stands
        theta, cost = _search(price, theta, 0.15, _EVALS, k, middle, half, weights, looked, floor)
    return _tight(theta)


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
def _missed(price, theta, k, middle, half, looked, floor):  # noqa: ANN001, ANN202, PLR0914
    """Cost of the quotes missed, in half-spreads, and of arbitrage."""
    a, b, rho, m, sigma = _tight(theta)
    cost = 0.0
    for i in range(len(k)):
        x = k[i] - m
        w = a + b * (rho * x + math.sqrt(x * x + sigma * sigma))
        off = abs(w - middle[i]) / half[i]
        over = max(off - _CORE, 0.0)
        cost += over * over + 1e-3 * min(off * off, 1e6)
    wrong = max(b * (1.0 + abs(rho)) - 0.999 * LEE, 0.0) * 10.0
    for i in range(len(looked)):
        at = looked[i]
        x = at - m
        root = math.sqrt(x * x + sigma * sigma)
        w = a + b * (rho * x + root)
        slope, bend = b * (rho + x / root), b * sigma * sigma / (root * root * root)
        g = (
            (1.0 - 0.5 * at * slope / w) ** 2 - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * bend
        )
        wrong += max(_CLEAR - g, 0.0)
        wrong += max(floor[i] * (1.0 + _ABOVE) - w, 0.0) / (floor[i] + 1e-9)
    return cost + price * wrong * len(k)


@inlined
def _cost(price, theta, k, middle, half, weights, looked, floor):  # noqa: ANN001, ANN202, PLR0913, PLR0917
    if price == 0.0:
        sigma = math.exp(theta[1])
        if not 1e-4 < sigma < 10.0 or abs(theta[0]) > 5.0:
            return 1e300
        return _explicit(theta[0], sigma, k, middle, weights)[5]
    if abs(theta[3]) > 5.0 or abs(theta[4]) > 12.0 or theta[1] > 3.0 or abs(theta[2]) > 6.0:
        return 1e300
    return _missed(price, theta, k, middle, half, looked, floor)


@kernel
def _search(price, start, size, evals, k, middle, half, weights, looked, floor):  # noqa: ANN001, ANN202, PLR0913, PLR0914, PLR0917
    """Nelder and Mead 1965, with the usual coefficients; the best point and its cost."""
    n = len(start)
    points, costs = np.empty((n + 1, n)), np.empty(n + 1)
    for j in range(n + 1):
        points[j] = start
        if j > 0:
            points[j, j - 1] += size
        costs[j] = _cost(price, points[j], k, middle, half, weights, looked, floor)
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
        cost = _cost(price, tried, k, middle, half, weights, looked, floor)
        done += 1
        if cost < costs[0]:
            further = 3.0 * middle_point - 2.0 * points[n]
            better = _cost(price, further, k, middle, half, weights, looked, floor)
            done += 1
            if better < cost:
                tried, cost = further, better
        elif cost >= costs[n - 1]:
            nearer = 0.5 * (middle_point + (tried if cost < costs[n] else points[n]))
            better = _cost(price, nearer, k, middle, half, weights, looked, floor)
            done += 1
            if better < min(cost, costs[n]):
                tried, cost = nearer, better
            else:
                for j in range(1, n + 1):
                    points[j] = 0.5 * (points[0] + points[j])
                    costs[j] = _cost(price, points[j], k, middle, half, weights, looked, floor)
                done += n
                continue
        points[n], costs[n] = tried, cost
    best = np.argmin(costs)
    return points[best].copy(), costs[best]
