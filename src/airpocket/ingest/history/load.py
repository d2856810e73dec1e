"""The whole import up to the store's door: mappings in, checked tables and a full account of them out."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import polars as pl

from airpocket.domain.kinds import split_name
from airpocket.ingest.history.archives import read_archive
from airpocket.ingest.history.checks import FILE, Checked, check_part, once
from airpocket.ingest.history.files import ROW, find_files, read_frame, read_sums, verify
from airpocket.ingest.history.mapping import find_mappings, read_mapping
from airpocket.ingest.history.recorded_book import NewReplay
from airpocket.ingest.history.rules import ArchiveRule, HistoryMapping, Skip, TableRule
from airpocket.ingest.history.table import Part, read_table
from airpocket.ingest.lake import Table

STEP = "__step"  # µs between rows that the mapping expects, 0: none

Progress: TypeAlias = Callable[[int, int, str], None]  # done, of, file


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole in a series with a regular step; after and before are ts in ns of the rows around it."""

    kind: str
    venue: str
    symbol: str
    after: int
    before: int
    missing: int  # rows that a whole series would have here


@dataclass(frozen=True, slots=True)
class SeriesAccount:
    """One series of this import; first and last are ts in ns."""

    kind: str
    venue: str
    symbol: str
    rows: int
    first: int
    last: int
    sources: tuple[str, ...]
    gaps: int


@dataclass(frozen=True, slots=True)
class FileAccount:
    """What became of every row of one file under one table of a mapping.

    A row can become several (unpivot, metrics), or none; `left_out` says why.
    """

    file: str
    kind: str
    source: str
    rows_read: int
    rows_taken: int
    left_out: tuple[tuple[str, int], ...]
    collapsed: int
    moved: int


@dataclass(frozen=True, slots=True)
class Import:
    """Checked tables for Lake.write, and what to tell about them."""

    tables: tuple[Table, ...]
    series: tuple[SeriesAccount, ...]
    files: tuple[FileAccount, ...]
    gaps: tuple[Gap, ...]
    skipped: tuple[Skip, ...]


def read_history(
    mappings: Sequence[Path],
    root: Path,
    *,
    now: int,
    progress: Progress | None = None,
    new_replay: NewReplay | None = None,
) -> Import:
    """Read and check everything that the mappings name; nothing is written.

    Args:
        mappings: mapping files, or folders of them.
        root: the folder that file names in mappings are relative to.
        now: the present in ns; nothing may lie beyond it.
        progress: called before each file with files done, files in all, the file.
        new_replay: makes the replayers of recorded books; without it they are refused.

    Raises:
        BadMapping: a mapping can't be meant, names file and key.
        BadTable: a file can't be right, names file, row and column.
    """
    read = [read_mapping(path) for path in find_mappings(mappings)]
    return read_mapped(read, root, now=now, progress=progress, new_replay=new_replay)


def read_mapped(
    read: Sequence[HistoryMapping],
    root: Path,
    *,
    now: int,
    progress: Progress | None = None,
    new_replay: NewReplay | None = None,
) -> Import:
    """`read_history` of mappings that are read already."""
    work = [
        (mapping.source, rule, path)
        for mapping in read
        for rule in mapping.tables
        for path in find_files(rule.files, root, rule.label)
    ]
    sums = read_sums(root)
    parts: dict[str, dict[str, list[Part]]] = defaultdict(lambda: defaultdict(list))
    accounts: list[FileAccount] = []
    for done, (source, rule, path) in enumerate(work):
        name = path.relative_to(root).as_posix()
        if progress is not None:
            progress(done, len(work), name)
        verify(path, name, sums)
        for part in _parts(rule, path, name, new_replay):
            checked = check_part(part, now)
            accounts.append(_account(checked, source))
            parts[part.kind][source].append(checked.part)
    skipped = tuple(skip for mapping in read for skip in mapping.skips)
    return _import(parts, tuple(accounts), skipped)


