"""What the fuel scan assumes, in one record: fixed before any result was seen, none of it fitted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of a number nobody measured: a triangle from low over its centre to high."""

    low: float
    centre: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.centre <= self.high:
            raise ValueError(f"a prior runs low ≤ centre ≤ high, not {self}")


@dataclass(frozen=True, slots=True)
class CascadeSettings:
    """Distances are fractions of the price, costs USD.

    impact_y: Y of the square-root law, order one in every published market. book_share: the part of
    forced flow that trades in the book; the rest goes to insurance funds and auto-deleveraging, which
    was between 0.5 and 0.72 where it could be counted. beyond_book: density of orders past the last one
    stored, as a multiple of that in the outer half of what is stored. scenarios: how many sets of priors a range
    takes its 10 to 90 % from. kappa_tau: resilience times latency; None because nobody measured it.
    """

    reach: float = 0.15
    step: float = 0.0005
    at_percent: tuple[float, ...] = (1.0, 2.0, 3.0, 5.0, 10.0, 15.0)
    push_shares: tuple[float, ...] = (0.001, 0.005, 0.01, 0.02)  # of a day's volume
    impact_y: Prior = Prior(0.5, 0.8, 1.2)
    book_share: Prior = Prior(0.5, 0.7, 1.0)
    beyond_book: Prior = Prior(0.5, 1.0, 2.0)
    scenarios: int = 512
    law_days: int = 30
    law_coverage: float = 0.9
    fresh_h: float = 1.0
    price_fresh_h: float = 2.0
    book_reach: float = 0.005  # a stored book that ends nearer gives way to depth bands
    mid_gap: float = 0.005  # a book whose mid is farther from the map's price is of another moment
    fast_stretch: float = 0.01
    compare_percent: float = 3.0
    easier_ratio: float = 1.25
    least_pocket: float = 0.001
    wide_pocket: float = (
        0.005  # a narrower one is met at every step and says nothing of what lies ahead
    )
    kappa_tau: float | None = None
