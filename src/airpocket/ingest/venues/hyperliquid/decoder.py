"""Hyperliquid frames and info answers into events. Sizes are coin, in thousands where the name says k.

A book frame is always the whole book: there is no delta, sequence or checksum. Contexts come without a time
and bear the time they were heard. `allMids` (no trade stands behind a mid) and `allDexsAssetCtxs` (contexts by
position, without names) give no event. There is no public liquidation channel: forced closes are seen only in
the fills of an account that is asked for.
"""

import re
from typing import NamedTuple

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
from airpocket.ingest.listed import Terms, listing, rolled, step_of
from airpocket.ingest.values import BadValue, nonnegative, number, positive, stamp_ns
from airpocket.ingest.venue import Venue, guarded, undecodable, unknown
from airpocket.ingest.venues.hyperliquid import shapes
from airpocket.ingest.venues.hyperliquid.shapes import (
    ANSWER,
    BEST,
    BOOK,
    CANDLE,
    CANDLES,
    CONTEXT,
    CONTEXTS,
    ENVELOPE,
    FILL_ROWS,
    FILLS,
    MESSAGE,
    META,
    METAS,
    POSTED,
    ROW,
    ROWS,
    SUBSCRIPTION,
    TRADES,
)

_VENUE = "hyperliquid"
_TAKER: dict[str, Side] = {"A": "sell", "B": "buy"}
_OTHER: dict[Side, Side] = {"buy": "sell", "sell": "buy"}
_HOUR_S = 3_600
_CAP = 0.04  # of funding an hour, either way (venue documentation, 2026)
_DOLLARS = ("/USDC", "/USDT", "/USDH", "/USDE")
_ALREADY = "Already subscribed: "
_ACCOUNT = re.compile(r'"user"\s*:\s*"(0x[0-9a-fA-F]{40})"')


class _Frame(NamedTuple):
    """What every handler is given: the inner message, when it was heard (ns), and its address."""

    body: bytes
    heard: int
    address: str


def decode(frame: bytes, heard: int, address: str = "") -> list[LiveEvent]:
    """The events of one frame or info answer, in its order; `address` names the account of bare fills.

    Raises:
        UndecodableFrame: anything that is not this dialect; nothing else is ever raised.
    """
    return guarded(_VENUE, frame, lambda: _decoded(frame, heard, address))


def _decoded(frame: bytes, heard: int, address: str) -> list[LiveEvent]:
    whole = _Frame(frame, heard, address)
    if frame.lstrip()[:1] == b"[":
        return _rows(whole)
    outer = ENVELOPE.decode(frame)
    if not outer.channel:
        return _bare(whole, outer)
    handler = _BY_CHANNEL.get(outer.channel)
    if handler is None:
        raise unknown(_VENUE, "channel", outer.channel)
    return handler(_Frame(bytes(outer.data), heard, address))


def _bare(whole: _Frame, outer: shapes.Envelope) -> list[LiveEvent]:
    if len(bytes(outer.levels)) > 0:
        return _book(whole)
    if len(bytes(outer.universe)) > 0:
        found = _listings(META.decode(whole.body).universe, whole.heard)
        return rolled(_VENUE, whole.address, found, whole.heard) if whole.address else found
    raise undecodable(_VENUE, "neither a channel nor a known info answer")


def _rows(whole: _Frame) -> list[LiveEvent]:
    """Answers that are lists tell themselves by their first row; an empty one only by what was asked."""
    rows = ROWS.decode(whole.body)
    if not rows and "recentTrades" in whole.address:
        return []
    first = ROW.decode(rows[0]) if rows else shapes.Row()
    if first.universe is not shapes.UNSET:
        if len(rows) == 2 and bytes(rows[1])[:1] == b"[":
            return _state(bytes(rows[0]), bytes(rows[1]), whole.heard)
        metas = METAS.decode(whole.body)
        return [each for meta in metas for each in _listings(meta.universe, whole.heard)]
    if first.dir is not shapes.UNSET:
        return _closings(FILL_ROWS.decode(whole.body), "", whole)
    if first.tid is not shapes.UNSET:
        return _trades(whole)
    if first.T is not shapes.UNSET:
        return [bar for each in CANDLES.decode(whole.body) for bar in _bars(each, whole.heard)]
    raise undecodable(_VENUE, "a list of no known rows")


def _side(text: str) -> Side:
    if text not in _TAKER:
        raise BadValue(f"side {text[:20]!r}")
    return _TAKER[text]


def _dollars(coin: str, value: float) -> float | None:
    """Perpetuals are quoted in dollars; of spot pairs only some say their quote."""
    spot = coin.startswith("@") or "/" in coin
    return value if not spot or coin.endswith(_DOLLARS) else None


def _levels(orders: list[shapes.Order]) -> tuple[Level, ...]:
    return tuple(
        (positive(each.px, "level price"), nonnegative(each.sz, "level size")) for each in orders
    )


def _book(frame: _Frame) -> list[LiveEvent]:
    """A delisted coin keeps sending a book without levels."""
    book = BOOK.decode(frame.body)
    return [
        BookChange(
            venue=_VENUE, symbol=book.coin, usable_from=frame.heard, heard=frame.heard,
            ts=stamp_ns(book.time, "book time") if book.time else frame.heard, snapshot=True,
            first=None, last=None, previous=None, bids=_levels(book.levels[0]),
            asks=_levels(book.levels[1]),
        )
    ]  # fmt: skip


def _best(frame: _Frame) -> list[LiveEvent]:
    """A list of one names the bid alone."""
    best = BEST.decode(frame.body)
    sides = [_levels([each])[0] if each else (None, None) for each in (*best.bbo, None, None)]
    return [
        Quote(venue=_VENUE, symbol=best.coin, ts=stamp_ns(best.time, "quote time"),
              usable_from=frame.heard, heard=frame.heard, bid=sides[0][0], bid_size=sides[0][1],
              ask=sides[1][0], ask_size=sides[1][1])
    ]  # fmt: skip


def _trades(frame: _Frame) -> list[LiveEvent]:
    """The first frame after subscribing replays trades of the last seconds: their ids repeat."""
    found: list[LiveEvent] = []
    for each in TRADES.decode(frame.body):
        price, size = positive(each.px, "price"), positive(each.sz, "size")
        found.append(
            Trade(
                venue=_VENUE, symbol=each.coin, ts=stamp_ns(each.time, "trade time"),
                usable_from=frame.heard, heard=frame.heard, price=price, size=size,
                notional_usd=_dollars(each.coin, price * size), taker_side=_side(each.side),
                trade_id=each.tid,
            )
        )  # fmt: skip
    return found


def _context(frame: _Frame) -> list[LiveEvent]:
    named = CONTEXT.decode(frame.body)
    return _told(named.coin, named.ctx, frame.heard)


def _told(coin: str, context: shapes.Context, heard: int) -> list[LiveEvent]:
    """Mark, oracle price, open interest and the hour's running funding; what is not said gives nothing."""
    found: list[LiveEvent] = []
    mark = None if context.mark is None else positive(context.mark, "mark price")
    oracle = None if context.oracle is None else positive(context.oracle, "oracle price")
    if mark is not None or oracle is not None:
        found.append(Ticker(venue=_VENUE, symbol=coin, ts=heard, usable_from=heard, heard=heard,
                            mark=mark, index=oracle))  # fmt: skip
    if context.interest is not None:
        found.append(
            OpenInterest(venue=_VENUE, symbol=coin, ts=heard, usable_from=heard, heard=heard,
                         amount=nonnegative(context.interest, "open interest"), unit="coin")
        )  # fmt: skip
    if context.funding is not None:
        found.append(
            FundingEstimate(venue=_VENUE, symbol=coin, ts=heard, usable_from=heard, heard=heard,
                            rate=number(context.funding, "funding"), next_settlement=None,
                            interval_s=_HOUR_S)
        )  # fmt: skip
    return found


def _state(meta: bytes, contexts: bytes, heard: int) -> list[LiveEvent]:
    """metaAndAssetCtxs: names and contexts by position; a delisted coin's context is no longer a market."""
    coins, states = META.decode(meta).universe, CONTEXTS.decode(contexts)
    if len(coins) != len(states):
        raise BadValue(f"{len(coins)} names for {len(states)} contexts")
    found = _listings(coins, heard)
    for coin, state in zip(coins, states, strict=True):
        found += [] if coin.delisted else _told(coin.name, state, heard)
    return found


def _listings(coins: list[shapes.Coin], heard: int) -> list[LiveEvent]:
    """No tick size: prices have five significant figures, so the step follows the price."""
    found: list[LiveEvent] = []
    for coin in coins:
        lot = None if coin.decimals is None else step_of(coin.decimals)
        terms = Terms(
            lot_size=lot, funding_interval_s=_HOUR_S, funding_cap=_CAP, funding_floor=-_CAP
        )
        base, status = coin.name.rpartition(":")[2], "delisted" if coin.delisted else "live"
        found.append(listing(_VENUE, coin.name, heard, base, "linear", status, terms))
    return found


def _candle(frame: _Frame) -> list[LiveEvent]:
    return _bars(CANDLE.decode(frame.body), frame.heard)


def _bars(candle: shapes.Candle, heard: int) -> list[LiveEvent]:
    """A bar once its last millisecond is over; nothing in the message itself says that it is closed."""
    prices = [positive(text, "bar price") for text in (candle.o, candle.h, candle.l, candle.c)]
    volume = nonnegative(candle.v, "volume")
    opened, ends = stamp_ns(candle.t, "bar time"), stamp_ns(candle.T, "bar end")
    try:
        interval_ns = parse_interval(candle.i)
    except ValueError as error:
        raise BadValue(str(error)) from error
    if heard <= ends:
        return []
    return [
        Bar(venue=_VENUE, symbol=candle.s, ts=opened, usable_from=heard, heard=heard,
            interval_ns=interval_ns, open=prices[0], high=prices[1], low=prices[2],
            close=prices[3], volume=volume)
    ]  # fmt: skip


