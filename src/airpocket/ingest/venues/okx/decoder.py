"""OKX v5 frames and REST bodies into events. Sizes of derivatives are contracts of a stated worth."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from airpocket.domain.errors import UnknownInstrument
from airpocket.domain.instruments import instrument
from airpocket.domain.units import SECOND_NS, Side, parse_time
from airpocket.domain.wire import Level, Listing, LiveEvent, OptionTick, Status
from airpocket.ingest.said import Book, Chain, Said, control
from airpocket.ingest.values import BadValue, nonnegative, number, positive, stamp_ns
from airpocket.ingest.venue import Venue, guarded, undecodable
from airpocket.ingest.venues.okx import shapes

_VENUE = "okx"
_SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}
_FORCED_SIDE: dict[str, Side] = {"long": "sell", "short": "buy"}
_DOLLARS = ("USDT", "USDC", "USD", "USD_UM")
_STATES: dict[str, Status] = {
    "live": "live",
    "suspend": "halted",
    "expired": "delisted",
    "preopen": "halted",
}
_BAR_MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "2H": 120, "4H": 240}


class _Worth(NamedTuple):
    """What one unit of size is worth: coin, or dollars; None where nobody said."""

    coin: float | None
    usd: float | None
    dollars: bool  # whether the quote is a dollar

    def sized(self, size: float, price: float) -> tuple[float | None, float | None]:
        """Size in coin and notional in USD."""
        if self.coin is not None:
            return size * self.coin, size * self.coin * price if self.dollars else None
        if self.usd is not None:
            return size * self.usd / price, size * self.usd
        return None, None


@lru_cache(maxsize=8_192)
def _worth(symbol: str) -> _Worth:
    quoted = symbol.split("-")[1] in _DOLLARS if "-" in symbol else False
    if symbol.count("-") == 1:
        return _Worth(1.0, None, quoted)
    try:
        contract = instrument(_VENUE, symbol)
    except UnknownInstrument:
        return _Worth(None, None, quoted)
    if contract.kind == "inverse":
        return _Worth(None, contract.contract_size, quoted)
    return _Worth(contract.contract_size, None, quoted)


def decode(frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame or REST body; `address` tells what a REST body answers.

    Raises:
        UndecodableFrame: anything that is not this dialect; nothing else is ever raised.
    """
    return guarded(_VENUE, frame, lambda: _decoded(frame, heard, address))


def _decoded(frame: bytes, heard: int, address: str) -> list[LiveEvent]:
    if frame == b"pong":
        return [control(_VENUE, heard, "ack", "pong")]
    outer = shapes.ENVELOPE.decode(frame)
    if outer.event:
        return [_about(outer, heard)]
    if outer.arg is not None:
        return _channel(outer, outer.arg, heard)
    if outer.code and outer.code != "0":
        return [control(_VENUE, heard, "error", f"{outer.code}: {outer.msg}")]
    if outer.code == "0":
        return _answer(outer, heard, address)
    raise undecodable(
        _VENUE, f"the dialect before v5: {outer.table}" if outer.table else "no v5 message"
    )


def _about(outer: shapes.Envelope, heard: int) -> LiveEvent:
    if outer.event == "error":
        return control(_VENUE, heard, "error", f"{outer.code}: {outer.msg}")
    if outer.event == "notice":
        return control(_VENUE, heard, "notice", f"{outer.code}: {outer.msg}")
    named = f"{outer.arg.channel} {outer.arg.inst_id}".strip() if outer.arg else ""
    return control(_VENUE, heard, "ack", f"{outer.event} {named}".strip())


def _channel(outer: shapes.Envelope, arg: shapes.Arg, heard: int) -> list[LiveEvent]:
    if arg.channel.startswith("candle"):
        return _candles(arg, bytes(outer.data), heard)
    if arg.channel in _BOOKS:
        return _books(outer, arg, heard)
    handler = _BY_CHANNEL.get(arg.channel)
    if handler is None:
        raise undecodable(_VENUE, f"unknown channel {arg.channel[:60]!r}")
    return handler(bytes(outer.data), heard)


