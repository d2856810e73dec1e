"""Amounts, shares and times as people type them: 50M, -1.5B, +3 %, 14d."""

import re

from airpocket.domain.errors import BadInput

_SCALES = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9}
_AMOUNT = re.compile(r"([+-]?)\$?(\d+(?:[.,]\d+)?|\.\d+)\s*([KMB]?)N?", re.IGNORECASE)
_SHARE = re.compile(r"([+-]?\d+(?:\.\d+)?|[+-]?\.\d+)\s*%?")


def amount_usd(flag: str, text: str) -> float:
    """'50M' → 50,000,000; a minus sells.

    Raises:
        BadInput: no such amount; names the flag.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or "," in found[2]:
        raise BadInput(f"{flag} {text}: an amount such as 50M, -20M or 1.5B was expected")
    value = float(found[2]) * _SCALES[found[3].upper()]
    return -value if found[1] == "-" else value


def percent(flag: str, text: str, *, low: float, high: float) -> float:
    """'+3%' → 3.0, between `low` and `high`, neither included.

    Raises:
        BadInput: no such share; names the flag.
    """
    found = _SHARE.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{flag} {text}: a percentage such as 3% or -2.5% was expected")
    value = float(found[1])
    if not low < value < high:
        raise BadInput(f"{flag} {text}: must lie between {low:g} and {high:g} %")
    return value


def days(flag: str, text: str, *, low: float, high: float) -> float:
    """'14d' or '36h' → days, from `low` to `high`.

    Raises:
        BadInput: no such length of time; names the flag.
    """
    from airpocket.domain.units import DAY_NS, parse_interval

    try:
        value = parse_interval(text.strip()) / DAY_NS
    except ValueError as error:
        raise BadInput(f"{flag} {text}: {error}") from error
    if not low <= value <= high:
        raise BadInput(f"{flag} {text}: must lie between {low:g} and {high:g} days")
    return value
