"""One backfill from plan to store: asks only for what is missing and commits as it goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from airpocket.domain.errors import BadInput, UndecodableFrame, VenueRefused
from airpocket.domain.ports import Clock
from airpocket.domain.units import DAY_NS, HOUR_NS, SECOND_NS, format_interval, format_time
from airpocket.ingest.backfill import convert
from airpocket.ingest.backfill.convert import Market, Row
from airpocket.ingest.backfill.plan import (
    LOOK_BACK_NS,
    Window,
    left_over,
    missing_rows,
    missing_settlements,
)
from airpocket.ingest.backfill.tiers import as_frame, same_tiers, tier_table
from airpocket.ingest.backfill.trades import TradeJob
from airpocket.ingest.backfill.venues import VenueRest, family_of
from airpocket.ingest.lake import Lake, Table
from airpocket.margin.tiers import tables_of

COMMIT_ROWS = 5_000
_USUAL_FUNDING_NS = 8 * HOUR_NS


class History(Protocol):
    """A venue that answers for windows of its past."""

    venue: str
    rest: VenueRest

    def market(self, symbol: str) -> Market: ...

    def offers_interval(self, step_ns: int, family: str = "bar") -> bool: ...

    def page(self, market: Market, family: str, window: Window, step_ns: int) -> list[Row]: ...


@dataclass(frozen=True, slots=True)
class Step:
    """Progress of one kind: windows done of windows planned."""

    kind: str
    done: int
    planned: int


@dataclass(slots=True)
class KindReport:
    """What became of one kind: times in ns, rows by fate.

    `rows_outside` came from the venue but not from the stretch asked for (or were not yet usable), and
    `rows_repeated` came twice; neither is stored. `requests` does not count retries.
    """

    kind: str
    start: int
    until: int
    notes: list[str] = field(default_factory=list[str])
    offered: bool = True
    requests: int = 0
    rows_new: int = 0
    rows_known: int = 0
    rows_outside: int = 0
    rows_repeated: int = 0
    windows_empty: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What a backfill did, kind by kind."""

    venue: str
    symbol: str
    kinds: tuple[KindReport, ...]


def backfill(
    client: History,
    symbol: str,
    kinds: Sequence[str],
    span: tuple[int, int],
    *,
    lake: Lake,
    clock: Clock,
    progress: Callable[[Step], None] = lambda _: None,
) -> Report:
    """Ask a venue for every row of `kinds` in [span) that the store lacks, and store it.

    An interrupted run keeps what it committed; the next one asks only for the rest.

    Raises:
        BadInput: a kind that can't be asked for, or a span that is empty or in the future.
        UnknownInstrument: the venue does not list the symbol.
        VenueRefused, UndecodableFrame: see `rest`. StoreConflict: the venue contradicts the store.
    """
    start, until = span
    if not start < min(until, clock.now()):
        raise BadInput(f"nothing lies between {format_time(start)} and {format_time(until)}")
    if not kinds:
        raise BadInput("name at least one kind, such as bar_1h")
    plans = [(kind, *family_of(kind)) for kind in dict.fromkeys(kinds)]
    reports = [KindReport(kind, start, until) for kind, _, _ in plans]
    market: Market | None = None
    for (kind, family, step_ns), report in zip(plans, reports, strict=True):
        if not _offered(client, family, step_ns, report):
            continue
        market = market or client.market(symbol)
        if not _of_market(market, family):
            _not_offered(report, f"{kind}: not offered by {client.venue} for {_called(market)}")
            continue
        if family == "tier":
            _take_tiers(client, market, lake, clock, report)
            continue
        if family in ("trade", "liquidation"):
            page = client.rest.offers[family].page
            job = TradeJob(client, market, lake, clock, report, family, page)
            _take_trades(job, kinds, progress)
            continue
        _Job(client, market, lake, clock, report, family, step_ns, progress).run()
    return Report(client.venue, symbol, tuple(reports))


