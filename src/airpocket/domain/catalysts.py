"""Scheduled events that may move a market: when, what kind, how sure, and from when they were known."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.units import DAY_NS, SECOND_NS, format_time

_EXPIRY_HOUR = (
    8  # UTC; Deribit's month ends on its last Friday (Deribit, contract introduction policy)
)

CatalystKind: TypeAlias = Literal["macro", "regulatory", "network", "expiry", "other"]
Confidence: TypeAlias = Literal["certain", "likely", "rumoured"]


class Catalyst(Struct, frozen=True, kw_only=True):
    """One event at `time` (ns); nobody could act on it before `known_from` (ns)."""

    time: int
    known_from: int
    kind: CatalystKind
    name: str
    confidence: Confidence

    def __post_init__(self) -> None:
        if self.known_from > self.time:
            raise ValueError(
                f"known_from {format_time(self.known_from)} is after the event itself, "
                f"{format_time(self.time)}"
            )


def ahead(catalysts: Iterable[Catalyst], now: int, within_ns: int) -> list[Catalyst]:
    """Events in (now, now + within_ns] that were known at `now`, the next first."""
    coming = [c for c in catalysts if c.known_from <= now < c.time <= now + within_ns]
    return sorted(coming, key=lambda c: (c.time, c.name))


def option_expiries(now: int, within_ns: int) -> list[Catalyst]:
    """Month-end expiries of Deribit's options in (now, now + within_ns]: by rule, so known a year ahead."""
    day = datetime.fromtimestamp(now // SECOND_NS, UTC).date()
    found: list[Catalyst] = []
    year, month = day.year, day.month
    for _ in range(within_ns // (28 * DAY_NS) + 2):
        following = date(year + month // 12, month % 12 + 1, 1)
        last = following - timedelta(days=1)
        friday = last - timedelta(days=(last.weekday() - 4) % 7)
        at = datetime(friday.year, friday.month, friday.day, _EXPIRY_HOUR, tzinfo=UTC)
        time = int(at.timestamp()) * SECOND_NS
        span = "quarterly" if month % 3 == 0 else "monthly"
        if now < time <= now + within_ns:
            found.append(
                Catalyst(time=time, known_from=time - 365 * DAY_NS, kind="expiry", confidence="certain",
                         name=f"Deribit {span} options expiry")
            )  # fmt: skip
        year, month = following.year, following.month
    return found
