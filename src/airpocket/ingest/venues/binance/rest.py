"""Binance's answers to what is asked over REST: books, open interest, mark and funding."""

from urllib.parse import parse_qs, urlsplit

from airpocket.domain.events import OpenInterest, Ticker
from airpocket.domain.wire import BookChange, FundingEstimate, LiveEvent
from airpocket.ingest.values import BadValue, nonnegative, number, positive, stamp_ns
from airpocket.ingest.venues.binance.origin import Origin, levels, optional
from airpocket.ingest.venues.binance.shapes import OPEN_INTEREST, PREMIUM, SNAPSHOT


def snapshot(venue: str, body: bytes, heard: int, address: str) -> list[LiveEvent]:
    """A whole book; its symbol may stand in the address alone."""
    message = SNAPSHOT.decode(body)
    symbol = message.symbol or _symbol_of(address)
    if not symbol:
        raise BadValue("a book snapshot whose address names no symbol")
    origin, stamp = Origin(venue, symbol, heard), message.T or message.E
    return [
        BookChange(
            venue=venue, symbol=symbol, ts=stamp_ns(stamp, "snapshot time") if stamp else heard,
            usable_from=heard, heard=heard, snapshot=True, first=None, last=message.last_update_id,
            previous=None, bids=levels(origin, message.bids), asks=levels(origin, message.asks),
        )
    ]  # fmt: skip


def _symbol_of(address: str) -> str:
    """'ethusdt@depthSnapshot' or '…/depth?symbol=ETHUSDT&limit=1000' → ETHUSDT."""
    asked = parse_qs(urlsplit(address).query).get("symbol", [""])[0]
    stream = address.split("@", maxsplit=1)[0] if "@" in address and "/" not in address else ""
    return (asked or stream).upper()


def open_interest(venue: str, body: bytes, heard: int) -> list[LiveEvent]:
    """Open interest of one contract, now."""
    message = OPEN_INTEREST.decode(body)
    return [
        OpenInterest(
            venue=venue, symbol=message.symbol, usable_from=heard, heard=heard,
            ts=stamp_ns(message.time, "time") if message.time else heard,
            amount=nonnegative(message.open_interest, "open interest"),
            unit="contracts" if venue == "binance_coinm" else "coin",
        )
    ]  # fmt: skip


def premium(venue: str, body: bytes, heard: int) -> list[LiveEvent]:
    """Mark, index, and the rate of the running funding interval."""
    message = PREMIUM.decode(body)
    ts = stamp_ns(message.time, "time") if message.time else heard
    found: list[LiveEvent] = [
        Ticker(venue=venue, symbol=message.symbol, ts=ts, usable_from=heard, heard=heard,
               mark=positive(message.mark_price, "mark price"),
               index=optional(message.index_price, "index price"))
    ]  # fmt: skip
    if message.rate and message.next_settlement:
        found.append(
            FundingEstimate(
                venue=venue, symbol=message.symbol, ts=ts, usable_from=heard, heard=heard,
                rate=number(message.rate, "funding rate"),
                next_settlement=stamp_ns(message.next_settlement, "next funding"),
            )
        )  # fmt: skip
    return found
