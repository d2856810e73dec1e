"""A finished run of the lab into a store: what its venues told the public, never the truth behind it."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from airpocket.domain.errors import BadInput
from airpocket.ingest.lake import Lake, Table, WriteReport


def bundled_store(root: Path) -> Lake:
    """A store of the bundled simulated market as it is, with its open venue's accounts; again changes nothing."""
    from airpocket.lab import bundled_tables

    lake = Lake(root)
    lake.write(Table(t.kind, t.venue, t.symbol, t.frame) for t in bundled_tables())
    return lake


def store_run(folder: Path, store: Path) -> WriteReport:
    """Writes a run's public tables into a store in one commit; again changes nothing.

    Raises:
        BadInput: not the folder of a run.
        StoreConflict: the store holds other rows of these markets and times, such as another seed's.
    """
    if not (folder / "run.json").is_file():
        raise BadInput(f"{folder}: not the folder of a run: it has no run.json")
    return Lake(store).write(_tables(folder))


def _tables(folder: Path) -> Iterator[Table]:
    for path in sorted(folder.glob("*.parquet")):
        frame = pl.read_parquet(path, hive_partitioning=False)
        for part in frame.partition_by("venue", "symbol", maintain_order=True):
            venue, symbol = part["venue"][0], part["symbol"][0]
            yield Table(path.stem, venue, symbol, part.drop("venue", "symbol"))
