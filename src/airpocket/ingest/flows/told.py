"""What a source said of slow series, before anyone compared it with what it said earlier."""

from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import msgspec

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.flows import series_named
from airpocket.domain.units import DAY_NS, day_of

T = TypeVar("T")


class Observation(NamedTuple):
    """One figure: which series of which coin, and the day it is about (ns).

    published: when by the publisher's word; seen: since when it could be known here, None for now.
    """

    symbol: str
    series: str
    event: int
    value: float
    unit: str
    published: int | None = None
    seen: int | None = None


class Transfer(NamedTuple):
    """One large transfer; size in coin or tokens."""

    symbol: str
    tx: str
    time: int
    size: float
    notional_usd: float | None
    origin: str
    target: str


class Level(NamedTuple):
    """One closed bar of a volatility index, per cent a year."""

    symbol: str
    time: int
    open: float
    high: float
    low: float
    close: float


@dataclass(frozen=True, slots=True)
class Told:
    """All of one answer, and in words what of it was left out."""

    observations: tuple[Observation, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    levels: tuple[Level, ...] = ()
    notes: tuple[str, ...] = field(default=())


def decoded(source: str, body: bytes, shape: type[T]) -> T:
    """A JSON answer in the shape that the source documents.

    Raises:
        UndecodableFrame: HTML or other text instead, or another shape; names the source and what it got.
    """
    start = body.lstrip()[:200].lower()
    if start.startswith(b"<"):
        raise UndecodableFrame(f"{source}: an HTML page instead of data: blocked, moved, or down")
    try:
        return msgspec.json.decode(body, type=shape, strict=False)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise UndecodableFrame(f"{source}: not the documented shape: {error}") from error


def whole_days(observations: list[Observation], now: int) -> tuple[list[Observation], list[str]]:
    """Without figures of a day that is not over: they still change, and nobody should take one for a day's."""
    kept = [each for each in observations if each.event + DAY_NS <= now]
    running = {day_of(each.event) for each in observations if each.event + DAY_NS > now}
    notes = [f"{day}: the day is not over, left out" for day in sorted(running)]
    return kept, notes


def plausible(source: str, observations: list[Observation]) -> tuple[list[Observation], list[str]]:
    """Without figures that can't be: a supply below zero is left out and named.

    Raises:
        UndecodableFrame: a figure so large that the unit must be another, or a series or unit nobody knows.
    """
    kept: list[Observation] = []
    notes: list[str] = []
    for each in observations:
        known = series_named(each.series)
        if known is None or each.unit not in known.units:
            raise UndecodableFrame(
                f"{source}: {each.series} in {each.unit} is no series of airpocket's"
            )
        said = f"{each.symbol} {each.series} on {day_of(each.event)}"
        if abs(each.value) > known.most:
            raise UndecodableFrame(
                f"{source}: {said} is {each.value:,.4g} {each.unit}:"
                " has the source changed its unit? nothing of this answer was kept"
            )
        if each.value < 0.0 and not known.negative:
            notes.append(f"{said}: {each.value:,.4g} is below zero, left out")
        else:
            kept.append(each)
    return kept, notes
