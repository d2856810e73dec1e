"""Map and market → the cascade: both ways scanned, which is the easier, and the path redrawn after a cluster."""

from dataclasses import dataclass, replace

import numpy as np

from airpocket.cascade.dynamics import runaway_threshold
from airpocket.cascade.forced import beliefs, forced_of, side_of
from airpocket.cascade.procedures import handling_of
from airpocket.cascade.profile import (
    Law,
    far_books,
    law_of,
    profile_of,
    resting_of,
    resting_on,
)
from airpocket.cascade.records import Cascade, Direction, Profile, Redrawn, Scan, Unscanned
from airpocket.cascade.settings import CascadeSettings
from airpocket.cascade.way import NO_KAPPA_TAU, Seal, Way, scan_of
from airpocket.domain.estimates import RATIO, USD, Estimate, known, unknown
from airpocket.domain.events import FloatArray
from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.liquidations.records import LiquidationMap, Unmapped
from airpocket.market.state import Market
from airpocket.signals.panel import Signals

_DIRECTIONS: tuple[Direction, Direction] = ("up", "down")


@dataclass(frozen=True, slots=True)
class _Ground:
    """What both ways share: the map, the law, and the profile of each way around the price."""

    found: LiquidationMap
    law: Law | str
    profiles: dict[Direction, Profile]
    now: TimeNs
    settings: CascadeSettings

    def way(self, direction: Direction, price: float) -> Way:
        """One way from `price`, as far as both the map and the profile go."""
        whole = self.profiles[direction]
        forced = forced_of(self.found, price, direction, whole.distance)
        n = len(forced.distance)
        profile = replace(
            whole, distance=whole.distance[:n], absorb_usd=whole.absorb_usd[:n],
            latent_usd=whole.latent_usd[:n],
        )  # fmt: skip
        hedged = (
            self.found.hedged_shorts if side_of(direction) == "short" else self.found.hedged_longs
        )
        as_of = TimeNs(min(max(self.found.as_of, profile.as_of), self.now))
        seal = Seal(self.now, as_of, profile, f"liquidation map; {profile.label}")
        sets = beliefs(hedged, len(forced.draws), self.settings)
        handling = handling_of(self.found, side_of(direction))
        return Way(direction, profile, forced, sets, self.law, seal, self.settings, handling)


def cascade_of(
    found: LiquidationMap | Unmapped,
    market: Market,
    signals: Signals,
    settings: CascadeSettings | None = None,
) -> Cascade | Unscanned:
    """The fuel scan up and down from the map's price; or why there is none.

    Forced flow is the map's, net of its hedged share, times the share that trades in the book. It is
    held against what rests (a stored book, else depth bands) and, beyond or instead, against the
    square-root law. Ranges are 10 to 90 % over the map's draws, Y, the book share and the hedged share.
    """
    settings = settings or CascadeSettings()
    begun = _begun(found, market, signals, settings)
    if isinstance(begun, Unscanned):
        return begun
    ground, ways = begun
    found = ground.found
    up, down = scan_of(ways["up"]), scan_of(ways["down"])
    easier, glide = compare(ways["up"], ways["down"])
    return Cascade(
        now=market.now,
        price=found.price,
        up=up,
        down=down,
        easier=easier,
        glide=glide,
        runaway=_runaway(settings, ways["up"].seal),
        redrawn=tuple(
            again
            for way, scan in ((ways["up"], up), (ways["down"], down))
            if (again := _redrawn(ground, way, scan)) is not None
        ),
        notes=tuple(_notes(ground, glide, settings)),
    )


def ways_of(
    found: LiquidationMap | Unmapped, market: Market, signals: Signals, settings: CascadeSettings,
    on: tuple[str, ...] = (),
) -> "dict[Direction, Way] | Unscanned":  # fmt: skip
    """Both ways from the map's price, as the scan goes them; or why there are none.

    on: contracts whose books absorb, added up; by default all that reach far enough.
    """
    begun = _begun(found, market, signals, settings, on)
    return begun if isinstance(begun, Unscanned) else begun[1]


def _begun(
    found: LiquidationMap | Unmapped,
    market: Market,
    signals: Signals,
    settings: CascadeSettings,
    on: tuple[str, ...] = (),
) -> "tuple[_Ground, dict[Direction, Way]] | Unscanned":
    if isinstance(found, Unmapped):
        return Unscanned(f"no liquidation map: {found.reason}")
    if signals.last.value is None:
        return Unscanned(f"no price: {signals.last.unknown}")
    ground = _ground(found, market, settings, on)
    if isinstance(ground, str):
        return Unscanned(ground)
    ways: dict[Direction, Way] = {d: ground.way(d, found.price) for d in _DIRECTIONS}
    for way in ways.values():
        if len(way.distance) < 2:
            return Unscanned(f"the map or the book does not reach {way.direction} from the price")
    return ground, ways


def _ground(
    found: LiquidationMap, market: Market, settings: CascadeSettings, on: tuple[str, ...]
) -> _Ground | str:
    reference = market.reference
    hours_old = (market.now - int(reference.base.end[-1])) / HOUR_NS
    if hours_old > settings.price_fresh_h:
        return f"the last bar of {reference.key} is {hours_old:,.0f} h old"
    law = law_of(market, settings)
    steps = round(settings.reach / settings.step)
    distance = np.linspace(0.0, settings.reach, steps + 1)
    # the map adds up its venues, so their books do too; where only one reaches far, the best of all is taken
    together = on or far_books(market, found.price, settings)
    resting = {
        d: resting_on(market, together, found.price, d, settings)
        if on or len(together) > 1
        else resting_of(market, found.price, d, settings)
        for d in _DIRECTIONS
    }
    for reason in [side for side in resting.values() if isinstance(side, str)]:
        # one side measured and the other modelled would compare what can't be compared
        resting = dict.fromkeys(_DIRECTIONS, reason)
    profiles: dict[Direction, Profile] = {}
    for direction in _DIRECTIONS:
        profile = profile_of(resting[direction], law, distance, settings)
        if isinstance(profile, str):
            return f"nothing says what absorbs a push: {profile}"
        profiles[direction] = profile
    return _Ground(found, law, profiles, market.now, settings)


