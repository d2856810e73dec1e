"""What an import tells: a progress bar while it reads, then the account for people or for programs."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airpocket.ingest.history.load import FileAccount, Gap, Import, Progress
    from airpocket.ingest.lake import WriteReport

LISTED_GAPS = 20  # per import, the longest; --json has all


class ImportBar:
    """A progress bar on stderr, silent where stderr is no terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._progress = Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        )
        self._task = self._progress.add_task("reading", total=None)

    def __enter__(self) -> "ImportBar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @property
    def show(self) -> "Progress":
        return self._show

    def _show(self, done: int, total: int, file: str) -> None:
        self._progress.update(self._task, completed=done, total=total, description=file)

    def say(self, text: str) -> None:
        self._progress.update(self._task, description=text)


def as_text(found: "Import", written: "WriteReport | None", store: Path) -> str:
    """The whole account as JSON; times as ISO 8601 in UTC."""
    import msgspec

    from airpocket.domain.units import format_time

    series = [
        {**asdict(one), "first": format_time(one.first), "last": format_time(one.last)}
        for one in found.series
    ]
    gaps = [
        {**asdict(gap), "after": format_time(gap.after), "before": format_time(gap.before)}
        for gap in found.gaps
    ]
    files = [
        {
            **asdict(file),
            "left_out": [{"reason": reason, "rows": rows} for reason, rows in file.left_out],
        }
        for file in found.files
    ]
    account = {
        "store": None if written is None else str(store),
        "written": None if written is None else asdict(written),
        "series": series,
        "gaps": gaps,
        "files": files,
        "skipped": [asdict(skip) for skip in found.skipped],
    }
    return msgspec.json.format(msgspec.json.encode(account), indent=2).decode()


def show_import(found: "Import", written: "WriteReport | None", store: Path) -> None:
    """The account for people: what came, every series, the longest gaps, what was left out and why."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(width=None if sys.stdout.isatty() else 160)
    rows = sum(one.rows for one in found.series)
    if written is None:
        head = f"{rows:,} rows of {len(found.series):,} series are fit to import; nothing written"
    else:
        head = (
            f"{rows:,} rows of {len(found.series):,} series: {written.rows_new:,} new, "
            f"{written.rows_known:,} known; {written.files_written:,} files of {store} written"
        )
    console.print(escape(head), highlight=False)
    console.print(_series_table(found))
    for line in (*_gap_lines(found.gaps), *_file_lines(found.files)):
        console.print(escape(line), highlight=False)
    for skip in found.skipped:
        console.print(escape(f"not imported: {skip.file}: {skip.reason}"), highlight=False)


def _series_table(found: "Import") -> object:
    """A line per series; a kind with more than 100 series (tiers of every contract) gets one line."""
    from collections import Counter

    from rich.table import Table

    from airpocket.domain.units import format_time

    table = Table(box=None, pad_edge=False)
    for name in ("kind", "venue", "symbol", "rows", "first", "last", "gaps"):
        table.add_column(name, justify="right" if name in ("rows", "gaps") else "left")
    many = {
        kind for kind, count in Counter(one.kind for one in found.series).items() if count > 100
    }
    for one in (one for one in found.series if one.kind not in many):
        first, last = format_time(one.first)[:16], format_time(one.last)[:16]
        cells = (one.kind, one.venue, one.symbol, f"{one.rows:,}", first, last, str(one.gaps or ""))
        table.add_row(*cells)
    for kind in sorted(many):
        mine = [one for one in found.series if one.kind == kind]
        span = (min(one.first for one in mine), max(one.last for one in mine))
        table.add_row(
            kind,
            f"{len({one.venue for one in mine})} venues",
            f"{len(mine)} series",
            f"{sum(one.rows for one in mine):,}",
            *(format_time(time)[:16] for time in span),
            str(sum(one.gaps for one in mine) or ""),
        )
    return table


def _gap_lines(gaps: "tuple[Gap, ...]") -> list[str]:
    from airpocket.domain.units import format_time

    if not gaps:
        return ["no gaps"]
    longest = sorted(gaps, key=lambda gap: gap.after - gap.before)[:LISTED_GAPS]
    more = "" if len(longest) == len(gaps) else f", the {len(longest)} longest (--json has all)"
    lines = [f"{len(gaps):,} gaps{more}:"]
    for gap in longest:
        hours = (gap.before - gap.after) / 3.6e12
        span = f"{format_time(gap.after)} to {format_time(gap.before)}"
        name = f"{gap.kind} {gap.venue} {gap.symbol}"
        lines.append(f"  {name}: {span}, {hours:,.1f} h, {gap.missing:,} rows missing")
    return lines


def _file_lines(files: "tuple[FileAccount, ...]") -> list[str]:
    lines: list[str] = []
    for file in files:
        name = f"{file.file} ({file.kind})"
        lines.extend(f"{name}: {rows:,} rows left out: {reason}" for reason, rows in file.left_out)
        if file.collapsed:
            lines.append(f"{name}: {file.collapsed:,} rows repeated another one exactly")
        if file.moved:
            lines.append(f"{name}: {file.moved:,} rows were out of order and were sorted")
    return lines
