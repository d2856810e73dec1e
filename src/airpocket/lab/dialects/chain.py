"""Options around the simulated index: Black-76 marks on one smile, a spread about them, names as Deribit's."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airpocket.domain.units import HOUR_NS, SECOND_NS, YEAR_NS
from airpocket.lab.options import Smile

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKS = (1, 2, 4, 8)  # Fridays ahead
_STRIKES = tuple(range(-8, 9, 2))  # steps of 2.5 % from the index
_HALF_SPREAD = 0.02  # of the mark


@dataclass(frozen=True, slots=True)
class Option:
    """One option at one moment; prices in coin, volatility in per cent a year."""

    name: str
    base: str
    forward: float
    bid: float
    ask: float
    mark: float
    mark_iv: float
    open_interest: float

    def summary(self, stamp: int) -> dict[str, Any]:
        """A row of Deribit's book summary."""
        return {
            "instrument_name": self.name, "creation_timestamp": stamp, "base_currency": self.base,
            "quote_currency": self.base, "underlying_index": f"SYN.{self.name.rsplit('-', 2)[0]}",
            "underlying_price": round(self.forward, 4), "estimated_delivery_price": round(self.forward, 4),
            "interest_rate": 0.0, "bid_price": self.bid, "ask_price": self.ask, "mark_price": self.mark,
            "mid_price": round((self.bid + self.ask) / 2.0, 6), "mark_iv": self.mark_iv, "last": self.mark,
            "high": None, "low": None, "price_change": None, "volume": 0.0, "volume_usd": 0.0,
            "open_interest": self.open_interest,
        }  # fmt: skip


def volatility_index(volatility: float) -> float:
    """Per cent a year of the thirty-day smile's middle."""
    years = 30.0 / 365.0
    return 100.0 * _smile(volatility).volatility(0.0, years)


def chain_at(base: str, index: float, volatility: float, now: int) -> list[Option]:
    """The chain of a coin at an index in USD; volatility: fraction a year."""
    smile, found = _smile(volatility), list[Option]()
    step = _round_step(index)
    for expiry in _fridays(now):
        years = (int(expiry.timestamp()) * SECOND_NS - now) / YEAR_NS
        day = f"{expiry.day}{_MONTHS[expiry.month - 1]}{expiry.year % 100:02d}"
        for k in _STRIKES:
            strike = round(index * (1.0 + 0.025 * k) / step) * step
            for call in (True, False):
                found.append(
                    _option(
                        f"{base}-{day}-{strike}",
                        base,
                        (index, float(strike)),
                        (smile, years),
                        call=call,
                    )
                )
    return found


def _option(
    name: str, base: str, prices: tuple[float, float], shape: tuple[Smile, float], *, call: bool
) -> Option:
    forward, strike = prices
    smile, years = shape
    volatility = smile.volatility(math.log(strike / forward), years)
    deviation = volatility * math.sqrt(years)
    d1 = math.log(forward / strike) / deviation + deviation / 2.0
    d2 = d1 - deviation
    worth = forward * _normal(d1) - strike * _normal(d2)
    if not call:
        worth += strike - forward
    mark = round(max(worth / forward, 1e-4), 6)
    half = max(_HALF_SPREAD * mark, 1e-4)
    return Option(
        f"{name}-{'C' if call else 'P'}", base, forward, round(max(mark - half, 1e-4), 4), round(mark + half, 4),
        mark, round(100.0 * volatility, 2), round(1_000.0 * math.exp(-(d1**2)), 1),
    )  # fmt: skip


def _smile(volatility: float) -> Smile:
    return Smile(level=volatility, front=0.05, tilt=-0.1)


def _fridays(now: int) -> Iterator[datetime]:
    """Expiries ahead, 08:00 UTC, at least an hour away."""
    today = datetime.fromtimestamp((now + HOUR_NS) // SECOND_NS, UTC)
    friday = today.replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(
        days=(4 - today.weekday()) % 7
    )
    if friday <= today:
        friday += timedelta(days=7)
    for weeks in _WEEKS:
        yield friday + timedelta(days=7 * (weeks - 1))


def _round_step(index: float) -> int:
    """Strikes lie on round numbers: 25 for ETH at 3,000, 2,500 for BTC at 80,000."""
    return max(1, round(10 ** math.floor(math.log10(index * 0.025)) * 2.5))


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))