def compare(up: Way, down: Way) -> tuple[str, Estimate]:
    """Which way costs less at the compared distance, and the ratio of the costs, up over down."""
    settings = up.settings
    at_up, at_down = up.row(settings.compare_percent), down.row(settings.compare_percent)
    if isinstance(at_up, str) or isinstance(at_down, str):
        reason = at_up if isinstance(at_up, str) else str(at_down)
        return "unknown", unknown(RATIO, reason)
    cost_up, cost_down = float(up.ignition()[at_up]), float(down.ignition()[at_down])
    words = f"{settings.compare_percent:g} % costs nothing beyond what is forced anyway"
    if cost_up <= 0.0 or cost_down <= 0.0:
        free = [name for name, cost in (("up", cost_up), ("down", cost_down)) if cost <= 0.0]
        return "even" if len(free) == 2 else free[0], unknown(
            RATIO, f"{' and '.join(free)}: {words}"
        )
    ratio = cost_up / cost_down
    spread_up, spread_down = up.ignitions([at_up])[:, 0], down.ignitions([at_down])[:, 0]
    both = (spread_up > 0.0) & (spread_down > 0.0)
    spread: FloatArray = np.append(spread_up[both] / spread_down[both], ratio)
    easier = "even"
    if ratio > settings.easier_ratio:
        easier = "down"
    elif ratio < 1.0 / settings.easier_ratio:
        easier = "up"
    return easier, up.seal.estimate(ratio, RATIO, spread)


def _redrawn(ground: _Ground, way: Way, scan: Scan) -> Redrawn | None:
    """The glide path from just beyond the nearest cluster this way, or from the stop of its pocket."""
    away = _beyond_the_cluster(ground.found, way, scan)
    if away is None:
        return None
    price = ground.found.price * (1.0 + way.sign * away)
    up, down = ground.way("up", price), ground.way("down", price)
    if min(len(up.distance), len(down.distance)) < 2:
        return None
    easier, glide = compare(up, down)
    spent = float(np.interp(away, way.distance, way.fuel))
    return Redrawn(
        direction=way.direction,
        price=price,
        spent=way.seal.estimate(spent, USD, way.fuels_at(away)),
        cost_up=up.costs(),
        cost_down=down.costs(),
        easier=easier,
        glide=glide,
    )


def _beyond_the_cluster(found: LiquidationMap, way: Way, scan: Scan) -> float | None:
    """Distance, a fraction, at which the nearest cluster of this side is behind; None without one."""
    ahead: list[tuple[float, float]] = []
    for cluster in found.clusters:
        far = cluster.high if way.sign > 0 else cluster.low
        distance = way.sign * (far / found.price - 1.0)
        if cluster.side == side_of(way.direction) and distance > 0.0:
            ahead.append((way.sign * (cluster.peak / found.price - 1.0), distance))
    if not ahead:
        return None
    peak, away = min(ahead)
    for pocket in scan.pockets:
        start, stop = abs(pocket.start_percent) / 100.0, abs(pocket.stop_percent) / 100.0
        if pocket.inside_grid and start <= peak <= stop:
            away = max(away, stop)
    return away if away <= way.distance[-1] else None


def _runaway(settings: CascadeSettings, seal: Seal) -> Estimate:
    if settings.kappa_tau is None:
        return unknown(RATIO, NO_KAPPA_TAU)
    return known(
        runaway_threshold(settings.kappa_tau), RATIO, as_of=seal.as_of, now=seal.now,
        provenance="modelled", source=f"κτ {settings.kappa_tau:g} as given",
    )  # fmt: skip


def _notes(ground: _Ground, glide: Estimate, settings: CascadeSettings) -> list[str]:
    found, share = ground.found, settings.book_share
    notes = [f"{d}: {ground.profiles[d].label}" for d in _DIRECTIONS]
    if notes[0].removeprefix("up: ") == notes[1].removeprefix("down: "):
        notes = [notes[0].removeprefix("up: ")]
    if ground.profiles["up"].kind == "square_root":
        notes.append(
            "No book: the costs are those of a push worked patiently over about a day. A push faster "
            "than orders come back needs far less, and how much less is not known. The law is the "
            "same both ways, so only forced flow can make one the easier."
        )
    else:
        notes.append(
            "The costs are those of a push faster than orders come back or are pulled; the slow costs "
            "are its patient end."
        )
    notes.append(
        f"Forced flow counts at {share.centre:g} of the map's ({share.low:g} to {share.high:g}): "
        "the rest goes to insurance funds and auto-deleveraging and misses the book. Stop orders "
        "are not in it."
    )
    for hedged, side in ((found.hedged_shorts, "shorts"), (found.hedged_longs, "longs")):
        if hedged.value is None:
            notes.append(f"Hedged share of {side} unknown: counted as none, so too much is forced.")
    if isinstance(ground.law, Law):
        notes.append(
            f"Volume and volatility are of one contract ({ground.law.source}); the map sums "
            f"{len(found.sources)} ({', '.join(source.key for source in found.sources)})."
        )
    else:
        notes.append(f"No slow limit: {ground.law}")
    if glide.low is not None and glide.high is not None and glide.low < 1.0 < glide.high:
        notes.append("The range of the glide ratio includes 1: neither way is surely the easier.")
    return notes
