"""Bybit's options by websocket, or a coin's whole chain as one REST answer; prices in dollars, sizes in coin."""

from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct, field

from airpocket.domain.wire import LiveEvent, OptionTick
from airpocket.ingest.options import amount, greek, price, read_name, volatility
from airpocket.ingest.said import control
from airpocket.ingest.values import stamp_ns
from airpocket.ingest.venue import Venue, guarded, undecodable, unknown

_VENUE = "bybit_options"
_Text = Annotated[str, Meta(max_length=64)]


class _Envelope(Struct):
    """A topic's message, a REST answer, or something about the connection; control frames differ by market."""

    topic: str = ""
    ts: int = 0
    time: int = 0
    data: Raw = field(default_factory=Raw)
    result: Raw = field(default_factory=Raw)
    op: _Text = ""
    type: _Text = ""
    success: bool | None = None
    ret_msg: str = ""
    code: int | None = field(name="retCode", default=None)
    told: str = field(name="retMsg", default="")


class _Common(Struct):
    symbol: _Text
    mark: _Text = field(name="markPrice", default="")
    index: _Text = field(name="indexPrice", default="")
    forward: _Text = field(name="underlyingPrice", default="")
    open_interest: _Text = field(name="openInterest", default="")
    delta: _Text = ""
    gamma: _Text = ""
    vega: _Text = ""
    theta: _Text = ""


class _Ticker(_Common):
    """By websocket."""

    bid: _Text = field(name="bidPrice", default="")
    bid_size: _Text = field(name="bidSize", default="")
    bid_iv: _Text = field(name="bidIv", default="")
    ask: _Text = field(name="askPrice", default="")
    ask_size: _Text = field(name="askSize", default="")
    ask_iv: _Text = field(name="askIv", default="")
    mark_iv: _Text = field(name="markPriceIv", default="")


class _Row(_Common):
    """The same over REST, under other names."""

    bid: _Text = field(name="bid1Price", default="")
    bid_size: _Text = field(name="bid1Size", default="")
    bid_iv: _Text = field(name="bid1Iv", default="")
    ask: _Text = field(name="ask1Price", default="")
    ask_size: _Text = field(name="ask1Size", default="")
    ask_iv: _Text = field(name="ask1Iv", default="")
    mark_iv: _Text = field(name="markIv", default="")


class _Chain(Struct):
    category: _Text
    rows: list[_Row] = field(name="list")


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_TICKER = msgspec.json.Decoder(_Ticker)
_CHAIN = msgspec.json.Decoder(_Chain)


def decode(frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame or REST body, in its order; `address` is not needed here.

    Raises:
        UndecodableFrame: anything that is not this dialect; nothing else is ever raised.
    """
    del address
    return guarded(_VENUE, frame, lambda: _decoded(frame, heard))


def _decoded(frame: bytes, heard: int) -> list[LiveEvent]:
    outer = _ENVELOPE.decode(frame)
    if outer.topic.startswith("tickers."):
        return [_tick(_TICKER.decode(outer.data), stamp_ns(outer.ts, "frame time"), heard)]
    if outer.topic:
        raise unknown(_VENUE, "topic", outer.topic)
    if outer.code is not None:
        return _answer(outer, outer.code, heard)
    if not (outer.op or outer.type):
        raise undecodable(_VENUE, "neither a topic nor an answer")
    text = f"{outer.op or outer.type}: {outer.ret_msg or 'ok'}"
    return [control(_VENUE, heard, "error" if outer.success is False else "ack", text)]


def _answer(outer: _Envelope, code: int, heard: int) -> list[LiveEvent]:
    if code != 0:
        return [control(_VENUE, heard, "error", f"{code}: {outer.told}")]
    chain = _CHAIN.decode(outer.result)
    if chain.category != "option":
        raise undecodable(_VENUE, f"an answer about {chain.category[:20]!r}")
    ts = stamp_ns(outer.time, "time") if outer.time else heard
    return [_tick(row, ts, heard) for row in chain.rows]


def _tick(row: "_Ticker | _Row", ts: int, heard: int) -> OptionTick:
    """Volatilities are fractions, delta Black–Scholes, vega dollars a point, theta dollars a day."""
    name = read_name(row.symbol)
    bid, ask = price(row.bid, "bid"), price(row.ask, "ask")
    return OptionTick(
        venue=_VENUE, symbol=row.symbol, ts=ts, usable_from=heard, heard=heard, base=name.base,
        expiry=name.expiry, strike=name.strike, call=name.call, price_unit="usd",
        bid=bid, bid_size=None if bid is None else amount(row.bid_size, "bid size"),
        ask=ask, ask_size=None if ask is None else amount(row.ask_size, "ask size"),
        mark=price(row.mark, "mark"), bid_iv=None if bid is None else volatility(row.bid_iv),
        ask_iv=None if ask is None else volatility(row.ask_iv), mark_iv=volatility(row.mark_iv),
        forward=price(row.forward, "underlying price"), index=price(row.index, "index price"),
        delta=greek(row.delta), gamma=greek(row.gamma), vega=greek(row.vega), theta=greek(row.theta),
        open_interest=amount(row.open_interest, "open interest"),
    )  # fmt: skip


VENUES = (Venue(_VENUE, decode),)
