"""Deribit frames and REST bodies into events. Linear sizes are coin, inverse ones dollars, options coin."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from airpocket.domain.units import Side
from airpocket.domain.wire import Level, LiveEvent, OffBook, OptionTick, VenueState, VolTick
from airpocket.ingest.listed import Terms, listing, moment_ns, path_of, rolled
from airpocket.ingest.said import Book, Chain, Said, control
from airpocket.ingest.values import BadValue, nonnegative, number, positive, stamp_ns
from airpocket.ingest.venue import Venue, guarded, labelled, undecodable, unknown
from airpocket.ingest.venues.deribit import shapes
from airpocket.ingest.venues.deribit.names import Name, read

_VENUE = "deribit"
_OPPOSITE: dict[Side, Side] = {"buy": "sell", "sell": "buy"}
_EIGHT_HOURS_S = 8 * 3_600
_LINE = 280
_PLACEHOLDER_IV = 80.0
_MOST_IV = 10.0  # 1,000 % a year: beyond it the unit would be another


def decode(frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame or REST body; `address` tells what a REST body answers.

    Raises:
        UndecodableFrame: anything that is not this dialect; nothing else is ever raised.
    """
    return guarded(_VENUE, frame, lambda: _decoded(frame, heard, address))


def _decoded(frame: bytes, heard: int, address: str) -> list[LiveEvent]:
    outer = shapes.ENVELOPE.decode(frame)
    if outer.error is not None:
        return [control(_VENUE, heard, "error", f"{outer.error.code}: {outer.error.message}")]
    if outer.method == "heartbeat":
        return [
            control(_VENUE, heard, "notice", outer.params.type if outer.params else "heartbeat")
        ]
    if outer.method == "subscription" and outer.params is not None:
        return _channel(outer.params, heard)
    if bytes(outer.result):
        return _answer(bytes(outer.result), heard, address)
    raise undecodable(_VENUE, "neither a subscription, a heartbeat nor an answer")


def _channel(params: shapes.Params, heard: int) -> list[LiveEvent]:
    family = params.channel.split(".", maxsplit=1)[0]
    handler = _BY_CHANNEL.get(family)
    if handler is None:
        raise unknown(_VENUE, "channel", params.channel)
    events = handler(params.channel, bytes(params.data), heard)
    label = params.channel.split(".")[1] if "." in params.channel else ""
    one = read(label).kind != "other"  # and not a family of contracts
    return labelled(_VENUE, label, events) if one else events


def _answer(result: bytes, heard: int, address: str) -> list[LiveEvent]:
    """An answer to a question of ours; without an address it is the list of channels granted."""
    path = path_of(address)
    handler = _BY_PATH.get(path)
    if handler is not None:
        found = handler("", result, heard)
        return rolled(_VENUE, address, found, heard) if path == "get_instruments" else found
    try:
        told: list[str] | str | shapes.Version = shapes.GRANTED.decode(result)
    except msgspec.ValidationError as error:
        raise undecodable(_VENUE, "an answer to an unknown question") from error
    if isinstance(told, list):
        topics = tuple(told)
        return [control(_VENUE, heard, "ack", text, topics) for text in _granted(told)]
    text = told if isinstance(told, str) else f"version {told.version}"
    return [control(_VENUE, heard, "ack", text)]


def _granted(channels: list[str]) -> list[str]:
    """All of them, in as many lines as they need: a channel that was refused is only missing here."""
    lines = [f"{len(channels)} channels:"]
    for channel in channels:
        if len(lines[-1]) + len(channel) > _LINE:
            lines.append("and:")
        lines[-1] += f" {channel}"
    return lines


def _said(symbol: str, stamp: int, heard: int) -> Said:
    return Said(_VENUE, symbol, stamp_ns(stamp, "timestamp"), heard)


def _side(text: str) -> Side:
    if text == "buy":
        return "buy"
    if text == "sell":
        return "sell"
    raise BadValue(f"direction {text[:20]!r}")


