"""OKX v5 frames and REST bodies into events. Sizes of derivatives are contracts of a stated worth."""

from collections.abc import Callable
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from airpocket.domain.units import SECOND_NS, Side
from airpocket.domain.wire import Level, Listing, LiveEvent, OptionTick, Status
from airpocket.ingest.said import control
from airpocket.ingest.values import BadValue, nonnegative, number, positive
from airpocket.ingest.venue import Venue, guarded, labelled, undecodable, unknown
from airpocket.ingest.venues.okx import shapes
from airpocket.ingest.venues.okx.books import WHOLE, books, quotes
from airpocket.ingest.venues.okx.names import VENUE, expiry_of, said, time_ns, worth_of

_SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}
_FORCED_SIDE: dict[str, Side] = {"long": "sell", "short": "buy"}
_STATES: dict[str, Status] = {
    "live": "live",
    "suspend": "halted",
    "expired": "delisted",
    "preopen": "halted",
}
_BAR_MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "2H": 120, "4H": 240}
_KINDS: dict[str, Literal["spot", "linear", "inverse", "option"]] = {
    "SPOT": "spot",
    "MARGIN": "spot",
    "OPTION": "option",
    "linear": "linear",
    "inverse": "inverse",
}
_DOLLARS = ("USD", "USDT", "USDC")
_ACKS = ("subscribe", "unsubscribe", "login")


