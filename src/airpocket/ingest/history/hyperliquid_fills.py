"""Hyperliquid's fills by block: the only complete public tape of who was liquidated or deleveraged."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl
from msgspec import Struct

from airpocket.domain.errors import BadTable
from airpocket.domain.units import HOUR_NS, MINUTE_NS, Side, format_time
from airpocket.ingest.history.files import ROW
from airpocket.ingest.history.streams import lines
from airpocket.ingest.history.symbols import is_known
from airpocket.ingest.history.table import Part
from airpocket.ingest.history.values import UTC_US
from airpocket.ingest.values import BadValue, positive, rfc3339_ns, stamp_ns
from airpocket.ingest.venues.hyperliquid.shapes import Fill

VENUE = "hyperliquid"
_SIDES: dict[str, Side] = {"A": "sell", "B": "buy"}
_CUT = "Auto-Deleveraging"  # `dir` of a fill whose owner's profitable position was cut
_CENSUS = "fills of nobody who was forced out"


class _Block(Struct):
    block_time: str
    events: list[tuple[str, Fill]]  # whose, what


_BLOCK = msgspec.json.Decoder(_Block)


class _Forced(NamedTuple):
    """One forced fill, as a row of the store; times in ns."""

    row: int
    symbol: str
    ts: int
    usable_from: int
    forced_side: Side
    price: float
    size: float
    seq: int  # the venue's trade id: with time and coin it is unique (venue's documentation)
    cause: str | None


def read_fills(path: Path, file: str, hour: int | None, symbols: tuple[str, ...]) -> list[Part]:
    """`liquidation` and `deleveraging` of one hour (its start in ns, where the path names it).

    Raises:
        BadTable: a line that is no block, a fill that contradicts itself or its block. Names the line.
    """
    tape = _Tape(hour, symbols)
    for row, line in lines(path, file):
        try:
            tape.take(row, _BLOCK.decode(line))
        except (msgspec.DecodeError, BadValue) as error:
            raise BadTable(file, f"is no block of fills: {error}", row=row) from error
    if not tape.read:
        raise BadTable(file, "holds no fill")
    reasons = tuple(sorted(tape.left_out.items()))
    return [_part(file, kind, rows, tape.read, reasons) for kind, rows in tape.taken.items()]


class _Tape:
    """Each liquidation once, as the fill of whom it happened to; a winner who was cut is kept apart."""

    def __init__(self, hour: int | None, symbols: tuple[str, ...]) -> None:
        self._hour, self._symbols = hour, symbols
        self.taken: dict[str, list[_Forced]] = {"liquidation": [], "deleveraging": []}
        self.left_out: Counter[str] = Counter()
        self.read = 0

    def take(self, row: int, block: _Block) -> None:
        """All fills of one block. Raises BadValue."""
        at = self._time_of(block)
        self.read += len(block.events)
        for owner, fill in block.events:
            kind = _kind_of(owner, fill)
            if kind not in self.taken:
                self.left_out[kind] += 1
            elif self._wanted(fill.coin):
                self.taken[kind].append(_forced(row, at, fill))
            else:
                self.left_out["contracts that 'symbols' does not name, or of unknown name"] += 1

    def _time_of(self, block: _Block) -> int:
        time, hour = block.block_time, self._hour
        at = rfc3339_ns(time if time.endswith("Z") else time + "Z", "block_time")
        if hour is not None and not hour - MINUTE_NS <= at <= hour + HOUR_NS + MINUTE_NS:
            raise BadValue(f"{format_time(at)} lies outside the hour of {format_time(hour)}")
        return at

    def _wanted(self, coin: str) -> bool:
        return coin in self._symbols if self._symbols else is_known(VENUE, coin)


def _kind_of(owner: str, fill: Fill) -> str:
    """The kind of fact, or why the fill is none: both sides of a trade carry its liquidation."""
    hit = fill.liquidation is not None and fill.liquidation.user.lower() == owner.lower()
    if fill.dir == _CUT:
        return "the other side of a deleveraging" if hit else "deleveraging"
    if hit or (fill.dir.startswith("Liquidated") and fill.liquidation is None):
        return "liquidation"
    if fill.dir.startswith("Liquidated"):
        raise BadValue(f"{fill.dir[:40]!r} of an account that was not liquidated")
    return "the other side of a liquidation" if fill.liquidation is not None else _CENSUS


def _forced(row: int, at: int, fill: Fill) -> _Forced:
    side = _SIDES.get(fill.side)
    if side is None:
        raise BadValue(f"side {fill.side[:20]!r}")
    closed = "Long" if side == "sell" else "Short"
    if fill.dir.startswith("Liquidated") and not fill.dir.endswith(closed):
        raise BadValue(f"side {fill.side!r} of a fill {fill.dir[:40]!r}")
    ts = stamp_ns(fill.time, "fill time")
    if abs(ts - at) > MINUTE_NS:
        raise BadValue(f"a fill of {format_time(ts)} in a block of {format_time(at)}")
    cause = fill.liquidation.method if fill.liquidation is not None else None
    price, size = positive(fill.px, "price"), positive(fill.sz, "size")
    return _Forced(row, fill.coin, ts, max(ts, at), side, price, size, fill.tid, cause)


def _part(
    file: str, kind: str, rows: list[_Forced], read: int, reasons: tuple[tuple[str, int], ...]
) -> Part:
    """An hour without any is a fact too: no rows, and a file accounted for."""
    frame = pl.DataFrame(
        {
            ROW: pl.Series([each.row for each in rows], dtype=pl.UInt32),
            "venue": pl.repeat(VENUE, len(rows), eager=True),
            "symbol": pl.Series([each.symbol for each in rows], dtype=pl.String),
            "ts": _us([each.ts for each in rows]),
            "usable_from": _us([-(-each.usable_from // 1_000) * 1_000 for each in rows]),
            "forced_side": pl.Series([each.forced_side for each in rows], dtype=pl.String),
            "price": pl.Series([each.price for each in rows], dtype=pl.Float64),
            "size": pl.Series([each.size for each in rows], dtype=pl.Float64),
            "notional_usd": pl.Series([each.price * each.size for each in rows], dtype=pl.Float64),
            "coverage": pl.repeat("all", len(rows), eager=True),
            "seq": pl.Series([each.seq for each in rows], dtype=pl.Int64),
        }
    )
    if kind == "deleveraging":
        cause = pl.Series("cause", [each.cause for each in rows], dtype=pl.String)
        frame = frame.with_columns(cause)
    return Part(file, kind, frame, read, reasons, unordered=True)


def _us(times: list[int]) -> pl.Series:
    return pl.Series([time // 1_000 for time in times], dtype=pl.Int64).cast(UTC_US)
