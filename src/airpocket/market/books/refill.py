"""How fast depth comes back after trades have eaten it: an event study of the depth near the touch."""

import math
from collections import deque
from dataclasses import dataclass

from airpocket.domain.units import SECOND_NS, Side
from airpocket.domain.wire import Trade
from airpocket.market.books.ladder import Ladder
from airpocket.market.books.measures import depth_within


@dataclass(frozen=True, slots=True)
class RefillSettings:
    """Priors, fixed before any result was seen; none is fitted."""

    percent: float = 0.1  # depth within so much of the mid
    look_ns: int = SECOND_NS // 10
    usual_s: float = 60.0  # memory of the usual depth
    warm: int = 100  # looks before there is a usual depth
    shock: float = 0.2  # share of the usual depth that must have gone
    eaten: float = 0.5  # of it, the share that trades must account for
    shock_ns: int = 2 * SECOND_NS  # from the first look at the shock to its trough
    lag_ns: int = 5 * SECOND_NS  # of the regression
    horizon_ns: int = 60 * SECOND_NS
    fewest: int = 8
    most: int = 256


@dataclass(frozen=True, slots=True)
class Refilled:
    """One side's depth after shocks. None: too few cases, or no such figure in them.

    half_s: Kaplan–Meier median of the time until half of what went (in logarithms) is back, cases not back
    within the horizon counted as longer than it. kappa_per_s: κ_r = −ln β / lag, β the regression through
    the origin of ln D(t + lag) − ln D̄ on the shock ln D(t) − ln D̄.
    """

    cases: int
    unfinished: int
    half_s: float | None
    kappa_per_s: float | None


@dataclass(slots=True)
class _Case:
    usual: float  # ln USD
    began: int
    trough_at: int
    trough: float  # ln D − ln D̄, below 0
    half_ns: int | None = None
    later: float | None = None  # the same at the lag


class _OneSide:
    def __init__(self, settings: RefillSettings) -> None:
        self._settings = settings
        self._usual, self._looks, self._last = 0.0, 0, 0
        self._eaten: deque[tuple[int, float]] = deque(maxlen=4_096)
        self._case: _Case | None = None
        self.done: deque[_Case] = deque(maxlen=settings.most)

    def took(self, at: int, usd: float) -> None:
        self._eaten.append((at, usd))

    def look(self, usd: float, at: int) -> None:
        if usd <= 0.0:
            return
        depth = math.log(usd)
        case = self._case
        if case is not None:
            self._follow(case, depth - case.usual, at)
        elif self._shocked(depth, usd, at):
            self._case = _Case(self._usual, at, at, depth - self._usual)
        else:
            self._learn(depth, at)

    def _learn(self, depth: float, at: int) -> None:
        """The usual depth, a mean of logarithms that forgets; it stands still while a shock is followed."""
        gap_s = (at - self._last) / SECOND_NS
        weight = 1.0 - math.exp(-gap_s / self._settings.usual_s) if self._looks else 1.0
        weight = max(weight, 1.0 / (self._looks + 1))
        self._usual += weight * (depth - self._usual)
        self._looks += 1
        self._last = at

    def _shocked(self, depth: float, usd: float, at: int) -> bool:
        rule = self._settings
        if self._looks < rule.warm or depth - self._usual > math.log(1.0 - rule.shock):
            return False
        eaten = sum(usd for heard, usd in self._eaten if at - heard <= rule.shock_ns)
        return eaten >= rule.eaten * (math.exp(self._usual) - usd)

    def _follow(self, case: _Case, shortfall: float, at: int) -> None:
        rule = self._settings
        if shortfall < case.trough and at - case.began <= rule.shock_ns:
            case.trough, case.trough_at, case.half_ns = shortfall, at, None
        elif case.half_ns is None and shortfall >= case.trough / 2.0:
            case.half_ns = at - case.trough_at
        if case.later is None and at - case.trough_at >= rule.lag_ns:
            case.later = shortfall
        over = at - case.trough_at >= rule.horizon_ns
        told = case.later is not None and case.half_ns is not None
        # still short of a shock's depth: not usual yet, and no shock of its own
        if over or (told and shortfall > math.log(1.0 - rule.shock)):
            self.done.append(case)
            self._case, self._last = None, at

    def lost(self) -> None:
        self._case, self._looks = None, 0
        self._eaten.clear()


class Refill:
    """Watches one live book and its tape. Times are ns as heard, in order."""

    def __init__(self, settings: RefillSettings | None = None) -> None:
        self._settings = settings or RefillSettings()
        self._sides: dict[Side, _OneSide] = {
            "buy": _OneSide(self._settings),
            "sell": _OneSide(self._settings),
        }
        self._looked: int | None = None

    def trade(self, trade: Trade) -> None:
        """What a taker took off the side it hit; USD where sizes are coin and the quote is dollars."""
        if trade.size is not None:
            self._sides[trade.taker_side].took(trade.usable_from, trade.size * trade.price)

    def changed(self, book: Ladder, at: int) -> None:
        """The live book after a change; looked at ten times a second at most."""
        if self._looked is not None and at - self._looked < self._settings.look_ns:
            return
        self._looked = at
        for side, one in self._sides.items():
            percent = self._settings.percent
            band = depth_within(book, percent if side == "buy" else -percent)
            if band is not None:
                one.look(band.usd, at)

    def lost(self) -> None:
        """The book is not to be trusted: open cases are given up and the usual depth is learnt again."""
        for side in self._sides.values():
            side.lost()

    def figures(self) -> dict[Side, Refilled]:
        """By taker side: buy is the asks, eaten by buyers."""
        return {side: self._refilled(list(one.done)) for side, one in self._sides.items()}

    def _refilled(self, cases: list[_Case]) -> Refilled:
        unfinished = sum(case.half_ns is None for case in cases)
        if len(cases) < self._settings.fewest:
            return Refilled(len(cases), unfinished, None, None)
        # every unfinished case is cut at the same horizon, after all others: then the Kaplan–Meier
        # median is the plain one of all cases, unless it falls among the unfinished
        ends = sorted(case.half_ns for case in cases if case.half_ns is not None)
        middle = (len(cases) - 1) // 2
        half_s = ends[middle] / SECOND_NS if middle < len(ends) else None
        return Refilled(len(cases), unfinished, half_s, self._kappa(cases))

    def _kappa(self, cases: list[_Case]) -> float | None:
        pairs = [(case.trough, case.later) for case in cases if case.later is not None]
        square = sum(first * first for first, _ in pairs)
        slope = sum(first * later for first, later in pairs) / square if square else 0.0
        if not 0.0 < slope < 1.0:
            return None
        return -math.log(slope) / (self._settings.lag_ns / SECOND_NS)
