"""The store: verified Parquet files under one manifest, written all or nothing, read as of a moment."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
import polars as pl

from airpocket.domain.errors import StoreDamaged, StoreError
from airpocket.domain.events import Batch, ColumnArray
from airpocket.domain.kinds import Column
from airpocket.ingest import disk, manifest
from airpocket.ingest.manifest import Entry
from airpocket.ingest.tables import (
    TIME,
    OnConflict,
    Sort,
    Table,
    checked,
    columns_of,
    empty_frame,
    kind_named,
    merge,
    packed,
    partitions,
    with_all_columns,
)

__all__ = ["Damage", "Lake", "OnConflict", "SeriesInfo", "Table", "WriteReport"]

Entries: TypeAlias = dict[str, Entry]  # by partition folder
T = TypeVar("T")


@dataclass(frozen=True)
class WriteReport:
    """What a write did. Every row given is new or known; a known row may have filled or replaced a value."""

    files_written: int
    files_unchanged: int
    rows_new: int
    rows_known: int
    series: tuple[str, ...]  # 'bar_1h binance BTCUSDT'


@dataclass(frozen=True)
class SeriesInfo:
    """One series of the store; first and last are ts in ns."""

    kind: str
    venue: str
    symbol: str
    rows: int
    files: int
    bytes: int
    first: int
    last: int
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Damage:
    """A file that is not what the manifest says, and in which way."""

    path: Path
    problem: str


class Lake:
    """Market facts on disk: one Parquet file per series and day or month, listed by a checksummed manifest.

    Many may read while one writes. Nothing is opened before the first call of a method.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "lake"
        self._stamp: object = None
        self._entries: Entries = {}
        self._verified: dict[str, tuple[object, ...]] = {}

    def write(self, tables: Iterable[Table], *, on_conflict: OnConflict = "refuse") -> WriteReport:
        """Add rows in one commit: after a crash either all of them are there or none.

        Raises:
            BadTable, BadInput: a row that may not enter; see `tables.checked`.
            StoreConflict: a row contradicts one that is there and on_conflict is 'refuse'; or it is of a
                simulated market and others are real, or the reverse.
            StoreBusy: another process is writing.
            StoreDamaged: a file that the rows would join is damaged.
            StoreError: the disk is full, read-only or failing.
        """
        try:
            with manifest.writing(self.folder) as before:
                return self._write(before, tables, on_conflict)
        except OSError as error:
            raise StoreError(
                f"{self.root}: cannot be written, nothing was changed: {error}"
            ) from error

    def _write(
        self, before: Entries, tables: Iterable[Table], on_conflict: OnConflict
    ) -> WriteReport:
        after, written = dict(before), list[str]()
        touched, series = set[str](), dict[str, None]()
        sort = Sort(self.root, before.values())
        new = known = 0
        try:
            for table in tables:
                sort.take(table)
                series[f"{table.kind} {table.venue} {table.symbol}"] = None
                for partition, rows in partitions(table, checked(table)):
                    touched.add(partition)
                    there = after.get(partition)
                    old = (
                        empty_frame(kind_named(table.kind))
                        if there is None
                        else self._frame([there])
                    )
                    merged = merge(old, rows, table, on_conflict)
                    new, known = new + merged.rows_new, known + merged.rows_known
                    if merged.changed:
                        entry, data = packed(table, partition, merged.frame)
                        disk.put(self.folder / entry.path, data)
                        written.append(entry.path)
                        after[partition] = entry
        except BaseException:
            with suppress(OSError):
                manifest.sweep(self.folder, before)
            raise
        self._publish(before, after, written)
        changed = sum(after[partition] != before.get(partition) for partition in touched)
        return WriteReport(changed, len(touched) - changed, new, known, tuple(series))

    def _publish(self, before: Entries, after: Entries, written: list[str]) -> None:
        if after == before:
            return
        manifest.sync_folders(self.folder, written)
        manifest.commit(self.folder, after)
        listed = {entry.path for entry in after.values()}
        past = dict.fromkeys([*written, *(entry.path for entry in before.values())])
        # committed: what can't be deleted now is swept by the next write
        with suppress(OSError):
            manifest.remove(self.folder, (path for path in past if path not in listed))

    def series(self) -> list[SeriesInfo]:
        """Every series the store holds, by kind, venue and symbol."""
        ordered = sorted(self._current().values(), key=_name)
        return [_info(list(entries)) for _, entries in groupby(ordered, key=_name)]

    def read(
        self,
        kind: str,
        venue: str,
        symbol: str,
        *,
        start: int | None = None,
        until: int | None = None,
    ) -> pl.DataFrame:
        """The rows of a series that were known at `until` (ns, inclusive) and have ts >= start (ns).

        Columns ts, usable_from, the kind's own, source; sorted by the kind's key; no rows for a series
        that is not there.

        Raises:
            BadInput: no such kind.
            StoreDamaged: a file is missing or its SHA-256 differs; names the file.
        """
        definition = kind_named(kind)

        def collect(entries: Entries) -> pl.DataFrame:
            files = [
                entry
                for entry in entries.values()
                if (entry.symbol == symbol and entry.kind == kind and entry.venue == venue)
                and (start is None or entry.ts_last >= start)
                and (until is None or entry.usable_first <= until)
            ]
            return self._frame(files) if files else empty_frame(definition)

        rows = self._consistent(collect).lazy()
        if start is not None:
            rows = rows.filter(pl.col("ts").dt.epoch("us") >= -(-start // 1_000))
        if until is not None:
            rows = rows.filter(pl.col("usable_from").dt.epoch("us") <= until // 1_000)
        return rows.sort(definition.key).collect()

    def read_batch(
        self,
        kind: str,
        venue: str,
        symbol: str,
        *,
        start: int | None = None,
        until: int | None = None,
    ) -> Batch:
        """The same rows as arrays: times int64 ns, a missing float NaN, a missing text '', a missing time -1.

        A column of whole numbers that may be missing comes as floats, with NaN where it is.
        """
        frame = self.read(kind, venue, symbol, start=start, until=until)
        columns = {
            column.name: as_array(frame[column.name], column)
            for column in columns_of(kind_named(kind))
            if column.name != "source"
        }
        sources = tuple(sorted(frame["source"].unique().to_list()))
        return Batch(kind, venue, symbol, columns, sources)

    def verified_files(self, kinds: Iterable[str]) -> dict[str, list[Path]]:
        """The files of each stored kind, all verified, for readers other than this class.

        Raises:
            StoreDamaged: a file is missing or its SHA-256 differs.
        """
        wanted = tuple(kinds)

        def collect(entries: Entries) -> dict[str, list[Path]]:
            found: dict[str, list[Path]] = {kind: [] for kind in wanted}
            for entry in sorted(entries.values(), key=lambda entry: entry.path):
                if entry.kind in found:
                    found[entry.kind].append(self._verify_once(entry))
            return found

        return self._consistent(collect)

    def verify(self) -> list[Damage]:
        """Every listed file that is damaged or missing and every file that is not listed, all read anew."""
        damages: list[Damage] = []
        for _ in range(3):  # a writer may replace files while they are read
            begun = manifest.stamp(self.folder)
            damages = list(self._damages())
            if manifest.stamp(self.folder) == begun:
                break
        return damages

    def _damages(self) -> Iterator[Damage]:
        try:
            entries = manifest.load(self.folder)
        except StoreError as error:
            path = self.folder / manifest.MANIFEST
            yield Damage(path, str(error).removeprefix(f"{path}: "))
            return
        for entry in sorted(entries.values(), key=lambda entry: entry.path):
            problem = _problem(self.folder / entry.path, entry)
            if problem:
                yield Damage(self.folder / entry.path, problem)
        listed = {entry.path for entry in entries.values()}
        busy = disk.is_held(self.folder)
        for path in manifest.files_under(self.folder):
            if path not in listed and not (busy and manifest.is_ours(path)):
                yield Damage(
                    self.folder / path, "not listed: left by an unfinished write, or put here"
                )

    def _current(self) -> Entries:
        now = manifest.stamp(self.folder)
        if now is None or now != self._stamp:
            self._entries, self._stamp = manifest.load(self.folder), now
        return self._entries

    def _consistent(self, collect: Callable[[Entries], T]) -> T:
        """Read by one manifest; where a writer replaced files meanwhile, again by the next one."""
        entries = self._current()
        while True:
            try:
                return collect(entries)
            except StoreDamaged:
                latest = self._current()
                if latest == entries:
                    raise
                entries = latest

    def _frame(self, entries: list[Entry]) -> pl.DataFrame:
        paths = [self._verify_once(entry) for entry in entries]
        kind = kind_named(entries[0].kind)
        names = [column.name for column in columns_of(kind)]
        try:
            frame = pl.read_parquet(paths, columns=names, glob=False, hive_partitioning=False)
        except FileNotFoundError as error:
            raise StoreDamaged(f"{error.filename or paths[0]}: the file has gone") from error
        except pl.exceptions.ColumnNotFoundError:  # a file older than one of today's columns
            parts = [pl.read_parquet(p, glob=False, hive_partitioning=False) for p in paths]
            frame = pl.concat(with_all_columns(part, kind) for part in parts)
        return frame if frame.columns == names else frame.select(names)

    def _verify_once(self, entry: Entry) -> Path:
        path = self.folder / entry.path
        try:
            status = path.stat()
            seen = (entry.sha256, status.st_size, status.st_mtime_ns, status.st_ino)
        except OSError:
            seen = ()
        if not seen or self._verified.get(entry.path) != seen:
            problem = _problem(path, entry)
            if problem:
                raise StoreDamaged(f"{path}: {problem}; 'airpocket store verify' lists all damage")
            self._verified[entry.path] = seen
        return path


def _problem(path: Path, entry: Entry) -> str:
    """What is wrong with a listed file, read in full; '' when it is what was written."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except FileNotFoundError:
        return "the file is missing"
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    if size != entry.size:
        return f"the file has {size} bytes, the manifest says {entry.size}"
    if digest != entry.sha256:
        return "the contents changed: their SHA-256 is not the manifest's"
    return ""


def _name(entry: Entry) -> tuple[str, str, str]:
    return entry.kind, entry.venue, entry.symbol


def _info(entries: list[Entry]) -> SeriesInfo:
    return SeriesInfo(
        *_name(entries[0]),
        rows=sum(entry.rows for entry in entries),
        files=len(entries),
        bytes=sum(entry.size for entry in entries),
        first=min(entry.ts_first for entry in entries),
        last=max(entry.ts_last for entry in entries),
        sources=tuple(sorted({source for entry in entries for source in entry.sources})),
    )


def as_array(values: pl.Series, column: Column) -> ColumnArray:
    """A column of a table as batches hold it: times int64 ns, missing ones -1; a missing float NaN, text ''."""
    # filling where nothing is missing costs as much as reading the file
    whole = values.null_count() == 0
    if column.dtype == "str":
        return np.array((values if whole else values.fill_null("")).to_list(), dtype=np.str_)
    if column.dtype == "time":  # a missing one is -1: no moment of ours
        micros = values.cast(TIME).cast(pl.Int64)
        if whole:
            return micros.to_numpy() * 1_000
        return np.where(micros.is_null().to_numpy(), -1, micros.fill_null(0).to_numpy() * 1_000)
    if column.dtype == "i64" and not column.nullable:
        return values.to_numpy(writable=True)
    floats = values.cast(pl.Float64)
    return (floats if whole else floats.fill_null(float("nan"))).to_numpy(writable=True)
