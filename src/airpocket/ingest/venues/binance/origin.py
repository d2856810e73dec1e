"""Where a message of Binance belongs, and what its sizes and prices mean there."""

from typing import NamedTuple, TypeAlias

from airpocket.domain.depth import Level, Levels
from airpocket.ingest.levels import in_coin
from airpocket.ingest.values import nonnegative

_DOLLARS = ("USDT", "USDC", "FDUSD", "USD1", "BUSD", "TUSD", "USD")
Rows: TypeAlias = tuple[Level, ...] | Levels


class Origin(NamedTuple):
    """Where a message belongs: venue, symbol, and when it was heard (ns)."""

    venue: str
    symbol: str
    heard: int

    def coin(self, size: float, price: float) -> float:
        """A size in the base coin."""
        return size * self.contract_usd / price if self.inverse else size

    def dollars(self, size: float, price: float) -> float | None:
        """What it is worth; None where the quote is no dollar."""
        if self.inverse:
            return size * self.contract_usd
        return size * price if self.symbol.split("_")[0].endswith(_DOLLARS) else None

    @property
    def inverse(self) -> bool:
        """Whether sizes are contracts of dollars."""
        return self.venue == "binance_coinm"

    @property
    def contract_usd(self) -> float:
        """Dollars of an inverse contract."""
        return 100.0 if self.symbol.startswith("BTCUSD_") else 10.0


def levels(origin: Origin, rows: Rows) -> Rows:
    """Levels in the base coin."""
    if not origin.inverse:
        return rows
    if isinstance(rows, Levels):
        return Levels(rows.price, rows.size * origin.contract_usd / rows.price)
    return in_coin(rows, origin.contract_usd)


def optional(text: str, name: str) -> float | None:
    """Some answers write '' or 0 for a price they do not have."""
    if text in {"", "0"}:
        return None
    value = nonnegative(text, name)
    return value or None