def _answer(outer: shapes.Envelope, heard: int, address: str) -> list[LiveEvent]:
    path = urlsplit(address).path.rsplit("/", maxsplit=1)[-1]
    if path in ("books", "books-full"):
        symbol = parse_qs(urlsplit(address).query).get("instId", [""])[0]
        return _books(outer, shapes.Arg("books", symbol), heard, rest=True)
    handler = _BY_PATH.get(path)
    if handler is None:
        raise undecodable(_VENUE, f"an answer to an unknown question {path[:60]!r}")
    return handler(bytes(outer.data), heard)


def _at(symbol: str, stamp: str, heard: int) -> Said:
    return Said(_VENUE, symbol, _time(stamp, "time") if stamp else heard, heard)


def _time(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadValue(f"{name} {text[:40]!r} is no time")
    return stamp_ns(int(text), name)


def _side(text: str) -> Side:
    if text not in _SIDES:
        raise BadValue(f"side {text[:20]!r}")
    return _SIDES[text]


def _trades(data: bytes, heard: int) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.TRADES.decode(data):
        price = positive(each.px, "price")
        size, usd = _worth(each.inst_id).sized(positive(each.sz, "size"), price)
        said = _at(each.inst_id, each.ts, heard)
        found.append(said.trade(price, size, usd, _side(each.side), each.trade_id))
    return found


def _levels(rows: list[shapes.Row], worth: _Worth) -> tuple[Level, ...]:
    found: list[Level] = []
    for price, size, *_ in rows:
        at, held = positive(price, "level price"), nonnegative(size, "level size")
        coin, _ = worth.sized(held, at)
        found.append((at, held if coin is None else coin))
    return tuple(found)


# Windows that are sent whole each time, against books that are sent whole once and then changed.
_BOOKS = {
    "books": False,
    "books-l2-tbt": False,
    "books50-l2-tbt": False,
    "books5": True,
    "bbo-tbt": True,
}


def _books(
    outer: shapes.Envelope, arg: shapes.Arg, heard: int, *, rest: bool = False
) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.BOOKS.decode(bytes(outer.data)):
        symbol = each.inst_id or arg.inst_id
        if not symbol:
            raise BadValue("a book that names no contract")
        worth, said = _worth(symbol), _at(symbol, each.ts, heard)
        if arg.channel == "bbo-tbt":
            bids, asks = _levels(each.bids, worth), _levels(each.asks, worth)
            found.append(
                said.quote(bids[0] if bids else None, asks[0] if asks else None, each.last)
            )
            continue
        if not (rest or _BOOKS[arg.channel]) and outer.action not in ("snapshot", "update"):
            raise BadValue(f"book action {outer.action[:20]!r}")
        snapshot = rest or _BOOKS[arg.channel] or outer.action == "snapshot"
        summed = bool(each.checksum)  # a constant 0 since 2026-06-23
        levels = Book(
            _levels(each.bids, worth), _levels(each.asks, worth),
            tuple((row[0], row[1]) for row in each.bids) if summed else (),
            tuple((row[0], row[1]) for row in each.asks) if summed else (),
        )  # fmt: skip
        in_coin = worth.coin is not None or worth.usd is not None
        previous = None if each.previous == -1 else each.previous
        chain = Chain(snapshot, each.last, each.last, previous, each.checksum or None, in_coin)
        found.append(said.book(levels, chain))
    return found


def _ticks(data: bytes, heard: int) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.TICKS.decode(data):
        symbols = [each.inst_id]
        if each.index and each.inst_id.count("-") == 1:  # an index price concerns the perpetual
            symbols = [f"{each.inst_id}-SWAP"]
        for symbol in symbols:
            said = _at(symbol, each.ts, heard)
            last, mark, index = (
                _price(each.last, "last"), _price(each.mark, "mark"), _price(each.index, "index"),
            )  # fmt: skip
            if last is not None or mark is not None or index is not None:
                found.append(said.ticker(last=last, mark=mark, index=index))
            bid, ask = (
                _best(symbol, each.bid, each.bid_size), _best(symbol, each.ask, each.ask_size),
            )  # fmt: skip
            if bid is not None or ask is not None:
                found.append(said.quote(bid, ask))
    return found


def _price(text: str, name: str) -> float | None:
    return positive(text, name) if text not in ("", "0") else None


def _best(symbol: str, price: str, size: str) -> Level | None:
    at = _price(price, "quote price")
    if at is None:
        return None
    held = nonnegative(size or "0", "quote size")
    coin, _ = _worth(symbol).sized(held, at)
    return None if coin is None else (at, coin)


def _interests(data: bytes, heard: int) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.INTERESTS.decode(data):
        said = _at(each.inst_id, each.ts, heard)
        if each.coin:
            found.append(said.interest(nonnegative(each.coin, "open interest"), "coin"))
        else:
            found.append(said.interest(nonnegative(each.contracts, "open interest"), "contracts"))
    return found


def _fundings(data: bytes, heard: int) -> list[LiveEvent]:
    """The rate of the period that ends at `fundingTime`; its length is told by the settlement after it."""
    found: list[LiveEvent] = []
    for each in shapes.FUNDINGS.decode(data):
        if not each.rate:
            continue
        at = _time(each.at, "funding time") if each.at else None
        after = _time(each.after, "next funding time") if each.after not in ("", "0") else None
        interval_s = None
        if at is not None and after is not None:
            if after <= at:
                raise BadValue(f"funding times run backwards: {at} to {after}")
            interval_s = round((after - at) / SECOND_NS)
        said = _at(each.inst_id, each.ts, heard)
        found.append(said.funding(number(each.rate, "funding rate"), at, interval_s))
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
            size, usd = _worth(contract.inst_id).sized(positive(each.sz, "size"), price)
            said = _at(contract.inst_id, each.ts, heard)
            found.append(said.liquidation(forced, price, "bankruptcy", size, usd, "sample"))
    return found


def _options(data: bytes, heard: int) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.OPTIONS.decode(data):
        parts = each.inst_id.split("-")
        if len(parts) != 5 or parts[4] not in ("C", "P"):
            raise BadValue(f"option name {each.inst_id[:40]!r}")
        found.append(
            OptionTick(
                venue=_VENUE, symbol=each.inst_id, ts=_time(each.ts, "time"), usable_from=heard, heard=heard,
                base=parts[0], expiry=_expiry(parts[2]), strike=positive(parts[3], "strike"),
                call=parts[4] == "C", price_unit="coin", mark_iv=_iv(each.mark_iv), bid_iv=_iv(each.bid_iv),
                ask_iv=_iv(each.ask_iv), forward=_price(each.forward, "forward"),
                delta=_greek(each.delta or each.delta2), gamma=_greek(each.gamma or each.gamma2),
                vega=_greek(each.vega or each.vega2), theta=_greek(each.theta or each.theta2),
            )
        )  # fmt: skip
    return found


@lru_cache(maxsize=1_024)
def _expiry(text: str) -> int:
    """'250328' → 08:00 UTC of that day, ns."""
    if not (len(text) == 6 and text.isascii() and text.isdigit()):
        raise BadValue(f"expiry {text[:20]!r}")
    try:
        return parse_time(f"20{text[:2]}-{text[2:4]}-{text[4:]}T08:00Z")
    except ValueError as error:
        raise BadValue(f"expiry {text!r}") from error


def _iv(text: str) -> float | None:
    value = number(text, "volatility") if text else 0.0
    return value if value > 0.0 else None


def _greek(text: str) -> float | None:
    return number(text, "greek") if text else None


def _contracts(data: bytes, heard: int) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    for each in shapes.CONTRACTS.decode(data):
        inverse = each.contract_type == "inverse"
        size = _price(each.value, "contract value")
        if size is not None and each.multiplier:
            size *= positive(each.multiplier, "contract multiplier")
        spot = each.kind in ("SPOT", "MARGIN")
        found.append(
            Listing(
                venue=_VENUE, symbol=each.inst_id, ts=heard, usable_from=heard, heard=heard,
                base=each.inst_id.split("-")[0],
                kind="spot" if spot else "option" if each.kind == "OPTION" else "inverse" if inverse else "linear",
                contract_size=1.0 if spot else size, size_unit="usd" if inverse else "coin",
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
        found.append(_at(arg.inst_id, row[0], heard).bar(prices, volume, minutes))
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
_BY_PATH: dict[str, _Handler] = {
    "trades": _trades,
    "history-trades": _trades,
    "tickers": _ticks,
    "ticker": _ticks,
    "mark-price": _ticks,
    "index-tickers": _ticks,
    "open-interest": _interests,
    "funding-rate": _fundings,
    "liquidation-orders": _forced,
    "opt-summary": _options,
    "instruments": _contracts,
}

VENUES = (Venue(_VENUE, decode),)
