"""One expiry's smile: total variance in log-moneyness as a raw SVI, and what makes it free of arbitrage.

w(k) = a + b (ρ (k − m) + √((k − m)² + σ²)), k = ln(K/F), w = volatility² × years (Gatheral 2004).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from airpocket.domain.events import FloatArray

LEE = 2.0  # total variance can't rise faster in |k| (Lee 2004)
_EDGE = (
    2.0  # log-moneyness up to which a smile is looked over: a seventh to seven times the forward
)
_STEP = 0.005


@dataclass(frozen=True, slots=True)
class Svi:
    """Raw parameters; sigma > 0, b ≥ 0, |rho| < 1, and w nowhere negative: checked.

    Raises:
        ValueError: they are no smile.
    """

    a: float
    b: float
    rho: float
    m: float
    sigma: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(x) for x in (self.a, self.b, self.rho, self.m, self.sigma)):
            raise ValueError("SVI parameters must be finite")
        if not (self.sigma > 0.0 and self.b >= 0.0 and abs(self.rho) < 1.0):
            raise ValueError("SVI needs sigma > 0, b >= 0 and |rho| < 1")
        if self.least < 0.0:
            raise ValueError(f"SVI total variance falls to {self.least:.6g}, below zero")

    @property
    def least(self) -> float:
        """The lowest total variance anywhere."""
        return self.a + self.b * self.sigma * math.sqrt(1.0 - self.rho**2)

    def total_variance(self, k: ArrayLike) -> FloatArray:
        """w at log-moneyness `k`, any shape."""
        x = np.asarray(k, dtype=np.float64) - self.m
        return self.a + self.b * (self.rho * x + np.sqrt(x * x + self.sigma**2))

    def volatility(self, k: ArrayLike, years: float) -> FloatArray:
        """Fraction a year at log-moneyness `k`."""
        return np.sqrt(self.total_variance(k) / years)

    def durrleman(self, k: ArrayLike) -> FloatArray:
        """g(k), up to a positive factor the density that the smile implies; negative is a butterfly to sell.

        g = (1 − k w′/2w)² − w′²/4 (1/w + 1/4) + w″/2 (Gatheral and Jacquier 2014).
        """
        k = np.asarray(k, dtype=np.float64)
        x = k - self.m
        root = np.sqrt(x * x + self.sigma**2)
        w = self.a + self.b * (self.rho * x + root)
        slope, bend = self.b * (self.rho + x / root), self.b * self.sigma**2 / root**3
        with np.errstate(divide="ignore", invalid="ignore"):
            return (
                (1.0 - 0.5 * k * slope / w) ** 2 - 0.25 * slope**2 * (1.0 / w + 0.25) + 0.5 * bend
            )

    @property
    def steepest(self) -> float:
        """Slope of the steeper wing; above 2 its options far out would be arbitrage."""
        return self.b * (1.0 + abs(self.rho))

    def butterflies(
        self, low: float = -_EDGE, high: float = _EDGE, step: float = _STEP
    ) -> "Butterflies":
        """A look along the smile from `low` to `high` in log-moneyness."""
        k = low + step * np.arange(round((high - low) / step) + 1)
        g = self.durrleman(k)
        g = np.where(np.isnan(g), -np.inf, g)
        below = np.flatnonzero(g < 0.0)
        at = int(np.argmin(g))
        return Butterflies(
            least=float(g[at]), at=float(k[at]),
            since=float(k[below[0]]) if len(below) else None,
            until=float(k[below[-1]]) if len(below) else None,
            steepest=self.steepest,
        )  # fmt: skip

    @property
    def jump_wings(self) -> tuple[float, float, float, float, float]:
        """Total-variance form at one year: v, ψ, p, c, ṽ of Gatheral and Jacquier 2014 (there divided by T)."""
        root = math.sqrt(self.m**2 + self.sigma**2)
        v = self.a + self.b * (-self.rho * self.m + root)
        psi = self.b / (2.0 * math.sqrt(v)) * (self.rho - self.m / root)
        p, c = (self.b * (1.0 + sign * self.rho) / math.sqrt(v) for sign in (-1.0, 1.0))
        return v, psi, p, c, self.least


@dataclass(frozen=True, slots=True)
class Butterflies:
    """What a look along a smile found. least: lowest g, at log-moneyness `at`; since, until: where g < 0."""

    least: float
    at: float
    since: float | None
    until: float | None
    steepest: float

    @property
    def free(self) -> bool:
        """No butterfly arbitrage was seen, and the wings stay below Lee's bound."""
        return self.since is None and self.steepest <= LEE


EVERYWHERE: FloatArray = np.linspace(-_EDGE, _EDGE, 2 * round(_EDGE / _STEP) + 1)


def crosses(earlier: Svi, later: Svi) -> float:
    """By how much total variance falls from the earlier expiry to the later, at worst; 0 where it never does."""
    fall = earlier.total_variance(EVERYWHERE) - later.total_variance(EVERYWHERE)
    return float(np.maximum(fall, 0.0).max())
