"""Numbers and times as venues write them, read strictly: what is not a plain finite number is refused."""

import math
import re
from datetime import datetime

from airpocket.domain.units import EARLIEST, LATEST, SECOND_NS

_PLAIN = re.compile(r"[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_NONZERO = re.compile(r"[+-]?[0.]*[1-9]")  # 1e-400 is no zero, although a float of it is
# Stamps by size: seconds, milliseconds, microseconds, nanoseconds of any year from 2009 to 2100.
_UNITS = (SECOND_NS, 1_000_000, 1_000, 1)


# Nothing a venue writes is beyond these, and their products and quotients stay finite.
_MOST, _LEAST = 1e18, 1e-18


class BadValue(ValueError):
    """A value that no venue means: names what it is."""


def number(text: str | float, name: str) -> float:
    """A finite number, -0 being 0; a string must be plain decimal.

    Raises:
        BadValue: not a number, not finite, beyond ±1e18 or nearer to zero than 1e-18 without being zero, or in
            a form such as '1_000' that only Python reads.
    """
    if isinstance(text, str) and not _PLAIN.fullmatch(text):
        raise BadValue(f"{name} {text[:40]!r} is not a number")
    value = float(text)
    if not math.isfinite(value) or abs(value) > _MOST or 0.0 < abs(value) < _LEAST:
        raise BadValue(f"{name} {str(text)[:40]!r} is out of any range")
    if value == 0.0:
        if isinstance(text, str) and _NONZERO.match(text):
            raise BadValue(f"{name} {text[:40]!r} is out of any range")
        return 0.0
    return value


def positive(text: str | float, name: str) -> float:
    """A number above zero.

    Raises:
        BadValue: it is not.
    """
    value = number(text, name)
    if value <= 0.0:
        raise BadValue(f"{name} must be above zero, not {value:g}")
    return value


def nonnegative(text: str | float, name: str) -> float:
    """A number from zero up.

    Raises:
        BadValue: it is below.
    """
    value = number(text, name)
    if value < 0.0:
        raise BadValue(f"{name} must not be negative, not {value:g}")
    return value


def stamp_ns(value: int, name: str) -> int:
    """A time in seconds, ms, µs or ns since 1970 → ns; which of them is told by its size.

    Raises:
        BadValue: in none of them a moment between 2009 and 2100.
    """
    for unit in _UNITS:
        if EARLIEST <= value * unit < LATEST:
            return value * unit
    raise BadValue(f"{name} {value} is no time between 2009 and 2100")


_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)


def rfc3339_ns(text: str, name: str) -> int:
    """'2026-07-10T00:00:00.123456Z' → ns, exactly: no float in between.

    Raises:
        BadValue: not of that form, or no moment between 2009 and 2100.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise BadValue(f"{name} {text[:40]!r} is no time")
    day, clock, fraction, zone = found.groups()
    try:
        whole = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone == 'Z' else zone}")
    except ValueError as error:
        raise BadValue(f"{name} {text[:40]!r} is no time") from error
    nanoseconds = int((fraction or "").ljust(9, "0")) + int(whole.timestamp()) * SECOND_NS
    if not EARLIEST <= nanoseconds < LATEST:
        raise BadValue(f"{name} {text[:40]!r} is no time between 2009 and 2100")
    return nanoseconds


def decimal_seconds_ns(text: str, name: str) -> int:
    """'1618678117.243818' → ns, exactly.

    Raises:
        BadValue: not plain decimal seconds, or no moment between 2009 and 2100.
    """
    whole, _, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 10) or not (
        (fraction.isascii() and fraction.isdigit() and len(fraction) <= 9) or not fraction
    ):
        raise BadValue(f"{name} {text[:40]!r} is no time")
    nanoseconds = int(whole) * SECOND_NS + int(fraction.ljust(9, "0"))
    if not EARLIEST <= nanoseconds < LATEST:
        raise BadValue(f"{name} {text[:40]!r} is no time between 2009 and 2100")
    return nanoseconds
