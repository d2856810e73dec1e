"""What was told, into the store: a figure new or changed becomes a row; nothing told earlier is replaced."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TypeAlias

import polars as pl

from airpocket.domain.errors import UndecodableFrame
from airpocket.domain.flows import series_named
from airpocket.domain.units import DAY_NS, day_of
from airpocket.ingest.flows.told import Level, Observation, Told, Transfer
from airpocket.ingest.lake import Lake
from airpocket.ingest.tables import TIME, Table

_SAME = 1e-9  # relative
_OVERLAP = 3  # days told twice, from which a change of unit can be told
_UNIT = 20.0  # times; a supply that is revised by more is in another unit

_Key: TypeAlias = tuple[str, int]
_Past: TypeAlias = dict[_Key, list[tuple[int, float]]]  # vintages: (seen, value), oldest first


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of an answer; revisions in words, the largest first."""

    new: int = 0
    revised: int = 0
    unchanged: int = 0
    revisions: tuple[str, ...] = ()

    def plus(self, other: "Kept") -> "Kept":
        return Kept(
            self.new + other.new, self.revised + other.revised, self.unchanged + other.unchanged,
            (*self.revisions, *other.revisions),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Publisher:
    """Whose figures: the venue they are filed under, and what their rows say they came from.

    by_rule: a series of which nothing is stored yet is taken as known when it should have been published, by its
    cadence, and not since now. Its rows say so: of one revised since, nobody knew this figure then.
    """

    venue: str
    source: str
    by_rule: bool = False


def keep(lake: Lake, publisher: Publisher, told: Told, seen: int) -> Kept:
    """Write what is new of an answer heard at `seen` (ns), in one commit.

    Raises:
        UndecodableFrame: figures so unlike those told before that the unit must have changed; nothing is written.
        StoreError: the store can't be written.
    """
    tables: list[Table] = []
    kept = Kept()
    by_symbol = defaultdict[str, list[Observation]](list)
    for each in told.observations:
        by_symbol[each.symbol].append(each)
    for symbol, mine in sorted(by_symbol.items()):
        past = _stored(lake, publisher.venue, symbol)
        _check_units(publisher.venue, mine, past, _units(lake, publisher.venue, symbol))
        rows, counted = _fresh(publisher, mine, past, seen)
        kept = kept.plus(counted)
        if rows:
            tables.append(
                Table(
                    "flow", publisher.venue, symbol, pl.DataFrame(rows, schema=_FLOW, orient="row")
                )
            )
    found, counted = _transfers(lake, publisher, told.transfers, seen)
    levels = _levels(publisher, told.levels)
    report = (
        lake.write([*tables, *found, *levels], on_conflict="keep")
        if tables or found or levels
        else None
    )
    if report is not None and levels:
        kept = kept.plus(Kept(new=max(report.rows_new - kept.new - kept.revised - counted.new, 0)))
    largest = sorted(kept.revisions, key=_size, reverse=True)
    return replace(kept.plus(counted), revisions=tuple(largest))


_FLOW = {
    "ts": TIME, "usable_from": TIME, "series": pl.String, "value": pl.Float64, "unit": pl.String,
    "published": TIME, "source": pl.String,
}  # fmt: skip
_Row: TypeAlias = tuple[int, int, str, float, str, int | None, str]


def _stored(lake: Lake, venue: str, symbol: str) -> _Past:
    """Every vintage of every figure stored."""
    frame = lake.read("flow", venue, symbol).with_columns(
        pl.col("ts", "usable_from").dt.epoch("us") * 1_000
    )
    past: _Past = defaultdict(list)
    for ts, seen, series, value in frame.select("ts", "usable_from", "series", "value").iter_rows():
        past[series, ts].append((seen, value))
    return past


def _units(lake: Lake, venue: str, symbol: str) -> dict[str, str]:
    frame = lake.read("flow", venue, symbol).select("series", "unit").unique(maintain_order=True)
    return {str(series): str(unit) for series, unit in frame.iter_rows()}


def _check_units(
    venue: str, told: Sequence[Observation], past: _Past, units: dict[str, str]
) -> None:
    """Refuse an answer whose days told before come many times larger or smaller, all alike."""
    ratios = defaultdict[str, list[float]](list)
    for each in told:
        before = units.get(each.series)
        if before is not None and before != each.unit:
            raise UndecodableFrame(
                f"{venue}: {each.series} comes in {each.unit}, not in {before}; nothing was kept"
            )
        earlier = past.get((each.series, each.event))
        if earlier and earlier[-1][1] != 0.0 and each.value != 0.0:
            ratios[each.series].append(abs(each.value / earlier[-1][1]))
    for series, found in ratios.items():
        middle = median(found)
        if len(found) >= _OVERLAP and not 1.0 / _UNIT < middle < _UNIT:
            raise UndecodableFrame(
                f"{venue}: {series} comes {middle:,.3g} times what the same days were told as before: has its unit"
                " changed? nothing was kept"
            )


def _fresh(
    publisher: Publisher, told: Sequence[Observation], past: _Past, seen: int
) -> tuple[list[_Row], Kept]:
    """Rows of figures that differ from what was known by then; each joins what the next is compared with."""
    rows: list[_Row] = []
    known = {series for series, _ in past}
    new = revised = unchanged = 0
    said: list[str] = []
    for each in sorted(told, key=lambda one: (one.seen or seen, one.series, one.event)):
        at, source = each.seen or seen, publisher.source
        if publisher.by_rule and each.seen is None and each.series not in known:
            at, source = _by_rule(each, seen), f"{source}, known by rule"
        vintages = past.setdefault((each.series, each.event), [])
        earlier = [value for time, value in vintages if time <= at]
        if earlier and abs(each.value - earlier[-1]) <= _SAME * max(
            abs(each.value), abs(earlier[-1])
        ):
            unchanged += 1
            continue
        if earlier:
            revised += 1
            said.append(
                f"{each.symbol} {each.series} {day_of(each.event)}: {earlier[-1]:,.6g} → {each.value:,.6g}"
            )
        else:
            new += 1
        vintages.append((at, each.value))
        vintages.sort()
        published = None if each.published is None else each.published // 1_000
        rows.append(
            (
                each.event // 1_000,
                at // 1_000,
                each.series,
                each.value,
                each.unit,
                published,
                source,
            )
        )
    return rows, Kept(new, revised, unchanged, tuple(said))


def _by_rule(each: Observation, seen: int) -> int:
    series = series_named(each.series)
    due = each.event + (series.due_ns if series is not None else DAY_NS)
    return min(due, seen)


def _size(said: str) -> float:
    """How large a revision is, relative, by its own words."""
    before, _, after = said.rpartition(": ")[2].partition(" → ")
    old, new = float(before.replace(",", "")), float(after.replace(",", ""))
    return abs(new - old) / max(abs(old), abs(new), 1e-300)


def _transfers(
    lake: Lake, publisher: Publisher, told: Iterable[Transfer], seen: int
) -> tuple[list[Table], Kept]:
    tables: list[Table] = []
    kept = Kept()
    by_symbol = defaultdict[str, dict[_Key, Transfer]](dict)
    for each in told:
        by_symbol[each.symbol][each.tx, each.time // 1_000] = each
    schema = {
        "ts": TIME, "usable_from": TIME, "tx": pl.String, "size": pl.Float64, "notional_usd": pl.Float64,
        "origin": pl.String, "target": pl.String, "source": pl.String,
    }  # fmt: skip
    for symbol, mine in sorted(by_symbol.items()):
        stored = lake.read("transfer", publisher.venue, symbol).select(
            "tx", pl.col("ts").dt.epoch("us")
        )
        there = set(stored.iter_rows())
        rows = [
            (at, max(seen // 1_000, at), tx, each.size, each.notional_usd, each.origin, each.target,
             publisher.source)
            for (tx, at), each in mine.items()
            if (tx, at) not in there
        ]  # fmt: skip
        kept = kept.plus(Kept(new=len(rows), unchanged=len(mine) - len(rows)))
        if rows:
            tables.append(
                Table(
                    "transfer",
                    publisher.venue,
                    symbol,
                    pl.DataFrame(rows, schema=schema, orient="row"),
                )
            )
    return tables, kept


def _levels(publisher: Publisher, told: Iterable[Level]) -> list[Table]:
    """Bars of an index that its venue computes live: known at their end."""
    by_symbol = defaultdict[str, list[Level]](list)
    for each in told:
        by_symbol[each.symbol].append(each)
    schema = {"ts": TIME, "usable_from": TIME} | dict.fromkeys(
        ("open", "high", "low", "close"), pl.Float64
    )
    return [
        Table("vol_index_1d", publisher.venue, symbol, pl.DataFrame(
            [(each.time // 1_000, (each.time + DAY_NS) // 1_000, each.open, each.high, each.low, each.close)
             for each in mine], schema=schema, orient="row").with_columns(source=pl.lit(publisher.source)))
        for symbol, mine in sorted(by_symbol.items())
    ]  # fmt: skip
