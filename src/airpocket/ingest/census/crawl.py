"""The crawl of Hyperliquid's accounts: meets addresses, asks each for its state, and keeps what was heard."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from airpocket.domain.accounts import AccountState
from airpocket.domain.errors import AirpocketError, StoreBusy, UndecodableFrame, VenueRefused
from airpocket.domain.events import OpenInterest, Ticker
from airpocket.domain.simulated import sourced
from airpocket.domain.units import DAY_NS, SECOND_NS, TimeNs
from airpocket.ingest.census import stored
from airpocket.ingest.census.roster import Roster, RosterSettings
from airpocket.ingest.connection import Connection, World
from airpocket.ingest.dial import Refused
from airpocket.ingest.feed import Poll
from airpocket.ingest.lake import Lake, Table
from airpocket.ingest.log import reader
from airpocket.ingest.log.records import Record
from airpocket.ingest.venues.hyperliquid import accounts as venue
from airpocket.ingest.venues.hyperliquid.decoder import decode

_SOURCE = "census over REST"
_RAW_DAYS = 1  # of a recorded log, read for addresses
_LOOK_S = 0.1
_LAST_TRIES_S = (0.0, 1.0, 3.0)
_LAST_LOOK_S = 5.0

ReadAddresses: TypeAlias = Callable[[bytes], list[str]]


@dataclass(frozen=True, slots=True)
class CensusSettings:
    """for_s: how long; None: until every account met was asked once. workers: questions in the air.

    lists: ask for leaderboard and vaults too. give_up: answers in a row that were none, after which the venue is
    left alone. flush_s: a crash loses no more than what was heard in it.
    """

    for_s: float | None = None
    workers: int = 4
    lists: bool = True
    flush_s: float = 30.0
    give_up: int = 20
    roster: RosterSettings = field(default_factory=RosterSettings)


@dataclass
class Tally:
    """How a census goes. Coin and open interest are by contract; origins and troubles are counted."""

    asked: int = 0
    holding: int = 0
    rows_kept: int = 0
    long_coin: dict[str, float] = field(default_factory=dict[str, float])
    short_coin: dict[str, float] = field(default_factory=dict[str, float])
    interest_coin: dict[str, float] = field(default_factory=dict[str, float])
    met: Counter[str] = field(default_factory=Counter[str])
    troubles: Counter[str] = field(default_factory=Counter[str])
    first: int = 0
    last: int = 0

    def coverage(self, symbol: str) -> tuple[float, float] | None:
        """Share of a contract's open interest that the accounts asked hold, long and short; None: unknown."""
        interest = self.interest_coin.get(symbol, 0.0)
        if interest <= 0.0:
            return None
        held = (side.get(symbol, 0.0) / interest for side in (self.long_coin, self.short_coin))
        return next(held), next(held)


