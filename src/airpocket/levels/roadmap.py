"""The roadmap's records: levels, the zones they merge into, confirmation rules and their live status."""

from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.estimates import Estimate
from airpocket.domain.tells import NOT_EVALUATED

Bias: TypeAlias = Literal["support", "resistance", "pivot"]
LevelKind: TypeAlias = Literal[
    "swing_high", "swing_low", "ema_20d", "ema_21d", "ema_50d", "fibonacci", "volume_node",
    "low_volume_node", "value_area", "point_of_control", "round_number", "all_time_high",
    "cycle_high", "range_high", "range_low", "anchored_vwap", "breakout_retest", "supply_block",
    "demand_block", "spot_demand", "liquidation_wall", "option_gravity",
]  # fmt: skip


# Both sides of a thing are one thing to the evidence, and averages over 20 and 21 days are the same.
_ALIKE: dict[LevelKind, str] = {
    "swing_high": "swing", "swing_low": "swing", "range_high": "range_edge", "range_low": "range_edge",
    "supply_block": "block", "demand_block": "block", "ema_21d": "ema_20d", "all_time_high": "record_high",
    "cycle_high": "record_high",
}  # fmt: skip


class Level(Struct, frozen=True, kw_only=True):
    """One price with a reason: known from `confirmed_at` on, about something at `formed_at` (ns).

    `price` in quote per coin. `standing` is False once price has traded through a swing since it formed, or has
    come back to a block or a breakout. `far`: the far end of what is a band, price comes to `price` first. `sort`:
    which of its kind it is (a scale, a ratio).
    `prominence`: how loudly it asks to be named, a judgement. `weight`: what its kind has been worth in the past:
    log-odds of holding against a placebo's (below zero: it gives way more often), 0 where no skill was found.
    """

    price: float
    kind: LevelKind
    label: str
    formed_at: int
    confirmed_at: int
    prominence: float
    weight: float = 0.0
    standing: bool = True
    far: float | None = None
    sort: str = ""

    @property
    def key(self) -> str:
        """What the evidence counts it under: its kind, both sides alike, and whether price has been back."""
        name = _ALIKE.get(self.kind, self.kind)
        return name if self.standing else f"{name} seen"


Found: TypeAlias = tuple[list[Level], list[str]]  # levels, and in sentences what could not be had


ZoneState: TypeAlias = Literal["untouched", "inside", "tested", "broken", "reclaimed", "retested"]


class Change(Struct, frozen=True, kw_only=True):
    """When (ns) a zone came into a state."""

    came_at: int
    state: ZoneState


class Track(Struct, frozen=True, kw_only=True):
    """Where a zone stands after the closed four-hour bars of up to 90 days.

    state: `untouched`; `inside` (price was in it from the first bar on); `tested` (met, closed out where it came
    from); `broken` (closed beyond); `reclaimed` (closed back beyond); `retested` (tested after either).
    state_since: ns; for `untouched`, from when on it was watched. tests: visits that closed out where they came
    from.
    """

    state: ZoneState
    state_since: int
    tests: int
    changes: list[Change]


class Zone(Struct, frozen=True, kw_only=True):
    """Levels close together: a price band with a bias seen from the present price.

    `role` names its place on the roadmap: immediate_support, major_support, support_2, …, pivot,
    resistance_1, …, squeeze_zone, discovery_trigger. `strength` sums the weights of its levels, one of a kind:
    log-odds of holding against any other price, below zero where it gives way more often. `prominence` sums
    theirs: what made the zone, not what it is worth. `record`: how such levels did before. `track`: what
    four-hour closes have done to it. `distance_percent` is from price to the zone's nearer edge, signed.
    """

    low: float
    high: float
    bias: Bias
    role: str
    strength: float
    distance_percent: float
    confluence: list[Level]
    record: str = NOT_EVALUATED
    prominence: float = 0.0
    track: Track | None = None


class Rule(Struct, frozen=True, kw_only=True):
    """A confirmation rule with its live status for one zone.

    status: waiting (not met), met, or unknown (an input is missing; `because` names it).
    """

    id: str
    text: str
    zone_low: float
    zone_high: float
    status: Literal["waiting", "met", "unknown"]
    because: list[str]
    implication: str
    record: str = NOT_EVALUATED


class VolumeProfile(Struct, frozen=True, kw_only=True):
    """Where volume traded over a window: value area (70 %), point of control, high- and low-volume nodes."""

    window: str
    point_of_control: Estimate
    value_area_low: Estimate
    value_area_high: Estimate
    high_volume_nodes: list[float]
    low_volume_nodes: list[float]
    acceptance: str
    prices: list[float]  # (bins,) bin centres, quote per coin
    volume: list[float]  # (bins,) coin


class Roadmap(Struct, frozen=True, kw_only=True):
    """All zones around the present price, the rules that confirm or break them, and the profile.

    `missing` names level sources that could not be had, each with the reason.
    """

    zones: list[Zone]
    rules: list[Rule]
    profile: VolumeProfile | None
    averages: dict[str, Estimate]
    missing: list[str]
