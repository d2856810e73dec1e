"""Owner of the public accounts and loans heard of: the newest state of each, blended into a map on demand."""

from collections.abc import Iterable

from airpocket.domain.accounts import AccountState, LoanState
from airpocket.liquidations.blend import blended
from airpocket.liquidations.exact import ScheduleOf, schedule_in_force
from airpocket.liquidations.measured import layers_of
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.liquidations.settings import MapSettings
from airpocket.market.state import Market


class AccountsState:
    """The newest state of every account and loan, whatever the order they come in."""

    def __init__(self, schedule_of: ScheduleOf = schedule_in_force) -> None:
        self._schedule_of = schedule_of
        self._accounts: dict[tuple[str, str], AccountState] = {}
        self._loans: dict[tuple[str, str], LoanState] = {}

    def hear(self, told: Iterable[AccountState | LoanState]) -> None:
        """Take states; an older one of the same account changes nothing."""
        for state in told:
            if isinstance(state, AccountState):
                key = (state.venue, state.account)
                held = self._accounts.get(key)
                if held is None or held.ts <= state.ts:
                    self._accounts[key] = state
            else:
                name = (state.protocol, state.account)
                loan = self._loans.get(name)
                if loan is None or loan.ts <= state.ts:
                    self._loans[name] = state

    def blend(
        self, mapped: LiquidationMap | Unmapped, market: Market, s: MapSettings
    ) -> LiquidationMap | Unmapped:
        """The map with what the accounts hold in it; the map itself where none is known.

        Raises:
            ValueError: a state was heard after the market's time (look-ahead).
        """
        if not (self._accounts or self._loans):
            return mapped
        accounts = [self._accounts[key] for key in sorted(self._accounts)]
        loans = [self._loans[key] for key in sorted(self._loans)]
        loans = [loan for loan in loans if loan.asset == market.asset]
        return blended(mapped, layers_of(market, accounts, loans, s, self._schedule_of), market, s)
