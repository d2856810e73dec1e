"""Bytes → decoded → book → best bid and ask on recorded Binance depth frames, one at a time and in bulk."""

import asyncio
import gzip
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ccxt.pro
import msgspec
import numpy as np
from cryptofeed.defines import ASK, BID
from cryptofeed.exchanges import BinanceFutures
from cryptofeed.types import OrderBook as FeedBook
from order_book import OrderBook
from yapic import json as feed_json

from airpocket.domain.wire import BookChange
from airpocket.ingest.venues.registry import VENUES
from airpocket.live.tops import TopReader
from airpocket.market.books.book import Book
from benchmarks.harness import Figure, against

_RECORDED = Path(__file__).parents[2] / "shared/wire/hftbacktest/usdm/ethusdt_20240808.gz"
_PAIR = "ETH-USDT-PERP"
_FEW = 1_000  # messages after each of which the slowest peer reads its best
_HEARD = 1_723_161_257_000_000_000


class Recording:
    """The snapshot and the depth frames after it, as they were heard."""

    def __init__(self) -> None:
        with gzip.open(_RECORDED, "rb") as file:
            frames = [line.split(b" ", 1)[1].strip() for line in file]
        self.snapshot = next(f for f in frames if f.startswith(b'{"lastUpdateId"'))
        self.depth = [f for f in frames if b"@depth" in f[:40]]


def ours(recording: Recording) -> tuple[float, float]:
    """The shipped decoder and the shipped book; its sequence checks are on."""
    decode, book = VENUES["binance_usdm"].decode, Book("binance_usdm", "ETHUSDT")
    best = None
    for frame, address in _frames(recording):
        for event in decode(frame, _HEARD, address):
            if isinstance(event, BookChange):
                book.apply(event)
                best = book.levels.touch() if book.levels is not None else None
    assert best is not None
    return best.bid, best.ask


def in_bulk(recording: Recording, depth: Sequence[bytes] | None = None) -> tuple[float, float]:
    """The shipped replay of a book: the best bid and ask after every message, sequence checks on."""
    reader = TopReader(VENUES["binance_usdm"], "ETHUSDT")
    frames = [recording.snapshot, *(recording.depth if depth is None else depth)]
    rows = reader.take(frames, np.full(len(frames), _HEARD), {0: "x?symbol=ETHUSDT"})
    assert not np.isnan(rows.tops.bid).any()
    return float(rows.tops.bid[-1]), float(rows.tops.ask[-1])


def _frames(recording: Recording) -> Iterator[tuple[bytes, str]]:
    yield recording.snapshot, "x?symbol=ETHUSDT"
    for frame in recording.depth:
        yield frame, ""


def cryptofeed(recording: Recording) -> tuple[float, float]:
    """cryptofeed's own handler, with its parser and its sequence check; its callback does nothing.

    It is spared the best bid and ask of each message, which its book sorts for: ours reads them.
    """
    feed: Any = BinanceFutures.__new__(BinanceFutures)
    book = FeedBook("BINANCE_FUTURES", _PAIR)
    snapshot = feed_json.loads(recording.snapshot, parse_float=Decimal)
    for side, rows in ((BID, snapshot["bids"]), (ASK, snapshot["asks"])):
        for price, size in rows:
            book.book[side][Decimal(price)] = Decimal(size)
    feed._l2_book = {_PAIR: book}
    feed.last_update_id = {_PAIR: snapshot["lastUpdateId"]}
    feed.exchange_symbol_to_std_symbol = lambda _: _PAIR

    async def callback(*_: object, **__: object) -> None:
        """Nothing."""

    feed.book_callback = callback

    async def handle() -> None:
        for frame in recording.depth:
            message = feed_json.loads(frame, parse_float=Decimal)["data"]
            await feed._book(message, message["s"], 0.0)

    asyncio.run(handle())
    return float(book.book.bids.index(0)[0]), float(book.book.asks.index(0)[0])


def ccxt_pro(recording: Recording) -> tuple[float, float]:
    """ccxt.pro's own handler of one message, its parser and its sequence check included."""
    exchange: Any = ccxt.pro.binanceusdm()
    market = {
        "id": "ETHUSDT",
        "symbol": "ETH/USDT:USDT",
        "type": "swap",
        "swap": True,
        "spot": False,
    }
    exchange.safe_market = lambda *_: market
    snapshot = msgspec.json.decode(recording.snapshot)
    book = exchange.order_book({})
    parsed = exchange.parse_order_book(snapshot, "ETH/USDT:USDT", snapshot["T"])
    book.reset({**parsed, "nonce": snapshot["lastUpdateId"]})
    exchange.orderbooks = {"ETH/USDT:USDT": book}
    client = SimpleNamespace(url="wss://fstream.binance.com/ws", resolve=_take, reject=_take)
    for frame in recording.depth:
        exchange.handle_order_book(client, exchange.parse_json(frame.decode())["data"])
        book["bids"][0], book["asks"][0]
    return book["bids"][0][0], book["asks"][0][0]


def _take(*_: object) -> None:
    """What a client does with a result: nothing here."""


class _Depth(msgspec.Struct):
    U: int
    u: int
    pu: int
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]


class _Outer(msgspec.Struct):
    data: _Depth


def composed(
    recording: Recording, depth: Sequence[bytes] | None = None, *, reads: bool = False
) -> tuple[float, float]:
    """msgspec with order_book's C book, put together by hand, with the same sequence check.

    Unless it `reads`, it too is spared the best of each message, for which its book sorts a whole side.
    """
    decoder = msgspec.json.Decoder(_Outer, strict=False)
    snapshot = msgspec.json.decode(recording.snapshot)
    book = OrderBook()
    for side, rows in ((book.bids, snapshot["bids"]), (book.asks, snapshot["asks"])):
        for price, size in rows:
            side[float(price)] = float(size)
    last, joined = snapshot["lastUpdateId"], False
    for frame in recording.depth if depth is None else depth:
        message = decoder.decode(frame).data
        if message.u < last:
            continue
        assert message.pu == last if joined else last >= message.U
        last, joined = message.u, True
        for side, rows in ((book.bids, message.b), (book.asks, message.a)):
            for price, size in rows:
                if size:
                    side[price] = size
                elif price in side:
                    del side[price]
        if reads:
            book.bids.index(0), book.asks.index(0)
    return book.bids.index(0)[0], book.asks.index(0)[0]


def figures() -> Iterator[Figure]:
    """Ours against each peer, alternating; all must end at the same best bid and ask."""
    if not _RECORDED.exists():
        print(f"skipped: no recorded frames at {_RECORDED}")
        return
    recording = Recording()
    end = ours(recording)
    peers: dict[str, Callable[[Recording], tuple[float, float]]] = {
        "cryptofeed 2.4.1": cryptofeed, "ccxt.pro": ccxt_pro, "msgspec + order_book": composed,
    }  # fmt: skip
    assert in_bulk(recording) == end
    ways = {"one at a time": ours, "in bulk": in_bulk}
    for name, peer in peers.items():
        assert peer(recording) == end, f"{name} ends elsewhere"
        for way, work in ways.items():
            yield against(
                f"depth message, {way}", lambda work=work: work(recording), name,
                lambda peer=peer: peer(recording), per=len(recording.depth), unit="us", repeats=5,
            )  # fmt: skip
    few = recording.depth[:_FEW]
    yield against(
        "depth message, in bulk, the peer reading too", lambda: in_bulk(recording, few),
        "msgspec + order_book", lambda: composed(recording, few, reads=True), per=_FEW, unit="us", repeats=3,
    )  # fmt: skip
