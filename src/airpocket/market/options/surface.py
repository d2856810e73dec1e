"""A volatility surface of one chain at one moment: a smile for each expiry, and nothing to be won for nothing."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from airpocket.domain.events import FloatArray
from airpocket.market.options.fit import fit_svi
from airpocket.market.options.greeks import greeks
from airpocket.market.options.quotes import ChainQuotes, Cleaned, clean
from airpocket.market.options.ssvi import fit_ssvi
from airpocket.market.options.svi import Svi

DVOL_DELTA = 0.05  # as those who rebuilt the index report it: Deribit's page was not read
_STRIP, _STRIPS = (
    2.0,
    1_601,
)  # log-moneyness of an index's strip, and into how many points it is cut
Form: TypeAlias = Literal["svi", "ssvi"]


@dataclass(frozen=True, slots=True)
class Smile:
    """One expiry's. expiry: ns. quotes: clean ones it was fitted to; inside: of them within bid and ask."""

    expiry: int
    years: float
    forward: float
    svi: Svi
    form: Form
    quotes: int
    inside: int
    lowest: float  # log-moneyness from which to which quotes reach
    highest: float

    @property
    def at_the_money(self) -> float:
        """Volatility at the forward, a fraction a year."""
        return float(self.svi.volatility(0.0, self.years))


@dataclass(frozen=True, slots=True)
class Surface:
    """Smiles by expiry. unfitted: expiries (ns) whose quotes gave none. left_out: rows of the chain, by reason."""

    now: int
    smiles: tuple[Smile, ...]
    unfitted: tuple[int, ...]
    left_out: Counter[str]

    def volatility(self, k: ArrayLike, years: float) -> FloatArray:
        """Fraction a year at log-moneyness `k` and a time to expiry.

        Between expiries total variance is straight in time, which keeps it rising; before the first and after
        the last the volatility of the nearest is held: an assumption.

        Raises:
            ValueError: no smile, or years not positive.
        """
        if not self.smiles:
            raise ValueError("the surface has no smile")
        if not (years > 0.0 and math.isfinite(years)):
            raise ValueError("years must be positive and finite")
        times = np.array([smile.years for smile in self.smiles])
        after = int(np.searchsorted(times, years))
        if after == 0 or after == len(times):
            nearest = self.smiles[min(after, len(times) - 1)]
            return nearest.svi.volatility(k, nearest.years)
        near, far = self.smiles[after - 1], self.smiles[after]
        share = (years - near.years) / (far.years - near.years)
        w = (1.0 - share) * near.svi.total_variance(k) + share * far.svi.total_variance(k)
        return np.sqrt(w / years)

    def index_volatility(self, years: float, least_delta: float = DVOL_DELTA) -> float:
        """The volatility that a strip of options out of the money pays, a fraction a year, as DVOL tells it.

        σ²T = 2 ∫ price(k)/F · e^(−k) dk over the smiles (Carr and Madan 1998), options of less than `least_delta`
        left out, as Deribit does; 0 takes all, to seven times the forward. Above the volatility at the money by
        what the wings are worth.

        Raises:
            ValueError: as `volatility`.
        """
        k = np.linspace(-_STRIP, _STRIP, _STRIPS)
        found = greeks(k >= 0.0, 1.0, np.exp(k), years, self.volatility(k, years))
        paid = np.where(np.abs(found.delta) >= least_delta, found.price * np.exp(-k), 0.0)
        return math.sqrt(2.0 * float(np.trapezoid(paid, k)) / years)


def surface_of(chain: ChainQuotes) -> Surface:
    """Fit every expiry, the nearest first, each above the one before."""
    slices, left_out = clean(chain)
    smiles: list[Smile] = []
    unfitted: list[int] = []
    before: Svi | None = None
    for quotes in slices:
        found, form = fit_svi(quotes.interval, before), "svi"
        if found is None:
            found, form = fit_ssvi(quotes.interval, before), "ssvi"
        if found is None:
            unfitted.append(quotes.expiry)
            continue
        smiles.append(_smile(quotes, found, "svi" if form == "svi" else "ssvi"))
        before = found
    return Surface(chain.now, tuple(smiles), tuple(unfitted), left_out)


def _smile(quotes: Cleaned, svi: Svi, form: Form) -> Smile:
    off = np.abs(svi.total_variance(quotes.interval.k) - quotes.interval.middle)
    inside = int((off <= quotes.interval.half * (1.0 + 1e-9)).sum())
    k = quotes.interval.k
    return Smile(
        quotes.expiry, quotes.years, quotes.forward, svi, form, len(k), inside, float(k[0]), float(k[-1])
    )  # fmt: skip
