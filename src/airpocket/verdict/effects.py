"""Trigger → cluster → effect: the three patterns of M10, from tells that are there."""

from dataclasses import dataclass

import numpy as np
from msgspec import structs

from airpocket.domain.estimates import PERCENT, Estimate, known, unknown
from airpocket.domain.tells import Graded, Tell, at_least, at_most
from airpocket.domain.units import DAY_NS, HOUR_NS, PositionSide
from airpocket.levels.pivots import confirmed_swings
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Market
from airpocket.signals.panel import Signals
from airpocket.verdict.triggers import SwingBreak, TriggerSettings, break_tells, judged, risk_tell


@dataclass(frozen=True, slots=True)
class EffectSettings:
    """Thresholds fixed before any result was seen; none is fitted."""

    short_heavy_sd: float = -1.0
    long_heavy_sd: float = 1.0
    surge_sd: float = 2.0
    flat_percent: float = 2.0
    base_band_percent: float = 1.0


def effect_rows(
    market: Market, signals: Signals, broken: SwingBreak, triggers: TriggerSettings,
    settings: EffectSettings, mapped: LiquidationMap | Unmapped | None = None,
) -> list[Graded]:  # fmt: skip
    """The three rows of M10, in order; a map adds the dollars behind each cluster, as context."""
    rows = [
        _short_covering(signals, broken, triggers, settings),
        _flush_and_absorb(market, signals, settings),
        _crowded_longs(signals, settings),
    ]
    if mapped is None:
        return rows
    sides: tuple[PositionSide, ...] = ("short", "long", "long")
    return [
        structs.replace(row, tells=[*row.tells, risk_tell(side, mapped)])
        for row, side in zip(rows, sides, strict=True)
    ]


def _short_covering(
    signals: Signals, broken: SwingBreak, triggers: TriggerSettings, settings: EffectSettings
) -> Graded:
    required = [
        *break_tells(broken, triggers),
        at_most("short_heavy", "funding against its 90 d", signals.figure("funding_level_sd"),
                settings.short_heavy_sd, f"short-heavy at {settings.short_heavy_sd:g} sd"),
    ]  # fmt: skip
    state, because = judged(required, None)
    return Graded(
        id="break_into_shorts", title="Break of a swing high into short-heavy perps", state=state,
        because=because, tells=required, refs=["M10"],
        implication="rapid upside through covering",
    )  # fmt: skip


def _flush_and_absorb(market: Market, signals: Signals, settings: EffectSettings) -> Graded:
    before, wick, recovered = _retest(market)
    required = [
        at_least("base_held", "price a day ago over that base", before, 0.0, "above it before"),
        at_most("base_retest", "day's low over the last breakout's base", wick,
                settings.base_band_percent, f"in the base within {settings.base_band_percent:g} %"),
        at_least("base_recovered", "close over that base", recovered, 0.0, "closed back above"),
        at_least("long_heavy", "funding against its 90 d", signals.figure("funding_level_sd"),
                 settings.long_heavy_sd, f"levered longs at {settings.long_heavy_sd:g} sd"),
    ]  # fmt: skip
    state, because = judged(required, required[1].met)
    if state == "armed" and not (required[0].met and required[1].met):
        state, because = "quiet", ["price did not come down to the base of a prior breakout"]
    return Graded(
        id="wick_into_base", title="Wick into the base of a prior breakout with levered longs",
        state=state, because=because, tells=required, refs=["M10"],
        implication="brief flush, then absorption",
    )  # fmt: skip


def _retest(market: Market) -> tuple[Estimate, Estimate, Estimate]:
    """Open a day ago, low since, and last close against the newest base of a breakout, % over it.

    The base is the newest confirmed swing high of 60 days whose first hourly close above is over a day old.
    """
    hours = market.reference.hours
    highs = confirmed_swings(hours, 24).highs()
    recent = highs.where(highs.formed_at >= market.now - 60 * DAY_NS)
    base = float("nan")
    for level, formed in zip(recent.price, recent.formed_end, strict=True):
        beyond = np.flatnonzero((hours.end > formed) & (hours.close > level))
        if len(beyond) and market.now - int(hours.end[beyond[0]]) > DAY_NS:
            base = float(level)
    day = hours.since(market.now - DAY_NS)
    if not np.isfinite(base):
        return _thrice("no swing high was broken between one and sixty days ago")
    if len(day) == 0 or market.now - int(day.end[-1]) > HOUR_NS:
        return _thrice("the last hour is not here")
    source = f"{market.reference.key}, breakout base {base:,.2f}"
    at = int(day.end[-1])

    def over_base(price: float) -> Estimate:
        value = 100.0 * (price / base - 1.0)
        return known(value, PERCENT, as_of=at, now=market.now, source=source)

    return (
        over_base(float(day.open[0])),
        over_base(float(day.low.min())),
        over_base(float(day.close[-1])),
    )


def _thrice(reason: str) -> tuple[Estimate, Estimate, Estimate]:
    missing = unknown(PERCENT, reason)
    return missing, missing, missing


def _crowded_longs(signals: Signals, settings: EffectSettings) -> Graded:
    move = signals.figure("move_24h")
    flat = (
        move if move.value is None or move.as_of is None
        else Estimate(unit=PERCENT, value=abs(move.value), as_of=move.as_of, age_s=move.age_s,
                      source=move.source)
    )  # fmt: skip
    required: list[Tell] = [
        at_least("funding_surge", "last funding change", signals.figure("funding_change_sd"),
                 settings.surge_sd, f"a surge at {settings.surge_sd:g} sd"),
        at_most("flat_price", "size of the 24 h move", flat, settings.flat_percent,
                f"flat within {settings.flat_percent:g} %"),
    ]  # fmt: skip
    state, because = judged(required, required[0].met)
    if state == "armed" and not required[0].met:
        state, because = "quiet", ["funding did not surge"]
    return Graded(
        id="surge_on_flat_spot", title="Funding surge with flat price", state=state, because=because,
        tells=required, refs=["M10"],
        implication="crowded longs: mean reversion",
    )  # fmt: skip
