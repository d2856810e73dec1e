"""Large transfers (M17): stablecoins sent to exchanges and L2s, and coin sent to exchanges, in the last day."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import SD, USD, Estimate, known, lower_bound, unknown
from airpocket.domain.events import FloatArray
from airpocket.domain.flows import SHARED
from airpocket.domain.units import DAY_NS
from airpocket.market.state import Market, Observations
from airpocket.signals.driver_records import DriverStanding
from airpocket.signals.windows import score

_STALE_DAYS = 3  # without any large transfer at all: nobody listens
_LEAST_DAYS = 14


@dataclass(frozen=True, slots=True)
class Whales:
    """What was sent where. Sums are lower bounds: publishers tell of large transfers, and not of all chains."""

    stable: Estimate
    coin: Estimate
    score: Estimate
    state: str
    because: str
    standing: DriverStanding
    newest: int | None
    seen: int | None
    source: str
    days: int


def whales(market: Market) -> Whales:
    """The last 24 hours, against the days before."""
    stable = [
        t for c in market.contracts if c.instrument.base in SHARED and (t := c.table("transfer"))
    ]
    coin = [
        t
        for c in market.contracts
        if c.instrument.base == market.asset and (t := c.table("transfer"))
    ]
    if not stable and not coin:
        return _none("no large transfers stored")
    tables = [*stable, *coin]
    newest = max(int(t.ints("ts").max()) for t in tables)
    oldest = min(int(t.ints("ts").min()) for t in tables)
    seen = max(int(t.ints("usable_from").max()) for t in tables)
    days = (market.now - oldest) // DAY_NS
    if market.now - newest > _STALE_DAYS * DAY_NS:
        gone = f"no large transfer told for {(market.now - newest) / DAY_NS:.0f} days"
        return _none(gone, newest, seen, days, "stale")
    source = ", ".join(sorted({s for t in tables for s in t.sources}))
    bought, sold = (
        _daily(stable, market.now, ("exchange", "l2")),
        _daily(coin, market.now, ("exchange",)),
    )
    told = [
        lower_bound(known(float(sums[-1]), USD, as_of=newest, now=market.now, source=source))
        for sums in (bought, sold)
    ]
    past = bought[-1 - min(days, len(bought) - 1) : -1]
    against = score(past, float(bought[-1]), _LEAST_DAYS)
    scored = (
        known(against, SD, as_of=newest, now=market.now, source=source)
        if np.isfinite(against)
        else unknown(SD, f"{len(past)} earlier days, {_LEAST_DAYS} are needed")
    )
    more = bought[-1] >= sold[-1]
    because = (
        "more dollars than coin were sent to exchanges"
        if more
        else "more coin than dollars was sent"
    )
    state = "supportive" if more else "not supportive"
    if bought[-1] == sold[-1] == 0.0:
        state, because = "unknown", "no transfer with a dollar amount was told in the last day"
    return Whales(told[0], told[1], scored, state, because, "current", newest, seen, source, days)


def _daily(tables: list[Observations], now: int, targets: tuple[str, ...]) -> FloatArray:
    """(30,) USD sent to `targets` from anywhere else, by 24 hours back from now, oldest first.

    A lower bound: a transfer without a dollar amount adds nothing to it.
    """
    sums = np.zeros(30)
    for table in tables:
        inside = np.isin(table.texts("target"), targets) & ~np.isin(table.texts("origin"), targets)
        back = (now - table.ints("ts")) // DAY_NS
        usd = np.nan_to_num(table.floats("notional_usd"))
        mine = inside & (back >= 0) & (back < 30)
        np.add.at(sums, 29 - back[mine], usd[mine])
    return sums


def _none(
    why: str, newest: int | None = None, seen: int | None = None, days: int = 0,
    standing: DriverStanding = "none",
) -> Whales:  # fmt: skip
    dark = unknown(USD, why)
    return Whales(dark, dark, unknown(SD, why), "unknown", why, standing, newest, seen, "", days)
