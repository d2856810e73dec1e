"""The world file: what a market is made of and what happens in it, read strictly from TOML.

Every key carries its unit. A scenario file names its `base` and states only what differs.
"""

import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, cast

import msgspec
from msgspec import Meta, Struct

from airpocket.domain.errors import BadInput
from airpocket.domain.units import parse_time
from airpocket.lab.surface import SurfaceSettings

Positive: TypeAlias = Annotated[float, Meta(gt=0.0, le=1e12)]
NotNegative: TypeAlias = Annotated[float, Meta(ge=0.0, le=1e12)]
Share: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=100_000)]
Some: TypeAlias = Annotated[int, Meta(ge=1, le=100_000)]
Bps: TypeAlias = Annotated[float, Meta(ge=0.0, le=2_000.0)]
FeeBps: TypeAlias = Annotated[float, Meta(ge=-10.0, le=500.0)]
Name: TypeAlias = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,30}$")]


class _Strict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Makers(_Strict, frozen=True, kw_only=True):
    """Market makers of one venue; money is all of them together, `depth_usd_m` a side within 1 %."""

    count: Some
    depth_usd_m: Positive
    half_spread_bps: Positive
    wake_ms: Positive
    learn: Share  # of the move that an order makes in a full book, how much is taken for news
    link: Share  # weight of the reference book
    reference: str  # a venue's name, "" without one
    refill: Annotated[float, Meta(gt=0.0, le=1.0)]  # of a quote's full size, a look
    pull_back: NotNegative  # η of science §3.4
    pull_floor: Share  # of the full size, shown however far price runs
    skew_bps: Bps  # of the belief, at the largest stock
    capital_usd_m: Positive
    limit_usd_m: Positive  # stock at which most of a side's size is withheld
    lay_off_h: Positive  # hours in which stock is hedged elsewhere and weighs no more


class Noise(_Strict, frozen=True, kw_only=True):
    """Takers without a view; they split parent orders of Pareto length."""

    count: Some
    orders_per_min: Positive  # all of them together
    size_usd: Positive
    parent_orders: Positive
    limit_usd_m: Positive
    capital_usd_m: Positive


class Followers(_Strict, frozen=True, kw_only=True):
    """Trend followers or mean reverters; `gain`: share of the limit held per 1 % of signal."""

    count: Some
    wake_s: Positive
    size_usd: Positive
    limit_usd_m: Positive
    capital_usd_m: Positive
    gain: Positive
    fast_s: Positive
    slow_s: Positive


class Informed(_Strict, frozen=True, kw_only=True):
    """Takers who know the fair value and trade towards it beyond a threshold."""

    count: Some
    wake_s: Positive
    size_usd: Positive
    threshold_bps: Positive
    limit_usd_m: Positive
    capital_usd_m: Positive


class Traders(_Strict, frozen=True, kw_only=True):
    """Levered traders. leverage: pairs of leverage and its share of what is opened; shares add up to 1."""

    count: Some
    open_interest_usd_m: NotNegative  # at the start, one-sided
    long_share: Share  # of the positions at the start
    long_entry_percent: tuple[float, float]  # entries at the start lie between, % from the price
    short_entry_percent: tuple[float, float]
    leverage: Annotated[list[tuple[Positive, Share]], Meta(min_length=1, max_length=10)]
    position_share: Annotated[float, Meta(gt=0.0, le=100.0)]  # notional over pocket, mean
    cross_share: Share  # of traders
    wake_s: Positive
    basis_care_bps: Positive  # premium at which nobody opens on the side that pays
    opens_per_day: NotNegative  # each, at an appetite of 1
    closes_per_day: NotNegative  # each
    take_profit: NotNegative  # gain on margin from which closing comes sooner
    disposition: Annotated[float, Meta(ge=1.0, le=100.0)]  # how many times sooner
    stop_share: Share  # of openings
    panic_at: NotNegative  # loss on margin that frightens
    panic: Share  # chance to close then, a look
    top_up: Share  # chance to add margin instead


