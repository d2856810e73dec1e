"""A plan as data: where a position stands, what it survives, and the steps to take, each with its condition."""

from typing import Literal, TypeAlias

from msgspec import Struct

from airpocket.domain.catalysts import Catalyst
from airpocket.domain.estimates import Estimate
from airpocket.domain.positions import Position
from airpocket.domain.tells import NOT_EVALUATED, Tell
from airpocket.domain.units import Side
from airpocket.playbook.hedging.records import HedgeLeg
from airpocket.playbook.stress.records import Exit

SCHEMA = "airpocket.plan/3"

# waiting: an order that rests until its price or time comes; the others as for triggers
StepState: TypeAlias = Literal["quiet", "armed", "firing", "waiting", "unknown"]
# market_on_close: at market once a bar has closed so; oco: a limit and a stop, one cancels the other
OrderType: TypeAlias = Literal["none", "market", "market_on_close", "limit", "stop_market", "oco"]


class Step(Struct, frozen=True, kw_only=True):
    """One thing to do: when, how much, at what price, what undoes it, what it costs, what stays open.

    size_coin: coins to trade, never signed; None where the step trades nothing. price: quote per coin;
    None where the step is not tied to one. cost: of carrying the step out, USD. order: how it is sent.
    side: of the perpetual; None where the step trades none. reduce_only: it closes, and must never open. rest:
    it closes all that is left then, be that more or less than size_coin. legs: options to be traded besides, in the
    chain's own names; none of a sketch. expires_at: ns, when its levels or quotes are too old; None where it
    stands until the position is closed, and where it trades nothing.
    """

    id: str
    title: str
    refs: list[str]
    condition: str
    state: StepState
    because: list[str]
    action: str
    size_coin: Estimate | None = None
    price: Estimate | None = None
    invalidation: str = ""
    cost: Estimate | None = None
    uncovered: str = ""
    tells: list[Tell] = []
    record: str = NOT_EVALUATED
    order: OrderType = "none"
    side: Side | None = None
    reduce_only: bool = False
    rest: bool = False
    legs: list[HedgeLeg] = []
    expires_at: int | None = None


class Play(Struct, frozen=True, kw_only=True):
    """Steps that belong together; `unknown` says why when there are none to give."""

    id: str
    title: str
    refs: list[str]
    steps: list[Step]
    notes: list[str] = []
    unknown: str | None = None


class Facts(Struct, frozen=True, kw_only=True):
    """A section of figures with sentences on how to read them."""

    unknown: str | None
    tells: list[Tell]
    notes: list[str]


class Gap(Struct, frozen=True, kw_only=True):
    """The account after one overnight move against the position, before anyone could act.

    move_percent: signed, from the mark. buffer: equity over maintenance; None of them below zero means a
    debt. survives: equity stays above maintenance.
    """

    move_percent: float
    price: Estimate
    equity: Estimate
    maintenance: Estimate
    buffer: Estimate
    survives: bool | None


class Survival(Struct, frozen=True, kw_only=True):
    """What it takes to keep `buffer_multiple` times maintenance after a move of `move_percent`.

    Either of the two does it alone: closing `reduce_coin` (leaving `size_coin`), or adding `top_up_usd`.
    """

    move_percent: float
    buffer_multiple: float
    size_coin: Estimate
    reduce_coin: Estimate
    top_up_usd: Estimate


class GapTest(Struct, frozen=True, kw_only=True):
    """The gap table and the sizes that survive it (M35)."""

    unknown: str | None
    gaps: list[Gap]
    survivals: list[Survival]
    notes: list[str]


class Cap(Struct, frozen=True, kw_only=True):
    """One leverage rule: the most leverage it allows; `binding` marks the smallest."""

    id: str
    rule: str
    max_leverage_x: Estimate
    binding: bool


class Caps(Struct, frozen=True, kw_only=True):
    """All leverage rules against the leverage in use (M34, M36). cut_coin: closing it keeps the one that binds."""

    unknown: str | None
    effective_leverage_x: Estimate
    caps: list[Cap]
    kept: bool | None
    cut_coin: Estimate
    notes: list[str]


class ThinExit(Struct, frozen=True, kw_only=True):
    """One exit of the plan at its price, walked through books of which more and more is missing.

    size_coin: what it closes at most: all that could be left then. exits: one for each thinning.
    """

    step: str
    title: str
    size_coin: Estimate
    price: Estimate
    exits: list[Exit]


class ThinBooks(Struct, frozen=True, kw_only=True):
    """Whether the exits work under degraded liquidity (M39)."""

    unknown: str | None
    rows: list[ThinExit]
    notes: list[str]


class Plan(Struct, frozen=True, kw_only=True):
    """The plan of one position at one moment. Keys are stable; `schema` changes when they do."""

    schema: str = SCHEMA
    asset: str
    as_of: str
    simulated: bool
    position: Position
    answer: str
    mark: Estimate
    margin: Facts
    gap_test: GapTest
    caps: Caps
    funding: Facts
    fuel: Facts
    market: Facts
    catalysts: list[Catalyst]
    plays: list[Play]
    thin_books: ThinBooks
