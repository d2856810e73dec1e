"""Where each leverage class is liquidated on a venue, from the margin kernel and the venue's tiers."""

import numpy as np

from airpocket.domain.errors import MarginError
from airpocket.domain.events import FloatArray
from airpocket.domain.instruments import stands_for
from airpocket.domain.units import PositionSide, TimeNs
from airpocket.liquidations.settings import MapSettings
from airpocket.margin.bundled import schedules_of
from airpocket.margin.kernel import Leg, liquidation, liquidation_at_rate
from airpocket.margin.rules import RULES
from airpocket.margin.tiers import Schedule, TierTable, tables_of
from airpocket.market.state import Contract

SIDES: tuple[PositionSide, PositionSide] = ("short", "long")


def schedule_at(contract: Contract, at: TimeNs) -> Schedule | None:
    """The newest schedule of a contract that was published at `at`, stored ones before bundled ones."""
    one = contract.instrument
    tiers = contract.table("tier")
    if tiers is not None:
        stored = tables_of(one.venue, one.symbol, tiers.columns, now=at)
        if stored:
            return stored[-1]
    bundled = schedules_of(one.venue, one.symbol, at)
    return bundled[-1] if bundled else None


def shifts_of(contract: Contract, at: TimeNs, s: MapSettings) -> FloatArray:
    """(2, K) buckets from entry to liquidation, outward, shorts first; NaN where the venue grants no such
    leverage or a position would be liquidated at once."""
    schedule = schedule_at(contract, at)
    fee = _counted_fee(contract, at)
    table = np.full((2, len(s.leverage)), np.nan)
    for row, side in enumerate(SIDES):
        for k, leverage in enumerate(s.leverage):
            price = _liquidated_at(contract, side, leverage, schedule, fee, s)
            if price is not None:
                out = np.log(price) / s.width * (1.0 if side == "short" else -1.0)
                table[row, k] = out if out > 0.0 else np.nan
    return table


def _liquidated_at(
    contract: Contract, side: PositionSide, leverage: float, schedule: Schedule | None, fee: float,
    s: MapSettings,
) -> float | None:  # fmt: skip
    """Price over entry of an isolated position of the typical size, or the largest granted below it."""
    size = s.typical_usd
    if isinstance(schedule, TierTable):
        granted = ~(schedule.max_leverage < leverage)  # NaN: not published, taken as granted
        if not granted.any():
            return None
        size = min(size, float(schedule.cap[granted].max()))
    form = "inverse" if contract.instrument.kind == "inverse" else "linear"
    leg = Leg(form, side, size, 1.0, size / leverage, fee)
    try:
        if schedule is None:
            return liquidation_at_rate(leg, s.maintenance).price
        return liquidation(leg, schedule).price
    except MarginError:
        return None


def _counted_fee(contract: Contract, at: TimeNs) -> float:
    """What the venue counts for the closing order on top of maintenance; 0 where none is known."""
    one = contract.instrument
    venue = stands_for(one.venue, one.symbol)
    for rules in RULES:
        same = (rules.venue, rules.form) == (venue, one.kind)
        if same and rules.valid_from <= at < rules.valid_to:
            return rules.liquidation_fee or 0.0
    return 0.0
