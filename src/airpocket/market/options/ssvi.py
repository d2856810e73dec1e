"""The smile that always holds: SSVI (Gatheral and Jacquier 2014), for expiries with too few or unruly quotes.

w(k) = θ/2 (1 + ρφk + √((φk + ρ)² + 1 − ρ²)); without butterflies where θφ(1 + |ρ|) ≤ 4 and θφ²(1 + |ρ|) ≤ 4.
"""

import math

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.market.options.fit import Slice
from airpocket.market.options.svi import EVERYWHERE, Svi

_TILTS = np.linspace(-0.9, 0.9, 19)
_BENDS = np.geomspace(0.1, 60.0, 33)
_SURE = 0.999


def ssvi(theta: float, rho: float, phi: float) -> Svi:
    """The same smile in raw form.

    Raises:
        ValueError: θ, φ not positive, |ρ| not below 1, or outside of what is free of butterflies.
    """
    if not (theta > 0.0 and phi > 0.0 and abs(rho) < 1.0):
        raise ValueError("SSVI needs theta > 0, phi > 0 and |rho| < 1")
    if phi > widest(theta, rho) * (1.0 + 1e-12):
        raise ValueError(f"SSVI with phi {phi:g} has butterflies at theta {theta:g}")
    rest = 1.0 - rho * rho
    return Svi(0.5 * theta * rest, 0.5 * theta * phi, rho, -rho / phi, math.sqrt(rest) / phi)


def widest(theta: float, rho: float) -> float:
    """The largest φ without butterflies."""
    return min(4.0 / (theta * (1.0 + abs(rho))), math.sqrt(4.0 / (theta * (1.0 + abs(rho)))))


def fit_ssvi(quotes: Slice, before: Svi | None = None) -> Svi | None:
    """The best of a grid of (ρ, φ), θ by weighted least squares; None without a quote.

    Total variance is lifted to nowhere fall below that of the expiry `before`.
    """
    if not len(quotes.k):
        return None
    weights = 1.0 / np.maximum(quotes.half, 1e-3 * quotes.middle) ** 2
    rho, phi = (each.reshape(-1, 1) for each in np.meshgrid(_TILTS, _BENDS))
    theta = _best_theta(rho, phi, quotes, weights)
    # the shape must fit its own height: where it is too bent for it, it is none
    fine = phi[:, 0] <= _SURE * np.minimum(
        4.0 / (theta * (1.0 + abs(rho[:, 0]))), np.sqrt(4.0 / (theta * (1.0 + abs(rho[:, 0]))))
    )
    off = _shape(rho, phi, quotes.k) * theta[:, None] - quotes.middle
    cost = np.where(fine, (weights * off**2).sum(axis=1), np.inf)
    best = int(np.argmin(cost))
    if not math.isfinite(cost[best]):
        return None
    return _lifted(float(theta[best]), float(rho[best, 0]), float(phi[best, 0]), before)


def _shape(rho: FloatArray, phi: FloatArray, k: FloatArray) -> FloatArray:
    """(shapes, quotes) total variance at θ = 1."""
    bent = phi * k
    return 0.5 * (1.0 + rho * bent + np.sqrt((bent + rho) ** 2 + 1.0 - rho**2))


def _best_theta(rho: FloatArray, phi: FloatArray, quotes: Slice, weights: FloatArray) -> FloatArray:
    shape = _shape(rho, phi, quotes.k)
    return (weights * shape * quotes.middle).sum(axis=1) / (weights * shape**2).sum(axis=1)


def _lifted(theta: float, rho: float, phi: float, before: Svi | None) -> Svi | None:
    """Raised above the expiry before, and unbent as far as that height needs."""
    floor = np.zeros(len(EVERYWHERE)) if before is None else before.total_variance(EVERYWHERE)
    for _ in range(60):
        smile = ssvi(theta, rho, min(phi, _SURE * widest(theta, rho)))
        short = float((floor / smile.total_variance(EVERYWHERE)).max())
        if short <= 1.0:
            return smile
        theta *= short * (1.0 + 1e-9)
    return None
