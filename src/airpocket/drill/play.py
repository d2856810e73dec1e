"""The drill's loop: a second of the market, then the three ways through it, then what the trader orders."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Protocol

from airpocket.domain.errors import BadInput
from airpocket.domain.units import PositionSide, format_time
from airpocket.drill.account import Account, Walk
from airpocket.drill.desk import Desk
from airpocket.drill.follower import Follower
from airpocket.drill.market import LabMarket, Second
from airpocket.drill.orders import Order
from airpocket.drill.outlook import Analyst, Outlook
from airpocket.drill.past import past
from airpocket.drill.records import BestExit, Drill
from airpocket.drill.score import scored, way
from airpocket.pipeline import Assessment


@dataclass(frozen=True, slots=True)
class DrillSettings:
    """`for_s`: seconds of the world; `look_s`: how often the analysis looks anew."""

    for_s: int = 2 * 3_600
    look_s: int = 300


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is held at the start. entry_price None: bought or sold at the market as the drill begins."""

    side: PositionSide
    size_coin: float
    margin_usd: float
    entry_price: float | None = None
    cross: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What a screen shows of one second; forced flow is of the last ten minutes."""

    at_s: int
    second: Second
    account: Account
    outlook: Outlook
    looked: bool  # the outlook is new
    forced_buy_usd: float
    forced_sell_usd: float
    price_first: float
    hedge_mark: float | None
    said: list[str]  # what was done, since the frame before
    found: Assessment | None = None  # what the analysis made of the market when it last looked


class Hands(Protocol):
    """Where orders come from; may let wall time pass."""

    def orders(self, at_s: int) -> Iterable[Order]:
        """Those given until this second."""
        ...


_RECENT_S = 600


def play(
    market: LabMarket,
    ticket: Ticket,
    settings: DrillSettings,
    hands: Hands,
    show: Callable[[Frame], None],
) -> Drill:
    """Run a drill to its end, or until the trader quits.

    Raises:
        BadInput: the position can't be had: no depth, or the margin is not enough for a moment.
    """
    drill = _Run(market, ticket, settings)
    while drill.at_s < settings.for_s and not market.over and not drill.quit:
        drill.step(hands, show)
    return drill.result()


class _Run:
    def __init__(self, market: LabMarket, ticket: Ticket, settings: DrillSettings) -> None:
        self.market, self.settings = market, settings
        self.began, self.at_s, self.quit = market.now, 0, False
        self.you = _opened(market, ticket)
        self.entry = self.you.position(self.began)
        self.held = deepcopy(self.you)
        self.follower = Follower(deepcopy(self.you))
        self.analyst = Analyst(market.world.asset)
        self.desk = Desk(self.you, market.hedge_venue)
        self.best: BestExit | None = None
        self.flow: list[tuple[float, float]] = []
        self.marks: list[float] = [market.mark()]
        self.analyst.take(past(market.world, market.label))
        self._look()
        self.outlook = self.analyst.outlook(self.you, self.began)
        self.follower.obey(0, self._of_plan(), self.marks[0], market.walk)

    def step(self, hands: Hands, show: Callable[[Frame], None]) -> None:
        second = self.market.next()
        self.at_s += 1
        self.marks.append(second.mark)
        self.flow.append((second.forced_buy_usd, second.forced_sell_usd))
        for book, rate in second.funding:
            self._fund(book, rate, second.mark)
        walk = self.market.walk
        self.held.tick(self.at_s, second.mark, walk)
        self.follower.tick(self.at_s, second.mark, walk)
        self.desk.heard(self.you.tick(self.at_s, second.mark, walk), second.mark)
        self._remember_best(second.mark, walk)
        looked = self.at_s % self.settings.look_s == 0
        if looked:
            self._look()
            self.outlook = self.analyst.outlook(self.you, self.began)
            self.follower.obey(self.at_s, self._of_plan(), second.mark, walk)
        show(self._frame(second, looked))
        for order in hands.orders(self.at_s):
            self.quit = self.quit or order.what == "quit"
            self.desk.obey(self.at_s, order, second.mark, self.outlook, walk, self._hedge_walk)

    def result(self) -> Drill:
        """Everything closed at the market, what it does not take at the mark, and scored."""
        last = self.marks[-1]
        walk = _whole(self.market.walk, last)
        kept = self.held.size_coin
        for account in (self.held, self.follower.account, self.you):
            account.reduce(self.at_s, account.size_coin, walk, "end")
        if self.you.hedge_coin:
            out = _whole(self._hedge_walk, self.market.mark(self.market.hedge_book))
            self.you.trade_hedge(self.at_s, -self.you.hedge_coin, out)
        self._remember_best(last, walk, at_end=kept > 0.0)
        assert self.best is not None
        return scored(
            Drill(
                label=self.market.label, began=format_time(self.began), seconds=self.at_s,
                position=self.entry, position_side=self.entry.side, price_first=self.marks[0], price_last=last,
                price_low=min(self.marks), price_high=max(self.marks),
                forced_buys_usd=sum(buy for buy, _ in self.flow),
                forced_sells_usd=sum(sell for _, sell in self.flow),
                you=way(self.you), held=way(self.held), plan=way(self.follower.account), best=self.best,
                share_kept=None, decisions=self.desk.decisions, plan_did=self.follower.did,
            ),
            self.marks,
        )  # fmt: skip

    def _look(self) -> None:
        self.analyst.look(self.market.take_facts(), self.market.now)

    def _of_plan(self) -> Outlook:
        return self.analyst.outlook(self.follower.account, self.began)

    def _fund(self, book: int, rate: float, mark: float) -> None:
        if book == self.market.book:
            for account in (self.you, self.held, self.follower.account):
                account.fund(rate, mark)
        elif book == self.market.hedge_book:
            self.you.fund_hedge(rate, self.market.mark(book))

    def _hedge_walk(self, coin: float, worst: float | None = None) -> tuple[float, float]:
        return self.market.walk(coin, worst, self.market.hedge_book)

    def _remember_best(self, mark: float, walk: Walk, *, at_end: bool = False) -> None:
        """What closing the untouched position would have come to now."""
        del mark
        if at_end:  # `held` was closed as part of the end: it is that moment's exit
            pnl, price = self.held.pnl_usd(0.0), self.held.fills[-1].price
        elif self.held.open:
            got, price = walk(-self.held.sign * self.held.size_coin, None)
            if got < self.held.size_coin * (1.0 - 1e-9):
                return  # not all of it could have been closed
            fee = self.held.size_coin * price * self.held.terms.taker_fee
            pnl = self.held.pnl_usd(price) - fee
        elif self.best is None:
            pnl, price = self.held.pnl_usd(0.0), self.held.forced_price or 0.0
        else:
            return
        if self.best is None or pnl > self.best.pnl_usd:
            self.best = BestExit(pnl_usd=pnl, at_s=self.at_s, price=price)

    def _frame(self, second: Second, looked: bool) -> Frame:
        recent = self.flow[-_RECENT_S:]
        hedge = None if self.market.hedge_book is None else self.market.mark(self.market.hedge_book)
        return Frame(
            self.at_s, second, self.you, self.outlook, looked, sum(buy for buy, _ in recent),
            sum(sell for _, sell in recent), self.marks[0], hedge, self.desk.take(),
            self.analyst.found,
        )  # fmt: skip


def _whole(walk: Walk, mark: float) -> Walk:
    """The same, and what a book does not give (a halted venue's gives nothing) for the mark."""

    def valued(coin: float, worst: float | None = None) -> tuple[float, float]:
        got, price = walk(coin, worst)
        return abs(coin), (got * price + (abs(coin) - got) * mark) / abs(coin)

    return valued


def _opened(market: LabMarket, ticket: Ticket) -> Account:
    terms, price = market.terms(), ticket.entry_price
    if price is None:
        sign = 1.0 if ticket.side == "long" else -1.0
        got, price = market.walk(sign * ticket.size_coin)
        if got < ticket.size_coin * (1.0 - 1e-9):
            raise BadInput(
                f"the book holds only {got:,.4g} of the {ticket.size_coin:,.4g} coin wanted"
            )
    mode = "cross" if ticket.cross else "isolated"
    account = Account(terms, ticket.side, ticket.size_coin, price, ticket.margin_usd, mode)
    if ticket.entry_price is None:
        account.enter(0, price)
    away = account.distance_percent(market.mark())
    if account.doomed or (away is not None and away <= 0.0):
        raise BadInput(
            f"{ticket.margin_usd:,.0f} USD of margin is not enough: it would be forced out at once"
        )
    return account