def _trades(channel: str, data: bytes, heard: int) -> list[LiveEvent]:
    """Each print; where one side was liquidated, also the forced close of it."""
    del channel
    found: list[LiveEvent] = []
    for each in shapes.TRADES.decode(data):
        name = read(each.instrument_name)
        if name.kind == "other":
            continue
        price, amount = positive(each.price, "price"), positive(each.amount, "amount")
        size, usd = name.sized(amount, price)
        said, taker = _said(each.instrument_name, each.timestamp, heard), _side(each.direction)
        if each.block_trade_id:
            found.append(_block(said, price, size, each.trade_id))
            continue
        found.append(said.trade(price, size, usd, taker, each.trade_id))
        if each.liquidation not in ("", "M", "T", "MT", "none"):
            raise BadValue(f"liquidation {each.liquidation[:20]!r}")
        if "T" in each.liquidation:
            found.append(said.liquidation(taker, price, "fill", size, usd, "all", each.trade_id))
        if "M" in each.liquidation:
            other = _OPPOSITE[taker]
            found.append(said.liquidation(other, price, "fill", size, usd, "all", each.trade_id))
    return found


def _block(said: Said, price: float, size: float, trade_id: str) -> OffBook:
    return OffBook(venue=_VENUE, symbol=said.symbol, ts=said.ts, usable_from=said.heard, heard=said.heard,
                   price=price, size=size, reason="block", trade_id=trade_id)  # fmt: skip


def _entries(name: Name, rows: tuple[shapes.Entry, ...]) -> tuple[Level, ...]:
    return name.levels(
        tuple((price, 0.0 if action == "delete" else amount) for action, price, amount in rows)
    )


def _book(channel: str, data: bytes, heard: int) -> list[LiveEvent]:
    if ".none." in channel or channel.count(".") > 3:
        return _window(channel, data, heard)
    message = shapes.BOOK.decode(data)
    name = read(message.instrument_name)
    if name.kind == "other":
        return []
    if message.type not in ("snapshot", "change", ""):
        raise BadValue(f"book type {message.type[:20]!r}")
    # the field came in 2019; before it a message without a predecessor was the snapshot
    snapshot = message.type == "snapshot" or (not message.type and message.prev_change_id is None)
    levels = Book(_entries(name, message.bids), _entries(name, message.asks))
    chain = Chain(snapshot, message.change_id, message.change_id, message.prev_change_id)
    return [_said(message.instrument_name, message.timestamp, heard).book(levels, chain)]


def _window(channel: str, data: bytes, heard: int) -> list[LiveEvent]:
    """A book sent whole each time."""
    del channel
    message = shapes.WINDOW.decode(data)
    name = read(message.instrument_name)
    if name.kind == "other":
        return []
    said = _said(message.instrument_name, message.timestamp, heard)
    levels = Book(name.levels(message.bids), name.levels(message.asks))
    return [said.book(levels, Chain(True, message.change_id, message.change_id))]


def _ticker(channel: str, data: bytes, heard: int) -> list[LiveEvent]:
    del channel
    tick = shapes.TICKER.decode(data)
    name, said = read(tick.instrument_name), _said(tick.instrument_name, tick.timestamp, heard)
    if name.kind == "other":
        return []
    if name.kind == "option":
        return [_option(tick, name, said)]
    found: list[LiveEvent] = []
    last, mark, index = (
        _some(tick.last_price, "last"), _some(tick.mark_price, "mark"), _some(tick.index_price, "index"),
    )  # fmt: skip
    if last is not None or mark is not None or index is not None:
        found.append(said.ticker(last=last, mark=mark, index=index))
    if tick.open_interest is not None:
        amount = nonnegative(tick.open_interest, "open interest")
        found.append(said.interest(amount, "coin" if name.linear else "usd"))
    if tick.current_funding is not None:
        # The rate that accrues now, as a fraction over eight hours: the premium of mark over index less a
        # dead band (BTC: 0.025 %). There is no settlement ahead. funding_8h is what the last eight hours
        # did accrue, so it is no estimate of what comes.
        rate = number(tick.current_funding, "current funding")
        found.append(said.funding(rate, None, _EIGHT_HOURS_S))
    found.append(_touch(tick, name, said))
    return found


def _touch(tick: shapes.Ticker | shapes.Quote, name: Name, said: Said) -> LiveEvent:
    return said.quote(
        _best(name, tick.best_bid_price, tick.best_bid_amount),
        _best(name, tick.best_ask_price, tick.best_ask_amount),
    )


def _best(name: Name, price: float | None, amount: float | None) -> Level | None:
    """An empty side is written as price 0."""
    if not price or amount is None:
        return None
    at = positive(price, "quote price")
    return at, name.sized(nonnegative(amount, "quote amount"), at)[0]


def _some(value: float | None, name: str) -> float | None:
    """Zero stands for no price."""
    return positive(value, name) if value else None


