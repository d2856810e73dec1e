"""Where no chain is known: options as they would be quoted at one flat volatility, a sketch and no offer."""

import math
from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import Estimate
from airpocket.domain.events import BoolArray, FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS, YEAR_NS, format_time
from airpocket.market.options.greeks import greeks
from airpocket.playbook.hedging.candidates import Candidates

VENUE = "sketch"
HALF_SPREAD = 0.01  # volatility a year to either side of the flat one
_FRIDAY_NS = 8 * HOUR_NS + DAY_NS  # the epoch was a Thursday; options expire at 08:00 UTC
_WEEKS = (1, 2, 4, 8)
_LOW, _HIGH, _STEP = 0.6, 1.8, 0.05  # strikes, of the price
_TICK = 0.0001  # of the coin: Deribit's smallest step
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Flat:
    """One volatility for every strike and expiry, a fraction a year, and in words where it comes from."""

    volatility: float
    words: str


def flat_of(stated: float | None, index: Estimate, realised: Estimate) -> Flat | str:
    """The stated volatility (fraction a year), else the index, else the realised one; or why there is none.

    index, realised: per cent a year.
    """
    if stated is not None:
        return Flat(
            stated, f"a flat volatility of {100 * stated:.0f} %, stated in the position file"
        )
    if index.value is not None:
        return Flat(
            index.value / 100.0,
            f"a flat volatility of {index.value:.0f} %, the implied-volatility index",
        )
    if realised.value is not None:
        return Flat(
            realised.value / 100.0,
            f"a flat volatility of {realised.value:.0f} %, what the last 30 days realised",
        )
    return "neither a volatility is stated (volatility_percent) nor one of the market known"


def sketch(flat: Flat, price: float, now: int) -> Candidates:
    """Calls and puts of coming Fridays on round strikes, a point of volatility to either side of the flat one.

    price: of the coin, USD; forwards are taken to be it.
    """
    expiry, strike, call = _grid(price, now)
    years = (expiry - now) / YEAR_NS
    forward = np.full(len(strike), price)
    vols = [
        np.full(len(strike), max(flat.volatility + way * HALF_SPREAD, 0.01)) for way in (-1.0, 1.0)
    ]
    bid, ask = (greeks(call, forward, strike, years, vol).price for vol in vols)
    tick = _TICK * price  # nobody bids less, and nobody sells for less
    bid, ask = np.where(bid >= tick, bid, np.nan), np.maximum(ask, tick)
    middle = np.full(len(strike), flat.volatility)
    none = np.full(len(strike), np.nan)
    return Candidates(
        venue=VENUE, now=now, at=now, index=price,
        name=np.array([_name(*each) for each in zip(expiry, strike, call, strict=True)]),
        expiry=expiry, strike=strike, call=call, forward=forward, bid=bid, ask=ask, bid_vol=vols[0],
        ask_vol=vols[1], delta=greeks(call, forward, strike, years, middle).delta, size_bid=none, size_ask=none,
        sketch=flat.words,
    )  # fmt: skip


def _grid(price: float, now: int) -> tuple[IntArray, FloatArray, BoolArray]:
    """(n,) expiry, strike, call: by expiry and strike."""
    week = 7 * DAY_NS
    first = ((now - _FRIDAY_NS) // week + 1) * week + _FRIDAY_NS
    if first - now < DAY_NS:
        first += week
    step = _round_step(_STEP * price)
    counts = range(math.ceil(_LOW * price / step), math.floor(_HIGH * price / step) + 1)
    rows = [
        (first + (weeks - 1) * week, step * count, call)
        for weeks in _WEEKS
        for count in counts
        for call in (False, True)
    ]
    return (
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.float64),
        np.array([row[2] for row in rows], dtype=np.bool_),
    )


def _round_step(step: float) -> float:
    """The nearest of 1, 2, 5 times a power of ten at or below."""
    power = 10.0 ** math.floor(math.log10(step))
    return power * max(each for each in (1.0, 2.0, 5.0) if each * power <= step * (1 + 1e-12))


def _name(expiry: int, strike: float, call: bool) -> str:
    """'put 3,500 of 7 Nov 2025': no instrument, so none of a venue's names."""
    year, month, day = format_time(int(expiry))[:10].split("-")
    kind = "call" if call else "put"
    return f"{kind} {strike:,.10g} of {int(day)} {_MONTHS[int(month) - 1]} {year}"
