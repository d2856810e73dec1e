"""Virtual time: a loop that jumps to its next timer, a clock to be set, a log in memory, lines with no network."""

import asyncio
import json
import selectors
from collections import Counter
from random import Random

from airpocket.delivery.virtual import VirtualLoop
from airpocket.ingest.connection import World
from airpocket.ingest.dial import LineClosed, Refused

S = 1_000_000_000
START = 1_800_000_000 * S


class _Selector(selectors.DefaultSelector):
    """Asks for what is ready now; the time it should have waited passes at once."""

    loop = None

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("nothing will ever happen: every task waits for another")
            self.loop.passed += max(timeout, 0.0)
        return ready


class SimLoop(asyncio.SelectorEventLoop):
    """A loop whose time only timers move; a day takes as long as its events. Work for threads is done at once."""

    def __init__(self):
        selector = _Selector()
        selector.loop = self
        self.passed = 0.0
        super().__init__(selector)

    def time(self):
        return self.passed

    run_in_executor = VirtualLoop.run_in_executor


class SimClock:
    """`wall_off` is what somebody has set the wall clock by; `slept` is time that passed in sleep (both ns)."""

    def __init__(self, loop):
        self._loop = loop
        self.wall_off = self.slept = 0

    def monotonic(self):
        return S + round(self._loop.passed * S)

    def now(self):
        return START + round(self._loop.passed * S) + self.wall_off + self.slept

    def asleep(self):
        return self.slept


class MemoryLog:
    """Every record is durable at once, or when `free` is set again."""

    def __init__(self):
        self.records = []
        self.free = asyncio.Event()
        self.free.set()
        self.sequence = 0

    async def put(self, record):
        self.sequence += 1
        self.records.append(record)
        return self

    async def durable(self, sequence):
        assert sequence <= self.sequence
        await self.free.wait()

    def of(self, kind):
        return [record for record in self.records if record.kind == kind]


class SimLine:
    """One open line of a SimVenue."""

    def __init__(self, url, opened):
        self.url, self.opened = url, opened
        self.frames = asyncio.Queue()
        self.said, self.said_at = [], []
        self.closed = ""
        self.answers_pings = True

    def deliver(self, frame):
        if not self.closed:
            self.frames.put_nowait(frame)

    def cut(self, reason):
        self.closed = reason
        self.frames.put_nowait(None)

    async def receive(self):
        frame = await self.frames.get()
        if frame is None:
            raise LineClosed(self.closed)
        return frame

    async def send(self, text):
        if self.closed:
            raise LineClosed(self.closed)
        self.said.append(text)
        self.said_at.append(asyncio.get_running_loop().time())

    async def ping(self):
        pong = asyncio.get_running_loop().create_future()
        if self.answers_pings:
            pong.set_result(None)
        return pong

    async def close(self):
        self.closed = self.closed or "closed by us"


class SimVenue:
    """Dials and answers. `reachable` False refuses every call; `lines` holds all that were ever opened.

    Lines opened after `dead_from` connect and stay silent. `refusal` is what a call is refused with.
    """

    def __init__(self):
        self.lines, self.dials, self.asked = [], Counter(), Counter()
        self.dialled_at = []
        self.reachable, self.dead_from = True, float("inf")
        self.answers, self.listed = {}, ("ETHUSDT",)
        self.refusal = Refused("no connection: unreachable")

    async def dial(self, url):
        self.dials[url.split("/")[2]] += 1
        self.dialled_at.append((asyncio.get_running_loop().time(), url.split("/")[2]))
        if not self.reachable:
            raise self.refusal
        line = SimLine(url, asyncio.get_running_loop().time())
        self.lines.append(line)
        return line

    async def ask(self, poll):
        path = poll.url.split("?")[0]
        self.asked[path] += 1
        if not self.reachable:
            raise Refused("no answer")
        for end, answer in self.answers.items():
            if path.endswith(end):
                return answer() if callable(answer) else answer
        if path.endswith("/exchangeInfo"):
            return json.dumps({"symbols": [listed(symbol) for symbol in self.listed]}).encode()
        if path.endswith("/fundingInfo"):
            return b'[{"symbol":"SOLUSDT","fundingIntervalHours":4}]'
        raise Refused("HTTP 404: refused from here", for_good=True)

    def open_lines(self, part=""):
        """Those that may still speak."""
        return [
            line for line in self.lines
            if not line.closed and part in line.url and line.opened < self.dead_from
        ]  # fmt: skip


