"""The simulated market as it ships with the package: one compressed Parquet file per kind."""

from importlib.resources import files
from io import BytesIO

import polars as pl

from airpocket.lab.tables import BundledTable

_LEVEL = 19


def packed(tables: list[BundledTable]) -> dict[str, bytes]:
    """File name → contents, one file per kind with venue and symbol as first columns."""
    kinds: dict[str, list[pl.DataFrame]] = {}
    for table in tables:
        labels = [pl.lit(table.venue).alias("venue"), pl.lit(table.symbol).alias("symbol")]
        kinds.setdefault(table.kind, []).append(table.frame.select(*labels, pl.all()))
    return {
        f"{kind}.parquet": _parquet(pl.concat(frames)) for kind, frames in sorted(kinds.items())
    }


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=_LEVEL, statistics=False)
    return buffer.getvalue()


def bundled_tables() -> list[BundledTable]:
    """The tables that ship with the package, in the order of kind, venue, symbol."""
    folder = files("airpocket.lab") / "bundled"
    tables: list[BundledTable] = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".parquet"):
            frame = pl.read_parquet(BytesIO(file.read_bytes()))
            tables += _split(file.name.removesuffix(".parquet"), frame)
    return tables


def _split(kind: str, frame: pl.DataFrame) -> list[BundledTable]:
    parts = frame.partition_by("venue", "symbol", maintain_order=True, include_key=True)
    return [
        BundledTable(kind, part["venue"][0], part["symbol"][0], part.drop("venue", "symbol"))
        for part in parts
    ]
