"""Liquidations as venues print them: forced buying and selling of the last hour (M6)."""

import numpy as np

from airpocket.domain.estimates import PERCENT, USD, Estimate, known, lower_bound, unknown
from airpocket.domain.events import FloatArray
from airpocket.domain.units import DAY_NS, HOUR_NS, Side
from airpocket.market.carry import interest_of
from airpocket.market.health import heard_throughout, unwell
from airpocket.market.state import Contract, Market, Observations
from airpocket.signals.windows import rank_percent, value_at

_CHANNEL = "liquidations"
_NO_FEED = "no liquidation feed is stored for this time"
_HISTORY_DAYS = 7
_LEAST_DAYS = 3


def _feed(market: Market) -> Contract | None:
    """The contract with the most prints of the last week; without any, one whose channel was heard."""
    start = market.now - _HISTORY_DAYS * DAY_NS
    best, most = None, 0
    for contract in market.perps:
        table = contract.table("liquidation")
        rows = 0 if table is None else int((table.ints("ts") >= start).sum())
        if rows > most:
            best, most = contract, rows
    if best is not None:
        return best
    since = market.now - HOUR_NS
    heard = (
        c for c in market.perps if heard_throughout(c, _CHANNEL, since, market.now) is not None
    )
    return next(heard, None)


def forced_last_hour(market: Market, side: Side) -> tuple[Estimate, Estimate]:
    """Forced flow of the last hour in USD, and its rank among the hours of the last week (per cent).

    A lower bound where the feed is a sample, or was not heard all through the hour. Zero needs proof: the
    channel was live throughout, though it said nothing. Without proof a feed whose newest print is over a
    day old is unknown.
    """
    contract = _feed(market)
    if contract is None:
        return unknown(USD, _NO_FEED), unknown(PERCENT, _NO_FEED)
    ill = unwell(contract, _CHANNEL)
    if ill:
        reason = f"the liquidation channel of {contract.key} is {ill[_CHANNEL]}"
        return unknown(USD, reason), unknown(PERCENT, reason)
    now = market.now
    proven = heard_throughout(contract, _CHANNEL, now - HOUR_NS, now)
    table = contract.table("liquidation")
    if not proven and (table is None or now - int(table.ints("ts")[-1]) > DAY_NS):
        reason = _unproven(contract, table, now)
        return unknown(USD, reason), unknown(PERCENT, reason)
    per_hour = np.zeros(1) if table is None else _by_hour(table, side, now)
    return _told(contract, table, per_hour, now, whole=proven is not False)


def _unproven(contract: Contract, table: Observations | None, now: int) -> str:
    if table is None:
        return f"the liquidation channel of {contract.key} was not heard all through the last hour"
    return f"the last print of {contract.key} is {(now - int(table.ints('ts')[-1])) / HOUR_NS:,.0f} h old"


def _by_hour(table: Observations, side: Side, now: int) -> FloatArray:
    """(n,) USD forced by hours back from now, as far as prints reach, at most a week."""
    ts, usd = table.ints("ts"), table.floats("notional_usd")
    mine = (table.texts("forced_side") == side) & np.isfinite(usd)
    ago = (now - ts[mine]) // HOUR_NS
    span_h = int(min(_HISTORY_DAYS * DAY_NS, now - int(ts[0])) // HOUR_NS)
    per_hour = np.zeros(max(span_h, 1))
    inside = ago < len(per_hour)
    np.add.at(per_hour, ago[inside], usd[mine][inside])
    return per_hour


def _told(
    contract: Contract, table: Observations | None, per_hour: FloatArray, now: int, *, whole: bool
) -> tuple[Estimate, Estimate]:
    """Of a sample, nothing is nothing: it tells of one order a second whenever there is any."""
    amount = float(per_hour[0])
    sampled = table is not None and bool((table.texts("coverage") != "all").any())
    partly = bool(amount) and sampled
    lower = " (sampled: a lower bound)" if partly else ""
    lower = lower if whole else " (not heard all through the hour: a lower bound)"
    source = f"{contract.key} liquidation prints{lower}"
    flow = known(amount, USD, as_of=now, now=now, source=source)
    flow = lower_bound(flow) if partly or not whole else flow
    rank = rank_percent(per_hour[1:], amount, _LEAST_DAYS * 24)
    if not np.isfinite(rank):
        have = (len(per_hour) - 1) / 24
        return flow, unknown(PERCENT, f"needs {_LEAST_DAYS} days of prints, has {have:.1f}")
    return flow, known(rank, PERCENT, as_of=now, now=now, source=source)


def closed_last_hour(market: Market) -> Estimate:
    """Positions closed in the last hour, in USD, by the fall of open interest: forced or not.

    No liquidation feed is behind it, so it stands beside the prints and is never added to them. Openings of
    the same hour hide closings: it is modelled, and a lower bound of what was closed.
    """
    now = market.now
    reference = market.reference
    found = [history for c in market.perps if (history := interest_of(c, reference)) is not None]
    price = float(reference.base.close[-1])
    closed, used = 0.0, list[str]()
    for history in found:
        after = value_at(history.known_at, history.coin, now, HOUR_NS // 4)
        before = value_at(history.known_at, history.coin, now - HOUR_NS, HOUR_NS // 4)
        if np.isfinite(after) and np.isfinite(before):
            closed += max(before - after, 0.0) * price
            used.append(history.source)
    if not used:
        return unknown(USD, "open interest of now and an hour ago is not known at any venue")
    source = f"fall of open interest: {', '.join(used)}"
    return lower_bound(known(closed, USD, as_of=now, now=now, source=source, provenance="modelled"))
