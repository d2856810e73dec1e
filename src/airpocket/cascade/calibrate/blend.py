"""Measured figures into the priors of a what-if: by precision, and doubted as an ordinary hour is no cascade."""

import math
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from airpocket.cascade.calibrate.absorb import Shown
from airpocket.cascade.calibrate.figures import Figure
from airpocket.cascade.calibrate.fit import Fitted
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.cascade.deals import PathPriors
from airpocket.cascade.hours import HourlyDepth
from airpocket.cascade.settings import Prior
from airpocket.domain.estimates import Estimate

Scale: TypeAlias = Literal["log", "share"]
_TENTHS = 2.0 * 1.2815515655446004  # standard deviations between the 10 and the 90 % of a normal
_USUAL_PUSH = 0.001  # of a day's volume
_PULL_DOUBT = 2.0  # the prior of the pull-back is a single number: from half to twice of it


@dataclass(frozen=True, slots=True)
class Basis:
    """One number of a what-if: what was believed of it and why, what was measured, and what is used.

    measured: None where nothing tries to measure it. used_measured: whether the measurement counted; if not, `why`.
    """

    name: str
    words: str
    unit: str
    prior: Prior
    source: str
    used: Prior
    measured: Estimate | None
    events: int
    why: str

    @property
    def used_measured(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True)
class Blend:
    """Priors that measurements went into, and where each number of them comes from."""

    priors: PathPriors
    basis: tuple[Basis, ...]


# name, words, unit, source of the prior
_TOLD = {
    "latency_s": (
        "wait of a forced order", "s",
        "Hyperliquid's batches of 10 October 2025 came 6.3 s apart; other engines are not published",
    ),
    "half_s": (
        "time in which half of a displacement fades", "s",
        "books on Bitcoin refill in about 10 s; from a fast book to a minute",
    ),
    "depth": ("depth of the book as it rests", "times", "a snapshot may be half or one and a half of what is met"),
    "refill": (
        "orders that come meanwhile, with the book", "times the book",
        "from none to the thirtyfold between books and the square-root law",
    ),
    "lasts": (
        "share of an impact that stays", "share",
        "two thirds are left at the end of a day (Bucci et al. 2019), and of flow that nobody "
        "was informed by hardly any in the long run (Donier and Bonart 2015)",
    ),
    "wander": (
        "pace of price over the days before", "times",
        "quarter hours of ETH on Binance, 2023 to 2025: 0.3 to 1.4 for eight of ten, 2 and more in the wildest",
    ),
    "stops": ("stop orders on top of the map", "share", "nobody publishes them"),
    "pull": (
        "growth of an impact as makers step back", "per unit of log-price",
        "assumed: +40 % at one per cent (Fosset et al. 2020 have the mechanism, not the size)",
    ),
}  # fmt: skip


def priors_from(
    fitted: Fitted | None, priors: PathPriors, push_usd: float = 0.0,
    settings: CalibrationSettings | None = None, shown: Shown | None = None,
) -> Blend:  # fmt: skip
    """Priors with what was measured in them, wherever there is enough of it.

    push_usd: the size of the question, as what absorbs a push depends on it; 0: a thousandth of a day's volume.
    shown: what the books that it meets hold, see `Absorption.refill`.

    Both are taken as normal, positive numbers in their logarithms, and combined by precision. What was measured in
    ordinary minutes is doubted on top of its own interval: `doubt`, `share_doubt`. The result is again a
    triangle, of that centre and variance.
    """
    s = settings or CalibrationSettings()
    measured: dict[str, tuple[Figure, Scale]] = {}
    if fitted is not None:
        half, lasts = fitted.recovery.half_s, fitted.recovery.lasts
        size = abs(push_usd) or _USUAL_PUSH * (fitted.absorption.day_usd or 0.0)
        kept = priors.lasts
        if not _why_not(lasts, fitted, "share", s):
            kept = blended(kept, lasts.estimate, "share", s)
        refill = fitted.absorption.refill(
            size or 1e6, half.value or priors.half_s.centre, kept.centre, fitted.now, shown
        )
        measured = {
            "latency_s": (fitted.latency_s, "log"), "half_s": (half, "log"), "refill": (refill, "log"),
            "lasts": (lasts, "share"), "pull": (fitted.pull_back.per_log, "log"),
        }  # fmt: skip
    basis: list[Basis] = []
    for name, (words, unit, source) in _TOLD.items():
        before = prior_of(priors, name)
        figure, scale = measured.get(name, (None, "log"))
        why = _why_not(figure, fitted, scale, s)
        used = before
        if figure is not None and not why:
            used = blended(before, figure.estimate, scale, s)
        estimate, events = (None, 0) if figure is None else (figure.estimate, figure.events)
        basis.append(Basis(name, words, unit, before, source, used, estimate, events, why))
    found = {one.name: one.used for one in basis if one.used_measured and one.name != "pull"}
    pull = next(one.used.centre for one in basis if one.name == "pull")
    hours = priors.hours
    if hours is not None and fitted is not None and fitted.hours.weeks:
        hours = HourlyDepth(tuple(fitted.hours.multiple.tolist()), fitted.hours.source, fitted=True)
    return Blend(replace(priors, **found, pull=pull, hours=hours), tuple(basis))


def prior_of(priors: PathPriors, name: str) -> Prior:
    """A field of the priors as a range; the pull-back, a single number, from half to twice of it."""
    value = getattr(priors, name)
    if isinstance(value, Prior):
        return value
    return Prior(value / _PULL_DOUBT, value, value * _PULL_DOUBT)


def _why_not(
    figure: Figure | None, fitted: Fitted | None, scale: Scale, s: CalibrationSettings
) -> str:
    if figure is None:
        return "nothing was measured" if fitted is None else "nothing here measures it"
    e = figure.estimate
    if e.value is None or e.low is None or e.high is None:
        return e.unknown or "unknown"
    if figure.events < s.least_events:
        return f"{figure.events} events, {s.least_events} are needed"
    if scale == "log" and e.low <= 0.0:
        return f"{e.source}: can't be told from zero"
    return ""


def blended(prior: Prior, measured: Estimate, scale: Scale, s: CalibrationSettings) -> Prior:
    """A triangle and a measured interval (10 to 90 %) by precision, on the scale of logarithms or of shares."""
    assert measured.value is not None
    assert measured.low is not None
    assert measured.high is not None
    logs, doubt = scale == "log", s.doubt if scale == "log" else s.share_doubt

    def inward(x: float) -> float:
        return math.log(x) if logs else x

    a, c, b = inward(prior.low), inward(prior.centre), inward(prior.high)
    believed = (a + b + c) / 3.0
    variance = (a * a + b * b + c * c - a * b - a * c - b * c) / 18.0
    seen = inward(measured.value)
    spread = (inward(measured.high) - inward(measured.low)) / _TENTHS
    noise = spread**2 + doubt**2
    if variance <= 0.0:
        return prior
    weight = variance / (variance + noise)
    centre = believed + weight * (seen - believed)
    half = math.sqrt(6.0 * (1.0 - weight) * variance)  # of a symmetric triangle with that variance
    if logs:
        return Prior(math.exp(centre - half), math.exp(centre), math.exp(centre + half))
    low, high = max(centre - half, 0.0), min(centre + half, 1.0)
    return Prior(low, min(max(centre, low), high), high)
