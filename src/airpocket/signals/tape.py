"""The tape as heard live: how fast it prints, how wide the touch is, what the touch does when taken (M5–M7)."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import BPS, PERCENT, RATIO, SD, SECONDS, Estimate, known, unknown
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.tells import Reading, at_least, context
from airpocket.domain.units import DAY_NS, MINUTE_NS
from airpocket.market.health import ill
from airpocket.market.state import Contract, Market, Observations
from airpocket.signals.motion import hour_of_week
from airpocket.signals.windows import score

TAPE = "tape_1m"
NO_TAPE = "no trade tape was recorded for this time"


@dataclass(frozen=True, slots=True)
class TapeSettings:
    """Fixed before any result was seen; none is fitted.

    fast, wide: prints a second and spread over their medians of the same hour of the week, from
    `least_weeks` weeks on; of the days before while there are fewer. reload_sd: share of best
    prices taken that stood again within a second, scored against the quarter hours of the days before, from
    which on supply reloads; at `retreat_sd` and below it retreats. Never against a fixed share: in the
    recorded minutes of 2024-08-08 it was 9 % on spot and 20 % on the perpetual (docs/live.md).
    """

    window_min: int = 5
    touch_min: int = 15
    usual_days: int = 7
    least_hours: float = 24.0
    fresh_min: int = 5
    profile_weeks: int = 4
    least_weeks: int = 2
    fast: float = 3.0
    wide: float = 2.0
    least_taken: int = 20
    least_spans: int = 48
    reload_sd: float = 1.5
    retreat_sd: float = -1.5


def tape_contract(market: Market, settings: TapeSettings) -> Contract | None:
    """The contract whose tape is read: the reference if its tape is fresh, else the busiest fresh one.

    A channel that fell silent counts no prints though its connection is open: that is no slow tape.
    """
    fresh = [
        c for c in market.contracts
        if (table := c.table(TAPE)) is not None
        and market.now - int(table.ints("ts")[-1]) - MINUTE_NS <= settings.fresh_min * MINUTE_NS
        and not ill(c, "trades")
    ]  # fmt: skip
    reference = market.reference.key
    return min(fresh, key=lambda c: (c.key != reference, -_last_prints(c), c.key), default=None)


def _last_prints(contract: Contract) -> int:
    table = contract.table(TAPE)
    return 0 if table is None else int(table.ints("prints")[-5:].sum())


def _recent(
    table: Observations, now: int, minutes: int
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return table.ints("ts") >= now - (minutes + 1) * MINUTE_NS


def _usual(
    table: Observations, values: FloatArray, now: int, settings: TapeSettings
) -> tuple[float, str]:
    """The median before the last minutes, of this hour of the week where it is known, and what it is of.

    NaN with the reason where too little was heard.
    """
    ts = table.ints("ts")
    before = ~_recent(table, now, settings.window_min) & np.isfinite(values)
    hour = hour_of_week(np.array([now - MINUTE_NS], np.int64))[0]
    same = before & (hour_of_week(ts) == hour) & (ts >= now - settings.profile_weeks * 7 * DAY_NS)
    same &= ts < now - DAY_NS
    if len(np.unique((now - ts[same]) // (7 * DAY_NS))) >= settings.least_weeks:
        return float(np.median(values[same])), "this hour of the week"
    days = before & (ts >= now - settings.usual_days * DAY_NS)
    hours = int(days.sum()) / 60.0
    if hours < settings.least_hours:
        needs = f"needs {settings.least_hours:g} h of tape to know what is usual"
        return float("nan"), f"{needs}, has {hours:.1f}"
    return float(np.median(values[days])), "the days before"


def _against_usual(market: Market, settings: TapeSettings, column: str, still: str) -> Estimate:
    """A column's mean of the last minutes over its usual; `still` is said where that is nothing."""
    contract = tape_contract(market, settings)
    table = None if contract is None else contract.table(TAPE)
    if contract is None or table is None:
        return unknown(RATIO, NO_TAPE)
    values = table.columns[column].astype(np.float64)
    usual, of = _usual(table, values, market.now, settings)
    if np.isnan(usual):
        return unknown(RATIO, of)
    now = values[_recent(table, market.now, settings.window_min)]
    if usual <= 0.0 or not np.isfinite(now).any():
        return unknown(RATIO, f"{contract.key}: {still}")
    return known(
        float(np.nanmean(now)) / usual, RATIO, as_of=_end(table.ints("ts")), now=market.now,
        source=f"{contract.key} against {of}",
    )  # fmt: skip


def print_speed(market: Market, settings: TapeSettings) -> Estimate:
    """Prints a second of the last minutes over what is usual, per contract."""
    return _against_usual(market, settings, "prints", "the tape usually stands still")


def spread_against_usual(market: Market, settings: TapeSettings) -> Estimate:
    """Mean spread of the last minutes over what is usual, per contract."""
    return _against_usual(market, settings, "spread_bps", "no two-sided quote was heard")


def _end(ts: IntArray) -> int:
    return int(ts[-1]) + MINUTE_NS


