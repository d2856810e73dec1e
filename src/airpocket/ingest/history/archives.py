"""Which reader knows which public archive."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from airpocket.ingest.history.binance_archive import read_binance
from airpocket.ingest.history.bybit_archive import read_bybit
from airpocket.ingest.history.hyperliquid_archive import read_hyperliquid
from airpocket.ingest.history.okx_archive import read_okx
from airpocket.ingest.history.recorded_book import NewReplay
from airpocket.ingest.history.rules import ArchiveRule
from airpocket.ingest.history.table import Part
from airpocket.ingest.history.tardis import read_tardis


class _Reader(Protocol):
    def __call__(
        self, path: Path, file: str, rule: ArchiveRule, new_replay: NewReplay | None
    ) -> list[Part]: ...


_READERS: Mapping[str, _Reader] = MappingProxyType(
    {
        "binance_archive": read_binance,
        "bybit_archive": read_bybit,
        "okx_archive": read_okx,
        "hyperliquid_archive": read_hyperliquid,
        "tardis": read_tardis,
    }
)


def read_archive(
    path: Path, file: str, rule: ArchiveRule, new_replay: NewReplay | None
) -> list[Part]:
    """All rows of one archive file, in the store's kinds and units (docs/import.md).

    Raises:
        BadTable: names file, row and column.
    """
    return _READERS[rule.format](path, file, rule, new_replay)
