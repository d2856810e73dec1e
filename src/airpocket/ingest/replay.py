"""The lake back into facts: everything known of an asset at a moment, in the order the state wants."""

from collections.abc import Iterator

import numpy as np

from airpocket.domain.errors import NothingKnown, UnknownInstrument
from airpocket.domain.events import Batch, IntArray
from airpocket.domain.instruments import instrument
from airpocket.domain.kinds import split_name
from airpocket.domain.units import DAY_NS, HOUR_NS, SECOND_NS, TimeNs
from airpocket.ingest.lake import Lake, SeriesInfo

# Facts that the market state does not take: hindsight labels never may, accounts and loans are told as states
# (census.stored), trades are read where they are wanted (trades_of), the rest have no reader yet.
_NOT_READ = (
    "label", "trade", "chain_health", "liquidation_total", "account", "account_seen", "loan",
)  # fmt: skip
# Filed under no asset: they are the venue's.
_OF_VENUES = ("account", "account_seen")
# In force until the next one, however old.
_LASTING = ("tier", "listing", "funding_bound")
# Dense, and read over a day or two only.
_RECENT_DAYS = {"lead_lag": 2, "option_quote": 2}
# Slow histories are scored against a year; a little more covers warm-ups.
_OBSERVATION_DAYS = 420


def facts_of(lake: Lake, asset: str, until: TimeNs) -> Iterator[Batch]:
    """Batches usable at `until` for every stored contract on `asset`, each in ts order.

    Bars of one contract in several intervals become one stream: each hour from the finest interval that
    covers all of it. Flows are read whichever asset they are filed under if they concern all (USDT).

    Raises:
        NothingKnown: the store has nothing on the asset.
        StoreDamaged: a file is not what the manifest says.
    """
    mine = [series for series in lake.series() if _concerns(series, asset)]
    if not mine:
        raise NothingKnown(f"the store holds nothing on {asset}; it holds: {_assets(lake)}")
    born = {
        (series.venue, series.symbol): _born(lake, series, until)
        for series in mine
        if series.kind == "listing"
    }
    bars: dict[tuple[str, str], list[SeriesInfo]] = {}
    for series in mine:
        if split_name(series.kind)[0].name == "bar":
            bars.setdefault((series.venue, series.symbol), []).append(series)
    for key, found in bars.items():
        yield from merged_bars([_batch(lake, s, until, born.get(key)) for s in found])
    for series in mine:
        family = split_name(series.kind)[0].name
        if family not in ("bar", *_NOT_READ):
            days = _RECENT_DAYS.get(family, _OBSERVATION_DAYS)
            start = None if family in _LASTING else until - days * DAY_NS
            since = born.get((series.venue, series.symbol))
            if since is not None and family != "listing":
                start = max(start or 0, since)
            yield _batch(lake, series, until, start)


def trades_of(lake: Lake, asset: str, until: TimeNs, hours: float = 6.0) -> dict[str, Batch]:
    """The newest single trades of every stored contract on `asset`, by contract key, known at `until`.

    They are dense: only those of the last hours that a series has before `until` are read.
    """
    found: dict[str, Batch] = {}
    for series in lake.series():
        if series.kind != "trade" or not _concerns(series, asset) or series.first > until:
            continue
        start = min(int(until), series.last) - round(hours * HOUR_NS)
        found[instrument(series.venue, series.symbol).key] = _batch(lake, series, until, start)
    return found


def _born(lake: Lake, series: SeriesInfo, until: TimeNs) -> int | None:
    """When the contract that now bears the symbol was listed, where another bore it before; else None.

    What is older belongs to that other contract, and must not be read as this one's past.
    """
    listed = _batch(lake, series, until, None).floats("listed_at_s")
    known = listed[listed > 0]  # a missing one is no number
    if len(known) == 0 or known[0] == known[-1]:
        return None
    return int(known[-1]) * SECOND_NS


def newest(lake: Lake, asset: str) -> TimeNs:
    """The moment the asset's price bars reach to: the natural as-of time of a stored history."""
    ends = [
        series.last + split_name(series.kind)[1]
        for series in lake.series()
        if _concerns(series, asset) and split_name(series.kind)[0].name == "bar"
    ]
    if not ends:
        raise NothingKnown(
            f"the store holds no price bars of {asset}; it holds facts on: {_assets(lake)}"
        )
    return TimeNs(max(ends))