def tape_spread(market: Market, settings: TapeSettings) -> Estimate:
    """Mean spread of the last minutes, bp of the mid."""
    contract = tape_contract(market, settings)
    table = None if contract is None else contract.table(TAPE)
    if contract is None or table is None:
        return unknown(BPS, NO_TAPE)
    spreads = table.floats("spread_bps")[_recent(table, market.now, settings.window_min)]
    if not np.isfinite(spreads).any():
        return unknown(BPS, f"no two-sided quote of {contract.key} was heard")
    value = float(np.nanmean(spreads))
    return known(value, BPS, as_of=_end(table.ints("ts")), now=market.now, source=contract.key)


def reload_share(market: Market, settings: TapeSettings) -> Estimate:
    """Of the best prices that were taken, how many stood again within a second, per cent."""
    contract = tape_contract(market, settings)
    table = None if contract is None else contract.table(TAPE)
    if contract is None or table is None:
        return unknown(PERCENT, NO_TAPE)
    recent = _recent(table, market.now, settings.touch_min)
    reloads, retreats = table.ints("reloads")[recent], table.ints("retreats")[recent]
    told = (reloads >= 0) & (retreats >= 0)  # -1: the book could not tell
    taken = int(reloads[told].sum() + retreats[told].sum())
    if taken < settings.least_taken:
        why = "no live book" if not told.any() else f"{taken} best prices were taken"
        return unknown(PERCENT, f"{contract.key}: {why}, needs {settings.least_taken}")
    share = 100.0 * float(reloads[told].sum()) / taken
    return known(share, PERCENT, as_of=_end(table.ints("ts")), now=market.now, source=contract.key)


def reload_score(market: Market, settings: TapeSettings, share: Estimate) -> Estimate:
    """That share in standard deviations of the same contract's shares of quarter hours before."""
    contract = tape_contract(market, settings)
    table = None if contract is None else contract.table(TAPE)
    if share.value is None or contract is None or table is None:
        return unknown(SD, share.unknown or NO_TAPE)
    ts, reloads, retreats = table.ints("ts"), table.ints("reloads"), table.ints("retreats")
    before = (
        (ts < market.now - (settings.touch_min + 1) * MINUTE_NS) & (reloads >= 0) & (retreats >= 0)
    )
    before &= ts >= market.now - settings.usual_days * DAY_NS
    _, span = np.unique(ts[before] // (settings.touch_min * MINUTE_NS), return_inverse=True)
    back = np.bincount(span, weights=reloads[before])
    taken = back + np.bincount(span, weights=retreats[before])
    enough = taken >= settings.least_taken
    shares = 100.0 * back[enough] / taken[enough]
    if len(shares) < settings.least_spans:
        return unknown(
            SD, f"needs {settings.least_spans} quarter hours of touches taken to know the usual, has {len(shares)}"
        )  # fmt: skip
    value = score(shares, share.value, settings.least_spans)
    return known(value, SD, as_of=_end(ts), now=market.now, source=contract.key)


def refill(market: Market, settings: TapeSettings) -> Estimate:
    """Half-time of the refill of depth within 0.1 %, median of the last minutes' medians, s."""
    contract = tape_contract(market, settings)
    table = None if contract is None else contract.table(TAPE)
    if contract is None or table is None:
        return unknown(SECONDS, NO_TAPE)
    halves: FloatArray = table.floats("refill_s")[_recent(table, market.now, settings.touch_min)]
    if not np.isfinite(halves).any():
        return unknown(SECONDS, f"{contract.key}: no fifth of the near depth went in that time")
    value = float(np.nanmedian(halves))
    return known(value, SECONDS, as_of=_end(table.ints("ts")), now=market.now, source=contract.key)


def reading(market: Market, settings: TapeSettings) -> Reading:
    """Whether the touch retreats from takers or reloads against them."""
    share = reload_share(market, settings)
    usual = reload_score(market, settings, share)
    tells = [
        at_least("fast_prints", "trades per second against usual", print_speed(market, settings),
                 settings.fast, f"fast at {settings.fast:g} times"),
        context("tape_spread", "mean spread, last minutes", tape_spread(market, settings)),
        at_least("spread_usual", "spread against usual", spread_against_usual(market, settings),
                 settings.wide, f"wide at {settings.wide:g} times"),
        context("reload_share", "best prices taken that came back", share),
        at_least("reload_score", "their share against usual", usual, settings.reload_sd,
                 f"reloading at {settings.reload_sd:g} sd"),
        context("refill", "half-time of refill near the touch", refill(market, settings)),
    ]  # fmt: skip
    if usual.value is None:
        state, because = "unknown", [usual.unknown or NO_TAPE]
    elif usual.value >= settings.reload_sd:
        state, because = (
            "reloading",
            ["the price that was taken stands again more often than usual"],
        )
    elif usual.value <= settings.retreat_sd:
        state, because = (
            "retreating",
            ["quotes step away more often than usual when they are taken"],
        )
    else:
        state, because = "usual", ["quotes return about as often as they usually do"]
    return Reading(
        id="tape", title="Tape and touch", state=state, because=because, tells=tells, refs=["M5", "M7"]
    )  # fmt: skip
