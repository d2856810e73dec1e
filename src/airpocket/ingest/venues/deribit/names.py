"""Deribit's names of contracts: what they are, and what one unit of size is worth."""

import re
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from airpocket.domain.units import parse_time

ContractKind: TypeAlias = Literal["linear", "inverse", "option", "other"]

_PERP = re.compile(
    r"(?P<base>[A-Z0-9]+)(_(?P<quote>USDC|USDT|USDE))?-(PERPETUAL|\d{1,2}[A-Z]{3}\d\d)"
)
_OPTION = re.compile(
    r"(?P<base>[A-Z0-9]+)(_(?P<quote>USDC|USDT))?-(?P<day>\d{1,2})(?P<month>[A-Z]{3})(?P<year>\d\d)"
    r"-(?P<strike>\d+([dD]\d+)?)-(?P<type>[CP])"
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
    return Name(
        "option", option["base"], option["quote"] is not None, expiry, strike, option["type"] == "C"
    )