class Census:
    """One run of the crawl into a store; `stop` ends it in good order, and the next goes on where it ended."""

    def __init__(
        self, store: Path, symbols: tuple[str, ...], world: World,
        settings: CensusSettings | None = None, addresses: Iterable[str] = (), label: str = "",
    ) -> None:  # fmt: skip
        """Args: symbols: contracts whose trades are listened to and whose coverage is told. label: of a venue
        that is simulated, for every row's source.
        """
        (self._source,) = sourced(label, (_SOURCE,))
        self.settings = settings or CensusSettings()
        self.symbols, self.tally = symbols, Tally()
        self.roster = Roster(self.settings.roster)
        self._store, self._world = store, world
        self._lake = Lake(store)
        self._given = tuple(addresses)
        self._states: dict[str, AccountState] = {}  # newest of this run
        self._unsaved: list[AccountState] = []
        self._seen: dict[str, tuple[int, str]] = {}
        self._facts: list[Table] = []
        self._busy = self._in_a_row = 0
        self._finding = True
        self._trouble = self._last_failure = ""
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End in good order."""
        self._stop.set()

    async def run(self, tell: Callable[["Census"], None] | None = None) -> None:
        """Crawl until done, stopped, or out of time.

        Raises:
            VenueRefused: the venue will not answer, or its answers can't be read; what was heard is kept.
            StoreError: the store can't be read or written.
        """
        self._resume()
        work = [asyncio.create_task(self._find())]
        work += [asyncio.create_task(self._work()) for _ in range(self.settings.workers)]
        if self.settings.for_s is not None:
            connection = Connection(venue.trades_socket(self.symbols), _Ear(self), self._world)
            work.append(asyncio.create_task(connection.run()))
            work.append(asyncio.create_task(self._watch_market()))
        try:
            await self._until_done(work, tell)
        finally:
            for task in work:
                task.cancel()
            ended = await asyncio.gather(*work, return_exceptions=True)
            await self._keep_the_last()
        for error in ended:
            if isinstance(error, Exception):
                raise error
        if not self._trouble and not self.tally.asked and self._in_a_row:
            self._trouble = f"no account answered, the last: {self._last_failure}"
        if self._trouble:
            raise VenueRefused(
                f"{venue.VENUE}: {self._trouble}; {self.tally.asked} accounts were asked and are kept"
            )

    def meet(self, account: str, origin: str) -> None:
        """An address heard of."""
        if self.roster.meet(account):
            self._seen[account] = (self._world.clock.now(), origin)
            self.tally.met[origin] += 1

    # -- whom to ask

    def _resume(self) -> None:
        now = self._world.clock.now()
        self.tally.first = now
        before = stored.asked_before(self._lake, venue.VENUE, now)
        for account, (asked_at, holds) in before.items():
            self.roster.meet(account, asked_at, holds=holds)
        for state in stored.accounts_of(self._lake, now, now - self._fresh_ns()):
            if state.venue == venue.VENUE:
                self._take_state(state)
        for account in venue.HOUSE:
            self.meet(account, "vault")
        for account in self._given:
            self.meet(account, "file")

    def _fresh_ns(self) -> int:
        return round(self.settings.roster.again_s * SECOND_NS)

    async def _find(self) -> None:
        """Open interest, then addresses from wherever they are told; what does not answer is counted."""
        await self._look_at_market()
        for account in await asyncio.to_thread(self._recorded):
            self.meet(account, "trade")
        for symbol in self.symbols:
            await self._from(venue.ask_trades(symbol), venue.read_users, "trade")
        if self.settings.lists:
            await self._from(venue.ask_vaults(), venue.read_vaults, "vault")
            await self._from(venue.ask_leaderboard(), venue.read_leaderboard, "leaderboard")
        self._finding = False

    async def _from(self, poll: Poll, read: ReadAddresses, origin: str) -> None:
        try:
            found = read(await self._world.ask(poll))
        except (Refused, UndecodableFrame) as error:
            self.tally.troubles[f"{origin}s not listed: {error}"] += 1
            return
        for account in found:
            self.meet(account, origin)

    def _recorded(self) -> list[str]:
        """Users of the trades that the store's raw log holds of the last day."""
        folder = self._store / "raw"
        if not folder.is_dir():
            return []
        since = TimeNs(self._world.clock.now() - _RAW_DAYS * DAY_NS)
        found: dict[str, None] = {}
        for record in reader.read(folder, since=since):
            if isinstance(record, Record) and record.venue == venue.VENUE and record.kind == "text":
                found.update(dict.fromkeys(_users(record.body)))
        return list(found)

    async def _watch_market(self) -> None:
        """Open interest again and again."""
        while True:
            await self._world.sleep(self.settings.flush_s)
            await self._look_at_market()

    async def _look_at_market(self) -> None:
        """Open interest and marks of the contracts asked for."""
        try:
            body = await self._world.ask(venue.ask_contexts())
            events = decode(body, self._world.clock.now())
        except (Refused, UndecodableFrame) as error:
            self.tally.troubles[f"open interest not told: {error}"] += 1
            return
        for event in events:
            if event.symbol not in self.symbols or not isinstance(event, OpenInterest | Ticker):
                continue
            if isinstance(event, OpenInterest):
                self.tally.interest_coin[event.symbol] = event.amount
                kind = "open_interest"
                row = {"amount": event.amount, "unit": event.unit, "averaged_s": 0}
            else:
                kind, row = "ticker", {"mark": event.mark, "index": event.index}
            row = {"ts": event.ts, "usable_from": event.usable_from, **row}
            self._facts.append(
                stored.fact_table(kind, venue.VENUE, event.symbol, [row], self._source)
            )

    # -- asking

    async def _work(self) -> None:
        while not self._stop.is_set():
            now = self._world.clock.now()
            account = self.roster.next(now)
            if account is None:
                if self._done():
                    return
                wait_s = self.roster.wait_s(now)
                await self._world.sleep(min(_LOOK_S if wait_s is None else wait_s, _LOOK_S))
                continue
            self._busy += 1
            try:
                await self._ask(account)
            finally:
                self._busy -= 1

    def _done(self) -> bool:
        """Whether one pass is over: nobody else will be met, and nobody waits to be asked."""
        return self.settings.for_s is None and not self._finding and self._busy == 0

    async def _ask(self, account: str) -> None:
        try:
            body = await self._world.ask(venue.ask_account(account))
            state = venue.read_account(body, account, self._world.clock.now())
        except Refused as refused:
            now = self._world.clock.now()
            self.tally.troubles[str(refused)] += 1
            if refused.wait_s > 0.0:  # the next question waits as long as the venue wants
                self.roster.put_back(account, now)
                return
            self.roster.failed(account, now)
            self._failed_again(str(refused), at_once=refused.for_good)
            await self._world.sleep(min(2.0**self._in_a_row * 0.05, 3.0))
        except UndecodableFrame as error:
            self.tally.troubles[f"unreadable: {str(error)[:160]}"] += 1
            self.roster.failed(account, self._world.clock.now())
            self._failed_again(str(error))
        else:
            self._in_a_row = 0
            self.roster.told(account, state.usable_from, holds=bool(state.holdings))
            self._unsaved.append(state)
            self.tally.asked += 1
            self.tally.last = state.usable_from
            self._take_state(state)

    def _failed_again(self, reason: str, *, at_once: bool = False) -> None:
        self._in_a_row += 1
        self._last_failure = reason
        if at_once or self._in_a_row >= self.settings.give_up:
            many = "" if at_once else f"{self._in_a_row} answers in a row were none, the last: "
            self._trouble = f"{many}{reason}"
            self._stop.set()

    def _take_state(self, state: AccountState) -> None:
        """The newest state of an account takes the place of the one before in the sums."""
        before = self._states.get(state.account)
        if before is not None:
            self._count(before, -1.0)
        self._states[state.account] = state
        self._count(state, 1.0)

    def _count(self, state: AccountState, sign: float) -> None:
        self.tally.holding += int(sign) if state.holdings else 0
        for each in state.holdings:
            side = self.tally.long_coin if each.side == "long" else self.tally.short_coin
            side[each.symbol] = side.get(each.symbol, 0.0) + sign * abs(each.size_coin)

    # -- keeping

    async def _until_done(
        self, work: "list[asyncio.Task[None]]", tell: Callable[["Census"], None] | None
    ) -> None:
        clock = self._world.clock
        started = flushed = clock.monotonic()
        workers = work[1 : 1 + self.settings.workers]
        while not self._stop.is_set() and not all(task.done() for task in workers):
            if any(task.done() and not task.cancelled() and task.exception() for task in work):
                return
            await self._world.sleep(_LOOK_S)
            now = clock.monotonic()
            if now - flushed >= self.settings.flush_s * SECOND_NS:
                flushed = now
                await self._flush()
            if tell is not None:
                tell(self)
            if self.settings.for_s is not None and now - started >= self.settings.for_s * SECOND_NS:
                return

    async def _keep_the_last(self) -> None:
        if not self._trouble:
            with suppress(TimeoutError):  # a ban may outlast the run
                await asyncio.wait_for(self._look_at_market(), _LAST_LOOK_S)
        error: AirpocketError | None = None
        for wait_s in _LAST_TRIES_S:
            await self._world.sleep(wait_s)
            error = await self._flush()
            if error is None:
                return
        assert error is not None
        raise error

    async def _flush(self) -> AirpocketError | None:
        """Write what was heard in one commit; where another process writes, it waits for the next time."""
        facts, states, seen = self._facts, self._unsaved, self._seen
        self._facts, self._unsaved, self._seen = [], [], {}
        tables = [*facts]
        if states:
            tables.append(stored.account_table(venue.VENUE, states, self._source))
        if seen:
            tables.append(stored.seen_table(venue.VENUE, seen, self._source))
        if not tables:
            return None
        try:
            report = await asyncio.to_thread(self._lake.write, tables, on_conflict="keep")
        except StoreBusy as busy:  # what came meanwhile stands behind what waits
            self._facts = facts + self._facts
            self._unsaved = states + self._unsaved
            self._seen = {**seen, **self._seen}
            return busy
        self.tally.rows_kept += report.rows_new
        return None


class _Ear:
    """Listens to trades for their users; everything else that comes is let go."""

    def __init__(self, census: Census) -> None:
        self._census = census

    async def take(self, record: Record) -> None:
        if record.kind == "text":
            for account in _users(record.body):
                self._census.meet(account, "trade")


def _users(body: bytes) -> list[str]:
    """Users of a frame of trades; none in anything else, or in what can't be read."""
    if b'"users"' not in body:
        return []
    try:
        return venue.read_users(body)
    except UndecodableFrame:
        return []
