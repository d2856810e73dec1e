"""Binance's options: marks with greeks and quotes by stream, and the same in parts over REST; prices in USDT.

Names of streams and fields changed between 2023 and 2025 (`@markPrice`, `@ticker` before, `@optionMarkPrice`,
`@optionTicker` since). No message tells a forward price: `i` is the index, so the forward stays unknown.
"""

from collections.abc import Callable
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Raw, Struct, field

from airpocket.domain.wire import LiveEvent, OptionTick
from airpocket.ingest.options import (
    GREEKS,
    INTEREST,
    MARK,
    QUOTE,
    VOLATILITY,
    amount,
    greek,
    price,
    read_name,
    volatility,
)
from airpocket.ingest.said import control
from airpocket.ingest.values import stamp_ns
from airpocket.ingest.venue import Venue, guarded, undecodable, unknown

_VENUE = "binance_options"
_Text = Annotated[str, Meta(max_length=64)]
_Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_FULL = (*QUOTE, *MARK, *VOLATILITY, "index", *GREEKS)


class _Envelope(Struct):
    stream: str = ""
    data: Raw = field(default_factory=Raw)
    e: str = ""
    id: int | str | None = None
    code: int | None = None
    msg: str = ""


class _Mark(Struct):
    """optionMarkPrice, and the ticker of 2023; of the first markPrice only the mark itself."""

    E: _Id
    s: _Text
    mp: _Text = ""
    i: _Text = ""
    bo: _Text | None = None
    bq: _Text = ""
    ao: _Text = ""
    aq: _Text = ""
    b: _Text = ""
    a: _Text = ""
    vo: _Text = ""
    d: _Text = ""
    g: _Text = ""
    v: _Text = ""
    t: _Text = ""


class _Quote(Struct):
    E: _Id
    s: _Text
    b: _Text
    B: _Text
    a: _Text
    A: _Text


class _Held(Struct):
    """Open interest by stream: o is in contracts of one coin."""

    E: _Id
    s: _Text
    o: _Text


class _RestMark(Struct):
    symbol: _Text
    mark: _Text = field(name="markPrice")
    bid_iv: _Text = field(name="bidIV", default="")
    ask_iv: _Text = field(name="askIV", default="")
    mark_iv: _Text = field(name="markIV", default="")
    delta: _Text = ""
    gamma: _Text = ""
    vega: _Text = ""
    theta: _Text = ""


class _RestTicker(Struct):
    """A day's statistics; bid and ask without sizes."""

    symbol: _Text
    bid: _Text = field(name="bidPrice")
    ask: _Text = field(name="askPrice")


class _RestHeld(Struct):
    symbol: _Text
    held: _Text = field(name="sumOpenInterest")
    timestamp: _Text = ""


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ROWS = msgspec.json.Decoder(list[Raw])
_MARK = msgspec.json.Decoder(_Mark)
_QUOTE = msgspec.json.Decoder(_Quote)
_HELD = msgspec.json.Decoder(_Held)
_REST_MARKS = msgspec.json.Decoder(list[_RestMark])
_REST_TICKERS = msgspec.json.Decoder(list[_RestTicker])
_REST_HELD = msgspec.json.Decoder(list[_RestHeld], strict=False)


