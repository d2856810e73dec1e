"""Kraken's futures frames into events. PF_ and FF_ sizes are coin; those of PI_ and FI_ are dollars.

The lite ticker's prices come without sizes and are no quote: it gives nothing.
"""

from collections.abc import Callable
from typing import TypeAlias

from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.instruments import instrument
from airpocket.domain.units import Side
from airpocket.domain.wire import Control, Level, LiveEvent, OffBook
from airpocket.ingest.listed import Terms, listing, path_of, rolled, step_of
from airpocket.ingest.said import Book, Chain, Said, control
from airpocket.ingest.values import BadValue, nonnegative, number, positive, rfc3339_ns, stamp_ns
from airpocket.ingest.venue import Venue, guarded, unknown
from airpocket.ingest.venues.kraken import futures_shapes as shapes

_VENUE = "kraken_futures"
_HOUR_S = 3_600
_SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}
# A termination closes what a liquidation could not: forced as well, at the price it was taken over.
_FORCED = ("liquidation", "termination")
_DOLLARS = ("USD", "USDT", "USDC")
_INVERSE = ("PI_", "FI_")
_FAILED = ("error", "alert", "subscribed_failed", "unsubscribed_failed")
_TOLD = ("info", "challenge")


def decode(frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame, or of the list of contracts, which `address` tells.

    Raises:
        UndecodableFrame: anything that is not this dialect; nothing else is ever raised.
    """
    if path_of(address) == "instruments":
        return guarded(
            _VENUE, frame, lambda: rolled(_VENUE, address, _contracts(frame, heard), heard)
        )
    return guarded(_VENUE, frame, lambda: _decoded(frame, heard))


def _decoded(frame: bytes, heard: int) -> list[LiveEvent]:
    outer = shapes.ENVELOPE.decode(frame)
    if outer.event:
        return [_control(outer, heard)]
    if outer.feed == "heartbeat":
        return [control(_VENUE, heard, "notice", "heartbeat")]
    handler = _BY_FEED.get(outer.feed)
    if handler is None:
        raise unknown(_VENUE, "feed", outer.feed)
    return handler(frame, heard)


def _control(outer: shapes.Envelope, heard: int) -> Control:
    what = "error" if outer.event in _FAILED else "notice" if outer.event in _TOLD else "ack"
    text = f"{outer.event} {outer.feed} {' '.join(outer.product_ids)} {outer.message}"
    return control(_VENUE, heard, what, " ".join(text.split()))


def _said(product: str, stamp: int, heard: int) -> Said:
    return Said(_VENUE, product.upper(), stamp_ns(stamp, "time"), heard)


def _sized(product: str, size: float, price: float) -> tuple[float, float | None]:
    """Coin and dollars; None where the price is in another coin (FV_XRPXBT_…)."""
    if product.upper().startswith(_INVERSE):
        return size / price, size
    pair = product.upper().split("_")[1:2]
    return size, size * price if pair and pair[0].endswith(_DOLLARS) else None


def _side(text: str) -> Side:
    if text not in _SIDES:
        raise BadValue(f"side {text[:20]!r}")
    return _SIDES[text]


def _snapshot(frame: bytes, heard: int) -> list[LiveEvent]:
    message = shapes.SNAPSHOT.decode(frame)
    bids, asks = (
        tuple(_level(message.product_id, each.price, each.qty) for each in side)
        for side in (message.bids, message.asks)
    )
    said = _said(message.product_id, message.timestamp, heard)
    return [said.book(Book(bids, asks), Chain(snapshot=True, first=message.seq, last=message.seq))]


def _level(product: str, price: float, size: float) -> Level:
    at = positive(price, "level price")
    return at, _sized(product, nonnegative(size, "level size"), at)[0]


def _change(frame: bytes, heard: int) -> list[LiveEvent]:
    message = shapes.CHANGE.decode(frame)
    level = (_level(message.product_id, message.price, message.qty),)
    bought = _side(message.side) == "buy"
    levels = Book(level if bought else (), () if bought else level)
    chain = Chain(snapshot=False, first=message.seq, last=message.seq, previous=message.seq - 1)
    return [_said(message.product_id, message.timestamp, heard).book(levels, chain)]


def _trade(frame: bytes, heard: int) -> list[LiveEvent]:
    return _print(shapes.TRADE.decode(frame), heard)


def _trades(frame: bytes, heard: int) -> list[LiveEvent]:
    """The last hundred before the subscription, newest first; their ids tell them apart."""
    trades = shapes.TRADES.decode(frame).trades
    return [event for each in reversed(trades) for event in _print(each, heard)]


def _print(each: shapes.Trade, heard: int) -> list[LiveEvent]:
    said = _said(each.product_id, each.time, heard)
    price, size = positive(each.price, "price"), positive(each.qty, "size")
    side, (coin, usd) = _side(each.side), _sized(each.product_id, size, price)
    trade_id = each.uid or f"{each.seq}"
    if each.type in ("block", "assignment", "unwind"):
        return [
            OffBook(venue=_VENUE, symbol=said.symbol, ts=said.ts, usable_from=heard, heard=heard,
                    price=price, size=coin, reason=each.type, trade_id=trade_id)
        ]  # fmt: skip
    if each.type not in ("fill", *_FORCED):
        raise BadValue(f"trade type {each.type[:20]!r}")
    found: list[LiveEvent] = [said.trade(price, coin, usd, side, trade_id)]
    if each.type in _FORCED:
        found.append(said.liquidation(side, price, "fill", coin, usd, "all", trade_id))
    return found


def _ticker(frame: bytes, heard: int) -> list[LiveEvent]:
    """The fraction is `relative_funding_rate`; `funding_rate` is money a contract, and not read."""
    tick = shapes.TICKER.decode(frame)
    product = tick.product_id
    ts = stamp_ns(tick.time, "time") if tick.time else heard
    said = Said(_VENUE, product.upper(), ts, heard)
    found: list[LiveEvent] = []
    last, mark, index = (
        positive(value, name) if value else None
        for value, name in ((tick.last, "last"), (tick.mark, "mark"), (tick.index, "index"))
    )
    if last is not None or mark is not None or index is not None:
        found.append(said.ticker(last=last, mark=mark, index=index))
    if tick.interest is not None:
        inverse = product.upper().startswith(_INVERSE)
        amount = nonnegative(tick.interest, "open interest")
        found.append(said.interest(amount, "usd" if inverse else "coin"))
    if tick.rate is not None and tick.next_settlement:
        settles = stamp_ns(int(number(tick.next_settlement, "next funding")), "next funding")
        found.append(said.funding(number(tick.rate, "funding rate"), settles, _HOUR_S))
    bid, ask = _best(product, tick.bid, tick.bid_size), _best(product, tick.ask, tick.ask_size)
    if bid is not None or ask is not None:
        found.append(said.quote(bid, ask))
    return found


def _best(product: str, price: float | None, size: float | None) -> Level | None:
    """The lite ticker has prices without sizes; an empty side is 0."""
    return None if not price or size is None else _level(product, price, size)


def _contracts(body: bytes, heard: int) -> list[LiveEvent]:
    """Perpetuals alone; a contract is one coin (PF_) or one dollar (PI_) whatever its name."""
    found: list[LiveEvent] = []
    for each in shapes.CONTRACTS.decode(body).instruments:
        symbol = each.symbol.upper()
        try:
            known = instrument(_VENUE, symbol)
        except UnknownInstrument:
            continue
        inverse = each.type == "futures_inverse"
        terms = Terms(
            contract_size=positive(each.size, "contract size"),
            size_unit="usd" if inverse else "coin",
            tick_size=None if each.tick is None else positive(each.tick, "tick size"),
            lot_size=None if each.decimals is None else step_of(each.decimals),
            listed_at=rfc3339_ns(each.opened, "opening date") if each.opened else None,
            funding_interval_s=_HOUR_S,
            funding_cap=each.cap,
            funding_floor=None if each.cap is None else -each.cap,
        )
        kind = "inverse" if inverse else "linear"
        status = "live" if each.tradeable else "halted"
        found.append(listing(_VENUE, symbol, heard, known.base, kind, status, terms))
    return found


_Handler: TypeAlias = Callable[[bytes, int], list[LiveEvent]]
_BY_FEED: dict[str, _Handler] = {
    "book_snapshot": _snapshot,
    "book": _change,
    "trade": _trade,
    "trade_snapshot": _trades,
    "ticker": _ticker,
    "ticker_lite": _ticker,
}

VENUES = (Venue(_VENUE, decode),)
