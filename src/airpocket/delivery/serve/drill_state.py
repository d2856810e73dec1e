"""A drill as the page shows it: the moment of the market, the paper position, what was said, and the score."""

import msgspec
from msgspec import Struct

from airpocket.brief.plan_json import retimed
from airpocket.domain.units import PositionSide
from airpocket.drill.records import Drill

SCHEMA = "airpocket.drill_state/1"


class PaperStop(Struct, frozen=True, kw_only=True):
    """A stop that rests on paper."""

    price: float
    coin: float


class PaperPosition(Struct, frozen=True, kw_only=True):
    """What is held on paper: USD, coin, quote per coin. pnl_usd: since the start, hedge and fees counted.

    forced_price, distance_percent: of the forced exit; None where there is none.
    """

    venue: str
    symbol: str
    side: PositionSide
    size_coin: float
    entry_price: float
    margin_usd: float
    equity_usd: float
    pnl_usd: float
    forced_price: float | None
    distance_percent: float | None
    liquidated: bool
    stops: list[PaperStop]
    hedge_coin: float


class DrillMoment(Struct, frozen=True, kw_only=True):
    """One second of the drill's market; forced flow is of the last ten minutes, as the venues' feeds told it.

    funding_percent: the next settlement's estimate. plan: what the plan says now.
    """

    mark: float
    last: float
    bid: float
    ask: float
    move_percent: float
    forced_buy_usd: float
    forced_sell_usd: float
    funding_percent: float | None
    open_interest_coin: float | None
    position: PaperPosition
    plan: str


class Said(Struct, frozen=True, kw_only=True):
    """Something that was done."""

    at_s: int
    text: str


class DrillState(Struct, frozen=True, kw_only=True):
    """Where a drill stands. marks: (second, mark) every few seconds, from its beginning.

    state: starting until the market stands; scored once it is over. trouble: why it could not begin.
    """

    schema: str = SCHEMA
    simulated: bool = True
    label: str = ""
    state: str = "starting"  # starting, paused, running, scored
    trouble: str = ""
    at_s: int = 0
    for_s: int = 0
    speed: float = 1.0
    now: DrillMoment | None = None
    marks: list[tuple[int, float]] = []
    said: list[Said] = []
    score: Drill | None = None


def encoded(state: DrillState) -> bytes:
    """JSON, times as text."""
    return msgspec.json.encode(retimed(msgspec.to_builtins(state)))
