"""A market that says little: a book, trades, prices by seed, spoken in a venue's dialect; and its truth kept."""

from collections import deque
from dataclasses import dataclass, field
from random import Random

from airpocket.domain.units import MINUTE_NS, SECOND_NS
from airpocket.lab.dialects.contract import Contract
from airpocket.lab.dialects.registry import dialects_of
from airpocket.lab.exchange import journal

LEVELS = 14  # a side; every channel shows the best five of them
SHOWN = 5
REMEMBERED_S = 120.0

CONTRACTS = {
    # venue: symbol's pattern, form, tick, lot, worth of one on the wire
    "binance_usdm": ("{}USDT", "linear", 0.01, 0.001, 1.0),
    "binance_coinm": ("{}USD_PERP", "inverse", 0.01, 10.0, 10.0),
    "binance_spot": ("{}USDT", "spot", 0.01, 0.0001, 1.0),
    "bybit_linear": ("{}USDT", "linear", 0.01, 0.01, 1.0),
    "bybit_inverse": ("{}USD", "inverse", 0.05, 1.0, 1.0),
    "bybit_spot": ("{}USDT", "spot", 0.01, 0.00001, 1.0),
    "okx": ("{}-USDT-SWAP", "linear", 0.01, 0.001, 0.1),
    "deribit": ("{}-PERPETUAL", "inverse", 0.05, 1.0, 1.0),
    "hyperliquid": ("{}", "linear", 0.1, 0.0001, 1.0),
    "coinbase": ("{}-USD", "spot", 0.01, 0.00000001, 1.0),
}  # fmt: skip
VENUES = tuple(CONTRACTS)


@dataclass
class MinuteTruth:
    """What really traded in a minute, dollars by the taker's side."""

    buy_usd: float = 0.0
    sell_usd: float = 0.0
    prints: int = 0


@dataclass
class Truth:
    """The books as they were, oldest first, every minute's trades, and minutes of which some were not sent."""

    books: deque[tuple[int, tuple[object, object]]] = field(default_factory=deque)
    minutes: dict[int, MinuteTruth] = field(default_factory=dict)
    withheld: set[int] = field(default_factory=set)


class Market:
    """One contract of one venue. `step` moves it on and gives the frames that its venue sends."""

    def __init__(self, venue: str, base: str, rng: Random) -> None:
        pattern, form, tick, lot, worth = CONTRACTS[venue]
        hours = {"spot": 0.0}.get(form, 8.0 if venue != "hyperliquid" else 1.0)
        self.contract = Contract(
            0, venue, pattern.format(base), base, form, tick, lot, worth, hours, 50.0
        )
        self.venue, self.symbol, self.rng = venue, self.contract.symbol, rng
        self.dialect = dialects_of([self.contract])[venue]
        self.ledger = self.dialect.by_symbol[self.symbol]
        self.mid = round(3_000.0 / tick)
        self.truth = Truth()
        self._change = 0
        self._sizes: dict[int, int] = {}
        self._minute_told = self._interest_told = -1
        self.trades = 0

    def step(self, now: int) -> list:
        """The market at `now` (ns, the venue's clock): a few rows, then what is due on the wire."""
        rng = self.rng
        self.mid += rng.choice(
            (-2, -1, 1, 2)
        )  # a price that rests is no news, and a ticker must have some
        self._book(now)
        if rng.random() < 0.12:
            self._trade(now)
        price = self.mid * 1_000
        self._row(journal.MARK, now, price, price - 200, self.mid - 1, self.mid + 1, self.mid)
        if now // MINUTE_NS != self._minute_told:
            self._minute_told = now // MINUTE_NS
            pays = (now // (8 * 60 * MINUTE_NS) + 1) * 8 * 60 * MINUTE_NS
            self._row(journal.ESTIMATE, now, 100_000, 50_000, pays, 0, 0)
        if now // (20 * SECOND_NS) != self._interest_told:
            self._interest_told = now // (20 * SECOND_NS)
            self._row(journal.INTEREST, now, 1_000_000 + rng.randrange(1_000), 0, 0, 0, 0)
        if rng.random() < 0.002:
            self._row(journal.PRINT, now, self.mid, rng.choice((-1, 1)) * self._lots(), now, 0, 0)
        frames = self.dialect.speak(now)
        self._remember(now)
        return frames

    def lots_of(self, size_coin: float, price: float) -> int:
        """Coin → lots, as this contract counts them."""
        lot = self.contract.lot
        return round(
            size_coin * price / lot if self.contract.form == "inverse" else size_coin / lot
        )

    def ticks_of(self, price: float) -> int:
        """Dollars → ticks."""
        return round(price / self.contract.tick_usd)

    def _lots(self) -> int:
        return self.rng.randint(1, 5_000)

    def _book(self, now: int) -> None:
        """The best levels around the middle: those that must go, those that come, and one that changes."""
        for sign, held in ((1, self.ledger.bids), (0, self.ledger.asks)):
            step = -1 if sign else 1
            wanted = [self.mid + step * (1 + k) for k in range(LEVELS)]
            for tick in [tick for tick in held if tick not in wanted]:
                self._depth(now, tick, 0, sign)
            for tick in wanted:
                if tick not in held:
                    self._depth(now, tick, self._lots(), sign)
            self._depth(now, self.rng.choice(wanted), self._lots(), sign)

    def _depth(self, now: int, tick: int, lots: int, sign: int) -> None:
        self._change += 1
        self._row(journal.DEPTH, now, tick, lots, sign, self._change, 0)

    def _trade(self, now: int) -> None:
        lots = self._lots() * self.rng.choice((-1, 1))
        tick = self.mid + (1 if lots > 0 else -1)
        self.trades += 1
        self._row(journal.TRADE, now, tick, lots, 1 + self.trades % 97, 2, journal.ORDINARY)
        minute = self.truth.minutes.setdefault(now // MINUTE_NS, MinuteTruth())
        usd = self.contract.coin(lots, tick) * self.contract.usd(tick)
        minute.prints += 1
        if lots > 0:
            minute.buy_usd += usd
        else:
            minute.sell_usd += usd

    def _row(self, kind: int, now: int, *values: int) -> None:
        self.dialect.take((kind, now, 0, *values))

    def _remember(self, now: int) -> None:
        books = self.truth.books
        bids = sorted(self.ledger.bids.items(), reverse=True)[:SHOWN]
        asks = sorted(self.ledger.asks.items())[:SHOWN]
        books.append((now, (tuple(bids), tuple(asks))))
        while books[0][0] < now - REMEMBERED_S * SECOND_NS:
            books.popleft()

    def withheld(self, now: int) -> None:
        """Trades of this minute were never sent, on a line that lives: nobody can know at first."""
        self.truth.withheld.add(now // MINUTE_NS)

    def was(self, shown: tuple[object, object], since: int) -> bool:
        """Whether the best levels looked like this at some moment from `since` (ns) on."""
        return any(at >= since and book == shown for at, book in self.truth.books)
