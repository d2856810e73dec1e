"""The commands of `airpocket store`: what is in it, whether it is intact, and questions in SQL."""

import os
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from airpocket.delivery.cli.printing import print_json, print_table, say, size_text

if TYPE_CHECKING:
    from collections.abc import Generator

    from airpocket.ingest.lake import SeriesInfo
    from airpocket.ingest.query import Row

DAMAGED = 3  # exit status, as for StoreDamaged
_KILLED = 1
_GRACE_S = 5.0  # from the interruption of a query to the end of its process


def ls(
    *,
    store: Path = Path("store"),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """List every series in the store: rows, first and last time, size, sources.

    Parameters
    ----------
    store
        Folder of the store.
    as_json
        Print JSON for programs instead of a table.
    """
    from airpocket.ingest.lake import Lake

    series = Lake(store).series()
    if as_json:
        print_json([_series_as_json(one) for one in series])
    elif not series:
        say(_nothing_in(store))
    else:
        print_table(
            f"{len(series)} series, {size_text(sum(one.bytes for one in series))} in {store}",
            ["kind", "venue", "symbol", "rows", "first", "last", "size", "files", "sources"],
            [_series_as_cells(one) for one in series],
            right={"rows", "size", "files"},
        )


def verify(
    *,
    store: Path = Path("store"),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Read every file again and compare it with its SHA-256; exit status 3 when one is damaged.

    Parameters
    ----------
    store
        Folder of the store.
    as_json
        Print JSON for programs.
    """
    from airpocket.ingest.lake import Lake

    lake = Lake(store)
    damages = lake.verify()
    files = 0 if damages else sum(one.files for one in lake.series())
    if as_json:
        listed = [{"file": str(damage.path), "problem": damage.problem} for damage in damages]
        print_json({"intact": not damages, "files": files or None, "damaged": listed})
    elif damages:
        for damage in damages:
            say(f"{damage.path}: {damage.problem}")
    else:
        say(f"{files:,} files, all intact" if files else _nothing_in(store))
    return DAMAGED if damages else 0


def sql(
    query: Annotated[str, Parameter(allow_leading_hyphen=True)],
    *,
    store: Path = Path("store"),
    limit: Annotated[int, Parameter(name="--limit")] = 100,
    seconds: float = 60.0,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Ask the store in SQL (DuckDB): one view per kind, such as bar_1h or funding.

    Parameters
    ----------
    query
        One SELECT; - reads it from standard input.
    store
        Folder of the store.
    limit
        Most rows to print.
    seconds
        The query is stopped after so long; it never takes more than 2 GB.
    as_json
        Print JSON for programs instead of a table.
    """
    from airpocket.domain.errors import BadInput
    from airpocket.ingest.lake import Lake
    from airpocket.ingest.query import run_sql

    if limit < 1:
        raise BadInput("--limit must be at least 1")
    if not 0.0 < seconds <= threading.TIMEOUT_MAX - _GRACE_S:
        raise BadInput("--seconds must be above 0")
    text = sys.stdin.read() if query == "-" else query
    with _killed_after(seconds + _GRACE_S):
        columns, rows = run_sql(Lake(store), text, limit_rows=limit + 1, limit_s=seconds)
    shown, more = rows[:limit], len(rows) > limit
    if as_json:
        print_json({"columns": columns, "rows": shown, "more": more})
        return
    print_table(
        f"the first {limit} rows; --limit N shows more" if more else f"{len(shown)} rows",
        columns,
        [[_cell(value) for value in row] for row in shown],
        right=_numeric(columns, shown),
    )


@contextmanager
def _killed_after(limit_s: float) -> "Generator[None]":
    """End this process when even an interrupted query does not stop."""

    def kill() -> None:
        sys.stderr.write(f"the query did not stop; ended after {limit_s:,.0f} s\n")
        sys.stderr.flush()
        os._exit(_KILLED)

    timer = threading.Timer(limit_s, kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def seal(
    *,
    store: Path = Path("store"),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Seal the closed segments of the raw log: compressed, checksummed, read back, then the segment goes.

    A running recorder does the same by itself. Exit status 3 when a segment had damage: its whole records
    are sealed, the rest is kept beside them.

    Parameters
    ----------
    store
        Folder of the store.
    as_json
        Print JSON for programs.
    """
    from airpocket.domain.errors import NothingKnown
    from airpocket.ingest.log.seal import seal as seal_log
    from airpocket.live.session import RAW

    folder = store / RAW
    if not folder.is_dir():
        raise NothingKnown(f"{folder}: no recorded log lies here; airpocket record makes one")
    report = seal_log(folder)
    damages = [(entry.path, note) for entry in report.sealed for note in entry.damages]
    before = sum(entry.log_bytes for entry in report.sealed)
    after = sum(entry.size for entry in report.sealed)
    if as_json:
        listed = [{"file": path, "offset": n.offset, "problem": n.problem} for path, n in damages]
        print_json(
            {"sealed": len(report.sealed), "log_bytes": before, "bytes": after, "damages": listed,
             "left": report.left}
        )  # fmt: skip
    else:
        say(f"{len(report.sealed):,} segments sealed, {size_text(before)} → {size_text(after)}")
        for path, note in damages:
            say(f"damaged: {path}, byte {note.offset} of its segment: {note.problem}")
        for left in report.left:
            say(f"left: {left}")
    return DAMAGED if damages else 0


def _nothing_in(store: Path) -> str:
    if store.exists():
        return f"the store in '{store}' is empty: fill it with 'airpocket import' or 'airpocket backfill'"
    return f"there is no store in '{store}': name its folder with --store, or make one with 'airpocket import'"


def _series_as_json(one: "SeriesInfo") -> dict[str, object]:
    from airpocket.domain.units import format_time

    return {
        "kind": one.kind,
        "venue": one.venue,
        "symbol": one.symbol,
        "rows": one.rows,
        "first": format_time(one.first),
        "last": format_time(one.last),
        "files": one.files,
        "bytes": one.bytes,
        "sources": one.sources,
    }


def _series_as_cells(one: "SeriesInfo") -> list[str]:
    from airpocket.domain.units import format_time

    return [
        one.kind,
        one.venue,
        one.symbol,
        f"{one.rows:,}",
        format_time(one.first),
        format_time(one.last),
        size_text(one.bytes),
        f"{one.files:,}",
        ", ".join(one.sources),
    ]


def _cell(value: object) -> str:
    if value is None:
        return "–"
    iso = getattr(value, "isoformat", None)
    return str(iso()).replace("+00:00", "Z") if iso else str(value)


def _numeric(columns: list[str], rows: "list[Row]") -> set[str]:
    return {
        name
        for position, name in enumerate(columns)
        if all(isinstance(row[position], int | float | None) for row in rows)
    }
