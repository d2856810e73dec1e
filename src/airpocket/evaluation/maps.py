"""One world, every map: what each said at each moment beside the truth, and how prints and clusters did."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from airpocket.domain.errors import NothingKnown
from airpocket.domain.events import Batch, FloatArray, IntArray
from airpocket.domain.units import HOUR_NS
from airpocket.evaluation.baselines import Sold, carried_on, even
from airpocket.evaluation.observed import Observed, Truth, market_until
from airpocket.evaluation.placebo import Reached, reached
from airpocket.evaluation.scores import BANDS, Points, shape_distance
from airpocket.liquidations.feed import Feed, feed_of, rows_of
from airpocket.liquidations.grid import bucket_of, edges
from airpocket.liquidations.learn import gamma_poisson
from airpocket.liquidations.records import LiquidationMap
from airpocket.liquidations.settings import MapSettings
from airpocket.liquidations.state import MapState
from airpocket.market.state import Market, MarketState

UNKNOWN, KNOWN, PERMUTED = "airpocket", "airpocket, rate known", "airpocket, prints permuted"
SOLD, EVEN, CARRIED = Sold.name, "even spread", "recent liquidations"
MAPS = (UNKNOWN, KNOWN, PERMUTED, SOLD, EVEN, CARRIED)
_SPAN = 0.7  # of log-price, that the baselines' grid holds each way
_GRID_APART = 10.0  # %, within which shapes are compared


@dataclass(frozen=True, slots=True)
class Foresight:
    """How prints of an hour and side were foreseen: gain per hour in log-likelihood over a steady rate,
    and the correlation of logs; prints in their own order, and permuted."""

    gain: float
    correlation: float
    permuted_gain: float
    permuted_correlation: float


@dataclass(frozen=True, slots=True)
class WorldScore:
    """One world's points by map, its foresight, and what clusters and placebo levels met.

    truth_spread: error that a map would have that knew every amount but not who holds it.
    """

    name: str
    seed: int
    hash: str
    rates: Mapping[str, float]
    points: Mapping[str, Points]
    foresight: Foresight
    clusters: Reached
    truth_spread: float


@dataclass(frozen=True, slots=True)
class _Said:
    """A map at one moment: middle (B,) USD a coin, usd (2, B), draws (2, M, B) or None."""

    middle: FloatArray
    usd: FloatArray
    draws: FloatArray | None


def score_world(seen: Observed, number: int, s: MapSettings) -> WorldScore:
    """Runs every map over what the world's venues told, and holds each against the truth."""
    known = rates_known(seen, s)
    shuffled = _permuted(seen.batches, seen.seed)
    said: dict[str, list[_Said]] = {name: [] for name in MAPS}
    states = {UNKNOWN: MapState(s), KNOWN: MapState(known), PERMUTED: MapState(s)}
    maps: list[LiquidationMap] = []
    plain, other = MarketState(seen.world.asset), MarketState(seen.world.asset)
    before, market, mixed = -1, None, None
    for truth in seen.truths:
        market_until(plain, seen.batches, before, truth.at)
        market_until(other, shuffled, before, truth.at)
        before = truth.at
        market, mixed = plain.snapshot(truth.at), other.snapshot(truth.at)
        for name, state in states.items():
            found = state.measure(mixed if name == PERMUTED else market)
            if not isinstance(found, LiquidationMap):
                raise NothingKnown(f"{seen.world.name}: no map: {found.reason}")
            said[name].append(_said(found))
            if name == UNKNOWN:
                maps.append(found)
    assert market is not None
    assert mixed is not None
    feeds = _feeds(market, s)
    said |= _baselines(seen, feeds, s)
    points = {name: _points(seen.truths, each, number) for name, each in said.items()}
    told = [
        _foresight(states[name], _feeds(at, s))
        for name, at in ((UNKNOWN, market), (PERMUTED, mixed))
    ]
    return WorldScore(
        seen.world.name, seen.seed, seen.hash, seen.rates, points, Foresight(*told[0], *told[1]),
        reached(maps, market, seen.seed), truth_spread(seen.truths),
    )  # fmt: skip


def rates_known(seen: Observed, s: MapSettings) -> MapSettings:
    """The settings with the share of liquidations that each venue told in the whole run."""
    return replace(s, rates=tuple((k, min(v, 1.0)) for k, v in seen.rates.items() if v > 0.0))


def map_points(seen: Observed, number: int, s: MapSettings) -> Points:
    """What one map says at every moment, beside the truth.

    Raises:
        NothingKnown: there is no map at one of them.
    """
    state, market, before = MapState(s), MarketState(seen.world.asset), -1
    said: list[_Said] = []
    for truth in seen.truths:
        market_until(market, seen.batches, before, truth.at)
        before = truth.at
        found = state.measure(market.snapshot(truth.at))
        if not isinstance(found, LiquidationMap):
            raise NothingKnown(f"{seen.world.name}: no map: {found.reason}")
        said.append(_said(found))
    return _points(seen.truths, said, number)


def _said(found: LiquidationMap) -> _Said:
    usd = np.stack([found.shorts.usd, found.longs.usd])
    return _Said(found.middle, usd, np.stack([found.shorts.draws, found.longs.draws]))


def _feeds(market: Market, s: MapSettings) -> list[Feed]:
    found = [feed_of(perp, market.reference, market.now, s) for perp in market.perps]
    return [feed for feed in found if isinstance(feed, Feed)]


def _baselines(seen: Observed, feeds: list[Feed], s: MapSettings) -> dict[str, list[_Said]]:
    marks = np.array([truth.mark for truth in seen.truths])
    at = np.array([truth.at for truth in seen.truths], dtype=np.int64)
    first = bucket_of(float(marks.min()) * np.exp(-_SPAN), s.width)
    last = bucket_of(float(marks.max()) * np.exp(_SPAN), s.width)
    edge = edges(first, last - first, s.width)
    middle = np.sqrt(edge[:-1] * edge[1:])
    sold = np.zeros((len(at), 2, len(middle)))
    spread, recent = np.zeros_like(sold), np.zeros_like(sold)
    for feed in feeds:
        sold += Sold(feed, s).ladders(middle, at)[0]
        rate = carried_on(rows_of(feed, 0, s), at)
        held = feed.coin[np.maximum(np.searchsorted(feed.known_at, at, side="right") - 1, 0)]
        for k, mark in enumerate(marks):
            spread[k] += even(middle, float(mark), float(held[k]), s.width)
            away = np.log(middle / mark)
            recent[k, 0] += rate[k, 0] * s.width * middle * (away > 0.0)
            recent[k, 1] += rate[k, 1] * s.width * middle * (away < 0.0)
    named = {SOLD: sold, EVEN: spread, CARRIED: recent}
    return {name: [_Said(middle, usd, None) for usd in each] for name, each in named.items()}


def _points(truths: tuple[Truth, ...], said: list[_Said], number: int) -> Points:
    shape = (len(truths), len(BANDS))
    truth_usd, usd, low, high = (
        np.zeros(shape),
        np.zeros(shape),
        np.full(shape, np.nan),
        np.full(shape, np.nan),
    )
    apart = np.full((len(truths), 2), np.nan)
    for k, (truth, one) in enumerate(zip(truths, said, strict=True)):
        for b, band in enumerate(BANDS):
            side = 0 if band > 0.0 else 1
            inside = _between(one.middle, truth.mark, band)
            truth_usd[k, b], usd[k, b] = truth.within(band), one.usd[side, inside].sum()
            if one.draws is not None:
                sums = one.draws[side][:, inside].sum(axis=1)
                low[k, b], high[k, b] = np.quantile(sums, (0.1, 0.9))
        for side, band in ((0, _GRID_APART), (1, -_GRID_APART)):
            inside = _between(one.middle, truth.mark, band)
            held = (truth.short == (side == 0)) & _between(truth.price, truth.mark, band)
            apart[k, side] = shape_distance(
                100.0 * np.log(truth.price[held] / truth.mark), truth.usd[held],
                100.0 * np.log(one.middle[inside] / truth.mark), one.usd[side, inside],
            )  # fmt: skip
    world = np.full(len(truths), number, dtype=np.int64)
    return Points(world, truth_usd, usd, low, high, apart)


def _between(
    price: FloatArray, mark: float, percent: float
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    low, high = sorted((mark, mark * (1.0 + percent / 100.0)))
    return (price >= low) & (price <= high)


def truth_spread(truths: tuple[Truth, ...]) -> float:
    """Σ √(2/π Σ usd²) / Σ usd of shorts within 3 %: whole positions instead of expected amounts."""
    off, total = 0.0, 0.0
    for truth in truths:
        usd = truth.usd[truth.short & _between(truth.price, truth.mark, 3.0)]
        off += float(np.sqrt(2.0 / np.pi * (usd**2).sum()))
        total += float(usd.sum())
    return off / total if total > 0.0 else float("nan")


def _permuted(batches: tuple[Batch, ...], seed: int) -> tuple[Batch, ...]:
    """The same prints told at times drawn anew between the first and the last, in a new order."""
    rng = np.random.default_rng([seed, 7])
    found: list[Batch] = []
    for batch in batches:
        if batch.kind != "liquidation" or len(batch) < 2:
            found.append(batch)
            continue
        usable = batch.ints("usable_from")
        times: IntArray = np.sort(rng.integers(usable[0], usable[-1], size=len(batch)))
        order = rng.permutation(len(batch))
        columns = {name: values[order] for name, values in batch.columns.items()}
        columns |= {"ts": times, "usable_from": times}
        found.append(Batch(batch.kind, batch.venue, batch.symbol, columns, batch.sources))
    return tuple(found)


def _foresight(state: MapState, feeds: list[Feed]) -> tuple[float, float]:
    """Gain over a steady rate in log-likelihood an hour and side, and correlation of logs."""
    gains: list[float] = []
    logs: list[tuple[float, float]] = []
    for feed in feeds:
        cohorts = state.cohorts(feed.key)
        one = cohorts.typical_print
        if one == 0.0:
            continue
        hour, flow = cohorts.foreseen()
        begin = hour * HOUR_NS
        heard = feed.prints.within(begin, begin + HOUR_NS, state.settings.quiet_h * HOUR_NS)
        for side in range(2):
            told = heard[side]
            up = np.isfinite(told)
            if up.sum() < 48:
                continue
            steady = float(told[up].mean()) / one
            scale = float(told[up].sum()) / max(float(flow[up, side].sum()), 1e-12)
            for t in np.flatnonzero(up):
                count, mean = float(told[t]) / one, scale * float(flow[t, side]) / one
                shape = state.settings.shape
                gains.append(
                    gamma_poisson(count, 0.98 * mean + 0.02 * steady + 1e-9, shape)
                    - gamma_poisson(count, steady + 1e-9, shape)
                )
                logs.append((float(np.log1p(count)), float(np.log1p(mean))))
    if len(logs) < 3:
        return float("nan"), float("nan")
    pair = np.array(logs)
    return float(np.mean(gains)), float(np.corrcoef(pair.T)[0, 1])
