"""Live sums and events as the batches that history has too: same kinds, same columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from airpocket.domain.events import Batch, ColumnArray
from airpocket.domain.kinds import split_name
from airpocket.domain.units import MINUTE_NS, SECOND_NS
from airpocket.domain.wire import Liquidation, MarginTiers, OffBook, OptionTick
from airpocket.market.live.minute import Minute
from airpocket.market.live.reference import Version, standing

SOURCE = "heard live"


def batch(kind: str, venue: str, symbol: str, rows: Sequence[Mapping[str, Any]]) -> Batch:
    """Rows with ts and usable_from (ns) as a batch; None becomes NaN where the kind allows it.

    A venue's clock may run ahead of ours: nothing is usable before its own time.
    """
    family, interval_ns = split_name(kind)
    columns: dict[str, ColumnArray] = {
        name: np.array([row[name] for row in rows], dtype=np.int64)
        for name in ("ts", "usable_from")
    }
    columns["usable_from"] = np.maximum(columns["usable_from"], columns["ts"] + interval_ns)
    for column in family.columns:
        values = [row.get(column.name) for row in rows]
        if column.dtype == "f64":
            columns[column.name] = np.array(
                [np.nan if value is None else value for value in values], dtype=np.float64
            )
        elif column.dtype == "str":
            columns[column.name] = np.array(["" if v is None else v for v in values], dtype=np.str_)
        else:
            columns[column.name] = np.array(
                [-1 if v is None else v for v in values], dtype=np.int64
            )
    return Batch(kind, venue, symbol, columns, (SOURCE,))


def bar_row(minute: Minute, usable_from: int) -> dict[str, Any]:
    """The minute's trade bar; volumes in coin, unknown where a contract's size is."""
    volume = minute.buy + minute.sell if minute.sized else None
    return {
        "ts": minute.start, "usable_from": usable_from, "open": minute.open, "high": minute.high,
        "low": minute.low, "close": minute.close, "volume": volume,
        "volume_usd": minute.buy_usd + minute.sell_usd if minute.in_dollars else None,
        "taker_buy": minute.buy if minute.sized else None,
    }  # fmt: skip


def tape_row(
    minute: Minute, usable_from: int, touch: Mapping[str, float | int | None]
) -> dict[str, Any]:
    """The minute's tape; `touch` has reloads, retreats and refill_s where the book could tell."""
    return {
        "ts": minute.start, "usable_from": usable_from, "prints": minute.prints,
        "buy_usd": minute.buy_usd if minute.in_dollars else None,
        "sell_usd": minute.sell_usd if minute.in_dollars else None,
        "spread_bps": minute.spread_bps, **touch,
    }  # fmt: skip


def liquidation_rows(events: Sequence[Liquidation], first: int) -> list[dict[str, Any]]:
    """Forced closes in time order; `seq`, counted from `first`, tells those of one moment apart."""
    ordered = sorted(events, key=lambda event: event.ts)
    return [
        {
            "ts": event.ts, "usable_from": event.usable_from, "forced_side": event.forced_side,
            "price": event.price, "size": event.size, "notional_usd": event.notional_usd,
            "coverage": event.coverage, "seq": number,
        }
        for number, event in enumerate(ordered, first)
    ]  # fmt: skip


def off_book_rows(events: Sequence[OffBook], first: int) -> list[dict[str, Any]]:
    """Transfers that passed the book by, in time order, told apart as forced closes are."""
    ordered = sorted(events, key=lambda event: event.ts)
    return [
        {"ts": event.ts, "usable_from": event.usable_from, "cause": event.cause, "reason": event.reason,
         "forced_side": None, "price": event.price or None, "size": event.size, "notional_usd": None,
         "coverage": "unknown", "seq": number}
        for number, event in enumerate(ordered, first)
    ]  # fmt: skip


def tier_rows(tiers: MarginTiers) -> list[dict[str, Any]]:
    """A maintenance schedule, one row a bracket."""
    return [
        {"ts": tiers.ts, "usable_from": tiers.usable_from, "tier": number, "currency": tiers.currency,
         "notional_floor": floor, "notional_cap": cap, "mmr": mmr, "max_leverage": leverage,
         "deduction": deduction}
        for number, (floor, cap, mmr, leverage, deduction) in enumerate(tiers.brackets, 1)
    ]  # fmt: skip


def listing_rows(versions: Sequence[Version]) -> list[dict[str, Any]]:
    """What came into force, oldest first; of two at one moment the later counts."""
    newest = {version.since: version for version in versions}
    return [
        {
            "ts": since, "usable_from": since, "version": version.number,
            "contract_kind": at.kind, "status": at.status, "reason": standing(at) or None,
            "contract_size": at.contract_size, "size_unit": at.size_unit, "tick_size": at.tick_size,
            "lot_size": at.lot_size, "funding_interval_s": at.funding_interval_s,
            "listed_at_s": None if at.listed_at is None else at.listed_at // SECOND_NS,
        }
        for since, version in sorted(newest.items())
        for at in (version.listing,)
    ]  # fmt: skip


def chain_rows(ticks: Sequence[OptionTick], start: int, usable_from: int) -> list[dict[str, Any]]:
    """One chain snapshot by name, prices in coin: dollars divided by the forward, or by the index where no
    forward is told. An option priced in dollars with neither is left out.
    """
    rows: list[dict[str, Any]] = []
    for tick in sorted(ticks, key=lambda each: each.symbol):
        price = 1.0 if tick.price_unit == "coin" else tick.forward or tick.index
        if price is None:
            continue

        def coin(value: float | None, by: float = price) -> float | None:
            return None if value is None else value / by

        rows.append(
            {
                "ts": start, "usable_from": usable_from, "instrument": tick.symbol,
                "expiry": tick.expiry, "strike": tick.strike,
                "option_type": "call" if tick.call else "put", "underlying_index": None,
                "underlying_price": tick.forward, "bid": coin(tick.bid), "ask": coin(tick.ask),
                "mark": coin(tick.mark), "mark_iv": tick.mark_iv, "delta": tick.delta,
                "vega": tick.vega, "open_interest": tick.open_interest, "index_price": tick.index,
                "bid_size": tick.bid_size, "ask_size": tick.ask_size,
            }
        )  # fmt: skip
    return rows


def minute_of(ts: int) -> int:
    """Start of the minute a moment lies in, ns."""
    return ts - ts % MINUTE_NS