def decode(frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame or REST body, in its order; `address` tells what a REST body answers.

    Raises:
        UndecodableFrame: anything that is not this dialect; nothing else is ever raised.
    """
    return guarded(_VENUE, frame, lambda: _decoded(frame, heard, address))


def _decoded(frame: bytes, heard: int, address: str) -> list[LiveEvent]:
    asked = _ANSWERS.get(urlsplit(address).path.rsplit("/", maxsplit=1)[-1])
    if asked is not None and frame.lstrip()[:1] == b"[":
        return asked(frame, heard)
    body = frame
    if frame.lstrip()[:1] == b"{":
        outer = _ENVELOPE.decode(frame)
        if not outer.stream and not outer.e:
            return _control(outer, heard)
        body = bytes(outer.data) if outer.stream else frame
    rows = _ROWS.decode(body) if body.lstrip()[:1] == b"[" else [body]
    return [event for row in rows for event in _message(bytes(row), heard)]


def _control(outer: _Envelope, heard: int) -> list[LiveEvent]:
    if outer.code is not None and outer.msg:
        return [control(_VENUE, heard, "error", f"{outer.code}: {outer.msg}")]
    if outer.id is not None:
        return [control(_VENUE, heard, "ack", str(outer.id))]
    raise undecodable(_VENUE, "neither an event, a known answer nor an acknowledgement")


def _message(body: bytes, heard: int) -> list[LiveEvent]:
    kind = _ENVELOPE.decode(body).e
    handler = _EVENTS.get(kind)
    if handler is None:
        raise unknown(_VENUE, "event type", kind)
    return handler(body, heard)


def _said(
    symbol: str, ts: int, heard: int, says: tuple[str, ...], **told: float | None
) -> OptionTick:
    name = read_name(symbol)
    return OptionTick(
        venue=_VENUE, symbol=symbol, ts=ts, usable_from=heard, heard=heard, base=name.base,
        expiry=name.expiry, strike=name.strike, call=name.call, price_unit="usd", says=says, **told,
    )  # fmt: skip


def _mark(body: bytes, heard: int) -> list[LiveEvent]:
    row = _MARK.decode(body)
    ts, mark = stamp_ns(row.E, "event time"), price(row.mp, "mark")
    if row.bo is None:  # the dialect before tells nothing else, and a later ticker not even that
        return [_said(row.s, ts, heard, MARK, mark=mark)] if row.mp else []
    bid, ask = price(row.bo, "bid"), price(row.ao, "ask")
    return [
        _said(
            row.s, ts, heard, _FULL, mark=mark, bid=bid, ask=ask,
            bid_size=None if bid is None else amount(row.bq, "bid size"),
            ask_size=None if ask is None else amount(row.aq, "ask size"),
            bid_iv=volatility(row.b), ask_iv=volatility(row.a), mark_iv=volatility(row.vo),
            index=price(row.i, "index"), delta=greek(row.d), gamma=greek(row.g), vega=greek(row.v),
            theta=greek(row.t),
        )
    ]  # fmt: skip


def _quote(body: bytes, heard: int) -> list[LiveEvent]:
    row = _QUOTE.decode(body)
    bid, ask = price(row.b, "bid"), price(row.a, "ask")
    return [
        _said(
            row.s, stamp_ns(row.E, "event time"), heard, QUOTE, bid=bid, ask=ask,
            bid_size=None if bid is None else amount(row.B, "bid size"),
            ask_size=None if ask is None else amount(row.A, "ask size"),
        )
    ]  # fmt: skip


def _held(body: bytes, heard: int) -> list[LiveEvent]:
    row = _HELD.decode(body)
    held = amount(row.o, "open interest")
    return [_said(row.s, stamp_ns(row.E, "event time"), heard, INTEREST, open_interest=held)]


def _nothing(body: bytes, heard: int) -> list[LiveEvent]:
    """Known, and no state of an option: its trades, its book, the index."""
    del body, heard
    return []


def _marks(body: bytes, heard: int) -> list[LiveEvent]:
    return [
        _said(
            row.symbol, heard, heard, (*MARK, *VOLATILITY, *GREEKS), mark=price(row.mark, "mark"),
            bid_iv=volatility(row.bid_iv), ask_iv=volatility(row.ask_iv), mark_iv=volatility(row.mark_iv),
            delta=greek(row.delta), gamma=greek(row.gamma), vega=greek(row.vega),
            theta=greek(row.theta),
        )
        for row in _REST_MARKS.decode(body)
    ]  # fmt: skip


def _tickers(body: bytes, heard: int) -> list[LiveEvent]:
    return [
        _said(row.symbol, heard, heard, ("bid", "ask"), bid=price(row.bid, "bid"), ask=price(row.ask, "ask"))
        for row in _REST_TICKERS.decode(body)
    ]  # fmt: skip


def _interests(body: bytes, heard: int) -> list[LiveEvent]:
    return [
        _said(
            row.symbol, stamp_ns(int(row.timestamp), "time") if row.timestamp.isdigit() else heard, heard,
            INTEREST, open_interest=amount(row.held, "open interest"),
        )
        for row in _REST_HELD.decode(body)
    ]  # fmt: skip


_Handler: TypeAlias = Callable[[bytes, int], list[LiveEvent]]
_EVENTS: dict[str, _Handler] = {
    "markPrice": _mark,
    "24hrTicker": _mark,
    "bookTicker": _quote,
    "openInterest": _held,
    "trade": _nothing,
    "depth": _nothing,
    "depthUpdate": _nothing,
    "index": _nothing,
}
_ANSWERS: dict[str, _Handler] = {"mark": _marks, "ticker": _tickers, "openInterest": _interests}

VENUES = (Venue(_VENUE, decode),)
