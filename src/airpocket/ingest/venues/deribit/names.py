"""Deribit's names of contracts: what they are, and what one unit of size is worth."""

import re
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from airpocket.domain.units import parse_time
from airpocket.domain.wire import Level
from airpocket.ingest.levels import in_coin

ContractKind: TypeAlias = Literal["linear", "inverse", "option", "other"]

_PERP = re.compile(
    r"(?P<base>[A-Z0-9]+)(_(?P<quote>USDC|USDT|USDE))?-(PERPETUAL|\d{1,2}[A-Z]{3}\d\d)", re.ASCII
)
_OPTION = re.compile(
    r"(?P<base>[A-Z0-9]+)(_(?P<quote>USDC|USDT))?-(?P<day>\d{1,2})(?P<month>[A-Z]{3})(?P<year>\d\d)"
    r"-(?P<strike>\d{1,12}([dD]\d{1,6})?)-(?P<type>[CP])",
    re.ASCII,
)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class Name(NamedTuple):
    """base: coin. expiry (ns), strike and call: of an option; a combination of contracts is 'other'."""

    kind: ContractKind
    base: str
    linear: bool
    expiry: int = 0
    strike: float = 0.0
    call: bool = False

    def sized(self, amount: float, price: float) -> tuple[float, float | None]:
        """Coin and dollars. An option's dollars would need the index, which a trade does not carry."""
        if self.kind == "inverse":
            return amount / price, amount
        return amount, amount * price if self.kind == "linear" else None

    def levels(self, levels: tuple[Level, ...]) -> tuple[Level, ...]:
        """Amounts → coin."""
        return in_coin(levels, 1.0) if self.kind == "inverse" else levels


@lru_cache(maxsize=16_384)
def read(symbol: str) -> Name:
    """What a contract is, by its name; combinations, spreads and strangers are 'other'."""
    perp = _PERP.fullmatch(symbol)
    if perp is not None:
        linear = perp["quote"] is not None
        return Name("linear" if linear else "inverse", perp["base"], linear)
    option = _OPTION.fullmatch(symbol)
    if option is None or option["month"] not in _MONTHS:
        return Name("other", "", linear=False)
    month = _MONTHS.index(option["month"]) + 1
    try:  # 08:00 UTC, as on the other option venues
        expiry = parse_time(f"20{option['year']}-{month:02d}-{int(option['day']):02d}T08:00Z")
    except ValueError:
        return Name("other", "", linear=False)
    strike = float(option["strike"].lower().replace("d", "."))
    if strike == 0.0:
        return Name("other", "", linear=False)
    return Name(
        "option", option["base"], option["quote"] is not None, expiry, strike, option["type"] == "C"
    )
