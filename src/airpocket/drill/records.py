"""A drill as data: what was done, what came of it, and what else could have been done."""

from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.positions import Position
from airpocket.domain.units import PositionSide

SCHEMA = "airpocket.drill/1"

Cause: TypeAlias = Literal["entry", "order", "stop", "forced", "end"]


class Fill(Struct, frozen=True, kw_only=True):
    """One paper trade: coin is positive, price the mean that the book gave, realised_usd before the fee.

    at_s: seconds since the drill began.
    """

    at_s: int
    cause: Cause
    side: Literal["buy", "sell"]
    coin: float
    price: float
    fee_usd: float
    realised_usd: float
    hedge: bool = False


class Decision(Struct, frozen=True, kw_only=True):
    """One order of the trader: what became of it, what the plan said then, and what it was worth at the end.

    refused: why nothing was done, '' where it was. saved_usd: against having left that part to the end as
    it was; None where that can't be said of one order alone.
    """

    at_s: int
    order: str
    price: float  # mark
    distance_percent: float | None  # to the forced exit, before the order
    forced_before: float | None  # price of the forced exit before the order
    refused: str
    did: str
    plan: str
    consequence: str
    saved_usd: float | None


class Way(Struct, frozen=True, kw_only=True):
    """One way through the drill, closed at its end: pnl_usd is after fees and funding, all margin counted.

    funding_usd: paid, negative where received. worst_percent: the least distance to the forced exit, % of
    the mark, and when. closed_s: when nothing was held any more. forced_price: mean price of a forced exit.
    """

    pnl_usd: float
    fees_usd: float
    funding_usd: float
    worst_percent: float | None
    worst_s: int
    closed_s: int | None
    liquidated: bool
    forced_price: float | None
    margin_added_usd: float
    fills: list[Fill]


class BestExit(Struct, frozen=True, kw_only=True):
    """The one moment at which closing all would have paid most, known only afterwards."""

    pnl_usd: float
    at_s: int
    price: float


class Drill(Struct, frozen=True, kw_only=True):
    """The whole drill, scored. Keys are stable; `schema` changes when they do.

    share_kept: of what lay between holding and the best exit, the share that the trader's way kept; None
    where the two were the same. plan_did: what obeying the plan came to, order by order.
    """

    schema: str = SCHEMA
    simulated: bool = True
    label: str  # SIMULATED world, seed
    began: str
    seconds: int
    position: Position
    position_side: PositionSide
    price_first: float
    price_last: float
    price_low: float
    price_high: float
    forced_buys_usd: float
    forced_sells_usd: float
    you: Way
    held: Way
    plan: Way
    best: BestExit
    share_kept: float | None
    decisions: list[Decision]
    plan_did: list[str]
