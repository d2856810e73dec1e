"""The map's step: one causal pass over bars that kills, closes and opens cohorts, and learns from prints."""

from math import floor, log

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.domain.units import HOUR_NS
from airpocket.liquidations.ageing import mixed, snapshot, spell_over, weigh
from airpocket.liquidations.cells import (
    BARS,
    BOUGHT,
    CLIPPED,
    FIRST,
    HAZARD,
    HEARD,
    HIGH,
    HOUR,
    HOUR_INTEREST,
    IMPOSSIBLE,
    INTEREST,
    LAST,
    LAST_INTEREST,
    LOW,
    REACH_HIGH,
    REACH_LOW,
    SOLD,
    SQUARES,
    TYPICAL,
    VOLUME,
    VOLUME_SINCE,
    Cohorts,
    Rules,
)
from airpocket.liquidations.learn import heard_hour, learned
from airpocket.liquidations.settings import SPELL_H
from airpocket.liquidations.stops import fall_seen, share_of_stops

LEARN_EVERY = 24  # hours
_MOST_SPELLS = 60  # of ageing for one gap
_MOST_CLOSING = 0.5  # of a column in one step


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
    """Advance over n closed bars: liquidate, close, open; each hour compare, each spell age, each day learn.

    facts: (10, n) rows as named above, prices in quote per coin, volume, open interest and what the
    venue told of forced closes (buys, sells, sum of squared sizes) in coin. NaN: open interest not known
    yet, the bar is skipped; nobody listened for prints. points: (n,) prices between low and high at
    which the bar's openings are placed; 1: at its typical price. measured: (n,) whether volume is the
    venue's own. flow: (n, 2) filled with the forced flow of each side, coin, as the mix before the bar
    has it. Bars may come one at a time or all at once with the same bits.
    """
    counts = cohorts.counts
    for i in range(len(end)):
        interest = facts[INTEREST, i]
        if not interest > 0.0:
            continue
        counts[BARS] += 1
        ceiling = _ceiling(cohorts.memory, counts, interest, facts[VOLUME, i], measured[i])
        _listen(cohorts, facts, i)
        # a bucket stands for its middle: it is gone once price was there
        high = floor(log(facts[REACH_HIGH, i]) / rules.width - 0.5)
        low = -floor(0.5 - log(facts[REACH_LOW, i]) / rules.width)
        if points[i] == 1:
            start, step = log(facts[TYPICAL, i]) / rules.width, 0.0
        else:
            start = log(facts[LOW, i]) / rules.width
            step = (log(facts[HIGH, i]) / rules.width - start) / points[i]
            start += 0.5 * step
        gross = min(rules.sticky * facts[VOLUME, i], ceiling)
        for side in range(2):
            sign = 1.0 if side == 0 else -1.0
            reach = high if side == 0 else -1 - low
            # from bucket 0, not row 0: the grid's place must not show in bits
            entry = sign * start - 0.5
            flow[i, side] = _side(
                cohorts, rules, side, reach, entry, sign * step, points[i], gross, interest
            )
        both = flow[i, 0] + flow[i, 1]
        cohorts.burst[0] += both
        cohorts.burst[1] += both * both
        hour = end[i] // HOUR_NS
        if counts[HOUR] and hour > counts[HOUR]:
            spells = hour // SPELL_H - counts[HOUR] // SPELL_H
            if spells > 0:
                spell_over(cohorts, rules, start, min(spells, _MOST_SPELLS))
            _hour_over(cohorts, rules, interest)
        counts[HOUR] = hour
        if end[i] % HOUR_NS == 0 and len(cohorts.stamps) > 0:
            snapshot(cohorts, rules, end[i])


@kernel
def _ceiling(
    memory: FloatArray, counts: IntArray, interest: float, volume: float, measured: bool
) -> float:
    """Most that may have opened a side: opens of both sides are V + ΔOI, so half of it each.

    Also counts changes of open interest that exceed the venue's own volume since the last change.
    """
    memory[VOLUME_SINCE] += volume if measured else np.inf
    before = memory[LAST_INTEREST]
    ceiling = np.inf if before == 0.0 else 0.5 * max(volume + interest - before, 0.0)
    if interest != before:
        if before > 0.0 and abs(interest - before) > memory[VOLUME_SINCE]:
            counts[IMPOSSIBLE] += 1
        memory[LAST_INTEREST] = interest
        memory[VOLUME_SINCE] = 0.0
    return ceiling


