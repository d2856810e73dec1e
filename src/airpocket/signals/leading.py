"""Who moves first, spot or perpetual: measured over a day from both tapes, with an interval or "cannot tell"."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.estimates import Estimate, known, unknown
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.domain.tells import Reading, Tell
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS
from airpocket.market.state import Contract, Market, Observations

KIND = "lead_lag_5m"
MILLISECONDS = "ms"
NO_TAPES = "the tapes of a spot market and a perpetual of one venue were not recorded together"
_BLOCK_NS = 5 * MINUTE_NS


@dataclass(frozen=True, slots=True)
class LeadingSettings:
    """Fixed before any result was seen; none is fitted.

    least_blocks: of five minutes, within the day. least_moves: steps of either path that make a block
    count. together_ms: leads below it are none, as the clocks of two engines are no better. least_t: the
    largest mean correlation in standard errors, below which the two do not move together at any lag: the
    largest of 33 lags of nothing passes 4 about once in a thousand times.
    """

    window_ns: int = DAY_NS
    fresh_ns: int = HOUR_NS
    least_blocks: int = 24
    least_moves: int = 20
    together_ms: float = 10.0
    least_t: float = 4.0
    draws: int = 400
    coverage: float = 0.9


@dataclass(frozen=True, slots=True)
class Lead:
    """lag_ms: by how much spot moves first, negative where the perpetual does; low to high its interval.

    correlation: the largest over the lags, mean over blocks. blocks: how many were used.
    """

    lag_ms: float
    low_ms: float
    high_ms: float
    correlation: float
    blocks: int
    state: str


@kernel
def resampled_peaks(curves: FloatArray, draws: int, peaks: IntArray) -> None:
    """peaks[d]: where the mean of as many rows of `curves` (blocks, lags), drawn with return, is largest.

    The draws are a fixed sequence (SplitMix64, Steele, Lea and Flood 2014), so that the same blocks give
    the same interval everywhere; ties go to the shorter index.
    """
    blocks, lags = curves.shape
    state = np.uint64(0x9E3779B97F4A7C15)
    total = np.zeros(lags)
    for d in range(draws):
        total[:] = 0.0
        for _ in range(blocks):
            state = state + np.uint64(0x9E3779B97F4A7C15)
            mixed = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed = mixed ^ (mixed >> np.uint64(31))
            total += curves[int(mixed % np.uint64(blocks))]
        peaks[d] = np.argmax(total)


def lead_of(curves: FloatArray, lags_ms: FloatArray, settings: LeadingSettings) -> Lead:
    """The lag at which the mean correlation over blocks peaks, its bootstrap interval over blocks, and a word.

    curves: (blocks, lags) correlations, two blocks or more. "spot leads" or "perps lead" only where the
    whole interval lies beyond `together_ms`, none of it at the ends of the grid, and the peak is no noise.
    """
    blocks = curves.shape[0]
    assert blocks > 1
    mean, error = curves.mean(axis=0), curves.std(axis=0, ddof=1) / np.sqrt(blocks)
    peaks = np.empty(settings.draws, np.int64)
    resampled_peaks(np.ascontiguousarray(curves), settings.draws, peaks)
    tail = (1.0 - settings.coverage) / 2.0
    drawn = np.sort(lags_ms[peaks])
    low = float(drawn[int(np.floor(tail * (settings.draws - 1)))])
    high = float(drawn[int(np.ceil((1.0 - tail) * (settings.draws - 1)))])
    peak = int(np.argmax(mean))
    state = "cannot tell"
    if mean[peak] >= settings.least_t * error[peak]:
        state = _word(low, high, float(np.abs(lags_ms).max()), settings.together_ms)
    return Lead(float(lags_ms[peak]), low, high, float(mean[peak]), blocks, state)


def _word(low: float, high: float, end: float, together_ms: float) -> str:
    if low <= -end or high >= end:
        return "cannot tell"
    if low > together_ms:
        return "spot leads"
    if high < -together_ms:
        return "perps lead"
    if low >= -together_ms and high <= together_ms:
        return "together"
    return "cannot tell"


def _pairs(market: Market) -> list[tuple[Contract, str, Observations]]:
    """Spot market, the perpetual it is held against, and the blocks; the reference's own pair first."""
    found: list[tuple[Contract, str, Observations]] = []
    for spot in market.spots:
        table = spot.table(KIND)
        if table is None:
            continue
        against = table.texts("against")
        for perp in sorted(set(against.tolist())):
            found.append((spot, str(perp), table.where(against == perp)))
    reference = market.reference.key
    return sorted(found, key=lambda pair: (pair[1] != reference, pair[0].key, pair[1]))


