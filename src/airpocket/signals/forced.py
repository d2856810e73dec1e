"""Liquidations as venues print them: forced buying and selling of the last hour (M6)."""

import numpy as np

from airpocket.domain.estimates import PERCENT, USD, Estimate, known, unknown
from airpocket.domain.units import DAY_NS, HOUR_NS, Side
from airpocket.market.health import unwell
from airpocket.market.state import Contract, Market
from airpocket.signals.windows import rank_percent

_NO_FEED = "no liquidation feed is stored for this time"
_HISTORY_DAYS = 7
_LEAST_DAYS = 3


def _feed(market: Market) -> Contract | None:
    """The contract with the most liquidation prints of the last week."""
    start = market.now - _HISTORY_DAYS * DAY_NS
    best, most = None, 0
    for contract in market.perps:
        table = contract.table("liquidation")
        rows = 0 if table is None else int((table.ints("ts") >= start).sum())
        if rows > most:
            best, most = contract, rows
    return best


def forced_last_hour(market: Market, side: Side) -> tuple[Estimate, Estimate]:
    """Forced flow of the last hour in USD, and its rank among the hours of the last week (per cent).

    Sampled feeds are lower bounds, and the source says so. A feed whose newest print is over a day old
    proves nothing by its silence: unknown.
    """
    contract = _feed(market)
    table = None if contract is None else contract.table("liquidation")
    if contract is None or table is None:
        return unknown(USD, _NO_FEED), unknown(PERCENT, _NO_FEED)
    ill = unwell(contract, "liquidations")
    if ill:
        reason = f"the liquidation channel of {contract.key} is {ill['liquidations']}"
        return unknown(USD, reason), unknown(PERCENT, reason)
    ts, usd = table.ints("ts"), table.floats("notional_usd")
    now = market.now
    if now - int(ts[-1]) > DAY_NS:
        reason = f"the last print of {contract.key} is {(now - int(ts[-1])) / HOUR_NS:,.0f} h old"
        return unknown(USD, reason), unknown(PERCENT, reason)
    mine = (table.texts("forced_side") == side) & np.isfinite(usd)
    ago = (now - ts[mine]) // HOUR_NS  # whole hours back from now
    span_h = int(min(_HISTORY_DAYS * DAY_NS, now - int(ts[0])) // HOUR_NS)
    per_hour = np.zeros(max(span_h, 1))
    inside = ago < len(per_hour)
    np.add.at(per_hour, ago[inside], usd[mine][inside])
    lower = " (sampled: a lower bound)" if "sample" in table.texts("coverage") else ""
    source = f"{contract.key} liquidation prints{lower}"
    flow = known(float(per_hour[0]), USD, as_of=now, now=now, source=source)
    rank = rank_percent(per_hour[1:], float(per_hour[0]), _LEAST_DAYS * 24)
    if not np.isfinite(rank):
        return flow, unknown(PERCENT, f"needs {_LEAST_DAYS} days of prints, has {span_h / 24:.1f}")
    return flow, known(rank, PERCENT, as_of=now, now=now, source=source)
