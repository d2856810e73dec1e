"""Kraken spot frames, v2 objects and v1 arrays, into events. Sizes are coin, symbols as each version writes them.

The two versions name some coins differently (XBT/USD, BTC/USD). Books carry a checksum over the ten best levels
a side as written, and are to be cut to the subscribed depth after every change: levels that fall out of it are
not taken away by the venue.
"""

import re
from typing import Literal, NamedTuple

from airpocket.domain.events import Bar, Ticker
from airpocket.domain.units import MINUTE_NS, Side
from airpocket.domain.wire import (
    BookChange,
    Control,
    Level,
    Listing,
    LiveEvent,
    Quote,
    Status,
    Trade,
    VenueState,
)
from airpocket.ingest.listed import Terms, listing, path_of, step_of
from airpocket.ingest.values import (
    BadValue,
    decimal_seconds_ns,
    nonnegative,
    positive,
    rfc3339_ns,
)
from airpocket.ingest.venue import Venue, guarded, undecodable, unknown
from airpocket.ingest.venues.kraken import spot_shapes as shapes

_VENUE = "kraken_spot"
_TAKER: dict[str, Side] = {"buy": "buy", "sell": "sell", "b": "buy", "s": "sell"}
_DOLLARS = {"USD", "USDT", "USDC", "DAI", "PYUSD", "USDG", "RLUSD", "USDS", "USD1", "USDE"}
_STATUS: dict[str, Status] = {
    "online": "live", "limit_only": "live", "reduce_only": "live", "post_only": "halted",
    "cancel_only": "halted", "maintenance": "halted", "work_in_progress": "halted",
    "delisted": "delisted",
}  # fmt: skip
_NAMES = {"XBT": "BTC", "XDG": "DOGE"}  # v1 and REST → v2
_SNAPSHOT = {"snapshot": True, "update": False}
Texts = tuple[tuple[str, str], ...]


class _Part(NamedTuple):
    """What every handler is given: the inner message, its type (v2) or name (v1), symbol, and when heard."""

    body: bytes
    kind: str
    symbol: str
    heard: int


