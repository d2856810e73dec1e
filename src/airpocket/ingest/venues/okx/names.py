"""OKX's names and times: what one unit of size is worth, when an option ends, when something was said."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.instruments import instrument
from airpocket.domain.units import parse_time
from airpocket.domain.wire import Level
from airpocket.ingest.levels import in_coin
from airpocket.ingest.said import Said
from airpocket.ingest.values import BadValue, stamp_ns

VENUE = "okx"
_DOLLARS = ("USDT", "USDC", "USD", "USD_UM")


class Worth(NamedTuple):
    """What one unit of size is worth: coin, or dollars; None where nobody said."""

    coin: float | None
    usd: float | None
    dollars: bool  # whether the quote is a dollar

    @property
    def known(self) -> bool:
        return self.coin is not None or self.usd is not None

    def sized(self, size: float, price: float) -> tuple[float | None, float | None]:
        """Size in coin and notional in USD."""
        if self.coin is not None:
            return size * self.coin, size * self.coin * price if self.dollars else None
        if self.usd is not None:
            return size * self.usd / price, size * self.usd
        return None, None

    def levels(self, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        """Sizes in coin; contracts as they are where their worth is not known."""
        if self.usd is not None:
            return in_coin(levels, self.usd)
        coin = self.coin
        if coin is None or coin == 1.0:
            return levels
        return tuple((price, size * coin) for price, size in levels)


class Worths:
    """What one unit of size of each contract is worth, by the sizes listed when it was made; it never changes.

    Spot counts coin; a derivative counts contracts. What is not listed has the worth of the bundled table,
    or none.
    """

    def __init__(self, sizes: Mapping[str, float]) -> None:
        """Args: sizes: coin per contract by symbol, dollars of inverse ones."""
        self._sizes = sizes
        self._known: dict[str, Worth] = {}

    def of(self, symbol: str) -> Worth:
        """The worth of one unit of `symbol`."""
        found = self._known.get(symbol)
        if found is None:
            found = _worth(symbol, self._sizes.get(symbol))
            if len(self._known) < _MOST_KEPT:
                self._known[symbol] = found
        return found


BUNDLED = Worths({})
_MOST_KEPT = 8_192


def _worth(symbol: str, listed: float | None) -> Worth:
    quoted = symbol.split("-")[1] in _DOLLARS if "-" in symbol else False
    if symbol.count("-") == 1:
        return Worth(1.0, None, quoted)
    try:
        contract = instrument(VENUE, symbol)
    except UnknownInstrument:
        return Worth(None, None, quoted)
    size = contract.contract_size if listed is None else listed
    if contract.kind == "inverse":
        return Worth(None, size, quoted)
    if contract.kind == "option":  # priced in coin: its dollars would need the index
        return Worth(size, None, dollars=False)
    return Worth(size, None, quoted)


@lru_cache(maxsize=1_024)
def expiry_of(text: str) -> int:
    """'250328' → 08:00 UTC of that day, ns.

    Raises:
        BadValue: no such day.
    """
    if not (len(text) == 6 and text.isascii() and text.isdigit()):
        raise BadValue(f"expiry {text[:20]!r}")
    try:
        return parse_time(f"20{text[:2]}-{text[2:4]}-{text[4:]}T08:00Z")
    except ValueError as error:
        raise BadValue(f"expiry {text!r}") from error


def time_ns(text: str, name: str) -> int:
    """'1791565600771' → ns.

    Raises:
        BadValue: no whole number, or no moment between 2009 and 2100.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadValue(f"{name} {text[:40]!r} is no time")
    return stamp_ns(int(text), name)


def said(symbol: str, stamp: str, heard: int) -> Said:
    """What an answer without a time of its own says is said when it was heard."""
    return Said(VENUE, symbol, time_ns(stamp, "time") if stamp else heard, heard)
