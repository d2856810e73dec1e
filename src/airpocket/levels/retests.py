"""Prior breakouts: swings that price has closed clean beyond and held, to be retested from the other side."""

from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import DAY_NS, TimeNs, day_of
from airpocket.levels.averages import atr
from airpocket.levels.pivots import bars_of, confirmed_swings
from airpocket.levels.roadmap import Found, Level
from airpocket.levels.settings import PROMINENCE, LevelSettings
from airpocket.market.bars import Bars
from airpocket.market.state import Contract


@dataclass(frozen=True, slots=True)
class Breakout:
    """What four-hour closes did to one swing. broken: row of the clean close beyond it, None while there is none.

    failed: row of the clean close back, None while the breakout holds. retests: rows at which price came back
    to it after the break, having been away from it.
    """

    broken: int | None
    failed: int | None
    retests: IntArray


def breakout_of(
    bars: Bars, ranges: FloatArray, price: float, known: int, *, high: bool, clean: float
) -> Breakout:
    """A swing that was known at `known` (ns) against the four-hour closes after it.

    bars, ranges: four-hour bars and their ATR 14. A clean close is more than `clean` ATR beyond.
    """
    sign = 1.0 if high else -1.0
    first = int(np.searchsorted(bars.ts, known))
    beyond = sign * (bars.close[first:] - price)
    margin = clean * ranges[first:]
    over = np.flatnonzero(beyond > margin)
    none = np.empty(0, np.int64)
    if len(over) == 0:
        return Breakout(None, None, none)
    broken = int(over[0])
    back = np.flatnonzero(beyond[broken + 1 :] < -margin[broken + 1 :])
    failed = broken + 1 + int(back[0]) if len(back) else None
    worst = bars.low[first:] if high else bars.high[first:]
    there = sign * (worst[broken + 1 : failed] - price) <= 0.0
    fresh = there & np.concatenate([[True], ~there[:-1]])[: len(there)]
    return Breakout(
        first + broken,
        None if failed is None else first + failed,
        first + broken + 1 + np.flatnonzero(fresh),
    )


def retest_levels(contract: Contract, now: TimeNs, settings: LevelSettings) -> Found:
    """Swings of the two coarser scales that are broken and have held since; a retested one counts half."""
    fours = contract.four_hours
    ranges = atr(fours)
    levels: list[Level] = []
    for scale in settings.scales:
        if scale.bars == "hours":
            continue
        swings = confirmed_swings(bars_of(contract, scale), scale.reach)
        swings = swings.where(swings.formed_at >= now - scale.lookback_days * DAY_NS)
        for k in range(len(swings)):
            high = bool(swings.is_high[k])
            price = float(swings.price[k])
            known = int(swings.confirmed_at[k])
            found = breakout_of(fours, ranges, price, known, high=high, clean=settings.clean_atr)
            if found.broken is None or found.failed is not None:
                continue
            levels.append(
                _level(fours, found, found.broken, price, int(swings.formed_at[k]), scale.label,
                       high=high)
            )  # fmt: skip
    return levels, []


def _level(
    bars: Bars, found: Breakout, broken: int, price: float, formed: int, scale: str, *, high: bool
) -> Level:
    way = "out above" if high else "down below"
    seen = "not retested yet"
    if len(found.retests):
        seen = f"retested {len(found.retests)} ×, last {day_of(int(bars.ts[found.retests[-1]]))}"
    prominence = PROMINENCE["breakout_retest"]
    return Level(
        price=price,
        kind="breakout_retest",
        label=f"break {way} the swing {'high' if high else 'low'} of {day_of(formed)} ({scale}) on "
        f"{day_of(int(bars.ts[broken]))}, {seen}",
        formed_at=formed,
        confirmed_at=int(bars.end[broken]),
        prominence=prominence / 2 if len(found.retests) else prominence,
        standing=not len(found.retests),
        sort=scale,
    )
