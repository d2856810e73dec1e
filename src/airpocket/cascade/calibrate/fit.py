"""Everything the store tells of one contract's impact, resilience, depth and bursts, as of a moment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.calibrate.absorb import Absorption
from airpocket.cascade.calibrate.bursts import Retrace, bursts_of, retraces_of, windows_of
from airpocket.cascade.calibrate.depth import (
    PER_LOG,
    Depths,
    PullBack,
    joined_bands,
    pull_back_of,
)
from airpocket.cascade.calibrate.figures import Figure, figure, missing
from airpocket.cascade.calibrate.hours import Hours, hours_of
from airpocket.cascade.calibrate.impact import Impact, impact_of
from airpocket.cascade.calibrate.latency import latency_of
from airpocket.cascade.calibrate.propagator import after_of, lasting
from airpocket.cascade.calibrate.recovery import Recovery, recovery_of
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.cascade.calibrate.tape import Tape, tape_of_batch, tape_of_minutes
from airpocket.domain.estimates import RATIO, SECONDS
from airpocket.domain.events import Batch, FloatArray, IntArray
from airpocket.domain.units import DAY_NS, SECOND_NS, TimeNs
from airpocket.market.bars import Bars
from airpocket.market.state import Contract, Market

_IMPACT_DAYS = 7
_NEAR_PERCENT = (0.1, 0.25, 0.5)  # the narrowest band told counts
_NO_TRADES = "no single trades are stored, and bars of a minute can't tell seconds: import trades of an archive"


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was measured of one contract. Every figure is known with its interval, or says why not.

    impact: λ by bar length. absorption: the impact law against the book. mended_s: half-time of depth after trades
    ate it (κ_r), which is not that of price. retraces: from bars of bursts, reported only.
    """

    contract: str
    now: TimeNs
    impact: tuple[Impact, ...]
    recovery: Recovery
    absorption: Absorption
    mended_s: Figure
    pull_back: PullBack
    latency_s: Figure
    hours: Hours
    retraces: tuple[Retrace, ...] = ()

    @property
    def events(self) -> int:
        """Known figures' events in all: how much is behind it."""
        told = (
            self.recovery.half_s, self.recovery.lasts, self.mended_s, self.pull_back.eta, self.latency_s,
            *(one.root for one in self.impact),
        )  # fmt: skip
        return sum(one.events for one in told if one.value is not None)


def fit(
    market: Market, trades: Mapping[str, Batch], settings: CalibrationSettings | None = None
) -> tuple[Fitted, ...]:
    """Fits every perpetual of a market, the reference first.

    trades: by contract key, `trade` rows usable at the market's moment; may lack any contract.
    """
    settings = settings or CalibrationSettings()
    reference = market.reference.key
    ordered = sorted(market.perps, key=lambda one: (one.key != reference, one.key))
    return tuple(fit_contract(one, trades.get(one.key), market.now, settings) for one in ordered)


def most_told(fitted: tuple[Fitted, ...], preferred: str) -> Fitted | None:
    """The preferred contract's figures where it has any, else those with the most events behind them; or None."""
    told = [one for one in fitted if one.events > 0]
    mine = [one for one in told if one.contract == preferred]
    return mine[0] if mine else max(told, key=lambda one: one.events, default=None)


def fit_contract(
    contract: Contract, trades: Batch | None, now: TimeNs, settings: CalibrationSettings
) -> Fitted:
    """One contract's figures out of its bars, tape, depth, marks and prints, and single trades where there are."""
    key = contract.key
    minutes = tape_of_minutes(contract)
    recent = None if minutes is None else _since(minutes, now - _IMPACT_DAYS * DAY_NS)
    impact, recovery = _tapes(recent, trades, now, key, settings)
    depths = _depths(contract, settings.band_percent)
    if minutes is None:
        why = f"{key}: no minute bars with takers' flow"
        pull = PullBack(missing(RATIO, why), missing(PER_LOG, why))
    else:
        pull = pull_back_of(depths, minutes.end, minutes.log_price, now, key, settings)
    return Fitted(
        key, now, impact, recovery, _absorption(contract, impact, now), _mended(contract, now, settings), pull,
        _latency(contract, now, settings), hours_of(depths, now, key, settings),
        _retraces(contract, now, settings),
    )  # fmt: skip


def _tapes(
    minutes: Tape | None, trades: Batch | None, now: TimeNs, key: str, settings: CalibrationSettings
) -> tuple[tuple[Impact, ...], Recovery]:
    fine = None
    if trades is not None and len(trades):
        fine = tape_of_batch(trades, min(settings.steps_s))
    found: list[Impact] = []
    for step in settings.steps_s:
        if fine is not None:
            found.append(impact_of(fine.coarser(step), now, key, settings))
        elif minutes is not None and step == minutes.step_s:
            found.append(impact_of(minutes, now, key, settings))
    if fine is None:
        why = f"{key}: {_NO_TRADES}"
        recovery = Recovery(missing(SECONDS, why), missing(RATIO, why))
    else:
        recovery = recovery_of(fine.coarser(settings.recovery_step_s), now, key, settings)
    bars = minutes if fine is None else fine.coarser(settings.propagator_step_s)
    if recovery.lasts.value is None and bars is not None:
        recovery = replace(recovery, lasts=lasting(after_of(bars, now, key, settings), settings))
    return tuple(found), recovery


