"""What becomes of a minute's impact in the minutes after: given back, or gone on from; and the share that lasts."""

import math
from dataclasses import replace

import numpy as np
from msgspec import structs

from airpocket.cascade.calibrate.blocks import (
    blocks_of,
    drawn,
    interval,
    robust_weights,
    slopes,
    sums_of,
    total,
)
from airpocket.cascade.calibrate.figures import Figure, figure, missing
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.cascade.calibrate.tape import Tape
from airpocket.domain.estimates import RATIO
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import TimeNs

_MINUTE_S = 60.0
_FROM_MIN, _TO_MIN = 2, 5  # after which what is there is taken to stay


def after_of(tape: Tape, now: TimeNs, source: str, settings: CalibrationSettings) -> Figure:
    """S: what a minute of even flow has moved price by two to five minutes on, over what it had within the minute.

    The propagator G (Bouchaud et al. 2004), of any shape: Δm regressed on its own flow and on the flow before, in
    lags twice as long each, so that G(ℓ) is the sum of the slopes up to ℓ; S is G's mean over the later minutes
    over that of the first. What a spread or a fast arbitrage takes back within seconds is in neither. Below 1 price
    comes back, above 1 it goes on. tape: bars of a minute or less.
    """
    told = f"{source}, {tape.step_s:g} s bars"
    minute = round(_MINUTE_S / tape.step_s)
    edges = _lags(minute * _TO_MIN)
    flow = tape.flow_usd / max(float(np.std(tape.flow_usd)), 1e-300) if len(tape) else tape.flow_usd
    before, whole = _before(flow, tape.joined, edges)
    rows = int(whole.sum())
    block = blocks_of(len(tape), tape.step_s, _MINUTE_S * _TO_MIN, settings)[whole]
    blocks = len(np.unique(block))
    if blocks < settings.least_blocks or not np.any(tape.flow_usd):
        why = f"{told}: {rows} with {_TO_MIN} min before them, {settings.least_blocks} blocks of them are needed"
        return missing(RATIO, why, rows)
    x, move = before[whole], tape.moves[whole]
    sums = sums_of(x, move, robust_weights(x, move, settings), block)
    counts = np.concatenate([np.ones((1, blocks)), drawn(blocks, settings)])
    response = _response(slopes(total(counts, sums.xx), total(counts, sums.xy)), edges)
    made, left = (
        response[:, a:b].mean(axis=1) for a, b in ((0, minute), (_FROM_MIN * minute, _TO_MIN * minute))
    )  # fmt: skip
    share = left / np.where(made > 0.0, made, np.nan)
    spread = interval(share[1:])
    if spread is None or not np.isfinite(share[0]):
        return missing(RATIO, f"{told}: impact can't be told from none", rows)
    low, high = min(spread[0], float(share[0])), max(spread[1], float(share[0]))
    return figure(float(share[0]), (low, high), RATIO, rows, (int(tape.end[-1]), now), told)


def lasting(after: Figure, settings: CalibrationSettings) -> Figure:
    """The lasting share θ of an impact that fades by half in `usual_half_s`, out of S, unknown if that is.

    A path whose impact fades by half in h keeps S = θ/(θ + (1 − θ) g) of a minute's push in the minutes after,
    g = (1 − e^(−κT))/(κT); hence θ = S g/(1 − S + S g), and 1 from S = 1 on.
    """
    kt = math.log(2.0) * _MINUTE_S / settings.usual_half_s
    fading = -math.expm1(-kt) / kt

    def one(share: float | None) -> float | None:
        if share is None:
            return None
        s = min(max(share, 0.0), 1.0)
        return s * fading / (1.0 - s + s * fading)

    e = after.estimate
    return replace(
        after, estimate=structs.replace(e, value=one(e.value), low=one(e.low), high=one(e.high))
    )


def _lags(reach: int) -> IntArray:
    """0, 1, 2, 4, … and `reach`: the edges of the lags whose flow shares a slope."""
    doubled = 2 ** np.arange(int(math.log2(max(reach - 1, 1))) + 1, dtype=np.int64)
    return np.concatenate([[0], doubled, [reach]]).astype(np.int64)


def _before(
    flow: FloatArray, joined: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]", edges: IntArray
) -> tuple[FloatArray, "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]"]:
    """(n, K) sums of the flow at each lag, and (n,) the bars with no hole within the longest."""
    n, run = len(flow), np.arange(len(flow))
    total_flow = np.concatenate([[0.0], np.cumsum(flow)])
    upper = np.clip(run[:, None] - edges[:-1] + 1, 0, n)
    lower = np.clip(run[:, None] - edges[1:] + 1, 0, n)
    since = run - np.maximum.accumulate(np.where(joined, 0, run)) if n else run
    return total_flow[upper] - total_flow[lower], joined & (since >= edges[-1] - 1)


def _response(beta: FloatArray, edges: IntArray) -> FloatArray:
    """(D, L) G at each lag, out of slopes (D, K)."""
    return np.cumsum(np.repeat(beta, np.diff(edges), axis=1), axis=1)