def _assets(lake: Lake) -> str:
    """The assets that the store holds anything on, for messages."""
    told = [series for series in lake.series() if series.kind not in _OF_VENUES]
    bases = {base for series in told if (base := _base_of(series)) is not None}
    return ", ".join(sorted(bases)) or "nothing"


def _base_of(series: SeriesInfo) -> str | None:
    try:
        return instrument(series.venue, series.symbol).base
    except UnknownInstrument:
        return (
            None  # set aside by its importer, as 'ETH~head' is: a second vintage of the same rows
        )


def _concerns(series: SeriesInfo, asset: str) -> bool:
    if series.kind in _OF_VENUES:
        return False
    base = _base_of(series)
    return base == asset or (base == "USDT" and series.kind == "flow")


def _batch(lake: Lake, series: SeriesInfo, until: TimeNs, start: int | None) -> Batch:
    return lake.read_batch(series.kind, series.venue, series.symbol, start=start, until=until)


def merged_bars(batches: list[Batch]) -> Iterator[Batch]:
    """One contract's bars in several intervals → batches of one interval each, in time order.

    An hour is taken from the finest interval that covers it whole; an hour nobody covers whole, from the
    finest that has anything. Bars coarser than an hour fill whole spans that nothing finer touches.
    """
    ordered = sorted((b for b in batches if len(b)), key=lambda b: b.interval_ns)
    if not ordered:
        return
    taken = np.empty(0, np.int64)
    chosen: list[tuple[Batch, np.ndarray[tuple[int], np.dtype[np.bool_]]]] = []
    whole = [_whole_hours(b) for b in ordered]
    for batch, hours in zip(ordered, whole, strict=True):
        fresh = np.setdiff1d(hours, taken)
        chosen.append((batch, np.isin(_hour(batch), fresh)))
        taken = np.union1d(taken, fresh)
    for k, (batch, mask) in enumerate(chosen):
        partial = ~np.isin(_hour(batch), taken)
        if batch.interval_ns > HOUR_NS:
            partial &= ~_touches(batch, taken)
        chosen[k] = (batch, mask | partial)
        taken = np.union1d(taken, _hour(batch)[partial])
    yield from _in_time_order(chosen)


def _hour(batch: Batch) -> IntArray:
    ts = batch.ints("ts")
    return ts - ts % HOUR_NS


def _whole_hours(batch: Batch) -> IntArray:
    """Opens of the hours this batch covers without a hole; intervals above an hour cover none."""
    if batch.interval_ns > HOUR_NS:
        return np.empty(0, np.int64)
    hours, count = np.unique(_hour(batch), return_counts=True)
    return hours[count == HOUR_NS // batch.interval_ns]


def _touches(batch: Batch, hours: IntArray) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """(n,) whether any of `hours` lies inside each coarse bar."""
    ts = batch.ints("ts")
    first = np.searchsorted(hours, ts)
    after = np.searchsorted(hours, ts + batch.interval_ns)
    return after > first


def _in_time_order(
    chosen: list[tuple[Batch, "np.ndarray[tuple[int], np.dtype[np.bool_]]"]],
) -> Iterator[Batch]:
    ts = np.concatenate([batch.ints("ts")[mask] for batch, mask in chosen])
    origin = np.concatenate([np.full(int(mask.sum()), k) for k, (_, mask) in enumerate(chosen)])
    kept = [_masked(batch, mask) for batch, mask in chosen]
    order = np.argsort(ts, kind="stable")
    switches = np.flatnonzero(np.diff(origin[order])) + 1
    position = [0] * len(kept)
    for start, stop in zip([0, *switches], [*switches, len(order)], strict=True):
        if stop > start:
            k = int(origin[order[start]])
            yield kept[k].slice(position[k], position[k] + int(stop - start))
            position[k] += int(stop - start)


def _masked(batch: Batch, mask: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Batch:
    columns = {name: array[mask] for name, array in batch.columns.items()}
    return Batch(batch.kind, batch.venue, batch.symbol, columns, batch.sources)
