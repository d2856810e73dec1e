"""The map's step: one causal pass over bars that kills, closes, opens and ages cohorts of positions."""

from math import floor, log
from typing import NamedTuple

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.domain.units import HOUR_NS

# Rows of `facts`.
REACH_HIGH, REACH_LOW, TYPICAL, LOW, HIGH, VOLUME, INTEREST = range(7)
# Slots of `live` by side: first and last bucket that may hold mass.
FIRST, LAST = 0, 1
# Slots of `counts`.
HOUR, PARITY, SNAPSHOTS, CLIPPED, IMPOSSIBLE, BARS = range(6)
# Slots of `memory`.
LAST_INTEREST, VOLUME_SINCE = 0, 1

_DUST = 1e-12  # coin; below it a cell is empty, which keeps far tails from becoming denormal
_MOST_HOURS = 240  # of ageing for one gap


class Cohorts(NamedTuple):
    """Everything the pass carries from bar to bar; arrays are changed in place.

    cells: (2, 2, B, K + 1) coin by buffer, side, bucket outward and class, as if each class took all
    openings; the last column weighs the classes by the prior. Buckets of side 1 (longs) are mirrored,
    j ↦ −1 − j, so that for both sides "outward" is up. base: (2,) bucket of row 0. live: (2, 2) rows.
    held: (2,) coin by side under the prior. scale: (2,) coin per unit of `cells`. memory: (2,).
    counts: (6,). ring: (T, 2, B) coin at the last T whole hours; stamps: (T,) ns.
    """

    cells: FloatArray
    base: IntArray
    live: IntArray
    held: FloatArray
    scale: FloatArray
    memory: FloatArray
    counts: IntArray
    ring: FloatArray
    stamps: IntArray


class Rules(NamedTuple):
    """prior, shift: (2, K) mix and buckets from entry to liquidation. ageing: (3,). width, sticky."""

    prior: FloatArray
    shift: FloatArray
    ageing: FloatArray
    width: float
    sticky: float


