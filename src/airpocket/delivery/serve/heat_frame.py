"""The heatmap as bytes: a JSON head, times, prices, and one byte a cell; docs/api.md has the layout."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from airpocket.delivery.serve.heat_head import head_of, packed_head
from airpocket.delivery.serve.models import HeatHead
from airpocket.domain.events import FloatArray, IntArray
from airpocket.domain.units import HOUR_NS, SECOND_NS, format_time
from airpocket.liquidations.records import LiquidationMap

Cells: TypeAlias = "np.ndarray[tuple[int, int], np.dtype[np.uint8]]"

_REACH = 0.2  # of the price, each way
_FULL = 255
_STEADY = 16  # buckets


@dataclass(frozen=True, slots=True)
class Grid:
    """The heat of one edition: cells (T, B) 0 to 255, of full_usd · (c / 255)² dollars. time_s, close: (T,)."""

    asset: str
    as_of: int
    simulated: bool
    provenance: Literal["measured", "modelled", "mixed"]
    time_s: FloatArray
    close: FloatArray
    edge: FloatArray  # (B + 1,)
    full_usd: float
    cells: Cells


def grid_of(found: LiquidationMap, simulated: bool) -> Grid:
    """Every column of the map's heat, in dollars at the prices where positions would be forced out."""
    first, last = _rows(found)
    before = found.heat.ts < found.now
    coin = (found.heat.shorts + found.heat.longs)[before, first:last]
    now = (found.shorts.usd + found.longs.usd)[first:last]
    usd = np.vstack([coin * found.middle[first:last], now])
    full = _round_up(float(usd.max(initial=0.0)))
    ts = np.append(found.heat.ts[before], np.int64(found.now))
    known = bool(found.measured) or found.heat.provenance != "modelled"
    provenance = "mixed" if known else "modelled"
    return Grid(
        asset=found.asset, as_of=int(found.now), simulated=simulated,
        provenance="measured" if found.at_least else provenance,
        time_s=ts / SECOND_NS, close=np.append(found.heat.close[before], found.price),
        edge=found.edge[first : last + 1], full_usd=full, cells=_coded(usd, full),
    )  # fmt: skip


def pack(
    grid: Grid, kind: Literal["snapshot", "delta"], epoch: str, sequence: int, since: int = 0
) -> bytes:
    """The bytes of a grid, of its columns from number `since` on."""
    cells = grid.cells[since:]
    head = HeatHead(
        kind=kind, epoch=epoch, sequence=sequence, asset=grid.asset, as_of=format_time(grid.as_of),
        simulated=grid.simulated, provenance=grid.provenance, columns=len(cells), rows=cells.shape[1],
        column_s=HOUR_NS // SECOND_NS, edge=[float(f"{price:.8g}") for price in grid.edge],
        full_usd=grid.full_usd,
    )  # fmt: skip
    body = (
        grid.time_s[since:].astype("<f8").tobytes(), grid.close[since:].astype("<f4").tobytes(), cells.tobytes(),
    )  # fmt: skip
    return b"".join((packed_head(head), *body))


def unpack(data: bytes) -> tuple[HeatHead, FloatArray, FloatArray, Cells]:
    """(head, time_s, close, cells) of packed bytes: what a client does.

    Raises:
        ValueError: not such bytes.
    """
    head, at = head_of(data)
    n = head.columns
    time_s = np.frombuffer(data, "<f8", n, at)
    close = np.frombuffer(data, "<f4", n, at + 8 * n).astype(np.float64)
    cells = np.frombuffer(data, np.uint8, n * head.rows, at + 12 * n).reshape(n, head.rows)
    return head, time_s, close, cells


def changed_since(before: Grid | None, now: Grid) -> int | None:
    """Number of the first column that is not as before; None where a client must take the whole grid."""
    if (
        before is None
        or before.full_usd != now.full_usd
        or not np.array_equal(before.edge, now.edge)
    ):
        return None
    known = int(np.searchsorted(before.time_s, float(now.time_s[0])))
    kept = min(len(before.time_s) - known, len(now.time_s))
    if kept < 1 or not np.array_equal(before.time_s[known:-1], now.time_s[: kept - 1]):
        return None
    same = (before.cells[known : known + kept - 1] == now.cells[: kept - 1]).all(axis=1)
    return int(np.argmin(same)) if not same.all() else kept - 1


def _rows(found: LiquidationMap) -> tuple[int, int]:
    """First and last edge within reach, in steps of many buckets: else they would move with every price."""
    step = float(np.log(found.edge[1] / found.edge[0]))
    # the same number for a price in every edition
    exact: FloatArray = np.asarray(np.log(found.edge) / step, np.float64)
    number: IntArray = exact.round().astype(np.int64)
    low, high = (math.log(found.price * (1.0 + way * _REACH)) / step for way in (-1.0, 1.0))
    first = int(np.searchsorted(number, math.floor(low / _STEADY) * _STEADY))
    last = int(np.searchsorted(number, math.ceil(high / _STEADY) * _STEADY))
    return first, max(min(last, len(found.edge) - 1), first + 1)


def _round_up(most: float) -> float:
    """The next 1, 2 or 5 times a power of ten: the scale shall not change with every edition."""
    if most <= 0.0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(most))
    return float(next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= most))


def _coded(usd: FloatArray, full: float) -> Cells:
    """A cell with anything in it is at least 1."""
    share: FloatArray = np.asarray(np.sqrt(np.clip(usd / full, 0.0, 1.0)), np.float64)
    code = (share * _FULL).round().astype(np.uint8)
    code[(usd > 0.0) & (code == 0)] = 1
    return code
