"""Owner of the public accounts and loans heard of: the newest state of each, blended into a map on demand."""

from collections.abc import Iterable, Sequence

from airpocket.domain.accounts import AccountState, Answers, LoanState, answers_of, in_order
from airpocket.domain.units import DAY_NS
from airpocket.liquidations.blend import blended
from airpocket.liquidations.blend_past import with_past
from airpocket.liquidations.exact import ScheduleOf, schedule_in_force
from airpocket.liquidations.measured import layers_of
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.liquidations.settings import MapSettings
from airpocket.market.state import Market


class AccountsState:
    """The newest state of every account and loan, in whatever order they come, and what accounts said before."""

    def __init__(self, schedule_of: ScheduleOf = schedule_in_force) -> None:
        self._schedule_of = schedule_of
        self._accounts: dict[tuple[str, str], AccountState] = {}
        self._loans: dict[tuple[str, str], LoanState] = {}
        self._past = answers_of(())

    def hear(self, told: Iterable[AccountState | LoanState]) -> None:
        """Take states; an older one of the same account changes nothing."""
        new: list[AccountState] = []
        for state in told:
            if isinstance(state, AccountState):
                key = (state.venue, state.account)
                held = self._accounts.get(key)
                if held is None or held.ts < state.ts:
                    new.append(state)
                if held is None or held.ts <= state.ts:
                    self._accounts[key] = state
            else:
                name = (state.protocol, state.account)
                loan = self._loans.get(name)
                if loan is None or loan.ts <= state.ts:
                    self._loans[name] = state
        if new:
            self._past = in_order((self._past, answers_of(new)))

    def recall(self, past: Sequence[Answers]) -> None:
        """Take what accounts said before those that were heard; instead of what was recalled earlier."""
        newest = answers_of([self._accounts[key] for key in sorted(self._accounts)])
        self._past = in_order((*past, newest))

    def blend(
        self, mapped: LiquidationMap | Unmapped, market: Market, s: MapSettings
    ) -> LiquidationMap | Unmapped:
        """The map with what the accounts hold in it; the map itself where none is known.

        Raises:
            ValueError: a state was heard after the market's time (look-ahead).
        """
        if not (self._accounts or self._loans):
            return mapped
        self._past = self._past.at(self._past.heard > market.now - (s.heat_days + 1) * DAY_NS)
        accounts = [self._accounts[key] for key in sorted(self._accounts)]
        loans = [self._loans[key] for key in sorted(self._loans)]
        loans = [loan for loan in loans if loan.asset == market.asset]
        layers = layers_of(market, accounts, loans, s, self._schedule_of)
        found = blended(mapped, layers, market, s)
        return with_past(found, self._past, market, s)
