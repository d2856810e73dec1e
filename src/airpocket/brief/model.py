"""The brief as data: what the JSON holds, and what every rendering reads."""

from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.estimates import Estimate
from airpocket.domain.tells import Graded, Reading, Tell
from airpocket.levels.roadmap import Roadmap

SCHEMA = "airpocket.brief/1"

Chart: TypeAlias = list[float | None]


class ChannelHealth(Struct, frozen=True, kw_only=True):
    """One data channel: what it held at the as-of time, and what is wrong with it."""

    venue: str
    symbol: str
    kind: str
    state: Literal["ok", "stale", "gap"]
    rows: int
    first: str
    last: str
    age_s: float
    gaps_30d: int
    longest_gap_h: float
    reason: str
    sources: list[str]


class Health(Struct, frozen=True, kw_only=True):
    """Which data stand behind the brief; `missing` names inputs it would want and did not have."""

    simulated: bool
    channels: list[ChannelHealth]
    missing: list[str]


class PriceSection(Struct, frozen=True, kw_only=True):
    """The price and how it has been moving; `chart` is the last days of closes for the picture."""

    reference: str  # the contract quoted: venue:symbol
    last: Estimate
    tells: list[Tell]
    by_venue: dict[str, Estimate]
    chart_ts: list[int]  # ns, bar closes
    chart_close: Chart
    chart_interest: Chart  # OI in coin at the same moments, None where not known
    chart_funding: Chart  # reference venue's 8 h rate in force, fraction


class RiskBand(Struct, frozen=True, kw_only=True):
    """Dollars forced out within a distance of the price."""

    within_percent: float
    forced_usd: Estimate


class AtRisk(Struct, frozen=True, kw_only=True):
    """The headline: whose positions are at risk up to where."""

    headline: str
    shorts: list[RiskBand]
    longs: list[RiskBand]
    hedged_share: Estimate


class Verdict(Struct, frozen=True, kw_only=True):
    """The state machine's word: quiet, armed, ignition, squeeze on, exhaustion, retrace; or unknown."""

    state: str
    because: list[str]
    would_change: list[str]


class Section(Struct, frozen=True, kw_only=True):
    """A section that readings fill; `unknown` says why when there is nothing to show."""

    unknown: str | None
    readings: list[Reading]


class Side(Struct, frozen=True, kw_only=True):
    """What the brief says to one side of the market, without knowing the reader's position."""

    unknown: str | None
    readings: list[Reading]
    rules: list[str]


class Record(Struct, frozen=True, kw_only=True):
    """How earlier claims of each kind did; `not yet evaluated` until they have been."""

    summary: str
    entries: list[str]


class Brief(Struct, frozen=True, kw_only=True):
    """The whole brief. Keys are stable; `schema` changes when they do."""

    schema: str = SCHEMA
    asset: str
    as_of: str
    answer: str
    price: PriceSection
    health: Health
    at_risk: AtRisk
    triggers: list[Graded]  # the four of M6
    verdict: Verdict
    regimes: list[Reading]
    clusters: list[Graded]  # the three of M10
    map: Section
    cascade: Section
    flows: list[Graded]  # the four of M19
    roadmap: Roadmap
    shorts: Side
    longs: Side
    record: Record