class Tier(_Strict, frozen=True, kw_only=True):
    """One maintenance tier, from a notional up."""

    from_usd: NotNegative
    maintenance_percent: Annotated[float, Meta(gt=0.0, lt=100.0)]


class Venue(_Strict, frozen=True, kw_only=True):
    """One venue and its contract. rules: whose margin, mark, funding, liquidation and feed it has.

    tiers: "venue:symbol" of a bundled schedule, or tiers of one's own.
    """

    name: Name
    rules: str  # a venue of margin/rules.py, or "spot"
    kind: Literal["linear", "inverse", "spot"]
    symbol: Annotated[str, Meta(min_length=1, max_length=30)]
    tick_usd: Positive
    lot: Positive  # coin; of an inverse contract USD
    taker_fee_bps: FeeBps
    maker_fee_bps: FeeBps
    makers: Makers
    max_leverage_x: Annotated[float, Meta(ge=1.0, le=200.0)] = 1.0
    tiers: str | list[Tier] = ""
    liquidation_fee_bps: FeeBps = 0.0
    engine_delay_s: NotNegative = 0.0
    fund_usd_m: NotNegative = 0.0
    noise: Noise | None = None
    trend: Followers | None = None
    reverters: Followers | None = None
    informed: Informed | None = None
    traders: Traders | None = None


class Arbitrage(_Strict, frozen=True, kw_only=True):
    """Those who keep two venues together; amounts are each agent's."""

    between: tuple[str, str]
    count: Some
    threshold_bps: Positive
    wake_ms: Positive
    clip_usd: Positive
    capacity_usd_m: Positive


class Carry(_Strict, frozen=True, kw_only=True):
    """Hedged shorts: long spot, short perpetual, while funding (a fraction of 8 h, in bps) pays."""

    spot: str
    perp: str
    count: Some
    wake_s: Positive
    enter_bps: float
    exit_bps: float
    clip_usd: Positive
    capacity_usd_m: Positive  # all of them together
    start_usd_m: NotNegative  # held at the start, all of them together


class Options(_Strict, frozen=True, kw_only=True):
    """Options on the asset: a smile that follows what the index has just done."""

    level_percent: Positive | None = (
        None  # thirty-day volatility at rest; as the asset's news without it
    )
    follows: Share = 0.5  # of the implied variance: realised lately
    half_life_min: Positive = 60.0
    front_percent: NotNegative = 5.0  # what a one-day expiry adds
    tilt: Annotated[float, Meta(ge=-0.4, le=0.4)] = -0.1  # below zero puts are dear
    half_spread_percent: Positive = 2.0  # of the mark
    every_min: Annotated[int, Meta(ge=1, le=1_440)] = 60  # between snapshots in the tables of a run


class VenuePhase(_Strict, frozen=True, kw_only=True):
    """What a phase changes on one venue; what is not named stays as it was."""

    bids: NotNegative | None = None  # share of the makers' full size
    offers: NotNegative | None = None
    flow_usd_m_per_min: Annotated[float, Meta(ge=-1e4, le=1e4)] | None = None  # market orders
    activity: NotNegative | None = None  # of noise
    longs: NotNegative | None = None  # appetite to open
    shorts: NotNegative | None = None
    closing: NotNegative | None = None  # of the closing habit
    halted: bool | None = None


class Phase(VenuePhase, frozen=True, kw_only=True):
    """A part of the scenario, from an hour on; its own values count for all venues."""

    from_h: NotNegative
    drift_percent_per_h: Annotated[float, Meta(ge=-100.0, le=100.0)] | None = None
    volatility: NotNegative | None = None  # of the news, 1: as usual
    venue: dict[str, VenuePhase] = {}


