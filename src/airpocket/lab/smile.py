"""One arbitrage-free smile and the price of an option on it."""

import math
from dataclasses import dataclass
from typing import NamedTuple

_ROOT_2PI = math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, slots=True)
class Smile:
    """SSVI (Gatheral and Jacquier 2014): total variance w(k, θ) with φ(θ) = η/√θ.

    `level` is the at-the-money volatility of thirty days (fraction a year), `front` what a one-day
    expiry adds to it, `tilt` ρ: below zero puts are dear, above zero calls. η(1 + |ρ|) ≤ 2 keeps
    the smile free of butterfly arbitrage.
    """

    level: float
    front: float
    tilt: float
    eta: float = 0.9

    def volatility(self, log_moneyness: float, years: float) -> float:
        """Implied volatility (fraction a year) at k = ln(strike / forward)."""
        at_money = self.level + self.front * math.exp(-years * 365.0 / 12.0)
        theta = at_money * at_money * years
        spread = self.eta / math.sqrt(theta) * log_moneyness
        wing = math.sqrt((spread + self.tilt) ** 2 + 1.0 - self.tilt**2)
        return math.sqrt(theta / 2.0 * (1.0 + self.tilt * spread + wing) / years)


class Quote(NamedTuple):
    """One row of a chain snapshot, in the order of the stored columns."""

    instrument: str
    expiry: int
    strike: float
    option_type: str
    underlying_index: str
    underlying_price: float
    bid: float
    ask: float
    mark: float
    mark_iv: float
    delta: float
    vega: float
    open_interest: float
    volume: float
    index_price: float


def black_76(call: bool, forward: float, strike: float, root: float) -> float:
    """Undiscounted price in quote units; `root` is volatility times √years (Black 1976)."""
    d1 = math.log(forward / strike) / root + root / 2.0
    value = forward * normal(d1) - strike * normal(d1 - root)
    return max(0.0, value if call else value - forward + strike)


def normal(x: float) -> float:
    """Of the standard normal: the distribution function."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def normal_density(x: float) -> float:
    """Of the standard normal: the density."""
    return math.exp(-x * x / 2.0) / _ROOT_2PI