def _parts(
    rule: TableRule | ArchiveRule, path: Path, name: str, new_replay: NewReplay | None
) -> list[Part]:
    if isinstance(rule, ArchiveRule):
        return read_archive(path, name, rule, new_replay)
    return [read_table(read_frame(path, name), rule, name)]


def _account(checked: Checked, source: str) -> FileAccount:
    part = checked.part
    return FileAccount(
        part.file,
        part.kind,
        source,
        part.rows_read,
        part.frame.height,
        tuple(each for each in part.left_out if each[1]),
        checked.collapsed,
        checked.moved,
    )


def _import(
    parts: dict[str, dict[str, list[Part]]],
    accounts: tuple[FileAccount, ...],
    skipped: tuple[Skip, ...],
) -> Import:
    tables: list[Table] = []
    series: list[SeriesAccount] = []
    gaps: list[Gap] = []
    for kind in sorted(parts):
        whole = pl.concat([_joined(kind, source, mine) for source, mine in parts[kind].items()])
        tables.extend(_tables(kind, whole.drop(STEP)))
        found = _gaps(kind, whole)
        gaps.extend(found)
        series.extend(_series(kind, whole, found))
    return Import(tuple(tables), tuple(series), accounts, tuple(gaps), skipped)


def _joined(kind: str, source: str, parts: list[Part]) -> pl.DataFrame:
    """All parts of one source: overlapping files may repeat a row, never contradict it."""
    frames = [
        part.frame.with_columns(
            pl.lit(part.file).alias(FILE),
            pl.lit(part.expect_step_ns // 1_000, pl.Int64).alias(STEP),
        )
        for part in parts
    ]
    frame, _ = once(pl.concat(frames), split_name(kind)[0])
    return frame.drop(ROW, FILE).with_columns(pl.lit(source).alias("source"))


def _tables(kind: str, whole: pl.DataFrame) -> list[Table]:
    split = whole.partition_by(
        "venue", "symbol", "source", as_dict=True, maintain_order=True, include_key=True
    )
    return [
        Table(kind, str(key[0]), str(key[1]), frame.drop("venue", "symbol"))
        for key, frame in split.items()
    ]


def _series(kind: str, whole: pl.DataFrame, gaps: list[Gap]) -> list[SeriesAccount]:
    key = list(split_name(kind)[0].key)
    grouped = whole.group_by("venue", "symbol").agg(
        pl.struct(key).n_unique().alias("rows"),
        pl.col("ts").min().dt.epoch("us").alias("first"),
        pl.col("ts").max().dt.epoch("us").alias("last"),
        pl.col("source").unique().sort().alias("sources"),
    )
    holes = defaultdict[tuple[str, str], int](int)
    for gap in gaps:
        holes[gap.venue, gap.symbol] += 1
    return [
        SeriesAccount(
            kind,
            venue,
            symbol,
            rows,
            first * 1_000,
            last * 1_000,
            tuple(sources),
            holes[venue, symbol],
        )
        for venue, symbol, rows, first, last, sources in grouped.sort("venue", "symbol").iter_rows()
    ]


def _gaps(kind: str, whole: pl.DataFrame) -> list[Gap]:
    """Holes of series with a regular step: the kind's interval, the settlement's own, or the mapping's."""
    family, interval_ns = split_name(kind)
    if interval_ns:
        step = pl.lit(interval_ns // 1_000, pl.Int64)
    else:
        step = pl.col("interval_s") * 1_000_000 if family.name == "funding" else pl.col(STEP)
    found = (
        whole.select("venue", "symbol", pl.col("ts").dt.epoch("us"), step.alias("step"))
        .sort("venue", "symbol", "ts", "step")
        .unique(["venue", "symbol", "ts"], keep="last", maintain_order=True)
        .with_columns(pl.col("ts").shift(-1).over("venue", "symbol").alias("next"))
        .filter(pl.col("step") > 0)
        .filter((pl.col("next") - pl.col("ts")) * 2 > pl.col("step") * 3)
    )
    return [
        Gap(kind, venue, symbol, ts * 1_000, after * 1_000, round((after - ts) / step_us) - 1)
        for venue, symbol, ts, step_us, after in found.iter_rows()
    ]