@kernel
def advance(
    cohorts: Cohorts,
    rules: Rules,
    end: IntArray,
    points: IntArray,
    measured: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
    facts: FloatArray,
    flow: FloatArray,
) -> None:
    """Advance over n closed bars: liquidate, close, open, and age at every full hour.

    facts: (7, n) rows as named above, prices in quote per coin, volume and open interest in coin (NaN:
    not known yet, the bar is skipped). points: (n,) prices between low and high at which the bar's
    openings are placed; 1: at its typical price. measured: (n,) whether volume is the venue's own.
    flow: (n, 2) filled with the forced flow of each side, coin. Bars may come one at a time or all at
    once with the same bits.
    """
    counts, memory = cohorts.counts, cohorts.memory
    for i in range(len(end)):
        interest = facts[INTEREST, i]
        if not interest > 0.0:
            continue
        counts[BARS] += 1
        _check(memory, counts, interest, facts[VOLUME, i], measured[i])
        high = floor(log(facts[REACH_HIGH, i]) / rules.width)
        low = floor(log(facts[REACH_LOW, i]) / rules.width)
        if points[i] == 1:
            start, step = log(facts[TYPICAL, i]) / rules.width, 0.0
        else:
            start = log(facts[LOW, i]) / rules.width
            step = (log(facts[HIGH, i]) / rules.width - start) / points[i]
            start += 0.5 * step
        gross = rules.sticky * facts[VOLUME, i]
        for side in range(2):
            sign = 1.0 if side == 0 else -1.0
            reach = high if side == 0 else -1 - low
            entry = (
                sign * start - 0.5
            )  # from bucket 0, not row 0: the grid's place must not show in bits
            cells = cohorts.cells[counts[PARITY], side]
            flow[i, side] = _side(
                cells, cohorts.base[side], cohorts.live[side], cohorts.held, cohorts.scale, side,
                rules.prior[side], rules.shift[side], reach, entry, sign * step, points[i], gross,
                interest, counts,
            )  # fmt: skip
        hours = min(end[i] // HOUR_NS - counts[HOUR], _MOST_HOURS) if counts[HOUR] else 0
        for _ in range(hours):
            _age(cohorts, rules.ageing)
        counts[HOUR] = end[i] // HOUR_NS
        if end[i] % HOUR_NS == 0 and len(cohorts.stamps) > 0:
            _snapshot(cohorts, end[i])


@kernel
def _check(
    memory: FloatArray, counts: IntArray, interest: float, volume: float, measured: bool
) -> None:
    """Count changes of open interest that exceed the venue's own volume since the last change."""
    memory[VOLUME_SINCE] += volume if measured else np.inf
    if interest != memory[LAST_INTEREST]:
        moved = abs(interest - memory[LAST_INTEREST])
        if memory[LAST_INTEREST] > 0.0 and moved > memory[VOLUME_SINCE]:
            counts[IMPOSSIBLE] += 1
        memory[LAST_INTEREST] = interest
        memory[VOLUME_SINCE] = 0.0


@kernel
def _side(  # noqa: PLR0913, PLR0917 - scalars in registers: this runs twice a bar
    cells: FloatArray,
    base: int,
    live: IntArray,
    held: FloatArray,
    scale: FloatArray,
    side: int,
    prior: FloatArray,
    shift: FloatArray,
    reach: int,
    entry: float,
    step: float,
    points: int,
    gross: float,
    interest: float,
    counts: IntArray,
) -> float:
    """One side of one bar; returns its forced flow in coin. Buckets up to `reach` were traded through."""
    forced = _kill(cells, live, reach - base) * scale[side]
    rest = max(held[side] - forced, 0.0)
    lost = _lost(prior, shift, reach, entry, step, points)
    stays = 1.0 - lost
    closing = 0.0
    if stays > 0.0:
        gross = min(gross, interest / stays)
        if rest + gross * stays < interest:
            gross = (interest - rest) / stays
        elif rest > 0.0:
            closing = (rest + gross * stays - interest) / rest
            if closing > 0.5:
                closing = 0.5
                counts[CLIPPED] += 1
    scale[side] *= 1.0 - closing
    held[side] = rest * (1.0 - closing) + gross * stays
    mass = gross / (scale[side] * points)
    for q in range(points):
        _open(cells, base, live, prior, shift, reach, entry + q * step, mass)
    return forced + gross * lost


@kernel
def _kill(cells: FloatArray, live: IntArray, reach: int) -> float:
    """Empty every row up to `reach`; returns what the prior's mix held there, in units of `cells`."""
    gone = 0.0
    width = cells.shape[1]
    for j in range(live[FIRST], min(reach, live[LAST]) + 1):
        gone += cells[j, width - 1]
        for k in range(width):
            cells[j, k] = 0.0
    live[FIRST] = max(live[FIRST], reach + 1)
    return gone


@kernel
def _lost(
    prior: FloatArray, shift: FloatArray, reach: int, entry: float, step: float, points: int
) -> float:
    """Share of a bar's openings whose liquidation price the same bar trades through."""
    nearest = entry + min(0.0, step * (points - 1)) + shift[len(shift) - 1]
    if floor(nearest) > reach:
        return 0.0
    lost = 0.0
    for q in range(points):
        for k in range(len(shift)):
            at = entry + q * step + shift[k]
            row = floor(at)
            if row < reach:
                lost += prior[k]
            elif row == reach:
                lost += prior[k] * (1.0 - (at - row))
    return min(lost / points, 1.0)


@kernel
def _open(  # noqa: PLR0913, PLR0917 - scalars in registers
    cells: FloatArray,
    base: int,
    live: IntArray,
    prior: FloatArray,
    shift: FloatArray,
    reach: int,
    entry: float,
    mass: float,
) -> None:
    """Place `mass` in every class at its liquidation price, split between the two nearest rows."""
    classes = len(shift)
    for k in range(classes):
        at = entry + shift[k]
        bucket = floor(at)
        upper = (at - bucket) * mass
        lower = mass - upper
        row = bucket - base
        if bucket > reach:
            cells[row, k] += lower
            cells[row, classes] += prior[k] * lower
            live[FIRST] = min(live[FIRST], row)
        if bucket + 1 > reach:
            cells[row + 1, k] += upper
            cells[row + 1, classes] += prior[k] * upper
            live[FIRST] = min(live[FIRST], row + 1)
            live[LAST] = max(live[LAST], row + 1)


@kernel
def _age(cohorts: Cohorts, ageing: FloatArray) -> None:
    """Move mass outward by an hour's drift; fold the scale into the cells and count what is held anew.

    What would leave the outermost row that was ever opened into stays there.
    """
    old, new = cohorts.counts[PARITY], 1 - cohorts.counts[PARITY]
    for side in range(2):
        first, last = cohorts.live[side, FIRST], cohorts.live[side, LAST]
        if last < first:
            cohorts.scale[side] = 1.0
            continue
        source, target = cohorts.cells[old, side], cohorts.cells[new, side]
        scale = cohorts.scale[side]
        stay, one, two = ageing[0] * scale, ageing[1] * scale, ageing[2] * scale
        width = source.shape[1]
        _drift(
            source.reshape(-1), target.reshape(-1), first * width, (last + 1) * width, width,
            stay, one, two,
        )  # fmt: skip
        for k in range(width):
            edge = (one + two) * source[last, k] + two * source[last - 1, k]
            target[last, k] += edge
        source[first : last + 1] = 0.0
        cohorts.held[side] = _sum(target[first : last + 1, width - 1])
        cohorts.scale[side] = 1.0
    cohorts.counts[PARITY] = new


@kernel
def _drift(  # noqa: PLR0913, PLR0917 - flat arrays and scalars, so that the loop becomes vector code
    source: FloatArray,
    target: FloatArray,
    start: int,
    stop: int,
    width: int,
    stay: float,
    one: float,
    two: float,
) -> None:
    """target = source, spread over its own row, the next one out and the one after; dust becomes 0."""
    inner, outer = source[start - width : stop], source[start - 2 * width : stop]
    own, into = source[start:stop], target[start:stop]
    for i in range(stop - start):
        moved = stay * own[i] + one * inner[i] + two * outer[i]
        into[i] = moved if moved > _DUST else 0.0


@kernel
def _sum(column: FloatArray) -> float:
    """Sum by four running totals, which do not wait for one another."""
    a = b = c = d = 0.0
    whole = len(column) // 4 * 4
    for j in range(0, whole, 4):
        a += column[j]
        b += column[j + 1]
        c += column[j + 2]
        d += column[j + 3]
    for j in range(whole, len(column)):
        a += column[j]
    return (a + b) + (c + d)


@kernel
def _snapshot(cohorts: Cohorts, end: int) -> None:
    """Write what the prior's mix holds now into the ring."""
    at = cohorts.counts[SNAPSHOTS] % len(cohorts.stamps)
    for side in range(2):
        row = cohorts.ring[at, side]
        row[:] = 0.0
        cells = cohorts.cells[cohorts.counts[PARITY], side]
        width = cells.shape[1]
        for j in range(cohorts.live[side, FIRST], cohorts.live[side, LAST] + 1):
            row[j] = cells[j, width - 1] * cohorts.scale[side]
    cohorts.stamps[at] = end
    cohorts.counts[SNAPSHOTS] += 1
