"""One way from the price: costs, stops, pockets and reproduction, each with its range over the priors."""

import math
from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.dynamics import overshoot_peak
from airpocket.cascade.forced import Beliefs, Forced
from airpocket.cascade.fuel import Ladder, Scenarios, ignition_at, screen
from airpocket.cascade.procedures import UNHANDLED, Handling
from airpocket.cascade.profile import Law
from airpocket.cascade.records import Direction, Pocket, Profile, Scan, Stop
from airpocket.cascade.settings import CascadeSettings
from airpocket.cascade.static import jumps
from airpocket.domain.estimates import PERCENT, RATIO, USD, Estimate, known, unknown
from airpocket.domain.events import FloatArray
from airpocket.domain.units import TimeNs

NO_KAPPA_TAU = (
    "needs how fast price recovers times how late forced orders come (κτ), which is not measured"
)


@dataclass(frozen=True, slots=True)
class Seal:
    """What every figure of one scan carries: times, provenance and source."""

    now: TimeNs
    as_of: TimeNs
    profile: Profile
    source: str

    def estimate(self, value: float, unit: str, spread: FloatArray) -> Estimate:
        """A figure with the 10 to 90 % range of `spread`, widened to hold the centre."""
        ordered = np.sort(spread)
        tenth = round(0.1 * (len(ordered) - 1))
        low, high = ordered[tenth], ordered[-1 - tenth]
        return known(
            value, unit, as_of=self.as_of, now=self.now, source=self.source,
            provenance="mixed" if self.profile.kind == "book" else "modelled",
            interval=(min(float(low), value), max(float(high), value)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """What one direction's scan works on: profile and forced flow share the same distances.

    handling: how its forced flow leaves, which only paths with time in them look at.
    """

    direction: Direction
    profile: Profile
    forced: Forced
    beliefs: Beliefs
    law: Law | str
    seal: Seal
    settings: CascadeSettings
    handling: Handling = UNHANDLED

    @property
    def sign(self) -> float:
        return 1.0 if self.direction == "up" else -1.0

    @property
    def distance(self) -> FloatArray:
        return self.profile.distance

    @property
    def fuel(self) -> FloatArray:
        """(B,) cumulative forced flow that trades in the book, at the centre of the priors."""
        return self.beliefs.fuel_centre * self.forced.centre

    def ignition(self) -> FloatArray:
        """(B,) what a push must exceed to trade beyond each distance, at the centre of the priors."""
        return np.maximum.accumulate(self.profile.absorb_usd - self.fuel)

    def ignitions(self, rows: list[int]) -> FloatArray:
        """(N, K) the same under every set of priors, at levels `rows`, rising."""
        ladder, sets = self.ladder(), self.scenarios(0.0)
        return ignition_at(ladder, sets, np.array(rows, dtype=np.int64))[1:]

    def ladder(self) -> Ladder:
        """The map's draws, then its centre, against the profile."""
        latent = self.profile.latent_usd
        # the difference of two rising arrays can fall by rounding
        visible = np.maximum.accumulate(np.maximum(self.profile.absorb_usd - latent, 0.0))
        forced = np.concatenate([self.forced.draws, self.forced.centre[None, :]])
        return Ladder(self.distance, visible, latent, forced)

    def scenarios(self, push: float) -> Scenarios:
        """The centre of the priors first, then every set."""
        b, count = self.beliefs, len(self.beliefs.fuel) + 1
        return Scenarios(
            push=np.full(count, push),
            depth=np.ones(count),
            refill=np.concatenate([[1.0], b.refill(self.profile.kind)]),
            fuel=np.concatenate([[b.fuel_centre], b.fuel]),
            draw=np.concatenate([[len(self.forced.draws)], b.draw]),
        )

    def fuels_at(self, away: float) -> FloatArray:
        """(N,) cumulative forced flow at a distance between levels, by straight lines."""
        j = int(np.clip(np.searchsorted(self.distance, away), 1, len(self.distance) - 1))
        share = (away - self.distance[j - 1]) / (self.distance[j] - self.distance[j - 1])
        near = self.forced.draws[:, j - 1 : j + 1]
        at = near[:, 0] + share * (near[:, 1] - near[:, 0])
        return self.beliefs.fuel * at[self.beliefs.draw]

    def row(self, percent: float) -> int | str:
        """The level at a distance in per cent, or why there is none."""
        wanted = percent / 100.0
        if len(self.distance) == 0 or wanted > self.distance[-1] + 1e-9:
            end = 100 * float(self.distance[-1]) if len(self.distance) else 0.0
            return f"the scan ends {end:.1f} % {'above' if self.sign > 0 else 'below'} the price"
        return int(np.argmin(np.abs(self.distance - wanted)))

    def costs(self) -> dict[float, Estimate]:
        """Percent → ignition cost, USD."""
        centre, found = self.ignition(), dict[float, Estimate]()
        at = {percent: self.row(percent) for percent in sorted(self.settings.at_percent)}
        rows = [row for row in at.values() if isinstance(row, int)]
        spread = dict(zip(rows, self.ignitions(rows).T, strict=True))
        for percent, row in at.items():
            found[percent] = (
                unknown(USD, row)
                if isinstance(row, str)
                else self.seal.estimate(float(centre[row]), USD, spread[row])
            )
        return found

    def against_the_law(self) -> "Way | None":
        """The same fuel against the square-root law alone; None without a law."""
        if isinstance(self.law, str):
            return None
        latent = self.law.absorbed(self.distance, self.beliefs.y_centre)
        profile = replace(self.profile, kind="square_root", absorb_usd=latent, latent_usd=latent)
        source = f"liquidation map; square-root law ({self.law.source})"
        return replace(
            self, profile=profile, seal=replace(self.seal, profile=profile, source=source)
        )


def scan_of(way: Way) -> Scan:
    """Everything of one direction."""
    slow_way = way.against_the_law()
    absorbed, fuel = np.diff(way.profile.absorb_usd), np.diff(way.fuel)
    with np.errstate(divide="ignore", invalid="ignore"):
        reproduction = np.concatenate([[np.nan], fuel / absorbed])
    fast = _fast(way)
    no_law = way.law if isinstance(way.law, str) else ""
    return Scan(
        direction=way.direction,
        profile=way.profile,
        forced_usd=way.fuel,
        ignition_usd=way.ignition(),
        reproduction=reproduction,
        pockets=_pockets(way),
        stops=_stops(way),
        cost=way.costs(),
        cost_slow=slow_way.costs()
        if slow_way
        else {p: unknown(USD, no_law) for p in way.settings.at_percent},
        fast=fast,
        slow=_slow(way),
        overshoot=_overshoot(fast, way.settings.kappa_tau),
    )


def _pockets(way: Way) -> tuple[Pocket, ...]:
    distance, fuel = way.distance, way.fuel
    found: list[Pocket] = []
    for jump in jumps(way.profile.absorb_usd - fuel):
        stop = len(distance) - 1 if jump.stop is None else jump.stop
        if distance[stop] - distance[jump.start] < way.settings.least_pocket:
            continue
        percents = way.sign * 100.0 * distance[[jump.start, stop]]
        forced = float(fuel[stop] - fuel[jump.start])
        found.append(
            Pocket(jump.push, float(percents[0]), float(percents[1]), forced, jump.stop is not None)
        )
    return tuple(found)


def _stops(way: Way) -> tuple[Stop, ...]:
    """Where pushes of a share of a day's volume end; none without a volume."""
    if isinstance(way.law, str):
        return ()
    return tuple(_stop(way, share * way.law.volume_usd) for share in way.settings.push_shares)


def _stop(way: Way, push: float) -> Stop:
    found = screen(way.ladder(), way.scenarios(push))
    reached = way.sign * 100.0 * found.reached
    amplified = found.absorbed / push
    inside = bool(found.stopped[0])
    amplification = (
        way.seal.estimate(float(amplified[0]), RATIO, amplified[1:])
        if inside
        else unknown(RATIO, "the push leaves the scan: nothing seen stops it")
    )
    return Stop(
        push, way.seal.estimate(float(reached[0]), PERCENT, reached[1:]), amplification, inside
    )


def _stretch(way: Way) -> float:
    """The move that fast and slow are compared at: the usual stretch, or as far as orders are stored."""
    reach = way.profile.measured_to
    return min(way.settings.fast_stretch, reach) if reach > 0 else way.settings.fast_stretch


def _fast(way: Way) -> Estimate:
    """Forced over resting within the first stretch: R against the book as it stands."""
    stretch = _stretch(way)
    if way.profile.kind != "book":
        return unknown(RATIO, "no book that can be used is stored, so what rests now is not known")
    if stretch < 2 * way.settings.step:
        return unknown(RATIO, f"the stored book reaches only {100 * stretch:.2f} %")
    if stretch > way.distance[-1]:
        return unknown(RATIO, "the map ends before the stretch that R is taken over")
    rests = float(np.interp(stretch, way.distance, way.profile.absorb_usd))
    if rests <= 0.0:
        return unknown(RATIO, f"nothing rests within {100 * stretch:.2f} %")
    fuels = way.fuels_at(stretch)
    centre = float(np.interp(stretch, way.distance, way.fuel))
    return way.seal.estimate(centre / rests, RATIO, fuels / rests)


def _slow(way: Way) -> Estimate:
    """c / (2 √x) with c = Y σ √(ρ/V) and ρ the mean fuel per unit move over the same stretch."""
    law, stretch, patient = way.law, _stretch(way), way.against_the_law()
    if isinstance(law, str) or patient is None:
        return unknown(RATIO, str(law))
    if stretch > way.distance[-1]:
        return unknown(RATIO, "the map ends before the stretch that R is taken over")
    # with ρ = L/x the formula is Y σ √(L/V) / (2x)
    gauge = law.volatility / math.sqrt(law.volume_usd) / (2.0 * stretch)
    fuels = way.fuels_at(stretch)
    spread: FloatArray = gauge * way.beliefs.y * np.sqrt(fuels)
    fuel = float(np.interp(stretch, way.distance, way.fuel))
    return patient.seal.estimate(gauge * way.beliefs.y_centre * math.sqrt(fuel), RATIO, spread)


def _overshoot(fast: Estimate, kappa_tau: float | None) -> Estimate:
    if kappa_tau is None:
        return unknown(RATIO, NO_KAPPA_TAU)
    if fast.value is None or fast.as_of is None:
        return unknown(RATIO, fast.unknown or "")
    found = overshoot_peak(fast.value, kappa_tau)
    if found.peak is None:
        return unknown(
            RATIO, "no peak: past the runaway threshold only the end of the fuel stops it"
        )
    return Estimate(
        unit=RATIO, value=found.peak, as_of=fast.as_of, age_s=fast.age_s, provenance="modelled",
        source=f"{fast.source}; κτ {kappa_tau:g} as given",
    )  # fmt: skip
