"""Binance: spot, USD-M and COIN-M frames and REST bodies into events.

Shapes from the venue's documentation, 2019 to 2026. Since 2026-06-30 a frame of either futures family may
come on either address and says in `st` which it is (1 USD-M, 2 COIN-M); that field wins over the address.
COIN-M sizes are contracts of 100 USD (BTC) or 10 USD (all others).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from airpocket.domain.events import Bar, OpenInterest, Ticker
from airpocket.domain.units import Side, parse_interval
from airpocket.domain.wire import (
    BookChange,
    Control,
    FundingEstimate,
    Level,
    Liquidation,
    LiveEvent,
    OffBook,
    Quote,
    Trade,
)
from airpocket.ingest.levels import Levels, in_coin
from airpocket.ingest.values import BadValue, nonnegative, number, positive, stamp_ns
from airpocket.ingest.venue import Venue, guarded, undecodable, unknown
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
    OPEN_INTEREST,
    PREMIUM,
    QUOTE,
    SINGLE_TRADE,
    SNAPSHOT,
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
_DOLLARS = ("USDT", "USDC", "FDUSD", "USD1", "BUSD", "TUSD", "USD")
_IDS = 2**63
_SIDES: dict[str, Side] = {"BUY": "buy", "SELL": "sell"}


class _Origin(NamedTuple):
    """Where a message belongs: venue, symbol, and when it was heard (ns)."""

    venue: str
    symbol: str
    heard: int

    def coin(self, size: float, price: float) -> float:
        return size * self.contract_usd / price if self.inverse else size

    def dollars(self, size: float, price: float) -> float | None:
        if self.inverse:
            return size * self.contract_usd
        return size * price if self.symbol.split("_")[0].endswith(_DOLLARS) else None

    @property
    def inverse(self) -> bool:
        return self.venue == "binance_coinm"

    @property
    def contract_usd(self) -> float:
        return 100.0 if self.symbol.startswith("BTCUSD_") else 10.0


def decode(venue: str, frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame or REST body, in its order.

    Raises:
        UndecodableFrame: anything that is not this dialect; nothing else is ever raised.
    """
    return guarded(venue, frame, lambda: _decoded(venue, frame, heard, address))


def _decoded(venue: str, frame: bytes, heard: int, address: str) -> list[LiveEvent]:
    if frame.startswith(b'{"stream":"') and b'"data":{"e":"' in frame[:120]:
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
        return _snapshot(family, body, heard, address)
    if outer.open_interest is not None:
        return _open_interest(family, body, heard)
    if outer.mark_price is not None:
        return _premium(family, body, heard)
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
    origin = _Origin(venue, message.s, heard)
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
               mark=positive(message.p, "mark price"), index=_optional(message.i, "index price"))
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


def _optional(text: str, name: str) -> float | None:
    """Some answers write '' or 0 for a price they do not have."""
    if text in {"", "0"}:
        return None
    value = nonnegative(text, name)
    return value or None


def _forced(venue: str, message: Forced, heard: int) -> list[LiveEvent]:
    """The largest (USD-M) or latest (COIN-M) forced order of a symbol and second: a sample."""
    order = message.o
    if order.S not in _SIDES:
        raise BadValue(f"order side {order.S[:20]!r}")
    origin = _Origin(venue, order.s, heard)
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
    origin = _Origin(venue, message.s, heard)
    bid, ask = _side(origin, message.b, message.B), _side(origin, message.a, message.A)
    return [
        Quote(
            venue=venue, symbol=message.s, ts=stamp_ns(stamp, "quote time") if stamp else heard,
            usable_from=heard, heard=heard, bid=bid[0], bid_size=bid[1], ask=ask[0],
            ask_size=ask[1], update_id=message.u,
        )
    ]  # fmt: skip


def _side(origin: _Origin, price: float, size: float) -> tuple[float | None, float | None]:
    """An empty side is written as price 0; -0 becomes 0."""
    return (price, origin.coin(size, price) + 0.0) if price > 0.0 else (None, None)


def _levels(origin: _Origin, rows: Levels) -> tuple[Level, ...]:
    return in_coin(rows, origin.contract_usd) if origin.inverse else rows


def _depth(venue: str, message: Depth, heard: int) -> list[LiveEvent]:
    if message.u < message.U:
        raise BadValue(f"update ids run backwards: {message.U} to {message.u}")
    origin = _Origin(venue, message.s, heard)
    return [
        BookChange(
            venue=venue, symbol=message.s, ts=stamp_ns(message.T or message.E, "event time"),
            usable_from=heard, heard=heard, snapshot=False, first=message.U, last=message.u,
            previous=message.pu, bids=_levels(origin, message.b), asks=_levels(origin, message.a),
        )
    ]  # fmt: skip


def _snapshot(venue: str, body: bytes, heard: int, address: str) -> list[LiveEvent]:
    message = SNAPSHOT.decode(body)
    symbol = message.symbol or _symbol_of(address)
    if not symbol:
        raise BadValue("a book snapshot whose address names no symbol")
    origin, stamp = _Origin(venue, symbol, heard), message.T or message.E
    return [
        BookChange(
            venue=venue, symbol=symbol, ts=stamp_ns(stamp, "snapshot time") if stamp else heard,
            usable_from=heard, heard=heard, snapshot=True, first=None, last=message.last_update_id,
            previous=None, bids=_levels(origin, message.bids), asks=_levels(origin, message.asks),
        )
    ]  # fmt: skip


def _symbol_of(address: str) -> str:
    """'ethusdt@depthSnapshot' or '…/depth?symbol=ETHUSDT&limit=1000' → ETHUSDT."""
    asked = parse_qs(urlsplit(address).query).get("symbol", [""])[0]
    stream = address.split("@", maxsplit=1)[0] if "@" in address and "/" not in address else ""
    return (asked or stream).upper()


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


def _open_interest(venue: str, body: bytes, heard: int) -> list[LiveEvent]:
    message = OPEN_INTEREST.decode(body)
    return [
        OpenInterest(
            venue=venue, symbol=message.symbol, usable_from=heard, heard=heard,
            ts=stamp_ns(message.time, "time") if message.time else heard,
            amount=nonnegative(message.open_interest, "open interest"),
            unit="contracts" if venue == "binance_coinm" else "coin",
        )
    ]  # fmt: skip


def _premium(venue: str, body: bytes, heard: int) -> list[LiveEvent]:
    message = PREMIUM.decode(body)
    ts = stamp_ns(message.time, "time") if message.time else heard
    found: list[LiveEvent] = [
        Ticker(venue=venue, symbol=message.symbol, ts=ts, usable_from=heard, heard=heard,
               mark=positive(message.mark_price, "mark price"),
               index=_optional(message.index_price, "index price"))
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
    "serverShutdown": _notice,
}

VENUES = tuple(
    Venue(name, partial(decode, name)) for name in ("binance_usdm", "binance_coinm", "binance_spot")
)
