"""How late forced orders come: prints of liquidations against new extremes of the mark, side by side in time."""

import numpy as np

from airpocket.cascade.calibrate.blocks import drawn, interval, sums_of, total
from airpocket.cascade.calibrate.figures import Figure, figure, missing
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.domain.estimates import SECONDS
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.domain.units import SECOND_NS, TimeNs

_COARSEST_S = 5.0  # marks further apart can't tell seconds
_LONGEST_S = 120.0
_TRIED = 36
_BLOCK_S = 900.0
_MEMORY_S = 14_400.0  # an extreme counts as new against so many seconds


def latency_of(
    marks: tuple[IntArray, FloatArray], prints: tuple[IntArray, FloatArray], now: TimeNs, source: str,
    settings: CalibrationSettings,
) -> Figure:  # fmt: skip
    """Mean wait τ from a new extreme of the mark to the forced order, s.

    marks: moments (n,), ns, and log-prices. prints: when forced orders traded (m,), ns, and their dollars, buying
    positive. Those whom a new high (or low) of the mark forces out wait τ on average, u̇ = ρṀ⁺ − u/τ of science
    §3.3, or all of them alike, where an engine looks after a fixed time: whichever, and whatever time, leaves the
    least squared error of forced flow a second. Both sides are summed; the interval is by blocks of a quarter of an
    hour in which anything was forced.
    """
    at, price = marks
    heard, usd = prints
    if len(heard) < settings.least_events or len(at) < 2:
        return missing(
            SECONDS,
            f"{source}: {len(heard)} prints, {settings.least_events} are needed",
            len(heard),
        )
    gap_s = float(np.median(np.diff(at))) / SECOND_NS
    if gap_s > _COARSEST_S:
        why = f"{source}: marks stand {gap_s:,.0f} s apart, {_COARSEST_S:g} s would do"
        return missing(SECONDS, why, len(heard))
    first, last = int(at[0]) // SECOND_NS + 1, int(at[-1]) // SECOND_NS
    grid = np.arange(first, last, dtype=np.int64)
    path = price[np.searchsorted(at, grid * SECOND_NS, side="right") - 1]
    slot = -(-heard // SECOND_NS) - first  # a print belongs to the second that ends after it
    inside = (slot >= 0) & (slot < len(grid))
    flow = np.zeros((2, len(grid)))
    for side, mine in enumerate((usd > 0.0, usd < 0.0)):
        np.add.at(flow[side], slot[inside & mine], np.abs(usd[inside & mine]))
    fresh = np.stack([extremes(path, _MEMORY_S), extremes(-path, _MEMORY_S)])
    longest = min(_LONGEST_S, len(grid) / 4.0)
    spread: FloatArray = np.geomspace(0.5, longest, _TRIED)
    alike: FloatArray = np.arange(1.0, int(longest) + 1.0)
    driven = [_waiting(fresh, float(np.exp(-1.0 / wait))) for wait in spread]
    driven += [_after(fresh, int(wait)) for wait in alike]
    waits = np.concatenate([spread, alike - 0.5])  # a print stands at the end of its second
    block = np.arange(len(grid), dtype=np.int64) // round(_BLOCK_S)
    error, gain = _errors(flow, driven, block, settings)
    best = np.argmin(error, axis=1)
    doubtful = (waits[best] <= waits.min()) | (waits[best] >= 0.9 * longest)
    doubtful |= gain[np.arange(len(best)), best] <= 0.0
    if doubtful[0] or doubtful[1:].mean() > 0.1:
        why = f"{source}: {len(heard)} prints do not follow new extremes of the mark closely enough to time them"
        return missing(SECONDS, why, len(heard))
    found = waits[best]
    spread_s = interval(found[1:])
    if spread_s is not None:  # marks can't tell less than half of what lies between them
        half = max(0.5, gap_s / 2.0)
        spread_s = (max(spread_s[0] - half, 0.0), spread_s[1] + half)
    return figure(
        float(found[0]), spread_s, SECONDS, int(inside.sum()), (int(at[-1]), now), source
    )  # fmt: skip


def _errors(
    flow: FloatArray, driven: list[FloatArray], block: IntArray, settings: CalibrationSettings,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """(1 + D, W) squared error by draw and wait, and the slope on the orders (2, n) that each wait would send."""
    both = np.concatenate([block, block + int(block[-1]) + 1])
    busy = np.isin(both, np.unique(both[flow.ravel() > 0.0]))
    counts = drawn(len(np.unique(both[busy])), settings)
    counts = np.concatenate([np.ones((1, counts.shape[1])), counts])
    error, gain = np.empty((len(counts), len(driven))), np.empty((len(counts), len(driven)))
    for k, sent in enumerate(driven):
        x = sent.ravel()[busy][:, None]
        sums = sums_of(x, flow.ravel()[busy], np.ones(len(x)), both[busy])
        xx, xy = total(counts, sums.xx)[:, 0, 0], total(counts, sums.xy)[:, 0]
        gain[:, k] = xy / np.maximum(xx, 1e-300)
        error[:, k] = counts @ sums.yy - gain[:, k] * xy
    return error, gain


@kernel
def extremes(path: FloatArray, memory: float) -> FloatArray:
    """(n,) by how much each step lifts the highest of the last `memory` steps; before that of all of them."""
    out = np.zeros(len(path))
    top, when = path[0], 0
    for k in range(1, len(path)):
        if k - when > memory:
            first = max(0, k - int(memory))
            top, when = path[first], first
            for j in range(first, k):
                if path[j] >= top:
                    top, when = path[j], j
        if path[k] > top:
            out[k] = path[k] - top
            top, when = path[k], k
    return out


def _waiting(fresh: FloatArray, kept: float) -> FloatArray:
    """(2, n) orders sent each step of those that waited before it, a part 1 − kept of them each step."""
    return np.stack([_sent(one, kept) for one in fresh])


def _after(fresh: FloatArray, steps: int) -> FloatArray:
    """(2, n) orders sent each step where all wait equally long."""
    out = np.zeros_like(fresh)
    out[:, steps:] = fresh[:, :-steps]
    return out


@kernel
def _sent(fresh: FloatArray, kept: float) -> FloatArray:
    out = np.zeros(len(fresh))
    u = 0.0
    for k in range(len(fresh)):
        out[k] = (1.0 - kept) * u
        u = kept * u + fresh[k]
    return out
