"""What happens to cohorts between bars: habits of winners and losers, added margin, age; and reading them."""

from math import floor

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.kernel import kernel
from airpocket.liquidations.cells import (
    FIRST,
    HAZARD,
    LAST,
    PARITY,
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
    cells = cohorts.cells[cohorts.counts[PARITY], side]
    live, held, scale = cohorts.live[side], cohorts.held[side], cohorts.scale[side]
    layers, columns = rules.trigger.shape[2], cells.shape[1]
    losing = _levels(cohorts, rules, side, price, -rules.lost)
    winning = _levels(cohorts, rules, side, price, rules.taken)
    loser, winner = np.empty(columns), np.empty(columns)
    for c in range(columns):
        own = cohorts.memory[HAZARD + side] * rules.pace[c // layers + 1]
        loser[c] = scale[c] * np.exp(-own * (rules.loss - 1.0))
        winner[c] = scale[c] * np.exp(-own * (rules.gain - 1.0))
        held[c] = 0.0
    for j in range(live[FIRST], live[LAST] + 1):
        row = cells[j]
        for c in range(columns):
            factor = loser[c] if j < losing[c] else winner[c] if j > winning[c] else scale[c]
            row[c] *= factor
            held[c] += row[c]
    scale[:] = 1.0


@kernel
def _topped_up(cohorts: Cohorts, rules: Rules, side: int, price: float) -> None:
    """Some losers double their distance from liquidation."""
    cells, live = cohorts.cells[cohorts.counts[PARITY], side], cohorts.live[side]
    losing = _levels(cohorts, rules, side, price, -rules.lost)
    nearest = price - cohorts.base[side]
    farthest = live[LAST]
    # from afar, so that nothing moves twice
    for j in range(min(floor(losing.max()), live[LAST]), live[FIRST] - 1, -1):
        out = int(j - nearest)
        if out <= 0:
            continue
        for c in range(cells.shape[1]):
            if j < losing[c] and cells[j, c] > 0.0:
                moved = rules.top_up * cells[j, c]
                cells[j, c] -= moved
                cells[j + out, c] += moved
                farthest = max(farthest, j + out)
    live[LAST] = farthest


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
    old, new = cohorts.counts[PARITY], 1 - cohorts.counts[PARITY]
    for side in range(2):
        first, last = cohorts.live[side, FIRST], cohorts.live[side, LAST]
        ratio = cohorts.memory[RATIO + side]
        cohorts.memory[RATIO + side] = 1.0
        if last < first:
            continue
        source, target = cohorts.cells[old, side], cohorts.cells[new, side]
        width = source.shape[1]
        stay, one, two = ageing[0] * ratio, ageing[1] * ratio, ageing[2] * ratio
        _drift(
            source.reshape(-1), target.reshape(-1), first * width, (last + 1) * width, width,
            stay, one, two,
        )  # fmt: skip
        for c in range(width):
            target[last, c] += (one + two) * source[last, c] + two * source[last - 1, c]
        source[first : last + 1] = 0.0
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
    cells = cohorts.cells[cohorts.counts[PARITY], side]
    columns, layers = cells.shape[1], rules.trigger.shape[2]
    whole = np.empty(columns, np.int64)
    near, far = np.empty(columns), np.empty(columns)
    for c in range(columns):
        share = cohorts.weight[side, c] * cohorts.scale[side, c]
        further = rules.shift[side, c // layers] - rules.trigger[side, c // layers, c % layers]
        whole[c] = floor(further)
        far[c] = share * (further - whole[c])
        near[c] = share - far[c]
    for j in range(first, cohorts.live[side, LAST] + 1):
        for c in range(columns):
            row = j + whole[c]
            if cells[j, c] > 0.0 and row + 1 < len(out):
                out[row, c // layers] += near[c] * cells[j, c]
                out[row + 1, c // layers] += far[c] * cells[j, c]