@kernel
def _listen(cohorts: Cohorts, facts: FloatArray, i: int) -> None:
    """Adds a bar's prints to the hour; NaN marks an hour that was not listened to."""
    cohorts.told[0] += facts[BOUGHT, i]
    cohorts.told[1] += facts[SOLD, i]
    both = facts[BOUGHT, i] + facts[SOLD, i]
    if both > 0.0:
        cohorts.sizes[0] += both
        cohorts.sizes[1] += facts[SQUARES, i]


@kernel
def _side(  # noqa: PLR0913, PLR0917 - scalars in registers: this runs twice a bar
    cohorts: Cohorts,
    rules: Rules,
    side: int,
    reach: int,
    entry: float,
    step: float,
    points: int,
    gross: float,
    interest: float,
) -> float:
    """One side of one bar; returns its forced flow in coin. Buckets up to `reach` were traded through."""
    held, weight, layers = cohorts.held[side], cohorts.weight[side], rules.trigger.shape[2]
    forced = _kill(cohorts, rules, side, reach)
    rest = cohorts.mix[side, 0] * cohorts.never[side]
    weighed = rest * rules.pace[0]
    for k in range(rules.shift.shape[1]):
        own = 0.0
        for c in range(k * layers, (k + 1) * layers):
            own += weight[c] * held[c]
        rest += own
        weighed += own * rules.pace[k + 1]
    stays = 1.0 - _lost(cohorts, rules, side, reach, entry, step, points)
    hazard = 0.0
    if stays > 0.0:
        gross = min(gross, interest / stays)
        if rest + gross * stays < interest:
            gross = (interest - rest) / stays
        elif weighed > 0.0:
            hazard = (rest + gross * stays - interest) / weighed
    cohorts.memory[HAZARD + side] += hazard
    _close(cohorts, rules, side, hazard)
    cohorts.never[side] += gross
    for q in range(points):
        forced += _open(cohorts, rules, side, reach, entry + q * step, gross / points)
    return forced


@kernel
def _kill(cohorts: Cohorts, rules: Rules, side: int, reach: int) -> float:
    """Empty every row up to `reach`; what no stop took goes to the hour's flow, and is returned mixed."""
    cells = cohorts.cells[side]
    live, held, scale = cohorts.live[side], cohorts.held[side], cohorts.scale[side]
    layers = rules.trigger.shape[2]
    last = min(reach - cohorts.base[side], live[LAST])
    total = 0.0
    if last < live[FIRST]:
        live[FIRST] = max(live[FIRST], reach - cohorts.base[side] + 1)
        return total
    for c in range(len(cells)):
        span = cohorts.span[side, c]
        gone = 0.0
        for j in range(span[FIRST], min(last, span[LAST]) + 1):
            gone += cells[c, j]
            cells[c, j] = 0.0
        span[FIRST] = max(span[FIRST], last + 1)
        gone *= scale[c]
        held[c] = max(held[c] - gone, 0.0)
        k = c // layers
        share = cohorts.mix[side, k + 1] * gone
        if c % layers == 0:
            cohorts.hour[side, k] += gone
            total += cohorts.weight[side, c] * gone
            cohorts.exits[0] += share
            cohorts.exits[1] -= rules.before[side, k] * share
        else:
            cohorts.exits[1] += rules.before[side, k] * share / (layers - 1)
    live[FIRST] = max(live[FIRST], last + 1)
    return total


