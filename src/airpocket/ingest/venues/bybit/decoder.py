"""Bybit v5 frames into events. Linear sizes are coin, inverse ones are dollars."""

from functools import partial
from typing import NamedTuple

from airpocket.domain.events import Bar, OpenInterest, Ticker
from airpocket.domain.units import MINUTE_NS, Side
from airpocket.domain.wire import (
    BookChange,
    Control,
    FundingEstimate,
    Level,
    Liquidation,
    LiveEvent,
    Quote,
    Trade,
)
from airpocket.ingest.levels import Levels, in_coin
from airpocket.ingest.values import BadValue, nonnegative, number, positive, stamp_ns
from airpocket.ingest.venue import Venue, guarded, labelled, undecodable, unknown
from airpocket.ingest.venues.bybit import listings
from airpocket.ingest.venues.bybit.shapes import (
    BOOK,
    CANDLES,
    ENVELOPE,
    FORCED,
    OLD_FORCED,
    TICK,
    TRADES,
    Envelope,
)

_TAKER: dict[str, Side] = {"Buy": "buy", "Sell": "sell"}
# The side of a liquidation is the position's: a long ("Buy") is closed by selling.
_FORCED_SIDE: dict[str, Side] = {"Buy": "sell", "Sell": "buy"}
_DOLLARS = ("USDT", "USDC", "PERP", "USD", "USDE")
_MINUTES = {
    **{str(minutes): minutes for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": 1_440,
    "W": 10_080,
}


class _Frame(NamedTuple):
    """What every handler is given: venue, the outer message, and when it was heard (ns)."""

    venue: str
    outer: Envelope
    heard: int

    @property
    def ts(self) -> int:
        return stamp_ns(self.outer.ts, "frame time")

    def coin(self, size: float, price: float) -> float:
        return size / price if self.venue == "bybit_inverse" else size

    def dollars(self, symbol: str, size: float, price: float) -> float | None:
        if self.venue == "bybit_inverse":
            return size
        return size * price if symbol.split("-", maxsplit=1)[0].endswith(_DOLLARS) else None


def decode(venue: str, frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame, in its order; `address` tells a list of contracts from a frame.

    Raises:
        UndecodableFrame: anything that is not this dialect; nothing else is ever raised.
    """
    if address and listings.answers(address):
        return guarded(venue, frame, lambda: listings.decoded(venue, frame, heard, address))
    return guarded(venue, frame, lambda: _decoded(venue, frame, heard))


def _decoded(venue: str, frame: bytes, heard: int) -> list[LiveEvent]:
    outer = ENVELOPE.decode(frame)
    if not outer.topic:
        return [_control(venue, outer, heard)]
    handler = _BY_TOPIC.get(outer.topic.split(".", maxsplit=1)[0])
    if handler is None:
        raise unknown(venue, "topic", outer.topic)
    label = outer.topic.rsplit(".", maxsplit=1)[-1]
    events = handler(_Frame(venue, outer, heard))
    # trades of options come under their coin
    coin = bool(events) and events[0].symbol.startswith(f"{label}-")
    return events if coin else labelled(venue, label, events)


def _control(venue: str, outer: Envelope, heard: int) -> Control:
    if not outer.op:
        raise undecodable(venue, "neither a topic nor an answer")
    failed = outer.success is False or bool(outer.ret_code)
    text = f"{outer.op}: {outer.ret_msg or 'ok'}"
    return Control(venue=venue, symbol="", ts=heard, usable_from=heard, heard=heard,
                   what="error" if failed else "ack", text=text[:200])  # fmt: skip


def _side(sides: dict[str, Side], text: str) -> Side:
    if text not in sides:
        raise BadValue(f"side {text[:20]!r}")
    return sides[text]


def _trades(frame: _Frame) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in TRADES.decode(frame.outer.data):
        price, size = positive(each.p, "price"), positive(each.v, "size")
        found.append(
            Trade(
                venue=frame.venue, symbol=each.s, ts=stamp_ns(each.T, "trade time"),
                usable_from=frame.heard, heard=frame.heard, price=price,
                size=frame.coin(size, price), notional_usd=frame.dollars(each.s, size, price),
                taker_side=_side(_TAKER, each.S), trade_id=each.i,
            )
        )  # fmt: skip
    return found


def _levels(frame: _Frame, rows: Levels) -> tuple[Level, ...]:
    return in_coin(rows, 1.0) if frame.venue == "bybit_inverse" else rows


def _book(frame: _Frame) -> list[LiveEvent]:
    """`u` 1 is a restart of the service: a snapshot, whatever the type says."""
    message, outer = BOOK.decode(frame.outer.data), frame.outer
    if outer.type not in {"snapshot", "delta"}:
        raise BadValue(f"book type {outer.type[:20]!r}")
    return [
        BookChange(
            venue=frame.venue, symbol=message.s,
            ts=stamp_ns(outer.cts or outer.ts, "book time"), usable_from=frame.heard,
            heard=frame.heard, snapshot=outer.type == "snapshot" or message.u == 1,
            first=message.u, last=message.u, previous=None, bids=_levels(frame, message.b),
            asks=_levels(frame, message.a),
        )
    ]  # fmt: skip


def _forced(frame: _Frame) -> list[LiveEvent]:
    return [
        _liquidation(frame, each.s, each.S, (each.p, each.v), each.T, "all")
        for each in FORCED.decode(frame.outer.data)
    ]


def _old_forced(frame: _Frame) -> list[LiveEvent]:
    each = OLD_FORCED.decode(frame.outer.data)
    return [
        _liquidation(frame, each.symbol, each.side, (each.price, each.size), each.time, "sample")
    ]


def _liquidation(
    frame: _Frame, symbol: str, side: str, amounts: tuple[str, str], at: int, coverage: str
) -> Liquidation:
    price, size = positive(amounts[0], "price"), positive(amounts[1], "size")
    return Liquidation(
        venue=frame.venue, symbol=symbol, ts=stamp_ns(at, "liquidation time"),
        usable_from=frame.heard, heard=frame.heard, forced_side=_side(_FORCED_SIDE, side),
        price=price, price_kind="bankruptcy", size=frame.coin(size, price),
        notional_usd=frame.dollars(symbol, size, price),
        coverage="all" if coverage == "all" else "sample",
    )  # fmt: skip


def _ticker(frame: _Frame) -> list[LiveEvent]:
    """Only what the message says: an omitted field gives no event, never an old value or zero."""
    tick = TICK.decode(frame.outer.data)
    found: list[LiveEvent] = []
    prices = [
        positive(text, name) if text else None
        for text, name in ((tick.last, "last"), (tick.mark, "mark"), (tick.index, "index"))
    ]
    if any(price is not None for price in prices):
        found.append(
            Ticker(venue=frame.venue, symbol=tick.symbol, ts=frame.ts, usable_from=frame.heard,
                   heard=frame.heard, last=prices[0], mark=prices[1], index=prices[2])
        )  # fmt: skip
    if tick.open_interest:
        found.append(
            OpenInterest(
                venue=frame.venue, symbol=tick.symbol, ts=frame.ts, usable_from=frame.heard,
                heard=frame.heard, amount=nonnegative(tick.open_interest, "open interest"),
                unit="usd" if frame.venue == "bybit_inverse" else "coin",
            )
        )  # fmt: skip
    if tick.rate:
        found.append(
            _funding(frame, tick.symbol, tick.rate, tick.next_settlement, tick.interval_hours)
        )
    if tick.bid and tick.bid_size and tick.ask and tick.ask_size:
        bid, ask = positive(tick.bid, "bid"), positive(tick.ask, "ask")
        found.append(
            Quote(
                venue=frame.venue, symbol=tick.symbol, ts=frame.ts, usable_from=frame.heard,
                heard=frame.heard, bid=bid, ask=ask,
                bid_size=frame.coin(nonnegative(tick.bid_size, "bid size"), bid),
                ask_size=frame.coin(nonnegative(tick.ask_size, "ask size"), ask),
            )
        )  # fmt: skip
    return found


def _funding(frame: _Frame, symbol: str, rate: str, settles: str, hours: str) -> FundingEstimate:
    when = number(settles, "next funding") if settles else 0.0
    return FundingEstimate(
        venue=frame.venue, symbol=symbol, ts=frame.ts, usable_from=frame.heard, heard=frame.heard,
        rate=number(rate, "funding rate"),
        next_settlement=stamp_ns(int(when), "next funding") if when else None,
        interval_s=round(3_600 * positive(hours, "funding interval")) if hours else None,
    )  # fmt: skip


def _candles(frame: _Frame) -> list[LiveEvent]:
    """Closed bars; the topic names the symbol, the message does not."""
    symbol = frame.outer.topic.rsplit(".", maxsplit=1)[-1]
    found: list[LiveEvent] = []
    for bar in CANDLES.decode(frame.outer.data):
        if not bar.confirm:
            continue
        minutes = _MINUTES.get(bar.interval)
        if minutes is None:
            raise BadValue(f"bar interval {bar.interval[:10]!r}")
        inverse = frame.venue == "bybit_inverse"  # there turnover is coin and volume dollars
        found.append(
            Bar(
                venue=frame.venue, symbol=symbol, ts=stamp_ns(bar.start, "bar time"),
                usable_from=frame.heard, heard=frame.heard, interval_ns=minutes * MINUTE_NS,
                open=positive(bar.open, "open"), high=positive(bar.high, "high"),
                low=positive(bar.low, "low"), close=positive(bar.close, "close"),
                volume=nonnegative(bar.turnover if inverse else bar.volume, "volume"),
            )
        )  # fmt: skip
    return found


_BY_TOPIC = {
    "publicTrade": _trades,
    "orderbook": _book,
    "allLiquidation": _forced,
    "liquidation": _old_forced,
    "tickers": _ticker,
    "kline": _candles,
}

VENUES = tuple(
    Venue(name, partial(decode, name)) for name in ("bybit_linear", "bybit_inverse", "bybit_spot")
)
