"""Columns for charts: bars of any interval, and the hourly panes of every contract."""

import numpy as np

from airpocket.delivery.serve.models import (
    BarColumns,
    Column,
    ContractCarry,
    Funding,
    Interval,
    Line,
)
from airpocket.domain.errors import NothingKnown
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, format_time
from airpocket.market.bars import Bars
from airpocket.market.carry import funding_of, interest_of, premium_of
from airpocket.market.state import Contract, Market

INTERVALS: dict[Interval, int] = {
    "1m": MINUTE_NS, "5m": 5 * MINUTE_NS, "15m": 15 * MINUTE_NS, "1h": HOUR_NS, "4h": 4 * HOUR_NS,
    "1d": DAY_NS,
}  # fmt: skip
MOST_BARS = 1_500
_DAYS = 14
_SHOWN = ("spot", "linear", "inverse")


def bars_of(
    market: Market, interval: Interval, contract: str = "", limit: int = MOST_BARS
) -> BarColumns:
    """Closed bars of a contract, "" for the reference.

    Raises:
        NothingKnown: no such contract, or it has no bars.
    """
    priced = [each for each in market.contracts if len(each.base)]
    keys = [each.key for each in priced]
    found = (
        market.reference if not contract else next((c for c in priced if c.key == contract), None)
    )
    if found is None:
        raise NothingKnown(
            f"no bars of {contract}; there are bars of {', '.join(keys) or 'nothing'}"
        )
    ts, values = _chosen(found, INTERVALS[interval])
    ts, values = ts[-limit:], values[:, -limit:]
    rows = [[float(f"{v:.8g}") for v in row] for row in values[:4]]
    return BarColumns(
        asset=market.asset, as_of=format_time(market.now), simulated=market.simulated,
        contract=found.key, contracts=keys, interval_s=INTERVALS[interval] // SECOND_NS,
        open_s=[int(t) for t in ts // SECOND_NS], open=rows[0], high=rows[1], low=rows[2],
        close=rows[3], volume=_told(values[4]), volume_usd=_told(values[5]), taker_buy=_told(values[6]),
    )  # fmt: skip


def funding_panes(market: Market, days: int = _DAYS) -> Funding:
    """Funding, open interest, premium and taker flow of every contract through the last days, by the hour."""
    contracts = [each for each in market.contracts if each.instrument.kind in _SHOWN]
    return Funding(
        asset=market.asset, as_of=format_time(market.now), simulated=market.simulated, days=days,
        contracts=[_carry(each, market, days) for each in contracts],
    )  # fmt: skip


def _chosen(contract: Contract, interval: int) -> tuple[IntArray, FloatArray]:
    whole = {HOUR_NS: contract.hours, 4 * HOUR_NS: contract.four_hours, DAY_NS: contract.days}
    bars = whole.get(interval)
    return (bars.ts, bars.values) if bars is not None else joined(contract.base, interval)


def joined(bars: Bars, interval: int) -> tuple[IntArray, FloatArray]:
    """Opens (n,) and values (7, n) of bars of `interval` ns, where finer bars cover them without a hole."""
    fine = (bars.end - bars.ts) <= interval
    ts, end, values = bars.ts[fine], bars.end[fine], bars.values[:, fine]
    if len(ts) == 0:
        return ts, values
    bucket = ts - ts % interval
    start = np.flatnonzero(np.append(True, bucket[1:] != bucket[:-1]))
    stop = np.append(start[1:], len(ts))
    covered = np.add.reduceat(end - ts, start) == interval
    rows = np.vstack(
        [
            values[0][start],
            np.maximum.reduceat(values[1], start),
            np.minimum.reduceat(values[2], start),
            values[3][stop - 1],
            *(np.add.reduceat(row, start) for row in values[4:]),
        ]
    )
    return bucket[start][covered], rows[:, covered]


def _carry(contract: Contract, market: Market, days: int) -> ContractCarry:
    since = market.now - days * DAY_NS
    return ContractCarry(
        contract=contract.key, kind=contract.instrument.kind, funding_8h=_funding(contract, since),
        interest_coin=_interest(contract, market.reference, since), premium=_premium(contract, since),
        cvd=_cvd(contract, since),
    )  # fmt: skip


def _funding(contract: Contract, since: int) -> Line:
    if not contract.instrument.is_perp:
        return _none("% per 8 h", "only perpetuals pay funding")
    history = funding_of(contract)
    if history is None:
        return _none("% per 8 h", "no settlement is stored")
    recent = history.settled_at >= since
    rate = 100.0 * history.rate_8h[recent]
    return _line("% per 8 h", history.source, history.settled_at[recent], rate)


def _interest(contract: Contract, reference: Contract, since: int) -> Line:
    if not contract.instrument.is_perp:
        return _none("coin", "only perpetuals have open interest here")
    history = interest_of(contract, reference)
    if history is None:
        return _none("coin", "no open interest is stored")
    at, coin = _hourly(history.known_at, history.coin, since)
    return _line("coin", history.source, at, coin)


def _premium(contract: Contract, since: int) -> Line:
    history = premium_of(contract)
    if history is None:
        return _none("% of index", "no index is stored with its prices")
    at, premium = _hourly(history.at, history.premium, since)
    return _line("% of index", history.source, at, 100.0 * premium)


def _cvd(contract: Contract, since: int) -> Line:
    hours = contract.hours.since(since)
    flow = 2.0 * hours.taker_buy - hours.volume
    heard = np.isfinite(flow)
    if not heard.any():
        return _none("coin", "no bar tells what takers bought")
    total = np.where(heard, np.cumsum(np.where(heard, flow, 0.0)), np.nan)
    left_out = int((~heard).sum())
    note = f"; {left_out} hours not known and left out" if left_out else ""
    return _line("coin", f"{contract.key} bars{note}", hours.end, total)


def _hourly(at: IntArray, values: FloatArray, since: int) -> tuple[IntArray, FloatArray]:
    """The last value of every hour."""
    recent = (at >= since) & np.isfinite(values)
    at, values = at[recent], values[recent]
    hour = at // HOUR_NS
    last = np.append(hour[1:] != hour[:-1], True) if len(at) else np.zeros(0, np.bool_)
    return at[last], values[last]


def _line(unit: str, source: str, at: IntArray, values: FloatArray) -> Line:
    if len(at) == 0:
        return _none(unit, "nothing within the days shown")
    return Line(
        unit=unit, source=source, time_s=[int(t) for t in at // SECOND_NS], value=_told(values)
    )


def _none(unit: str, why: str) -> Line:
    return Line(unit=unit, source="", time_s=[], value=[], unknown=why)


def _told(values: FloatArray) -> Column:
    return [float(f"{v:.7g}") if np.isfinite(v) else None for v in values]