def _since(tape: Tape, start: int) -> Tape:
    k = int(np.searchsorted(tape.end, start))
    joined = tape.joined[k:].copy()
    joined[:1] = False
    return Tape(
        tape.step_s, tape.end[k:], tape.log_price[k:], tape.flow_usd[k:], tape.traded_usd[k:], joined
    )  # fmt: skip


def _depths(contract: Contract, band: float) -> Depths:
    table = contract.table("depth")
    if table is None:
        return Depths(np.empty(0, np.int64), np.empty(0))
    return joined_bands(
        table.ints("ts"), table.floats("percent"), table.floats("notional_usd"), band
    )


def _absorption(contract: Contract, impact: tuple[Impact, ...], now: TimeNs) -> Absorption:
    """The longest bars whose law is known, and the median depth near the price over the days that it is of."""
    told = [one for one in impact if one.root.value is not None]
    law = max(told, key=lambda one: one.step_s, default=None)
    why = "no bars with takers' flow" if not impact else impact[-1].root.estimate.unknown or ""
    for percent in _NEAR_PERCENT:
        depths = _depths(contract, percent)
        recent = depths.usd[depths.at >= now - _IMPACT_DAYS * DAY_NS]
        if len(recent):
            per_log = float(np.median(recent)) / (2.0 * percent / 100.0)
            return Absorption(law, per_log if per_log > 0.0 else None, f"{contract.key}: {why}")
    return Absorption(law, None, f"{contract.key}: no depth near the price is stored")


def _mended(contract: Contract, now: TimeNs, settings: CalibrationSettings) -> Figure:
    """Median of the recorder's half-times of depth within 0.1 %; one a quarter of an hour counts."""
    table = contract.table("tape_1m")
    if table is None:
        return missing(SECONDS, f"{contract.key}: no recorded tape and book")
    at, seen = table.ints("ts"), table.floats("refill_s")
    good = np.isfinite(seen)
    # the recorder tells the median so far: minutes near each other tell the same cases
    quarter, first = np.unique(at[good] // (15 * 60_000_000_000), return_index=True)
    values = seen[good][first]
    if len(values) < settings.least_shocks:
        why = f"{contract.key}: {len(quarter)} quarters of an hour with shocks, {settings.least_shocks} are needed"
        return missing(SECONDS, why, len(quarter))
    rng = np.random.default_rng(settings.seed)
    draws = np.median(rng.choice(values, size=(settings.draws, len(values))), axis=1)
    low, high = np.quantile(draws, (0.1, 0.9))
    times = (int(at[good][-1]), now)
    return figure(
        float(np.median(values)),
        (float(low), float(high)),
        SECONDS,
        len(values),
        times,
        contract.key,
    )


def _latency(contract: Contract, now: TimeNs, settings: CalibrationSettings) -> Figure:
    marks, prints = contract.table("ticker"), contract.table("liquidation")
    if marks is None or prints is None:
        absent = "marks" if marks is None else "liquidations"
        return missing(SECONDS, f"{contract.key}: no {absent} are stored")
    mark = marks.floats("mark")
    good = np.isfinite(mark) & (mark > 0.0)
    side = prints.texts("forced_side")
    usd = prints.floats("notional_usd") * np.where(side == "buy", 1.0, -1.0)
    told = np.isfinite(usd) & (side != "unknown")
    return latency_of(
        (marks.ints("ts")[good], np.log(mark[good])), (prints.ints("ts")[told], usd[told]), now,
        contract.key, settings,
    )  # fmt: skip


def _retraces(
    contract: Contract, now: TimeNs, settings: CalibrationSettings
) -> tuple[Retrace, ...]:
    """Bursts over the steps of the open interest, in coin; none where it is not a series."""
    table = contract.table("open_interest")
    if table is None or len(contract.base) < 2:
        return ()
    amount, unit = table.floats("amount"), table.texts("unit")
    # what is a mean over a stretch is known of its end only
    averaged = table.ints("averaged_s")
    at = table.ints("ts") + averaged * SECOND_NS
    price = _closes(contract, at)
    coin = np.where(unit == "usd", amount / price, amount)
    if np.median(averaged) > 0:
        settings = replace(settings, interest_drop=settings.interest_drop / 2.0)
    return interest_retraces(contract.base, (at, coin), now, contract.key, settings)


def interest_retraces(
    bars: Bars,
    interest: tuple[IntArray, FloatArray],
    now: TimeNs,
    source: str,
    settings: CalibrationSettings,
) -> tuple[Retrace, ...]:
    """Retraces after bursts: forced where open interest fell by enough, free where it did not.

    interest: moments (n,), ns, from when on it was known, and coin.
    """
    at, coin = interest
    good = np.isfinite(coin) & (coin > 0.0) & (at <= now)
    at, coin = at[good], coin[good]
    if len(at) < 2:
        return ()
    start, end = windows_of(at)
    before, after = np.searchsorted(at, start), np.searchsorted(at, end)
    change = coin[after] / coin[before] - 1.0
    found = bursts_of(bars, (start, end), change, settings)
    return retraces_of(bars, found, now, source, settings)


def _closes(contract: Contract, at: IntArray) -> FloatArray:
    bars = contract.base
    row = np.searchsorted(bars.end, at, side="right") - 1
    return np.where(row >= 0, bars.close[np.maximum(row, 0)], np.nan)
