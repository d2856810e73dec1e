"""OKX v5 frames and REST bodies into events. Sizes of derivatives are contracts of a stated worth."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, urlsplit

from airpocket.domain.units import SECOND_NS, Side
from airpocket.domain.wire import Level, LiveEvent, VenueState
from airpocket.ingest.listed import path_of, rolled
from airpocket.ingest.said import control
from airpocket.ingest.values import BadValue, nonnegative, number, positive
from airpocket.ingest.venue import Decode, Venue, guarded, labelled, undecodable, unknown
from airpocket.ingest.venues.okx import options, shapes
from airpocket.ingest.venues.okx.books import WHOLE, books, quotes
from airpocket.ingest.venues.okx.listings import contracts
from airpocket.ingest.venues.okx.names import BUNDLED, VENUE, Worth, Worths, said, time_ns

_SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}
_FORCED_SIDE: dict[str, Side] = {"long": "sell", "short": "buy"}
_BAR_MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "2H": 120, "4H": 240}
_ACKS = ("subscribe", "unsubscribe", "login")


def decode(frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame or REST body; `address` tells what a REST body answers.

    Contracts whose size is neither bundled nor handed to `decoder_with` have none.

    Raises:
        UndecodableFrame: anything that is not this dialect; nothing else is ever raised.
    """
    return guarded(VENUE, frame, lambda: _decoded(frame, heard, address, BUNDLED))


