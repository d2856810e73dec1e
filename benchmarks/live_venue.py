"""A venue for the live benchmark, in a process of its own: Binance's two routes of one market, at a fixed rate.

Every open connection of a route hears the same messages, as at the venue; what is asked over REST is answered,
so that no channel stays unproven and no book unbuilt.
"""

import asyncio
import json
import time
from http import HTTPStatus
from multiprocessing.connection import Connection
from typing import Any

import msgspec
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

PAUSE_S = 60.0  # how long the venue stays after its last message
_SYMBOL = "ETHUSDT"
_LEVELS = 12  # a side, of each tenth message; the others are trades and quotes
_TURN_S = 0.002

Message = dict[str, Any]


class Venue:
    """One market. `sent`: the number of the last message; each number is one message of the mix."""

    def __init__(self, rate: int, seconds: float, pipe: Connection) -> None:
        self.sent = 0
        self._rate, self._seconds, self._pipe = rate, seconds, pipe
        self._listening: dict[str, set[ServerConnection]] = {"public": set(), "market": set()}
        self._begin = asyncio.Event()

    async def run(self) -> None:
        """Speak from the first listener on; says the port first and, when all is sent, how many."""
        async with serve(
            self._hear, "127.0.0.1", 0, compression=None, process_request=self._answer
        ) as server:
            self._pipe.send(next(iter(server.sockets)).getsockname()[1])
            await self._begin.wait()
            slow = asyncio.create_task(self._speak_slowly())
            await self._speak()
            self._pipe.send(self.sent)
            await asyncio.sleep(PAUSE_S)
            slow.cancel()

    async def _hear(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        group = self._listening["public" if "/public/" in connection.request.path else "market"]
        group.add(connection)
        if group is self._listening["public"]:
            self._begin.set()
        try:
            await connection.wait_closed()
        finally:
            group.discard(connection)

    async def _speak(self) -> None:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < self._seconds:
            now_ms = time.time_ns() // 1_000_000
            while self.sent < self._rate * passed:
                self.sent += 1
                broadcast(self._listening["public"], frame(self.sent, now_ms))
            await asyncio.sleep(_TURN_S)

    async def _speak_slowly(self) -> None:
        while True:
            now_ms = time.time_ns() // 1_000_000
            for message in slow_frames(now_ms):
                broadcast(self._listening["market"], message)
            await asyncio.sleep(1.0)

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        del connection
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return None
        asked = request.path.partition("?")[0].rpartition("/")[2]
        body = json.dumps(self._answers(asked)).encode()
        fields = Headers({"Content-Length": str(len(body)), "Connection": "close"})
        return Response(HTTPStatus.OK, HTTPStatus.OK.phrase, fields, body)

    def _answers(self, asked: str) -> object:
        now_ms = time.time_ns() // 1_000_000
        if asked == "depth":
            return _book(self.sent, now_ms)
        if asked == "openInterest":
            return {"openInterest": "2000000.000", "symbol": _SYMBOL, "time": now_ms}
        if asked == "exchangeInfo":
            return {"serverTime": now_ms, "symbols": [_CONTRACT]}
        if asked == "fundingInfo":
            return [{"symbol": _SYMBOL, "fundingIntervalHours": 8, "disclaimer": False}]
        return {"serverTime": now_ms}


_CONTRACT = {
    "symbol": _SYMBOL, "pair": _SYMBOL, "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "ETH",
    "quoteAsset": "USDT", "pricePrecision": 2, "quantityPrecision": 3,
    "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.01"},
                {"filterType": "LOT_SIZE", "stepSize": "0.001"}],
}  # fmt: skip


def frame(number: int, now_ms: int) -> str:
    """One message of the mix: a tenth depth changes, half quotes, the rest trades."""
    price = _price(number)
    if number % 10 == 0:
        stream, data = "depth@100ms", _depth(number, now_ms)
    elif number % 10 < 6:
        stream, data = "bookTicker", {
            "e": "bookTicker", "u": number, "s": _SYMBOL, "b": f"{price:.2f}", "B": "1",
            "a": f"{price + 0.01:.2f}", "A": "2", "T": now_ms, "E": now_ms}  # fmt: skip
    else:
        stream, data = "trade", {
            "e": "trade", "E": now_ms, "T": now_ms, "s": _SYMBOL, "t": number, "p": f"{price:.2f}", "q": "0.5",
            "X": "MARKET", "m": number % 2 == 0}  # fmt: skip
    return json.dumps({"stream": f"ethusdt@{stream}", "data": data}, separators=(",", ":"))


def slow_frames(now_ms: int) -> tuple[str, str]:
    """What the route of marks and bars says each second."""
    return json.dumps(_mark(now_ms)), json.dumps(_minute(now_ms))


def snapshot(number: int, now_ms: int) -> bytes:
    """The book after a message, as REST tells it."""
    return json.dumps(_book(number, now_ms)).encode()


class _Numbered(msgspec.Struct):
    e: str
    u: int = 0
    t: int = 0


class _Enveloped(msgspec.Struct):
    data: _Numbered


_READ = msgspec.json.Decoder(_Enveloped)


def number_of(body: bytes) -> int:
    """Which message of the mix a frame was; 0 for what the slow route says."""
    data = _READ.decode(body).data
    return {"depthUpdate": 10 * data.u, "bookTicker": data.u, "trade": data.t}.get(data.e, 0)


def speak(rate: int, seconds: float, pipe: Connection) -> None:
    """The process: messages a second, for so many seconds; port and count go through the pipe."""
    asyncio.run(Venue(rate, seconds, pipe).run())


def _price(number: int) -> float:
    return 3_000.0 + (number % 100) * 0.01


def _depth(number: int, now_ms: int) -> Message:
    price, change = _price(number), number // 10
    return {
        "e": "depthUpdate", "E": now_ms, "T": now_ms, "s": _SYMBOL, "U": change, "u": change, "pu": change - 1,
        "b": [[f"{price - 1 - k * 0.01:.2f}", f"{1 + (number + k) % 9}"] for k in range(_LEVELS)],
        "a": [[f"{price + 1 + k * 0.01:.2f}", f"{1 + (number + k) % 7}"] for k in range(_LEVELS)],
    }  # fmt: skip


def _book(number: int, now_ms: int) -> Message:
    data, stamps = _depth(number, now_ms), {"E": now_ms, "T": now_ms}
    return {"lastUpdateId": number // 10, **stamps, "bids": data["b"], "asks": data["a"]}


def _mark(now_ms: int) -> Message:
    return {"stream": "ethusdt@markPrice@1s", "data": {
        "e": "markPriceUpdate", "E": now_ms, "s": _SYMBOL, "p": "3000.50", "i": "3000.40", "P": "3000.45",
        "r": "0.00010000", "T": (now_ms // 28_800_000 + 1) * 28_800_000}}  # fmt: skip


def _minute(now_ms: int) -> Message:
    start = now_ms // 60_000 * 60_000
    return {"stream": "ethusdt@kline_1m", "data": {
        "e": "kline", "E": now_ms, "s": _SYMBOL, "k": {
            "t": start, "T": start + 59_999, "s": _SYMBOL, "i": "1m", "f": 1, "L": 2, "o": "3000.00",
            "c": "3000.50", "h": "3001.00", "l": "3000.00", "v": "100.0", "n": 2, "x": False, "q": "300000.0",
            "V": "50.0", "Q": "150000.0", "B": "0"}}}  # fmt: skip
