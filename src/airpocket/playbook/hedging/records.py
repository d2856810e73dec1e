"""A sheet of hedges as data: legs, cost, what each holds up to, what stays open, and the price of more."""

from msgspec import Struct

from airpocket.domain.estimates import Estimate
from airpocket.domain.positions import Position

SCHEMA = "airpocket.hedge/2"


class HedgeLeg(Struct, frozen=True, kw_only=True):
    """One trade. size: coins of the position's asset. price: USD per coin; price_coin: the same as quoted, in coin.

    volatility: per cent a year, at the price paid or received. None where the leg is no option.
    """

    side: str
    name: str
    size: Estimate
    price: Estimate
    price_coin: float | None = None
    volatility: Estimate | None = None
    delta: float | None = None
    days: float | None = None


class CurvePoint(Struct, frozen=True, kw_only=True):
    """What the account is worth after a move: without and with the hedge at once, and at the end of its rows."""

    move_percent: float
    plain_usd: float
    hedged_usd: float
    hedged_later_usd: float


class Hedge(Struct, frozen=True, kw_only=True):
    """One way to hedge; `unknown` says why there is none.

    cost: paid at once, fees in it, USD. held: what it has cost after the sheet's `hold_d` days in which nothing
    happens, USD; the cheapest is the cheapest by this. bound: what no hedge of this kind can be cheaper than, by
    the same. margin: that must be free to open what is sold. capital: tied up, not spent. protected: the furthest
    move against the position at which the multiple of maintenance is kept in every row. worth_at_gap: what the
    hedge could be sold for at the gap, in the worst row. next_percent: USD over the horizon for one more per cent
    of gap. tail_loss: mean loss of the worst 5 % of a week's moves with the hedge, as modelled. curve: equity over
    moves.
    """

    id: str
    title: str
    refs: list[str]
    unknown: str | None = None
    legs: list[HedgeLeg] = []
    cost: Estimate | None = None
    held: Estimate | None = None
    cost_percent: Estimate | None = None
    bound: Estimate | None = None
    margin: Estimate | None = None
    capital: Estimate | None = None
    protected: Estimate | None = None
    worth_at_gap: Estimate | None = None
    next_percent: Estimate | None = None
    tail_loss: Estimate | None = None
    uncovered: list[str] = []
    notes: list[str] = []
    curve: list[CurvePoint] = []


class Protection(Struct, frozen=True, kw_only=True):
    """Least cost over the horizon, by kind of hedge, of holding up to a gap; `gap_percent` None: any move."""

    gap_percent: float | None
    cost: dict[str, Estimate]


class ChainFacts(Struct, frozen=True, kw_only=True):
    """Which quotes the hedges stand on. sized: options with known sizes behind them. left_out: rows by reason."""

    venue: str
    as_of: str
    age_s: float
    options: int
    sized: int
    index: Estimate
    left_out: dict[str, int]


class PathMove(Struct, frozen=True, kw_only=True):
    """Where a cascade leads, and when."""

    move_percent: float
    minutes: float


class HedgeSheet(Struct, frozen=True, kw_only=True):
    """All hedges of one position at one moment. Keys are stable; `schema` changes when they do.

    plain_protected: the same move without any hedge; plain_tail_loss: the same mean loss. paths: where cascades
    lead, as scenarios; no_paths: why none of them is simulated, None where they are. top_up: what must be moved to
    the position's own venue by the gap, as its venue counts nothing held elsewhere.
    """

    schema: str = SCHEMA
    asset: str
    as_of: str
    simulated: bool
    position: Position
    answer: str
    price: Estimate
    gap_percent: float
    buffer: float
    hold_d: float
    plain_protected: Estimate
    plain_tail_loss: Estimate
    paths: list[PathMove]
    no_paths: str | None
    top_up: Estimate
    chain: ChainFacts | None
    no_chain: str | None
    hedges: list[Hedge]
    table: list[Protection]
    notes: list[str]
