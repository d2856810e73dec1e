"""A venue's maintenance tiers of this moment, as ccxt hands over the venue's own rows, into the store's table."""

import math
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import polars as pl

from airpocket.domain.errors import MarginError, UndecodableFrame
from airpocket.domain.events import FloatArray
from airpocket.domain.instruments import instrument
from airpocket.domain.units import TimeNs
from airpocket.ingest.backfill.convert import Market, Row
from airpocket.margin.tiers import TierTable, deductions

_MICRO_NS = 1_000
_FIGURES = ("floor", "cap", "mmr", "max_leverage", "deduction")


def tier_table(market: Market, rows: Sequence[Row], now: TimeNs) -> TierTable:
    """Bybit's risk limits as a table that fits together, as of `now`.

    Edges are USDT of a linear contract and coin of an inverse one. The venue's pages write rates as
    fractions and as per cent; initial margin × maximum leverage, which is one, tells which. Amounts it
    leaves out follow from continuity.

    Raises:
        UndecodableFrame: a figure is missing, or the table contradicts itself.
    """
    cells = sorted((_cells(market, row) for row in rows), key=lambda one: one["riskLimitValue"])
    if not cells:
        raise UndecodableFrame(f"{market.venue} {market.symbol}: no tiers in the answer")
    column = {name: np.array([one[name] for one in cells]) for name in cells[0]}
    floor = np.concatenate([[0.0], column["riskLimitValue"][:-1]])
    mmr = column["maintenanceMargin"] / _whole(market, column)
    known = instrument(market.venue, market.symbol)
    try:
        return TierTable(
            market.venue, market.symbol, TimeNs(now // _MICRO_NS * _MICRO_NS), f"rest:{market.venue}",
            known.quote if known.kind == "linear" else known.base,
            floor, column["riskLimitValue"], mmr, deductions(floor, mmr), column["maxLeverage"],
        )  # fmt: skip
    except MarginError as error:
        raise UndecodableFrame(str(error)) from error


def as_frame(table: TierTable) -> pl.DataFrame:
    """The rows of the kind `tier`: usable from the moment they were asked for."""
    count, moment = len(table), pl.Datetime("us", "UTC")
    asked = pl.Series([table.as_of // _MICRO_NS] * count, dtype=pl.Int64).cast(moment)
    return pl.DataFrame(
        {
            "ts": asked, "usable_from": asked, "source": [table.source] * count,
            "tier": pl.Series(range(1, count + 1), dtype=pl.Int64),
            "currency": [table.currency] * count, "notional_floor": table.floor,
            "notional_cap": table.cap, "mmr": table.mmr, "max_leverage": table.max_leverage,
            "deduction": table.deduction,
        }
    )  # fmt: skip


def same_tiers(one: TierTable, other: TierTable) -> bool:
    """Whether two tables, of whatever dates, say the same."""
    return len(one) == len(other) and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in _FIGURES
    )


def _cells(market: Market, row: Row) -> dict[str, float]:
    info: Mapping[str, object] = row if isinstance(row, Mapping) else {}
    found: dict[str, float] = {}
    for name in ("riskLimitValue", "maintenanceMargin", "initialMargin", "maxLeverage"):
        try:
            value = float(cast("str", info.get(name)))
        except (TypeError, ValueError):
            value = math.nan
        if not (value > 0.0 and math.isfinite(value)):
            raise UndecodableFrame(
                f"{market.venue} {market.symbol}: a tier has no usable {name} ({info.get(name)!r})"
            )
        found[name] = value
    return found


def _whole(market: Market, column: Mapping[str, FloatArray]) -> float:
    """1 where rates are fractions, 100 where they are per cent."""
    product = float(np.median(column["initialMargin"] * column["maxLeverage"]))
    for whole in (1.0, 100.0):
        if abs(product / whole - 1.0) < 0.1:
            return whole
    raise UndecodableFrame(
        f"{market.venue} {market.symbol}: initial margin × maximum leverage is {product:g}, not 1 or 100"
    )
