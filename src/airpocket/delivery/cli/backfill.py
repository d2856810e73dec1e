"""The command `airpocket backfill`: a venue's history over REST into the store."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from airpocket.domain.ports import Clock
    from airpocket.domain.units import TimeNs
    from airpocket.ingest.backfill.run import KindReport, Report, Step
    from airpocket.ingest.backfill.session import World

KINDS = "bar_1h,funding,open_interest,ratio"
NOTHING_OFFERED = 4  # exit status, as for NothingKnown


def backfill(
    venue: str,
    symbol: str,
    *,
    from_: Annotated[str, Parameter(name="--from")],
    to: Annotated[str | None, Parameter(name="--to")] = None,
    kinds: str = KINDS,
    store: Path = Path("store"),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Ask a venue for the history that the store lacks; run again to resume or to bring it up to date.

    Needs the extra [backfill]. Bars still open are left out. Exit status 4 when the venue offers none of
    the kinds.

    Parameters
    ----------
    venue
        Where to ask: binance_usdm, bybit_linear, okx, hyperliquid, kraken_futures, deribit, …
    symbol
        The venue's own symbol: ETHUSDT, ETH-USDT-SWAP, PF_ETHUSD, ETH-PERPETUAL, ETH.
    from_
        Start, with a time zone: 2025-05-01T00:00Z.
    to
        End (not included); now, if it is not given.
    kinds
        What to ask for, with commas: bar_1m … bar_1d, mark_bar_1h, index_bar_1h, premium_bar_1h, funding,
        open_interest, ratio, tier (the maintenance tiers of now); of Deribit also trade, liquidation and
        vol_index_1h (symbol ETH-DVOL).
    store
        Folder of the store.
    as_json
        Print JSON for programs instead of a summary.
    """
    from airpocket.ingest.backfill.rest import VenueClient
    from airpocket.ingest.backfill.run import backfill as run_backfill
    from airpocket.ingest.lake import Lake
    from airpocket.ingest.world import SystemClock

    clock = SystemClock()
    start = moment("--from", from_)
    until = clock.now() if to is None else moment("--to", to)
    wanted = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    with VenueClient(venue, open_world(clock)) as client, _Bar() as bar:
        report = run_backfill(
            client, symbol, wanted, (start, until), lake=Lake(store), clock=clock, progress=bar.show
        )
    if as_json:
        import msgspec

        text = msgspec.json.encode(as_plain(report, start, until)).decode()
    else:
        text = "\n".join(_summary(report, start, until))
    sys.stdout.write(text + "\n")
    return 0 if any(kind.offered for kind in report.kinds) else NOTHING_OFFERED


def open_world(clock: "Clock") -> "World":
    """The real outside: name resolution, sleep, and jitter seeded from the clock."""
    import numpy as np

    from airpocket.ingest.backfill.session import World

    chance: Callable[[], float] = np.random.default_rng(clock.now()).random
    return World(clock, chance)


def as_plain(report: "Report", start: int, until: int) -> dict[str, object]:
    """The report as JSON-ready values: times as text, rows by fate."""
    from airpocket.domain.units import format_time

    return {
        "venue": report.venue,
        "symbol": report.symbol,
        "from": format_time(start),
        "to": format_time(until),
        "kinds": [
            {
                "kind": kind.kind,
                "offered": kind.offered,
                "rows_new": kind.rows_new,
                "rows_known": kind.rows_known,
                "rows_outside": kind.rows_outside,
                "rows_repeated": kind.rows_repeated,
                "windows_empty": kind.windows_empty,
                "requests": kind.requests,
                "notes": kind.notes,
            }
            for kind in report.kinds
        ],
    }


def moment(option: str, text: str) -> "TimeNs":
    """The time an option says. Raises BadInput without a zone."""
    from airpocket.domain.errors import BadInput
    from airpocket.domain.units import parse_time

    try:
        return parse_time(text)
    except ValueError as error:
        raise BadInput(f"{option}: {error}") from error


def _summary(report: "Report", start: int, until: int) -> list[str]:
    from airpocket.domain.units import format_time

    rows = sum(kind.rows_new for kind in report.kinds)
    head = f"{rows:,} new rows of {report.venue} {report.symbol}"
    return [
        f"{head}, {format_time(start)} to {format_time(until)}",
        *(_line(kind) for kind in report.kinds),
    ]


def _line(kind: "KindReport") -> str:
    if not kind.offered:
        return f"  {'; '.join(kind.notes)}"
    said = [f"{kind.rows_new:,} new"]
    if not kind.requests:
        said.append("nothing was missing")
    else:
        said.append(f"{kind.requests:,} requests")
    if kind.windows_empty:
        said.append(f"{kind.windows_empty:,} stretches for which the venue has nothing")
    return f"  {kind.kind}: {', '.join([*said, *kind.notes])}"


class _Bar:
    """A progress bar on stderr, one line a kind; silent where stderr is no terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, step: "Step") -> None:
        """Move the line of one kind forward."""
        from rich.progress import TaskID

        if step.kind not in self._tasks:
            self._tasks[step.kind] = self._progress.add_task(step.kind, total=step.planned or 1)
        done = step.done if step.planned else 1
        self._progress.update(TaskID(self._tasks[step.kind]), completed=done)
