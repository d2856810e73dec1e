"""The command `airpocket archive`: files of a venue's public archive into a folder and into the store."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.ingest.backfill.download import Fetched

NOTHING_THERE = 4  # exit status, as for NothingKnown
_LISTED = 5  # addresses of absent files


def archive(  # noqa: PLR0913 - one parameter an option
    venue: str,
    symbol: str,
    *,
    from_: Annotated[str, Parameter(name="--from")],
    to: Annotated[str | None, Parameter(name="--to")] = None,
    kinds: str = "trade",
    folder: Path = Path("archive"),
    store: Path = Path("store"),
    step: str = "1m",
    on_conflict: Literal["refuse", "keep", "replace"] = "refuse",
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Download the files of a span from a venue's public archive and import them; run again to resume.

    For Binance, Bybit and OKX. Whole files are imported, so the store may get more than the span. Needs the
    extra [backfill]. Exit status 4 when the archive has none of the files.

    Parameters
    ----------
    venue
        binance_usdm, binance_coinm, binance_spot, bybit_linear, bybit_inverse, bybit_spot, okx.
    symbol
        The venue's own symbol: ETHUSDT, ETHUSD_PERP, ETH-USDT-SWAP.
    from_
        Start, with a time zone: 2025-05-01T00:00Z.
    to
        End (not included); now, if it is not given. A day that is not over has no file.
    kinds
        What to get, with commas: trade, depth, funding, bar_1m, mark_bar_1h, open_interest, ratio, …
    folder
        Where the files are kept, below it as they lie in the archive.
    store
        Folder of the store.
    step
        How often a recorded book gives its depth: 10s, 1m, 1h.
    on_conflict
        What to do where a row contradicts one in the store: refuse the import, keep the old row, or
        replace it.
    as_json
        Print JSON for programs, with every gap and every file.
    """
    from airpocket.delivery.cli.backfill import moment, open_world
    from airpocket.delivery.cli.import_report import ImportBar, as_text, show_import
    from airpocket.domain.errors import BadInput
    from airpocket.domain.units import DAY_NS, parse_interval
    from airpocket.ingest.backfill.archives import archive_files, mapping_of
    from airpocket.ingest.backfill.download import Downloader
    from airpocket.ingest.history.load import read_mapped
    from airpocket.ingest.lake import Lake
    from airpocket.ingest.world import SystemClock
    from airpocket.live.history import ReplayedBook

    clock = SystemClock()
    span = (moment("--from", from_), clock.now() if to is None else moment("--to", to))
    wanted = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    try:
        step_ns = parse_interval(step)
    except ValueError as error:
        raise BadInput(f"--step: {error}") from error
    if step_ns > DAY_NS or DAY_NS % step_ns:
        raise BadInput("--step must divide a day: 10s, 1m, 1h")
    files = archive_files(venue, symbol, wanted, span, clock.now())
    with Downloader(venue, open_world(clock)) as downloader, ImportBar() as bar:
        got = downloader.fetch(files, folder, bar.show)
        if not got.files:
            sys.stdout.write("\n".join(_absent(got)) + "\n")
            return NOTHING_THERE
        mapping = mapping_of(venue, symbol, got.files, step_ns)
        found = read_mapped(
            [mapping], folder, now=clock.now(), progress=bar.show, new_replay=ReplayedBook
        )
        bar.say("writing")
        written = Lake(store).write(found.tables, on_conflict=on_conflict)
    if as_json:
        sys.stdout.write(as_text(found, written, store) + "\n")
        return 0
    show_import(found, written, store)
    sys.stdout.write("\n".join([_loaded(got), *_absent(got)]) + "\n")
    return 0


def _loaded(got: "Fetched") -> str:
    new = len(got.files) - got.kept
    return f"{new:,} files downloaded ({got.bytes_loaded / 1e6:,.1f} MB), {got.kept:,} were there"


def _absent(got: "Fetched") -> list[str]:
    if not got.absent:
        return []
    more = len(got.absent) - _LISTED
    lines = [f"{len(got.absent):,} files that the archive does not have:"]
    lines += [f"  {address}" for address in got.absent[:_LISTED]]
    return lines + ([f"  and {more:,} more"] if more > 0 else [])
