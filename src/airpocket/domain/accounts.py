"""Public accounts and loans: what somebody holds where everybody may look, as it was told at one moment."""

import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from msgspec import Struct

from airpocket.domain.events import BoolArray, FloatArray, IntArray
from airpocket.domain.units import PositionSide

Backing: TypeAlias = Literal["cross", "isolated"]


class Holding(Struct, frozen=True, kw_only=True):
    """One open position of an account, as its venue told it; `size_coin` is signed, a long positive.

    mark: quote per coin when told. cash_usd: what backs it with the entry value taken off, so that equity is
    cash + Σ size × price at any price: cross, the account's, shared by all its cross positions; isolated, the
    position's own. max_leverage_x: what the venue grants this contract, None where not said.
    liquidation_price: as told; None: the venue says there is none.
    """

    symbol: str
    size_coin: float
    mark: float
    backing: Backing
    cash_usd: float
    entry_price: float | None = None
    leverage_x: float | None = None
    max_leverage_x: float | None = None
    liquidation_price: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.size_coin) and self.size_coin != 0.0):
            raise ValueError(
                f"size_coin must be a number other than zero, not {self.size_coin:g}; "
                "a flat account has no holdings"
            )
        for name in ("mark", "entry_price", "leverage_x", "max_leverage_x", "liquidation_price"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                raise ValueError(f"{name} must be positive, not {value:g}")
        if not math.isfinite(self.cash_usd):
            raise ValueError(f"cash_usd must be a number, not {self.cash_usd:g}")

    @property
    def side(self) -> PositionSide:
        return "long" if self.size_coin > 0.0 else "short"


class AccountState(Struct, frozen=True, kw_only=True):
    """All that an account held when it was asked; no holdings: it was flat.

    ts: the venue's time; usable_from: when the answer was heard; both ns.
    """

    venue: str
    account: str
    ts: int
    usable_from: int
    holdings: tuple[Holding, ...] = ()

    def holding(self, symbol: str) -> Holding | None:
        """Its position in one contract."""
        return next((each for each in self.holdings if each.symbol == symbol), None)


class Answers(NamedTuple):
    """Many answers of many accounts through time: a row for each holding, one of contract 0 for a flat account.

    Arrays (n,): account, contract: `number_of` their names; heard: ns; size_coin: signed; price: of liquidation as
    told, quote per coin, NaN where there is none.
    """

    account: IntArray
    contract: IntArray
    heard: IntArray
    size_coin: FloatArray
    price: FloatArray

    def at(self, rows: IntArray | BoolArray) -> "Answers":
        """Some of the rows, or all in another order."""
        account, contract, heard, size_coin, price = self
        return Answers(account[rows], contract[rows], heard[rows], size_coin[rows], price[rows])


def number_of(venue: str, name: str) -> int:
    """A number that stands for an account or a contract of a venue among millions of rows; 0 for no name."""
    if not name:
        return 0
    return int.from_bytes(blake2b(f"{venue}:{name}".encode(), digest_size=8).digest(), signed=True)


def answers_of(states: Sequence[AccountState]) -> Answers:
    """The rows of states as they were told."""
    pairs = [(state, each) for state in states for each in state.holdings or (None,)]
    return Answers(
        np.array([number_of(state.venue, state.account) for state, _ in pairs], np.int64),
        np.array([0 if each is None else number_of(state.venue, each.symbol) for state, each in pairs], np.int64),
        np.array([state.usable_from for state, _ in pairs], np.int64),
        np.array([0.0 if each is None else each.size_coin for _, each in pairs], np.float64),
        np.array([_told_price(each) for _, each in pairs], np.float64),
    )  # fmt: skip


def _told_price(holding: Holding | None) -> float:
    told = None if holding is None else holding.liquidation_price
    return math.nan if told is None else told


def in_order(parts: Sequence[Answers]) -> Answers:
    """The rows of all parts by account and time, each once: the same answer may have been heard twice."""
    whole = Answers(
        np.concatenate([part.account for part in parts]),
        np.concatenate([part.contract for part in parts]),
        np.concatenate([part.heard for part in parts]),
        np.concatenate([part.size_coin for part in parts]),
        np.concatenate([part.price for part in parts]),
    )
    whole = whole.at(np.lexsort((whole.contract, whole.heard, whole.account)))
    return whole.at(begins(whole.account, whole.heard, whole.contract))


def begins(*columns: IntArray) -> BoolArray:
    """(n,) whether a row differs from the one before; the first does."""
    new = np.zeros(len(columns[0]), np.bool_)
    new[:1] = True
    for each in columns:
        new[1:] |= each[1:] != each[:-1]
    return new


class LoanState(Struct, frozen=True, kw_only=True):
    """One loan of a lending protocol, in one asset against the rest, as it was told.

    collateral_coin, debt_coin: of the asset; threshold: the share of the collateral's value up to which debt may
    go, a fraction. other_collateral_usd: the rest, already times its own thresholds; other_debt_usd: the rest.
    close_share: the part of the collateral that one liquidation may sell, a fraction.
    """

    protocol: str
    account: str
    asset: str
    ts: int
    usable_from: int
    collateral_coin: float
    debt_coin: float
    threshold: float
    other_collateral_usd: float = 0.0
    other_debt_usd: float = 0.0
    close_share: float = 1.0
