"""What someone holds and on what margin."""

import math
from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.units import PositionSide

MarginMode: TypeAlias = Literal["isolated", "cross", "portfolio"]


class Position(Struct, frozen=True, kw_only=True):
    """One open perpetual position; `size_coin` is positive, `side` gives the sign.

    wallet_usd: with cross margin the account's wallet balance, with isolated margin what was assigned to
    the position. leverage_x: with isolated margin, entry notional over the margin assigned.
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


class Positions(Struct, frozen=True, kw_only=True):
    """Positions in the order given; `portfolio_usd` is what the risk caps of 1 to 2 % are taken of."""

    positions: tuple[Position, ...]
    portfolio_usd: float | None = None