def _iv(value: float | None) -> float | None:
    """Per cent → fraction; 0 is no quote."""
    return positive(value, "volatility") / 100.0 if value else None


def _mark_iv(value: float | None, quoted: object) -> float | None:
    """Per cent → fraction; 80 stands on strikes that nobody quotes."""
    return None if value == _PLACEHOLDER_IV and not quoted else _iv(value)


def _greek(value: float | None) -> float | None:
    return None if value is None else number(value, "greek")


def _option(tick: shapes.Ticker, name: Name, said: Said) -> OptionTick:
    greeks = tick.greeks or shapes.Greeks()
    bid = _best(name, tick.best_bid_price, tick.best_bid_amount)
    ask = _best(name, tick.best_ask_price, tick.best_ask_amount)
    held = tick.open_interest
    return OptionTick(
        venue=_VENUE, symbol=said.symbol, ts=said.ts, usable_from=said.heard, heard=said.heard,
        base=name.base, expiry=name.expiry, strike=name.strike, call=name.call,
        price_unit="usd" if name.linear else "coin", bid=bid[0] if bid else None,
        bid_size=bid[1] if bid else None, ask=ask[0] if ask else None, ask_size=ask[1] if ask else None,
        mark=_some(tick.mark_price, "mark"), bid_iv=_iv(tick.bid_iv), ask_iv=_iv(tick.ask_iv),
        mark_iv=_mark_iv(tick.mark_iv, bid or ask), forward=_some(tick.underlying_price, "underlying price"),
        index=_some(tick.index_price, "index price"), delta=_greek(greeks.delta),
        gamma=_greek(greeks.gamma), vega=_greek(greeks.vega), theta=_greek(greeks.theta),
        open_interest=None if held is None else nonnegative(held, "open interest"),
    )  # fmt: skip


def _quote(channel: str, data: bytes, heard: int) -> list[LiveEvent]:
    del channel
    message = shapes.QUOTE.decode(data)
    name = read(message.instrument_name)
    if name.kind == "other":
        return []
    return [_touch(message, name, _said(message.instrument_name, message.timestamp, heard))]


def _perpetual(channel: str, data: bytes, heard: int) -> list[LiveEvent]:
    """`interest` is the ticker's current_funding with all its digits."""
    message = shapes.PERPETUAL.decode(data)
    symbol = channel.split(".")[1] if "." in channel else ""
    if read(symbol).kind not in ("linear", "inverse"):
        raise BadValue(f"a perpetual named {symbol[:40]!r}")
    said = _said(symbol, message.timestamp, heard)
    index = _some(message.index_price, "index")
    funding = said.funding(number(message.interest, "interest"), None, _EIGHT_HOURS_S)
    return [funding] if index is None else [said.ticker(index=index), funding]


def _marks(channel: str, data: bytes, heard: int) -> list[LiveEvent]:
    """Marks of every option on an index; here volatilities are fractions (venue page, read 2026-11)."""
    del channel
    found: list[LiveEvent] = []
    for row in shapes.MARKS.decode(data):
        name = read(row.instrument_name)
        if name.kind != "option":
            continue
        said = _said(row.instrument_name, row.timestamp, heard) if row.timestamp else None
        iv = row.iv if row.iv and 0.0 < row.iv < _MOST_IV else None
        dead = (
            iv == _PLACEHOLDER_IV / 100.0
        )  # without quotes beside it, a placeholder can't be told
        found.append(
            OptionTick(
                venue=_VENUE, symbol=row.instrument_name, ts=said.ts if said else heard, usable_from=heard,
                heard=heard, base=name.base, expiry=name.expiry, strike=name.strike, call=name.call,
                price_unit="usd" if name.linear else "coin", mark=_some(row.mark_price, "mark"),
                mark_iv=None if dead else iv, says=("mark",) if dead or iv is None else ("mark", "mark_iv"),
            )
        )  # fmt: skip
    return found


def _volatility(channel: str, data: bytes, heard: int) -> list[LiveEvent]:
    del channel
    message = shapes.VOLATILITY.decode(data)
    coin, _, quote = message.index_name.upper().partition("_")
    if not coin or quote != "USD":
        raise BadValue(f"volatility index {message.index_name[:40]!r}")
    return [
        VolTick(venue=_VENUE, symbol=f"{coin}-DVOL", ts=stamp_ns(message.timestamp, "timestamp"),
                usable_from=heard, heard=heard, value=positive(message.volatility, "volatility"))
    ]  # fmt: skip


