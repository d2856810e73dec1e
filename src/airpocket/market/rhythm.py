"""How long may a channel be silent? Learned from the gaps between its own messages, in a few counters."""

from airpocket.domain.units import SECOND_NS

_MS_NS = 1_000_000
_QUANTILE = 0.999
_TIMES = 3.0  # a silence this many times the longest usual one is no chance
_LEAST_GAPS = 20  # before that, nothing is known of the channel
_MOST_GAPS = 100_000  # then the old ones count half: a market's pace changes
_UNKNOWN_S = 600.0
_LONGEST_S = 3_600.0


class Rhythm:
    """Gaps counted by their power of two in milliseconds: one addition a message, whatever their number."""

    __slots__ = ("_counts", "_total")

    def __init__(self) -> None:
        self._counts = [0] * 33
        self._total = 0

    def add(self, gap_ns: int) -> None:
        """One more gap between two messages."""
        at = min(max(gap_ns, 0) // _MS_NS, 2**32 - 1).bit_length()
        self._counts[at] += 1
        self._total += 1
        if self._total >= _MOST_GAPS:
            self._counts = [count // 2 for count in self._counts]
            self._total = sum(self._counts)

    @property
    def known(self) -> bool:
        """Whether enough was heard to judge by it."""
        return self._total >= _LEAST_GAPS

    @property
    def limit_s(self) -> float:
        """The silence that is no chance: 3 × the 99.9 % gap, rounded up to a power of two; 600 s while unknown."""
        if not self.known:
            return _UNKNOWN_S
        wanted, seen = self._total * _QUANTILE, 0
        for power, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return min(_TIMES * 2**power * _MS_NS / SECOND_NS, _LONGEST_S)
        return _LONGEST_S
