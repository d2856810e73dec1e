"""Facts of closed minutes into the store, a batch of minutes at a time."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from airpocket.domain.errors import BadInput, StoreError
from airpocket.domain.events import Batch
from airpocket.domain.kinds import split_name
from airpocket.domain.simulated import sourced
from airpocket.ingest.lake import Lake, Table
from airpocket.ingest.tables import TIME
from airpocket.market.live import rows
from airpocket.market.pulse import PulseStatus

_MOST_ROWS = 1_000_000  # kept in memory while the store takes none: days of them


class FactKeeper:
    """Gathers batches and writes them together. A store that takes nothing costs no row while memory lasts.

    `dropped`: rows lost to the store; the raw log still has what they were made of.
    """

    def __init__(self, store: Path) -> None:
        self._lake = Lake(store)
        self._states: dict[tuple[str, str, str], str] = {}
        self._waiting: dict[tuple[str, str, str], list[Batch]] = {}
        self._refused: list[Table] = []  # by the store, to be tried again
        self._why_refused = self._why_dropped = ""
        self.dropped = 0
        self.simulated = ""  # the label that every row's source gets, where the market is invented

    @property
    def trouble(self) -> str:
        """Why rows are not in the store, '' when all went in."""
        waits = f"{_rows(self._refused):,} rows wait: {self._why_refused}" if self._refused else ""
        lost = f"{self.dropped:,} rows were dropped: {self._why_dropped}" if self.dropped else ""
        told = "; ".join(each for each in (waits, lost) if each)
        return f"store: {told}" if told else ""

    @property
    def waiting(self) -> int:
        """Rows not yet in the store."""
        gathered = sum(len(batch) for batches in self._waiting.values() for batch in batches)
        return gathered + _rows(self._refused)

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

    def ended_states(self, at: int, now: int, why: str) -> list[Batch]:
        """That every channel which the store believed up before `now` is down since `at`, known `now` (ns).

        For the next start: a recorder that was killed could not say so itself. Changes nothing here, so
        that another thread may call it.

        Raises:
            StoreError: what the store believes can't be read.
        """
        found: list[Batch] = []
        for series in self._lake.series():
            if series.kind != "channel_state":
                continue
            known = self._lake.read_batch(series.kind, series.venue, series.symbol)
            last: dict[str, tuple[int, str]] = {}
            for ts, name, state in zip(
                known.ints("ts"), known.texts("channel"), known.texts("state"), strict=True
            ):
                if ts < now:
                    last[str(name)] = (int(ts), str(state))
            made: list[dict[str, object]] = [
                {"ts": max(at, ts + 1_000), "usable_from": now, "channel": name, "state": "down", "reason": why}
                for name, (ts, state) in last.items()
                if state != "down"
            ]  # fmt: skip
            if made:
                found.append(rows.batch("channel_state", series.venue, series.symbol, made))
        return found

    def take(self) -> list[Table]:
        """What waits, as tables of the store; it waits no more."""
        ready, self._waiting = self._waiting, {}
        again, self._refused = self._refused, []
        return [*again, *(table_of(batches, self.simulated) for batches in ready.values())]

    def write(self, tables: list[Table]) -> int:
        """Write tables and count their new rows; a row that is there already stays as it is: minutes heard
        twice are one minute. What the store does not take waits for the next call.
        """
        if not tables:
            return 0
        try:
            report = self._lake.write(tables, on_conflict="keep")
        except StoreError as error:
            self._keep_back(tables, str(error))
            return 0
        except BadInput as error:
            return self._without_the_bad(tables, str(error))
        return report.rows_new

    def _keep_back(self, tables: list[Table], why: str) -> None:
        self._refused += tables
        self._why_refused = why
        while len(self._refused) > 1 and _rows(self._refused) > _MOST_ROWS:
            self._drop(self._refused.pop(0), why)

    def _drop(self, table: Table, why: str) -> None:
        self.dropped += table.frame.height
        self._why_dropped = why

    def _without_the_bad(self, tables: list[Table], why: str) -> int:
        """One table that may not enter must not keep the others out, now or ever."""
        if len(tables) == 1:
            self._drop(tables[0], why)
            return 0
        return sum(self.write([table]) for table in tables)


def _rows(tables: list[Table]) -> int:
    return sum(table.frame.height for table in tables)


def table_of(batches: list[Batch], simulated: str = "") -> Table:
    """Batches of one series as one table; the label of an invented market comes first in their sources."""
    first = batches[0]
    kind, _ = split_name(first.kind)
    sources = [
        text
        for batch in batches
        for text in [", ".join(sourced(simulated, batch.sources))] * len(batch)
    ]
    columns: dict[str, pl.Series] = {name: _time(name, batches) for name in ("ts", "usable_from")}
    columns["source"] = pl.Series("source", sources, dtype=pl.String)
    for column in kind.columns:
        if column.dtype == "time":
            columns[column.name] = _time(column.name, batches)
            continue
        values = np.concatenate([np.asarray(batch.columns[column.name]) for batch in batches])
        series = pl.Series(column.name, values)
        if column.dtype == "f64":
            series = series.fill_nan(None)
        elif column.nullable:  # text and whole numbers mark what is unknown in band
            series = series.set(series == ("" if column.dtype == "str" else -1), None)
        columns[column.name] = series
    return Table(first.kind, first.venue, first.symbol, pl.DataFrame(columns))


def _time(name: str, batches: list[Batch]) -> pl.Series:
    """ns → the store's µs, rounded up for usable_from: never usable before it was."""
    stamps = np.concatenate([batch.ints(name) for batch in batches])
    if name == "usable_from":
        stamps = stamps + 999
    return pl.Series(name, stamps // 1_000).cast(TIME)