def decode(frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame or REST body; `address` tells what a REST body answers.

    Raises:
        UndecodableFrame: anything that is not this dialect; nothing else is ever raised.
    """
    return guarded(VENUE, frame, lambda: _decoded(frame, heard, address))


def _decoded(frame: bytes, heard: int, address: str) -> list[LiveEvent]:
    if frame == b"pong":
        return [control(VENUE, heard, "ack", "pong")]
    outer = shapes.ENVELOPE.decode(frame)
    if outer.event:
        return [_about(outer, heard)]
    if outer.arg is not None:
        return _channel(outer, outer.arg, heard)
    if outer.code and outer.code != "0":
        return [control(VENUE, heard, "error", f"{outer.code}: {outer.msg}")]
    if outer.code == "0":
        return _answer(outer, heard, address)
    raise undecodable(
        VENUE, f"the dialect before v5: {outer.table}" if outer.table else "no v5 message"
    )


def _about(outer: shapes.Envelope, heard: int) -> LiveEvent:
    """An acknowledgement repeats what was granted, which may be less than what was asked."""
    if outer.event in _ACKS:
        arg = outer.arg or shapes.Arg()
        words = (outer.event, arg.channel, arg.inst_id, arg.inst_type, arg.family)
        return control(VENUE, heard, "ack", " ".join(word for word in words if word))
    failed = outer.event.endswith("error")
    text = f"{outer.code or outer.event}: {outer.msg}"
    return control(VENUE, heard, "error" if failed else "notice", text)


def _channel(outer: shapes.Envelope, arg: shapes.Arg, heard: int) -> list[LiveEvent]:
    events = _told(outer, arg, heard)
    one = arg.inst_id and arg.channel != "index-tickers"  # an index stands for its perpetual
    return labelled(VENUE, arg.inst_id, events) if one else events


def _told(outer: shapes.Envelope, arg: shapes.Arg, heard: int) -> list[LiveEvent]:
    if arg.channel.startswith("candle"):
        return _candles(arg, bytes(outer.data), heard)
    if arg.channel == "bbo-tbt":
        return quotes(bytes(outer.data), arg.inst_id, heard)
    if arg.channel in WHOLE:
        whole = WHOLE[arg.channel]
        if not whole and outer.action not in ("snapshot", "update"):
            raise BadValue(f"book action {outer.action[:20]!r}")
        whole = whole or outer.action == "snapshot"
        return books(bytes(outer.data), arg.inst_id, heard, snapshot=whole)
    handler = _BY_CHANNEL.get(arg.channel)
    if handler is None:
        raise unknown(VENUE, "channel", arg.channel)
    return handler(bytes(outer.data), heard)


def _answer(outer: shapes.Envelope, heard: int, address: str) -> list[LiveEvent]:
    path = urlsplit(address).path.rsplit("/", maxsplit=1)[-1]
    if path in ("books", "books-full"):
        symbol = parse_qs(urlsplit(address).query).get("instId", [""])[0]
        return books(bytes(outer.data), symbol, heard, snapshot=True)
    handler = _BY_PATH.get(path)
    if handler is None:
        raise undecodable(VENUE, f"an answer to an unknown question {path[:60]!r}")
    return handler(bytes(outer.data), heard)


def _side(text: str) -> Side:
    if text not in _SIDES:
        raise BadValue(f"side {text[:20]!r}")
    return _SIDES[text]


def _trades(data: bytes, heard: int) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.TRADES.decode(data):
        price = positive(each.px, "price")
        size, usd = worth_of(each.inst_id).sized(positive(each.sz, "size"), price)
        found.append(
            said(each.inst_id, each.ts, heard).trade(
                price, size, usd, _side(each.side), each.trade_id,
                aggregate=each.count not in ("", "1"),
            )
        )  # fmt: skip
    return found


def _ticks(data: bytes, heard: int) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.TICKS.decode(data):
        symbol = each.inst_id
        if each.index and symbol.count("-") == 1:  # an index price concerns the perpetual
            symbol = f"{symbol}-SWAP"
        who = said(symbol, each.ts, heard)
        last, mark, index = (
            _price(each.last, "last"), _price(each.mark, "mark"), _price(each.index, "index"),
        )  # fmt: skip
        if last is not None or mark is not None or index is not None:
            found.append(who.ticker(last=last, mark=mark, index=index))
        bid, ask = (
            _best(symbol, each.bid, each.bid_size), _best(symbol, each.ask, each.ask_size),
        )  # fmt: skip
        if bid is not None or ask is not None:
            found.append(who.quote(bid, ask))
    return found


def _price(text: str, name: str) -> float | None:
    return positive(text, name) if text not in ("", "0") else None


def _best(symbol: str, price: str, size: str) -> Level | None:
    at = _price(price, "quote price")
    if at is None:
        return None
    held = nonnegative(size or "0", "quote size")
    coin, _ = worth_of(symbol).sized(held, at)
    return None if coin is None else (at, coin)


def _interests(data: bytes, heard: int) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.INTERESTS.decode(data):
        who = said(each.inst_id, each.ts, heard)
        if each.coin:
            found.append(who.interest(nonnegative(each.coin, "open interest"), "coin"))
        else:
            found.append(who.interest(nonnegative(each.contracts, "open interest"), "contracts"))
    return found


def _fundings(data: bytes, heard: int) -> list[LiveEvent]:
    """The rate of the period that ends at `fundingTime`; its length is told by the settlement after it."""
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
        found.append(who.funding(number(each.rate, "funding rate"), at, interval_s))
    return found


def _forced(data: bytes, heard: int) -> list[LiveEvent]:
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
            size, usd = worth_of(contract.inst_id).sized(positive(each.sz, "size"), price)
            who = said(contract.inst_id, each.ts, heard)
            found.append(who.liquidation(forced, price, "bankruptcy", size, usd, "sample"))
    return found


def _options(data: bytes, heard: int) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.OPTIONS.decode(data):
        parts = each.inst_id.split("-")
        if len(parts) != 5 or parts[4] not in ("C", "P"):
            raise BadValue(f"option name {each.inst_id[:40]!r}")
        found.append(
            OptionTick(
                venue=VENUE, symbol=each.inst_id, ts=time_ns(each.ts, "time"), usable_from=heard, heard=heard,
                base=parts[0], expiry=expiry_of(parts[2]), strike=positive(parts[3], "strike"),
                call=parts[4] == "C", price_unit="coin" if parts[1] == "USD" else "usd",
                mark_iv=_iv(each.mark_iv), bid_iv=_iv(each.bid_iv),
                ask_iv=_iv(each.ask_iv), forward=_price(each.forward, "forward"),
                delta=_greek(each.delta or each.delta2), gamma=_greek(each.gamma or each.gamma2),
                vega=_greek(each.vega or each.vega2), theta=_greek(each.theta or each.theta2),
            )
        )  # fmt: skip
    return found


def _iv(text: str) -> float | None:
    value = number(text, "volatility") if text else 0.0
    return value if value > 0.0 else None


def _greek(text: str) -> float | None:
    return number(text, "greek") if text else None


def _contracts(data: bytes, heard: int) -> list[LiveEvent]:
    """What is neither spot, an option, linear nor inverse is no contract of ours."""
    found: list[LiveEvent] = []
    for each in shapes.CONTRACTS.decode(data):
        kind = _KINDS.get(each.kind) or _KINDS.get(each.contract_type)
        if kind is None:
            continue
        size = _price(each.value, "contract value")
        if size is not None and each.multiplier:
            size *= positive(each.multiplier, "contract multiplier")
        found.append(
            Listing(
                venue=VENUE, symbol=each.inst_id, ts=heard, usable_from=heard, heard=heard,
                base=each.inst_id.split("-")[0], kind=kind,
                contract_size=1.0 if kind == "spot" else size,
                size_unit="usd" if kind == "inverse" or each.value_coin in _DOLLARS else "coin",
                tick_size=_price(each.tick, "tick size"),
                status=_STATES.get(each.state, "unknown"),
            )
        )  # fmt: skip
    return found


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


_Handler = Callable[[bytes, int], list[LiveEvent]]
_BY_CHANNEL: dict[str, _Handler] = {
    "trades": _trades,
    "tickers": _ticks,
    "mark-price": _ticks,
    "index-tickers": _ticks,
    "open-interest": _interests,
    "funding-rate": _fundings,
    "liquidation-orders": _forced,
    "opt-summary": _options,
    "instruments": _contracts,
}
# REST answers are of the same kinds, and a few more
_BY_PATH: dict[str, _Handler] = {**_BY_CHANNEL, "history-trades": _trades, "ticker": _ticks}

VENUES = (Venue(VENUE, decode),)
