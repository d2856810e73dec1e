"""The watch: a look at the store once a minute, judged, while couriers deliver beside it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from airpocket.brief.compose import compose
from airpocket.delivery.alerts.courier import Courier, Notifier
from airpocket.delivery.alerts.findings import Look
from airpocket.delivery.alerts.judge import Judge
from airpocket.delivery.alerts.ledger import Ledger
from airpocket.delivery.alerts.rules import Rules
from airpocket.delivery.ground import Ground
from airpocket.domain.errors import AirpocketError, NothingKnown, UnknownInstrument
from airpocket.domain.instruments import instrument
from airpocket.domain.portfolio import Account, account_with, accounts_of
from airpocket.domain.ports import Clock
from airpocket.domain.units import SECOND_NS, TimeNs
from airpocket.ingest.accounts import read_positions
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import newest
from airpocket.live import health_file
from airpocket.pipeline import Assessment
from airpocket.playbook.ledger import STABLECOINS
from airpocket.playbook.plan import plan_for
from airpocket.playbook.records import Plan
from airpocket.playbook.situation import Situation


@dataclass(frozen=True, slots=True)
class Watched:
    """What one look came to, for the screen."""

    look: Look
    messages: int
    waiting: int


class Looker:
    """Owns the analysis that is looked at."""

    def __init__(self, store: Path, asset: str, positions: Path | None) -> None:
        self._store, self._asset, self._positions = store, asset, positions
        self._lake = Lake(store)
        self._ground = Ground(self._lake, asset)
        self._others_ground: dict[str, Ground] = {}  # by coin

    def look(self, now: int) -> Look:
        """The newest moment of the store, judged by the wall clock; what fails is part of the look."""
        try:
            at = newest(self._lake, self._asset)
            found = self._ground.at(at).assess(at)
            plans = self._plans(found)
            age_s = max((now - at) / SECOND_NS, 0.0)
            return Look(at, compose(found), plans, age_s, self._alarms(now))
        except AirpocketError as error:
            return Look(now, None, (), None, self._alarms(now), str(error))

    def _plans(self, found: Assessment) -> tuple[Plan, ...]:
        if self._positions is None:
            return ()
        held = read_positions(self._positions)
        here = found.situation(None, held.portfolio_usd, held.volatility)
        accounts = accounts_of(held)
        mine = [
            (p, account_with(accounts, p))
            for p in held.positions
            if instrument(p.venue, p.symbol).base == self._asset
        ]
        others = self._others([account for _, account in mine], found.market.now)
        return tuple(
            plan_for(p, here, within=account, others=others, cover=held.options, beside=held)
            for p, account in mine
        )

    def _others(self, accounts: list[Account], now: TimeNs) -> dict[str, Situation]:
        """Of the other coins that share a margin with this one's positions, as of the same moment.

        A coin that nothing is stored of is left out: the plan says what it misses.
        """
        held = dict.fromkeys(
            coin
            for each in accounts
            for coin in (*each.assets, *(b.currency for b in each.balances))
            if coin not in STABLECOINS and coin != self._asset
        )
        found: dict[str, Situation] = {}
        for coin in held:
            ground = self._others_ground.setdefault(coin, Ground(self._lake, coin))
            try:
                found[coin] = ground.at(now).assess(now).situation()
            except (NothingKnown, UnknownInstrument):
                continue
        return found

    def _alarms(self, now: int) -> tuple[str, ...]:
        health = health_file.read(self._store)
        if health is None:
            return ()
        silent_s = (now - health.asof) / SECOND_NS
        stopped = (f"the recorder has said nothing for {silent_s:,.0f} s",)
        return health.alarms if silent_s <= health_file.OLD_S else stopped


async def watch(
    rules: Rules, ledger: Ledger, notifier: Notifier, look: Callable[[int], Look], clock: Clock,
    every_s: float, tell: Callable[[Watched], None],
) -> None:  # fmt: skip
    """Look, judge and deliver until cancelled; a service that hangs delays nothing else."""
    judge = Judge(rules, ledger)
    couriers = [Courier(each, rules, ledger, notifier, clock) for each in rules.services]
    async with asyncio.TaskGroup() as group:
        for courier in couriers:
            group.create_task(courier.run())
        while True:
            seen = await asyncio.to_thread(look, clock.now())
            made = judge.judge(seen, clock.now())
            tell(Watched(seen, made, ledger.unsent()))
            await asyncio.sleep(every_s)
