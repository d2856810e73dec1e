"""Four-hour supply and demand blocks: the bar that a strong move left from, until price closes beyond it."""

from typing import NamedTuple

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.kernel import kernel
from airpocket.domain.units import DAY_NS, TimeNs, day_of
from airpocket.levels.averages import Flags, atr, owned
from airpocket.levels.roadmap import Found, Level
from airpocket.levels.settings import PROMINENCE, LevelSettings
from airpocket.levels.words import price_text
from airpocket.market.bars import Bars
from airpocket.market.state import Contract

_FOUND = 5  # columns: base row, row of the confirming close, +1 demand or −1 supply, row of the end, touched


class Blocks(NamedTuple):
    """(k,) in the order of confirmation. base, known: rows of the bars; demand: else supply; end: row of the
    close beyond the block, −1 while it stands; touched: price has been back in it since it was known."""

    base: IntArray
    known: IntArray
    demand: Flags
    end: IntArray
    touched: Flags


@kernel
def _blocks(  # noqa: C901, PLR0912 - one pass over bars and the few blocks that stand
    bars: FloatArray, ranges: FloatArray, gaps: Flags, reach: int, least: float, out: IntArray
) -> int:
    """bars: (4, n) rows open, high, low, close. Row i closes: did it leave a base among the `reach` bars before?"""
    opened, high, low, close = bars[0], bars[1], bars[2], bars[3]
    found = 0
    first = 0
    start = 0
    for i in range(len(close)):
        if gaps[i]:
            start = i
        for k in range(first, found):
            if out[k, 3] >= 0:
                continue
            base, sign = out[k, 0], out[k, 2]
            if sign * close[i] < (low[base] if sign > 0 else -high[base]):
                out[k, 3] = i
            elif (sign > 0 and low[i] <= high[base]) or (sign < 0 and high[i] >= low[base]):
                out[k, 4] = 1
        while first < found and out[first, 3] >= 0:
            first += 1
        for sign in (1, -1):
            for base in range(i - 1, max(i - reach - 1, start - 1), -1):
                if sign * (close[base] - opened[base]) > 0.0 or np.isnan(ranges[base]):
                    continue  # the base closed against the move that left it
                edge = high[base] if sign > 0 else -low[base]
                far = low[base] if sign > 0 else -high[base]
                kept = True
                for j in range(base + 1, i + 1):
                    worst = low[j] if sign > 0 else -high[j]
                    kept = kept and worst >= far
                    if j < i and sign * close[j] >= edge + least * ranges[base]:
                        kept = False  # an earlier close has confirmed it already
                if kept and sign * close[i] >= edge + least * ranges[base]:
                    out[found, 0], out[found, 1], out[found, 2] = base, i, sign
                    out[found, 3], out[found, 4] = -1, 0
                    found += 1
                break  # the last such bar before the move alone
    return found


def blocks_of(bars: Bars, settings: LevelSettings) -> Blocks:
    """Every block of the bars, also those that price has closed beyond since.

    A demand block is the last bar that did not close up among the `block_bars` before a close at least
    `block_atr` ATR 14 above its high, with no low under its own between; supply mirrored. Known at that
    close. It ends with the first close beyond its far side. No block reaches across a gap.
    """
    if len(bars) == 0:
        none = np.empty(0, np.int64)
        return Blocks(none, none, none > 0, none, none > 0)
    out = np.empty((2 * len(bars), _FOUND), np.int64)
    rows = np.stack([bars.open, bars.high, bars.low, bars.close])
    gaps = bars.gap_before()
    found = _blocks(rows, owned(atr(bars)), gaps, settings.block_bars, settings.block_atr, out)
    base, known, sign, end, touched = out[:found].T
    return Blocks(base, known, sign > 0, end, touched > 0)


def block_levels(contract: Contract, now: TimeNs, settings: LevelSettings) -> Found:
    """Standing blocks of the last `block_days`; one that price has come back to counts half."""
    bars = contract.four_hours
    if len(bars.last_run()) < settings.block_bars + 15:
        return [], ["4-hour supply and demand blocks: fewer four-hour bars than ATR 14 needs"]
    found = blocks_of(bars, settings)
    recent = bars.ts[found.base] >= now - settings.block_days * DAY_NS
    rows = np.flatnonzero((found.end < 0) & recent)
    return [_level(bars, found, row) for row in rows.tolist()], []


def _level(bars: Bars, found: Blocks, row: int) -> Level:
    """The edge that price comes to first, with the far side beside it."""
    base, demand, touched = int(found.base[row]), bool(found.demand[row]), bool(found.touched[row])
    near, far = float(bars.high[base]), float(bars.low[base])
    if not demand:
        near, far = far, near
    name = "demand" if demand else "supply"
    kind = "demand_block" if demand else "supply_block"
    low, high = sorted((near, far))
    seen = "price has been back since" if touched else "untouched"
    prominence = PROMINENCE[kind]
    return Level(
        price=near,
        kind=kind,
        label=f"4 h {name} block of {day_of(int(bars.ts[base]))}, {price_text(low)} to {price_text(high)}, {seen}",
        formed_at=int(bars.ts[base]),
        confirmed_at=int(bars.end[found.known[row]]),
        prominence=prominence / 2 if touched else prominence,
        standing=not touched,
        far=far,
    )
