"""What the map is held against: the map that is sold, an even spread, and recent liquidations carried on."""

import numpy as np

from airpocket.domain.events import FloatArray, IntArray
from airpocket.liquidations.cells import (
    BOUGHT,
    INTEREST,
    REACH_HIGH,
    REACH_LOW,
    SOLD,
    TYPICAL,
)
from airpocket.liquidations.feed import Feed, Rows, rows_of
from airpocket.liquidations.settings import MapSettings

_EVEN_REACH = 0.5  # of log-price, over which the even map spreads a side
_MEMORY_H = 48.0  # of the liquidations carried on


class Sold:
    """Opens only, removed on touch: rises of open interest at a fixed mix of leverage, nothing ever closes.

    It gets the model's own prior of leverage, hedged share included, and the same bars, marks and
    maintenance: the difference is what it leaves out.
    """

    name = "sold style"

    def __init__(self, feed: Feed, s: MapSettings) -> None:
        granted = np.isfinite(feed.shifts)
        prior = np.array([s.shorts_mix, s.longs_mix])
        prior[:, 1:][~granted] = 0.0
        self._prior = prior / prior.sum(axis=1, keepdims=True)
        self._shift, self._width = np.where(granted, feed.shifts, 1.0), s.width
        self._rows = rows_of(feed, 0, s)

    def ladders(self, middle: FloatArray, at: IntArray) -> tuple[FloatArray, FloatArray]:
        """(T, 2, B) USD by bucket of `middle` at each time, and (n, 2) coin touched in each step."""
        facts, end = self._rows.facts, self._rows.end
        first = int(np.floor(np.log(middle[0]) / self._width))
        coin, found = np.zeros((2, len(middle))), np.zeros((len(at), 2, len(middle)))
        touched = np.zeros((len(end), 2))
        before, look = 0.0, 0
        for i in range(len(end)):
            while look < len(at) and at[look] < end[i]:
                found[look] = coin * middle
                look += 1
            high = int(np.log(facts[REACH_HIGH, i]) / self._width - first + 0.5)
            low = int(np.log(facts[REACH_LOW, i]) / self._width - first + 0.5)
            for side, part in ((0, slice(0, max(high, 0))), (1, slice(max(low, 0), None))):
                touched[i, side] = coin[side, part].sum()
                coin[side, part] = 0.0
            opened = max(facts[INTEREST, i] - before, 0.0)
            before = facts[INTEREST, i]
            for side, sign in ((0, 1.0), (1, -1.0)):
                out = np.log(facts[TYPICAL, i]) / self._width + sign * self._shift[side]
                row = np.floor(out).astype(np.int64) - first
                inside = (row >= 0) & (row < len(middle))
                np.add.at(coin[side], row[inside], opened * self._prior[side, 1:][inside])
        found[look:] = coin * middle
        return found, touched


def even(middle: FloatArray, price: float, interest_coin: float, width: float) -> FloatArray:
    """(2, B) USD: each side's open interest spread evenly over log-price up to 50 % away."""
    away = np.log(middle / price)
    found = np.zeros((2, len(middle)))
    for side, sign in ((0, 1.0), (1, -1.0)):
        inside = (sign * away > 0.0) & (sign * away <= _EVEN_REACH)
        found[side, inside] = interest_coin * width / _EVEN_REACH * middle[inside]
    return found


def carried_on(rows: Rows, at: IntArray) -> FloatArray:
    """(T, 2) coin a unit of log-price, as told lately: prints over the way price went, both fading in
    two days. Shorts are told on the way up, longs on the way down."""
    facts = rows.facts
    gone, way = np.zeros(2), np.zeros(2)
    found = np.zeros((len(at), 2))
    look, last = 0, np.log(facts[TYPICAL, 0])
    for i in range(len(rows.end)):
        while look < len(at) and at[look] < rows.end[i]:
            found[look] = np.divide(gone, way, out=np.zeros(2), where=way > 0.0)
            look += 1
        fade = np.exp(-(rows.end[i] - rows.end[max(i - 1, 0)]) / (_MEMORY_H * 3.6e12))
        high, low = np.log(facts[REACH_HIGH, i]), np.log(facts[REACH_LOW, i])
        told = np.nan_to_num(np.array([facts[BOUGHT, i], facts[SOLD, i]]))
        gone = gone * fade + told
        way = way * fade + np.array([max(high - last, 0.0), max(last - low, 0.0)])
        last = np.log(facts[TYPICAL, i])
    found[look:] = np.divide(gone, way, out=np.zeros(2), where=way > 0.0)
    return found
