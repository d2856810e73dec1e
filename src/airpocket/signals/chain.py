"""What an option chain says: volatility at the money, its skew and term, rich or cheap, and what hedgers may do."""

import math
from dataclasses import dataclass, field

import numpy as np

from airpocket.domain.estimates import (
    PERCENT,
    PERCENT_YEAR,
    POINTS,
    PRICE,
    RATIO,
    USD,
    Estimate,
    known,
    unknown,
)
from airpocket.domain.tells import Reading, Tell, at_least, at_most, context
from airpocket.domain.units import DAY_NS, HOUR_NS
from airpocket.market.options.chain import ChainSnapshot, newest_chain
from airpocket.market.options.gravity import (
    Assumption,
    gamma_exposure,
    interest_by_strike,
    least_pain,
)
from airpocket.market.options.greeks import greeks
from airpocket.market.options.surface import Smile, Surface, surface_of
from airpocket.market.state import Market

_WEEK, _MONTH, _QUARTER = 7.0, 30.0, 90.0  # days
_YEAR_D = 365.0
_DAY_SLACK_NS = 8 * HOUR_NS  # chains come about every six hours
_REACH_D = 35
ASSUMED: Assumption = "dealers long calls, short puts"


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """Conventions, not fitted. Options are rich where implied volatility is `rich` times realised or more."""

    rich: float = 1.2
    cheap: float = 0.9
    jump_percent: float = 20.0


@dataclass(slots=True)
class ChainState:
    """Keeps the fitted surfaces of the newest chains, so that a chain is fitted once."""

    settings: ChainSettings = field(default_factory=ChainSettings)
    _fitted: dict[tuple[str, int], Surface] = field(default_factory=dict[tuple[str, int], Surface])

    def reading(self, market: Market, realised: Estimate) -> Reading:
        """Everything of the newest chain at `market.now`; `realised`: 30 d, per cent a year."""
        found = newest_chain(market, market.now)
        if isinstance(found, str):
            return _none(found)
        surface = self._surface(found)
        if not surface.smiles:
            return _none(f"no smile runs through the quotes of {found.source}")
        before = self._before(market)
        told = _Told(found, surface, market.now)
        month = told.level(_MONTH)
        tells = [
            context("atm_30d", "implied volatility at the money, 30 d", month),
            context("atm_7d", "the same, 7 d", told.level(_WEEK)),
            context("atm_90d", "the same, 90 d", told.level(_QUARTER)),
            context("term_slope", "90 d less 7 d", told.slope()),
            context("skew_25d", "25-delta call less put, 30 d", told.skew(_MONTH)),
            at_least("atm_change_24h", "30 d at the money, 24 h, relative", _change(told, before),
                     self.settings.jump_percent, f"a jump at {self.settings.jump_percent:g} %"),
            *_against(told, month, realised, self.settings),
            *told.gravity(),
        ]  # fmt: skip
        return _read(tells, found, surface, self.settings)

    def _surface(self, chain: ChainSnapshot) -> Surface:
        key = (chain.source, chain.ts)
        if key not in self._fitted:
            while len(self._fitted) >= 4:
                del self._fitted[next(iter(self._fitted))]
            self._fitted[key] = surface_of(chain.quotes)
        return self._fitted[key]

    def _before(self, market: Market) -> "_Told | str":
        """The chain of a day ago; of another time of that day where none is nearer."""
        at = market.now - DAY_NS
        found = newest_chain(market, at)
        if isinstance(found, str):
            return found
        if at - found.ts > _DAY_SLACK_NS:
            return "no chain of a day before is stored"
        return _Told(found, self._surface(found), at)


