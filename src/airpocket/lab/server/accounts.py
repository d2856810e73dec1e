"""Who holds what of one venue of a running market, as a venue with public accounts would tell it."""

import math
from collections.abc import Sequence

import numpy as np

from airpocket.lab.dialects.chain_accounts import Held, Owner
from airpocket.lab.dialects.contract import Contract
from airpocket.lab.exchange.solvency import maintenance
from airpocket.lab.exchange.state import Market
from airpocket.lab.runs.truth import agents_of, cross_accounts, surveyed


class OpenAccounts:
    """Reads the market as it stands now; changes nothing."""

    def __init__(self, market: Market, contracts: Sequence[Contract]) -> None:
        self._market, self._contracts = market, contracts
        self._agents = agents_of(market)
        self._cross = cross_accounts(market, self._agents)
        venue = market.venues[market.books[contracts[0].book].venue]
        first = int(venue.first_account)
        self._mine = range(first, first + int(venue.accounts))

    def state(self, number: int) -> Owner:
        """An account by its number; one that is not this venue's holds nothing."""
        m = self._market
        if number not in self._mine:
            return Owner(number, True, 0.0, 0.0, ())
        unit = float(m.books[self._contracts[0].book].unit)
        held = [self._held(number, contract) for contract in self._contracts]
        return Owner(
            number, number in self._cross, float(m.accounts[number].cash) * unit,
            float(maintenance(m, number)) * unit, [each for each in held if each is not None],
        )  # fmt: skip

    def all(self) -> list[Owner]:
        """Every account of the venue but its own."""
        return [self.state(number) for number in self._mine if self._agents[number] != "venue"]

    def _held(self, number: int, contract: Contract) -> Held | None:
        m = self._market
        terms = m.books[contract.book]
        position = m.positions[number, int(terms.slot)]
        lots = int(position.lots)
        if lots == 0:
            return None
        out = np.empty((1, 3))
        surveyed(m, contract.book, np.array([number], dtype=np.int64), out)
        gone = float(out[0, 1])
        return Held(
            contract, lots, float(position.cost) / lots, float(terms.mark),
            gone if math.isfinite(gone) and gone > 0.0 else None,
        )  # fmt: skip