class World(_Strict, frozen=True, kw_only=True):
    """A whole world: assets, venues, agents and the scenario."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    about: str
    start: str
    hours: Annotated[float, Meta(gt=0.0, le=24.0 * 31)]
    asset: Annotated[str, Meta(pattern="^[A-Z0-9]{1,10}$")]
    price_usd: Positive
    volatility_percent_per_day: Annotated[float, Meta(gt=0.0, le=100.0)]
    size_tail: Annotated[float, Meta(gt=1.05, le=10.0)]  # Pareto exponent of sizes
    depth_by_hour: Annotated[list[Positive], Meta(min_length=24, max_length=24)]
    weekend_depth: Positive
    venue: Annotated[list[Venue], Meta(min_length=1, max_length=8)]
    phase: Annotated[list[Phase], Meta(min_length=1, max_length=100)]
    arbitrage: list[Arbitrage] = []
    carry: list[Carry] = []
    options: Options = Options()
    # seconds between a venue's looks at stops, marks and margins
    step_s: Annotated[float, Meta(ge=0.5, le=60.0, multiple_of=0.5)] = 0.5

    @property
    def start_ns(self) -> int:
        return int(parse_time(self.start))

    @property
    def surface(self) -> SurfaceSettings:
        """How options on the asset are quoted."""
        o = self.options
        at_rest = o.level_percent or self.volatility_percent_per_day * math.sqrt(365.0)
        return SurfaceSettings(
            at_rest / 100.0, o.follows, o.half_life_min, o.front_percent / 100.0, o.tilt,
            o.half_spread_percent / 100.0,
        )  # fmt: skip


def raw_world(path: Path, depth: int = 0) -> dict[str, object]:
    """The file's keys over those of its base."""
    try:
        data = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{path.name}: not TOML: {error}") from error
    base = data.pop("base", None)
    if base is None:
        return data
    if not isinstance(base, str) or depth >= 4:
        raise BadInput(f"{path.name}: base: must name a world file, four deep at most")
    return cast(
        "dict[str, object]", _over(path.name, data, raw_world(path.parent / base, depth + 1))
    )


def decoded(file: str, data: Mapping[str, object]) -> World:
    """The keys as a World.

    Raises:
        BadInput: an unknown or missing key, a wrong type, a value out of range.
    """
    try:
        return msgspec.convert(data, World)
    except msgspec.ValidationError as error:
        raise BadInput(f"{file}: {_said(str(error))}") from error


def _over(file: str, new: object, old: object, where: str = "") -> object:
    """Tables are laid over tables key by key, named venues over venues of that name; the rest replaces."""
    if isinstance(new, dict) and isinstance(old, dict):
        merged = dict(cast("dict[str, object]", old))
        for key, value in cast("dict[str, object]", new).items():
            inner = f"{where}.{key}" if where else key
            merged[key] = _over(file, value, merged[key], inner) if key in merged else value
        return merged
    if where == "venue" and isinstance(new, list) and isinstance(old, list):
        return _venues_over(file, cast("list[object]", new), cast("list[object]", old))
    return cast("object", new)


def _venues_over(file: str, new: list[object], old: list[object]) -> list[object]:
    merged = list(old)
    names = [_name(one) for one in old]
    for one in new:
        name = _name(one)
        if name is None:
            raise BadInput(f"{file}: venue: every [[venue]] needs a name")
        if name in names:
            at = names.index(name)
            merged[at] = _over(file, one, merged[at], f"venue {name}")
        else:
            merged.append(one)
    return merged


def _name(one: object) -> object:
    return cast("dict[str, object]", one).get("name") if isinstance(one, dict) else None


def _said(problem: str) -> str:
    """msgspec's sentence with the key first: `venue[0].makers: unknown key 'dept'`."""
    text, _, where = problem.partition(" - at `$")
    key = where.rstrip("`").lstrip(".") or ""
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", text)
    if unknown:
        text = f"unknown key '{unknown[1]}'"
    missing = re.fullmatch(r"Object missing required field `(.*)`", text)
    if missing:
        text = f"key '{missing[1]}' is missing"
    return f"{key}: {text}" if key else text
