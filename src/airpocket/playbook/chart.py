"""Figures the scenario rows need and no signal gives: 4 h trend, changes of carry and volatility."""

import numpy as np

from airpocket.domain.estimates import (
    BPS,
    FUNDING_8H,
    PERCENT,
    RATIO,
    Estimate,
    known,
    unknown,
)
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.market.bars import Bars
from airpocket.market.state import Contract, Market
from airpocket.signals.funding import lead_venue, venue_fundings
from airpocket.signals.windows import value_at

_FOUR_HOURS = 4 * HOUR_NS


def higher_high(market: Market, bars_back: int) -> Estimate:
    """Last 4 h close over the highest high of the `bars_back` bars before it, per cent."""
    bars, reason = _run(market, bars_back)
    if bars is None:
        return unknown(PERCENT, reason)
    top = float(bars.high[-bars_back - 1 : -1].max())
    value = 100.0 * (float(bars.close[-1]) / top - 1.0)
    return known(
        value,
        PERCENT,
        as_of=int(bars.end[-1]),
        now=market.now,
        source=f"{market.reference.key} 4 h bars",
    )


def volume_ratio(market: Market, bars_back: int) -> Estimate:
    """Volume of the last 4 h bar over the mean of the `bars_back` before it."""
    bars, reason = _run(market, bars_back)
    if bars is None:
        return unknown(RATIO, reason)
    before, last = bars.volume[-bars_back - 1 : -1], float(bars.volume[-1])
    if not (np.isfinite(before).all() and np.isfinite(last) and before.mean() > 0):
        return unknown(RATIO, f"{market.reference.key} has bars without a volume")
    value = last / float(before.mean())
    return known(
        value,
        RATIO,
        as_of=int(bars.end[-1]),
        now=market.now,
        source=f"{market.reference.key} 4 h bars",
    )


def _run(market: Market, bars_back: int) -> tuple[Bars | None, str]:
    bars = market.reference.four_hours
    run = bars.last_run() if len(bars) else bars
    if len(run) <= bars_back:
        return None, f"needs {bars_back + 1} unbroken 4 h bars, has {len(run)}"
    if market.now - int(run.end[-1]) >= 2 * _FOUR_HOURS:
        return None, "the newest 4 h bar is over 8 h old"
    return run, ""


def funding_rise(market: Market, key: str) -> Estimate:
    """Change of the newest 8 h period's rate from the one before: this contract's, else the lead venue's."""
    venues = venue_fundings(market)
    own = next((venue for venue in venues if venue.key == key), None) or lead_venue(market, venues)
    if own is None or len(own.ends) < 2:
        return unknown(FUNDING_8H, "needs two settled periods in a row")
    at = int(own.ends[-1])
    if market.now - at > 16 * HOUR_NS:
        return unknown(
            FUNDING_8H, f"funding of {own.key} is {(market.now - at) / HOUR_NS:.0f} h old"
        )
    change = float(own.rate_8h[-1] - own.rate_8h[-2])
    return known(change, FUNDING_8H, as_of=at, now=market.now, source=own.key)


def spot_premium_change(market: Market, hours: int) -> Estimate:
    """Spot over perpetual now less the same `hours` earlier, both at shared bar ends, bp."""
    perp = market.reference
    spots = [
        c for c in market.spots if len(c.base) and market.now - int(c.base.end[-1]) <= 2 * HOUR_NS
    ]
    if not spots or not perp.instrument.is_perp:
        return unknown(BPS, "needs a fresh spot market and a fresh perpetual")
    spot = max(spots, key=lambda c: (int(c.base.end[-1]), float(c.base.close[-1])))
    at = min(int(spot.base.end[-1]), int(perp.base.end[-1]))
    now, before = _premium_at(spot, perp, at), _premium_at(spot, perp, at - hours * HOUR_NS)
    if not np.isfinite(now - before):
        return unknown(BPS, f"{spot.key} and {perp.key} share no bar {hours} h ago")
    return known(now - before, BPS, as_of=at, now=market.now, source=f"{spot.key} over {perp.key}")


def _premium_at(spot: Contract, perp: Contract, at: int) -> float:
    price = [value_at(c.base.end, c.base.close, at, 0) for c in (spot, perp)]
    return 1e4 * (price[0] / price[1] - 1.0)


def implied_change(market: Market) -> Estimate:
    """Relative change of the implied-volatility index in 24 h, per cent: a 30-day index for at the money."""
    for contract in market.contracts:
        for kind, table in sorted(contract.tables.items()):
            if not kind.startswith("vol_index"):
                continue
            at, close = table.ints("usable_from"), table.floats("close")
            if market.now - int(at[-1]) > DAY_NS + HOUR_NS:
                hours = (market.now - int(at[-1])) / HOUR_NS
                return unknown(PERCENT, f"{contract.key} is {hours:,.0f} h old")
            before = value_at(at, close, int(at[-1]) - DAY_NS, HOUR_NS)
            if not np.isfinite(before):
                return unknown(PERCENT, f"{contract.key} has no value a day earlier")
            value = 100.0 * (float(close[-1]) / before - 1.0)
            return known(value, PERCENT, as_of=int(at[-1]), now=market.now, source=contract.key)
    return unknown(PERCENT, "no implied-volatility index is stored")
