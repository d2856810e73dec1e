"""A print far from where its asset stands is suspect: kept raw, left out of the tape, never believed alone."""

from collections.abc import Iterable
from statistics import median

from airpocket.domain.units import SECOND_NS

_FRESH_NS = 60 * SECOND_NS
_TIMES = 2.0  # half or double the reference: beyond any print on a book that still stands
_MOST_USD = 1e11  # more than any market turns over in an hour
_BELIEVED = 20  # in a row: then it is the reference that is wrong
_AGAIN_NS = SECOND_NS  # how long a reference is good for


class Band:
    """Of one asset: mark and index prices of all its markets are the reference, their median the middle."""

    def __init__(self) -> None:
        self._middle: float | None = None
        self._at = 0

    def middle(self, told: Iterable[tuple[int, float]], now: int) -> float | None:
        """The median of (heard, price) not older than a minute, taken anew each second; None: nothing fresh."""
        if now - self._at >= _AGAIN_NS or now < self._at:
            fresh = [price for heard, price in told if 0 <= now - heard <= _FRESH_NS]
            self._middle, self._at = median(fresh) if fresh else None, now
        return self._middle


class Outliers:
    """Of one market: how many prints were out of the band, and whether to believe them by now."""

    def __init__(self) -> None:
        self.count = 0
        self.last = 0  # heard, ns
        self._in_a_row = 0

    def suspect(self, price: float, usd: float | None, middle: float | None, heard: int) -> bool:
        """Whether a print must not reach the tape."""
        far = middle is not None and not middle / _TIMES < price < middle * _TIMES
        if not far and (usd is None or usd < _MOST_USD):
            self._in_a_row = 0
            return False
        self._in_a_row += far
        if far and self._in_a_row > _BELIEVED and (usd is None or usd < _MOST_USD):
            return False
        self.count, self.last = self.count + 1, heard
        return True

    def recent(self, now: int) -> bool:
        """Whether one came within the last minute."""
        return self.count > 0 and now - self.last < _FRESH_NS
