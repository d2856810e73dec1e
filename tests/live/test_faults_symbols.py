"""One symbol of many, quiet markets, and what a confirmation leaves out."""

import asyncio
import json
from random import Random

import pytest
from live.sim import Binance, MemoryLog, S, SimVenue, simulate, world_of

from airpocket.domain.channels import Channel
from airpocket.domain.wire import BookChange, Trade
from airpocket.ingest.feed import Feed, Poll, Socket
from airpocket.live.feeds import decoders, feeds_of
from airpocket.live.recorder import Recorder
from airpocket.live.session import States
from airpocket.market.pulse import Pulse
from airpocket.market.rhythm import Rhythm

NAMES = [f"S{n}USDT" for n in range(200)]
MANY = Feed(
    "binance_usdm",
    (
        Socket(
            "binance_usdm",
            "public",
            "wss://fstream.binance.com/public/x",
            tuple(Channel("book", name, 5.0) for name in NAMES),
        ),
    ),
    snapshots={
        name: Poll("binance_usdm", f"https://fapi.binance.com/fapi/v1/depth?symbol={name}", (), 0.0, weight=20)
        for name in NAMES
    },
)  # fmt: skip


def change(symbol, at):
    return BookChange(venue="v", symbol=symbol, ts=at, usable_from=at, heard=at, snapshot=False, first=1,
                      last=1, previous=0, bids=(), asks=())  # fmt: skip


def trade(symbol, at):
    return Trade(venue="v", symbol=symbol, ts=at, usable_from=at, heard=at, price=1.0, size=1.0,
                 notional_usd=1.0, taker_side="buy", trade_id=at)  # fmt: skip


class Held:
    """Books of any symbol: how far each has come."""

    def __init__(self):
        self.at = {}

    def apply(self, event, connection):
        if isinstance(event, BookChange):
            self.at[event.symbol] = max(event.ts, self.at.get(event.symbol, 0))

    def restarted(self): ...

    def ended(self, venue, connection): ...

    def changed(self, change): ...

    def unheard(self, venue, symbol, channel, at): ...

    def suspicions(self, now):
        return {}

    def refused(self, venue, connection, channel, frame, at): ...

    def faults(self, now):
        return {}

    def delisted(self):
        return ()

    def auditable(self):
        return ()

    def wanting(self):
        return ()

    def position(self, venue, symbol):
        return self.at.get(symbol, 0)


def silenced(moves_on):
    """200 symbols change twice a second; one of them stops after two minutes → the recorder and its venue."""

    async def main(loop):
        venue = SimVenue()
        world, clock = world_of(loop, venue)
        makers = {name: Binance(clock) for name in NAMES}
        stopped = {}

        def snapshot():
            made = makers["S7USDT"]
            told = json.loads(made.snapshot())
            return json.dumps({**told, "T": made.ms if moves_on else stopped["ms"]}).encode()

        venue.answers, venue.listed = {"/v1/depth": snapshot}, tuple(makers)
        recorder = Recorder({MANY.venue: MANY}, decoders(), MemoryLog(), Held(), world)
        running = asyncio.create_task(recorder.run())
        states = []
        for tick in range(2 * 600):
            await asyncio.sleep(0.5)
            for name, made in makers.items():
                if name == "S7USDT" and tick > 240:
                    stopped.setdefault("ms", made.ms - 500)
                    continue
                if tick % 4 == 0 or name == "S7USDT":
                    for line in venue.open_lines():
                        line.deliver(made.depth(name))
            if tick % 10 == 0:
                states.append((loop.time(), {s.symbol: s.state for s in recorder.status()}))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return venue, states

    return simulate(main)


@pytest.mark.fault("T06")
def test_one_symbol_of_two_hundred_that_falls_silent_is_stale_alone_and_its_venue_is_asked():
    venue, states = silenced(moves_on=True)
    ill = {name for at, found in states if at > 15 for name in found if found[name] != "live"}
    assert ill == {"S7USDT"}
    first = next(at for at, found in states if found["S7USDT"] == "stale")
    assert 120 + 30 <= first <= 120 + 40
    assert states[-1][1]["S7USDT"] == "stale"
    assert len(venue.lines) == 1  # the other 199 go on undisturbed
    assert 1 <= venue.asked["https://fapi.binance.com/fapi/v1/depth"] <= 3


@pytest.mark.fault("T05", "T06")
def test_a_market_that_rests_is_live_again_when_its_venue_has_nothing_more_to_tell():
    venue, states = silenced(moves_on=False)
    after = {found["S7USDT"] for at, found in states if at > 200}
    assert "live" in after
    assert len(venue.lines) == 1
    assert venue.asked["https://fapi.binance.com/fapi/v1/depth"] <= 20


def quiet(hours, symbols, tick_s=10):
    """Symbols that change and trade at random, some of them every few minutes → calls anew that were made."""
    random, pulse = Random(5), Pulse()
    means = {
        f"Q{n}": (random.uniform(2.0, 40.0), random.uniform(10.0, 240.0)) for n in range(symbols)
    }
    for name in means:
        pulse.declare("v", "public", Channel("book", name, 5.0))
        pulse.declare("v", "public", Channel("trades", name, 60.0))
    pulse.opened("v", "public", S)
    events = []
    for name, (book_s, trade_s) in means.items():
        for make, mean in ((change, book_s), (trade, trade_s)):
            at = 0.0
            while (at := at + random.expovariate(1 / mean)) < hours * 3_600:
                events.append((S + int(at * S), name, make))
    events.sort(key=lambda each: each[:2])
    kicks, stale, due = [], 0, 0
    for now in range(tick_s, hours * 3_600, tick_s):
        until = S + now * S
        while due < len(events) and events[due][0] <= until:
            at, name, make = events[due]
            pulse.heard(make(name, at))
            due += 1
        kicks += pulse.ill_routes(until).values()
        stale += len(pulse.ill_alone(until))
    return kicks, stale, len(events)


