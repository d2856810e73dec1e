"""What someone holds and on what margin: perpetuals, options, and the balances that back them."""

import math
from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.units import PositionSide

MarginMode: TypeAlias = Literal["isolated", "cross", "portfolio"]


class Position(Struct, frozen=True, kw_only=True):
    """One open perpetual position; `size_coin` is positive, `side` gives the sign.

    An inverse contract counts in USD: its `size_coin` is those USD over the entry price. wallet_usd: with
    cross or portfolio margin the wallet balance of an account that holds nothing else, with isolated margin
    what was assigned to the position. leverage_x: with isolated margin, entry notional over the margin
    assigned. Neither: the balances of its venue stand behind it.
    """

    venue: str
    symbol: str
    side: PositionSide
    size_coin: float
    entry_price: float
    opened_at: int  # ns
    margin_mode: MarginMode
    leverage_x: float | None = None
    wallet_usd: float | None = None
    id: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.size_coin < math.inf:
            raise ValueError(
                f"size_coin must be positive, not {self.size_coin}; side gives the sign"
            )
        if not 0 < self.entry_price < math.inf:
            raise ValueError(f"entry_price must be positive, not {self.entry_price}")

    @property
    def signed_coin(self) -> float:
        return self.size_coin if self.side == "long" else -self.size_coin

    @property
    def key(self) -> str:
        """Venue and symbol of the contract held, as `venue:symbol`."""
        return f"{self.venue}:{self.symbol}"


class OptionPosition(Struct, frozen=True, kw_only=True):
    """One European option held or written; `size_coin` is positive, `side` gives the sign.

    linear: pays in its quote; else (inverse) in coin. entry_price: premium per coin in what it pays in, None
    where not said. volatility: fraction a year that the holder states, used where no chain is known.
    """

    venue: str
    symbol: str
    base: str
    side: PositionSide
    size_coin: float
    expiry: int  # ns
    strike: float
    call: bool
    linear: bool
    quote: str = "USD"
    entry_price: float | None = None
    opened_at: int | None = None
    volatility: float | None = None
    margin_mode: MarginMode = "cross"
    id: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("size_coin", "strike", "entry_price", "volatility"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                raise ValueError(f"{name} must be positive, not {value:g}")

    @property
    def signed_coin(self) -> float:
        return self.size_coin if self.side == "long" else -self.size_coin

    @property
    def key(self) -> str:
        """Venue and symbol of the contract held, as `venue:symbol`."""
        return f"{self.venue}:{self.symbol}"


class Balance(Struct, frozen=True, kw_only=True):
    """Wallet balance of one currency at one venue: without unrealised profit and without options' value.

    amount: in the currency; negative where it is owed. haircut: the share of its value that the venue does not
    count as margin, a fraction.
    """

    venue: str
    currency: str
    amount: float
    haircut: float = 0.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.amount):
            raise ValueError(f"amount must be a number, not {self.amount:g}")
        if not 0.0 <= self.haircut <= 1.0:
            raise ValueError(f"haircut must lie between 0 and 1, not {self.haircut:g}")


class Positions(Struct, frozen=True, kw_only=True):
    """All that one person holds, each kind in the order given.

    portfolio_usd: what the risk caps of 1 to 2 % are taken of. volatility: a year, a fraction, that hedges are
    sketched with where no option chain is known.
    """

    positions: tuple[Position, ...] = ()
    options: tuple[OptionPosition, ...] = ()
    balances: tuple[Balance, ...] = ()
    portfolio_usd: float | None = None
    volatility: float | None = None
