"""Days on which US stock exchanges trade, by rule: when a fund can publish creations at all."""

from datetime import date, timedelta
from functools import cache

from airpocket.domain.units import DAY_NS

# Closures that no rule foresees: a national day of mourning (nyse.com, notice of 2024-12-30).
_CLOSED = (date(2025, 1, 9),)
_EPOCH = date(1970, 1, 1)
_JUNETEENTH_SINCE = 2022


def is_trading_day(time: int) -> bool:
    """Whether US stocks trade on the UTC day of a moment (ns): no weekend and no holiday of the NYSE."""
    return _trades(time // DAY_NS)


@cache
def _trades(number: int) -> bool:
    """Of a day counted from 1970-01-01."""
    day = _EPOCH + timedelta(days=number)
    return day.weekday() < 5 and day not in _CLOSED and day not in _holidays(day.year)


@cache
def _holidays(year: int) -> frozenset[date]:
    """Full closures of a year (NYSE Rule 7.2). A New Year's Day on a Saturday is not made up for."""
    found = {
        _nth(year, 1, 0, 3),  # Martin Luther King
        _nth(year, 2, 0, 3),  # Washington
        _easter(year) - timedelta(days=2),
        _last_monday(year, 5),  # Memorial
        _moved(date(year, 7, 4)),
        _nth(year, 9, 0, 1),  # Labor
        _nth(year, 11, 3, 4),  # Thanksgiving
        _moved(date(year, 12, 25)),
    }
    new_year = date(year, 1, 1)
    if new_year.weekday() != 5:
        found.add(_moved(new_year))
    if year >= _JUNETEENTH_SINCE:
        found.add(_moved(date(year, 6, 19)))
    return frozenset(found)


def _moved(day: date) -> date:
    """A Saturday's holiday is kept on Friday, a Sunday's on Monday."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _last_monday(year: int, month: int) -> date:
    last = date(year, month + 1, 1) - timedelta(days=1)
    return last - timedelta(days=last.weekday())


def _easter(year: int) -> date:
    """Easter Sunday (Gregorian; Meeus, Jones and Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)
