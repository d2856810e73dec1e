"""What the fuel scan answers: the cost of a push each way, where it stops, and the bracket of reproduction."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from airpocket.domain.estimates import Estimate
from airpocket.domain.events import FloatArray
from airpocket.domain.units import TimeNs

Direction: TypeAlias = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What absorbs a push: cumulative resting or expected notional by distance from the price.

    distance: (B,) fractions from 0 up, the same for both directions. absorb_usd: (B,) cumulative USD.
    kind: `book` (a stored book or depth bands), `square_root` (no book: the impact law stands in).
    latent_usd: (B,) the modelled part of absorb_usd, at the centre of its prior: past the last stored
    order the density of its outer half goes on; without a book all of it is the law's.
    measured_to: the distance the stored orders reach; 0 without any. contracts: whose orders they are, empty
    without any; missing: then, why there are none.
    """

    kind: Literal["book", "square_root"]
    distance: FloatArray
    absorb_usd: FloatArray
    label: str  # what it is made of, in a sentence
    latent_usd: FloatArray
    measured_to: float
    as_of: TimeNs
    contracts: tuple[str, ...] = ()
    missing: str = ""

    @property
    def no_book(self) -> str:
        """Why what rests now is not known; empty where it is."""
        return "" if self.kind == "book" else f"no book that can be used ({self.missing})"


@dataclass(frozen=True, slots=True)
class Pocket:
    """A jump: a push just above `push_usd` carries price from `start_percent` at once to `stop_percent`.

    Percents are signed. forced_usd: what is forced on the way. inside_grid False: nothing seen stops it,
    and stop_percent is only where the scan ends.
    """

    push_usd: float
    start_percent: float
    stop_percent: float
    forced_usd: float
    inside_grid: bool = True


@dataclass(frozen=True, slots=True)
class Ignition:
    """What sets off the nearest pocket that is wide enough to tell: a push of more than `cost`, USD."""

    pocket: Pocket
    cost: Estimate


@dataclass(frozen=True, slots=True)
class Stop:
    """Where one exogenous push ends: reached_percent signed; amplification is absorbed over pushed.

    inside_grid False: the push leaves the scan; reached is then at least the scan's end.
    """

    push_usd: float
    reached: Estimate  # %, signed
    amplification: Estimate  # ratio
    inside_grid: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """The static scan one way from the price, arrays (B,) by distance.

    forced_usd: cumulative forced flow net of hedges, the part that trades in the book. ignition_usd:
    what a push must exceed to trade beyond each distance. reproduction: forced over absorbed in the
    bucket that ends at each distance (R_fast by distance for a book); NaN at 0 and where nothing is
    forced or absorbed, infinite where nothing absorbs.
    """

    direction: Direction
    profile: Profile
    forced_usd: FloatArray
    ignition_usd: FloatArray
    reproduction: FloatArray
    pockets: tuple[Pocket, ...]
    stops: tuple[Stop, ...]
    cost: dict[float, Estimate]  # percent → ignition cost, USD
    cost_slow: dict[float, Estimate]  # the same against the square-root law alone: the patient end
    fast: Estimate  # R over the first stretch, against what rests now
    slow: Estimate  # R of the square-root limit at the same move
    overshoot: Estimate  # first peak over the first push; needs κτ
    ignition: Ignition | None = None  # None: no pocket is wide enough


@dataclass(frozen=True, slots=True)
class Redrawn:
    """The costs each way from where price stands once the nearest cluster of one side has gone off.

    price: quote per coin, just beyond it. The forced flow in between is spent; the book is taken to
    form again around the new price as it was around the old one.
    """

    direction: Direction  # the way price went
    price: float
    spent: Estimate  # forced flow that went off, USD, net of hedges and of what misses the book
    cost_up: dict[float, Estimate]
    cost_down: dict[float, Estimate]
    easier: str
    glide: Estimate


@dataclass(frozen=True, slots=True)
class Cascade:
    """Both ways at once, and which is the easier.

    easier: `up`, `down`, `even`, or `unknown`. glide: cost ratio up over down at the compared distance.
    runaway: the reproduction number from which nothing turns a burst round; needs κτ.
    redrawn: the glide path after the nearest cluster above, and below, has gone off.
    """

    now: TimeNs
    price: float
    up: Scan
    down: Scan
    easier: str
    glide: Estimate
    runaway: Estimate
    redrawn: tuple[Redrawn, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unscanned:
    """There is no scan, and why."""

    reason: str
