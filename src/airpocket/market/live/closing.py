"""A closed minute of one market as facts: what is known, and no row for what is not."""

from statistics import median
from typing import Any

from airpocket.domain.events import Bar, Batch
from airpocket.domain.units import MINUTE_NS, SECOND_NS
from airpocket.market.books.measures import bands
from airpocket.market.live import rows
from airpocket.market.live.market import LiveMarket

BANDS = (0.1, 0.25, 0.5, 1.0, 2.0)  # per cent of the mid


def closing(market: LiveMarket, closed: int, heard: int) -> list[Batch]:
    """The batches of a market's minute that ended at `closed`: what is known, and no row for what is not."""
    contract, found = market.contract, list[Batch]()

    def give(kind: str, made: list[dict[str, Any]]) -> None:
        fresh = [row for row in made if row["ts"] > market.newest.get(kind, 0)]
        if fresh:
            market.newest[kind] = max(row["ts"] for row in fresh)
            found.append(rows.batch(kind, contract.venue, contract.symbol, fresh))

    minute = market.tape.last
    if minute is not None and minute.whole and minute.start == closed - MINUTE_NS:
        if market.makes_bars and minute.prints:
            give("bar_1m", [rows.bar_row(minute, heard)])
        give("tape_1m", [rows.tape_row(minute, heard, _touch(market, closed))])
    market.tape.last = None
    give("bar_1m", [_told(bar) for bar in sorted(market.bars, key=lambda bar: bar.ts)])
    market.bars.clear()
    if market.forced:
        forced = rows.liquidation_rows(market.forced, market.forced_count)
        found.append(
            rows.batch("liquidation", contract.venue, contract.symbol, forced)
        )  # fmt: skip
        market.forced_count += len(market.forced)
        market.forced.clear()
    give("depth", _depth_rows(market, closed, heard))
    give("ticker", _ticker_rows(market))
    if market.interest is not None:
        held = market.interest
        give("open_interest", [{
            "ts": held.ts, "usable_from": held.usable_from, "amount": held.amount, "unit": held.unit,
            "averaged_s": held.averaged_s,
        }])  # fmt: skip
    give("funding_estimate", _funding_rows(market))
    return found


def _told(bar: Bar) -> dict[str, Any]:
    return {
        "ts": bar.ts, "usable_from": bar.usable_from, "open": bar.open, "high": bar.high, "low": bar.low,
        "close": bar.close, "volume": bar.volume, "volume_usd": bar.volume_usd, "taker_buy": bar.taker_buy,
    }  # fmt: skip


def _touch(market: LiveMarket, closed: int) -> dict[str, float | int | None]:
    """What the touch did in the minute; unknown without a live book."""
    if market.book.levels is None:
        return {"reloads": None, "retreats": None, "refill_s": None}
    returns = market.flow.figures(closed).returns.values()
    halves = [side.half_s for side in market.refill.figures().values() if side.half_s is not None]
    return {
        "reloads": sum(side.reloads for side in returns),
        "retreats": sum(side.retreats for side in returns),
        "refill_s": median(halves) if halves else None,
    }


def _depth_rows(market: LiveMarket, closed: int, heard: int) -> list[dict[str, Any]]:
    """Bands that the book reaches beyond; a band cut off by the book's own end is left out, not too small."""
    book = market.book
    if book.levels is None or not book.in_coin or heard - book.heard > MINUTE_NS:
        return []
    return [
        {"ts": closed, "usable_from": heard, "percent": percent, "depth_coin": band.coin, "notional_usd": band.usd}
        for percent, band in sorted(bands(book.levels, BANDS).items())
        if band.whole
    ]  # fmt: skip


def _ticker_rows(market: LiveMarket) -> list[dict[str, Any]]:
    if not market.tick:
        return []
    ts = max(stamp for stamp, _, _ in market.tick.values())
    usable = max(heard for _, heard, _ in market.tick.values())
    fresh = {
        name: value for name, (stamp, _, value) in market.tick.items() if ts - stamp <= MINUTE_NS
    }
    return [{"ts": ts, "usable_from": usable, **fresh}]


def _funding_rows(market: LiveMarket) -> list[dict[str, Any]]:
    """The interval is the venue's own word, else the usual one of the contract; without either, nothing."""
    funding, usual = market.funding, market.contract.funding_interval_ns
    if funding is None:
        return []
    interval_s = funding.interval_s or (usual // SECOND_NS if usual else None)
    if interval_s is None:
        return []
    return [
        {"ts": funding.ts, "usable_from": funding.usable_from, "rate": funding.rate, "interval_s": interval_s}
    ]  # fmt: skip
