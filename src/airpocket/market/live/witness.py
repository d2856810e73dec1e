"""Trades told more than once, after a reconnect or by two connections: counted once, and disagreement counted."""

from dataclasses import dataclass, field

from airpocket.domain.wire import Trade

_KEPT = 8_192  # trades repeated after a reconnect lie within this many


@dataclass(slots=True)
class _Told:
    price: float
    size: float | None
    expected: int  # connections that were bringing this market's trades when it was first told
    times: int = 1


@dataclass(slots=True)
class Witness:
    """The last trades by id. `repeated`: told again. `contradicted`: told again with other figures.

    `one_sided`: left the window without having been told by every connection that brought trades then.
    """

    repeated: int = 0
    contradicted: int = 0
    one_sided: int = 0
    _told: dict[int | str, _Told] = field(default_factory=dict[int | str, _Told])

    def is_new(self, trade: Trade, connections: int) -> bool:
        """Whether it was not told before; `connections` bring this market's trades at the moment."""
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
        return True
