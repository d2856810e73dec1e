"""The trigger table: four rows, each armed, firing, quiet, or unknown when one of its tells is (M6)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from airpocket.cascade.records import Direction
from airpocket.domain.estimates import HOURS, RATIO, USD, Estimate, known, unknown
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.tells import Graded, Tell, at_least, at_most, context
from airpocket.domain.units import DAY_NS, PositionSide
from airpocket.levels.pivots import confirmed_swings
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Market
from airpocket.signals.forced import closed_last_hour, forced_last_hour
from airpocket.signals.panel import Signals
from airpocket.verdict.reach import Reach

_NEAR_PERCENT = 5.0
_AHEAD = {"up": "above", "down": "below"}


@dataclass(frozen=True, slots=True)
class TriggerSettings:
    """Thresholds fixed before any result was seen; none is fitted."""

    swing_reach_h: int = 24
    swing_days: int = 30
    break_atr: float = 0.25
    hold_h: float = 2.0
    near_atr: float = 1.0
    forced_rank: float = 95.0
    impulse_sd: float = 2.5
    wide_spread_bps: float = 3.0
    spike_sd: float = 2.0
    interest_sd: float = -2.0


@dataclass(frozen=True, slots=True)
class SwingBreak:
    """Where price stands to the swing high in question.

    level: the highest confirmed swing high whose first hourly close above came within the last day, else
    the nearest one above the price. atr: (close − level) in hourly ATRs. held_h: closed hours in a row
    above it.
    """

    level: float
    atr: Estimate
    held_h: Estimate


def swing_break(market: Market, signals: Signals, settings: TriggerSettings) -> SwingBreak:
    """The recent swing high that matters now, and how far and how long price has been beyond it."""
    hours = market.reference.hours
    atr_percent = signals.figure("atr_1h")
    missing = _no_break(atr_percent, len(hours))
    if missing is not None:
        return missing
    close = hours.close
    swings = confirmed_swings(hours, settings.swing_reach_h).highs()
    recent = swings.where(swings.formed_at >= market.now - settings.swing_days * DAY_NS)
    if len(recent) == 0:
        reason = f"no confirmed swing high in {settings.swing_days} days"
        return SwingBreak(float("nan"), unknown(RATIO, reason), unknown(HOURS, reason))
    level = _level_in_question(recent.price, recent.formed_end, hours.end, close, market.now)
    if not np.isfinite(level):
        reason = "price is above every swing high of the window, broken over a day ago"
        return SwingBreak(float("nan"), unknown(RATIO, reason), unknown(HOURS, reason))
    above = close > level
    held = len(above) if above.all() else int(np.argmin(above[::-1]))
    at = int(hours.end[-1])
    unit = (atr_percent.value or 0.0) / 100.0 * float(close[-1])
    source = f"{market.reference.key}, swing high {level:,.2f}"
    distance = (float(close[-1]) - level) / unit
    return SwingBreak(
        level,
        known(distance, RATIO, as_of=at, now=market.now, source=source),
        known(float(held), HOURS, as_of=at, now=market.now, source=source),
    )


def _no_break(atr_percent: Estimate, hours: int) -> SwingBreak | None:
    if atr_percent.value is not None and atr_percent.value > 0 and hours:
        return None
    reason = atr_percent.unknown or "no range to measure a break by"
    return SwingBreak(float("nan"), unknown(RATIO, reason), unknown(HOURS, reason))


def _level_in_question(
    price: FloatArray, formed_end: IntArray, end: IntArray, close: FloatArray, now: int
) -> float:
    fresh: list[float] = []
    unbroken: list[float] = []
    for level, formed in zip(price, formed_end, strict=True):
        beyond = np.flatnonzero((end > formed) & (close > level))
        if len(beyond) == 0:
            unbroken.append(float(level))
        elif now - int(end[beyond[0]]) <= DAY_NS:
            fresh.append(float(level))
    return max(fresh) if fresh else min(unbroken, default=float("nan"))


def judged(required: list[Tell], armed_by: bool | None) -> tuple[str, list[str]]:
    """Unknown when any required tell is; firing when all speak; armed when the first sign is there."""
    missing = [tell for tell in required if tell.met is None]
    if missing:
        return "unknown", [f"{tell.label}: {tell.estimate.unknown}" for tell in missing]
    spoken = [tell.label for tell in required if tell.met]
    if len(spoken) == len(required):
        return "firing", ["every tell speaks: " + "; ".join(spoken)]
    if armed_by or spoken:
        silent = "; ".join(tell.label for tell in required if not tell.met)
        return "armed", [f"waiting for: {silent}"]
    return "quiet", ["no tell speaks"]


def trigger_rows(
    market: Market,
    signals: Signals,
    settings: TriggerSettings,
    mapped: LiquidationMap | Unmapped | None = None,
    near: Mapping[Direction, Reach] | None = None,
) -> list[Graded]:
    """The four rows of M6, in order; a map adds whose stops lie behind the break, as context.

    near: how near the next pockets are. One above that is within reach and would run arms the clean break; the
    rows on breaks and impulses show it.
    """
    broken, near = swing_break(market, signals, settings), near or {}
    return [
        _clean_break(market, signals, broken, settings, mapped, near.get("up")),
        _thin_hour_impulse(signals, settings, near),
        _funding_spike(signals, settings),
        _spot_led_burst(signals),
    ]


def break_tells(broken: SwingBreak, settings: TriggerSettings) -> list[Tell]:
    """Far enough beyond, long enough."""
    return [
        at_least("swing_break", "close beyond the swing high, in hourly ATRs", broken.atr,
                 settings.break_atr, f"clean at {settings.break_atr:g} ATR"),
        at_least("swing_hold", "closed hours in a row beyond it", broken.held_h, settings.hold_h,
                 f"held at {settings.hold_h:g} h"),
    ]  # fmt: skip


def risk_tell(side: PositionSide, mapped: LiquidationMap | Unmapped) -> Tell:
    """Dollars of one side forced out within 5 %, as context."""
    missing = isinstance(mapped, Unmapped)
    risk = unknown(USD, mapped.reason) if missing else mapped.at_risk(side, _NEAR_PERCENT)
    return context(f"{side}s_at_risk", f"{side}s forced out within {_NEAR_PERCENT:g} %", risk)


def _clean_break(
    market: Market,
    signals: Signals,
    broken: SwingBreak,
    settings: TriggerSettings,
    mapped: LiquidationMap | Unmapped | None,
    above: Reach | None,
) -> Graded:
    flow, rank = forced_last_hour(market, "buy")
    required = [
        *break_tells(broken, settings),
        at_least("forced_buying_rank", "forced buying of the last hour, rank in its week", rank,
                 settings.forced_rank, f"a stop cascade at {settings.forced_rank:g} %"),
        signals.tells["ask_thinning"],
    ]  # fmt: skip
    near = broken.atr.value is not None and broken.atr.value >= -settings.near_atr
    state, because = judged(required, near or (above is not None and above.open))
    tells = [
        *required,
        context("forced_buying", "forced buying, last hour", flow),
        context("positions_closed", "positions closed, last hour, by open interest",
                closed_last_hour(market)),
    ]  # fmt: skip
    if mapped is not None:
        tells.append(risk_tell("short", mapped))
    tells += _ahead(above)
    return Graded(
        id="clean_break", title="Clean break of a recent swing high", state=state, because=because,
        tells=tells, refs=["M6a"],
        implication="stops above the high are market buys while offers are pulled",
    )  # fmt: skip


def _ahead(reach: Reach | None) -> list[Tell]:
    """How many minutes of taker flow open the next pocket, and whether it runs, as context."""
    if reach is None:
        return []
    way = reach.direction
    return [
        context(
            f"ignition_minutes_{way}",
            f"minutes of taker flow to the pocket {_AHEAD[way]}",
            reach.minutes,
        ),
        context(f"squeeze_{way}", f"squeeze number S in the pocket {_AHEAD[way]}", reach.squeeze),
    ]


def _thin_hour_impulse(
    signals: Signals, settings: TriggerSettings, near: Mapping[Direction, Reach]
) -> Graded:
    required = [
        at_least("impulse", "last hour's move, scored", signals.figure("hour_move_sd"),
                 settings.impulse_sd, f"an impulse at {settings.impulse_sd:g} sd"),
        signals.tells["hour_depth_rank"],
        _wide_spread(signals, settings),
        signals.tells["fast_prints"],
    ]  # fmt: skip
    state, because = judged(required, required[0].met)
    tells = [*required, *(tell for each in near.values() for tell in _ahead(each))]
    return Graded(
        id="thin_hour_impulse", title="Impulse in a low-liquidity hour", state=state, because=because,
        tells=tells, refs=["M6b"],
        implication="little rests in the way, so a small push goes far",
    )  # fmt: skip


def _wide_spread(signals: Signals, settings: TriggerSettings) -> Tell:
    """Against the tape's own usual, as a tight market is wide at half a basis point; else in basis points, of
    the last minutes heard live or of the newest stored book.
    """
    usual = signals.tells["spread_usual"]
    if usual.estimate.value is not None:
        return usual
    live = signals.figure("tape_spread")
    return at_least(
        "wide_spread", "spread", live if live.value is not None else signals.figure("spread"),
        settings.wide_spread_bps, f"wide at {settings.wide_spread_bps:g} bp",
    )  # fmt: skip


def _funding_spike(signals: Signals, settings: TriggerSettings) -> Graded:
    change = signals.figure("funding_change_sd")
    required = [
        at_least("funding_spike", "last funding change, either way", _magnitude(change),
                 settings.spike_sd, f"a spike at {settings.spike_sd:g} sd"),
        at_most("interest_drop", "open interest in coin, 4 h, scored",
                signals.figure("interest_sd_4h"), settings.interest_sd,
                f"a drop at {settings.interest_sd:g} sd"),
    ]  # fmt: skip
    state, because = judged(required, None)
    tells = [
        *required,
        signals.tells["funding_8h"],
        signals.tells["interest_change_4h"],
        signals.tells["price_change_4h"],
    ]
    return Graded(
        id="funding_spike_oi_drop", title="Funding spike with an open-interest drop", state=state,
        because=because, tells=tells, refs=["M6c"],
        implication="positions are being closed by force: covers dominate if price is rising",
    )  # fmt: skip


def _magnitude(change: Estimate) -> Estimate:
    if change.value is None or change.as_of is None:
        return change
    return Estimate(
        unit=change.unit, value=abs(change.value), as_of=change.as_of, age_s=change.age_s,
        provenance=change.provenance, source=change.source,
    )  # fmt: skip


def _spot_led_burst(signals: Signals) -> Graded:
    required = [
        signals.tells["spot_premium"],
        signals.tells["flow_gap"],
        signals.tells["premium_change"],
    ]
    state, because = judged(required, None)
    lead = signals.tells["lead_lag"]
    if state == "firing" and not lead.met:
        why = lead.estimate.unknown or "the measured lead does not say so"
        because.append(f"that spot moves first is not shown: {why}")
    tells = [*required, signals.tells["spot_flow"], signals.tells["perp_flow"], lead]
    return Graded(
        id="spot_led_burst", title="Spot-led inflow burst", state=state, because=because, tells=tells,
        refs=["M6d"], implication="spot pulls, perps chase and the basis widens",
    )  # fmt: skip
