"""How price has moved: returns, realised volatility, ATR, RSI, and the hour of the week (M2, M6b)."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import (
    PERCENT,
    PERCENT_YEAR,
    POINTS,
    PRICE,
    SD,
    Estimate,
    known,
    unknown,
)
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.tells import Reading, Tell, at_most, context
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.market.bars import Bars
from airpocket.market.state import Market
from airpocket.signals.bundle import ATR, CVD, RSI, VWAP, Z_SCORE
from airpocket.signals.windows import rank_percent, score, value_at

_HOURS_A_YEAR = 8_760
_WEEK_H = 168


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """`fresh_h`: how old the last bar may be; the rest are windows in days."""

    fresh_h: int = 2
    rank_days: int = 365
    profile_weeks: int = 12
    least_weeks: int = 4


def last_price(market: Market, settings: MotionSettings) -> Estimate:
    """Close of the reference's newest bar."""
    bars = market.reference.base
    at = int(bars.end[-1])
    if market.now - at > settings.fresh_h * HOUR_NS:
        hours = (market.now - at) / HOUR_NS
        return unknown(PRICE, f"last bar of {market.reference.key} is {hours:,.0f} h old")
    return known(
        float(bars.close[-1]), PRICE, as_of=at, now=market.now, source=market.reference.key
    )


def move_percent(market: Market, hours: float, settings: MotionSettings) -> Estimate:
    """Simple return of the reference over the last `hours`, per cent."""
    price = last_price(market, settings)
    if price.value is None or price.as_of is None:
        return unknown(PERCENT, price.unknown or "")
    bars = market.reference.base
    over = int(hours * HOUR_NS)
    before = value_at(bars.end, bars.close, price.as_of - over, HOUR_NS)
    if not np.isfinite(before):
        return unknown(PERCENT, f"no price {hours:g} h ago")
    return known(
        100.0 * (price.value / before - 1.0), PERCENT, as_of=price.as_of, now=market.now,
        source=price.source,
    )  # fmt: skip


def hour_returns(bars: Bars) -> FloatArray:
    """(n,) log return of each closed hour; NaN after a gap, where there is no hour before."""
    returns = np.full(len(bars), np.nan)
    if len(bars) > 1:
        returns[1:] = np.log(bars.close[1:] / bars.close[:-1])
        returns[bars.gap_before()] = np.nan
    return returns


def realised_volatility(market: Market, days: int) -> Estimate:
    """√(mean squared hourly log return × 8,760), per cent a year; every hour must be there."""
    hours = market.reference.hours.since(market.now - (days * 24 + 1) * HOUR_NS)
    returns = hour_returns(hours)[-days * 24 :]
    if len(returns) < days * 24 or np.isnan(returns).any():
        missing = days * 24 - int(np.isfinite(returns).sum())
        return unknown(PERCENT_YEAR, f"{missing} of the last {days * 24} hours are missing")
    value = 100.0 * float(np.sqrt(np.mean(returns**2) * _HOURS_A_YEAR))
    at = int(hours.end[-1])
    return known(value, PERCENT_YEAR, as_of=at, now=market.now, source=market.reference.key)


def volatility_rank(market: Market, settings: MotionSettings) -> Estimate:
    """Where the last day's realised volatility stands among the days of the last year, per cent."""
    hours = market.reference.hours.since(market.now - (settings.rank_days + 1) * DAY_NS)
    squares = hour_returns(hours) ** 2
    whole = len(squares) // 24 * 24
    if whole < 60 * 24:
        return unknown(PERCENT, f"needs 60 days of hours, has {whole // 24}")
    # days counted back from now, so that the newest is whole; a day with a hole gives NaN and drops out
    days = np.sqrt(squares[-whole:].reshape(-1, 24).mean(axis=1))
    value = rank_percent(days[:-1], float(days[-1]), 60)
    if not np.isfinite(value):
        return unknown(PERCENT, "the last 24 hours or the year before them have holes")
    at = int(hours.end[-1])
    return known(value, PERCENT, as_of=at, now=market.now, source=market.reference.key)


def hour_move_sd(market: Market) -> Estimate:
    """The return of the last 60 minutes in standard deviations of the closed hours of the last 30 days.

    Where only hours are known, it is the last closed hour's.
    """
    hours = market.reference.hours.since(market.now - 30 * DAY_NS)
    returns = hour_returns(hours)
    if len(returns) < 2 or market.now - int(hours.end[-1]) > HOUR_NS:
        return unknown(SD, "the last hour is not here")
    usual, newest, at = returns[:-1], float(returns[-1]), int(hours.end[-1])
    running = _running_hour(market, at)
    if running is not None:
        usual, (newest, at) = returns, running
    value = score(usual, newest, 20 * 24)
    if not np.isfinite(value):
        return unknown(SD, "fewer than 20 days of hourly returns")
    return known(value, SD, as_of=at, now=market.now, source=market.reference.key)


def _running_hour(market: Market, closed: int) -> tuple[float, int] | None:
    """Log return over the 60 minutes up to the newest bar finer than an hour, and its end, past `closed`."""
    bars = market.reference.base
    at = int(bars.end[-1])
    before = int(np.searchsorted(bars.end, at - HOUR_NS))
    if at <= closed or int(bars.end[before]) != at - HOUR_NS:
        return None
    return float(np.log(bars.close[-1] / bars.close[before])), at


