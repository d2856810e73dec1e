"""What happens to cohorts between bars: habits of winners and losers, added margin, age; and reading them."""

from math import ceil, exp, floor

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.kernel import kernel
from airpocket.liquidations.cells import (
    FIRST,
    HAZARD,
    LAST,
    RATIO,
    SNAPSHOTS,
    Cohorts,
    Rules,
)

_DUST = 1e-9  # coin; below it a cell is empty, which keeps far tails from becoming denormal


@kernel
def spell_over(cohorts: Cohorts, rules: Rules, price: float, spells: int) -> None:
    """Habits of winners and losers, and ageing, of the hours since the last spell; `price` in buckets."""
    for side in range(2):
        before = mixed(cohorts, side)
        _habits(cohorts, rules, side, price if side == 0 else -price)
        _topped_up(cohorts, rules, side, price if side == 0 else -price)
        after = mixed(cohorts, side)
        # habits say who closes, open interest how many
        ratio = before / after if after > 0.0 else 1.0
        cohorts.never[side] *= ratio
        cohorts.held[side] *= ratio
        cohorts.memory[HAZARD + side] = 0.0
        cohorts.memory[RATIO + side] = ratio
    for _ in range(spells):
        _age(cohorts, rules.ageing)


@kernel
def _levels(cohorts: Cohorts, rules: Rules, side: int, price: float, beyond: float) -> FloatArray:
    """(K·L,) row of the trigger of what stands at a gain of `beyond` of its margin."""
    layers = rules.trigger.shape[2]
    found = np.empty(cohorts.held.shape[1])
    for c in range(len(found)):
        k = c // layers
        found[c] = price - cohorts.base[side] + rules.trigger[side, k, c % layers]
        found[c] += beyond * rules.margin[side, k]
    return found


@kernel
def _habits(cohorts: Cohorts, rules: Rules, side: int, price: float) -> None:
    """Winners and losers closed in the hour at other hazards than the rest; scales go into the cells."""
    span, scale, layers = cohorts.span[side], cohorts.scale[side], rules.trigger.shape[2]
    losing = _levels(cohorts, rules, side, price, -rules.lost)
    winning = _levels(cohorts, rules, side, price, rules.taken)
    for c in range(len(scale)):
        cells = cohorts.cells[side, c]
        own = cohorts.memory[HAZARD + side] * rules.pace[c // layers + 1]
        first, end = span[c, FIRST], max(span[c, FIRST], span[c, LAST] + 1)
        losers = min(max(ceil(losing[c]), first), end)
        others = min(max(floor(winning[c]) + 1, losers), end)
        loser = scale[c] * exp(-own * (rules.loss - 1.0))
        winner = scale[c] * exp(-own * (rules.gain - 1.0))
        held = 0.0
        for j in range(first, losers):
            cells[j] *= loser
            held += cells[j]
        for j in range(losers, others):
            cells[j] *= scale[c]
            held += cells[j]
        for j in range(others, end):
            cells[j] *= winner
            held += cells[j]
        cohorts.held[side, c] = held
        scale[c] = 1.0


@kernel
def _topped_up(cohorts: Cohorts, rules: Rules, side: int, price: float) -> None:
    """Some losers double their distance from liquidation."""
    span = cohorts.span[side]
    losing = _levels(cohorts, rules, side, price, -rules.lost)
    nearest = ceil(price - cohorts.base[side])
    for c in range(len(losing)):
        cells, farthest = cohorts.cells[side, c], span[c, LAST]
        last = min(ceil(losing[c]) - 1, farthest)
        # from afar, so that nothing moves twice
        for j in range(last, max(span[c, FIRST], nearest + 1) - 1, -1):
            if cells[j] > 0.0:
                moved = rules.top_up * cells[j]
                cells[j] -= moved
                cells[2 * j - nearest] += moved
                farthest = max(farthest, 2 * j - nearest)
        span[c, LAST] = farthest
        cohorts.live[side, LAST] = max(cohorts.live[side, LAST], farthest)


@kernel
def mixed(cohorts: Cohorts, side: int) -> float:
    """Coin of a side under its mix."""
    total = cohorts.mix[side, 0] * cohorts.never[side]
    for c in range(cohorts.held.shape[1]):
        total += cohorts.weight[side, c] * cohorts.held[side, c]
    return total


@kernel
def weigh(cohorts: Cohorts, rules: Rules) -> None:
    """Sets what share of openings each column stands for, by the mix and the share of stops."""
    layers = rules.trigger.shape[2]
    for side in range(2):
        for k in range(rules.shift.shape[1]):
            stopped = cohorts.stops[0] * rules.before[side, k]
            cohorts.unstopped[side, k] = 1.0 - stopped
            own = cohorts.mix[side, k + 1]
            cohorts.weight[side, k * layers] = own * (1.0 - stopped)
            for layer in range(1, layers):
                cohorts.weight[side, k * layers + layer] = own * stopped / (layers - 1)


@kernel
def _age(cohorts: Cohorts, ageing: FloatArray) -> None:
    """Move mass outward by an hour's drift, by what `_hour_over` left to be made up for.

    What would leave the outermost row that was ever opened into stays there.
    """
    for side in range(2):
        ratio = cohorts.memory[RATIO + side]
        cohorts.memory[RATIO + side] = 1.0
        stay, one, two = ageing[0] * ratio, ageing[1] * ratio, ageing[2] * ratio
        for c in range(cohorts.cells.shape[1]):
            cells, span = cohorts.cells[side, c], cohorts.span[side, c]
            if span[LAST] < span[FIRST]:
                continue
            span[LAST] = min(span[LAST] + 2, cohorts.live[side, LAST])
            _drift(cells[span[FIRST] : span[LAST] + 1], stay, one, two)
            while span[LAST] >= span[FIRST] and cells[span[LAST]] == 0.0:
                span[LAST] -= 1
            while span[FIRST] < span[LAST] and cells[span[FIRST]] == 0.0:
                span[FIRST] += 1


@kernel
def _drift(cells: FloatArray, stay: float, one: float, two: float) -> None:
    """Spreads cells over their own row, the next one out and the one after; dust becomes 0."""
    own = inner = outer = 0.0
    for i in range(len(cells)):
        own, inner, outer = cells[i], own, inner
        moved = stay * own + one * inner + two * outer
        cells[i] = moved if moved > _DUST else 0.0
    cells[-1] += (one + two) * own + two * inner


@kernel
def snapshot(cohorts: Cohorts, rules: Rules, end: int) -> None:
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
    cells, span = cohorts.cells[side], cohorts.span[side]
    columns, layers = len(cells), rules.trigger.shape[2]
    whole = np.empty(columns, np.int64)
    near, far = np.empty(columns), np.empty(columns)
    for c in range(columns):
        share = cohorts.weight[side, c] * cohorts.scale[side, c]
        further = rules.shift[side, c // layers] - rules.trigger[side, c // layers, c % layers]
        whole[c] = floor(further)
        far[c] = share * (further - whole[c])
        near[c] = share - far[c]
    for c in range(columns):
        for j in range(max(first, span[c, FIRST]), span[c, LAST] + 1):
            row = j + whole[c]
            if cells[c, j] > 0.0 and row + 1 < len(out):
                out[row, c // layers] += near[c] * cells[c, j]
                out[row + 1, c // layers] += far[c] * cells[c, j]