@kernel
def _close(cohorts: Cohorts, rules: Rules, side: int, hazard: float) -> None:
    """Closes every class at its own pace."""
    layers = rules.trigger.shape[2]
    cohorts.never[side] *= 1.0 - min(hazard * rules.pace[0], _MOST_CLOSING)
    if hazard * rules.pace[len(rules.pace) - 1] > _MOST_CLOSING:
        cohorts.counts[CLIPPED] += 1
    for c in range(cohorts.held.shape[1]):
        stays = 1.0 - min(hazard * rules.pace[c // layers + 1], _MOST_CLOSING)
        cohorts.held[side, c] *= stays
        cohorts.scale[side, c] *= stays


@kernel
def _lost(
    cohorts: Cohorts,
    rules: Rules,
    side: int,
    reach: int,
    entry: float,
    step: float,
    points: int,
) -> float:
    """Share of a bar's openings, mixed, whose trigger the same bar trades through."""
    lost = 0.0
    nearest = entry + min(0.0, step * (points - 1))
    for k in range(rules.shift.shape[1]):
        for layer in range(rules.trigger.shape[2]):
            way = rules.trigger[side, k, layer]
            if floor(nearest + way) > reach:
                continue
            share = cohorts.weight[side, k * rules.trigger.shape[2] + layer] / points
            for q in range(points):
                lost += share * _inside(entry + q * step + way, reach)
    return min(lost, 1.0)


@kernel
def _inside(at: float, reach: int) -> float:
    """Share of mass put at `at`, split between its two rows, that lies up to `reach`."""
    row = floor(at)
    if row < reach:
        return 1.0
    return 1.0 - (at - row) if row == reach else 0.0


@kernel
def _open(
    cohorts: Cohorts, rules: Rules, side: int, reach: int, entry: float, gross: float
) -> float:
    """Places `gross` in every class at its triggers, split between two rows; what is forced out at once."""
    cells, live, span = cohorts.cells[side], cohorts.live[side], cohorts.span[side]
    held, scale = cohorts.held[side], cohorts.scale[side]
    base, layers = cohorts.base[side], rules.trigger.shape[2]
    forced = 0.0
    for k in range(rules.shift.shape[1]):
        for layer in range(layers):
            c = k * layers + layer
            at = entry + rules.trigger[side, k, layer]
            bucket = floor(at)
            upper = (at - bucket) * gross
            row = bucket - base
            for to, part in ((row, gross - upper), (row + 1, upper)):
                if to + base > reach:
                    cells[c, to] += part / scale[c]
                    held[c] += part
                    span[c, FIRST], span[c, LAST] = min(span[c, FIRST], to), max(span[c, LAST], to)
                    live[FIRST], live[LAST] = min(live[FIRST], to), max(live[LAST], to)
                elif layer == 0:
                    cohorts.hour[side, k] += part
                    forced += cohorts.weight[side, c] * part
    return forced


@kernel
def _hour_over(cohorts: Cohorts, rules: Rules, interest: float) -> None:
    """What the hour's prints and its change of open interest tell."""
    before = cohorts.memory[HOUR_INTEREST]
    if before > 0.0 and interest != before:
        fall_seen(
            cohorts.moments, (before - interest) / before, cohorts.exits[0] / before,
            cohorts.exits[1] / before, rules.fade,
        )  # fmt: skip
    cohorts.memory[HOUR_INTEREST] = interest
    cohorts.exits[:] = 0.0
    heard_hour(
        cohorts.hour, cohorts.unstopped, cohorts.told, cohorts.burst, cohorts.flows, cohorts.tells, cohorts.spread,
        cohorts.mix, cohorts.sizes, cohorts.foreseen, cohorts.score, cohorts.counts[HEARD],
        cohorts.knee[0], rules.rate, rules.shape, rules.fade,
    )  # fmt: skip
    cohorts.counts[HEARD] += 1
    cohorts.hour[:] = 0.0
    cohorts.told[:] = 0.0
    cohorts.burst[:] = 0.0
    if cohorts.counts[HEARD] % LEARN_EVERY == 0:
        held = mixed(cohorts, 0), mixed(cohorts, 1)
        cohorts.stops[0] = share_of_stops(
            cohorts.moments, rules.stops, rules.slopes, rules.stops_at, rules.trust
        )
        learned(
            cohorts.flows, cohorts.unstopped, cohorts.tells, cohorts.spread, cohorts.mix,
            cohorts.caught, cohorts.sizes, cohorts.knee, cohorts.counts[HEARD], rules.prior,
            rules.rate, rules.strength, rules.likeness, rules.shape, rules.fade,
        )  # fmt: skip
        weigh(cohorts, rules)
        for side in range(2):
            # what is learned says who holds open interest, not that it changed
            now = mixed(cohorts, side)
            if now > 0.0:
                cohorts.never[side] *= held[side] / now
                cohorts.held[side] *= held[side] / now
                cohorts.scale[side] *= held[side] / now
