"""The brief as data: what the JSON holds, and what every rendering reads."""

from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.brief.fuel_model import ForcedSum
from airpocket.domain.estimates import Estimate
from airpocket.domain.tells import Graded, Reading, Tell
from airpocket.domain.units import PositionSide
from airpocket.levels.roadmap import Roadmap
from airpocket.playbook.records import Cap, StepState
from airpocket.signals.driver_records import DriverTable
from airpocket.verdict.records import Verdict

SCHEMA = "airpocket.brief/5"

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
    # the bars that end at chart_ts; empty in briefs written before they were told
    chart_open: Chart = []
    chart_high: Chart = []
    chart_low: Chart = []
    chart_forced: list[ForcedSum] = []  # by the hour, every contract by itself
    chart_forced_unknown: str | None = "told by no brief of this age"


class RiskBand(Struct, frozen=True, kw_only=True):
    """Dollars forced out within a distance of the price; exact_percent of them are known from accounts."""

    within_percent: float
    forced_usd: Estimate
    exact_percent: float = 0.0


class AtRisk(Struct, frozen=True, kw_only=True):
    """The headline: whose positions are at risk up to where."""

    headline: str
    shorts: list[RiskBand]
    longs: list[RiskBand]
    hedged_shorts: Estimate  # %, the share believed offset elsewhere; amounts are gross of it
    hedged_longs: Estimate


class ClusterRow(Struct, frozen=True, kw_only=True):
    """One cluster of the map; share_percent is of all that side's mapped notional.

    exact_percent: the share of its amount that is known from accounts.
    """

    side: PositionSide
    low: float
    high: float
    peak: float
    distance_percent: float
    forced_usd: Estimate
    share_percent: float
    exact_percent: float = 0.0


class AccountsRow(Struct, frozen=True, kw_only=True):
    """What public accounts tell of one contract, or loans of one protocol.

    covered: the share of open interest that they hold, by side. endless: the share of what they hold that has no
    liquidation price. stale: accounts too old to count; as_told: positions whose rule was not reproduced.
    """

    contract: str
    kind: Literal["perpetual", "loans"]
    accounts: int
    shorts_covered: Estimate
    longs_covered: Estimate
    shorts_endless: Estimate
    longs_endless: Estimate
    median_age_s: float
    oldest: str
    stale: int
    as_told: int


class MapSource(Struct, frozen=True, kw_only=True):
    """One contract behind the map and what had to be assumed for it."""

    contract: str
    interest_coin: Estimate
    bars: int
    assumed: list[str]


class HeatGrid(Struct, frozen=True, kw_only=True):
    """The map through time for the picture: forced[t][b] in coin between edge[b] and edge[b + 1].

    Above close[t] the positions are shorts, below it longs. exact_percent[t]: what accounts known then held of that
    hour's column; the rest is modelled.
    """

    ts: list[int]  # ns
    close: list[float]
    edge: list[float]
    forced: list[list[float]]
    exact_percent: list[float] = []  # empty in briefs written before it was told


class MapSection(Struct, frozen=True, kw_only=True):
    """The liquidation map: its clusters, what it was made of, and the picture."""

    unknown: str | None
    clusters: list[ClusterRow]
    sources: list[MapSource]
    notes: list[str]
    heat: HeatGrid | None
    accounts: list[AccountsRow] = []


class Cost(Struct, frozen=True, kw_only=True):
    """What an outside push must exceed to trade beyond a distance."""

    percent: float  # signed
    ignition_usd: Estimate
    patient_usd: Estimate  # the same against the square-root law alone: worked over about a day


class PocketRow(Struct, frozen=True, kw_only=True):
    """A push just above push_usd carries price at once from one distance to the other (signed %)."""

    push_usd: float
    start_percent: float
    stop_percent: float
    forced_usd: float
    inside_grid: bool


class StopRow(Struct, frozen=True, kw_only=True):
    """Where one push ends; inside_grid is False when nothing on the grid stops it."""

    push_usd: float
    reached_percent: Estimate
    amplification: Estimate
    inside_grid: bool


