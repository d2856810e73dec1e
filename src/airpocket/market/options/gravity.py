"""Where open options pull: open interest by strike, the least painful settlement, and gamma over price.

Open interest is unsigned. What hedgers of it buy or sell as price moves depends on who is long, which nobody
publishes: the sign is an assumption that every figure carries, not a finding.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.market.options.chain import ChainSnapshot
from airpocket.market.options.greeks import greeks
from airpocket.market.options.quotes import YEAR_NS
from airpocket.market.options.surface import Surface

# calls: hedgers are long calls and short puts (customers sell covered calls and buy puts)
Assumption: TypeAlias = Literal[
    "dealers long calls, short puts", "dealers short all", "dealers long all"
]
_SIGNS: dict[Assumption, tuple[float, float]] = {
    "dealers long calls, short puts": (1.0, -1.0),
    "dealers short all": (-1.0, -1.0),
    "dealers long all": (1.0, 1.0),
}
_PER_PERCENT = 0.01


@dataclass(frozen=True, slots=True)
class StrikeInterest:
    """(s,) by strike, rising: open interest of all expiries within reach, coin; without the `unknown` options."""

    strike: FloatArray
    calls: FloatArray
    puts: FloatArray
    unknown: int


def interest_by_strike(chain: ChainSnapshot, within_ns: int) -> StrikeInterest:
    """Open interest by strike of the expiries within a time from now, and how many options are not known."""
    q = chain.quotes
    near = (q.expiry > q.now) & (q.expiry <= q.now + within_ns)
    unknown = int((near & np.isnan(chain.open_interest)).sum())
    near &= chain.open_interest > 0.0
    strikes, at = np.unique(q.strike[near], return_inverse=True)
    held, call = chain.open_interest[near], q.call[near]
    return StrikeInterest(
        strikes,
        np.bincount(at, np.where(call, held, 0.0), len(strikes)).astype(np.float64),
        np.bincount(at, np.where(call, 0.0, held), len(strikes)).astype(np.float64),
        unknown,
    )


def least_pain(interest: StrikeInterest) -> float | None:
    """The strike at which expiring options pay their holders least ('max pain'); None without any.

    A description of the interest, no forecast: it has no tested pull here.
    """
    if not len(interest.strike):
        return None
    k = interest.strike
    paid = [
        float((interest.calls * np.maximum(at - k, 0.0) + interest.puts * np.maximum(k - at, 0.0)).sum())
        for at in k
    ]  # fmt: skip
    return float(k[int(np.argmin(paid))])


def gamma_exposure(
    chain: ChainSnapshot, surface: Surface, prices: FloatArray, assumption: Assumption
) -> FloatArray:
    """(p,) USD that hedgers buy (below zero: sell) per rise of one per cent, were the index at each price.

    Long gamma is hedged by selling into a rise: the sum is minus Σ OI Γ p² / 100 with the assumption's sign.
    Each expiry's smile stays at its log-moneyness as price moves; expiries without a smile are left out.
    """
    q = chain.quotes
    total = np.zeros(len(prices))
    to_calls, to_puts = _SIGNS[assumption]
    for smile in surface.smiles:
        mine = np.flatnonzero((q.expiry == smile.expiry) & (chain.open_interest > 0.0))
        if not len(mine):
            continue
        forward = np.asarray(prices)[:, None] * (smile.forward / chain.index)
        strike, years = q.strike[mine], (smile.expiry - q.now) / YEAR_NS
        k = np.log(strike / forward)
        vol = smile.svi.volatility(k, smile.years)
        gamma = greeks(q.call[mine], forward, strike, years, vol).gamma
        sign = np.where(q.call[mine], to_calls, to_puts)
        total -= (gamma * forward**2 * sign * chain.open_interest[mine]).sum(axis=1) * _PER_PERCENT
    return total
