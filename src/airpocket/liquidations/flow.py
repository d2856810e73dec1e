"""The map's step: one causal pass over bars that kills, closes, opens and ages cohorts, and learns from prints."""

from math import floor, log
from typing import NamedTuple

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.domain.units import HOUR_NS
from airpocket.liquidations.learn import heard_hour, learned

# Rows of `facts`.
REACH_HIGH, REACH_LOW, TYPICAL, LOW, HIGH, VOLUME, INTEREST, BOUGHT, SOLD, SQUARES = range(10)
# Slots of `live` by side: first and last bucket that may hold mass.
FIRST, LAST = 0, 1
# Slots of `counts`.
HOUR, PARITY, SNAPSHOTS, CLIPPED, IMPOSSIBLE, BARS, HEARD = range(7)
# Slots of `memory`: open interest before, volume since it changed, closing hazard of the hour by side.
LAST_INTEREST, VOLUME_SINCE, HAZARD = 0, 1, 2

LEARN_EVERY = 4  # hours
_DUST = 1e-12  # coin; below it a cell is empty, which keeps far tails from becoming denormal
_MOST_HOURS = 240  # of ageing for one gap
_MOST_CLOSING = 0.5  # of a column in one step


class Cohorts(NamedTuple):
    """Everything the pass carries from bar to bar; arrays are changed in place.

    Columns are classes times layers: column k·L holds class k without a stop, the next L − 1 its
    positions with a stop nearer. cells: (2, 2, B, K·L) coin by buffer, side, bucket outward of the
    trigger and column, as if each class took all openings. Buckets of side 1 (longs) are mirrored,
    j ↦ −1 − j, so that for both sides "outward" is up. base: (2,) bucket of row 0. live: (2, 2) rows.
    held, scale: (2, K·L) coin in each column, and coin per unit of its cells. never: (2,) coin that no
    price forces out, as if it took all openings. mix: (3, K + 1) share of openings of
    shorts, longs and both, never first. memory: (4,). counts: (7,). hour: (2, K) forced of each class in this hour and told (2,) what the
    venue told of it; flows (H, 2, K) and tells (H, 2) the same of past hours, NaN where nothing was
    listened to; foreseen (H, 3) forced flow by side as the mix of then had it, and the hour's
    log-likelihood. sizes: (2,) sums of prints and of their squares. caught: (2, K) prints that taught of each
    class. score: (1,) log-likelihood of what was
    told. ring: (T, 2, B) coin at the last T whole hours; stamps: (T,) ns.
    """

    cells: FloatArray
    base: IntArray
    live: IntArray
    held: FloatArray
    scale: FloatArray
    never: FloatArray
    mix: FloatArray
    memory: FloatArray
    counts: IntArray
    hour: FloatArray
    told: FloatArray
    flows: FloatArray
    tells: FloatArray
    foreseen: FloatArray
    sizes: FloatArray
    caught: FloatArray
    score: FloatArray
    ring: FloatArray
    stamps: IntArray


