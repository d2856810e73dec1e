"""Forced closes of one market: each once, however many connections and replays tell it."""

from collections import Counter, deque

from airpocket.domain.wire import Liquidation

_KEPT = 4_096
_Key = tuple[int, str, float, float | None]


class ForcedLedger:
    """Tells whether a forced close is new.

    With a print's id it is by the id. Without, equal ones of one connection are several, equal ones of
    two connections the same: a successor repeats what its predecessor told.
    """

    def __init__(self) -> None:
        self._sides: dict[int | str, set[str]] = {}  # by print, oldest first
        self._order: deque[_Key] = deque()
        self._told: dict[_Key, Counter[str]] = {}
        self.repeated = 0

    def is_new(self, forced: Liquidation, connection: str) -> bool:
        """Whether it was not told before; remembers it."""
        new = (
            self._by_count(forced, connection)
            if forced.trade_id is None
            else self._by_id(forced.trade_id, forced.forced_side)
        )
        self.repeated += not new
        return new

    def _by_id(self, trade_id: int | str, side: str) -> bool:
        """Both sides of one print may have been forced."""
        sides = self._sides.setdefault(trade_id, set())
        if side in sides:
            return False
        sides.add(side)
        if len(self._sides) > _KEPT:
            del self._sides[next(iter(self._sides))]
        return True

    def _by_count(self, forced: Liquidation, connection: str) -> bool:
        key = (forced.ts, forced.forced_side, forced.price, forced.size)
        told = self._told.get(key)
        if told is None:
            told = self._told[key] = Counter()
            self._order.append(key)
            if len(self._order) > _KEPT:
                del self._told[self._order.popleft()]
        most = max(told.values(), default=0)
        told[connection] += 1
        return told[connection] > most
