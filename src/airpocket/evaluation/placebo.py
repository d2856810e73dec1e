"""Do clusters draw more forced flow than other levels as far away, at times as volatile?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import HOUR_NS
from airpocket.liquidations.records import Cluster, LiquidationMap
from airpocket.market.state import Contract, Market

_AHEAD_NS = 24 * HOUR_NS
_PLACEBOS = 4  # moments of like volatility that lend their levels


@dataclass(frozen=True, slots=True)
class Reached:
    """Forced coin told while price was inside a zone within 24 h, per unit of log-price, where price came
    there at all: clusters (n,) and the mean of their placebos (n,), NaN where price came to none."""

    clusters: FloatArray
    placebos: FloatArray


@dataclass(frozen=True, slots=True)
class _Tape:
    at: IntArray
    high: FloatArray
    low: FloatArray
    told_at: IntArray
    told_price: FloatArray
    told_coin: FloatArray
    told_bought: "np.ndarray[tuple[int], np.dtype[np.bool_]]"


def reached(maps: Sequence[LiquidationMap], market: Market, seed: int) -> Reached:
    """Each cluster of each map against the zone of the same side, distance and width around the price of
    the moments with the nearest trailing volatility, at least a day apart."""
    tape = _tape(market)
    if tape is None or not maps:
        return Reached(np.zeros(0), np.zeros(0))
    price = np.array([one.price for one in maps])
    now = np.array([one.now for one in maps], dtype=np.int64)
    calm = np.array([_volatility(tape, int(at)) for at in now])
    clusters: list[float] = []
    placebos: list[float] = []
    for k, one in enumerate(maps):
        order = np.argsort(np.abs(np.log(calm / calm[k])), kind="stable")
        others = [int(j) for j in order if abs(int(now[j]) - int(now[k])) >= _AHEAD_NS][:_PLACEBOS]
        for cluster in one.clusters:
            met = _met(tape, cluster, int(now[k]), 1.0)
            lent = [_met(tape, cluster, int(now[j]), float(price[j] / price[k])) for j in others]
            lent = [each for each in lent if np.isfinite(each)]
            if np.isfinite(met) and lent:
                clusters.append(met)
                placebos.append(float(np.mean(lent)))
    return Reached(np.array(clusters), np.array(placebos))


def _tape(market: Market) -> _Tape | None:
    for contract in market.perps:
        table = contract.table("liquidation")
        if table is not None and len(contract.base):
            return _tape_of(contract)
    return None


def _tape_of(contract: Contract) -> _Tape:
    table = contract.table("liquidation")
    assert table is not None
    bars = contract.base
    return _Tape(
        bars.end, bars.high, bars.low, table.ints("ts"), table.floats("price"), table.floats("size"),
        table.texts("forced_side") == "buy",
    )  # fmt: skip


def _volatility(tape: _Tape, now: int) -> float:
    """Mean range of the last day's bars, in logs."""
    rows = (tape.at <= now) & (tape.at > now - _AHEAD_NS)
    return float(np.log(tape.high[rows] / tape.low[rows]).mean()) + 1e-9


def _met(tape: _Tape, cluster: Cluster, now: int, scale: float) -> float:
    """Forced coin of the cluster's side inside the zone, scaled to another price, over its width; NaN where
    price did not come there within a day."""
    low, high = cluster.low * scale, cluster.high * scale
    bars = (tape.at > now) & (tape.at <= now + _AHEAD_NS)
    if not ((tape.high[bars] >= low) & (tape.low[bars] <= high)).any():
        return float("nan")
    inside = (tape.told_at > now) & (tape.told_at <= now + _AHEAD_NS)
    inside &= (tape.told_price >= low) & (tape.told_price <= high)
    inside &= tape.told_bought == (cluster.side == "short")
    return float(tape.told_coin[inside].sum() / np.log(high / low))
