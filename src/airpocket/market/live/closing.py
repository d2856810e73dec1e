"""What a closed minute leaves behind: rows for the store, and none for what is not known."""

from statistics import median
from typing import Any

from airpocket.domain.events import Bar, Batch
from airpocket.domain.units import MINUTE_NS, SECOND_NS
from airpocket.market.books.book import Book
from airpocket.market.books.measures import bands
from airpocket.market.live import rows
from airpocket.market.live.market import LiveMarket, Owed, Touch

BANDS = (0.1, 0.25, 0.5, 1.0, 2.0)  # per cent of the mid
_BEHIND_NS = (
    50 * SECOND_NS
)  # a clock of ours that far behind the venue's: trades come before their minute opens
_DOLLARS = ("buy_usd", "sell_usd", "volume_usd", "notional_usd")


def closing(
    market: LiveMarket, closed: int, heard: int, rate: float = 1.0, told: int | None = None
) -> list[Batch]:
    """The batches of a market's minute that ended at `closed`: what is known, and no row for what is not.

    Args:
        rate: USD per quote coin, by which sums in the quote become dollars; 1 where they are.
        told: the time by the venues' stamps, ns; None: as ours.
    """
    found = list[Batch]()

    def give(kind: str, made: list[dict[str, Any]]) -> None:
        found.extend(_fresh(market, kind, made, rate))

    minute = market.tape.last
    theirs = market.stamped.at(heard)
    # by the venue's clock: with ours ahead of it the minute's last trades are still to come, with ours
    # far behind they came under a minute that was not open yet
    over = min(theirs, heard if told is None else told) >= closed and theirs - heard < _BEHIND_NS
    if minute is not None and minute.whole and over and minute.start == closed - MINUTE_NS:
        market.owed.append(Owed(minute, _touch(market, closed), rate))
        found += owed(market, heard)
    else:
        market.owed.clear()
        market.tape.last = None
    latest = {
        bar.ts: bar for bar in market.bars
    }  # a bar may be told twice, the later time it is whole
    give("bar_1m", [_told(latest[ts]) for ts in sorted(latest)])
    market.bars.clear()
    found += _forced(market, rate)
    if market.tiers is not None:
        give("tier", rows.tier_rows(market.tiers))
        market.tiers = None
    give("listing", rows.listing_rows(market.listings))
    market.listings.clear()
    give("depth", depth_rows(market.book, closed, heard))
    give("ticker", _ticker_rows(market))
    if market.interest is not None:
        held = market.interest
        give("open_interest", [{
            "ts": held.ts, "usable_from": held.usable_from, "amount": held.amount, "unit": held.unit,
            "averaged_s": held.averaged_s,
        }])  # fmt: skip
    give("funding_estimate", _funding_rows(market))
    give("funding_bound", _bound_rows(market))
    return found


def owed(market: LiveMarket, heard: int) -> list[Batch]:
    """The rows of closed minutes of which a connection that brings their trades has told all; none before."""
    found, tape = list[Batch](), market.tape
    while market.owed:
        minute, touch, rate = (held := market.owed[0]).minute, held.touch, held.rate
        if not tape.told_until(minute.start, minute.start + MINUTE_NS):
            break
        market.owed.popleft()
        if tape.last is minute:
            tape.last = None
        if market.makes_bars and minute.prints:
            found += _fresh(market, "bar_1m", [rows.bar_row(minute, heard)], rate)
        found += _fresh(market, "tape_1m", [rows.tape_row(minute, heard, touch)], rate)
    return found


def _fresh(market: LiveMarket, kind: str, made: list[dict[str, Any]], rate: float) -> list[Batch]:
    """Rows newer than what was given out of their kind."""
    contract = market.contract
    fresh = [row for row in made if row["ts"] > market.newest.get(kind, 0)]
    if rate != 1.0 and contract.kind != "inverse":
        fresh = [_in_usd(row, rate) for row in fresh]
    if not fresh:
        return []
    market.newest[kind] = max(row["ts"] for row in fresh)
    return [rows.batch(kind, contract.venue, contract.symbol, fresh)]


def _forced(market: LiveMarket, rate: float) -> list[Batch]:
    """Forced closes, and apart from them the transfers that passed the book by."""
    contract, found = market.contract, list[Batch]()
    if market.forced:
        closes = rows.liquidation_rows(market.forced, market.forced_count)
        if contract.kind != "inverse":
            closes = [_in_usd(row, rate) for row in closes]
        found.append(rows.batch("liquidation", contract.venue, contract.symbol, closes))
        market.forced_count += len(market.forced)
        market.forced.clear()
    if market.off_book:
        prints = rows.off_book_rows(market.off_book, market.off_book_count)
        found.append(rows.batch("off_book", contract.venue, contract.symbol, prints))
        market.off_book_count += len(market.off_book)
        market.off_book.clear()
    return found


def _told(bar: Bar) -> dict[str, Any]:
    return {
        "ts": bar.ts, "usable_from": bar.usable_from, "open": bar.open, "high": bar.high, "low": bar.low,
        "close": bar.close, "volume": bar.volume, "volume_usd": bar.volume_usd, "taker_buy": bar.taker_buy,
    }  # fmt: skip


def _touch(market: LiveMarket, closed: int) -> Touch:
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


def depth_rows(book: Book, closed: int, heard: int) -> list[dict[str, Any]]:
    """Bands that the book reaches beyond; a band cut off by the book's own end is left out, not too small."""
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
    """Only with the interval as the venue says it now: the usual one of yesterday would be a guess."""
    funding = market.funding
    if funding is None or funding.interval_s is None:
        return []
    return [
        {"ts": funding.ts, "usable_from": funding.usable_from, "rate": funding.rate,
         "interval_s": funding.interval_s}
    ]  # fmt: skip


def _bound_rows(market: LiveMarket) -> list[dict[str, Any]]:
    """The venue's cap and floor when they are first heard or change."""
    funding = market.funding
    bounds = (None, None) if funding is None else (funding.cap, funding.floor)
    if funding is None or bounds == market.bounds:
        return []
    market.bounds = bounds
    return [
        {"ts": funding.ts, "usable_from": funding.usable_from, "cap": bounds[0], "floor": bounds[1]}
    ]


def _in_usd(row: dict[str, Any], rate: float) -> dict[str, Any]:
    """Sums in a quote coin that is no dollar, in dollars."""
    return {
        name: value * rate if name in _DOLLARS and value is not None else value
        for name, value in row.items()
    }
