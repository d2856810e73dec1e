"""What someone holds and on what margin."""

from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.units import PositionSide

MarginMode: TypeAlias = Literal["isolated", "cross", "portfolio"]


class Position(Struct, frozen=True, kw_only=True):
    """One open perpetual position; `size_coin` is positive, `side` gives the sign."""

    venue: str
    symbol: str
    side: PositionSide
    size_coin: float
    entry_price: float
    opened_at: int  # ns
    margin_mode: MarginMode
    leverage_x: float | None = None
    wallet_usd: float | None = None

    def __post_init__(self) -> None:
        if not self.size_coin > 0:
            raise ValueError(
                f"size_coin must be positive, not {self.size_coin}; side gives the sign"
            )
        if not self.entry_price > 0:
            raise ValueError(f"entry_price must be positive, not {self.entry_price}")

    @property
    def signed_coin(self) -> float:
        return self.size_coin if self.side == "long" else -self.size_coin
