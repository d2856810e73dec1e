"""Binance: spot, USD-M and COIN-M frames and REST bodies into events.

Shapes from the venue's documentation, 2019 to 2026. Since 2026-06-30 a frame of either futures family may
come on either address and says in `st` which it is (1 USD-M, 2 COIN-M); that field wins over the address.
COIN-M sizes are contracts of 100 USD (BTC) or 10 USD (all others).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from airpocket.domain.depth import DepthColumns
from airpocket.domain.events import Bar, Ticker
from airpocket.domain.units import Side, parse_interval
from airpocket.domain.wire import (
    BookChange,
    Control,
    FundingEstimate,
    Liquidation,
    LiveEvent,
    OffBook,
    Quote,
    Trade,
)
from airpocket.ingest.values import BadValue, nonnegative, number, positive, stamp_ns
from airpocket.ingest.venue import BookReader, Venue, guarded, undecodable, unknown
from airpocket.ingest.venues.binance import listings, rest
from airpocket.ingest.venues.binance.depth import Change, read_all, read_one
from airpocket.ingest.venues.binance.origin import Origin, levels, optional
from airpocket.ingest.venues.binance.shapes import (
    AGGREGATE_TRADE,
    COMBINED,
    DEPTH,
    ENVELOPE,
    FORCED,
    FUTURES_QUOTE,
    KLINE,
    LAST,
    MARK,
    QUOTE,
    SINGLE_TRADE,
    AggregateTrade,
    BestQuote,
    Depth,
    Envelope,
    Forced,
    FuturesQuote,
    Mark,
    SingleTrade,
)

_FAMILY = {1: "binance_usdm", 2: "binance_coinm"}
_ST = {venue: st for st, venue in _FAMILY.items()}
_IDS = 2**63
_SIDES: dict[str, Side] = {"BUY": "buy", "SELL": "sell"}


def decode(venue: str, frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame or REST body, in its order.

    Raises:
        UndecodableFrame: anything that is not this dialect; nothing else is ever raised.
    """
    return guarded(venue, frame, lambda: _decoded(venue, frame, heard, address))


def _decoded(venue: str, frame: bytes, heard: int, address: str) -> list[LiveEvent]:
    if address and listings.answers(address):
        return listings.decoded(venue, frame, heard, address)
    if frame.startswith(b'{"stream":"') and b'"data":{"e":"' in frame[:120]:
        if b'"e":"depthUpdate"' in frame[:140] and (depth := read_one(frame)) is not None:
            return [_change(_FAMILY.get(depth.family, venue), depth, heard)]
        try:
            whole = COMBINED.decode(frame)
        except msgspec.ValidationError:
            pass  # a rarer kind, or a broken one: the slow way tells which
        else:
            data = whole.data
            events = _READ[type(data)](_FAMILY.get(data.st, venue), data, heard)
            return _labelled(venue, whole.stream, events)
    outer = ENVELOPE.decode(frame)
    if outer.stream:
        inner = ENVELOPE.decode(outer.data)
        events = _message(venue, inner, bytes(outer.data), heard, outer.stream)
        return _labelled(venue, outer.stream, events)
    return _message(venue, outer, frame, heard, address)


def _labelled(venue: str, stream: str, events: list[LiveEvent]) -> list[LiveEvent]:
    """A stream of one symbol, such as ethusdt@depth, brings no other; !forceOrder@arr brings all."""
    label = stream.partition("@")[0]
    if label and label[0] != "!" and "@" in stream:
        for event in events:
            if event.symbol.lower() != label.lower() and not isinstance(event, Control):
                raise undecodable(venue, f"{event.symbol[:40]!r} in the stream {stream[:60]!r}")
    return events


def _message(venue: str, outer: Envelope, body: bytes, heard: int, address: str) -> list[LiveEvent]:
    family = _FAMILY.get(outer.st, venue)
    if outer.e:
        handler = _BY_EVENT.get(outer.e)
        if handler is None:
            raise unknown(venue, "event type", outer.e)
        return handler(family, body, heard)
    if outer.last_update_id is not None:
        return rest.snapshot(family, body, heard, address)
    if outer.open_interest is not None:
        return rest.open_interest(family, body, heard)
    if outer.mark_price is not None:
        return rest.premium(family, body, heard)
    if outer.u is not None and len(bytes(outer.b)) > 0:
        return _quote(family, QUOTE.decode(body), heard)
    return [_control(venue, outer, heard)]


