"""What absorbs a push over what the book shows: the measured impact law against the depth near the price."""

import math
from dataclasses import dataclass, replace

from msgspec import structs

from airpocket.cascade.calibrate.figures import Figure, figure, missing
from airpocket.cascade.calibrate.impact import Impact
from airpocket.domain.estimates import RATIO
from airpocket.domain.units import TimeNs

_PUSH_S = 60.0  # over which a what-if pushes


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

    def refill(self, push_usd: float, half_s: float, lasts: float, now: TimeNs) -> Figure:
        """The multiple of the book that `PathPriors.refill` stands for, for a push of a minute.

        The square-root law says where price is at its end, c√Q; the shown book alone would have Q/D, of which the
        fading share f is gone by then. So refill = f √Q/(c D): it grows with the push, as the law is concave.
        half_s, lasts: how fast and how much of it fades. Measured and modelled: c is of flows far smaller than a
        push that anybody asks about.
        """
        if self.impact is None or self.usd_per_log is None:
            return missing(RATIO, self.why)
        law = self.impact.root.estimate
        events = self.impact.root.events
        if law.value is None or law.low is None or law.high is None or law.as_of is None:
            return missing(RATIO, law.unknown or "", events)
        if law.low <= 0.0:
            return missing(RATIO, f"{law.source}: impact can't be told from none", events)
        millions = abs(push_usd) / 1e6
        shown_bps = 1e4 * millions * 1e6 / self.usd_per_log
        over = shown_bps * staying(_PUSH_S, half_s, lasts) / math.sqrt(millions)
        found = figure(
            over / law.value, (over / law.high, over / law.low), RATIO, events, (law.as_of, now),
            f"{law.source}: law against the book, at {millions:,.3g} million",
        )  # fmt: skip
        return replace(found, estimate=structs.replace(found.estimate, provenance="mixed"))


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