def decoder_with(sizes: Mapping[str, float]) -> Decode:
    """The decoder that knows these contract sizes by symbol: coin, or dollars of inverse contracts."""
    worths = Worths(sizes)

    def decode_sized(frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
        return guarded(VENUE, frame, lambda: _decoded(frame, heard, address, worths))

    return decode_sized


def _decoded(frame: bytes, heard: int, address: str, worths: Worths) -> list[LiveEvent]:
    if frame == b"pong":
        return [control(VENUE, heard, "ack", "pong")]
    outer = shapes.ENVELOPE.decode(frame)
    if outer.event:
        return [_about(outer, heard)]
    if outer.arg is not None:
        return _channel(outer, outer.arg, heard, worths)
    if outer.code and outer.code != "0":
        return [control(VENUE, heard, "error", f"{outer.code}: {outer.msg}")]
    if outer.code == "0":
        return _answer(outer, heard, address, worths)
    raise undecodable(
        VENUE, f"the dialect before v5: {outer.table}" if outer.table else "no v5 message"
    )


def _about(outer: shapes.Envelope, heard: int) -> LiveEvent:
    """An acknowledgement repeats what was granted, which may be less than what was asked."""
    if outer.event in _ACKS:
        arg = outer.arg or shapes.Arg()
        topic = " ".join(
            word for word in (arg.channel, arg.inst_id, arg.inst_type, arg.family) if word
        )
        granted = (topic,) if outer.event == "subscribe" else ()
        return control(VENUE, heard, "ack", f"{outer.event} {topic}".strip(), granted)
    failed = outer.event.endswith("error")
    text = f"{outer.code or outer.event}: {outer.msg}"
    return control(VENUE, heard, "error" if failed else "notice", text)


def _channel(
    outer: shapes.Envelope, arg: shapes.Arg, heard: int, worths: Worths
) -> list[LiveEvent]:
    events = _told(outer, arg, heard, worths)
    one = arg.inst_id and arg.channel != "index-tickers"  # an index stands for its perpetual
    return labelled(VENUE, arg.inst_id, events) if one else events


def _told(outer: shapes.Envelope, arg: shapes.Arg, heard: int, worths: Worths) -> list[LiveEvent]:
    if arg.channel.startswith("candle"):
        return _candles(arg, bytes(outer.data), heard)
    if arg.channel == "bbo-tbt":
        return quotes(bytes(outer.data), arg.inst_id, heard, worths)
    if arg.channel in WHOLE:
        whole = WHOLE[arg.channel]
        if not whole and outer.action not in ("snapshot", "update"):
            raise BadValue(f"book action {outer.action[:20]!r}")
        whole = whole or outer.action == "snapshot"
        return books(bytes(outer.data), arg.inst_id, heard, worths, snapshot=whole)
    handler = _BY_CHANNEL.get(arg.channel)
    if handler is None:
        raise unknown(VENUE, "channel", arg.channel)
    return handler(bytes(outer.data), heard, worths)


def _answer(outer: shapes.Envelope, heard: int, address: str, worths: Worths) -> list[LiveEvent]:
    path = path_of(address)
    if path in ("books", "books-full"):
        symbol = parse_qs(urlsplit(address).query).get("instId", [""])[0]
        return books(bytes(outer.data), symbol, heard, worths, snapshot=True)
    handler = _BY_PATH.get(path)
    if handler is None:
        raise undecodable(VENUE, f"an answer to an unknown question {path[:60]!r}")
    found = handler(bytes(outer.data), heard, worths)
    return rolled(VENUE, address, found, heard) if path == "instruments" else found


def _side(text: str) -> Side:
    if text not in _SIDES:
        raise BadValue(f"side {text[:20]!r}")
    return _SIDES[text]


def _trades(data: bytes, heard: int, worths: Worths) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.TRADES.decode(data):
        price = positive(each.px, "price")
        size, usd = worths.of(each.inst_id).sized(positive(each.sz, "size"), price)
        found.append(
            said(each.inst_id, each.ts, heard).trade(
                price, size, usd, _side(each.side), each.trade_id,
                aggregate=each.count not in ("", "1"),
            )
        )  # fmt: skip
    return found


def _ticks(data: bytes, heard: int, worths: Worths) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.TICKS.decode(data):
        symbol = each.inst_id
        if options.is_option(symbol):
            found.append(options.tick(each, heard, worths))
            continue
        if each.index and symbol.count("-") == 1:  # an index price concerns the perpetual
            symbol = f"{symbol}-SWAP"
        who = said(symbol, each.ts, heard)
        last, mark, index = (
            _price(each.last, "last"), _price(each.mark, "mark"), _price(each.index, "index"),
        )  # fmt: skip
        if last is not None or mark is not None or index is not None:
            found.append(who.ticker(last=last, mark=mark, index=index))
        bid, ask = (
            _best(worths.of(symbol), each.bid, each.bid_size), _best(worths.of(symbol), each.ask, each.ask_size),
        )  # fmt: skip
        if bid is not None or ask is not None:
            found.append(who.quote(bid, ask))
    return found


def _price(text: str, name: str) -> float | None:
    return positive(text, name) if text not in ("", "0") else None


def _best(worth: Worth, price: str, size: str) -> Level | None:
    at = _price(price, "quote price")
    if at is None:
        return None
    held = nonnegative(size or "0", "quote size")
    coin, _ = worth.sized(held, at)
    return None if coin is None else (at, coin)


def _interests(data: bytes, heard: int, worths: Worths) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.INTERESTS.decode(data):
        if options.is_option(each.inst_id):
            found.append(options.interest(each, heard, worths))
            continue
        who = said(each.inst_id, each.ts, heard)
        if each.coin:
            found.append(who.interest(nonnegative(each.coin, "open interest"), "coin"))
        else:
            found.append(who.interest(nonnegative(each.contracts, "open interest"), "contracts"))
    return found


def _fundings(data: bytes, heard: int, worths: Worths) -> list[LiveEvent]:
    """The rate of the period that ends at `fundingTime`; its length is told by the settlement after it."""
    del worths
    found: list[LiveEvent] = []
    for each in shapes.FUNDINGS.decode(data):
        if not each.rate:
            continue
        at = time_ns(each.at, "funding time") if each.at else None
        after = time_ns(each.after, "next funding time") if each.after not in ("", "0") else None
        interval_s = None
        if at is not None and after is not None:
            if after <= at:
                raise BadValue(f"funding times run backwards: {at} to {after}")
            interval_s = round((after - at) / SECOND_NS)
        who = said(each.inst_id, each.ts, heard)
        cap = number(each.cap, "funding cap") if each.cap else None
        floor = number(each.floor, "funding floor") if each.floor else None
        rate = number(each.rate, "funding rate")
        found.append(who.funding(rate, at, interval_s, bounds=(cap, floor)))
    return found


def _forced(data: bytes, heard: int, worths: Worths) -> list[LiveEvent]:
    """At most one order a second and contract. A net position's order side says what was closed."""
    found: list[LiveEvent] = []
    for contract in shapes.FORCED.decode(data):
        for each in contract.details:
            if each.position not in (*_FORCED_SIDE, "net"):
                raise BadValue(f"position side {each.position[:20]!r}")
            order = _side(each.side)
            forced = _FORCED_SIDE.get(each.position, order)
            if forced != order:
                raise BadValue(f"a {each.position} position closed by a {each.side}")
            price = positive(each.px, "bankruptcy price")
            size, usd = worths.of(contract.inst_id).sized(positive(each.sz, "size"), price)
            who = said(contract.inst_id, each.ts, heard)
            found.append(who.liquidation(forced, price, "bankruptcy", size, usd, "sample"))
    return found


def _statuses(data: bytes, heard: int, worths: Worths) -> list[LiveEvent]:
    """Maintenance of the whole venue: only while it is on is the venue shut."""
    del worths
    return [
        VenueState(
            venue=VENUE, symbol="", ts=heard, usable_from=heard, heard=heard,
            trading=each.state != "ongoing", text=f"maintenance {each.state}: {each.title}"[:200],
        )
        for each in shapes.STATUSES.decode(data)
    ]  # fmt: skip


def _candles(arg: shapes.Arg, data: bytes, heard: int) -> list[LiveEvent]:
    """Closed bars: the last field is 1; older frames lack it and prove nothing."""
    minutes = _BAR_MINUTES.get(arg.channel.removeprefix("candle"))
    if minutes is None:
        raise BadValue(f"bar interval {arg.channel[:20]!r}")
    found: list[LiveEvent] = []
    for row in shapes.CANDLES.decode(data):
        if len(row) < 7:
            raise BadValue("a bar of too few fields")
        if len(row) < 9 or row[8] != "1":
            continue
        prices = (
            positive(row[1], "open"), positive(row[2], "high"), positive(row[3], "low"),
            positive(row[4], "close"),
        )  # fmt: skip
        # vol counts contracts (or coin of spot), volCcy coin of derivatives (or quote of spot)
        spot = arg.inst_id.count("-") == 1
        volume = nonnegative(row[5] if spot else row[6], "volume")
        found.append(said(arg.inst_id, row[0], heard).bar(prices, volume, minutes))
    return found


_Handler = Callable[[bytes, int, Worths], list[LiveEvent]]
_BY_CHANNEL: dict[str, _Handler] = {
    "trades": _trades,
    "tickers": _ticks,
    "mark-price": _ticks,
    "index-tickers": _ticks,
    "open-interest": _interests,
    "funding-rate": _fundings,
    "liquidation-orders": _forced,
    "opt-summary": options.summaries,
    "instruments": contracts,
    "status": _statuses,
}
# REST answers are of the same kinds, and a few more
_BY_PATH: dict[str, _Handler] = {**_BY_CHANNEL, "history-trades": _trades, "ticker": _ticks}

VENUES = (Venue(VENUE, decode, decoder_with),)