@pytest.mark.fault("T05")
def test_quiet_markets_are_no_reason_to_call_anew():
    kicks, stale, events = quiet(hours=2, symbols=30)
    assert events > 10_000
    assert kicks == []
    assert (
        stale < 0.02 * 2 * 360 * 60
    )  # of the judgements, all while nothing is known of the slowest yet


@pytest.mark.slow
@pytest.mark.fault("T05")
def test_a_quiet_day_of_two_hundred_symbols_brings_no_false_call():
    kicks, stale, events = quiet(hours=24, symbols=200)
    assert events > 1_000_000
    assert kicks == []
    assert stale < 1e-3 * 24 * 360 * 400  # of the judgements


@pytest.mark.fault("T06")
def test_the_silence_a_channel_is_allowed_follows_its_own_gaps():
    random, quick, slow = Random(3), Rhythm(), Rhythm()
    for _ in range(5_000):
        quick.add(int(random.expovariate(1 / 0.2) * S))
        slow.add(int(random.expovariate(1 / 60.0) * S))
    # 99.9 % of exponential gaps are below ln(1000) = 6.9 means; rounded up by at most two, times three
    assert 3 * 6.9 * 0.2 * 0.8 <= quick.limit_s <= 3 * 2 * 6.9 * 0.2 * 1.2
    assert 3 * 6.9 * 60 * 0.8 <= slow.limit_s <= 3 * 2 * 6.9 * 60 * 1.2
    assert Rhythm().limit_s == 600.0


def deribit(replies):
    """Deribit confirms what `replies` grants of each request; only tickers and books then speak."""
    feeds = feeds_of(["ETH"], ["deribit"])

    async def main(loop):
        venue = SimVenue()
        world, clock = world_of(loop, venue)
        recorder = Recorder(feeds, decoders(), MemoryLog(), States(("ETH",)), world)
        running = asyncio.create_task(recorder.run())
        answered, seen = {}, []
        for _ in range(240):
            await asyncio.sleep(0.5)
            for line in venue.open_lines():
                for text in line.said[answered.get(id(line), 0) :]:
                    asked = json.loads(text)
                    answered[id(line)] = answered.get(id(line), 0) + 1
                    if asked["method"] == "public/subscribe":
                        for reply in replies(asked["params"]["channels"]):
                            line.deliver(json.dumps({"jsonrpc": "2.0", "id": 1, **reply}))
                stamp = clock.now() // 1_000_000
                data = {"timestamp": stamp, "instrument_name": "ETH-PERPETUAL", "best_bid_price": 3000.0,
                        "best_ask_price": 3000.5, "best_bid_amount": 1.0, "best_ask_amount": 1.0,
                        "mark_price": 3000.2, "index_price": 3000.1, "last_price": 3000.0,
                        "open_interest": 10.0, "current_funding": 0.0, "funding_8h": 0.0}  # fmt: skip
                line.deliver(json.dumps(
                    {"jsonrpc": "2.0", "method": "subscription",
                     "params": {"channel": "ticker.ETH-PERPETUAL.100ms", "data": data}}
                ))  # fmt: skip
            seen.append(
                {
                    s.channel: (s.state, s.reason)
                    for s in recorder.status()
                    if s.symbol == "ETH-PERPETUAL"
                }
            )
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        said = [json.loads(text) for line in venue.lines for text in line.said]
        return (
            venue,
            seen,
            [s["params"]["channels"] for s in said if s["method"] == "public/subscribe"],
        )

    return simulate(main)


def all_but_trades(channels):
    yield {"result": [name for name in channels if not name.startswith("trades.")]}


def everything_twice(channels):
    yield {"result": channels}
    yield {"result": channels}


def nothing(channels):
    return iter(())


def another(channels):
    yield {"id": 99, "result": ["trades.BTC-PERPETUAL.100ms"]}


def an_error(channels):
    yield {"error": {"code": -32602, "message": "Invalid params"}}


@pytest.mark.fault("T19")
@pytest.mark.parametrize("replies", [all_but_trades, nothing, another, an_error])
def test_a_subscription_that_is_not_confirmed_is_silent_and_asked_for_once_more(replies):
    """No liquidation is heard of on a channel that was never granted: unknown, not calm."""
    venue, seen, asked = deribit(replies)
    assert seen[-1]["price"][0] == "live"
    assert seen[-1]["liquidations"] == ("silent", "the venue's confirmation leaves it out")
    again = [names for names in asked if names == ["trades.ETH-PERPETUAL.100ms"]]
    assert 1 <= len(again) <= len(venue.lines)  # at most once a connection


@pytest.mark.fault("T19")
def test_a_subscription_confirmed_twice_is_confirmed():
    _, seen, asked = deribit(everything_twice)
    assert seen[-1]["liquidations"][0] == "live"
    assert all(len(names) > 1 for names in asked)
