"""Numbers and times as venues write them, read strictly: what is not a plain finite number is refused."""

import math
import re
from datetime import datetime
from typing import Literal, TypeAlias

from airpocket.domain.units import EARLIEST, LATEST, SECOND_NS

StampUnit: TypeAlias = Literal["s", "ms", "us", "ns"]
UNIT_CHANGED = "has the venue changed its unit?"
_PLAIN = re.compile(r"[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_NONZERO = re.compile(r"[+-]?[0.]*[1-9]")  # 1e-400 is no zero, although a float of it is
# No two units make a moment between 2009 and 2100 of the same number.
_UNITS: dict[StampUnit, int] = {"s": SECOND_NS, "ms": 1_000_000, "us": 1_000, "ns": 1}


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


def stamp_ns(value: int, name: str, unit: StampUnit = "ms") -> int:
    """A time since 1970 in the unit that the venue's field has → ns; never guessed by its size.

    Raises:
        BadValue: in that unit no moment between 2009 and 2100; says so where it is one in another unit.
    """
    stamp = value * _UNITS[unit]
    if EARLIEST <= stamp < LATEST:
        return stamp
    for other, length_ns in _UNITS.items():
        if EARLIEST <= value * length_ns < LATEST:
            raise BadValue(f"{name} comes in {other}, not in {unit}: {UNIT_CHANGED}")
    raise BadValue(f"{name} {value} is no time between 2009 and 2100")


_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII
)


def rfc3339_ns(text: str, name: str) -> int:
    """'2026-07-10T00:00:00.123456Z' → ns, exactly: no float in between. A leap second is the next one's start.

    Raises:
        BadValue: not of that form, or no moment between 2009 and 2100.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise BadValue(f"{name} {text[:40]!r} is no time")
    day, clock, fraction, zone = found.groups()
    leap = clock.endswith(":59:60")
    if leap:  # POSIX time has no 61st second; what happens in it is told as of its end
        clock, fraction = f"{clock[:-2]}59", ""
    try:
        whole = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone == 'Z' else zone}")
    except ValueError as error:
        raise BadValue(f"{name} {text[:40]!r} is no time") from error
    nanoseconds = int((fraction or "").ljust(9, "0")) + (int(whole.timestamp()) + leap) * SECOND_NS
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