def _curves(
    table: Observations, now: int, settings: LeadingSettings
) -> tuple[FloatArray, FloatArray, int]:
    """(blocks, lags) correlations of the window's blocks in which both moved enough, the lags, and the end."""
    ts = table.ints("ts")
    moved = np.minimum(table.ints("moves"), table.ints("moves_against")) >= settings.least_moves
    rows = (ts >= now - settings.window_ns) & moved
    if not rows.any():
        return np.empty((0, 0)), np.empty(0), 0
    kept = table.where(rows)
    ts, lags = kept.ints("ts"), kept.floats("lag_ms")
    scale = np.sqrt(kept.floats("variance") * kept.floats("variance_against"))
    order = np.lexsort((lags, ts))
    grid = np.unique(lags)
    blocks = len(np.unique(ts))
    if blocks * len(grid) != len(ts):  # blocks of another grid: an older recording
        return np.empty((0, 0)), np.empty(0), 0
    curves = (kept.floats("covariance") / scale)[order].reshape(blocks, len(grid))
    return curves, grid, int(ts.max()) + _BLOCK_NS


def leading(market: Market, settings: LeadingSettings) -> tuple[Estimate, str, list[str]]:
    """By how much spot moves before the perpetual (ms), the word for it, and why."""
    reason = NO_TAPES
    for spot, perp, table in _pairs(market):
        curves, lags, end = _curves(table, market.now, settings)
        if market.now - end > settings.fresh_ns:
            reason = f"{spot.key} and {perp}: not recorded together in the last hour"
            continue
        if len(curves) < settings.least_blocks:
            reason = (
                f"{spot.key} and {perp}: needs {settings.least_blocks} blocks of five minutes in which both "
                f"moved, has {len(curves)}"
            )
            continue
        lead = lead_of(curves, lags, settings)
        source = f"{spot.key} against {perp}, {lead.blocks} blocks"
        figure = known(
            lead.lag_ms, MILLISECONDS, as_of=end, now=market.now, source=source,
            interval=(lead.low_ms, lead.high_ms),
        )  # fmt: skip
        return figure, lead.state, [_because(lead, settings)]
    return unknown(MILLISECONDS, reason), "unknown", [reason]


def _because(lead: Lead, settings: LeadingSettings) -> str:
    spread = f"{lead.low_ms:+,.0f} to {lead.high_ms:+,.0f} ms"
    if lead.state == "spot leads":
        return f"spot trades move first, by {spread}"
    if lead.state == "perps lead":
        return (
            f"the perpetual's trades move first, by {-lead.high_ms:,.0f} to {-lead.low_ms:,.0f} ms"
        )
    if lead.state == "together":
        return f"neither moves {settings.together_ms:g} ms before the other"
    return f"the interval of the lead, {spread}, does not say who moves first"


def lead_tell(measured: tuple[Estimate, str, list[str]]) -> Tell:
    """Speaks where spot is measured to move first; "cannot tell" does not speak."""
    figure, state, _ = measured
    return Tell(
        id="lead_lag", label="spot ahead of the perpetual", estimate=figure,
        condition="spot moves first with its whole interval",
        met=None if figure.value is None else state == "spot leads",
    )  # fmt: skip


def reading(market: Market, settings: LeadingSettings) -> Reading:
    """M4: who leads."""
    measured = leading(market, settings)
    return Reading(
        id="leading", title="Who moves first", state=measured[1], because=measured[2],
        tells=[lead_tell(measured)], refs=["M4"],
    )  # fmt: skip
