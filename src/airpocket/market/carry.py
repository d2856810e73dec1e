"""Funding, open interest, basis and premium of one contract, in the house's units."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import Provenance
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import HOUR_NS, SECOND_NS
from airpocket.market.bars import Bars
from airpocket.market.state import Contract, Observations

EIGHT_HOURS_S = 8 * 3_600


@dataclass(frozen=True, slots=True)
class FundingHistory:
    """Settled funding of one contract, oldest first, all arrays (n,).

    settled_at: ns. rate: fraction per its own interval. interval_s: that interval.
    """

    settled_at: IntArray
    rate: FloatArray
    interval_s: IntArray
    source: str

    @property
    def rate_8h(self) -> FloatArray:
        """Fraction per 8 h, whatever the contract's own interval."""
        return self.rate * EIGHT_HOURS_S / self.interval_s

    @property
    def annual(self) -> FloatArray:
        """Fraction per year of 365 days, simple, by the contract's own interval."""
        return self.rate * (365 * 86_400) / self.interval_s


@dataclass(frozen=True, slots=True)
class InterestHistory:
    """Open interest of one contract in coin, one-sided, oldest first, all arrays (n,).

    known_at: ns, when each figure was complete (the end of an averaging hour). coin: base coin.
    """

    known_at: IntArray
    coin: FloatArray
    provenance: Provenance
    source: str


def funding_of(contract: Contract) -> FundingHistory | None:
    """Settled funding, or None where none is stored."""
    table = contract.table("funding")
    if table is None:
        return None
    return FundingHistory(
        table.ints("ts"), table.floats("rate"), table.ints("interval_s"), contract.key
    )


def interest_of(contract: Contract, reference: Contract) -> InterestHistory | None:
    """Open interest in coin, or None where none can be had.

    Contracts are converted by the contract size; USD (and inverse contracts of USD) by the mean price
    of the same hour, the contract's own where it has that hour's bar, else the reference's: then the
    figure is `mixed`. Rows whose hour has no price are left out: unknown, not zero.
    """
    table = contract.table("open_interest")
    if table is None:
        return None
    known_at = table.ints("ts") + table.ints("averaged_s") * SECOND_NS
    coin = _in_coin_without_price(contract, table)
    needs_price = np.isnan(coin)
    provenance: Provenance = "measured"
    source = contract.key
    if needs_price.any():
        usd = _in_usd(contract, table)
        ts, averaged_s = table.ints("ts"), table.ints("averaged_s")
        own = hourly_mean_price(contract.hours, ts, averaged_s)
        price = np.where(np.isnan(own), hourly_mean_price(reference.hours, ts, averaged_s), own)
        coin = np.where(needs_price, usd / price, coin)
        if bool((needs_price & np.isnan(own)).any()):
            provenance, source = (
                "mixed",
                f"{contract.key} in USD at {reference.key}'s hourly mean price",
            )
    priced = np.isfinite(coin)
    if not priced.any():
        return None
    return InterestHistory(known_at[priced], coin[priced], provenance, source)


def hourly_mean_price(hours: Bars, ts: IntArray, averaged_s: IntArray) -> FloatArray:
    """(n,) mean price (open+high+low+close)/4 of the hour a row describes; NaN without that bar.

    An average over [t, t+1h) belongs to the bar opening at t; a moment t to the last closed hour.
    """
    if len(hours) == 0:
        return np.full(len(ts), np.nan)
    mean = hours.values[:4].mean(axis=0)
    wanted = np.where(averaged_s > 0, ts - ts % HOUR_NS, (ts - HOUR_NS) - (ts - HOUR_NS) % HOUR_NS)
    at = np.clip(np.searchsorted(hours.ts, wanted), 0, len(hours) - 1)
    return np.where(hours.ts[at] == wanted, mean[at], np.nan)


def _in_coin_without_price(contract: Contract, table: Observations) -> FloatArray:
    """(n,) coin where the unit gives it directly, NaN where a price is needed or a size is unknown."""
    unit = table.texts("unit")
    amount = table.floats("amount")
    coin = np.where(unit == "coin", amount, np.nan)
    size = contract.instrument.contract_size
    if contract.instrument.kind == "linear" and size is not None:
        coin = np.where(unit == "contracts", amount * size, coin)
    return coin


def _in_usd(contract: Contract, table: Observations) -> FloatArray:
    unit = table.texts("unit")
    amount = table.floats("amount")
    usd = np.where(unit == "usd", amount, np.nan)
    size = contract.instrument.contract_size
    if contract.instrument.kind == "inverse" and size is not None:
        usd = np.where(unit == "contracts", amount * size, usd)
    return usd


@dataclass(frozen=True, slots=True)
class PremiumHistory:
    """Perpetual against index, oldest first: at (n,) ns, premium (n,) fraction of index."""

    at: IntArray
    premium: FloatArray
    source: str


def premium_of(contract: Contract) -> PremiumHistory | None:
    """(last, or mark where there is no last − index) / index whenever both are known; None if never."""
    table = contract.table("ticker")
    if table is None:
        return None
    index, last = table.floats("index"), table.floats("last")
    perp = np.where(np.isnan(last), table.floats("mark"), last)
    both = np.isfinite(index) & np.isfinite(perp)
    if not both.any():
        return None
    premium = perp[both] / index[both] - 1.0
    return PremiumHistory(table.ints("ts")[both], premium, f"{contract.key} ticker")
