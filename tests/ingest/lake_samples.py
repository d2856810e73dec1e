"""Small tables for the tests of the store."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from airpocket.ingest.lake import Table

TIME = pl.Datetime("us", "UTC")
START = datetime(2025, 10, 10, 20, tzinfo=UTC)
HOUR_NS = 3_600_000_000_000
START_NS = 1_760_126_400_000_000_000


def times(count: int, step: timedelta, start: datetime = START) -> pl.Series:
    return pl.Series([start + step * n for n in range(count)], dtype=TIME)


def bars(
    count: int = 3,
    *,
    symbol: str = "BTCUSDT",
    start: datetime = START,
    close: float = 100.0,
    volume: float | None = 5.0,
    source: str = "a.csv",
) -> Table:
    """Hourly bars from `start`, all closing at `close`."""
    step = timedelta(hours=1)
    ts = times(count, step, start)
    frame = pl.DataFrame(
        {
            "ts": ts,
            "usable_from": ts + step,
            "open": [close] * count,
            "high": [close + 1] * count,
            "low": [close - 1] * count,
            "close": [close + 0.25 * n for n in range(count)],
            "volume": pl.Series([volume] * count, dtype=pl.Float64),
            "volume_usd": pl.Series([None] * count, dtype=pl.Float64),
            "taker_buy": pl.Series([None] * count, dtype=pl.Float64),
            "source": [source] * count,
        }
    )
    return Table("bar_1h", "binance", symbol, frame)


def trades(count: int = 4, *, start: datetime = START, symbol: str = "BTCUSDT") -> Table:
    """Trades six hours apart, so that four of them cross a midnight."""
    ts = times(count, timedelta(hours=6), start)
    frame = pl.DataFrame(
        {
            "ts": ts,
            "usable_from": ts,
            "price": [100.0 + n for n in range(count)],
            "size": [1.0] * count,
            "taker_side": ["buy", "sell"] * (count // 2) + ["buy"] * (count % 2),
            "trade_id": list(range(count)),
            "source": ["t.csv"] * count,
        }
    )
    return Table("trade", "binance", symbol, frame)


def with_column(table: Table, name: str, values: pl.Series | pl.Expr) -> Table:
    return Table(
        table.kind, table.venue, table.symbol, table.frame.with_columns(values.alias(name))
    )


def files_of(root: Path) -> dict[str, bytes]:
    """Every file of a store but its lock, by relative path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }
