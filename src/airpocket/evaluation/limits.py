"""What keeps the map from the truth: it is told one hidden thing after another, and scored again."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from airpocket.domain.events import Batch, FloatArray
from airpocket.evaluation.maps import map_points, rates_known, truth_spread
from airpocket.evaluation.observed import Observed, observe
from airpocket.evaluation.scores import BANDS, Points, Score, joined, scored
from airpocket.lab.agents.traders import HASTE
from airpocket.lab.runs.worldcheck import read_world
from airpocket.lab.runs.worldfile import Traders
from airpocket.liquidations.settings import Habits, MapSettings

_SURE = 1e6  # prints behind a mix that is known
_BAND = 3.0


@dataclass(frozen=True, slots=True)
class Limit:
    """The map's score within +3 % when it is told something that nobody outside can see."""

    told: str
    score: Score


@dataclass(frozen=True, slots=True)
class Limits:
    """Rows from nothing told to everything; whole: error of a map that knew all but who holds what."""

    rows: tuple[Limit, ...]
    whole: float


def limits_of(
    worlds: Sequence[Path], seeds: Sequence[int], workers: int, s: MapSettings, *, every_h: float, from_h: float
) -> Limits:  # fmt: skip
    """Scores the map on each world with each secret told in turn."""
    number = range(len(worlds))
    jobs = [(world, seed, every_h, from_h, s) for world, seed in zip(worlds, seeds, strict=True)]
    if workers <= 1:
        found = [_world(*job, at) for job, at in zip(jobs, number, strict=True)]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            found = list(pool.map(_world, *zip(*jobs, strict=True), number))
    names = list(found[0][0])
    rows = tuple(Limit(name, _score(joined([each[name] for each, _ in found]))) for name in names)
    return Limits(rows, float(np.mean([spread for _, spread in found])))


def _score(points: Points) -> Score:
    return scored(points)[BANDS.index(_BAND)]


def _world(
    path: Path, seed: int, every_h: float, from_h: float, s: MapSettings, number: int
) -> tuple[dict[str, Points], float]:
    seen = observe(read_world(path), seed, every_h, from_h)
    rate = rates_known(seen, s)
    traders = next(venue.traders for venue in seen.world.venue if venue.traders is not None)
    heard = _heard_all(seen)
    cases = {
        "nothing": (seen, s),
        "the share of liquidations that is told": (seen, rate),
        "and which share has stops": (seen, _stops(rate, traders)),
        "and how winners, losers and leverage close": (seen, _habits(rate, traders)),
        "and which leverage is taken": (seen, _leverage(rate, traders)),
        "and all three": (seen, _leverage(_habits(_stops(rate, traders), traders), traders)),
        "every liquidation": (heard, s),
        "every liquidation, and all three": (
            heard, _leverage(_habits(_stops(s, traders), traders), traders),
        ),
    }  # fmt: skip
    points = {name: map_points(what, number, known) for name, (what, known) in cases.items()}
    return points, truth_spread(seen.truths)


def _heard_all(seen: Observed) -> Observed:
    """The same world with every forced close told."""
    kept: list[Batch] = [batch for batch in seen.batches if batch.kind != "liquidation"]
    return replace(seen, batches=(*kept, *(batch for batch in seen.untold if len(batch))))


def _both(s: MapSettings, known: Habits) -> MapSettings:
    """Settings whose box of habits is cut to what `known` differs in from its lower corner."""
    changes = {
        name: value
        for name in Habits.__dataclass_fields__
        if (value := getattr(known, name)) != getattr(s.low, name)
    }
    return replace(s, low=replace(s.low, **changes), high=replace(s.high, **changes))


def _stops(s: MapSettings, traders: Traders) -> MapSettings:
    return _both(s, replace(s.low, stops=traders.stop_share))


def _habits(s: MapSettings, traders: Traders) -> MapSettings:
    """Closing hazards of the world's traders in the model's terms, about 10x."""
    closing = traders.closes_per_day * traders.wake_s / 86_400.0 * (1.0 + 10.0 / HASTE)
    hour = 3_600.0 / traders.wake_s
    known = replace(
        s.low,
        haste=float(np.log((1.0 + 50.0 / HASTE) / (1.0 + 5.0 / HASTE)) / np.log(10.0)),
        gain=traders.disposition,
        loss=1.0 + traders.panic / closing,
        top_up=1.0 - (1.0 - traders.top_up) ** hour,
    )
    return _both(s, known)


def _leverage(s: MapSettings, traders: Traders) -> MapSettings:
    """Notional opened by class: the more leverage, the smaller the position."""
    opened: FloatArray = np.zeros(len(s.leverage))
    for leverage, weight in traders.leverage:
        at = int(np.argmin(np.abs(np.array(s.leverage) - leverage)))
        opened[at] += weight / (1.0 + leverage / HASTE)
    share = (1.0 - traders.cross_share) * opened / opened.sum()
    mix = (1.0 - float(share.sum()), *(float(each) for each in share))
    far = mix[0] + float(share[np.array(s.leverage) <= s.far_leverage].sum())
    known = _both(s, replace(s.low, far=far))
    return replace(known, shorts_mix=mix, longs_mix=mix, strength=_SURE, likeness=_SURE)
