"""A look at a venue without history of one's own: what to ask for a contract, and facts out of the answers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import msgspec

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.events import Bar, Event, Funding, OpenInterest
from airpocket.domain.units import EARLIEST, HOUR_NS, LATEST, SECOND_NS
from airpocket.ingest.feed import Poll
from airpocket.ingest.values import BadValue, nonnegative, number, positive

ROWS = msgspec.json.Decoder(list[list[str | int | float | None]])
_KNOWN_HOURS = (1, 2, 4, 8)  # settlement intervals that venues use

Read: TypeAlias = Callable[[bytes, int], list[Event]]


@dataclass(frozen=True, slots=True)
class Question:
    """One question and how its answer reads as facts; `read` None: the venue's decoder knows it."""

    poll: Poll
    read: Read | None = None


class Row:
    """One row of a table of bars, its fields by number."""

    def __init__(self, values: Sequence[object], name: str) -> None:
        self._values, self._name = values, name

    def text(self, at: int) -> str | float:
        """A field as it was written.

        Raises:
            BadValue: the row has no such field, or it holds neither text nor a number.
        """
        if at >= len(self._values):
            raise BadValue(f"{self._name}: a row of {len(self._values)} fields")
        value = self._values[at]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise BadValue(f"{self._name}: field {at} holds {str(value)[:40]!r}")
        return value

    def stamp_ms(self, at: int) -> int:
        """A time in ms → ns.

        Raises:
            BadValue: no moment between 2009 and 2100.
        """
        nanoseconds = round(number(self.text(at), "time")) * 1_000_000
        if not EARLIEST <= nanoseconds < LATEST:
            raise BadValue(f"{self._name}: {self._values[at]!r} is no time in ms")
        return nanoseconds


def hour_bar(
    venue: str, symbol: str, ts: int, prices: Iterable[str | float], volumes: Sequence[float | None]
) -> Bar:
    """An hourly bar; `volumes`: coin, dollars, coin bought by takers. Usable once it is closed."""
    opened, high, low, close = (positive(price, "bar price") for price in prices)
    return Bar(
        venue=venue, symbol=symbol, ts=ts, usable_from=ts + HOUR_NS, interval_ns=HOUR_NS, open=opened,
        high=high, low=low, close=close, volume=volumes[0], volume_usd=volumes[1], taker_buy=volumes[2],
    )  # fmt: skip


def closed(bars: Iterable[Bar], heard: int) -> list[Event]:
    """The bars that are over, oldest first."""
    return sorted((bar for bar in bars if bar.usable_from <= heard), key=lambda bar: bar.ts)


def settlements(
    venue: str,
    symbol: str,
    rates: Iterable[tuple[int, str | float]],
    fixed_hours: int | None = None,
) -> list[Event]:
    """Settled funding from (ns, rate), oldest first; the interval is the spacing of the settlements.

    The first has no spacing and is left out; a spacing no venue uses is a hole, and takes the usual one.
    """
    ordered = sorted((ts - ts % SECOND_NS, rate) for ts, rate in rates)
    hours = [round((b[0] - a[0]) / HOUR_NS) for a, b in pairwise(ordered)]
    known = [each for each in hours if each in _KNOWN_HOURS]
    found: list[Event] = []
    for (ts, rate), spacing in zip(ordered[1:], hours, strict=True):
        usual = max(set(known), key=known.count) if known else None
        interval = fixed_hours or (spacing if spacing in _KNOWN_HOURS else usual)
        if interval is not None:
            found.append(
                Funding(venue=venue, symbol=symbol, ts=ts, usable_from=ts,
                        rate=number(rate, "funding rate"), interval_s=interval * 3_600)
            )  # fmt: skip
    return found


def interest(venue: str, symbol: str, ts: int, amount: str | float, unit: str) -> OpenInterest:
    """One observation of open interest."""
    return OpenInterest(venue=venue, symbol=symbol, ts=ts, usable_from=ts,
                        amount=nonnegative(amount, "open interest"), unit=unit)  # fmt: skip


def read_safely(read: Read, body: bytes, heard: int) -> list[Event]:
    """What `read` makes of an answer.

    Raises:
        UndecodableFrame: the answer is of another shape, or holds an impossible value.
    """
    try:
        return read(body, heard)
    except (msgspec.DecodeError, UnicodeDecodeError, BadValue, RecursionError) as error:
        raise UndecodableFrame(str(error)) from error
