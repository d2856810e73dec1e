"""Scheduled events that may move a market: when, what kind, how sure, and from when they were known."""

from collections.abc import Iterable
from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.units import format_time

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
