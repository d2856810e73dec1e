"""The map as data: what `airpocket map --json` holds, and what its page and picture read."""

from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.brief.model import AtRisk, MapSection
from airpocket.domain.estimates import Estimate
from airpocket.domain.units import PositionSide

SCHEMA = "airpocket.map/1"

Fate: TypeAlias = Literal["new", "grown", "shrunk", "moved", "steady", "traded", "gone"]


class RiskRow(Struct, frozen=True, kw_only=True):
    """Dollars forced out by a move of so much against each side.

    forced: gross; net: after the share believed hedged; exact_percent: of the gross, known from accounts.
    """

    percent: float
    shorts: Estimate
    shorts_net: Estimate
    shorts_exact_percent: float
    longs: Estimate
    longs_net: Estimate
    longs_exact_percent: float


class Rung(Struct, frozen=True, kw_only=True):
    """One step of the ladder: dollars forced out between two prices; exact of them known from accounts."""

    side: PositionSide
    low: float
    high: float
    percent: float  # of its far end, signed
    forced_usd: float
    exact_usd: float


class ClusterMove(Struct, frozen=True, kw_only=True):
    """One cluster then and now; amounts are of the same price range in both.

    fate: traded: price went through it since; gone: its positions left without that.
    """

    side: PositionSide
    fate: Fate
    peak_before: float | None
    peak_now: float | None
    moved_percent: float | None
    before_usd: Estimate
    now_usd: Estimate


class Profile(Struct, frozen=True, kw_only=True):
    """The map of now for the picture: dollars by price between edge[b] and edge[b + 1], and exact of them."""

    edge: list[float]
    forced_usd: list[float]
    exact_usd: list[float]


class RiskChange(Struct, frozen=True, kw_only=True):
    """Dollars at risk within a distance, now less then, each from the price of its own moment."""

    percent: float
    shorts: Estimate
    longs: Estimate


class InterestChange(Struct, frozen=True, kw_only=True):
    """Change of one contract's open interest in coin, %."""

    contract: str
    change: Estimate


class Since(Struct, frozen=True, kw_only=True):
    """What changed since a moment: price, open interest, dollars at risk, what was forced out on the way.

    unknown: why there is no comparison.
    """

    at: str
    unknown: str | None
    price_before: float | None
    price_percent: float | None
    low: float | None
    high: float | None
    interest: list[InterestChange]
    at_risk: list[RiskChange]
    clusters: list[ClusterMove]


class ThinStretch(Struct, frozen=True, kw_only=True):
    """A stretch where the stored orders are less than half as dense as usual."""

    direction: Literal["up", "down"]
    low: float
    high: float
    resting_usd: float
    usual_usd: float
    forced_usd: Estimate


class ClusterCover(Struct, frozen=True, kw_only=True):
    """The book against a cluster; None: the stored orders do not reach so far."""

    side: PositionSide
    peak: float
    distance_percent: float
    forced_usd: Estimate
    on_the_way_usd: float | None
    inside_usd: float | None


class VacuumSection(Struct, frozen=True, kw_only=True):
    """Where little rests; `unknown` says why nothing can be told. reach_percent: how far the orders go."""

    unknown: str | None
    source: str
    up_reach_percent: float | None
    down_reach_percent: float | None
    thin: list[ThinStretch]
    covers: list[ClusterCover]


class StopZone(Struct, frozen=True, kw_only=True):
    """Where stop orders are likely: just beyond a standing swing. No liquidation, and in no other figure.

    side: whose stops; amount_usd: unknown with the reason.
    """

    side: PositionSide
    beyond: float  # quote per coin
    distance_percent: float
    because: str
    amount_usd: Estimate


class MapView(Struct, frozen=True, kw_only=True):
    """The whole answer of `airpocket map`. Keys are stable; `schema` changes when they do."""

    schema: str = SCHEMA
    asset: str
    as_of: str
    simulated: bool
    price: Estimate
    reference: str
    headline: str
    at_risk: AtRisk
    risk: list[RiskRow]
    ladder: list[Rung]
    profile: Profile | None
    map: MapSection
    stops: list[StopZone]
    since: Since
    vacuum: VacuumSection
