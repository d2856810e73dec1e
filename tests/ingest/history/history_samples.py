"""A folder with one table and its mapping, which tests bend one thing at a time."""

from dataclasses import dataclass
from pathlib import Path

from airpocket.domain.units import parse_time
from airpocket.ingest.history.load import Import, read_history

NOW = parse_time("2026-11-20T00:00Z")

HEADER = "time,open,high,low,close,volume"
ROWS = (
    "2025-05-01T00:00:00Z,100,110,95,105,10",
    "2025-05-01T01:00:00Z,105,106,101,102,20.5",
    "2025-05-01T02:00:00Z,102,102,90,91.25,0",
)
CSV = "\n".join((HEADER, *ROWS)) + "\n"

MAPPING = """
source = "sample"
licence = "none"
[[table]]
file = "bars.csv"
kind = "bar"
interval = "1h"
venue = "binance_usdm"
symbol = "ETHUSDT"
time = { column = "time", unit = "iso" }
usable = "ts + 1h"
[table.columns]
open = "open"
high = "high"
low = "low"
close = "close"
volume = "volume"
"""


@dataclass(frozen=True)
class Folder:
    """A root with tables and one mapping."""

    root: Path

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def read(self, mapping: str = MAPPING) -> Import:
        return read_history([self.put("mapping.toml", mapping)], self.root, now=NOW)

    def bars(self, *rows: str) -> Import:
        """The sample mapping over the sample header and these rows."""
        self.put("bars.csv", "\n".join((HEADER, *rows)) + "\n")
        return self.read()


def trades_mapping(unit: str = "ms") -> str:
    return f"""
source = "sample"
licence = "none"
[[table]]
file = "trades.csv"
kind = "trade"
venue = "binance_usdm"
symbol = "ETHUSDT"
time = {{ column = "time", unit = "{unit}" }}
usable = "ts"
[table.columns]
price = "price"
size = "size"
taker_side = "side"
trade_id = "id"
"""
