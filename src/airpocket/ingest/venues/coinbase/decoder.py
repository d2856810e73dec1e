"""Coinbase frames into events. The side of a trade is the maker's, so the taker did the opposite.

Advanced Trade numbers the messages of a whole connection, not of a book: its books carry no ids.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from airpocket.domain.units import Side
from airpocket.domain.wire import Level, LiveEvent, Status
from airpocket.ingest.listed import Terms, listing, path_of, rolled
from airpocket.ingest.said import Book, Chain, Said, control
from airpocket.ingest.values import BadValue, nonnegative, positive, rfc3339_ns
from airpocket.ingest.venue import Venue, guarded, unknown
from airpocket.ingest.venues.coinbase import shapes

_VENUE = "coinbase"
_TAKER: dict[str, Side] = {
    "buy": "sell",
    "sell": "buy",
    "BUY": "sell",
    "SELL": "buy",
}  # by the maker's
_BOOK: dict[str, Side] = {"bid": "buy", "offer": "sell", "buy": "buy", "sell": "sell"}
_DOLLARS = ("-USD", "-USDC", "-USDT")
_NOTICES = ("heartbeats", "heartbeat")
_STATUS: dict[str, Status] = {
    "online": "live", "offline": "halted", "internal": "halted", "delisted": "delisted",
}  # fmt: skip


def decode(frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame, or of an answer about a product, which `address` tells.

    Raises:
        UndecodableFrame: anything that is neither dialect; nothing else is ever raised.
    """
    if "/products" in address:
        return guarded(_VENUE, frame, lambda: _products(frame, heard, address))
    return guarded(_VENUE, frame, lambda: _decoded(frame, heard))


def _decoded(frame: bytes, heard: int) -> list[LiveEvent]:
    outer = shapes.ENVELOPE.decode(frame)
    name = outer.channel or outer.type
    if name == "subscriptions":
        body = bytes(outer.events or frame).decode("utf-8", "replace")
        return [control(_VENUE, heard, "ack", f"subscriptions {body}")]
    if name == "error":
        return [control(_VENUE, heard, "error", f"{outer.message} {outer.reason}".strip())]
    if name in _NOTICES:
        return [control(_VENUE, heard, "notice", name)]
    if outer.channel:
        handler = _BY_CHANNEL.get(outer.channel)
        if handler is None:
            raise unknown(_VENUE, "channel", outer.channel)
        return handler(outer, heard)
    old = _BY_TYPE.get(outer.type)
    if old is None:
        raise unknown(_VENUE, "type", outer.type)
    return old(frame, heard)


def _time(text: str, heard: int) -> int:
    """Some frames carry no time, or the year 1 or 1970 in its place."""
    none = not text or text.startswith(("0001-", "1970-"))
    return heard if none else rfc3339_ns(text, "time")


def _side(sides: dict[str, Side], text: str) -> Side:
    if text not in sides:
        raise BadValue(f"side {text[:20]!r}")
    return sides[text]


def _level2(outer: shapes.Envelope, heard: int) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.LEVEL2.decode(bytes(outer.events)):
        if each.type not in ("snapshot", "update"):
            raise BadValue(f"book event {each.type[:20]!r}")
        rows: list[tuple[Side, str, str]] = [
            (_side(_BOOK, row.side), row.price_level, row.new_quantity) for row in each.updates
        ]
        stamps = [_time(row.event_time, heard) for row in each.updates if row.event_time]
        ts = max(stamps, default=_time(outer.timestamp, heard))
        said = Said(_VENUE, each.product_id, ts, heard)
        found.append(said.book(_sides(rows), Chain(snapshot=each.type == "snapshot")))
    return found


def _sides(rows: Sequence[tuple[Side, str, str]]) -> Book:
    bids = tuple(_level(price, size) for side, price, size in rows if side == "buy")
    asks = tuple(_level(price, size) for side, price, size in rows if side == "sell")
    return Book(bids, asks)


def _level(price: str, size: str) -> Level:
    return positive(price, "level price"), nonnegative(size, "level size")


def _trade(
    said: Said, price_text: str, size_text: str, maker: str, trade_id: int | str
) -> LiveEvent:
    price, size = positive(price_text, "price"), positive(size_text, "size")
    usd = size * price if said.symbol.endswith(_DOLLARS) else None
    return said.trade(price, size, usd, _side(_TAKER, maker), trade_id)