class Way(Struct, frozen=True, kw_only=True):
    """One direction of the fuel scan."""

    direction: Literal["up", "down"]
    absorbed_by: str
    costs: list[Cost]
    pockets: list[PocketRow]
    stops: list[StopRow]
    fast: Estimate
    slow: Estimate
    overshoot: Estimate


class Redraw(Struct, frozen=True, kw_only=True):
    """The glide path once the nearest cluster one way has gone off and price stands beyond it."""

    direction: Literal["up", "down"]
    price: float
    spent_usd: Estimate
    easier: str
    glide: Estimate


class ReachChance(Struct, frozen=True, kw_only=True):
    """Chance, 0 to 1, that price gets so far, and the standard error of simulating it."""

    percent: float
    chance: float
    error: float


class PathSpread(Struct, frozen=True, kw_only=True):
    """Quantiles 10, 50 and 90 % over the paths, the mean, and the standard error of simulating the mean."""

    low: float
    middle: float
    high: float
    mean: float
    error: float


class PushRow(Struct, frozen=True, kw_only=True):
    """One push on many paths; the first row of a way is nobody pushing.

    Distances are per cent of the price, positive in the way's direction. share_percent: of a day's volume.
    beyond: the chance that price leaves what map and book tell of; there it counts as stopped. stop: the
    furthest point. overshoot_points: by how much that lies beyond the end, and retrace_percent: its share, both of
    the paths that stayed within map and book, None where hardly any did. off_book_percent: of what is forced.
    """

    share_percent: float
    push_usd: float
    reach: list[ReachChance]
    beyond: ReachChance
    stop: PathSpread
    overshoot_points: PathSpread | None
    retrace_percent: PathSpread | None
    forced_usd: PathSpread
    off_book_percent: float | None
    stop_s: PathSpread


class PhasePoint(Struct, frozen=True, kw_only=True):
    """R over the per cent that begins so far from the price."""

    percent: float
    reproduction: float


class PushWay(Struct, frozen=True, kw_only=True):
    """One way of the standard pushes. likely_percent: of the priors' paths, kept because nothing happens on them
    while nobody pushes. growth: the R from which a burst speeds up; runaway: from which nothing turns it.

    pocket_squeeze: S over the first per cent of the nearest pocket. fan: by moment, quantiles 10, 25, 50, 75 and
    90 % of the signed displacement in per cent after a push of drawn_usd.
    """

    direction: Literal["up", "down"]
    likely_percent: float
    reproduction: Estimate
    kappa_tau: Estimate
    growth: float
    runaway: float
    squeeze: Estimate
    pocket_squeeze: Estimate
    along: list[PhasePoint]
    pushes: list[PushRow]
    drawn_usd: float
    fan: list[list[float]]


class PushSection(Struct, frozen=True, kw_only=True):
    """What shares of a day's volume do when bought or sold within push_s, followed for within_s."""

    unknown: str | None
    push_s: float
    within_s: float
    paths: int
    seed: int
    fan_s: list[float]
    ways: list[PushWay]
    notes: list[str]


class CascadeSection(Struct, frozen=True, kw_only=True):
    """What a push costs each way, which way is easier, and what standard pushes come to."""

    unknown: str | None
    easier: str
    glide: Estimate
    runaway: Estimate
    ways: list[Way]
    redrawn: list[Redraw]
    notes: list[str]
    pushes: PushSection


class SideStep(Struct, frozen=True, kw_only=True):
    """One step of a play in words; its figures are in the plan of a position."""

    title: str
    state: StepState
    when: str
    do: str
    because: list[str]
    refs: list[str]


class Side(Struct, frozen=True, kw_only=True):
    """What the brief says to one side of the market, without knowing the reader's position.

    The steps and caps are those of a model position, described in `model`; `unknown` says why there are
    none. zones: the nearest prices that would hurt this side, in sentences.
    """

    unknown: str | None
    model: str
    answer: str
    readings: list[Reading]
    steps: list[SideStep]
    caps: list[Cap]
    zones: list[str]
    notes: list[str]


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
    map: MapSection
    cascade: CascadeSection
    flows: list[Graded]  # the four of M19
    drivers: DriverTable | None = None  # all slow drivers; None in briefs older than the table
    roadmap: Roadmap
    shorts: Side
    longs: Side
    record: Record