def _account(frame: _Frame) -> list[LiveEvent]:
    told = FILLS.decode(frame.body)
    if told.fills is None:
        return [_control("notice", "an account's event without fills", frame.heard)]
    return _closings(told.fills, told.user, frame)


def _closings(fills: list[shapes.Fill], user: str, frame: _Frame) -> list[LiveEvent]:
    """Of one account's fills, those that closed somebody out; all others are no market event."""
    asked = _ACCOUNT.search(frame.address)
    owner = (user or (asked[1] if asked else "")).lower()
    found: list[LiveEvent] = []
    for fill in fills:
        if fill.dir == "Auto-Deleveraging" or fill.liquidation is not None:
            found += _closing(fill, owner, frame.heard)
    return found


def _closing(fill: shapes.Fill, owner: str, heard: int) -> list[LiveEvent]:
    price, size = positive(fill.px, "price"), positive(fill.sz, "size")
    ts = stamp_ns(fill.time, "fill time")
    if fill.dir == "Auto-Deleveraging":  # the owner is the winner whose position was cut
        return [OffBook(venue=_VENUE, symbol=fill.coin, ts=ts, usable_from=heard, heard=heard,
                        price=price, size=size, reason="auto-deleveraging", trade_id=fill.tid)]  # fmt: skip
    forced = _forced_side(fill, owner)
    if forced is None:
        return []
    return [
        Liquidation(
            venue=_VENUE, symbol=fill.coin, ts=ts, usable_from=heard, heard=heard,
            forced_side=forced, price=price, price_kind="fill", size=size,
            notional_usd=_dollars(fill.coin, price * size), coverage="unknown",
            trade_id=fill.tid or None,
        )
    ]  # fmt: skip


def _forced_side(fill: shapes.Fill, owner: str) -> Side | None:
    """The owner's own side where he was closed out, else the opposite; None where that cannot be told.

    "Liquidated Cross Long" is his own. Otherwise the account decides. One that opens a position was not
    closed out, so it stood on the other side.
    """
    side = _side(fill.side)
    if fill.dir.startswith("Liquidated"):
        if not fill.dir.endswith("Long" if side == "sell" else "Short"):
            raise BadValue(f"side {fill.side!r} of a fill {fill.dir[:40]!r}")
        return side
    if owner and fill.liquidation is not None:
        return side if owner == fill.liquidation.user.lower() else _OTHER[side]
    return _OTHER[side] if fill.dir.startswith("Open") else None


def _control(what: str, text: str, heard: int, topics: tuple[str, ...] = ()) -> Control:
    return Control(venue=_VENUE, symbol="", ts=heard, usable_from=heard, heard=heard,
                   what="ack" if what == "ack" else "error" if what == "error" else "notice",
                   text=text[:200], topics=topics)  # fmt: skip


def _topic(said: shapes.Subscription) -> str:
    return f"{said.type} {said.coin or ''}".strip()


def _answer(frame: _Frame) -> list[LiveEvent]:
    said = ANSWER.decode(frame.body)
    topic = _topic(said.subscription)
    granted = (topic,) if said.method == "subscribe" else ()
    return [_control("ack", f"{said.method} {topic}", frame.heard, granted)]


def _error(frame: _Frame) -> list[LiveEvent]:
    """One "error" is a confirmation: of what was asked for again because the first was lost."""
    text = MESSAGE.decode(frame.body)
    if not text.startswith(_ALREADY):
        return [_control("error", text, frame.heard)]
    said = SUBSCRIPTION.decode(text.removeprefix(_ALREADY))
    return [_control("ack", text, frame.heard, (_topic(said),))]


def _pong(frame: _Frame) -> list[LiveEvent]:
    return [_control("ack", "pong", frame.heard)]


def _posted(frame: _Frame) -> list[LiveEvent]:
    return [_control("notice", f"answer to post {POSTED.decode(frame.body).id}", frame.heard)]


def _nothing(frame: _Frame) -> list[LiveEvent]:
    ENVELOPE.decode(frame.body)
    return []


_BY_CHANNEL = {
    "l2Book": _book,
    "bbo": _best,
    "trades": _trades,
    "activeAssetCtx": _context,
    "activeSpotAssetCtx": _context,
    "candle": _candle,
    "user": _account,
    "userFills": _account,
    "subscriptionResponse": _answer,
    "error": _error,
    "pong": _pong,
    "post": _posted,
    "allMids": _nothing,
    "allDexsAssetCtxs": _nothing,
}

VENUES = (Venue(_VENUE, decode),)