def _control(venue: str, outer: Envelope, heard: int) -> Control:
    if outer.error is not None or (outer.code is not None and outer.msg):
        told = outer.error or {"code": outer.code, "msg": outer.msg}
        text = f"{told.get('code')}: {told.get('msg')}"
        return Control(venue=venue, symbol="", ts=heard, usable_from=heard, heard=heard,
                       what="error", text=text[:200])  # fmt: skip
    if outer.id is not None:
        return Control(venue=venue, symbol="", ts=heard, usable_from=heard, heard=heard, what="ack",
                       text=str(outer.id)[:200])  # fmt: skip
    raise undecodable(venue, "neither an event, a known answer nor an acknowledgement")


def _trade(venue: str, message: SingleTrade | AggregateTrade, heard: int) -> list[LiveEvent]:
    aggregate = isinstance(message, AggregateTrade)
    origin = Origin(venue, message.s, heard)
    trade_id = message.a if aggregate else message.t
    if not isinstance(trade_id, int) or not 0 <= trade_id < _IDS or isinstance(trade_id, bool):
        raise BadValue("a trade without an id that fits 63 bits")
    ts, price, size = stamp_ns(message.T, "trade time"), message.p, message.q
    if message.X != "MARKET":
        return [OffBook(venue=venue, symbol=message.s, ts=ts, usable_from=heard, heard=heard,
                        price=price, size=origin.coin(size, price) if price else None,
                        reason=message.X[:40].lower(), trade_id=trade_id)]  # fmt: skip
    if not (price and size):
        raise BadValue("a trade at price 0, or of size 0")
    return [
        Trade(
            venue=venue, symbol=message.s, ts=ts, usable_from=heard, heard=heard, price=price,
            size=origin.coin(size, price), notional_usd=origin.dollars(size, price),
            taker_side="sell" if message.m else "buy", trade_id=trade_id, aggregate=aggregate,
        )
    ]  # fmt: skip


def _mark(venue: str, message: Mark, heard: int) -> list[LiveEvent]:
    ts = stamp_ns(message.E, "event time")
    found: list[LiveEvent] = [
        Ticker(venue=venue, symbol=message.s, ts=ts, usable_from=heard, heard=heard,
               mark=positive(message.p, "mark price"), index=optional(message.i, "index price"))
    ]  # fmt: skip
    if message.r:  # dated futures settle no funding
        found.append(
            FundingEstimate(
                venue=venue, symbol=message.s, ts=ts, usable_from=heard, heard=heard,
                rate=number(message.r, "funding rate"),
                next_settlement=stamp_ns(message.T, "next funding") if message.T else None,
            )
        )  # fmt: skip
    return found


def _forced(venue: str, message: Forced, heard: int) -> list[LiveEvent]:
    """The largest (USD-M) or latest (COIN-M) forced order of a symbol and second: a sample."""
    order = message.o
    if order.S not in _SIDES:
        raise BadValue(f"order side {order.S[:20]!r}")
    venue = _FAMILY.get(order.st, venue)
    origin = Origin(venue, order.s, heard)
    filled, average = nonnegative(order.z, "filled size"), nonnegative(order.ap, "average price")
    price = average or positive(order.p, "price")
    size = filled or positive(order.q, "size")
    return [
        Liquidation(
            venue=venue, symbol=order.s, ts=stamp_ns(order.T, "order time"), usable_from=heard,
            heard=heard, forced_side=_SIDES[order.S], price=price,
            price_kind="fill" if average else "order", size=origin.coin(size, price),
            notional_usd=origin.dollars(size, price), coverage="sample",
        )
    ]  # fmt: skip


def _quote(venue: str, message: BestQuote, heard: int) -> list[LiveEvent]:
    """Spot quotes carry no time: then it is when they were heard."""
    stamp = message.T or message.E
    origin = Origin(venue, message.s, heard)
    bid, ask = _side(origin, message.b, message.B), _side(origin, message.a, message.A)
    return [
        Quote(
            venue=venue, symbol=message.s, ts=stamp_ns(stamp, "quote time") if stamp else heard,
            usable_from=heard, heard=heard, bid=bid[0], bid_size=bid[1], ask=ask[0],
            ask_size=ask[1], update_id=message.u,
        )
    ]  # fmt: skip


def _side(origin: Origin, price: float, size: float) -> tuple[float | None, float | None]:
    """An empty side is written as price 0; -0 becomes 0."""
    return (price, origin.coin(size, price) + 0.0) if price > 0.0 else (None, None)


