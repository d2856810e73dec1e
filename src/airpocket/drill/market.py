"""The lab's market second by second: prices, books to walk, what the public hears, as facts for the analysis."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from airpocket.domain.errors import BadInput
from airpocket.domain.events import Batch, FloatArray, IntArray
from airpocket.domain.units import MINUTE_NS, SECOND_NS
from airpocket.drill.account import Terms
from airpocket.ingest.lake import as_array
from airpocket.ingest.tables import columns_of, kind_named
from airpocket.lab.exchange import journal
from airpocket.lab.runs.published import depth_now, depth_table, tables_of
from airpocket.lab.runs.recording import contracts_of, source_of
from airpocket.lab.runs.rulebook import rules_of, schedule_of
from airpocket.lab.runs.session import Session
from airpocket.lab.runs.worldcheck import perpetual
from airpocket.lab.runs.worldfile import World
from airpocket.lab.tables import BundledTable

_REACH = 256  # ticks looked at first when a book is walked
_LEFT_OUT = ("trade",)  # nothing of the analysis reads single trades


@dataclass(frozen=True, slots=True)
class Second:
    """What happened up to a second. Prices USD per coin; forced flow is what the venues' feeds told.

    funding: (book, rate) of each settlement. at: ns of the world.
    """

    at: int
    mark: float
    last: float
    bid: float
    ask: float
    forced_buy_usd: float = 0.0
    forced_sell_usd: float = 0.0
    funding: tuple[tuple[int, float], ...] = ()
    open_interest_coin: float | None = None
    funding_estimate: float | None = None
    volume_coin: float = 0.0
    taker_buy_coin: float = 0.0


@dataclass
class LabMarket:
    """A session of the lab seen from one of its linear perpetuals. Time moves only in `next`."""

    world: World
    seed: int
    venue: str = ""  # name in the world, "": its first linear perpetual
    from_h: float = 0.0

    def __post_init__(self) -> None:
        """
        Raises:
            BadInput: no such linear perpetual, or the start lies outside the world.
        """
        self.venue, names = perpetual(self.world, self.venue)
        if not 0.0 <= self.from_h < self.world.hours:
            raise BadInput(
                f"--from-h must lie between 0 and {self.world.hours:g}, not {self.from_h:g}"
            )
        self.book = self._number(self.venue)
        others = [name for name in names if name != self.venue]
        self.hedge_book = self._number(others[0]) if others else None
        self.hedge_venue = others[0] if others else ""
        self.label = source_of(self.world, self.seed)
        self.session = Session(self.world, self.seed)
        self._listed = contracts_of(self.world, self.seed)
        self._facts: list[Batch] = []  # of closed minutes, for whoever takes them
        self._rows: list[IntArray] = []
        self._depth: dict[int, list[tuple[int, float, float, float]]] = {
            listed.book: [] for listed in self._listed
        }
        self._latest: dict[tuple[str, str, str], int] = {}
        self._interest: float | None = None
        self._estimate: float | None = None
        begin = self.world.start_ns + round(self.from_h * 60.0) * MINUTE_NS
        while self.session.now < begin:
            self._to(self.session.now // MINUTE_NS * MINUTE_NS + MINUTE_NS)
            self._look_at_depth()
        self._publish()

    @property
    def now(self) -> int:
        """ns of the world."""
        return self.session.now

    @property
    def over(self) -> bool:
        return self.session.now >= self.session.end

    def terms(self) -> Terms:
        """Of the contract traded, under the rules that the world gives it."""
        venue, start = self.world.venue[self.book], self.world.start_ns
        return Terms(
            venue.name, venue.symbol, rules_of(venue, start), schedule_of(venue, start),
            venue.taker_fee_bps / 10_000.0, venue.liquidation_fee_bps / 10_000.0,
        )  # fmt: skip

    def mark(self, book: int | None = None) -> float:
        """The mark price of a book, USD."""
        terms = self.session.market.books[self.book if book is None else book]
        return float(terms.mark) * float(terms.tick_usd)

    def next(self) -> Second:
        """One second on; a minute that closed is published first."""
        rows = self._to(self.now + SECOND_NS)
        if self.now % MINUTE_NS == 0:
            self._look_at_depth()
            self._publish()
        terms = self.session.market.books[self.book]
        tick = float(terms.tick_usd)
        buy, sell = self._forced(rows)
        self._remember(rows)
        paid = rows[rows[:, 0] == journal.FUNDING]
        lots = np.array([row[4] for row in self._mine(rows, journal.TRADE)], np.int64)
        coin: FloatArray = lots / float(terms.lots_per_coin)
        return Second(
            self.now, self.mark(), int(terms.last) * tick, int(terms.bid) * tick, int(terms.ask) * tick, buy, sell,
            tuple((int(row[2]), int(row[3]) / 1e9) for row in paid), self._interest, self._estimate,
            float(np.abs(coin).sum()), float(coin[coin > 0.0].sum()),
        )  # fmt: skip

    def walk(
        self, coin: float, worst: float | None = None, book: int | None = None
    ) -> tuple[float, float]:
        """(coin filled, mean price) of a paper market order for signed `coin` in the book as it is now.

        Nobody in the market sees it: it pays for the depth it uses and leaves the book as it was. worst:
        no price beyond this one (USD). (0, 0) where nothing is to be had.
        """
        number = self.book if book is None else book
        m, terms = self.session.market, self.session.market.books[number]
        if terms.halted:
            return 0.0, 0.0
        tick, buying = float(terms.tick_usd), coin > 0
        best = int(terms.ask) if buying else int(terms.bid)
        window = int(terms.window)
        if best < 1 or best >= window:
            return 0.0, 0.0
        lots, reach = m.levels[number]["lots"], _REACH
        while True:  # most orders end near the touch
            end = min(best + reach, window) if buying else max(best - reach, 0)
            side = lots[best:end] if buying else lots[best:end:-1]
            sizes = np.asarray(side, np.float64) / float(terms.lots_per_coin)
            if float(sizes.sum()) >= abs(coin) or end in (window, 0):
                break
            reach *= 8
        ticks = best + np.arange(len(sizes)) * (1 if buying else -1)
        if worst is not None:
            allowed = ticks * tick <= worst if buying else ticks * tick >= worst
            sizes = np.where(allowed, sizes, 0.0)
        before = np.concatenate(([0.0], np.cumsum(sizes)[:-1]))
        taken = np.clip(abs(coin) - before, 0.0, sizes)
        got = float(taken.sum())
        return (got, float((taken * ticks).sum()) * tick / got) if got > 0.0 else (0.0, 0.0)

    def take_facts(self) -> list[Batch]:
        """What was published since the last call."""
        found, self._facts = self._facts, []
        return found

    # -- inside

    def _number(self, name: str) -> int:
        return [venue.name for venue in self.world.venue].index(name)

    def _to(self, time: int) -> IntArray:
        rows = np.concatenate(list(self.session.until(min(time, self.session.end))))
        self._rows.append(rows[rows[:, 0] != journal.DEPTH])
        return self._rows[-1]

    def _look_at_depth(self) -> None:
        for listed in self._listed:
            bands = depth_now(self.session.market, listed.book)
            self._depth[listed.book] += [(self.now, *band) for band in bands]

    def _publish(self) -> None:
        """The rows of closed minutes as the venues' public tables; a trade on the boundary is the next one's."""
        if not self._rows:
            return
        rows = np.concatenate(self._rows)
        later = (rows[:, 0] == journal.TRADE) & (rows[:, 1] >= self.now)
        self._rows = [rows[later]] if later.any() else []
        rows = rows[~later]
        for listed in self._listed:
            tables = tables_of(self.session.market, listed, rows)
            seen = self._depth[listed.book]
            self._depth[listed.book] = []
            if seen:
                tables.append(depth_table(listed, seen))
            self._facts += [self._batch(each) for each in tables if each.kind not in _LEFT_OUT]

    def _batch(self, table: BundledTable) -> Batch:
        """A table as the analysis takes it. A late liquidation print is not put before one told earlier."""
        columns = {
            c.name: as_array(table.frame[c.name], c)
            for c in columns_of(kind_named(table.kind))
            if c.name != "source"
        }
        key = (table.kind, table.venue, table.symbol)
        columns["ts"] = np.maximum(columns["ts"], self._latest.get(key, 0))
        self._latest[key] = int(columns["ts"][-1])
        sources = {str(source) for source in table.frame["source"].unique().to_list()}
        return Batch(*key, columns, tuple(sorted(sources)))

    def _forced(self, rows: IntArray) -> tuple[float, float]:
        """USD of forced buying and selling that linear venues' feeds told."""
        buy = sell = 0.0
        for row in rows[rows[:, 0] == journal.PRINT].tolist():
            book, tick, lots = int(row[2]), int(row[3]), int(row[4])
            terms = self.session.market.books[book]
            usd = abs(lots) / float(terms.lots_per_coin)
            if self.world.venue[book].kind == "linear":
                usd *= tick * float(terms.tick_usd)
            buy, sell = (buy + usd, sell) if lots > 0 else (buy, sell + usd)
        return buy, sell

    def _remember(self, rows: IntArray) -> None:
        for row in self._mine(rows, journal.INTEREST):
            terms = self.session.market.books[self.book]
            self._interest = int(row[3]) / float(terms.lots_per_coin)
        for row in self._mine(rows, journal.ESTIMATE):
            self._estimate = int(row[3]) / 1e9

    def _mine(self, rows: IntArray, kind: int) -> Iterator[IntArray]:
        yield from rows[(rows[:, 0] == kind) & (rows[:, 2] == self.book)]
