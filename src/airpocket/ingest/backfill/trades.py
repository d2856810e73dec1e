"""Trades asked for hour by hour, and who was liquidated in them: whole hours go to the store, or none of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import msgspec
import polars as pl

from airpocket.domain.errors import UndecodableFrame, VenueRefused
from airpocket.domain.ports import Clock
from airpocket.domain.units import HOUR_NS, format_time
from airpocket.domain.wire import Liquidation, LiveEvent, OffBook, Trade
from airpocket.ingest.backfill.convert import MS_NS, Market, Row
from airpocket.ingest.backfill.plan import Window, missing_rows
from airpocket.ingest.lake import Lake, Table
from airpocket.ingest.venues.registry import VENUES

_SETTLE_NS = (
    HOUR_NS  # an hour is asked for only so long after it ended, when its trades are all there
)
_MOST_PAGES = 5_000  # of one hour: far above any cascade


class TradeHistory(Protocol):
    """A venue that gives the trades of a stretch, oldest first, `page_rows` at a time."""

    venue: str

    def page(self, market: Market, family: str, window: Window, step_ns: int) -> list[Row]: ...


class Told(Protocol):
    """The report of a kind, as far as trades fill it."""

    kind: str
    start: int
    until: int
    requests: int
    rows_new: int
    rows_known: int
    rows_repeated: int
    windows_empty: int
    notes: list[str]


@dataclass(slots=True)
class TradeJob:
    """Deribit's trades over REST (venues' own words in docs/backfill.md).

    `trade` stores each whole hour's trades together with its liquidations, so an hour that has trades in the
    store is complete. `liquidation` stores the forced closes alone; no row tells which hours it has seen, so
    it asks for all.
    """

    client: TradeHistory
    market: Market
    lake: Lake
    clock: Clock
    report: Told
    family: str  # trade, liquidation
    page_rows: int
    missing: int = 0  # trades that the venue's own count says there were
    blocks: int = 0
    forced: int = 0

    def run(self, start: int, until: int, progress: Callable[[int, int], None]) -> None:
        """Every hour wholly inside [start, until) that is missing; each is committed when complete."""
        end = min(until, self.clock.now() - _SETTLE_NS)
        if end < until:
            self.report.notes.append(f"hours that ended before {format_time(end)}")
        known = self._known(start, end) if self.family == "trade" else ()
        hours = missing_rows(known, start, end, step_ns=HOUR_NS, span_ns=HOUR_NS)
        for done, hour in enumerate(hours):
            progress(done, len(hours))
            self._store(self._hour(hour))
        progress(len(hours), len(hours))
        self._tell()

    def _known(self, start: int, end: int) -> set[int]:
        frame = self.lake.read(
            "trade", self.client.venue, self.market.symbol, start=start, until=end
        )
        hours = frame["ts"].dt.truncate("1h").unique().cast(pl.Int64)
        return {int(each) * 1_000 for each in hours}

    def _hour(self, hour: Window) -> list[dict[str, Any]]:
        """All trades of one hour in the venue's order, each once."""
        trades: dict[int, dict[str, Any]] = {}
        since = hour.start
        for _ in range(_MOST_PAGES):
            self.report.requests += 1
            answer = self.client.page(self.market, "trade", Window(since, hour.end), 0)
            for row in answer:
                trade = self._checked(row, hour)
                count = int(trade["trade_seq"])
                self.report.rows_repeated += count in trades
                trades[count] = trade
            if len(answer) < self.page_rows:
                return [trades[count] for count in sorted(trades)]
            latest = max(_time_ns(trade) for trade in trades.values())
            if latest == since:
                break
            since = latest
        raise VenueRefused(
            f"{self.client.venue} does not advance past {format_time(since)}; what came before is stored"
        )

    def _checked(self, row: Row, hour: Window) -> dict[str, Any]:
        trade = dict(cast("Mapping[str, Any]", row)) if isinstance(row, Mapping) else {}
        where = f"{self.client.venue} {self.market.symbol}"
        if not isinstance(trade.get("trade_seq"), int) or not isinstance(
            trade.get("timestamp"), int
        ):
            raise UndecodableFrame(f"{where}: a trade without time or count: {str(row)[:100]}")
        if trade.get("instrument_name") != self.market.symbol:
            raise UndecodableFrame(
                f"{where}: a trade of {str(trade.get('instrument_name'))[:40]!r}"
            )
        if not hour.start <= _time_ns(trade) < hour.end:
            raise UndecodableFrame(
                f"{where}: a trade of {format_time(_time_ns(trade))} in the hour of "
                f"{format_time(hour.start)}"
            )
        return trade

    def _store(self, trades: Sequence[Mapping[str, Any]]) -> None:
        if not trades:
            self.report.windows_empty += 1
            return
        counts = [int(trade["trade_seq"]) for trade in trades]
        self.missing += counts[-1] - counts[0] + 1 - len(counts)
        rows: dict[str, list[dict[str, Any]]] = {"trade": [], "liquidation": []}
        for count, event in self._events(trades):
            if isinstance(event, OffBook):
                self.blocks += 1
            elif isinstance(event, Trade):
                rows["trade"].append(_trade_row(event, count))
            elif isinstance(event, Liquidation):
                rows["liquidation"].append(_liquidation_row(event, count))
        self.forced += len(rows["liquidation"])
        kinds = ("trade", "liquidation") if self.family == "trade" else ("liquidation",)
        tables = [
            Table(kind, self.client.venue, self.market.symbol, self._frame(rows[kind]))
            for kind in kinds
            if rows[kind]
        ]
        if tables:
            written = self.lake.write(tables)
            self.report.rows_new += written.rows_new
            self.report.rows_known += written.rows_known

    def _events(self, trades: Sequence[Mapping[str, Any]]) -> list[tuple[int, LiveEvent]]:
        """Through the decoder that hears them live; each event with the count that is its own.

        A trade may force both sides (MT): the taker's close gets twice the trade's count, the maker's one more.
        """
        channel = f"trades.{self.market.symbol}.100ms"
        frame = {"method": "subscription", "params": {"channel": channel, "data": list(trades)}}
        counts = {str(trade.get("trade_id")): int(trade["trade_seq"]) for trade in trades}
        found: list[tuple[int, LiveEvent]] = []
        count = forced = 0
        for event in VENUES[self.client.venue].decode(msgspec.json.encode(frame), 0, ""):
            if isinstance(event, Trade | OffBook):
                count, forced = counts[str(event.trade_id)], 0
                found.append((count, event))
            else:
                found.append((2 * count + forced, event))
                forced += 1
        return found

    def _frame(self, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
        moment = pl.Datetime("us", "UTC")
        frame = pl.DataFrame(list(rows)).with_columns(
            (pl.col("ts") // 1_000).cast(moment),
            pl.lit(f"rest:{self.client.venue}").alias("source"),
        )
        return frame.with_columns(pl.col("ts").alias("usable_from"))

    def _tell(self) -> None:
        notes = self.report.notes
        if self.family == "trade":
            notes.append(f"{self.forced:,} liquidations among them")
        if self.blocks:
            notes.append(f"{self.blocks:,} block trades left out: they did not meet in the book")
        if self.missing:
            notes.append(f"{self.missing:,} trades missing by the venue's own count")


def _time_ns(trade: Mapping[str, Any]) -> int:
    return int(trade["timestamp"]) * MS_NS


def _trade_row(event: Trade, count: int) -> dict[str, Any]:
    return {
        "ts": event.ts, "price": event.price, "size": event.size, "taker_side": event.taker_side,
        "trade_id": count,
    }  # fmt: skip


def _liquidation_row(event: Liquidation, count: int) -> dict[str, Any]:
    return {
        "ts": event.ts, "forced_side": event.forced_side, "price": event.price, "size": event.size,
        "notional_usd": event.notional_usd, "coverage": event.coverage, "seq": count,
    }  # fmt: skip
