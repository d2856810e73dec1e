"""The watch: a look at the store once a minute, judged, while couriers deliver beside it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from airpocket.brief.compose import compose
from airpocket.delivery.alerts.courier import Courier, Notifier
from airpocket.delivery.alerts.findings import Look
from airpocket.delivery.alerts.heartbeat import Heartbeat
from airpocket.delivery.alerts.judge import Judge
from airpocket.delivery.alerts.ledger import Ledger
from airpocket.delivery.alerts.rules import Rules
from airpocket.delivery.ground import Ground
from airpocket.domain.errors import AirpocketError, NothingKnown, UnknownInstrument
from airpocket.domain.instruments import instrument
from airpocket.domain.portfolio import Account, account_with, accounts_of
from airpocket.domain.ports import Clock
from airpocket.domain.units import SECOND_NS, TimeNs, format_time
from airpocket.ingest.accounts import read_positions
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import newest
from airpocket.live import health_file
from airpocket.pipeline import Assessment
from airpocket.playbook.ledger import STABLECOINS
from airpocket.playbook.plan import plan_for
from airpocket.playbook.records import Plan
from airpocket.playbook.situation import Situation

_LOOK_S = 300.0  # a first look may take so long
_UNDELIVERED_S = 900.0


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


class Watch:
    """One watch: it looks, judges and delivers until cancelled; a service that hangs delays nothing else."""

    def __init__(
        self, rules: Rules, ledger: Ledger, notifier: Notifier, look: Callable[[int], Look], clock: Clock,
    ) -> None:  # fmt: skip
        self._judge, self._ledger = Judge(rules, ledger), ledger
        self._look, self._clock = look, clock
        self.couriers = [Courier(each, rules, ledger, notifier, clock) for each in rules.services]
        self._looked_at = clock.now()
        self._every_s = 60.0

    async def run(
        self, every_s: float, tell: Callable[[Watched], None], pulse: Heartbeat | None = None
    ) -> None:
        """Until cancelled."""
        self._every_s = every_s
        async with asyncio.TaskGroup() as group:
            for courier in self.couriers:
                group.create_task(courier.run())
            if pulse is not None:
                group.create_task(pulse.run())
            while True:
                tell(await self.once())
                await asyncio.sleep(every_s)

    async def once(self) -> Watched:
        """One look, judged; nothing is delivered."""
        seen = await asyncio.to_thread(self._look, self._clock.now())
        made = self._judge.judge(seen, self._clock.now())
        self._looked_at = self._clock.now()
        return Watched(seen, made, self._ledger.unsent())

    def ill(self) -> str:
        """Why no sign of life is to be given: no look any more, or messages that do not arrive; '' else."""
        now = self._clock.now()
        silent_s = (now - self._looked_at) / SECOND_NS
        if silent_s > 3.0 * self._every_s + _LOOK_S:
            return f"no look since {format_time(self._looked_at)}"
        for courier in self.couriers:
            since = courier.failing_since
            if since is not None and (now - since) / SECOND_NS > _UNDELIVERED_S:
                return f"{courier.name} has taken no message since {format_time(since)}"
        return ""
