"""Pushes of known size into lab markets: what could be seen before each, and the truth of what came of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from airpocket.cascade.calibrate.fit import Fitted
from airpocket.cascade.profile import Resting
from airpocket.cascade.records import Direction
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import HOUR_NS, MINUTE_NS, TimeNs
from airpocket.evaluation.heard import Heard
from airpocket.evaluation.observed import left_by_force
from airpocket.lab.exchange import journal
from airpocket.lab.exchange.pricing import mid
from airpocket.lab.exchange.state import SPOT, Market
from airpocket.lab.runs.published import MILLI, Listed
from airpocket.lab.runs.pushing import SECOND, push
from airpocket.lab.runs.recording import contracts_of
from airpocket.lab.runs.session import Session
from airpocket.lab.runs.truth import Survey, agents_of, cross_accounts, forced_flow
from airpocket.lab.runs.worldfile import World

On: TypeAlias = Literal["perp", "spot", "alone"]

FIRST_NS, EVERY_NS = 75 * MINUTE_NS, 15 * MINUTE_NS
WATCHED_S = 900
AGAIN = 4  # copies pushed once more, with other chance
_SETTLED_NS = 10 * MINUTE_NS  # of a world's first minutes, before its pace is measured
_DAY_MIN, _STEP_MIN = 1_440.0, 15
_WITHIN = 0.01  # pushes are sized by what rests so near
_LEAST, _MOST = 0.4, 6.0  # times that
_SECONDS = (5, 20, 60)


@dataclass(frozen=True, slots=True)
class Kick:
    """What was done: `usd` bought (negative: sold) over `seconds`."""

    usd: float
    seconds: int

    @property
    def up(self) -> bool:
        return self.usd > 0.0


@dataclass(frozen=True, slots=True)
class Before:
    """What could be seen at the moment of a push, and who was forced out where (n,), as nobody could see it.

    price: middle of the pushed book. resting: the orders of all books as one, each from its own middle, or of the
    pushed venue alone; share: of all that rests within 1 %, what that venue has. volatility, volume_usd: a day's,
    of the minutes before. away: (n,) where each position goes, a signed fraction of the mark; usd: what it is worth
    there; contract: its number in `keys` ("rules:symbol") and interest_coin. measured: what a store could tell.
    """

    asset: str
    at: TimeNs
    price: float
    resting: Mapping[Direction, Resting]
    share: float
    volatility: float
    volume_usd: float
    away: FloatArray
    usd: FloatArray
    short: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    contract: IntArray
    keys: tuple[str, ...]
    interest_coin: tuple[float, ...]
    measured: Fitted | None


@dataclass(frozen=True, slots=True)
class Went:
    """What came of it in `WATCHED_S` seconds, displacements in log-price, positive the way of the push.

    forced_usd: left by force on the side that a push this way forces; what of it was booked, deleveraged.
    elsewhere: share of it on other venues than the one pushed. marked: of each contract in `Before.keys`, the
    farthest that its mark went.
    """

    extreme: float
    end: float
    extreme_s: float
    forced_usd: float
    booked_usd: float
    deleveraged_usd: float
    elsewhere: float
    marked: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One push into one market; again: the same into copies of it that differ only in what chance brings after."""

    world: str
    seed: int
    on: On
    kick: Kick
    before: Before
    went: Went
    again: tuple[Went, ...]