def decode(frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame, in its order, or of an answer about a pair, which `address` tells.

    Raises:
        UndecodableFrame: anything that is not this dialect; nothing else is ever raised.
    """
    if path_of(address) == "AssetPairs":
        return guarded(_VENUE, frame, lambda: _pairs(frame, heard))
    return guarded(_VENUE, frame, lambda: _decoded(frame, heard))


def _decoded(frame: bytes, heard: int) -> list[LiveEvent]:
    if frame.lstrip()[:1] == b"[":
        return _old(frame, heard)
    outer = shapes.ENVELOPE.decode(frame)
    if outer.channel == "heartbeat":
        return [_control("notice", "heartbeat", heard)]
    if outer.channel and outer.success is None:
        handler = _BY_CHANNEL.get(outer.channel)
        if handler is None:
            raise unknown(_VENUE, "channel", outer.channel)
        return handler(_Part(bytes(outer.data), outer.type, "", heard))
    return [_answer(outer, heard)]


def _answer(outer: shapes.Envelope, heard: int) -> Control:
    error = " ".join(outer.error) if isinstance(outer.error, list) else outer.error
    about = f"{outer.method or outer.event} {outer.pair}".strip()
    if error or outer.success is False or outer.event == "error" or outer.status == "error":
        return _control("error", f"{about}: {error or outer.message or 'refused'}", heard)
    if outer.method or outer.event in {"subscriptionStatus", "pong"}:
        return _control("ack", about, heard)
    if outer.event in {"systemStatus", "heartbeat"}:
        return _control("notice", f"{outer.event} {outer.status or ''}".strip(), heard)
    raise undecodable(_VENUE, "neither a channel, a known answer nor a known event")


def _control(what: Literal["ack", "error", "notice"], text: str, heard: int) -> Control:
    return Control(venue=_VENUE, symbol="", ts=heard, usable_from=heard, heard=heard, what=what,
                   text=text[:200])  # fmt: skip


def _moment(text: str, heard: int) -> int:
    """`heard` where there is no time, or the years 1 and 1970 stand for none."""
    if not text or text.startswith(("0001-", "1970-")):
        return heard
    return rfc3339_ns(text, "time")


def _seconds(text: str, heard: int) -> int:
    """`heard` where the seconds are zero, as in the spread of a pair nobody quotes."""
    return heard if re.fullmatch(r"0+(\.0*)?", text) else decimal_seconds_ns(text, "time")


def _dollars(symbol: str, value: float) -> float | None:
    return value if symbol.rpartition("/")[2] in _DOLLARS else None


def _trade(
    symbol: str, ts: int, heard: int, said: tuple[str | float, str | float, str, int | str]
) -> Trade:
    """`said`: price, size, the taker's side, id."""
    price, size = positive(said[0], "price"), positive(said[1], "size")
    if said[2] not in _TAKER:
        raise BadValue(f"side {said[2][:20]!r}")
    return Trade(
        venue=_VENUE, symbol=symbol, ts=ts, usable_from=heard, heard=heard, price=price, size=size,
        notional_usd=_dollars(symbol, price * size), taker_side=_TAKER[said[2]], trade_id=said[3],
    )  # fmt: skip


def _quote(symbol: str, ts: int, heard: int, said: tuple[str | float, ...]) -> Quote:
    """`said`: bid, its size, ask, its size; an empty side is written as price 0."""
    bid, bid_size, ask, ask_size = (nonnegative(value, "quote") for value in said)
    return Quote(
        venue=_VENUE, symbol=symbol, ts=ts, usable_from=heard, heard=heard, bid=bid or None,
        bid_size=bid_size if bid else None, ask=ask or None, ask_size=ask_size if ask else None,
    )  # fmt: skip


def _levels(texts: Texts) -> tuple[Level, ...]:
    return tuple(
        (positive(at, "level price"), nonnegative(held, "level size")) for at, held in texts
    )


# v2 ------------------------------------------------------------------------------------------------------


def _written(levels: list[shapes.Level]) -> Texts:
    return tuple((bytes(each.price).decode(), bytes(each.qty).decode()) for each in levels)


def _books(part: _Part) -> list[LiveEvent]:
    if part.kind not in _SNAPSHOT:
        raise BadValue(f"book type {part.kind[:20]!r}")
    found: list[LiveEvent] = []
    for book in shapes.BOOKS.decode(part.body):
        bids, asks = _written(book.bids), _written(book.asks)
        found.append(
            BookChange(
                venue=_VENUE, symbol=book.symbol, ts=_moment(book.timestamp, part.heard),
                usable_from=part.heard, heard=part.heard, snapshot=_SNAPSHOT[part.kind], first=None,
                last=None, previous=None, bids=_levels(bids), asks=_levels(asks),
                checksum=book.checksum, bid_texts=bids, ask_texts=asks,
            )
        )  # fmt: skip
    return found


def _trades(part: _Part) -> list[LiveEvent]:
    """A snapshot holds the last trades before subscribing: their ids repeat."""
    return [
        _trade(each.symbol, _moment(each.timestamp, part.heard), part.heard,
               (each.price, each.qty, each.side, each.trade_id))
        for each in shapes.TRADES.decode(part.body)
    ]  # fmt: skip


def _ticks(part: _Part) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.TICKS.decode(part.body):
        ts = _moment(each.timestamp, part.heard)
        found.append(
            _quote(each.symbol, ts, part.heard, (each.bid, each.bid_qty, each.ask, each.ask_qty))
        )
        if each.last:
            found.append(_ticker(each.symbol, ts, part.heard, each.last))
    return found


def _ticker(symbol: str, ts: int, heard: int, last: str | float) -> Ticker:
    return Ticker(venue=_VENUE, symbol=symbol, ts=ts, usable_from=heard, heard=heard,
                  last=positive(last, "last price"))  # fmt: skip


def _candles(part: _Part) -> list[LiveEvent]:
    """Bars whose interval is over; nothing else in the message says that one is closed."""
    found: list[LiveEvent] = []
    for each in shapes.CANDLES.decode(part.body):
        prices = (each.open, each.high, each.low, each.close)
        opened = rfc3339_ns(each.interval_begin, "bar time")
        found += _bar(part, each.symbol, (opened, each.interval), (*prices, each.volume))
    return found


def _bar(
    part: _Part, symbol: str, span: tuple[int, int], said: tuple[str | float, ...]
) -> list[LiveEvent]:
    """`span`: open (ns) and minutes; `said`: open, high, low, close, volume."""
    prices = [positive(value, "bar price") for value in said[:4]]
    volume, interval_ns = nonnegative(said[4], "volume"), span[1] * MINUTE_NS
    if part.heard < span[0] + interval_ns:
        return []
    return [
        Bar(venue=_VENUE, symbol=symbol, ts=span[0], usable_from=part.heard, heard=part.heard,
            interval_ns=interval_ns, open=prices[0], high=prices[1], low=prices[2],
            close=prices[3], volume=volume)
    ]  # fmt: skip


def _listings(part: _Part) -> list[LiveEvent]:
    return [
        Listing(
            venue=_VENUE, symbol=each.symbol, ts=part.heard, usable_from=part.heard,
            heard=part.heard, base=each.base, kind="spot", contract_size=1.0, size_unit="coin",
            tick_size=None if each.price_increment is None else positive(each.price_increment, "tick"),
            status=_STATUS.get(each.status, "unknown"),
        )
        for each in shapes.REFERENCE.decode(part.body).pairs
    ]  # fmt: skip


def _pairs(body: bytes, heard: int) -> list[LiveEvent]:
    """Pairs as REST lists them, under the names of the second version; dark pools have none."""
    found: list[LiveEvent] = []
    for each in shapes.PAIRS.decode(body).result.values():
        base, _, quote = each.name.partition("/")
        if not quote:
            continue
        terms = Terms(
            tick_size=positive(each.tick, "tick size") if each.tick else None,
            lot_size=None if each.lot is None else step_of(each.lot),
        )
        base = _NAMES.get(base, base)
        status = _STATUS.get(each.status, "unknown")
        found.append(listing(_VENUE, f"{base}/{quote}", heard, base, "spot", status, terms))
    return found


def _status(part: _Part) -> list[LiveEvent]:
    """Of the whole market; a pair's own status stands in its listing."""
    return [
        VenueState(venue=_VENUE, symbol="", ts=part.heard, usable_from=part.heard, heard=part.heard,
                   trading=each.system != "maintenance", text=f"status {each.system}"[:200])
        for each in shapes.STATES.decode(part.body)
    ]  # fmt: skip


# v1 ------------------------------------------------------------------------------------------------------


def _old(frame: bytes, heard: int) -> list[LiveEvent]:
    """[channel id, message, name, pair]; where both sides of a book change, there are two messages."""
    parts = shapes.PARTS.decode(frame)
    if not 4 <= len(parts) <= 5:
        raise undecodable(_VENUE, f"an array of {len(parts)} parts")
    name, symbol = (shapes.NAME.decode(part) for part in parts[-2:])
    base, _, detail = name.partition("-")
    if base == "book":
        return _old_book([bytes(part) for part in parts[1:-2]], symbol, heard)
    handler = _BY_NAME.get(base)
    if handler is None or len(parts) != 4:
        raise unknown(_VENUE, "channel", name)
    return handler(_Part(bytes(parts[1]), detail, symbol, heard))


def _old_book(bodies: list[bytes], symbol: str, heard: int) -> list[LiveEvent]:
    told = [shapes.OLD_BOOK.decode(body) for body in bodies]
    wholes = [each for each in told if each.whole_asks is not None or each.whole_bids is not None]
    if wholes and len(told) > 1:
        raise BadValue("a whole book beside a change of it")
    asks = [row for each in told for row in each.whole_asks or each.asks]
    bids = [row for each in told for row in each.whole_bids or each.bids]
    if any(len(row) not in {3, 4} for row in (*asks, *bids)):
        raise BadValue("a level that is not price, size, time")
    times = [_seconds(row[2], heard) for row in (*asks, *bids)]
    sums = [each.checksum for each in told if each.checksum]
    bid_texts, ask_texts = (tuple((row[0], row[1]) for row in side) for side in (bids, asks))
    return [
        BookChange(
            venue=_VENUE, symbol=symbol, ts=max(times, default=heard), usable_from=heard,
            heard=heard, snapshot=bool(wholes), first=None, last=None, previous=None,
            bids=_levels(bid_texts), asks=_levels(ask_texts),
            checksum=_checksum(sums[-1]) if sums else None, bid_texts=bid_texts, ask_texts=ask_texts,
        )
    ]  # fmt: skip


def _checksum(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) >= 2**32:
        raise BadValue(f"checksum {text[:20]!r}")
    return int(text)


def _old_trades(part: _Part) -> list[LiveEvent]:
    """v1 numbers no trade: one is told by its time, price, size and side, and its place among equals."""
    found: list[LiveEvent] = []
    seen: dict[str, int] = {}
    for price, size, at, side, _, _ in shapes.OLD_TRADES.decode(part.body):
        named = f"{at} {price} {size} {side}"
        seen[named] = count = seen.get(named, 0) + 1
        trade_id = named if count == 1 else f"{named} {count}"
        ts = _seconds(at, part.heard)
        found.append(_trade(part.symbol, ts, part.heard, (price, size, side, trade_id)))
    return found


def _old_ticks(part: _Part) -> list[LiveEvent]:
    """v1 gives its ticker no time: then it is when it was heard."""
    tick = shapes.OLD_TICK.decode(part.body)
    quoted = (tick.b[0], tick.b[2], tick.a[0], tick.a[2])
    return [
        _quote(part.symbol, part.heard, part.heard, quoted),
        _ticker(part.symbol, part.heard, part.heard, tick.c[0]),
    ]


def _old_spread(part: _Part) -> list[LiveEvent]:
    bid, ask, at, bid_size, ask_size = shapes.OLD_SPREAD.decode(part.body)
    ts = _seconds(at, part.heard)
    return [_quote(part.symbol, ts, part.heard, (bid, bid_size, ask, ask_size))]


def _old_candles(part: _Part) -> list[LiveEvent]:
    """The name holds the minutes; the second place is the end of the interval."""
    if not re.fullmatch(r"[1-9][0-9]{0,4}", part.kind):
        raise BadValue(f"bar interval {part.kind[:20]!r}")
    said, minutes = shapes.OLD_CANDLE.decode(part.body), int(part.kind)
    opened = decimal_seconds_ns(said[1], "bar end") - minutes * MINUTE_NS
    return _bar(part, part.symbol, (opened, minutes), (*said[2:6], said[7]))


_BY_CHANNEL = {
    "book": _books,
    "trade": _trades,
    "ticker": _ticks,
    "ohlc": _candles,
    "instrument": _listings,
    "status": _status,
}
_BY_NAME = {
    "trade": _old_trades,
    "ticker": _old_ticks,
    "spread": _old_spread,
    "ohlc": _old_candles,
}

VENUES = (Venue(_VENUE, decode),)
