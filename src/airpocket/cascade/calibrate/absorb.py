"""What absorbs a push over what the book shows: the measured impact law against the depth near the price."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from msgspec import structs

from airpocket.cascade.calibrate.figures import Figure, figure, missing
from airpocket.cascade.calibrate.impact import Impact
from airpocket.domain.estimates import RATIO
from airpocket.domain.units import TimeNs

_PUSH_S = 60.0  # over which a what-if pushes
# log-price away → USD that rests up to there, on the side of a push
Shown: TypeAlias = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Absorption:
    """impact: of the longest bars that tell it, None without. usd_per_log: shown near the price, a unit of
    log-price, None unknown; `why` says what is missing. day_usd: traded in a day at the pace of those bars.
    """

    impact: Impact | None
    usd_per_log: float | None
    why: str

    @property
    def day_usd(self) -> float | None:
        if self.impact is None:
            return None
        return self.impact.traded_usd * 86_400.0 / self.impact.step_s

    def refill(
        self, push_usd: float, half_s: float, lasts: float, now: TimeNs, shown: Shown | None = None
    ) -> Figure:
        """The multiple of the book that `PathPriors.refill` stands for, for a push of a minute.

        The law says where price is at its end, x = c Q^δ. Of a push into the book alone the share f is left by
        then, the rest has faded; so what is shown up to x absorbs A(x)/f of it, and refill = f Q/A(x).
        half_s, lasts: how fast and how much of it fades. shown: A, of the books that the push meets; without, as
        dense throughout as near the price. Measured and modelled: flows that were heard are smaller than pushes
        that anybody asks about; the interval tells what the law's bend leaves open.
        """
        if self.impact is None or (self.usd_per_log is None and shown is None):
            return missing(RATIO, self.why)
        told, law = self.impact.root.estimate, self.impact.law
        events = self.impact.root.events
        if told.value is None or law is None or told.as_of is None:
            return missing(RATIO, told.unknown or "", events)
        move, spread = law.moves(abs(push_usd))
        if spread is None or min(move, spread[0]) <= 0.0:
            return missing(RATIO, f"{told.source}: impact can't be told from none", events)
        met = abs(push_usd) * staying(_PUSH_S, half_s, lasts)
        each = [met / max(self._within(x, shown), 1.0) for x in (move, *spread)]
        found = figure(
            each[0], (each[2], each[1]), RATIO, events, (told.as_of, now),
            f"{told.source}: law of exponent {law.exponent[0]:.2g} against the book, at"
            f" {abs(push_usd) / 1e6:,.3g} million",
        )  # fmt: skip
        return replace(found, estimate=structs.replace(found.estimate, provenance="mixed"))

    def _within(self, move: float, shown: Shown | None) -> float:
        return shown(move) if shown is not None else (self.usd_per_log or 0.0) * move


def staying(over_s: float, half_s: float, lasts: float) -> float:
    """Share of an evenly spread push's impact that is left at its end: θ + (1 − θ)(1 − e^(−κT))/(κT)."""
    kt = math.log(2.0) * over_s / half_s
    return lasts + (1.0 - lasts) * (-math.expm1(-kt) / kt)


def over_book(impact: Impact, usd_per_log: float, now: TimeNs) -> Figure:
    """1/(λ D) of small flows: what absorbs them over what the book shows; unknown where λ may be none."""
    lam = impact.both.estimate
    if lam.value is None or lam.low is None or lam.high is None or lam.as_of is None:
        return missing(RATIO, lam.unknown or "", impact.both.events)
    if lam.low <= 0.0:
        return missing(RATIO, f"{lam.source}: λ can't be told from zero", impact.both.events)
    one = 1e10 / usd_per_log  # λ is bp per million dollars
    return figure(
        one / lam.value, (one / lam.high, one / lam.low), RATIO, impact.both.events, (lam.as_of, now),
        f"{lam.source}, against the book",
    )  # fmt: skip