def listed(symbol):
    """A row of USD-M's exchangeInfo."""
    return {"symbol": symbol, "contractType": "PERPETUAL", "status": "TRADING",
            "baseAsset": symbol.removesuffix("USDT"), "onboardDate": 1569398400000,
            "deliveryDate": 4133404800000,
            "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.01"}]}  # fmt: skip


def world_of(loop, venue, seed=7):
    clock = SimClock(loop)
    return World(clock, venue.dial, venue.ask, Random(seed), asyncio.sleep, clock.asleep), clock


def simulate(main):
    """Run `main(loop)` in virtual time to its end."""
    loop = SimLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main(loop))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class Binance:
    """Frames of USD-M as the venue sends them, stamped by its own clock (ms)."""

    def __init__(self, clock):
        self._clock, self.ahead_ms = clock, 0.0
        self.last, self.trades = 100, 0

    @property
    def ms(self):
        true = START + self._clock.monotonic() - S + self._clock.slept
        return int(true // 1_000_000 + self.ahead_ms)

    def _frame(self, stream, data):
        return json.dumps({"stream": stream, "data": data})

    def depth(self, symbol="ETHUSDT"):
        first = self.last + 1 if self.last > 100 else 95
        previous, self.last = self.last, self.last + 3
        data = {"e": "depthUpdate", "E": self.ms, "T": self.ms, "s": symbol, "U": first, "u": self.last,
                "pu": previous, "b": [["3000.0", str(self.last)]], "a": []}  # fmt: skip
        return self._frame(f"{symbol.lower()}@depth@100ms", data)

    def snapshot(self):
        size = str(self.last) if self.last > 100 else "5"  # as the changes say
        return json.dumps(
            {"lastUpdateId": self.last, "E": self.ms, "T": self.ms, "bids": [["3000.0", size], ["2999.5", "7"]],
             "asks": [["3000.5", "4"], ["3001.0", "9"]]}
        ).encode()  # fmt: skip

    def trade(self, symbol="ETHUSDT"):
        self.trades += 1
        data = {"e": "trade", "E": self.ms, "T": self.ms, "s": symbol, "t": self.trades, "p": "3000.5",
                "q": "1.5", "X": "MARKET", "m": False}  # fmt: skip
        return self._frame(f"{symbol.lower()}@trade", data)

    def quote(self, symbol="ETHUSDT"):
        data = {"e": "bookTicker", "u": self.last, "s": symbol, "b": "3000", "B": "1", "a": "3000.5", "A": "1",
                "T": self.ms, "E": self.ms}  # fmt: skip
        return self._frame(f"{symbol.lower()}@bookTicker", data)

    def mark(self, symbol="ETHUSDT"):
        data = {"e": "markPriceUpdate", "E": self.ms, "s": symbol, "p": "3000.2", "i": "3000", "P": "0",
                "r": "0.0001", "T": self.ms + 3_600_000}  # fmt: skip
        return self._frame(f"{symbol.lower()}@markPrice@1s", data)

    def time(self):
        return b'{"serverTime":%d}' % self.ms

    def bar(self, symbol="ETHUSDT"):
        opened = self.ms // 60_000 * 60_000 - 60_000
        bar = {"t": opened, "T": opened + 59_999, "s": symbol, "i": "1m", "f": 1, "L": 2, "o": "3000", "c": "3000",
               "h": "3001", "l": "2999", "v": "10", "n": 2, "x": True, "q": "30000", "V": "5", "Q": "15000",
               "B": "0"}  # fmt: skip
        return self._frame(
            f"{symbol.lower()}@kline_1m", {"e": "kline", "E": self.ms, "s": symbol, "k": bar}
        )

    def shutdown(self):
        return self._frame("!", {"e": "serverShutdown", "E": self.ms})