@dataclass(frozen=True, slots=True)
class _Told:
    """Figures of one chain."""

    chain: ChainSnapshot
    surface: Surface
    now: int

    def figure(self, value: float, unit: str, source: str) -> Estimate:
        return known(
            value, unit, as_of=self.chain.ts, now=self.now, provenance="modelled",
            source=f"{self.chain.source}: {source}",
        )  # fmt: skip

    def level(self, days: float) -> Estimate:
        """At the forward, per cent a year; unknown outside of the expiries."""
        ends = [smile.years * _YEAR_D for smile in self.surface.smiles]
        if not 0.5 * ends[0] <= days <= 1.5 * ends[-1]:
            return unknown(
                PERCENT_YEAR, f"the chain's expiries run from {ends[0]:.0f} to {ends[-1]:.0f} d"
            )
        value = 100.0 * float(self.surface.volatility(0.0, days / _YEAR_D))
        return self.figure(value, PERCENT_YEAR, "between the nearest expiries")

    def slope(self) -> Estimate:
        near, far = self.level(_WEEK), self.level(_QUARTER)
        if near.value is None or far.value is None:
            return unknown(POINTS, near.unknown or far.unknown or "")
        return self.figure(far.value - near.value, POINTS, "above 0: later expiries dearer")

    def skew(self, days: float) -> Estimate:
        """Volatility of the 25-delta call less that of the put, points; of the expiry nearest to `days`."""
        smile = min(self.surface.smiles, key=lambda each: abs(each.years * _YEAR_D - days))
        if not 0.5 * days <= smile.years * _YEAR_D <= 2.0 * days:
            return unknown(POINTS, f"no expiry near {days:g} d")
        wings = [_at_delta(smile, call=call) for call in (True, False)]
        if any(math.isnan(each) for each in wings):
            return unknown(POINTS, "the smile holds no option of 25 delta")
        value = 100.0 * (wings[0] - wings[1])
        return self.figure(value, POINTS, f"expiry in {smile.years * _YEAR_D:.0f} d")

    def gravity(self) -> list[Tell]:
        """Where open interest sits and what its hedgers would do, were dealers placed as assumed."""
        interest = interest_by_strike(self.chain, _REACH_D * DAY_NS)
        pain = least_pain(interest)
        held = interest.calls + interest.puts
        tells = [
            context("heaviest_strike", f"strike with most open interest, {_REACH_D} d", (
                unknown(PRICE, "no open interest is known") if pain is None else
                self.figure(float(interest.strike[int(np.argmax(held))]), PRICE,
                            "open interest, unsigned"))),
            context("least_pain", "settlement that pays holders least", (
                unknown(PRICE, "no open interest is known") if pain is None else
                self.figure(pain, PRICE, "describes the interest; no tested pull"))),
        ]  # fmt: skip
        if pain is None:
            return [
                *tells,
                context(
                    "gamma_flow", "hedgers per +1 %", unknown(USD, "no open interest is known")
                ),
            ]
        flow = float(
            gamma_exposure(self.chain, self.surface, np.array([self.chain.index]), ASSUMED)[0]
        )
        label = f"hedgers buy (below zero: sell) per +1 %, if {ASSUMED}"
        source = "an assumption decides the sign: open interest is unsigned"
        return [*tells, context("gamma_flow", label, self.figure(flow, USD, source))]


def _at_delta(smile: Smile, *, call: bool, delta: float = 0.25) -> float:
    """Volatility at the strike with that forward delta, by halving; NaN where the wing never gets there."""
    way = 1.0 if call else -1.0

    def beyond(k: float) -> float:
        vol = float(smile.svi.volatility(k, smile.years))
        return abs(float(greeks(call, 1.0, math.exp(k), smile.years, vol).delta)) - delta

    low, high = 0.0, way * 2.0
    if beyond(low) < 0.0 or beyond(high) > 0.0:
        return math.nan
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if beyond(middle) > 0.0 else (low, middle)
    return float(smile.svi.volatility(low, smile.years))


def _change(told: _Told, before: _Told | str) -> Estimate:
    if isinstance(before, str):
        return unknown(PERCENT, before)
    now, then = told.level(_MONTH), before.level(_MONTH)
    if now.value is None or then.value is None:
        return unknown(PERCENT, now.unknown or then.unknown or "")
    return told.figure(100.0 * (now.value / then.value - 1.0), PERCENT, "against a day before")


def _against(
    told: _Told, month: Estimate, realised: Estimate, settings: ChainSettings
) -> list[Tell]:
    """The volatility rule: implied over realised, and what the odds of a squeeze would say to it."""
    if month.value is None or realised.value is None or realised.value <= 0.0:
        ratio = unknown(RATIO, month.unknown or realised.unknown or "realised volatility is zero")
    else:
        ratio = told.figure(month.value / realised.value, RATIO, "implied over realised, 30 d")
    odds = unknown(RATIO, "odds of a squeeze are not evaluated yet")
    return [
        at_least("implied_rich", "implied over realised volatility", ratio, settings.rich,
                 f"rich at {settings.rich:g}"),
        at_most("implied_cheap", "the same", ratio, settings.cheap, f"cheap at {settings.cheap:g}"),
        context("implied_squeeze", "implied against the odds of a squeeze", odds),
    ]  # fmt: skip


def _read(tells: list[Tell], chain: ChainSnapshot, surface: Surface, s: ChainSettings) -> Reading:
    by_id = {tell.id: tell for tell in tells}
    ratio = by_id["implied_rich"].estimate.value
    if ratio is None:
        state, because = "unknown", [by_id["implied_rich"].estimate.unknown or ""]
    else:
        state = "rich" if ratio >= s.rich else "cheap" if ratio <= s.cheap else "fair"
        because = [f"30-day options cost {ratio:.2f} times the volatility realised in 30 days"]
    quotes = sum(smile.quotes for smile in surface.smiles)
    inside = sum(smile.inside for smile in surface.smiles)
    because.append(
        f"{len(surface.smiles)} expiries of {chain.venue}, {inside} of {quotes} clean quotes on the surface"
    )
    return _reading(state, because, tells)


def _none(why: str) -> Reading:
    missing = unknown(PERCENT_YEAR, why)
    tells = [context("atm_30d", "implied volatility at the money, 30 d", missing)]
    return _reading("unknown", [why], tells)


def _reading(state: str, because: list[str], tells: list[Tell]) -> Reading:
    return Reading(
        id="options",
        title="Options",
        state=state,
        because=because,
        tells=tells,
        refs=["M21", "M32", "M36"],
    )