def bundle_tells(market: Market, indicators: FloatArray) -> list[Tell]:
    """RSI, ATR, z-score, VWAP and CVD after the last closed hour, from the causal bundle.

    indicators: (6, n) as `Bundle.update` gave them for the reference's hours.
    """
    hours = market.reference.hours
    named = (
        ("rsi_1h", "RSI 14, hourly", RSI, POINTS, 1.0),
        ("atr_1h", "ATR 14, hourly", ATR, PERCENT, 100.0 / _last(hours.close)),
        ("z_100h", "close against its last 100 h", Z_SCORE, SD, 1.0),
        ("vwap_100h", "VWAP of 100 h", VWAP, PRICE, 1.0),
        ("cvd_run", "CVD of the reference since its last gap", CVD, "coin", 1.0),
    )
    tells: list[Tell] = []
    for tell_id, label, row, unit, scale in named:
        value = scale * _last(indicators[row])
        estimate = unknown(unit, _why_missing(market, row))
        if np.isfinite(value):
            at = int(hours.end[-1])
            estimate = known(value, unit, as_of=at, now=market.now, source=market.reference.key)
        tells.append(context(tell_id, label, estimate))
    return tells


def _last(array: FloatArray) -> float:
    return float(array[-1]) if len(array) else float("nan")


def _why_missing(market: Market, row: int) -> str:
    if row == CVD:
        return "this source does not publish taker volume"
    run = market.reference.hours
    have = len(run.last_run()) if len(run) else 0
    return f"still warming up: {have} unbroken hours"


def low_volume_hours(market: Market, settings: MotionSettings) -> Reading:
    """Which hours of the week usually trade little, and whether this is one.

    The profile is the median log volume per hour of the week, shrunk towards that of its hour of the day
    while there are few weeks (weight n/(n + 4)). It is volume, not depth: it can't say that the book is
    thin, and no trigger reads it as if it could.
    """
    hours = market.reference.hours.since(market.now - settings.profile_weeks * 7 * DAY_NS)
    weeks = len(hours) // _WEEK_H
    if weeks < settings.least_weeks or not np.isfinite(hours.volume).all():
        reason = f"needs {settings.least_weeks} weeks of hourly volume, has {weeks}"
        if weeks >= settings.least_weeks:
            reason = "some hours have no volume"
        rank, state, because = unknown(PERCENT, reason), "unknown", [reason]
    else:
        rank = _hour_rank(market, hours)
        low = (rank.value or 0.0) <= 25.0
        state = "low-volume hour" if low else "normal hour"
        because = ["by the usual volume of this hour of the week; it is not a reading of depth"]
    tell = at_most(
        "hour_rank", "rank of this hour of the week", rank, 25.0, "low in the bottom quarter"
    )
    return Reading(
        id="hour", title="Hour of the week", state=state, because=because, tells=[tell], refs=["M6"]
    )


def _hour_rank(market: Market, hours: Bars) -> Estimate:
    slot = hour_of_week(hours.ts)
    here = int(hour_of_week(np.array([market.now], np.int64))[0])
    log_volume = np.log(np.maximum(hours.volume, 1e-12))
    by_week = np.array([float(np.median(log_volume[slot == s])) for s in range(_WEEK_H)])
    by_day = np.array([float(np.median(log_volume[slot % 24 == s % 24])) for s in range(_WEEK_H)])
    count = np.array([int((slot == s).sum()) for s in range(_WEEK_H)])
    weight = count / (count + 4.0)
    profile = weight * by_week + (1.0 - weight) * by_day
    value = rank_percent(profile, float(profile[here]), _WEEK_H)
    at = int(hours.end[-1])
    return known(value, PERCENT, as_of=at, now=market.now, source=market.reference.key)


def hour_of_week(ts: IntArray) -> IntArray:
    """(n,) 0 = Monday 00:00 UTC … 167; 1970-01-01 was a Thursday."""
    return (ts // HOUR_NS + 3 * 24) % _WEEK_H


def volatility_reading(market: Market, settings: MotionSettings) -> Reading:
    """Realised volatility over a day, a week and a month, its rank, and the implied index if stored."""
    rank = volatility_rank(market, settings)
    tells = [
        context("rv_1d", "realised volatility, 1 d", realised_volatility(market, 1)),
        context("rv_7d", "realised volatility, 7 d", realised_volatility(market, 7)),
        context("rv_30d", "realised volatility, 30 d", realised_volatility(market, 30)),
        context("rv_rank", "rank of the last day in its year", rank),
        context("implied_index", "implied-volatility index", implied_index(market)),
    ]
    if rank.value is None:
        state, because = "unknown", [rank.unknown or ""]
    else:
        state = "high" if rank.value >= 80 else "low" if rank.value <= 20 else "normal"
        because = [f"the last day was more volatile than {rank.value:.0f} % of its year's days"]
    return Reading(
        id="volatility", title="Volatility", state=state, because=because, tells=tells, refs=["M45"]
    )


def implied_index(market: Market) -> Estimate:
    """The newest close of an implied-volatility index on the asset, per cent a year."""
    for contract in market.contracts:
        for kind, table in sorted(contract.tables.items()):
            if not kind.startswith("vol_index"):
                continue
            at = int(table.ints("usable_from")[-1])
            if market.now - at > 3 * DAY_NS:
                return unknown(
                    PERCENT_YEAR, f"{contract.key} is {(market.now - at) / DAY_NS:.0f} d old"
                )
            value = float(table.floats("close")[-1])
            return known(value, PERCENT_YEAR, as_of=at, now=market.now, source=contract.key)
    return unknown(PERCENT_YEAR, "no implied-volatility index is stored")
