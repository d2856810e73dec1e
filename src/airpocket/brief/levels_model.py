"""What `airpocket levels` tells: the roadmap, what it rests on, and the candles and averages of its picture."""

from msgspec import Struct

from airpocket.domain.estimates import Estimate
from airpocket.levels.roadmap import Roadmap

SCHEMA = "airpocket.levels/1"


class Candles(Struct, frozen=True, kw_only=True):
    """Closed four-hour bars, oldest first: opens (ns) and prices in quote per coin, all of one length."""

    chart_ts: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]


class Average(Struct, frozen=True, kw_only=True):
    """A daily average through time: when each value was known (ns), quote per coin."""

    name: str
    chart_ts: list[int]
    value: list[float]


class LevelsView(Struct, frozen=True, kw_only=True):
    """The whole answer of `airpocket levels`. Keys are stable; `schema` changes when they do.

    learned_from: the history that weights and records come from.
    """

    schema: str = SCHEMA
    asset: str
    as_of: str
    simulated: bool
    price: Estimate
    reference: str
    headline: str
    roadmap: Roadmap
    learned_from: str
    candles: Candles
    averages: list[Average]
