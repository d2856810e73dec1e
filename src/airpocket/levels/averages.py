"""Moving averages, relative strength and true range of closed bars: restarted at every gap, silent until warm."""

import numpy as np

from airpocket.domain.estimates import Estimate, known, unknown
from airpocket.domain.events import FloatArray
from airpocket.domain.kernel import kernel
from airpocket.domain.units import DAY_NS, TimeNs, day_of, format_interval
from airpocket.levels.roadmap import Found, Level, LevelKind
from airpocket.levels.settings import PROMINENCE
from airpocket.market.bars import Bars
from airpocket.market.state import Contract

WARM_UP_SPANS = 3  # by then the seed weighs 2 % in an EMA
_DAILY_SPANS: dict[LevelKind, int] = {"ema_20d": 20, "ema_21d": 21, "ema_50d": 50}

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]


@kernel
def _ema(values: FloatArray, gaps: Flags, span: int, warm_up: int) -> FloatArray:
    out = np.full(len(values), np.nan)
    alpha = 2.0 / (span + 1.0)
    count = 0
    mean = 0.0
    for i in range(len(values)):
        if gaps[i]:
            count = 0
            mean = 0.0
        count += 1
        weight = 1.0 / count if count <= span else alpha
        mean += weight * (values[i] - mean)
        if count >= warm_up:
            out[i] = mean
    return out


@kernel
def _rsi(values: FloatArray, gaps: Flags, span: int, warm_up: int) -> FloatArray:
    out = np.full(len(values), np.nan)
    changes = 0
    gain = 0.0
    loss = 0.0
    for i in range(len(values)):
        if gaps[i]:
            changes = 0
            gain = 0.0
            loss = 0.0
            continue
        change = values[i] - values[i - 1]
        changes += 1
        weight = 1.0 / min(changes, span)
        gain += weight * (max(change, 0.0) - gain)
        loss += weight * (max(-change, 0.0) - loss)
        if changes >= warm_up and gain + loss > 0.0:
            out[i] = 100.0 * gain / (gain + loss)
    return out


@kernel
def _atr(
    high: FloatArray, low: FloatArray, close: FloatArray, gaps: Flags, span: int
) -> FloatArray:
    out = np.full(len(close), np.nan)
    count = 0
    mean = 0.0
    for i in range(len(close)):
        if gaps[i]:
            count = 0
            mean = 0.0
            continue
        true_range = max(high[i], close[i - 1]) - min(low[i], close[i - 1])
        count += 1
        mean += (true_range - mean) / min(count, span)
        if count >= span:
            out[i] = mean
    return out


def owned(array: FloatArray) -> FloatArray:
    """A writable copy: views of the market state are read-only, and a kernel would compile twice."""
    return np.array(array, dtype=np.float64)


def ema(bars: Bars, span: int, warm_up: int | None = None) -> FloatArray:
    """(n,) exponential mean of closes, weight 2/(span+1), in quote per coin.

    Seeded with the simple mean of the first `span` closes after each gap (as TA-Lib does); NaN until
    `warm_up` closes without a gap, 3 × span unless told.
    """
    warm_up = WARM_UP_SPANS * span if warm_up is None else warm_up
    return _ema(owned(bars.close), bars.gap_before(), span, max(warm_up, span))


def rsi(bars: Bars, span: int = 14, warm_up: int | None = None) -> FloatArray:
    """(n,) Wilder's relative strength of closes, 0 to 100.

    Wilder 1978: means of gains and losses with weight 1/span, seeded with the simple mean of the first
    `span` changes after each gap; NaN until `warm_up` changes (3 × span unless told), and where the
    price has not moved at all.
    """
    warm_up = WARM_UP_SPANS * span if warm_up is None else warm_up
    return _rsi(owned(bars.close), bars.gap_before(), span, max(warm_up, span))


def atr(bars: Bars, span: int = 14) -> FloatArray:
    """(n,) Wilder's average true range, quote per coin; NaN until `span` true ranges after each gap.

    A true range needs the close before, so the first bar after a gap has none. Seeded with the simple
    mean of the first `span`: that is an average of ranges already, so no longer warm-up is asked.
    """
    high, low, close = owned(bars.high), owned(bars.low), owned(bars.close)
    return _atr(high, low, close, bars.gap_before(), span)


def latest(
    series: FloatArray, bars: Bars, now: TimeNs, *, name: str, unit: str, needed: int, source: str
) -> Estimate:
    """The newest value of an indicator over `bars`, or why there is none: too few bars, or old ones."""
    if len(bars) == 0:
        return unknown(unit, f"{name} needs {needed} closed bars without a gap; there is none")
    end = int(bars.end[-1])
    period = end - int(bars.ts[-1])
    word = "days" if period == DAY_NS else f"{format_interval(period)} bars"
    if now - end >= 2 * period:
        return unknown(unit, f"{name}: the newest of the {word} ended on {day_of(end)}")
    run = bars.last_run()
    if len(run) < needed:
        start = day_of(int(run.ts[0]))
        reason = f"{name} needs {needed} {word} without a gap; {len(run)} since {start}"
        return unknown(unit, reason)
    return known(float(series[-1]), unit, as_of=end, now=now, source=source)


def averages_of(contract: Contract, now: TimeNs) -> dict[str, Estimate]:
    """EMA 20, 21 and 50 and ATR 14 of closed UTC days, RSI 14 of closed four-hour bars."""
    days, unit = contract.days, f"{contract.instrument.quote} per coin"
    daily = f"{contract.key} daily bars"
    found: dict[str, Estimate] = {
        kind: latest(
            ema(days, span), days, now,
            name=f"EMA {span} daily", unit=unit, needed=WARM_UP_SPANS * span, source=daily,
        )
        for kind, span in _DAILY_SPANS.items()
    }  # fmt: skip
    found["atr_14d"] = latest(
        atr(days), days, now, name="ATR 14 daily", unit=unit, needed=15, source=daily
    )
    fours = contract.four_hours
    found["rsi_14_4h"] = latest(
        rsi(fours), fours, now,
        name="RSI 14 of 4 h bars", unit="0 to 100", needed=WARM_UP_SPANS * 14 + 1,
        source=f"{contract.key} 4 h bars",
    )  # fmt: skip
    return found


def average_levels(averages: dict[str, Estimate]) -> Found:
    """The daily averages that are known, as levels; the others with the reason."""
    levels: list[Level] = []
    missing: list[str] = []
    for kind, span in _DAILY_SPANS.items():
        estimate = averages[kind]
        if estimate.value is None or estimate.as_of is None:
            missing.append(estimate.unknown or f"EMA {span} daily is unknown")
            continue
        level = Level(
            price=estimate.value, kind=kind, label=f"EMA {span} daily",
            formed_at=estimate.as_of - DAY_NS, confirmed_at=estimate.as_of, prominence=PROMINENCE[kind],
        )  # fmt: skip
        levels.append(level)
    return levels, missing
