"""Options as most venues write them: what a name says, and figures that stand for "no quote"."""

import re
from functools import lru_cache
from typing import NamedTuple

from airpocket.domain.units import parse_time
from airpocket.ingest.values import BadValue, nonnegative, number, positive

# What one message speaks for, where a venue spreads an option's state over several (`OptionTick.says`).
QUOTE = ("bid", "bid_size", "ask", "ask_size")
MARK = ("mark",)
INTEREST = ("open_interest",)
GREEKS = ("delta", "gamma", "vega", "theta")
VOLATILITY = ("mark_iv", "bid_iv", "ask_iv")

_NUMERIC = re.compile(r"\d{6}", re.ASCII)  # 250328
_SPOKEN = re.compile(r"(\d{1,2})([A-Z]{3})(\d\d)", re.ASCII)  # 28MAR25
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class OptionName(NamedTuple):
    """base: coin; expiry: 08:00 UTC of its day, ns."""

    base: str
    expiry: int
    strike: float
    call: bool


@lru_cache(maxsize=32_768)
def read_name(symbol: str) -> OptionName:
    """'BTC-240927-25000-P', 'SOL-28APR23-24-C' or 'BTC-27MAR26-80000-C-USDT' → what it is.

    Raises:
        BadValue: it is no such name.
    """
    parts = symbol.split("-")
    quoted = len(parts) == 5 and parts[4] in ("USDT", "USDC")
    if not (len(parts) == 4 or quoted) or parts[3] not in ("C", "P") or not parts[0]:
        raise BadValue(f"option name {symbol[:40]!r}")
    return OptionName(parts[0], expiry_of(parts[1]), positive(parts[2], "strike"), parts[3] == "C")


@lru_cache(maxsize=1_024)
def expiry_of(text: str) -> int:
    """'250328' or '28MAR25' → 08:00 UTC of that day, ns.

    Raises:
        BadValue: no such day.
    """
    spoken = _SPOKEN.fullmatch(text)
    if spoken is not None and spoken[2] in _MONTHS:
        text = f"{spoken[3]}{_MONTHS.index(spoken[2]) + 1:02d}{int(spoken[1]):02d}"
    if not _NUMERIC.fullmatch(text):
        raise BadValue(f"expiry {text[:20]!r}")
    try:
        return parse_time(f"20{text[:2]}-{text[2:4]}-{text[4:]}T08:00Z")
    except ValueError as error:
        raise BadValue(f"expiry {text!r}") from error


def price(text: str, name: str) -> float | None:
    """A price; '' and 0 stand for none.

    Raises:
        BadValue: not a number, or negative.
    """
    return (nonnegative(text, name) or None) if text else None


def volatility(text: str) -> float | None:
    """A volatility as a fraction a year; '', 0 and −1 stand for no quote.

    Raises:
        BadValue: not a number.
    """
    value = number(text, "volatility") if text else 0.0
    return value if value > 0.0 else None


def greek(text: str) -> float | None:
    """A greek; '' is none.

    Raises:
        BadValue: not a number.
    """
    return number(text, "greek") if text else None


def amount(text: str, name: str) -> float | None:
    """A size; '' is not said, 0 is zero.

    Raises:
        BadValue: not a number, or negative.
    """
    return nonnegative(text, name) if text else None
