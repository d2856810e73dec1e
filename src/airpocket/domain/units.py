"""Time, sides and plain units: the words for quantities, and the one way to read and write them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal, NewType, TypeAlias

TimeNs = NewType("TimeNs", int)  # nanoseconds since 1970-01-01T00:00Z

Side: TypeAlias = Literal["buy", "sell"]
PositionSide: TypeAlias = Literal["long", "short"]

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
YEAR_NS = 365 * DAY_NS

EARLIEST = TimeNs(1_230_768_000 * SECOND_NS)  # 2009-01-01: no coin was traded before it
LATEST = TimeNs(4_102_444_800 * SECOND_NS)  # 2100-01-01

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTERVAL = re.compile(r"([1-9]\d{0,4})(s|m|h|d|w)")
_UNIT_NS = {"s": SECOND_NS, "m": MINUTE_NS, "h": HOUR_NS, "d": DAY_NS, "w": 7 * DAY_NS}


def forced_side_of(position: PositionSide) -> Side:
    """The market order that closes a liquidated position: a short is bought back, a long is sold."""
    return "buy" if position == "short" else "sell"


def parse_time(text: str) -> TimeNs:
    """ISO 8601 with an explicit zone → nanoseconds; a time without a zone is refused.

    >>> parse_time("2025-10-10T20:00Z")
    1760126400000000000

    Raises:
        ValueError: not ISO 8601, no zone, or outside 2009–2100.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time; write it like 2025-10-10T20:00Z") from error
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it like 2025-10-10T20:00Z")
    # timedelta keeps whole microseconds; float timestamps would not
    time = TimeNs((moment - _EPOCH) // timedelta(microseconds=1) * 1_000)
    if not EARLIEST <= time < LATEST:
        raise ValueError(f"{text!r} is outside 2009–2100")
    return time


def format_time(time: int) -> str:
    """Nanoseconds → ISO 8601 in UTC, to the second, or as fine as the value needs (µs).

    >>> format_time(1760126400000000000)
    '2025-10-10T20:00:00Z'
    """
    moment = _EPOCH + timedelta(microseconds=time // 1_000)
    return moment.isoformat().replace("+00:00", "Z")


def day_of(time: int) -> str:
    """The UTC day a time falls in, as YYYY-MM-DD."""
    return format_time(time)[:10]


def parse_interval(text: str) -> int:
    """'1m', '15m', '1h', '8h', '1d' → nanoseconds.

    Raises:
        ValueError: not a whole number of s, m, h, d or w.
    """
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an interval; write 1m, 15m, 1h, 8h or 1d")
    return int(match[1]) * _UNIT_NS[match[2]]


def format_interval(interval_ns: int) -> str:
    """Nanoseconds → the shortest exact name: 3600e9 → '1h'."""
    for name in ("d", "h", "m", "s"):
        if interval_ns % _UNIT_NS[name] == 0:
            return f"{interval_ns // _UNIT_NS[name]}{name}"
    return f"{interval_ns}ns"
