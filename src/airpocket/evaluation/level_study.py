"""The evidence on levels: rates by kind, by detail, by confluence; weights, and weights learned year by year."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from airpocket.domain.events import FloatArray
from airpocket.domain.units import DAY_NS, parse_time
from airpocket.evaluation.level_history import Day, Known
from airpocket.evaluation.level_rates import LEAST, Named, rates_of
from airpocket.evaluation.level_rows import Band, Rows, ends, level_bands, rows_of
from airpocket.levels.confluence import groups_of, one_reason_each
from airpocket.levels.records import KindRecord, Skill
from airpocket.levels.roadmap import Level
from airpocket.levels.settings import DEFAULTS

FALSE_SHARE = (
    0.1  # of the kinds said to have skill, so many may have none (Benjamini and Hochberg 1995)
)
SAID = ("said to hold", "said to give way", "nothing said")
_LARGEST_COUNT = 6
_RANDOM_PRICES = 6
_SEED = 20_261_126
_SETTLED_NS = 16 * DAY_NS  # a touch is followed so long at most


@dataclass(frozen=True, slots=True)
class Skilled:
    """One kind with the verdict on it. chance: two-sided, of a difference as large where there is none."""

    named: Named
    chance: float
    skill: Skill
    weight: float


@dataclass(frozen=True, slots=True)
class Forward:
    """One year met with weights of the years before. learned: those that were not 0, by kind. levels: rates of
    levels by the sign of their weight; zones: of zones by the sign of their strength."""

    year: int
    learned: Mapping[str, float]
    levels: tuple[Named, ...]
    zones: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """Everything measured. spans: by coin, first and last day (ns) and their number. random: prices drawn at
    random, which must have no skill. pooled: all years met with weights of the years before."""

    spans: Mapping[str, tuple[int, int, int]]
    kinds: tuple[Skilled, ...]
    details: tuple[Named, ...]
    zones: tuple[Named, ...]
    random: tuple[Named, ...]
    forward: tuple[Forward, ...]
    pooled_levels: tuple[Named, ...]
    pooled_zones: tuple[Named, ...]


def study_of(histories: Sequence[Known]) -> Study:
    """All tables of the page from what was known on each day."""
    kinds = rows_of(histories, level_bands)
    years = _years(histories)
    learned = {year: _learned(kinds, year) for year in years}
    weighed = rows_of(histories, lambda day: _weighed_levels(day, learned[_year(day.now)]))
    strengths = rows_of(histories, lambda day: _strong_zones(day, learned[_year(day.now)]))
    return Study(
        spans={
            known.coin: (known.days[0].now, known.days[-1].now, len(known.days))
            for known in histories
        },
        kinds=judged(rates_of(kinds)),
        details=tuple(rates_of(rows_of(histories, _detailed))),
        zones=tuple(sorted(rates_of(rows_of(histories, _counted_zones)), key=lambda one: one.name)),
        random=tuple(rates_of(rows_of(histories, _Dice()))),
        forward=tuple(
            Forward(
                year, {key: w for key, w in learned[year].items() if w},
                tuple(_in_year(weighed, year)), tuple(_in_year(strengths, year)),
            )
            for year in years
            if learned[year]
        ),
        pooled_levels=tuple(rates_of(weighed)),
        pooled_zones=tuple(rates_of(strengths)),
    )  # fmt: skip


def judged(found: Sequence[Named]) -> tuple[Skilled, ...]:
    """Which kinds hold, or give way, more often than their placebos; the most telling first.

    Kinds with too few decided touches are not judged. Of the others the false discovery rate is held at
    FALSE_SHARE. A weight is the log-odds ratio, shrunk by what its own error leaves of it.
    """
    enough = [one for one in found if one.rates["held"].count >= LEAST]
    chances = {one.name: _chance(one) for one in enough}
    passed = _discovered(chances)
    rows: list[Skilled] = []
    for one in found:
        rate = one.rates["held"]
        if one.name not in chances:
            rows.append(Skilled(one, float("nan"), "too few", 0.0))
        elif one.name not in passed:
            rows.append(Skilled(one, chances[one.name], "none", 0.0))
        else:
            kept = max(0.0, 1.0 - (rate.error / rate.log_odds) ** 2)
            skill: Skill = "holds" if rate.log_odds > 0.0 else "gives way"
            rows.append(Skilled(one, chances[one.name], skill, kept * rate.log_odds))
    return tuple(sorted(rows, key=lambda row: (row.skill == "too few", row.chance, row.named.name)))


def _chance(one: Named) -> float:
    from math import erfc, sqrt

    rate = one.rates["held"]
    return erfc(abs(rate.log_odds) / rate.error / sqrt(2.0)) if rate.error > 0.0 else 1.0


def _discovered(chances: Mapping[str, float]) -> set[str]:
    """Benjamini and Hochberg's step-up rule at FALSE_SHARE."""
    order = sorted(chances, key=lambda name: chances[name])
    most = 0
    for place, name in enumerate(order, 1):
        if chances[name] <= FALSE_SHARE * place / len(order):
            most = place
    return set(order[:most])