class Pushed:
    """One run of a world. At each moment, a quarter of an hour apart, a copy of it is pushed, watched, then left.

    on: `spot` pushes the first spot book, `perp` the first perpetual; `alone` that too, where the question is
    about this venue by itself. A moment whose book does not reach 1 % on both sides is passed over.
    """

    def __init__(self, world: World, seed: int, moments: int, on: On) -> None:
        self.world, self.seed, self.moments = world, seed, moments
        self.on: On = on
        self.session, self.contracts = Session(world, seed), contracts_of(world, seed)
        m = self.session.market
        books = range(len(self.contracts))
        self.book = next(k for k in books if (m.books[k].form == SPOT) == (on == "spot"))
        self.perps = [one for one in self.contracts if m.books[one.book].form != SPOT]
        self.heard = Heard(world, self.contracts, m)

    @property
    def hash(self) -> str:
        """Of the run that nobody pushes, so far."""
        return self.session.hash

    def cases(self) -> Iterator[Case]:
        """Every push and what came of it, in order."""
        m = self.session.market
        dice, agents = np.random.default_rng([self.seed, 11]), agents_of(m)
        survey = Survey(agents, cross_accounts(m, agents))
        rows: list[IntArray] = []
        for number in range(self.moments):
            rows += self._listened(self.world.start_ns + FIRST_NS + number * EVERY_NS)
            survey.frames.clear()
            survey.look(m, self.contracts)
            if not self._whole():
                continue
            before = self._before(survey.positions(), np.concatenate(rows))
            kick = self._kick(dice)
            went, *again = (
                _went(self.session.fork(chance), self.contracts, self.perps, self.book, kick)
                for chance in range(1 + AGAIN)
            )
            yield Case(self.world.name, self.seed, self.on, kick, before, went, tuple(again))

    def _listened(self, until: int) -> list[IntArray]:
        """Rows of marks and trades of the pushed book; what the public hears is kept, depth by the minute."""
        rows: list[IntArray] = []
        while self.session.now < until:
            for new in self.session.until(min(self.session.now + MINUTE_NS, until)):
                self.heard.add(new)
                kept = np.isin(new[:, 0], (journal.MARK, journal.TRADE)) & (new[:, 2] == self.book)
                rows.append(new[kept])
            self.heard.look(self.session.market)
        return rows

    def _whole(self) -> bool:
        m, listed = self.session.market, self.contracts[self.book]
        reach = [one.distance[-1] if len(one.distance) else 0.0 for one in
                 (_resting(m, listed, 1), _resting(m, listed, -1))]  # fmt: skip
        return min(reach) >= _WITHIN

    def _kick(self, dice: np.random.Generator) -> Kick:
        side = 1 if dice.random() < 0.5 else -1
        size: float = dice.uniform(float(np.log(_LEAST)), float(np.log(_MOST)))
        seconds = _SECONDS[int(dice.integers(len(_SECONDS)))]
        own = _resting(self.session.market, self.contracts[self.book], side)
        return Kick(side * float(own.within(np.array([_WITHIN]))[0]) * float(np.exp(size)), seconds)

    def _before(self, positions: pl.DataFrame, rows: IntArray) -> Before:
        m, world, listed = self.session.market, self.world, self.contracts[self.book]
        terms, price = m.books[listed.book], float(mid(m, listed.book))
        held = positions.filter(pl.col("agent") != "venue").drop_nulls("liquidation_price")
        away = (held["liquidation_price"] / held["mark"] - 1.0).to_numpy()
        perps = [one.book for one in self.perps]
        names = [world.venue[k].name for k in perps]
        trades = rows[(rows[:, 0] == journal.TRADE) & (rows[:, 1] > m.now - HOUR_NS // 2)]
        own: Mapping[Direction, Resting] = {
            "up": _resting(m, listed, 1),
            "down": _resting(m, listed, -1),
        }
        whole: Mapping[Direction, Resting] = {
            "up": _together(m, self.contracts, 1),
            "down": _together(m, self.contracts, -1),
        }
        coin = float(np.abs(trades[:, 4]).sum()) / float(terms.lots_per_coin)
        return Before(
            asset=world.asset, at=TimeNs(int(m.now)), price=price * float(terms.tick_usd),
            resting=own if self.on == "alone" else whole, share=near(own) / near(whole),
            volatility=_volatility(m, rows), volume_usd=48.0 * coin * price * float(terms.tick_usd),
            away=away, usd=(held["size_coin"] * held["mark"]).to_numpy() * (1.0 + away),
            short=(held["side"] == "short").to_numpy(),
            contract=np.array([names.index(name) for name in held["venue"]], dtype=np.int64),
            keys=tuple(f"{world.venue[k].rules}:{world.venue[k].symbol}" for k in perps),
            interest_coin=tuple(
                float(m.books[k].open_interest) / float(m.books[k].lots_per_coin) for k in perps
            ),
            measured=self.heard.measured(m),
        )  # fmt: skip


def near(resting: Mapping[Direction, Resting]) -> float:
    """USD within 1 % on both sides."""
    return float(sum(side.within(np.array([_WITHIN]))[0] for side in resting.values()))


def _volatility(m: Market, rows: IntArray) -> float:
    """Of a day, a fraction: root mean square of overlapping quarter hours' moves since the world had settled.

    A what-if takes hourly moves, of more days than the world lasts; shorter ones miss trends of some minutes.
    """
    marks = rows[rows[:, 0] == journal.MARK]
    minutes: IntArray = np.arange(
        int(m.start) + _SETTLED_NS, int(m.now) + 1, MINUTE_NS, dtype=np.int64
    )
    marks = marks[np.searchsorted(marks[:, 1], minutes, side="right") - 1]
    middle = np.log((marks[:, 5] + marks[:, 6]) / 2.0)
    steps = middle[_STEP_MIN:] - middle[:-_STEP_MIN]
    return float(np.sqrt(np.mean(steps**2) * _DAY_MIN / _STEP_MIN))


def _together(m: Market, contracts: list[Listed], side: int) -> Resting:
    """The books of all venues that have two sides, as one."""
    whole = [one for one in contracts if np.isfinite(mid(m, one.book))]
    books = [_resting(m, one, side) for one in whole]
    away = np.concatenate([one.distance for one in books])
    usd = np.concatenate([np.diff(one.usd, prepend=0.0) for one in books])
    order = np.argsort(away, kind="stable")
    return Resting(away[order], np.cumsum(usd[order]), TimeNs(int(m.now)), "all books")


def _resting(m: Market, listed: Listed, side: int) -> Resting:
    """All orders of one side, as a depth feed tells them."""
    terms, price = m.books[listed.book], float(mid(m, listed.book))
    lots = m.levels[listed.book]["lots"][: int(terms.window)]
    ticks = np.flatnonzero(lots)
    ticks = ticks[ticks >= terms.ask] if side > 0 else ticks[ticks <= terms.bid][::-1]
    usd = lots[ticks] / float(terms.lots_per_coin) * ticks * float(terms.tick_usd)
    away: FloatArray = np.abs(ticks / price - 1.0)
    return Resting(away, np.cumsum(usd), TimeNs(int(m.now)), f"the book of {listed.venue}")


def _went(
    session: Session, contracts: list[Listed], perps: list[Listed], book: int, kick: Kick
) -> Went:
    m, start = session.market, session.now
    before = [float(m.books[one.book].mark) for one in perps]
    price, sign = float(mid(m, book)), 1.0 if kick.up else -1.0
    rows: list[IntArray] = []
    rows += push(session, book, kick.usd, kick.seconds)
    rows += session.until(start + WATCHED_S * SECOND)
    everything = np.concatenate(rows)
    marks = everything[(everything[:, 0] == journal.MARK) & (everything[:, 2] == book)]
    two_sided = (marks[:, 5] >= 1) & (marks[:, 6] < m.books[book].window)
    marks = marks[two_sided]
    middle = np.concatenate([[price], (marks[:, 5] + marks[:, 6]) / 2.0])
    after_s = np.concatenate([[0.0], (marks[:, 1] - start) / SECOND])
    moved = sign * np.log(middle / price)
    top = int(np.argmax(moved))
    forced = left_by_force(forced_flow(m, contracts, everything)).filter(
        pl.col("forced_side") == ("buy" if kick.up else "sell")
    )
    start_usd = price * float(m.books[book].tick_usd)
    usd = pl.col("price").fill_null(start_usd)
    sums = forced.select(
        (pl.col(name) * usd).sum().alias(name) for name in ("gone", "booked", "cut")
    ).row(0)
    here = forced.filter(pl.col("venue") == contracts[book].venue)
    mine = float(here.select((pl.col("gone") * pl.col("price").fill_null(start_usd)).sum()).item())
    return Went(
        extreme=max(float(moved[top]), 0.0), end=float(moved[-1]), extreme_s=float(after_s[top]),
        forced_usd=float(sums[0]), booked_usd=float(sums[1]), deleveraged_usd=float(sums[2]),
        elsewhere=1.0 - mine / float(sums[0]) if sums[0] > 0.0 else 0.0,
        marked=tuple(
            _farthest(everything, one.book, mark, sign)
            for one, mark in zip(perps, before, strict=True)
        ),
    )  # fmt: skip


def _farthest(rows: IntArray, book: int, mark: float, sign: float) -> float:
    """How far a contract's mark went the way of a push, log-price."""
    marks = rows[(rows[:, 0] == journal.MARK) & (rows[:, 2] == book), 3] / MILLI
    return max(float((sign * np.log(marks / mark)).max()), 0.0)