def _offered(client: History, family: str, step_ns: int, report: KindReport) -> bool:
    if family not in client.rest.offers:
        _not_offered(report, f"{report.kind}: not offered by {client.venue}")
    elif family.endswith(("bar", "index")) and not client.offers_interval(step_ns, family):
        _not_offered(report, f"bars of {format_interval(step_ns)}: not offered by {client.venue}")
    return report.offered


def _of_market(market: Market, family: str) -> bool:
    """An index has its own bars and nothing else; spot has bars."""
    if market.kind == "index":
        return family == "vol_index"
    return family == "bar" if market.kind == "spot" else family != "vol_index"


def _called(market: Market) -> str:
    return {"spot": "spot", "index": "an index"}.get(market.kind, "a contract: ask for its index")


def _not_offered(report: KindReport, note: str) -> None:
    report.offered = False
    report.notes.append(note)


def _take_tiers(
    client: History, market: Market, lake: Lake, clock: Clock, report: KindReport
) -> None:
    """Store the tiers in force now, unless the newest stored ones say the same."""
    now = clock.now()
    if report.until < now - DAY_NS:
        _not_offered(report, f"tier: {client.venue} gives only those of now, not of the span")
        return
    report.requests += 1
    rows = client.page(market, "tier", Window(now, now + 1), 0)
    table = tier_table(market, rows, clock.now())
    stored = lake.read_batch("tier", client.venue, market.symbol, start=None, until=clock.now())
    known = tables_of(client.venue, market.symbol, stored.columns, now=clock.now())
    if known and same_tiers(known[-1], table):
        report.rows_known += len(table)
        report.notes.append(f"unchanged since {known[-1].day}")
        return
    written = lake.write([Table("tier", client.venue, market.symbol, as_frame(table))])
    report.rows_new += written.rows_new


def _take_trades(job: TradeJob, kinds: Sequence[str], progress: Callable[[Step], None]) -> None:
    """Trades bring their liquidations along, so that both asked for together are asked for once."""
    report = job.report
    if job.family == "liquidation" and "trade" in kinds:
        report.notes.append("stored with the trades")
        return
    job.run(report.start, report.until, lambda done, of: progress(Step(report.kind, done, of)))