def records_of(kinds: Sequence[Skilled]) -> dict[str, KindRecord]:
    """What the roadmap quotes of each kind."""
    return {
        one.named.name: KindRecord(
            name=one.named.name.replace("_", " "),
            touches=rate.count,
            held_percent=round(100.0 * rate.level, 1),
            placebo_percent=round(100.0 * rate.placebo, 1),
            low=round(100.0 * rate.low, 1),
            high=round(100.0 * rate.high, 1),
            weight=round(one.weight, 3),
            skill=one.skill,
        )
        for one in sorted(kinds, key=lambda each: each.named.name)
        if (rate := one.named.rates["held"]).count
    }


def _detailed(day: Day) -> Iterable[Band]:
    """Levels apart by kind, sort and side."""
    for level in day.levels:
        side = "below" if level.price < day.price else "above"
        seen = "" if level.standing else "seen"
        name = " ".join(part for part in (level.kind, level.sort, seen, side) if part)
        yield Band(name, *ends(level))


class _Dice:
    """Prices drawn evenly around the price of each day."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(_SEED)

    def __call__(self, day: Day) -> Iterable[Band]:
        for step in self._rng.uniform(-2.0, 2.0, _RANDOM_PRICES).tolist():
            price = day.price + step * day.atr
            yield Band("random prices", price, price)


def _groups(day: Day) -> Iterable[list[Level]]:
    """Levels that lie together, as the roadmap would group them; small round numbers don't make a reason."""
    near = [
        level for level in one_reason_each(list(day.levels))
        if abs(level.price - day.price) <= 3.0 * day.atr and level.prominence >= 0.5
        and not (level.kind == "round_number" and level.sort == "tenth")
    ]  # fmt: skip
    near.sort(key=lambda level: level.price)
    if not near:
        return
    prominence: FloatArray = np.array([level.prominence for level in near])
    width = DEFAULTS.width_atr * day.atr / day.price
    for start, stop in groups_of(np.log([level.price for level in near]), prominence, width):
        yield near[start:stop]


def _zone(name: str, group: Sequence[Level], price: float) -> Band | None:
    low, high = group[0].price, group[-1].price
    if low > price:
        return Band(name, low, high)
    return Band(name, high, low) if high < price else None


def _counted_zones(day: Day) -> Iterable[Band]:
    for group in _groups(day):
        count = len({level.key for level in group})
        words = f"{_LARGEST_COUNT} or more" if count >= _LARGEST_COUNT else f"{count}"
        band = _zone(words, group, day.price)
        if band is not None:
            yield band


def _weighed_levels(day: Day, learned: Mapping[str, float]) -> Iterable[Band]:
    for level in day.levels:
        yield Band(_said(learned.get(level.key, 0.0)), *ends(level))


def _said(weight: float) -> str:
    return SAID[0] if weight > 0.0 else SAID[1] if weight < 0.0 else SAID[2]


def _strong_zones(day: Day, learned: Mapping[str, float]) -> Iterable[Band]:
    for group in _groups(day):
        strength = sum({level.key: learned.get(level.key, 0.0) for level in group}.values())
        band = _zone(_said(strength), group, day.price)
        if band is not None:
            yield band


def _year(now: int) -> int:
    return int(np.datetime64(now, "ns").astype("M8[Y]").astype(np.int64)) + 1970


def _years(histories: Sequence[Known]) -> list[int]:
    return sorted({_year(day.now) for known in histories for day in known.days})


def _learned(rows: Rows, year: int) -> dict[str, float]:
    """Weights from what was settled before a year began; empty where nothing was."""
    settled = rows.now <= parse_time(f"{year}-01-01T00:00Z") - _SETTLED_NS
    if not settled.any():
        return {}
    found = judged(rates_of(rows, mask=settled.astype(np.int64)))
    return {one.named.name: one.weight for one in found}


def _in_year(rows: Rows, year: int) -> list[Named]:
    start, end = (parse_time(f"{y}-01-01T00:00Z") for y in (year, year + 1))
    return rates_of(rows, mask=((rows.now >= start) & (rows.now < end)).astype(np.int64))
