"""Four hundred books lost at once, against a venue that bans: snapshots come one by one within half the budget."""

import asyncio
import heapq
import itertools
import json
from collections import deque
from contextlib import asynccontextmanager

import pytest
from live.fake_venue import FakeVenue

from airpocket.ingest.ask import Asker
from airpocket.ingest.connection import World
from airpocket.ingest.dial import Refused
from airpocket.ingest.feed import Poll
from airpocket.ingest.venues.registry import FEEDS, VENUES
from airpocket.live.resync import Resyncer
from airpocket.market.books.book import Book

S = 1_000_000_000
SYMBOLS = tuple(f"C{n:03d}USDT" for n in range(400))
DEPTH = "/fapi.binance.com/fapi/v1/depth"


class SimulatedTime:
    """A clock that jumps to the next sleeper once no question is on the wire; real sockets in between."""

    def __init__(self):
        self.at, self.on_the_wire = 1_800_000_000 * S, 0
        self._sleepers, self._order = [], itertools.count()

    def now(self):
        return self.at

    monotonic = now

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(
            self._sleepers, (self.at + max(int(seconds * S), 1), next(self._order), woken)
        )
        await woken

    async def run(self, until):
        while self.at < until:
            for _ in range(20):  # whoever can go on does
                await asyncio.sleep(0)
            if self.on_the_wire:
                await asyncio.sleep(0.001)
            elif self._sleepers:
                self.at, _, woken = heapq.heappop(self._sleepers)
                woken.set_result(None)
            else:
                return


class Ledger:
    """The venue's own: weight by minute; above the limit it answers 429, and then bans."""

    def __init__(self, time, limit, weight=20):
        self.time, self.limit, self.weight = time, limit, weight
        self.used, self.answers = deque(), []
        self.banned_until = 0

    def answer(self):
        now = self.time.at
        while self.used and self.used[0] <= now - 60 * S:
            self.used.popleft()
        if now < self.banned_until:
            self.answers.append((now, 418))
            return 418, b"banned", {"Retry-After": str((self.banned_until - now) // S + 1)}
        if (len(self.used) + 1) * self.weight > self.limit:
            self.banned_until = now + 120 * S
            self.answers.append((now, 429))
            return 429, b"slow down", {"Retry-After": "120"}
        self.used.append(now)
        self.answers.append((now, 200))
        body = {"lastUpdateId": 100, "bids": [["10.0", "5"]], "asks": [["11.0", "4"]]}
        return 200, json.dumps(body).encode(), {}

    def most_in_a_minute(self):
        times = [at for at, status in self.answers if status == 200]
        return self.weight * max(
            sum(1 for each in times if at - 60 * S < each <= at) for at in times
        )


class Sink:
    """Decodes what comes and gives it to the books."""

    def __init__(self, books):
        self.books, self.lost = books, []

    async def take(self, record):
        if record.kind != "rest":
            self.lost.append(record.about)
            return
        for event in VENUES[record.venue].decode(record.body, record.heard, record.about):
            self.books[event.symbol].apply(event)


def lost_books():
    books = {symbol: Book("binance_usdm", symbol) for symbol in SYMBOLS}
    for symbol, book in books.items():
        (change,) = VENUES["binance_usdm"].decode(
            json.dumps({"e": "depthUpdate", "E": 1_800_000_000_000, "s": symbol, "U": 95, "u": 105, "pu": 94,
                        "b": [], "a": []}).encode(), 1_800_000_000 * S, "",
        )  # fmt: skip
        book.apply(change)
    return books


@asynccontextmanager
async def resyncing(ledger, time, books):
    feed = FEEDS["binance_usdm"](SYMBOLS)
    async with FakeVenue(None, {DEPTH: ledger.answer}) as venue:
        asker = Asker(
            {"binance_usdm": feed.weight_per_minute}, time, time.sleep, gate=f"http://{venue.gate}"
        )
        body_of = asker._body

        async def on_the_wire(poll):
            time.on_the_wire += 1
            try:
                return await body_of(poll)
            finally:
                time.on_the_wire -= 1

        asker._body = on_the_wire
        sink = Sink(books)
        world = World(time, None, asker, sleep=time.sleep)
        resyncer = Resyncer({"binance_usdm": feed}, {}, sink, world)

        async def tick():
            while True:
                await time.sleep(1.0)
                wanting = [("binance_usdm", s) for s, book in books.items() if book.wants_snapshot]
                resyncer.mend(wanting, time.at)
                resyncer.audit(
                    [("binance_usdm", s) for s, book in books.items() if book.auditable], time.at
                )

        ticking = asyncio.create_task(tick())
        yield venue, sink, asker
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        await resyncer.close()
        await asker.close()


@pytest.mark.fault("B06")
def test_four_hundred_lost_books_are_mended_within_half_of_the_budget():
    time, books = SimulatedTime(), lost_books()
    ledger = Ledger(time, limit=2_400)

    async def run():
        begun = time.at
        async with resyncing(ledger, time, books):
            await time.run(begun + 900 * S)

    asyncio.run(run())
    assert {book.state for book in books.values()} == {"live"}
    assert {status for _, status in ledger.answers} == {200}
    assert ledger.most_in_a_minute() <= 1_200
    assert len(ledger.answers) <= 400 + 40  # each once, and the first audits


@pytest.mark.fault("B06")
def test_after_a_ban_nothing_is_asked_until_it_is_over():
    """Another program on the same address has used the budget up: the venue bans us in the middle."""
    time, books = SimulatedTime(), lost_books()
    ledger = Ledger(time, limit=300)

    async def run():
        begun = time.at
        async with resyncing(ledger, time, books):
            await time.run(begun + 400 * S)

    asyncio.run(run())
    refused = [at for at, status in ledger.answers if status == 429]
    assert len(refused) >= 2
    assert all(status != 418 for _, status in ledger.answers)
    assert all(not first < at < first + 120 * S for first in refused for at, _ in ledger.answers)


@pytest.mark.fault("B06")
def test_a_poll_is_not_kept_waiting_by_the_snapshots_of_hundreds_of_books():
    time, books, waited = SimulatedTime(), lost_books(), []
    ledger = Ledger(time, limit=2_400)

    async def run():
        begun = time.at
        async with resyncing(ledger, time, books) as (_, _, asker):

            async def poll():
                url = "https://fapi.binance.com/fapi/v1/openInterest?symbol=C000USDT"
                while True:
                    await time.sleep(15.0)
                    asked = time.at
                    with pytest.raises(Refused, match="404"):
                        await asker(Poll("binance_usdm", url, (), every_s=15.0))
                    waited.append((time.at - asked) / S)

            polling = asyncio.create_task(poll())
            await time.run(begun + 300 * S)
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)

    asyncio.run(run())
    assert len(waited) > 15
    assert max(waited) < 5.0
