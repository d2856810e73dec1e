"""A stress test as data: every shock with what it leaves, every exit with whether it works."""

from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.estimates import Estimate

SCHEMA = "airpocket.stress/1"

Kind: TypeAlias = Literal[
    "gap", "cascade", "volatility", "together", "time", "funding", "venue", "stablecoin"
]


class Outcome(Struct, frozen=True, kw_only=True):
    """An account after one shock, before anyone could act.

    liquidated: whether its thresholds were met on the way or at the end, None where unknown; at: the price
    where. equity: what it would be had nobody acted, liquidated or not.
    """

    id: str
    kind: Kind
    title: str
    price: Estimate
    equity: Estimate
    maintenance: Estimate
    buffer: Estimate
    liquidated: bool | None
    at: Estimate | None = None
    chance: Estimate | None = None  # %, that the way there meets the liquidation price
    note: str = ""


class Exit(Struct, frozen=True, kw_only=True):
    """One perpetual closed whole at market, `after_percent` on, in a book of which `gone_percent` is missing.

    cost: slippage and fee. last: price of the last fill. filled: share that fills before the margin is spent
    or the known orders end. works: all of it does, with equity left.
    """

    position: str
    after_percent: float
    gone_percent: float
    cost: Estimate
    last: Estimate
    filled: Estimate
    left: Estimate  # equity once out
    works: bool | None
    why: str


class Curve(Struct, frozen=True, kw_only=True):
    """Equity and maintenance over prices, USD, arrays as lists of one length."""

    price: list[float]
    equity: list[float]
    maintenance: list[float]


class StressTest(Struct, frozen=True, kw_only=True):
    """One account's. Keys are stable; `schema` changes when they do."""

    schema: str = SCHEMA
    name: str
    venue: str
    margin_mode: str
    asset: str
    as_of: str
    simulated: bool
    answer: str
    unknown: str | None = None
    price: Estimate
    equity: Estimate
    maintenance: Estimate
    down: Estimate  # liquidation prices
    up: Estimate
    funding_day: Estimate
    outcomes: list[Outcome] = []
    exits: list[Exit] = []
    curve: Curve | None = None
    notes: list[str] = []