def _market_trades(outer: shapes.Envelope, heard: int) -> list[LiveEvent]:
    """A snapshot repeats trades from before the subscription; their ids tell them apart."""
    found: list[LiveEvent] = []
    for group in shapes.MARKET_TRADES.decode(bytes(outer.events)):
        for each in reversed(group.trades):  # newest first on the wire
            said = Said(_VENUE, each.product_id, rfc3339_ns(each.time, "trade time"), heard)
            trade_id = int(each.trade_id) if _is_id(each.trade_id) else each.trade_id
            found.append(_trade(said, each.price, each.size, each.side, trade_id))
    return found


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _market_ticker(outer: shapes.Envelope, heard: int) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    ts = _time(outer.timestamp, heard)
    for group in shapes.MARKET_TICKERS.decode(bytes(outer.events)):
        for each in group.tickers:
            said = Said(_VENUE, each.product_id, ts, heard)
            bid = _best(each.best_bid, each.best_bid_quantity)
            ask = _best(each.best_ask, each.best_ask_quantity)
            found += _state(said, each.price, bid, ask)
    return found


def _state(said: Said, last: str, bid: Level | None, ask: Level | None) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    if last:
        found.append(said.ticker(last=positive(last, "last")))
    if bid is not None or ask is not None:
        found.append(said.quote(bid, ask))
    return found


def _best(price: str, size: str) -> Level | None:
    """A side without a price, or whose size is not told, is not a quote."""
    if price in ("", "0") or not size:
        return None
    return _level(price, size)


def _market_status(outer: shapes.Envelope, heard: int) -> list[LiveEvent]:
    groups = shapes.STATUS.decode(bytes(outer.events))
    return [each for group in groups for each in _listings(group.products, heard)]


def _status(frame: bytes, heard: int) -> list[LiveEvent]:
    return _listings(shapes.OLD_STATUS.decode(frame).products, heard)


def _products(body: bytes, heard: int, address: str) -> list[LiveEvent]:
    """All products, or the one that was asked for."""
    if path_of(address) == "products":
        return rolled(_VENUE, address, _listings(shapes.PRODUCTS.decode(body), heard), heard)
    return _listings([shapes.PRODUCT.decode(body)], heard)


def _listings(products: list[shapes.Product], heard: int) -> list[LiveEvent]:
    """Spot alone: a future's contract size is not said here."""
    found: list[LiveEvent] = []
    for each in products:
        if each.product_type != "SPOT":
            continue
        tick, lot = each.quote_increment, each.base_increment
        terms = Terms(
            tick_size=positive(tick, "tick") if tick else None,
            lot_size=positive(lot, "lot") if lot else None,
        )
        status = "halted" if each.trading_disabled else _STATUS.get(each.status, "unknown")
        found.append(listing(_VENUE, each.id, heard, each.base_currency, "spot", status, terms))
    return found


def _snapshot(frame: bytes, heard: int) -> list[LiveEvent]:
    message = shapes.SNAPSHOT.decode(frame)
    levels = Book(
        tuple(_level(*row) for row in message.bids), tuple(_level(*row) for row in message.asks)
    )
    said = Said(_VENUE, message.product_id, _time(message.time, heard), heard)
    return [said.book(levels, Chain(snapshot=True))]


def _change(frame: bytes, heard: int) -> list[LiveEvent]:
    message = shapes.CHANGE.decode(frame)
    rows: list[tuple[Side, str, str]] = [
        (_side(_BOOK, side), price, size) for side, price, size in message.changes
    ]
    said = Said(_VENUE, message.product_id, _time(message.time, heard), heard)
    return [said.book(_sides(rows), Chain(snapshot=False))]


def _match(frame: bytes, heard: int) -> list[LiveEvent]:
    message = shapes.MATCH.decode(frame)
    said = Said(_VENUE, message.product_id, rfc3339_ns(message.time, "trade time"), heard)
    return [_trade(said, message.price, message.size, message.side, message.trade_id)]


def _ticker(frame: bytes, heard: int) -> list[LiveEvent]:
    message = shapes.TICKER.decode(frame)
    said = Said(_VENUE, message.product_id, _time(message.time, heard), heard)
    bid = _best(message.best_bid, message.best_bid_size)
    ask = _best(message.best_ask, message.best_ask_size)
    return _state(said, message.price, bid, ask)


_BY_CHANNEL: dict[str, Callable[[shapes.Envelope, int], list[LiveEvent]]] = {
    "l2_data": _level2,
    "market_trades": _market_trades,
    "ticker": _market_ticker,
    "ticker_batch": _market_ticker,
    "status": _market_status,
}
_Old: TypeAlias = Callable[[bytes, int], list[LiveEvent]]
_BY_TYPE: dict[str, _Old] = {
    "snapshot": _snapshot,
    "l2update": _change,
    "match": _match,
    "last_match": _match,
    "ticker": _ticker,
    "status": _status,
}

VENUES = (Venue(_VENUE, decode),)
