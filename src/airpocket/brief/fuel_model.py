"""Forced dollars against what rests, and what was forced lately, as data for the page's pictures."""

from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.units import PositionSide

SCHEMA = "airpocket.fuel/1"

Values: TypeAlias = list[float | None]


class FuelWay(Struct, frozen=True, kw_only=True):
    """Cumulative dollars from the price one way, all lists equally long.

    percent: signed distance. forced_usd with low_usd and high_usd: gross of hedges, as the map has it. resting_usd:
    stored orders alone, None beyond measured_to_percent. absorbed_usd: with what is modelled to rest beyond.
    """

    direction: Literal["up", "down"]
    percent: list[float]
    forced_usd: list[float]
    low_usd: list[float]
    high_usd: list[float]
    resting_usd: Values
    absorbed_usd: list[float]
    measured_to_percent: float
    absorbed_by: str


class ForcedSum(Struct, frozen=True, kw_only=True):
    """Liquidations of one contract and side that its venue told within five minutes; in a brief within the hour.

    open_s: seconds since 1970. side: whose positions were closed. price: mean, weighted by dollars. at_least: a
    venue told only some.
    """

    open_s: int
    side: PositionSide
    price: float
    notional_usd: float
    count: int
    at_least: bool


class FuelView(Struct, frozen=True, kw_only=True):
    """Both ways and the prints of two weeks. Keys are stable; `schema` changes when they do.

    unknown: why there is nothing to hold against one another. prints_unknown: why there are no prints.
    """

    schema: str = SCHEMA
    asset: str
    as_of: str
    simulated: bool
    price: float | None
    unknown: str | None
    ways: list[FuelWay]
    prints: list[ForcedSum]
    prints_unknown: str | None
