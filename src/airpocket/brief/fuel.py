"""Forced dollars against what rests each way from the price, and the liquidations told lately, of an assessment."""

import numpy as np

from airpocket.brief.fuel_model import ForcedSum, FuelView, FuelWay, Values
from airpocket.cascade.records import Scan, Unscanned
from airpocket.domain.events import FloatArray
from airpocket.domain.units import DAY_NS, MINUTE_NS, SECOND_NS, PositionSide, format_time
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Market, Observations
from airpocket.pipeline import Assessment

_PERCENT = np.linspace(0.0, 15.0, 61)
_DAYS = 14
_SIDES: dict[str, PositionSide] = {"up": "short", "down": "long"}
_CLOSES: dict[PositionSide, str] = {"short": "buy", "long": "sell"}


def fuel_view(assessment: Assessment) -> FuelView:
    """Cumulative dollars by distance each way, and two weeks of prints in sums of five minutes."""
    market, found, cascade = assessment.market, assessment.map, assessment.cascade
    why: str | None = None
    ways: list[FuelWay] = []
    if isinstance(found, Unmapped):
        why = found.reason
    elif isinstance(cascade, Unscanned):
        why = cascade.reason
    else:
        ways = [_way(found, scan) for scan in (cascade.up, cascade.down)]
    prints, untold = forced_sums(market, 5 * MINUTE_NS)
    return FuelView(
        asset=market.asset,
        as_of=format_time(market.now),
        simulated=market.simulated,
        price=None if isinstance(found, Unmapped) else found.price,
        unknown=why,
        ways=ways,
        prints=prints,
        prints_unknown=untold,
    )


def _way(found: LiquidationMap, scan: Scan) -> FuelWay:
    sign = 1.0 if scan.direction == "up" else -1.0
    profile, at = scan.profile, _PERCENT / 100.0
    forced = [found.within(_SIDES[scan.direction], float(percent)) for percent in _PERCENT]
    resting = np.interp(at, profile.distance, profile.absorb_usd - profile.latent_usd)
    resting[at > profile.measured_to + 1e-9] = np.nan
    return FuelWay(
        direction=scan.direction,
        percent=[float(sign * percent) for percent in _PERCENT],
        forced_usd=[_short(each.usd) for each in forced],
        low_usd=[_short(each.low) for each in forced],
        high_usd=[_short(each.high) for each in forced],
        resting_usd=_values(resting),
        absorbed_usd=[_short(v) for v in np.interp(at, profile.distance, profile.absorb_usd)],
        measured_to_percent=100.0 * profile.measured_to,
        absorbed_by=profile.label,
    )


def _short(value: float) -> float:
    """Six digits do for a picture."""
    return float(f"{value:.6g}")


def _values(values: FloatArray) -> Values:
    return [_short(v) if np.isfinite(v) else None for v in values]


def forced_sums(market: Market, period_ns: int) -> tuple[list[ForcedSum], str | None]:
    """Two weeks of liquidations of every contract, in sums of `period_ns`; and why there are none to tell."""
    tables = [contract.table("liquidation") for contract in market.perps]
    told = [table for table in tables if table is not None]
    if not told:
        return [], "no venue here tells its liquidations"
    since = market.now - _DAYS * DAY_NS
    found = [
        each for table in told for side in _CLOSES for each in _sums(table, side, since, period_ns)
    ]
    return sorted(found, key=lambda each: (each.open_s, each.side)), None


def _sums(table: Observations, side: PositionSide, since: int, period_ns: int) -> list[ForcedSum]:
    """One contract's prints of one side, those whose size is not known left out."""
    at, price, usd = table.ints("ts"), table.floats("price"), table.floats("notional_usd")
    usd = np.where(np.isfinite(usd), usd, table.floats("size") * price)
    kept = (at >= since) & np.isfinite(usd) & (usd > 0.0)
    kept &= table.texts("forced_side") == _CLOSES[side]
    if not kept.any():
        return []
    at, price, usd = at[kept], price[kept], usd[kept]
    partial = table.texts("coverage")[kept] != "all"
    period, inverse = np.unique(at // period_ns, return_inverse=True)
    total = np.bincount(inverse, usd)
    mean = np.bincount(inverse, usd * price) / total
    count, some = np.bincount(inverse), np.bincount(inverse, partial)
    return [
        ForcedSum(
            open_s=int(number) * (period_ns // SECOND_NS),
            side=side,
            price=float(f"{mean[row]:.8g}"),
            notional_usd=_short(float(total[row])),
            count=int(count[row]),
            at_least=bool(some[row] > 0),
        )
        for row, number in enumerate(period)
    ]
