"""The simulated market and its venues in lockstep: time goes on in slices, rows in, frames out; no sockets here."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from airpocket.domain.errors import BadInput
from airpocket.domain.events import IntArray
from airpocket.domain.units import SECOND_NS
from airpocket.lab.dialects.contract import served
from airpocket.lab.dialects.hyperliquid import Hyperliquid
from airpocket.lab.dialects.registry import dialects_of
from airpocket.lab.dialects.speech import Dialect, Frame
from airpocket.lab.exchange import journal
from airpocket.lab.runs.recording import source_of
from airpocket.lab.runs.session import Session
from airpocket.lab.runs.worldfile import World
from airpocket.lab.server.accounts import OpenAccounts
from airpocket.lab.server.faults import Action, Faults
from airpocket.lab.server.pace import Pace

SLICE_NS = 10_000_000
WARM_UP_NS = 6 * SECOND_NS  # virtual: until every price, rate and open interest was told once
_PUBLIC = (
    journal.TRADE, journal.DEPTH, journal.MARK, journal.FUNDING, journal.INTEREST, journal.PRINT, journal.STATUS,
    journal.ESTIMATE, journal.TAKEN, journal.DELEVERAGED,
)  # fmt: skip
# Which value of a kind is a time too.
_TIMED = {journal.PRINT: 5, journal.ESTIMATE: 5, journal.FUNDING: 4}


class Told(NamedTuple):
    """What one venue says at one moment, and what befalls it."""

    venue: str
    now: int
    frames: list[Frame]
    begun: list[Action]
    over: list[Action]


class House:
    """One session behind every dialect of its venues. Nothing moves unless `until` is called."""

    def __init__(
        self, world: World, seed: int, speed: float = 1.0, actions: Sequence[Action] = (),
        kept: list[IntArray] | None = None, from_h: float = 0.0,
    ) -> None:  # fmt: skip
        """Args: kept: where every row of the journal goes too. from_h: hours of the world that pass unheard.

        Raises:
            BadInput: two books under one name, an action at a venue not served, a speed or hour out of range.
        """
        self.contracts = served(world)
        self.dialects: dict[str, Dialect] = dialects_of(self.contracts)
        self._dialect_of = {
            contract.book: self.dialects[contract.venue] for contract in self.contracts
        }
        for action in actions:
            if action.venue not in self.dialects:
                raise BadInput(
                    f"action {action.what}: venue '{action.venue}'; served: {', '.join(self.dialects)}"
                )
        self._actions, self._kept, self._speed = actions, kept, speed
        self.faults: dict[str, Faults] = {}
        self.halted: set[str] = set()
        if not 0.0 <= from_h < world.hours:
            raise BadInput(
                f"from_h must lie between 0 and {world.hours:g}, the world's end, not {from_h:g}"
            )
        unheard = world.start_ns + round(from_h * 3_600) * SECOND_NS
        self.pace = Pace(unheard + WARM_UP_NS, 0, speed)
        self.session = Session(world, seed)
        self.label = source_of(world, seed)
        self._tell(self.session.until(unheard))
        for dialect in self.dialects.values():
            dialect.forget()
        self._before = list(self.session.until(self.pace.virtual))
        for name, dialect in self.dialects.items():
            if isinstance(dialect, Hyperliquid):
                mine = [contract for contract in self.contracts if contract.venue == name]
                dialect.public = OpenAccounts(self.session.market, mine)
        self.now = 0

    def begin(self, wire: int) -> None:
        """The clock's time now, ns: from here on the market lives."""
        self.now, self.pace = wire, Pace(self.pace.virtual, wire, self._speed)
        self.faults = {
            name: Faults([action for action in self._actions if action.venue == name], wire)
            for name in self.dialects
        }
        self._tell(self._before)
        self._before = []
        for dialect in self.dialects.values():
            dialect.speak(wire)  # what happened before is nobody's news

    @property
    def over(self) -> bool:
        """The world has ended; nothing more will happen."""
        return self.session.now >= self.session.end

    def until(self, wire: int) -> Iterator[Told]:
        """Go on to the last whole slice before `wire`, telling what each venue says."""
        while self.now + SLICE_NS <= wire and not self.over:
            self.now += SLICE_NS
            self._take(min(self.pace.to_virtual(self.now), self.session.end))
            for name, dialect in self.dialects.items():
                yield self._spoken(name, dialect)

    def out(self, venue: str) -> bool:
        """Whether a venue answers nobody now."""
        return venue in self.halted or self.faults[venue].running("outage") is not None

    def _spoken(self, name: str, dialect: Dialect) -> Told:
        faults = self.faults[name]
        begun, over = faults.turn(self.now)
        frames: list[Frame] = []
        for action in begun:
            frames += self._befallen(dialect, action)
        for action in over:
            self._recovered(dialect, action)
        begun, over = (
            begun + self._halts(name, dialect, True),
            over + self._halts(name, dialect, False),
        )
        frames += faults.bend(dialect.speak(self.now))
        if self.out(name):
            frames.clear()  # what happens meanwhile is told nobody, later either
        return Told(name, self.now, frames, begun, over)

    def _befallen(self, dialect: Dialect, action: Action) -> list[Frame]:
        if action.what == "restart":
            return dialect.restart(self.now)
        if action.what == "stamps":
            dialect.unit_ns = action.unit_ns
        if action.what == "crossed_book":
            for ledger in dialect.ledgers.values():
                ask = ledger.best()[2]
                if ask and action.target in ("", ledger.contract.symbol):
                    self._ghost(dialect, ledger.contract.book, ask + 1, 1)
        return []

    def _recovered(self, dialect: Dialect, action: Action) -> None:
        if action.what == "stamps":
            dialect.unit_ns = 1_000_000
        if action.what == "outage":
            dialect.restart(self.now)
        if action.what == "crossed_book":
            for ledger in dialect.ledgers.values():
                ask = min(ledger.asks, default=0)
                for tick in [tick for tick in ledger.bids if ask and tick >= ask]:
                    self._ghost(dialect, ledger.contract.book, tick, 0)

    def _ghost(self, dialect: Dialect, book: int, tick: int, lots: int) -> None:
        """A change of a book that never happened."""
        ledger = dialect.ledgers[book]
        ledger.take((journal.DEPTH, self.now, book, tick, lots, 1, ledger.change, 0))

    def _halts(self, name: str, dialect: Dialect, begin: bool) -> list[Action]:
        """An outage planned in the world: all contracts of a venue stand still."""
        halted = all(ledger.halted for ledger in dialect.ledgers.values())
        if halted == begin and begin != (name in self.halted):
            if begin:
                self.halted.add(name)
            else:
                self.halted.discard(name)
                dialect.restart(self.now)
            return [Action(0.0, "outage", name)]
        return []

    def _take(self, virtual: int) -> None:
        self._tell(self.session.until(virtual))

    def _tell(self, batches: Iterable[IntArray]) -> None:
        """Rows to their dialects, their times turned into the wire's."""
        to_wire = self.pace.to_wire
        for rows in batches:
            if self._kept is not None:
                self._kept.append(rows)
            for row in rows[np.isin(rows[:, 0], _PUBLIC)].tolist():
                row[1] = to_wire(row[1])
                timed = _TIMED.get(row[0])
                if timed is not None:
                    row[timed] = to_wire(row[timed])
                self._dialect_of[row[2]].take(row)
