"""Facts of closed minutes into the store, a batch of minutes at a time."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from airpocket.domain.events import Batch
from airpocket.domain.kinds import split_name
from airpocket.ingest.lake import Lake, Table, WriteReport
from airpocket.ingest.tables import TIME
from airpocket.market.live import rows
from airpocket.market.pulse import PulseStatus


class FactKeeper:
    """Gathers batches and writes them together; what is not flushed can be made again from the raw log."""

    def __init__(self, store: Path) -> None:
        self._lake = Lake(store)
        self._states: dict[tuple[str, str, str], str] = {}
        self._waiting: dict[tuple[str, str, str], list[Batch]] = {}

    @property
    def waiting(self) -> int:
        """Rows not yet in the store."""
        return sum(len(batch) for batches in self._waiting.values() for batch in batches)

    def add(self, batches: Iterable[Batch]) -> None:
        """Take batches for the next flush."""
        for batch in batches:
            key = (batch.kind, batch.venue, batch.symbol)
            self._waiting.setdefault(key, []).append(batch)

    def note(self, statuses: Iterable[PulseStatus], now: int) -> None:
        """Keep the channels whose state changed since the last note."""
        changed: dict[tuple[str, str], list[dict[str, object]]] = {}
        for status in statuses:
            key = (status.venue, status.symbol, status.channel)
            if self._states.get(key) == status.state:
                continue
            self._states[key] = status.state
            row: dict[str, object] = {
                "ts": now, "usable_from": now, "channel": status.channel, "state": status.state,
                "reason": status.reason or None,
            }  # fmt: skip
            changed.setdefault((status.venue, status.symbol), []).append(row)
        self.add(
            rows.batch("channel_state", venue, symbol, made)
            for (venue, symbol), made in changed.items()
        )

    def take(self) -> list[Table]:
        """What waits, as tables of the store; it waits no more."""
        ready, self._waiting = self._waiting, {}
        return [table_of(batches) for batches in ready.values()]

    def write(self, tables: list[Table]) -> WriteReport | None:
        """Write tables; a row that is there already stays as it is: minutes heard twice are one minute.

        Raises:
            StoreError, BadTable: as `Lake.write`.
        """
        return self._lake.write(tables, on_conflict="keep") if tables else None


def table_of(batches: list[Batch]) -> Table:
    """Batches of one series as one table."""
    first = batches[0]
    return Table(
        first.kind, first.venue, first.symbol, pl.concat([_frame(batch) for batch in batches])
    )


def _frame(batch: Batch) -> pl.DataFrame:
    kind, _ = split_name(batch.kind)
    columns: dict[str, pl.Series] = {name: _time(name, batch) for name in ("ts", "usable_from")}
    columns["source"] = pl.Series(
        "source", [", ".join(batch.sources)] * len(batch), dtype=pl.String
    )
    for column in kind.columns:
        if column.dtype == "time":
            columns[column.name] = _time(column.name, batch)
            continue
        series = pl.Series(column.name, batch.columns[column.name])
        if column.dtype == "f64":
            series = series.fill_nan(None)
        elif column.nullable:  # text and whole numbers mark what is unknown in band
            series = series.set(series == ("" if column.dtype == "str" else -1), None)
        columns[column.name] = series
    return pl.DataFrame(columns)


def _time(name: str, batch: Batch) -> pl.Series:
    """ns → the store's µs, rounded up for usable_from: never usable before it was."""
    stamps = batch.ints(name)
    if name == "usable_from":
        stamps = stamps + 999
    return pl.Series(name, stamps // 1_000).cast(TIME)
