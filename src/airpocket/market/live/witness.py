"""Trades told more than once, by two connections or not at all: counted once, and what is missing is known."""

from dataclasses import dataclass, field

from airpocket.domain.wire import OffBook, Trade

_KEPT = 8_192  # trades repeated after a reconnect lie within this many
_MOST_OPEN = 8_192  # ids that may still come
# Venues whose trades of one market are numbered without a hole: 14,075 steps of a recorded Binance USD-M
# tape, 6,105 of spot and 97 of Coinbase have none.
_CONSECUTIVE = ("binance_usdm", "binance_spot", "coinbase")


@dataclass(slots=True)
class _Told:
    price: float
    size: float | None
    expected: int  # connections that were bringing this market's trades when it was first told
    times: int = 1


@dataclass(slots=True)
class Witness:
    """The last trades of one market by id. `repeated`: told again. `contradicted`: again, with other figures.

    `one_sided`: left the window without having been told by every connection that brought trades then.
    `missing`: ids that were passed over and never came, where the venue numbers without holes.
    """

    repeated: int = 0
    contradicted: int = 0
    one_sided: int = 0
    missing: int = 0
    _told: dict[int | str, _Told] = field(default_factory=dict[int | str, _Told])
    _highest: int = -1
    _open: dict[int, None] = field(default_factory=dict[int, None])
    _beyond: int = 0  # passed over, more than may be kept

    def is_new(self, trade: Trade | OffBook, connections: int) -> bool:
        """Whether it was not told before, on the book or off it; so many connections tell this market now."""
        told = self._told.get(trade.trade_id)
        if told is not None:
            told.times += 1
            self.repeated += 1
            self.contradicted += (told.price, told.size) != (trade.price, trade.size)
            return False
        self._told[trade.trade_id] = _Told(trade.price, trade.size, connections)
        if len(self._told) > _KEPT:
            oldest = self._told.pop(next(iter(self._told)))
            self.one_sided += oldest.times < oldest.expected
        self.number(trade.venue, trade.trade_id)
        return True

    def number(self, venue: str, trade_id: int | str) -> None:
        """An id was used, by a trade or by a transfer away from the book."""
        if venue not in _CONSECUTIVE or not isinstance(trade_id, int):
            return
        if trade_id <= self._highest:
            self._open.pop(trade_id, None)
            return
        passed = trade_id - self._highest - 1 if self._highest >= 0 else 0
        if passed > _MOST_OPEN - len(self._open):
            self._beyond += passed
        elif passed:
            self._open.update(dict.fromkeys(range(self._highest + 1, trade_id)))
        self._highest = trade_id

    @property
    def waits(self) -> bool:
        """Whether ids were passed over that may still come."""
        return bool(self._open) or self._beyond > 0

    def settle(self) -> bool:
        """What is still missing is missing for good: whether anything is."""
        lost = len(self._open) + self._beyond
        self.missing += lost
        self._open.clear()
        self._beyond = 0
        return lost > 0
