"""The command `airpocket import`: tables and archives, described by mapping files, into the store."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter


def import_(
    mappings: list[Path],
    /,
    *,
    root: Path = Path(),
    store: Path = Path("store"),
    on_conflict: Literal["refuse", "keep", "replace"] = "refuse",
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Bring history from CSV, Parquet or venues' public archives into the store, all of it or nothing.

    Every file is read and checked to the last row before the first one is written. What a mapping file
    says is on the page "import" of the documentation. Exit status 2: a mapping or a table is wrong, the
    message names file, row and column; 3: the rows contradict the store.

    Parameters
    ----------
    mappings
        Mapping files (TOML), or folders of them.
    root
        Folder that the file names in the mappings are relative to.
    store
        Folder of the store; made when it is not there.
    on_conflict
        What to do where a row contradicts one in the store: refuse the import, keep the old row, or
        replace it.
    dry_run
        Read and check only.
    as_json
        Print JSON for programs, with every gap and every file.
    """
    from airpocket.delivery.cli.import_report import ImportBar, as_text, show_import
    from airpocket.ingest.history.load import read_history
    from airpocket.ingest.lake import Lake
    from airpocket.ingest.world import SystemClock
    from airpocket.live.history import ReplayedBook

    with ImportBar() as bar:
        found = read_history(
            mappings, root, now=SystemClock().now(), progress=bar.show, new_replay=ReplayedBook
        )
        bar.say("writing")
        written = None if dry_run else Lake(store).write(found.tables, on_conflict=on_conflict)
    if as_json:
        sys.stdout.write(as_text(found, written, store) + "\n")
    else:
        show_import(found, written, store)
