"""After the touch is taken: does the price come back or do quotes step away, and how soon is depth refilled?"""

from collections import deque
from dataclasses import dataclass
from statistics import median

from airpocket.domain.units import SECOND_NS, Side
from airpocket.domain.wire import Trade
from airpocket.market.books.ladder import Ladder
from airpocket.market.books.measures import depth_within

_WINDOW_NS = 2 * SECOND_NS  # a price that is not back by then has been left
_REFILL_NS = 60 * SECOND_NS
_BAND_PERCENT = 0.1
_BANDS: tuple[tuple[Side, float], ...] = (("buy", _BAND_PERCENT), ("sell", -_BAND_PERCENT))
_SHOCK = 0.2  # share of the depth near the touch that must have gone
_LOOK_NS = 100_000_000  # refills are looked at so often
_FULL = 0.999


@dataclass(slots=True)
class _Taken:
    side: Side  # of the taker: buy took an ask
    price: float
    at: int


@dataclass(slots=True)
class _Refill:
    side: Side
    before: float  # USD near the touch
    after: float
    at: int
    looked: int


@dataclass(frozen=True, slots=True)
class Resilience:
    """Counts of an interval. refill_s: median half-time of the refills seen, None without one.

    reloads: a price that was taken came back within two seconds; retreats: it did not, and the touch
    stood further away. For each side of the taker.
    """

    reloads_buy: int
    retreats_buy: int
    reloads_sell: int
    retreats_sell: int
    refill_s: float | None
    refills_open: int


class ResilienceState:
    """Watches one live book and its tape. Times are ns as heard, in order.

    Half-time of refill: from the moment that at least a fifth of the depth within 0.1 % was taken, until
    half of what went is back; one still open after a minute counts as that minute (censored).
    """

    def __init__(self) -> None:
        self._taken: deque[_Taken] = deque(maxlen=256)
        self._refill: _Refill | None = None
        self._eaten: dict[Side, float] = {"buy": 0.0, "sell": 0.0}
        self._usual: dict[Side, float | None] = {"buy": None, "sell": None}
        self._counts: dict[tuple[Side, bool], int] = {
            ("buy", True): 0,
            ("buy", False): 0,
            ("sell", True): 0,
            ("sell", False): 0,
        }
        self._halves: list[float] = []
        self._looked = 0

    def trade(self, trade: Trade, book: Ladder, at: int) -> None:
        """A trade against the book as it was before it; the level is taken if all of it went."""
        best = book.asks.best() if trade.taker_side == "buy" else book.bids.best()
        if best is None or trade.size is None:
            return
        price, held = best
        beyond = trade.price > price if trade.taker_side == "buy" else trade.price < price
        if trade.price == price:
            self._eaten[trade.taker_side] += trade.size
        if beyond or (trade.price == price and self._eaten[trade.taker_side] >= held * _FULL):
            if not self._taken or (self._taken[-1].price, self._taken[-1].side) != (
                price,
                trade.taker_side,
            ):
                self._taken.append(_Taken(trade.taker_side, price, at))
            self._eaten[trade.taker_side] = 0.0

    def changed(self, book: Ladder, at: int) -> None:
        """The book after a change."""
        self._eaten["buy"] = self._eaten["sell"] = 0.0
        while self._taken and self._settled(self._taken[0], book, at):
            self._taken.popleft()
        if at - self._looked >= _LOOK_NS:
            self._looked = at
            self._look(book, at)

    def lost(self) -> None:
        """The book is not to be trusted: whatever was being watched can't be told."""
        self._taken.clear()
        self._refill = None
        self._usual = {"buy": None, "sell": None}

    def take(self) -> Resilience:
        """What was counted since the last call."""
        found = Resilience(
            self._counts["buy", True], self._counts["buy", False], self._counts["sell", True],
            self._counts["sell", False], median(self._halves) if self._halves else None,
            0 if self._refill is None else 1,
        )  # fmt: skip
        self._counts = dict.fromkeys(self._counts, 0)
        self._halves = []
        return found

    def _settled(self, taken: _Taken, book: Ladder, at: int) -> bool:
        best = book.asks.best() if taken.side == "buy" else book.bids.best()
        if best is None or at == taken.at:
            return False
        back = best[0] <= taken.price if taken.side == "buy" else best[0] >= taken.price
        gone = at - taken.at > _WINDOW_NS
        # the change that shows the level gone must come first, else it never left
        if back and at - taken.at > _LOOK_NS:
            self._counts[taken.side, True] += 1
            return True
        if gone:
            self._counts[taken.side, False] += 1
            return True
        return False

    def _look(self, book: Ladder, at: int) -> None:
        for side, percent in _BANDS:
            band = depth_within(book, percent)
            if band is None:
                continue
            usual = self._usual[side]
            if self._refill is not None and self._refill.side == side:
                self._follow(self._refill, band.usd, at)
            elif self._refill is None and usual is not None and band.usd < (1.0 - _SHOCK) * usual:
                self._refill = _Refill(side, usual, band.usd, at, at)
            self._usual[side] = band.usd if usual is None else usual + 0.02 * (band.usd - usual)

    def _follow(self, refill: _Refill, usd: float, at: int) -> None:
        refill.after = min(refill.after, usd)
        if usd >= (refill.before + refill.after) / 2.0:
            self._halves.append((at - refill.at) / SECOND_NS)
            self._refill = None
        elif at - refill.at > _REFILL_NS:
            self._halves.append(_REFILL_NS / SECOND_NS)
            self._refill = None
