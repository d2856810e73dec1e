"""What happens at the touch over time: pace of prints, spread, queues eaten or cancelled, prices that come back."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from airpocket.domain.units import SECOND_NS, Side
from airpocket.domain.wire import Level, Trade
from airpocket.market.books.ladder import Ladder, SideLadder, Touch
from airpocket.market.books.measures import spread_bps

_SIDES: tuple[Side, Side] = ("buy", "sell")  # the taker's: a buyer takes asks


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """Priors, fixed before any result was seen; none is fitted."""

    window_ns: int = 60 * SECOND_NS  # figures look back so far
    settle_ns: int = (
        SECOND_NS // 4
    )  # a trade and the change it made are heard this far apart at most
    return_ns: int = SECOND_NS  # a price that is not back by then has been left
    levels: int = 10  # watched behind the touch
    fewest: int = 10  # cases below which a share is not given
    most: int = 4_096  # cases kept, of any kind


@dataclass(frozen=True, slots=True)
class Returns:
    """Best prices that a taker used up. share: of them back at the same price in time; None with too few.

    pulled: best prices that went with no trade at them. return_s: median time of those that came back.
    """

    reloads: int
    retreats: int
    pulled: int
    share: float | None
    return_s: float | None


@dataclass(frozen=True, slots=True)
class Queue:
    """Coin that left the touch. eaten: matched by trades at its price; cancelled: the rest, a lower bound
    as arrivals between two changes hide departures. unseen: traded beyond what left, so put back at once.
    """

    eaten: float
    cancelled: float
    unseen: float
    cases: int
    cancelled_share: float | None


@dataclass(frozen=True, slots=True)
class FlowFigures:
    """The last `seconds` (at most the window). Dictionaries by taker side: buy is what befell the asks.

    prints_per_s None until a second was watched; spreads, bp of the mid, weighted by time, None unseen.
    """

    seconds: float
    prints: int
    prints_per_s: float | None
    spread_bps: float | None
    spread_most_bps: float | None
    queue: dict[Side, Queue]
    returns: dict[Side, Returns]


@dataclass(slots=True)
class _Gone:
    side: Side
    price: float
    at: int
    traded: bool


@dataclass(slots=True)
class _Left:
    """What left one price, until the trades that may have taken it are all heard."""

    side: Side
    at: int
    removed: float = 0.0
    traded: float = 0.0


@dataclass(slots=True)
class _Kept:
    """Settled cases, oldest first: time heard, then what it was."""

    prints: deque[int]
    spreads: deque[tuple[int, int, float]]  # until, for so long (ns), bp
    queue: deque[tuple[int, Side, float, float, float]]  # eaten, cancelled, unseen
    returns: deque[tuple[int, Side, str, int]]  # reload, retreat or pulled; after so long (ns)
    recent: deque[tuple[int, Side, float]] = field(
        default_factory=lambda: deque[tuple[int, Side, float]](maxlen=512)
    )


class Flow:
    """Watches one live book and its tape, as heard (ns, in order). Memory is bounded by the settings."""

    def __init__(self, settings: FlowSettings | None = None) -> None:
        self._settings = settings or FlowSettings()
        most = self._settings.most
        # prints are many: at 500 a second of a fast market the window is still whole
        self._kept = _Kept(
            deque(maxlen=8 * most), deque(maxlen=most), deque(maxlen=most), deque(maxlen=most)
        )
        self._gone: deque[_Gone] = deque(maxlen=512)
        self._left: dict[tuple[Side, float], _Left] = {}
        self._before: dict[Side, list[Level]] = {"buy": [], "sell": []}
        self._spread: tuple[int, float] | None = None  # since, bp
        self._began: int | None = None
        self._aggregate: bool | None = None
        self.refused = 0  # trades of a second kind: the same ones told again

    def trade(self, trade: Trade) -> None:
        """A print. Single and aggregate trades are never counted together: the first kind heard stays."""
        at, side = trade.usable_from, trade.taker_side
        self._begin(at)
        self._settle(at)
        if self._aggregate is None:
            self._aggregate = trade.aggregate
        if trade.aggregate != self._aggregate:
            self.refused += 1
            return
        self._kept.prints.append(at)
        self._kept.recent.append((at, side, trade.price))
        for gone in self._gone:
            if at - gone.at <= self._settings.settle_ns and _reached(gone, side, trade.price):
                gone.traded = True
        if trade.size is not None and self._before[side]:
            self._leaving(side, trade.price, at).traded += trade.size

    def changed(self, book: Ladder, at: int) -> None:
        """The live book after a change."""
        self._begin(at)
        self._settle(at)
        touch = book.touch()
        self._spread_until(at, touch)
        self._compare("buy", book.asks, at)
        self._compare("sell", book.bids, at)

    def lost(self) -> None:
        """The book is not to be trusted: whatever was being watched can't be told."""
        self._gone.clear()
        self._left.clear()
        self._spread = None
        self._before = {"buy": [], "sell": []}

    def figures(self, now: int) -> FlowFigures:
        """What the window up to `now` (ns, not before the last event) shows."""
        self._settle(now)
        since = now - self._settings.window_ns
        began = now if self._began is None else self._began
        prints, full = self._kept.prints, len(self._kept.prints) == self._kept.prints.maxlen
        start = max(since, began, prints[0] if full else 0)
        seconds = max(now - start, 0) / SECOND_NS
        count = sum(at > start for at in prints) if start > began else len(prints)
        spans = [
            (min(ns, until - since), bps) for until, ns, bps in self._kept.spreads if until > since
        ]
        if self._spread is not None and now > self._spread[0]:
            spans.append((min(now - self._spread[0], now - since), self._spread[1]))
        total = sum(ns for ns, _ in spans)
        return FlowFigures(
            seconds=seconds,
            prints=count,
            prints_per_s=count / seconds if seconds >= 1.0 else None,
            spread_bps=sum(ns * bps for ns, bps in spans) / total if total else None,
            spread_most_bps=max((bps for _, bps in spans), default=None),
            queue={side: self._queue(side, since) for side in _SIDES},
            returns={side: self._returns(side, since) for side in _SIDES},
        )

    def _begin(self, at: int) -> None:
        if self._began is None:
            self._began = at

    def _spread_until(self, at: int, touch: Touch | None) -> None:
        if self._spread is not None and at > self._spread[0]:
            since, bps = self._spread
            spreads = self._kept.spreads
            # one row a second and spread is enough: a still book must not fill the memory
            joined = bool(spreads) and spreads[-1][0] == since and spreads[-1][2] == bps
            if joined and at - since + spreads[-1][1] < SECOND_NS:
                since -= spreads.pop()[1]
            spreads.append((at, at - since, bps))
        self._spread = None if touch is None else (at, spread_bps(touch))

    def _compare(self, side: Side, levels: SideLadder, at: int) -> None:
        """What left the touch between the last look and this one."""
        best, before = levels.best(), self._before[side]
        for price, removed in _departures(side, before, levels):
            self._leaving(side, price, at).removed += removed
        if before and (best is None or _better(side, before[0][0], best[0])):
            price = before[0][0]
            gone = _Gone(side, price, at, traded=False)
            gone.traded = any(
                _reached(gone, taker, printed) for _, taker, printed in self._kept.recent
            )
            self._gone.append(gone)
        self._resolve(side, best, at)
        self._before[side] = levels.top(self._settings.levels)

    def _leaving(self, side: Side, price: float, at: int) -> _Left:
        found = self._left.get((side, price))
        if found is None:
            if len(self._left) >= self._settings.most:
                self._settle_left(next(iter(self._left)))
            found = self._left[side, price] = _Left(side, at)
        return found

    def _settle(self, at: int) -> None:
        """Close the cases whose trades must all have been heard."""
        recent = self._kept.recent
        while recent and at - recent[0][0] > self._settings.settle_ns:
            recent.popleft()
        limit = at - 2 * self._settings.settle_ns
        while self._left:  # in the order they began
            key, left = next(iter(self._left.items()))
            if left.at >= limit:
                return
            self._settle_left(key)

    def _settle_left(self, key: tuple[Side, float]) -> None:
        left = self._left.pop(key)
        eaten = min(left.removed, left.traded)
        self._kept.queue.append(
            (left.at, left.side, eaten, left.removed - eaten, left.traded - eaten)
        )

    def _resolve(self, side: Side, best: Level | None, at: int) -> None:
        still: deque[_Gone] = deque(maxlen=self._gone.maxlen)
        for gone in self._gone:
            back = best is not None and not _better(side, gone.price, best[0])
            late = at - gone.at > self._settings.return_ns
            if gone.side != side or (not back and not late):
                still.append(gone)
                continue
            what = "pulled" if not gone.traded else "retreat" if late else "reload"
            self._kept.returns.append((at, side, what, at - gone.at))
        self._gone = still

    def _queue(self, side: Side, since: int) -> Queue:
        rows = [row for row in self._kept.queue if row[1] == side and row[0] > since]
        eaten, cancelled = sum(row[2] for row in rows), sum(row[3] for row in rows)
        unseen = sum(row[4] for row in rows)
        told = len(rows) >= self._settings.fewest and eaten + cancelled > 0.0
        share = cancelled / (eaten + cancelled) if told else None
        return Queue(eaten, cancelled, unseen, len(rows), share)

    def _returns(self, side: Side, since: int) -> Returns:
        rows = [row for row in self._kept.returns if row[1] == side and row[0] > since]
        back = [ns / SECOND_NS for _, _, what, ns in rows if what == "reload"]
        away = sum(what == "retreat" for _, _, what, _ in rows)
        cases = len(back) + away
        share = len(back) / cases if cases >= self._settings.fewest else None
        return Returns(
            len(back), away, len(rows) - cases, share, median(back) if back else None
        )  # fmt: skip


def _better(side: Side, price: float, than: float) -> bool:
    """Nearer to the taker of that side: lower among asks, higher among bids."""
    return price < than if side == "buy" else price > than


def _reached(gone: _Gone, taker: Side, price: float) -> bool:
    """Whether a print used up that price or went through it."""
    return taker == gone.side and not _better(taker, price, gone.price)


def _departures(
    side: Side, before: list[Level], levels: SideLadder
) -> Iterator[tuple[float, float]]:
    """Price and coin of what left at the touch: from the old best to the new one, both included."""
    best = levels.best()
    for price, size in before:
        if best is not None and _better(side, best[0], price):
            return
        removed = size - levels.size_at(price)
        if removed > 0.0:
            yield price, removed
