"""Slow drivers of the simulated market: fund creations, stablecoin supply and exchange reserves."""

import numpy as np

from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.lab.chance import stream
from airpocket.lab.scenario import END_NS, START_NS, FloatArray, IntArray
from airpocket.lab.tables import BundledTable, build
from airpocket.lab.world import World

# A figure for a day is published later: funds the next day at 13:00 UTC, chain data sooner.
_FUNDS_DELAY_NS = DAY_NS + 13 * HOUR_NS
_SUPPLY_DELAY_NS = DAY_NS + 2 * HOUR_NS
_RESERVE_DELAY_NS = DAY_NS + 6 * HOUR_NS


def flow_tables(world: World, source: str) -> list[BundledTable]:
    """Daily flows, stamped with the day they are about and usable only once published."""
    days = np.arange(START_NS, END_NS, DAY_NS, dtype=np.int64)
    draws = stream(world.seed, "flows").standard_normal((3, len(days)))
    told = (days - START_NS).astype(np.float64) / (END_NS - START_NS)
    trend = np.clip(5.0 * told - 3.9, 0.0, 1.0)  # from the end of November on
    funds = _round_to(1e5, -10e6 + 130e6 * trend + 75e6 * draws[0])
    supply = _round_to(1e5, 152e9 + np.cumsum(60e6 + 190e6 * trend + 90e6 * draws[1]))
    reserve = np.round(16.4e6 - np.cumsum(1_500.0 + 14_000.0 * trend + 9_000.0 * draws[2]))
    open_for_funds = (days // DAY_NS + 3) % 7 < 5  # Monday is 0
    ether = [
        _rows(days[open_for_funds], _FUNDS_DELAY_NS, "etf_net_flow", funds[open_for_funds], "USD"),
        _rows(days, _RESERVE_DELAY_NS, "exchange_reserve", reserve, "coin"),
    ]
    dollar = [_rows(days, _SUPPLY_DELAY_NS, "usdt_supply", supply, "USD")]
    return [_table("ETH", ether, source), _table("USDT", dollar, source)]


def _round_to(step: float, values: FloatArray) -> FloatArray:
    return np.round(values / step) * step


_Rows = tuple[IntArray, IntArray, list[str], FloatArray, list[str]]


def _rows(days: IntArray, delay_ns: int, series: str, values: FloatArray, unit: str) -> _Rows:
    known = days + delay_ns <= END_NS
    days, values = days[known], values[known]
    return days, days + delay_ns, [series] * len(days), values, [unit] * len(days)


def _table(symbol: str, parts: list[_Rows], source: str) -> BundledTable:
    times = (np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]))
    columns = {
        "series": [name for part in parts for name in part[2]],
        "value": np.concatenate([part[3] for part in parts]),
        "unit": [unit for part in parts for unit in part[4]],
    }
    return build("flow", ("sim_flows", symbol), source, times, columns)
