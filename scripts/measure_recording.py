"""What the recorded minutes of 2024-08-08 say: who leads, how depth refills, what trades move; with intervals.

    python scripts/measure_recording.py ../shared/wire/hftbacktest

Reads Binance's spot and USD-M ETHUSDT frames as hftbacktest recorded them. Only exchange times are used: the
recording host's clock ran 1.27 s behind.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

from airpocket.domain.wire import LiveEvent
from airpocket.ingest.venues.registry import VENUES

FILES = {
    "binance_usdm": "usdm/ethusdt_20240808.gz",
    "binance_spot": "spot/ethusdt_20240808.gz",
}


def heard(folder: Path, venue: str) -> Iterator[LiveEvent]:
    """Every event of one recording, in its order."""
    address = "https://x/depth?symbol=ETHUSDT"
    with gzip.open(folder / FILES[venue], "rb") as file:
        for line in file:
            stamp, _, frame = line.strip().partition(b" ")
            yield from VENUES[venue].decode(frame, int(stamp), address)