def _depth(venue: str, message: Depth, heard: int) -> list[LiveEvent]:
    if message.u < message.U:
        raise BadValue(f"update ids run backwards: {message.U} to {message.u}")
    ts = stamp_ns(message.T or message.E, "event time")
    previous = -1 if message.pu is None else message.pu
    read = Change(message.s, message.st, ts, message.U, message.u, previous, message.b, message.a)
    return [_change(venue, read, heard)]


def _change(venue: str, read: Change, heard: int) -> BookChange:
    origin = Origin(venue, read.symbol, heard)
    return BookChange(
        venue=venue, symbol=read.symbol, ts=read.ts, usable_from=heard, heard=heard, snapshot=False,
        first=read.first, last=read.last, previous=None if read.previous < 0 else read.previous,
        bids=levels(origin, read.bids), asks=levels(origin, read.asks),
    )  # fmt: skip


def _kline(venue: str, body: bytes, heard: int) -> list[LiveEvent]:
    """A bar once it is closed; one still running is no fact yet."""
    message = KLINE.decode(body)
    bar = message.k
    if not bar.x:
        return []
    if venue == "binance_coinm":
        volume, taker = nonnegative(bar.q, "volume"), None  # q: base coin where v counts contracts
    else:
        volume, taker = nonnegative(bar.v, "volume"), nonnegative(bar.V, "taker volume")
    try:
        interval_ns = parse_interval(bar.i)
    except ValueError as error:
        raise BadValue(str(error)) from error
    prices = [positive(text, "bar price") for text in (bar.o, bar.h, bar.l, bar.c)]
    return [
        Bar(
            venue=venue, symbol=message.s, ts=stamp_ns(bar.t, "bar time"), usable_from=heard,
            heard=heard, interval_ns=interval_ns, open=prices[0], high=prices[1], low=prices[2],
            close=prices[3], volume=volume, taker_buy=taker,
        )
    ]  # fmt: skip


def _last(venue: str, body: bytes, heard: int) -> list[LiveEvent]:
    message = LAST.decode(body)
    return [
        Ticker(venue=venue, symbol=message.s, ts=stamp_ns(message.E, "event time"),
               usable_from=heard, heard=heard, last=positive(message.c, "last price"))
    ]  # fmt: skip


def _notice(venue: str, body: bytes, heard: int) -> list[LiveEvent]:
    event = ENVELOPE.decode(body).e
    return [Control(venue=venue, symbol="", ts=heard, usable_from=heard, heard=heard,
                    what="notice", text=event)]  # fmt: skip


_READ: dict[type, Callable[[str, Any, int], list[LiveEvent]]] = {
    SingleTrade: _trade,
    AggregateTrade: _trade,
    Mark: _mark,
    Forced: _forced,
    FuturesQuote: _quote,
    Depth: _depth,
}


def _typed(decoder: msgspec.json.Decoder[Any]) -> Callable[[str, bytes, int], list[LiveEvent]]:
    """A message decoded by its own type, then read."""

    def read(venue: str, body: bytes, heard: int) -> list[LiveEvent]:
        message = decoder.decode(body)
        return _READ[type(message)](venue, message, heard)

    return read


_BY_EVENT: dict[str, Callable[[str, bytes, int], list[LiveEvent]]] = {
    "aggTrade": _typed(AGGREGATE_TRADE),
    "trade": _typed(SINGLE_TRADE),
    "markPriceUpdate": _typed(MARK),
    "forceOrder": _typed(FORCED),
    "bookTicker": _typed(FUTURES_QUOTE),
    "depthUpdate": _typed(DEPTH),
    "kline": _kline,
    "24hrTicker": _last,
    "24hrMiniTicker": _last,
    "contractInfo": listings.contract,
    "serverShutdown": _notice,
}


def read_books(venue: str, frames: Sequence[bytes], symbol: str) -> DepthColumns:
    """The depth frames of one market in order, sizes in coin; `read` is False where `decode` is needed."""
    columns = read_all(frames, symbol, _ST.get(venue, 0))
    origin = Origin(venue, symbol, 0)
    if not origin.inverse:
        return columns
    return columns._replace(size=columns.size * origin.contract_usd / columns.price)


VENUES = tuple(
    Venue(
        name,
        partial(decode, name),
        books=BookReader((b"depthUpdate", b"lastUpdateId"), partial(read_books, name)),
    )
    for name in ("binance_usdm", "binance_coinm", "binance_spot")
)
