"""The roadmap's records: levels, the zones they merge into, confirmation rules and their live status."""

from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.estimates import Estimate
from airpocket.domain.tells import NOT_EVALUATED

Bias: TypeAlias = Literal["support", "resistance", "pivot"]
LevelKind: TypeAlias = Literal[
    "swing_high", "swing_low", "ema_20d", "ema_21d", "ema_50d", "fibonacci", "volume_node",
    "low_volume_node", "value_area", "point_of_control", "round_number", "all_time_high",
    "cycle_high", "range_high", "range_low", "anchored_vwap",
]  # fmt: skip


class Level(Struct, frozen=True, kw_only=True):
    """One price with a reason: known from `confirmed_at` on, about something at `formed_at` (ns).

    `price` in quote per coin. `standing` is False once price has traded through a swing since it formed.
    """

    price: float
    kind: LevelKind
    label: str
    formed_at: int
    confirmed_at: int
    weight: float
    standing: bool = True


Found: TypeAlias = tuple[list[Level], list[str]]  # levels, and in sentences what could not be had


class Zone(Struct, frozen=True, kw_only=True):
    """Levels close together: a price band with a bias seen from the present price.

    `role` names its place on the roadmap: immediate_support, major_support, support_2, …, pivot,
    resistance_1, …, squeeze_zone, discovery_trigger. `strength` is the summed weight of its levels:
    a count of reasons, not a probability. `distance_percent` is from price to the zone's nearer edge,
    signed.
    """

    low: float
    high: float
    bias: Bias
    role: str
    strength: float
    distance_percent: float
    confluence: list[Level]
    record: str = NOT_EVALUATED


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
