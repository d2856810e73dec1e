"""What the public may know of one contract now, from the rows of the journal: book, prints, prices, bars."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from airpocket.domain.units import MINUTE_NS
from airpocket.lab.dialects.contract import Contract
from airpocket.lab.exchange import journal
from airpocket.lab.surface import Surface

BUY = 1


class Print(NamedTuple):
    """One match; lots have the taker's sign. `off`: not met in the book, and why."""

    ts: int  # ns of the wire
    number: int
    tick: int
    lots: int
    taker: int
    cause: int
    off: str = ""
    maker: int = -1


class Forced(NamedTuple):
    """One row of the venue's liquidation feed; lots have the order's sign."""

    ts: int
    tick: int
    lots: int


class Level(NamedTuple):
    tick: int
    lots: int  # 0: gone
    was: int  # lots before, 0 where there were none


@dataclass(slots=True)
class Candle:
    """A minute of trades; volume and bought in coin, `units` in the wire's sizes."""

    start: int
    open: int  # ticks
    high: int
    low: int
    close: int
    volume: float = 0.0
    usd: float = 0.0
    bought: float = 0.0
    bought_usd: float = 0.0
    units: float = 0.0
    bought_units: float = 0.0
    count: int = 0
    first: int = -1
    last: int = -1

    def add(self, contract: Contract, one: Print) -> None:
        coin = contract.coin(one.lots, one.tick)
        usd, units = coin * one.tick * contract.tick_usd, contract.units(one.lots)
        self.high, self.low, self.close = (
            max(self.high, one.tick),
            min(self.low, one.tick),
            one.tick,
        )
        self.volume += coin
        self.usd += usd
        self.units += units
        if one.lots > 0:
            self.bought += coin
            self.bought_usd += usd
            self.bought_units += units
        self.count += 1
        self.first = one.number if self.first < 0 else self.first
        self.last = one.number


class View:
    """A book as one channel shows it: `depth` levels a side (None: all), stepping from flush to flush."""

    def __init__(self, ledger: "Ledger", depth: int | None = None) -> None:
        self._ledger, self._depth = ledger, depth
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.touched: tuple[set[int], set[int]] = (set(), set())
        self.last = 0  # change number shown
        ledger.views.append(self)

    def step(self) -> tuple[list[Level], list[Level]]:
        """What changed since the last step; afterwards this is what is shown."""
        bids = self._side(self.bids, self._ledger.bids, self.touched[0], -1)
        asks = self._side(self.asks, self._ledger.asks, self.touched[1], 1)
        self.last = self._ledger.change
        return bids, asks

    @property
    def stirred(self) -> bool:
        return bool(self.touched[0] or self.touched[1])

    def sides(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """What is shown, best first."""
        return sorted(self.bids.items(), reverse=True), sorted(self.asks.items())

    def _side(
        self, shown: dict[int, int], held: dict[int, int], touched: set[int], sign: int
    ) -> list[Level]:
        if not touched:
            return []
        look: dict[int, int] | None = None
        depth = self._depth
        if depth is not None and (len(held) > depth or len(shown) >= depth):
            ticks = sorted(held, reverse=sign < 0)[:depth]
            look = {tick: held[tick] for tick in ticks}
            touched.update(ticks, shown)
        found: list[Level] = []
        for tick in sorted(touched, reverse=sign < 0):
            now, was = (held if look is None else look).get(tick, 0), shown.get(tick, 0)
            if now != was:
                found.append(Level(tick, now, was))
                if now:
                    shown[tick] = now
                else:
                    del shown[tick]
        touched.clear()
        return found


@dataclass(slots=True)
class Ledger:
    """The public state of one contract. `take` rows whose time is already the wire's."""

    contract: Contract
    bids: dict[int, int] = field(default_factory=dict[int, int])
    asks: dict[int, int] = field(default_factory=dict[int, int])
    change: int = 0
    changed_at: int = 0
    views: list[View] = field(default_factory=list[View])
    trades: list[Print] = field(default_factory=list[Print])
    forced: list[Forced] = field(default_factory=list[Forced])
    prints: int = 0
    last: int = 0  # tick
    mark: int = 0  # thousandths of ticks, 0: not told yet
    index: int = 0
    interest: int | None = None
    rate: int | None = None  # × 1e9
    premium: int = 0
    pays_at: int = 0
    paid_rate: int = 0
    paid: deque[int] = field(default_factory=lambda: deque[int](maxlen=480))  # the last payments
    halted: bool = False
    candle: Candle | None = None
    closed: list[Candle] = field(default_factory=list[Candle])
    told: tuple[int, int, int, int] = (0, 0, 0, 0)  # the quote told last
    surface: Surface = field(init=False)

    def __post_init__(self) -> None:
        self.surface = Surface(self.contract.surface)

    def take(self, row: Sequence[int]) -> None:
        kind = row[0]
        if kind == journal.DEPTH:
            self._depth(row)
        elif kind == journal.TRADE:
            self._trade(row)
        elif kind == journal.MARK:
            self.mark, self.index, self.last = row[3], row[4], row[7]
            self.surface.saw(float(self.index), row[1])
        elif kind == journal.PRINT:
            self.forced.append(Forced(row[5], row[3], row[4]))
        elif kind == journal.INTEREST:
            self.interest = row[3]
        elif kind == journal.ESTIMATE:
            self.rate, self.premium, self.pays_at = row[3], row[4], row[5]
        elif kind == journal.FUNDING:
            self.paid_rate = row[3]
            self.paid.append(row[3])
        elif kind == journal.STATUS:
            self.halted = bool(row[3])
        elif kind in (journal.TAKEN, journal.DELEVERAGED):
            self._off_book(row)

    def best(self) -> tuple[int, int, int, int]:
        """Bid tick and lots, offer tick and lots; zeros for an empty side."""
        bid, ask = max(self.bids, default=0), min(self.asks, default=0)
        return bid, self.bids.get(bid, 0), ask, self.asks.get(ask, 0)

    def turn(self, now: int) -> None:
        """Close the minute that is over at `now`; one without trades stays where the last ended."""
        while self.candle is not None and now >= self.candle.start + MINUTE_NS:
            done = self.candle
            self.closed.append(done)
            del self.closed[:-120]
            close = done.close
            self.candle = Candle(done.start + MINUTE_NS, close, close, close, close)

    def _depth(self, row: Sequence[int]) -> None:
        tick, lots, buy = row[3], row[4], row[5] == BUY
        side = self.bids if buy else self.asks
        if lots:
            side[tick] = lots
        else:
            side.pop(tick, None)
        self.change, self.changed_at = row[6], row[1]
        for view in self.views:
            view.touched[0 if buy else 1].add(tick)

    def _trade(self, row: Sequence[int]) -> None:
        self.prints += 1
        self.last = row[3]
        one = Print(row[1], self.prints, row[3], row[4], row[5], row[7], maker=row[6])
        self.trades.append(one)
        self.turn(one.ts)
        if self.candle is None:
            tick = one.tick
            self.candle = Candle(one.ts // MINUTE_NS * MINUTE_NS, tick, tick, tick, tick)
        if self.candle.count == 0:
            self.candle.open = self.candle.high = self.candle.low = one.tick
        self.candle.add(self.contract, one)

    def _off_book(self, row: Sequence[int]) -> None:
        """A position taken over by the fund, or cut against a winner: told by Binance among its trades."""
        self.prints += 1
        fund = row[0] == journal.TAKEN
        lots, why = (-row[4], "INSURANCE_FUND") if fund else (row[4], "ADL")
        self.trades.append(Print(row[1], self.prints, row[5], lots, row[3], row[7], why))
