"""The driver table as data: each slow driver with its three times, its score, and what followed it before."""

from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.estimates import Estimate

DriverStanding: TypeAlias = Literal["current", "late", "stale", "none"]

NO_HISTORY = "no history yet"


class Relation(Struct, frozen=True, kw_only=True):
    """What followed a driver's high and low readings within some days, against all other days.

    High: at least 1 sd above its own past year as known at the time; low: as far below. Differences in mean
    return (points of per cent) and in the share of windows with a move of forced size (points), each with a 95 %
    interval by a stationary block bootstrap. days: readings that could be judged.
    """

    horizon_days: int
    days: int
    high_days: int
    low_days: int
    after_high: Estimate
    after_low: Estimate
    rises_after_high: Estimate
    falls_after_high: Estimate
    rises_after_low: Estimate
    falls_after_low: Estimate


class DriverRow(Struct, frozen=True, kw_only=True):
    """One driver. event: the day its newest figure is about; published: by the publisher's own word, where it
    says; first_seen: since when the figure could be known here. revised: figures of the past that changed later.
    parts: by fund or exchange. history: the newest figures for the picture, None where none was told.
    """

    id: str
    title: str
    implication: str
    state: str
    because: str
    label: str
    signal: Estimate
    score: Estimate
    event: str | None
    published: str | None
    first_seen: str | None
    standing: DriverStanding
    source: str
    revised: int
    relation: Relation | None
    record: str
    refs: list[str]
    parts: dict[str, Estimate]
    history_unit: str
    history_ts: list[int]
    history: list[float | None]


class CatalystRow(Struct, frozen=True, kw_only=True):
    """One scheduled event ahead."""

    time: str
    hours: float
    kind: str
    name: str
    confidence: str
    known_from: str


class DriverTable(Struct, frozen=True, kw_only=True):
    """Every driver, the one whose change would flip the hinge's reading, and what is scheduled."""

    rows: list[DriverRow]
    turns: str | None  # the driver's id
    turning: str  # the sentence
    needed: Estimate  # by how much it would have to change
    catalysts: list[CatalystRow]
    notes: list[str]