def _index(channel: str, data: bytes, heard: int) -> list[LiveEvent]:
    """The index of a coin concerns its perpetual."""
    del channel
    message = shapes.INDEX.decode(data)
    coin, _, quote = message.index_name.upper().partition("_")
    symbol = f"{coin}-PERPETUAL" if quote == "USD" else f"{coin}_{quote}-PERPETUAL"
    price = positive(message.price, "index")
    if read(symbol).kind == "other":  # the index of a pair that has no perpetual in dollars
        return []
    return [_said(symbol, message.timestamp, heard).ticker(index=price)]


def _summaries(channel: str, data: bytes, heard: int) -> list[LiveEvent]:
    """The chain at one moment; rows of perpetuals and futures give their open interest."""
    del channel
    found: list[LiveEvent] = []
    for row in shapes.SUMMARIES.decode(data):
        name = read(row.instrument_name)
        said = _said(row.instrument_name, row.creation_timestamp, heard)
        if name.kind == "option":
            held = row.open_interest
            found.append(
                OptionTick(
                    venue=_VENUE, symbol=said.symbol, ts=said.ts, usable_from=heard, heard=heard,
                    base=name.base, expiry=name.expiry, strike=name.strike, call=name.call,
                    price_unit="usd" if name.linear else "coin", bid=_some(row.bid_price, "bid"),
                    ask=_some(row.ask_price, "ask"), mark=_some(row.mark_price, "mark"),
                    mark_iv=_mark_iv(row.mark_iv, row.bid_price or row.ask_price),
                    forward=_some(row.underlying_price, "underlying price"),
                    open_interest=None if held is None else nonnegative(held, "open interest"),
                    says=("bid", "ask", "mark", "mark_iv", "forward", "open_interest"),
                )
            )  # fmt: skip
        elif name.kind in ("linear", "inverse") and row.open_interest is not None:
            amount = nonnegative(row.open_interest, "open interest")
            found.append(said.interest(amount, "coin" if name.linear else "usd"))
    return found


def _contracts(channel: str, data: bytes, heard: int) -> list[LiveEvent]:
    """Amounts are coin or dollars whatever the contract's size, so the size of a unit is one."""
    del channel
    found: list[LiveEvent] = []
    for each in shapes.CONTRACTS.decode(data):
        name = read(each.instrument_name)
        if name.kind == "other":
            continue
        perp = each.instrument_name.endswith("-PERPETUAL")
        terms = Terms(
            size_unit="usd" if name.kind == "inverse" else "coin",
            tick_size=_some(each.tick_size, "tick size"),
            lot_size=_some(each.min_trade_amount, "least amount"),
            listed_at=moment_ns(each.creation_timestamp),
            ends_at=moment_ns(each.expiration_timestamp) if perp else None,
            funding_interval_s=_EIGHT_HOURS_S if perp else None,
        )
        live = each.is_active
        status = "unknown" if live is None else "live" if live else "halted"
        found.append(
            listing(_VENUE, each.instrument_name, heard, name.base, name.kind, status, terms)
        )
    return found


def _platform(channel: str, data: bytes, heard: int) -> list[LiveEvent]:
    """Locked: nothing trades. A lock of some indices only is told in its text."""
    del channel
    state = shapes.PLATFORM.decode(data)
    shut = state.locked is True or state.maintenance is True
    text = "the platform is locked" if shut else f"open; locked in part: {state.locked}"[:200]
    return [VenueState(venue=_VENUE, symbol="", ts=heard, usable_from=heard, heard=heard,
                       trading=not shut, text=text if shut or state.locked else "open")]  # fmt: skip


_Handler: TypeAlias = Callable[[str, bytes, int], list[LiveEvent]]
_BY_CHANNEL: dict[str, _Handler] = {
    "trades": _trades,
    "book": _book,
    "ticker": _ticker,
    "quote": _quote,
    "perpetual": _perpetual,
    "deribit_volatility_index": _volatility,
    "deribit_price_index": _index,
    "platform_state": _platform,
    "markprice": _marks,
}
_BY_PATH: dict[str, _Handler] = {
    "get_book_summary_by_currency": _summaries,
    "get_book_summary_by_instrument": _summaries,
    "get_instruments": _contracts,
    "get_order_book": _window,
    "ticker": _ticker,
}

VENUES = (Venue(_VENUE, decode),)