class Rules(NamedTuple):
    """One way the world may be, as the step needs it.

    prior: (2, K + 1) mix of openings, never first. shift: (2, K) buckets from entry to liquidation.
    way: (L,) share of it at which a layer's stop sits, 1 first. layer: (L,) share of openings. pace:
    (K + 1,) closing hazard against the common one, never first. ageing: (3,). width; sticky; gain, loss:
    closing hazard of winners beyond `taken` of margin and of losers beyond `lost`, against the rest. top_up: share of losers
    that in an hour add as much margin as they have left.
    rate: share of forced closes that the venue tells. strength: of the prior, and likeness: of
    the sides to one another, in prints. shape: of the
    Gamma in the Gamma-Poisson of an hour. fade: of an hour in the memory of likelihood and mix.
    """

    prior: FloatArray
    shift: FloatArray
    way: FloatArray
    layer: FloatArray
    pace: FloatArray
    ageing: FloatArray
    width: float
    sticky: float
    gain: float
    taken: float
    loss: float
    lost: float
    top_up: float
    rate: float
    strength: float
    likeness: float
    shape: float
    fade: float


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
    """Advance over n closed bars: liquidate, close, open; at every full hour age, compare and learn.

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
        hours = min(end[i] // HOUR_NS - counts[HOUR], _MOST_HOURS) if counts[HOUR] else 0
        if hours > 0:
            _hour_over(cohorts, rules, start, hours)
        counts[HOUR] = end[i] // HOUR_NS
        if end[i] % HOUR_NS == 0 and len(cohorts.stamps) > 0:
            _snapshot(cohorts, rules, end[i])


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
    held, mix = cohorts.held[side], cohorts.mix[side]
    layers = len(rules.way)
    forced = _kill(cohorts, side, reach, layers)
    rest, weighed = mix[0] * cohorts.never[side], mix[0] * cohorts.never[side] * rules.pace[0]
    for k in range(len(mix) - 1):
        own = 0.0
        for c in range(k * layers, (k + 1) * layers):
            own += held[c]
        rest += mix[k + 1] * own
        weighed += mix[k + 1] * own * rules.pace[k + 1]
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
def _kill(cohorts: Cohorts, side: int, reach: int, layers: int) -> float:
    """Empty every row up to `reach`; what no stop took goes to the hour's flow, and is returned mixed."""
    cells = cohorts.cells[cohorts.counts[PARITY], side]
    live, held, scale = cohorts.live[side], cohorts.held[side], cohorts.scale[side]
    last = min(reach - cohorts.base[side], live[LAST])
    total = 0.0
    if last < live[FIRST]:
        live[FIRST] = max(live[FIRST], reach - cohorts.base[side] + 1)
        return total
    for c in range(cells.shape[1]):
        gone = 0.0
        for j in range(live[FIRST], last + 1):
            gone += cells[j, c]
            cells[j, c] = 0.0
        gone *= scale[c]
        held[c] = max(held[c] - gone, 0.0)
        if c % layers == 0:
            cohorts.hour[side, c // layers] += gone
            total += cohorts.mix[side, c // layers + 1] * gone
    live[FIRST] = max(live[FIRST], last + 1)
    return total


@kernel
def _close(cohorts: Cohorts, rules: Rules, side: int, hazard: float) -> None:
    """Closes every class at its own pace."""
    layers = len(rules.way)
    cohorts.never[side] *= 1.0 - min(hazard * rules.pace[0], _MOST_CLOSING)
    if hazard * rules.pace[len(rules.pace) - 1] > _MOST_CLOSING:
        cohorts.counts[CLIPPED] += 1
    for c in range(cohorts.held.shape[1]):
        stays = 1.0 - min(hazard * rules.pace[c // layers + 1], _MOST_CLOSING)
        cohorts.held[side, c] *= stays
        cohorts.scale[side, c] *= stays


@kernel
def _lost(  # noqa: PLR0913, PLR0917 - scalars in registers
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
        for layer in range(len(rules.way)):
            way = rules.shift[side, k] * rules.way[layer]
            if floor(nearest + way) > reach:
                continue
            share = cohorts.mix[side, k + 1] * rules.layer[layer] / points
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
    cells = cohorts.cells[cohorts.counts[PARITY], side]
    live, held, scale = cohorts.live[side], cohorts.held[side], cohorts.scale[side]
    base, layers = cohorts.base[side], len(rules.way)
    forced = 0.0
    for k in range(rules.shift.shape[1]):
        for layer in range(layers):
            c = k * layers + layer
            at = entry + rules.shift[side, k] * rules.way[layer]
            mass = gross * rules.layer[layer]
            bucket = floor(at)
            upper = (at - bucket) * mass
            row = bucket - base
            for to, part in ((row, mass - upper), (row + 1, upper)):
                if to + base > reach:
                    cells[to, c] += part / scale[c]
                    held[c] += part
                    live[FIRST] = min(live[FIRST], to)
                    live[LAST] = max(live[LAST], to)
                elif layer == 0:
                    cohorts.hour[side, k] += part
                    forced += cohorts.mix[side, k + 1] * part
    return forced


@kernel
def _hour_over(cohorts: Cohorts, rules: Rules, price: float, hours: int) -> None:
    """Habits of winners and losers, ageing, and what the hour's prints tell; `price` in buckets."""
    for side in range(2):
        before = _mixed(cohorts, side, len(rules.way))
        _habits(cohorts, rules, side, price if side == 0 else -price)
        after = _mixed(cohorts, side, len(rules.way))
        if after > 0.0:  # habits say who closes, open interest how many
            cohorts.scale[side] *= before / after
            cohorts.never[side] *= before / after
        cohorts.memory[HAZARD + side] = 0.0
    for _ in range(hours):
        _age(cohorts, rules.ageing)
    heard_hour(
        cohorts.hour, cohorts.told, cohorts.flows, cohorts.tells, cohorts.mix, cohorts.sizes,
        cohorts.foreseen, cohorts.score, cohorts.counts[HEARD], rules.rate, rules.shape, rules.fade,
    )  # fmt: skip
    cohorts.counts[HEARD] += 1
    cohorts.hour[:] = 0.0
    cohorts.told[:] = 0.0
    if cohorts.counts[HEARD] % LEARN_EVERY == 0:
        learned(
            cohorts.flows, cohorts.tells, cohorts.mix, cohorts.caught, cohorts.sizes,
            cohorts.counts[HEARD], rules.prior, rules.rate, rules.strength, rules.likeness, rules.fade,
        )  # fmt: skip


@kernel
def _habits(cohorts: Cohorts, rules: Rules, side: int, price: float) -> None:
    """Winners and losers closed in the hour at other hazards than the rest; scales go into the cells."""
    cells = cohorts.cells[cohorts.counts[PARITY], side]
    live, held, scale = cohorts.live[side], cohorts.held[side], cohorts.scale[side]
    layers, hazard = len(rules.way), cohorts.memory[HAZARD + side]
    for c in range(cells.shape[1]):
        k, layer = c // layers, c % layers
        shift = rules.shift[side, k]
        # rows from the price at which the position stands at nought, by the row of its trigger
        level = price - cohorts.base[side] + shift * rules.way[layer]
        losing = level - rules.lost * shift
        winning = level + rules.taken * shift
        own = hazard * rules.pace[k + 1]
        plain, loser, winner = (
            scale[c],
            scale[c] * np.exp(-own * (rules.loss - 1.0)),
            scale[c] * np.exp(-own * (rules.gain - 1.0)),
        )
        total = 0.0
        for j in range(live[FIRST], live[LAST] + 1):
            value = cells[j, c] * (loser if j < losing else winner if j > winning else plain)
            cells[j, c] = value
            total += value
        held[c] = total
        scale[c] = 1.0
        top = min(int(floor(losing)), live[LAST])
        nearest = price - cohorts.base[side]
        for j in range(top, live[FIRST] - 1, -1):  # from afar, so that nothing moves twice
            out = int(j - nearest)
            if out > 0 and cells[j, c] > 0.0:
                moved = rules.top_up * cells[j, c]
                cells[j, c] -= moved
                cells[j + out, c] += moved
                live[LAST] = max(live[LAST], j + out)


@kernel
def _mixed(cohorts: Cohorts, side: int, layers: int) -> float:
    """Coin of a side under its mix."""
    total = cohorts.mix[side, 0] * cohorts.never[side]
    for c in range(cohorts.held.shape[1]):
        total += cohorts.mix[side, c // layers + 1] * cohorts.held[side, c]
    return total


@kernel
def _age(cohorts: Cohorts, ageing: FloatArray) -> None:
    """Move mass outward by an hour's drift; fold the scale into the cells and count what is held anew.

    What would leave the outermost row that was ever opened into stays there.
    """
    old, new = cohorts.counts[PARITY], 1 - cohorts.counts[PARITY]
    for side in range(2):
        first, last = cohorts.live[side, FIRST], cohorts.live[side, LAST]
        scale, held = cohorts.scale[side], cohorts.held[side]
        source, target = cohorts.cells[old, side], cohorts.cells[new, side]
        width = source.shape[1]
        if last >= first:
            _drift(
                source.reshape(-1), target.reshape(-1), first * width, (last + 1) * width, width,
                ageing[0], ageing[1], ageing[2],
            )  # fmt: skip
            for c in range(width):
                edge = (ageing[1] + ageing[2]) * source[last, c] + ageing[2] * source[last - 1, c]
                target[last, c] += edge
            source[first : last + 1] = 0.0
        held[:] = 0.0
        for j in range(first, last + 1):
            for c in range(width):
                target[j, c] *= scale[c]
                held[c] += target[j, c]
        scale[:] = 1.0
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
def _snapshot(cohorts: Cohorts, rules: Rules, end: int) -> None:
    """Write what the mix holds now into the ring, by the bucket of liquidation."""
    at = cohorts.counts[SNAPSHOTS] % len(cohorts.stamps)
    by_class = np.zeros((cohorts.cells.shape[2], rules.shift.shape[1]))
    for side in range(2):
        by_class[:] = 0.0
        laid_out(cohorts, rules, side, cohorts.live[side, FIRST], by_class)
        for j in range(len(by_class)):
            cohorts.ring[at, side, j] = by_class[j].sum()
    cohorts.stamps[at] = end
    cohorts.counts[SNAPSHOTS] += 1


@kernel
def laid_out(cohorts: Cohorts, rules: Rules, side: int, first: int, out: FloatArray) -> None:
    """Adds one side's coin under its mix, from trigger row `first` on, to (B, K) rows of liquidation."""
    cells = cohorts.cells[cohorts.counts[PARITY], side]
    layers = len(rules.way)
    for c in range(cells.shape[1]):
        k = c // layers
        share = cohorts.mix[side, k + 1] * cohorts.scale[side, c]
        further = (1.0 - rules.way[c % layers]) * rules.shift[side, k]
        whole = floor(further)
        far = share * (further - whole)
        near = share - far
        for j in range(first, min(cohorts.live[side, LAST], len(out) - 2 - whole) + 1):
            out[j + whole, k] += near * cells[j, c]
            out[j + whole + 1, k] += far * cells[j, c]
