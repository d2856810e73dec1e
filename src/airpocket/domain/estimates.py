"""One figure with everything needed to trust it, or unknown with the reason; never a silent zero."""

import math
from typing import Literal, TypeAlias

from msgspec import Struct, structs

from airpocket.domain.units import SECOND_NS

Provenance: TypeAlias = Literal["measured", "modelled", "mixed"]

# The units figures are shown in. Percent figures hold 1.5 for 1.5 %.
USD = "USD"
PRICE = "quote per coin"
COIN = "coin"
PERCENT = "%"
PERCENT_YEAR = "% a year"
FUNDING_8H = "% per 8 h"
RATIO = "ratio"
SD = "sd"  # standard deviations
MINUTES = "min"
HOURS = "h"
SECONDS = "s"
COUNT = "count"
BPS = "bp"
POINTS = "points"


class Estimate(Struct, frozen=True, kw_only=True):
    """A value with unit, interval, as-of time, age, provenance and source; or the reason it is unknown.

    `as_of` is when the figure's youngest input was true (UTC, ns); `age_s` how old that was when the
    figure was asked for. `measured` is read or summed from data; `modelled` rests on an assumption;
    `mixed` has both. Exactly one of `value` and `unknown` is set. `at_least`: the true figure is this or
    more, as where a venue reports only some of what happens; it is printed with a ≥.
    """

    unit: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    as_of: int | None = None
    age_s: float | None = None
    provenance: Provenance = "measured"
    source: str = ""
    unknown: str | None = None
    at_least: bool = False

    def __post_init__(self) -> None:
        if (self.value is None) == (self.unknown is None):
            raise ValueError("an estimate has a value or a reason why not, never both or neither")
        for number in (self.value, self.low, self.high):
            if number is not None and not math.isfinite(number):
                raise ValueError(f"an estimate must be finite, not {number}")
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval needs both ends")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"interval upside down: {self.low} > {self.high}")

    @property
    def known(self) -> bool:
        return self.value is not None

    def above(self, threshold: float) -> bool | None:
        """value ≥ threshold; None when unknown, also where a lower bound does not reach it."""
        if self.value is None or (self.at_least and self.value < threshold):
            return None
        return self.value >= threshold

    def below(self, threshold: float) -> bool | None:
        """value ≤ threshold; None when unknown, also where only a lower bound stays below it."""
        if self.value is None or (self.at_least and self.value <= threshold):
            return None
        return self.value <= threshold


def known(
    value: float,
    unit: str,
    *,
    as_of: int,
    now: int,
    source: str,
    provenance: Provenance = "measured",
    interval: tuple[float, float] | None = None,
) -> Estimate:
    """A figure as of `as_of`, asked for at `now`; NaN becomes unknown, never a number."""
    if not math.isfinite(value):
        return unknown(unit, f"the calculation gave no number (source: {source})")
    if as_of > now:
        raise ValueError(f"look-ahead: a value as of {as_of} was asked for at {now}")
    low, high = (float(interval[0]), float(interval[1])) if interval is not None else (None, None)
    return Estimate(
        unit=unit,
        value=float(value),  # a NumPy scalar would not survive the JSON encoder
        low=low,
        high=high,
        as_of=as_of,
        age_s=(now - as_of) / SECOND_NS,
        provenance=provenance,
        source=source,
    )


def lower_bound(estimate: Estimate) -> Estimate:
    """The same figure, of which the truth is this or more; what is unknown stays so."""
    return estimate if estimate.value is None else structs.replace(estimate, at_least=True)


def unknown(unit: str, reason: str) -> Estimate:
    """A figure that can't be given, and why."""
    return Estimate(unit=unit, unknown=reason)
