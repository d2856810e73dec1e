"""The simulated market itself: price, latent positions and resting orders acting on each other, step by step."""

import math
from collections import deque
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS, PositionSide
from airpocket.lab.chance import fat_tailed, stream, wandering
from airpocket.lab.latent import Forced, LatentSide
from airpocket.lab.scenario import FINE_NS, FloatArray, Grid, IntArray, Story, grid, story

PERPS = ("sim_perp", "sim_perp2")
SHARE = (0.7, 0.3)  # of open interest and forced flow
_LEVERAGES = (2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
_LEVERAGE_ODDS_UP_TO = (0.30, 0.54, 0.76, 0.91, 0.98)  # cumulative
_COHORTS = 3
_VOLATILITY_PER_YEAR = 0.50
_MINUTES_PER_YEAR = 365.0 * 24.0 * 60.0
_DEPTH_USD = 78e6  # within 1 % of mid on one side, all books together, on a normal hour
_IMPACT = 0.30  # of the move that walking a frozen book would give: makers refill under it
_CLIP_USD = 3e6  # the venues' engines close at most this much a minute
_CHURN_PER_HOUR = 0.007
_REFILL_PER_HOUR = 2.5


class Step(NamedTuple):
    """What one step leaves behind; pairs are per perpetual venue."""

    close: float  # index, USD
    high: float
    low: float
    log_volatility: float  # against normal
    offers_log: float  # resting asks against normal
    bids_log: float
    forced_return: float  # part of the log return made by forced flow
    bought_coin: tuple[float, float]  # forced buys found in this step
    sold_coin: tuple[float, float]
    open_interest: tuple[float, float]  # coin


class Liquidation(NamedTuple):
    """One forced close as the venue would print it."""

    venue: int
    step: int
    ts: int
    forced: Forced


@dataclass(frozen=True, slots=True)
class World:
    """A finished run: the grid, one record per step, all liquidations and who is still in."""

    seed: int
    steps: Grid
    story: Story
    columns: dict[str, FloatArray]  # (steps,) or (steps, 2) by field of Step
    premium: FloatArray  # (steps, 2): slow part of perp over index, fraction
    liquidations: list[Liquidation]
    latent: tuple[tuple[LatentSide, LatentSide], ...]  # (short, long) by venue
    day_before: tuple[tuple[LatentSide, LatentSide], ...]  # the same 24 h before the end

    @property
    def close(self) -> FloatArray:
        return self.columns["close"]

    def first_step_from(self, time_ns: int) -> int:
        """The first step that opens at or after a time."""
        return int(np.searchsorted(self.steps.open_ns, time_ns))


@dataclass(slots=True)
class _Venue:
    """One perpetual venue: its latent positions and open interest."""

    open_interest: float
    short: LatentSide = field(default_factory=lambda: LatentSide("short"))
    long: LatentSide = field(default_factory=lambda: LatentSide("long"))
    waiting: float = 0.0  # coin opened since the last cohort


@dataclass(slots=True)
class _Forces:
    """What acts on the price between two steps."""

    buy_usd: float = 0.0  # forced orders not yet executed
    sell_usd: float = 0.0
    offers_log: float = 0.0
    bids_log: float = 0.0


class Simulation:
    """Owns the state and advances it; every state is rounded, so that the last bit of a platform's
    exp() can't grow into another market."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.steps = grid()
        self.story = story(self.steps)
        self.price = round(math.exp(float(self.story.fair_log_price[0])), 2)
        self.venues = tuple(
            _Venue(share * float(self.story.open_interest_coin[0])) for share in SHARE
        )
        self.forces = _Forces()
        self.recent: deque[float] = deque(maxlen=60)
        self.liquidations: list[Liquidation] = []
        self._draws = stream(seed, "leverage")

    def run(self) -> World:
        """Plays the whole story."""
        premium = _premium(self.seed, self.steps, self.story)
        volatility = _log_volatility(self.seed, self.steps)
        shocks = fat_tailed(stream(self.seed, "returns"), len(volatility)).tolist()
        extremes = _extremes(self.seed, len(volatility)).tolist()
        depth_noise = stream(self.seed, "depth").standard_normal((len(volatility), 2)).tolist()
        records: list[Step] = []
        day_before: tuple[tuple[LatentSide, LatentSide], ...] = ()
        for i, log_volatility in enumerate(volatility.tolist()):
            step = self._step(i, log_volatility, shocks[i], extremes[i])
            self._quote(i, step, depth_noise[i])
            marks = (float(premium[i, 0]), float(premium[i, 1]))
            bought, sold = self._liquidate(i, step, marks)
            self._trade(i, step, bought)
            interest = (self.venues[0].open_interest, self.venues[1].open_interest)
            if int(self.steps.close_ns[i]) == int(self.steps.close_ns[-1]) - DAY_NS:
                day_before = deepcopy(tuple((venue.short, venue.long) for venue in self.venues))
            records.append(
                step._replace(bought_coin=bought, sold_coin=sold, open_interest=interest)
            )
        columns = {
            name: np.array(values, dtype=np.float64)
            for name, values in zip(Step._fields, zip(*records, strict=True), strict=True)
        }
        latent = tuple((venue.short, venue.long) for venue in self.venues)
        return World(
            self.seed, self.steps, self.story, columns, premium, self.liquidations, latent, day_before
        )  # fmt: skip

    def _step(self, i: int, log_volatility: float, shock: float, extreme: list[float]) -> Step:
        minutes = float(self.steps.minutes[i])
        sigma = (
            _VOLATILITY_PER_YEAR
            * math.exp(log_volatility)
            * float(self.story.activity[i])
            * math.sqrt(minutes / _MINUTES_PER_YEAR)
        )
        forced = self._execute(minutes)
        own = sigma * shock + self._drift(i, minutes) + self._spot_push(i)
        opened = self.price
        self.price = round(opened * math.exp(own + forced), 2)
        high, low = _bridge(math.log(opened), math.log(self.price), 0.7 * sigma, extreme)
        return Step(
            close=self.price,
            high=max(round(math.exp(high), 2), opened, self.price),
            low=min(round(math.exp(low), 2), opened, self.price),
            log_volatility=log_volatility,
            offers_log=self.forces.offers_log,
            bids_log=self.forces.bids_log,
            forced_return=forced,
            bought_coin=(0.0, 0.0),
            sold_coin=(0.0, 0.0),
            open_interest=(0.0, 0.0),
        )

    def _drift(self, i: int, minutes: float) -> float:
        pull = float(self.story.pull_per_hour[i])
        if pull == 0.0:
            return 0.0
        fair = float(self.story.fair_log_price[i])
        path = fair - float(self.story.fair_log_price[max(i - 1, 0)])
        return path + pull * minutes / 60.0 * (fair - math.log(self.price))

    def _spot_push(self, i: int) -> float:
        return _move(float(self.story.spot_buying_usd[i]), self.forces.offers_log)

    def _execute(self, minutes: float) -> float:
        """Forced orders reach the book, at most a clip a minute; returns their log return."""
        forces = self.forces
        buy = min(forces.buy_usd, _CLIP_USD * minutes)
        sell = min(forces.sell_usd, _CLIP_USD * minutes)
        forces.buy_usd = round(forces.buy_usd - buy)
        forces.sell_usd = round(forces.sell_usd - sell)
        return _move(buy, forces.offers_log) - _move(sell, forces.bids_log)

    def _quote(self, i: int, step: Step, noise: list[float]) -> None:
        """Makers come back towards what the scenario lets them show; volatility keeps them away."""
        forces = self.forces
        minutes = float(self.steps.minutes[i])
        back = 1.0 - math.exp(-_REFILL_PER_HOUR * minutes / 60.0)
        shy = -0.35 * step.log_volatility
        shake = 0.05 * math.sqrt(minutes)
        hit = 8.0 * step.forced_return
        offers = float(self.story.offers_log[i]) + shy
        bids = float(self.story.bids_log[i]) + shy
        forces.offers_log = round(
            forces.offers_log
            + back * (offers - forces.offers_log)
            - max(hit, 0.0)
            + shake * noise[0],
            6,
        )
        forces.bids_log = round(
            forces.bids_log + back * (bids - forces.bids_log) + min(hit, 0.0) + shake * noise[1], 6
        )

    def _liquidate(
        self, i: int, step: Step, premium: tuple[float, float]
    ) -> tuple[tuple[float, float], tuple[float, float]]:
        """Whoever the mark has passed is out; the closing orders wait for the next step."""
        coin: dict[PositionSide, list[float]] = {"short": [0.0, 0.0], "long": [0.0, 0.0]}
        for number, venue in enumerate(self.venues):
            up = 1.0 + premium[number]
            gone = venue.short.force(step.high * up, step.low * up)
            gone += venue.long.force(step.high * up, step.low * up)
            for order, forced in enumerate(gone):
                coin[forced.side][number] += forced.size_coin
                ts = self._moment(i, order, len(gone))
                self.liquidations.append(Liquidation(number, i, ts, forced))
            closed = coin["short"][number] + coin["long"][number]
            venue.open_interest -= 0.85 * closed  # the rest is taken over by new positions
        self.forces.buy_usd += round(sum(coin["short"]) * step.close)
        self.forces.sell_usd += round(sum(coin["long"]) * step.close)
        return (coin["short"][0], coin["short"][1]), (coin["long"][0], coin["long"][1])

    def _moment(self, i: int, order: int, count: int) -> int:
        width = int(self.steps.minutes[i]) * MINUTE_NS
        inside = width * (order + 1) // (count + 1)
        return int(self.steps.open_ns[i]) + inside // 1_000_000 * 1_000_000

    def _trade(self, i: int, step: Step, bought: tuple[float, float]) -> None:
        """Positions open and close by choice; shorts that lose cover faster."""
        hours = float(self.steps.minutes[i]) / 60.0
        self.recent.append(step.close)
        rise = max(0.0, math.log(step.close / self.recent[0]))
        cover = min(0.5, 0.9 * rise) * hours
        closing = _CHURN_PER_HOUR * hours
        appetite = float(self.story.appetite[i])
        for venue, share in zip(self.venues, SHARE, strict=True):
            wanted = share * float(self.story.open_interest_coin[i])
            fresh = closing * venue.open_interest
            fresh += 0.04 * hours * (wanted - venue.open_interest)
            fresh = max(0.0, fresh) * appetite
            covered = cover * venue.short.size_coin
            kept = venue.open_interest * (1.0 - closing * (0.3 + 0.7 * appetite))
            venue.open_interest = round((kept + fresh - covered) * 8.0) / 8.0
            venue.short.close_share(closing + cover)
            venue.long.close_share(closing)
            venue.waiting += fresh
            self._open_cohorts(i, venue, step.close)

    def _open_cohorts(self, i: int, venue: _Venue, price: float) -> None:
        end = int(self.steps.close_ns[i])
        if end % (HOUR_NS if end < FINE_NS else 15 * MINUTE_NS):
            return
        short_share = float(self.story.short_share[i])
        for side, share in ((venue.short, short_share), (venue.long, 0.42)):
            size = round(venue.waiting * share / _COHORTS * 8.0) / 8.0
            if size > 0.0:
                for leverage, away in _pick(self._draws):
                    side.open(size, round(price * (1.0 + away), 2), leverage, end)
        venue.waiting = 0.0


def _move(flow_usd: float, depth_log: float) -> float:
    """Log return of a market order: linear in flow over the depth that stands in its way."""
    return _IMPACT * 0.01 * flow_usd / (_DEPTH_USD * math.exp(depth_log))


def _bridge(start: float, end: float, sigma: float, extreme: list[float]) -> tuple[float, float]:
    """High and low of a Brownian bridge; `extreme` holds two draws of −2·ln U."""
    gap = (end - start) ** 2
    up = math.sqrt(gap + sigma * sigma * extreme[0])
    down = math.sqrt(gap + sigma * sigma * extreme[1])
    return (start + end + up) / 2.0, (start + end - down) / 2.0


def _pick(draws: Generator) -> list[tuple[float, float]]:
    """Leverage and distance of the entry from the price now, for each cohort opened together."""
    chosen = np.searchsorted(_LEVERAGE_ODDS_UP_TO, draws.random(_COHORTS), side="right").tolist()
    away = (0.004 * draws.standard_normal(_COHORTS)).tolist()
    return [(_LEVERAGES[which], far) for which, far in zip(chosen, away, strict=True)]


def _extremes(seed: int, count: int) -> FloatArray:
    return -2.0 * np.log(1.0 - stream(seed, "extremes").random((count, 2)))


def _log_volatility(seed: int, steps: Grid) -> FloatArray:
    """Slow and fast swings of volatility together: long memory enough for clustering."""
    draws = stream(seed, "volatility")
    slow = wandering(draws.standard_normal(len(steps.minutes)), steps.minutes, 3.0 * 1440.0, 0.30)
    fast = wandering(draws.standard_normal(len(steps.minutes)), steps.minutes, 180.0, 0.28)
    return np.round(slow + fast, 6)


def _premium(seed: int, steps: Grid, told: Story) -> FloatArray:
    draws = stream(seed, "premium")
    count = len(steps.minutes)
    shared = wandering(draws.standard_normal(count), steps.minutes, 600.0, 2.2e-4)
    own = [wandering(draws.standard_normal(count), steps.minutes, 120.0, 0.7e-4) for _ in PERPS]
    return np.column_stack(
        [
            told.premium * factor + shared + part
            for factor, part in zip((1.0, 0.85), own, strict=True)
        ]
    )


def simulate(seed: int) -> World:
    """The whole market for one seed: the same seed gives the same market."""
    return Simulation(seed).run()


__all__ = ["PERPS", "SHARE", "IntArray", "Liquidation", "Simulation", "Step", "World", "simulate"]
