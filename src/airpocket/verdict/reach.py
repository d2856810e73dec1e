"""How near forced flow is to feeding itself: the nearest pocket each way, what opens it, whether it would run."""

from dataclasses import dataclass

from msgspec import structs

from airpocket.cascade.records import Cascade, Direction, Pocket, Unscanned
from airpocket.cascade.standing import Standing
from airpocket.domain.estimates import MINUTES, PERCENT, RATIO, USD, Estimate, known, unknown
from airpocket.domain.tells import Tell, at_least, at_most, context
from airpocket.market.state import Market
from airpocket.signals.taker import TakerRate, taker_rate

DIRECTIONS: tuple[Direction, Direction] = ("up", "down")


@dataclass(frozen=True, slots=True)
class ReachSettings:
    """Fixed before any result was seen; none is fitted.

    enter_min: minutes of the present taker flow that open the pocket, at or below which it is within reach; it
    stays so until they exceed leave_min. A large perpetual's book holds about ten minutes of one side's flow
    within 1 % (25 bn USD a day, 100 mn resting): half of that is unusual. squeeze: S from which nothing turns a
    burst round.
    """

    enter_min: float = 5.0
    leave_min: float = 10.0
    squeeze: float = 1.0


@dataclass(frozen=True, slots=True)
class Reach:
    """One way. cost: what a push must exceed to open the pocket. rate: present taker flow a minute; minutes: of
    it that come to the cost. squeeze: S over the pocket's first per cent; here: S over the first per cent from the
    price. within: whether the pocket is within reach, with hysteresis over the last minutes; None where that can't
    be known.
    """

    direction: Direction
    pocket: Pocket | None
    cost: Estimate
    rate: Estimate
    minutes: Estimate
    squeeze: Estimate
    here: Estimate
    within: bool | None
    settings: ReachSettings

    @property
    def open(self) -> bool:
        """Within reach, and it would run: what arms a quiet market. Never where a figure is unknown."""
        return self.within is True and self.squeeze.above(self.settings.squeeze) is True

    @property
    def tells(self) -> list[Tell]:
        """Where, for how much, how soon, and whether it runs."""
        s, way, side = (
            self.settings,
            self.direction,
            "buying" if self.direction == "up" else "selling",
        )
        start = (
            unknown(PERCENT, self.cost.unknown or "no pocket is seen")
            if self.pocket is None or self.cost.as_of is None
            else structs.replace(
                self.cost, unit=PERCENT, value=self.pocket.start_percent, low=None, high=None
            )
        )
        return [
            context(f"pocket_{way}", f"{way}: nearest pocket begins", start),
            context(f"ignition_{way}", f"{way}: push that opens it", self.cost),
            context(f"taker_{way}", f"{way}: taker {side} a minute, last minutes", self.rate),
            at_most(
                f"ignition_minutes_{way}", f"{way}: minutes of that {side} it comes to", self.minutes,
                s.enter_min, f"within reach at {s.enter_min:g} min",
            ),
            at_least(
                f"squeeze_{way}", f"{way}: squeeze number S in the pocket", self.squeeze, s.squeeze,
                f"runs while fuel lasts from {s.squeeze:g}",
            ),
            at_least(
                f"squeeze_here_{way}", f"{way}: squeeze number S at the price", self.here, s.squeeze,
                f"runs while fuel lasts from {s.squeeze:g}",
            ),
        ]  # fmt: skip


def reaches(
    market: Market, scan: Cascade | Unscanned, standing: Standing | Unscanned,
    settings: ReachSettings | None = None,
) -> "dict[Direction, Reach]":  # fmt: skip
    """Both ways, at the market's time."""
    s = settings or ReachSettings()
    return {direction: _reach(direction, market, scan, standing, s) for direction in DIRECTIONS}


def _reach(
    direction: Direction, market: Market, scan: Cascade | Unscanned, standing: Standing | Unscanned,
    s: ReachSettings,
) -> Reach:  # fmt: skip
    if isinstance(standing, Unscanned):
        squeeze = here = unknown(RATIO, standing.reason)
    else:
        squeeze, here = standing.ways[direction].pocket, standing.ways[direction].squeeze
    if isinstance(scan, Unscanned):
        return _dark(direction, scan.reason, squeeze, here, s)
    way = scan.up if direction == "up" else scan.down
    if way.profile.no_book:
        return _dark(direction, way.profile.no_book, squeeze, here, s)
    rate = taker_rate(market, way.profile.contracts)
    flow = (
        unknown(USD, rate)
        if isinstance(rate, str)
        else rate.estimate(market.now, up=direction == "up")
    )
    if way.ignition is None:
        why = f"no pocket is seen within {100.0 * float(way.profile.distance[-1]):.0f} %"
        return Reach(
            direction, None, unknown(USD, why), flow, unknown(MINUTES, why), squeeze, here, False, s
        )
    cost = way.ignition.cost
    within = None if isinstance(rate, str) else _within(cost, rate, direction, s)
    minutes = _minutes(cost, flow, market.now)
    return Reach(direction, way.ignition.pocket, cost, flow, minutes, squeeze, here, within, s)


def _dark(
    direction: Direction, why: str, squeeze: Estimate, here: Estimate, s: ReachSettings
) -> Reach:
    """Nothing is known of what lies ahead."""
    none = unknown(USD, why)
    return Reach(direction, None, none, none, unknown(MINUTES, why), squeeze, here, None, s)


def _minutes(cost: Estimate, rate: Estimate, now: int) -> Estimate:
    if cost.value is None or rate.value is None or cost.as_of is None or rate.as_of is None:
        return unknown(MINUTES, cost.unknown or rate.unknown or "")
    if rate.value <= 0.0:
        return unknown(MINUTES, f"nobody traded that way in the last minutes ({rate.source})")
    low, high = (bound / rate.value for bound in (cost.low or 0.0, cost.high or cost.value))
    return known(
        cost.value / rate.value, MINUTES, as_of=max(cost.as_of, rate.as_of), now=now,
        provenance=cost.provenance, source=f"{cost.source}; taker volume of {rate.source}",
        interval=(low, high) if cost.low is not None else None,
    )  # fmt: skip


def _within(cost: Estimate, rate: TakerRate, direction: Direction, s: ReachSettings) -> bool:
    """Entered at `enter_min`, left beyond `leave_min`: the cost of now against the flow of each minute."""
    found = False
    for flow in (rate.bought if direction == "up" else rate.sold).tolist():
        need = (cost.value or 0.0) / flow if flow > 0.0 else float("inf")
        found = need <= (s.leave_min if found else s.enter_min)
    return found