@dataclass(slots=True)
class _Job:
    """One kind of one contract: the rows gathered and not yet committed."""

    client: History
    market: Market
    lake: Lake
    clock: Clock
    report: KindReport
    family: str
    step_ns: int
    progress: Callable[[Step], None]
    gathered: list[pl.DataFrame] = field(default_factory=list[pl.DataFrame])

    def run(self) -> None:
        """Every missing window in turn; what is complete is committed even when a later one fails."""
        windows = self._plan()
        budget = 16 * (
            len(windows) + 1
        )  # far above any honest need: a venue that never advances ends
        try:
            for done, window in enumerate(windows):
                self.progress(Step(self.report.kind, done, len(windows)))
                self.gathered.append(self._frame(self._whole(window, budget), window))
                if sum(frame.height for frame in self.gathered) >= COMMIT_ROWS:
                    self._commit()
        finally:
            self._commit()
        self.progress(Step(self.report.kind, len(windows), len(windows)))

    def _plan(self) -> list[Window]:
        report, now = self.report, self.clock.now()
        offer = self.client.rest.offers[self.family]
        spacing_ns = self.step_ns or (self.client.rest.funding_hours or 8) * HOUR_NS
        start, end = report.start, min(report.until, now)
        earliest = offer.earliest(now, spacing_ns)
        if earliest > start:
            start = -(-earliest // spacing_ns) * spacing_ns
            report.notes.append(f"{self.client.venue} keeps none before {format_time(start)}")
        if self.market.listed is not None and self.market.listed > start:
            # a day early: the listing date is when orders opened, not always when bars began
            start = max(start, self.market.listed - DAY_NS)
            report.notes.append(f"listed {format_time(self.market.listed)}")
        span_ns = offer.span_ns(spacing_ns)
        known = self._known(start - LOOK_BACK_NS, end + LOOK_BACK_NS)
        if self.step_ns:
            times = [time for time, _ in known]
            return missing_rows(times, start, end, step_ns=self.step_ns, span_ns=span_ns)
        return missing_settlements(known, start, end, span_ns=span_ns)

    def _known(self, start: int, end: int) -> list[tuple[int, int]]:
        frame = self.lake.read(
            self.report.kind, self.client.venue, self.market.symbol, start=start, until=end
        )
        stamps = [int(t) * 1_000 for t in frame["ts"].cast(pl.Int64)]
        if self.family != "funding":
            return [(time, self.step_ns) for time in stamps]
        lengths = [int(seconds) * SECOND_NS for seconds in frame["interval_s"]]
        return list(zip(stamps, lengths, strict=True))

    def _whole(self, window: Window, budget: int) -> list[Row]:
        """All rows of one window, asking again for the edges that short pages leave."""
        reach = 0 if self.step_ns else LOOK_BACK_NS
        rows: dict[int, Row] = {}
        todo = [window]
        while todo:
            part = todo.pop()
            if self.report.requests >= budget:
                raise VenueRefused(
                    f"{self.client.venue} does not advance past {format_time(part.start)}: "
                    f"{self.report.requests} requests for {self.report.kind}; what came before is stored"
                )
            self.report.requests += 1
            asked = Window(part.start - reach, part.end)
            answer = self.client.page(self.market, self.family, asked, self.step_ns)
            times = self._take(answer, asked, rows)
            todo.extend(left_over(part, times, step_ns=self.step_ns))
        if not any(window.start <= time < window.end for time in rows):
            self.report.windows_empty += 1
        return [rows[time] for time in sorted(rows)]

    def _take(self, answer: Sequence[Row], asked: Window, rows: dict[int, Row]) -> list[int]:
        times: list[int] = []
        for row in answer:
            time = convert.time_of(self.market, row)
            if not asked.start <= time < asked.end:
                self.report.rows_outside += 1
                continue
            times.append(time)
            earlier = rows.setdefault(time, row)
            if earlier is row:
                continue
            if earlier != row:
                raise UndecodableFrame(
                    f"{self.client.venue} {self.market.symbol} {self.report.kind}: two different answers "
                    f"for {format_time(time)}"
                )
            self.report.rows_repeated += 1
        return times

    def _frame(self, rows: Sequence[Row], window: Window) -> pl.DataFrame:
        if self.family == "funding":
            if not any(convert.time_of(self.market, row) >= window.start for row in rows):
                rows = ()  # only settlements before the window
            hours = self.client.rest.funding_hours
            frame = convert.settlements(self.market, rows, fixed_hours=hours)
        elif self.family == "open_interest":
            frame = convert.interest(self.market, rows, self.step_ns)
        elif self.family == "ratio":
            frame = convert.ratios(self.market, rows, self.step_ns)
        else:
            frame = convert.bars(self.market, self.family, rows, self.step_ns)
        stamps, usable = frame["ts"].cast(pl.Int64), frame["usable_from"].cast(pl.Int64)
        now = self.clock.now() // 1_000
        kept = frame.filter((stamps >= window.start // 1_000) & (usable <= now))
        self.report.rows_outside += int(((stamps >= window.start // 1_000) & (usable > now)).sum())
        return kept

    def _commit(self) -> None:
        frames = [frame for frame in self.gathered if frame.height]
        self.gathered.clear()
        if not frames:
            return
        table = Table(
            self.report.kind, self.client.venue, self.market.symbol, pl.concat(frames).sort("ts")
        )
        written = self.lake.write([table])
        self.report.rows_new += written.rows_new
        self.report.rows_known += written.rows_known
