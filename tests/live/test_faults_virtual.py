"""Faults of network and clock in virtual time: hours of them, with the real recorder, decoders and books."""

import asyncio
import dataclasses
import itertools

import pytest
from live.sim import START, Binance, MemoryLog, S, SimVenue, simulate, world_of

from airpocket.ingest.dial import Refused
from airpocket.live.feeds import decoders, feeds_of
from airpocket.live.intake import Intake
from airpocket.live.recorder import Recorder, RecorderSettings, pulse_of
from airpocket.live.session import States

FEEDS = feeds_of(["ETH"], ["binance_usdm"])
WHO = "binance_usdm"


class Run:
    """A recorder of one asset in virtual time against a SimVenue that speaks while `speaks`."""

    def __init__(self, loop, feeds=FEEDS, every_s=0.5, tick_s=1.0):
        self.loop, self.venue = loop, SimVenue()
        self.world, self.clock = world_of(loop, self.venue)
        self.binance = Binance(self.clock)
        self.log = MemoryLog()
        self.states = States(("ETH",))
        self.recorder = Recorder(
            feeds, decoders(), self.log, self.states, self.world, RecorderSettings(tick_s=tick_s)
        )
        self.tick_s = tick_s
        self.speaks = {"public": True, "market": True}
        self.mute = set()  # kinds of frames that are not sent
        self.every_s = every_s
        self.seen = []
        self.venue.answers = {
            "/v1/depth": self.binance.snapshot,
            "/v1/time": self.binance.time,
            "/v1/openInterest": self._interest,
        }

    def _interest(self):
        return b'{"openInterest":"10","symbol":"ETHUSDT","time":%d}' % self.binance.ms

    async def __aenter__(self):
        self.tasks = [
            asyncio.create_task(self.recorder.run()),
            asyncio.create_task(self._speak()),
            asyncio.create_task(self._watch()),
        ]
        return self

    async def __aexit__(self, *_):
        self.last = {s.channel: s for s in self.recorder.status()}
        self.reasons = [r.about for r in self.log.of("disconnect")]
        self.alarms = self.recorder.alarms()
        market = self.states.by_asset["ETH"].markets.get((WHO, "ETHUSDT"))
        self.book = None if market is None else (market.book.state, market.book.gaps)
        for task in self.tasks:
            task.cancel()
        ended = await asyncio.gather(*self.tasks, return_exceptions=True)
        faults = [e for e in ended if isinstance(e, Exception)]
        assert not faults, faults

    async def _speak(self):
        while True:
            await asyncio.sleep(self.every_s)
            b = self.binance
            frames = {"public": ("depth", "trade", "quote"), "market": ("mark", "bar")}
            for route, kinds in frames.items():
                if not self.speaks[route] or not self.venue.reachable:
                    continue
                for kind in kinds:
                    if kind == "bar" and self.loop.time() % 60 >= self.every_s:
                        continue
                    if kind not in self.mute:
                        frame = getattr(b, kind)()
                        for line in self.venue.open_lines(f"/{route}/"):
                            line.deliver(frame)

    async def _watch(self):
        while True:
            await asyncio.sleep(self.tick_s)
            self.seen.append((self.loop.time(), self.states_now()))

    def states_now(self):
        return {s.channel: s.state for s in self.recorder.status()}

    def first_seen(self, channel, state, after=0.0):
        return next(at for at, states in self.seen if at >= after and states[channel] == state)

    def ever(self, channel, after, until=1e18):
        return {states[channel] for at, states in self.seen if after <= at < until}

    def outages(self, channel):
        return [
            ((o.start - S) / S, (o.end - S) / S, o.reason)
            for o in self.recorder.pulse.outages
            if o.channel == channel
        ]


def run(scenario, **options):
    async def main(loop):
        async with Run(loop, **options) as made:
            await scenario(made)
        return made

    return simulate(main)


@pytest.mark.fault("T01", "T04")
def test_a_route_that_is_connected_and_answers_pings_but_brings_nothing_is_silent_and_stays_so():
    async def scenario(r):
        r.speaks["market"] = False
        await asyncio.sleep(1_200)

    made = run(scenario)
    assert made.first_seen("price", "silent") <= 12
    assert made.ever("liquidations", 12) <= {"silent", "down"}  # unknown, not calm
    assert made.ever("price", 12) <= {"silent", "down"}
    assert made.ever("trades", 5) == {"live"}
    urls = [line.url for line in made.venue.lines]
    assert (
        sum("/market/" in url for url in urls) == 3
    )  # at first, once at once, once in a quarter of an hour
    assert sum("/public/" in url for url in urls) == 1
    assert any("price silent (ETHUSDT)" in line for line in made.alarms)


@pytest.mark.fault("T04")
def test_data_that_stops_is_stale_although_pings_are_answered():
    async def scenario(r):
        await asyncio.sleep(60)
        r.speaks["market"] = False
        await asyncio.sleep(30)

    made = run(scenario)
    assert made.first_seen("price", "stale", after=60) <= 65
    assert any("price ETHUSDT: nothing for" in reason for reason in made.reasons)


@pytest.mark.fault("T02", "T13")
def test_a_venue_that_ends_every_connection_after_a_day_costs_nothing():
    """Rotation an hour before; the successor must bring data, and the book and the tape go on without a hole."""
    feed = FEEDS[WHO]
    sockets = tuple(
        dataclasses.replace(
            s, channels=tuple(dataclasses.replace(c, silence_s=c.silence_s and 130.0) for c in s.channels)
        )
        for s in feed.sockets
    )  # fmt: skip

    async def scenario(r):
        for _ in range(26 * 6):
            await asyncio.sleep(600)
            for line in r.venue.open_lines():
                if r.loop.time() - line.opened >= 86_400:
                    line.cut("1006")

    made = run(
        scenario,
        feeds={WHO: dataclasses.replace(feed, sockets=sockets, polls=())},
        every_s=30.0,
        tick_s=30.0,
    )
    assert made.reasons.count("relieved by a younger connection") == 2
    assert "1006" not in made.reasons
    assert not made.recorder.pulse.outages
    assert made.book == ("live", 0)
    heard = {b'"t": ' + b"%d," % n for n in range(1, made.binance.trades + 1)}
    bodies = b"".join(r.body for r in made.log.of("text") if b'"trade"' in r.body)
    assert all(mark in bodies for mark in heard)


@pytest.mark.fault("T02")
def test_a_successor_that_is_dead_is_given_up_and_the_old_connection_kept():
    async def scenario(r):
        await asyncio.sleep(30)
        r.venue.dead_from = r.loop.time()
        for connection in r.recorder.connections.values():
            connection.relieve(connection._current.name)
        await asyncio.sleep(120)

    made = run(scenario)
    assert len(made.venue.lines) == 4
    assert made.reasons.count("brought no data; the old connection is kept") == 2
    for route in ("public", "market"):
        assert f"{WHO} {route}: new connections bring no data; the old one is kept" in made.alarms
    assert made.ever("price", 5) == {"live"}
    assert made.ever("trades", 5) == {"live"}


@pytest.mark.fault("T13")
def test_a_notice_of_shutdown_brings_a_successor_before_the_end():
    async def scenario(r):
        await asyncio.sleep(60)
        (line,) = r.venue.open_lines("/public/")
        line.deliver(r.binance.shutdown())
        await asyncio.sleep(20)
        line.cut("1012")
        await asyncio.sleep(60)

    made = run(scenario)
    assert made.reasons[0] == "relieved by a younger connection"
    assert not made.recorder.pulse.outages
    assert made.book == ("live", 0)


@pytest.mark.fault("T13")
@pytest.mark.parametrize("route", ["public", "business"])
def test_okx_announces_an_upgrade_and_only_that_connection_is_replaced_at_once(route):
    async def scenario(r):
        await asyncio.sleep(3)
        before = {part: len(r.venue.open_lines(part)) for part in ("/public", "/business")}
        (line,) = r.venue.open_lines(f"/{route}")
        line.deliver(
            '{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service'
            ' upgrade. Please reconnect.","connId":"a4d3ae55"}'
        )
        await asyncio.sleep(1)
        r.opened = {
            part: len(r.venue.open_lines(part)) - before[part] for part in ("/public", "/business")
        }

    made = run(scenario, feeds=feeds_of(["ETH"], ["okx"]))
    assert made.opened == {"/public": int(route == "public"), "/business": int(route == "business")}


@pytest.mark.fault("T10")
def test_a_venue_that_asks_for_time_gets_it():
    async def scenario(r):
        r.venue.refusal = Refused("HTTP 503", wait_s=120.0)
        r.venue.reachable = False
        await asyncio.sleep(600)

    made = run(scenario)
    at = sorted(when for when, _ in made.venue.dialled_at)[::2]
    assert len(at) >= 4
    assert all(120.0 <= later - sooner <= 190.0 for sooner, later in itertools.pairwise(at))


@pytest.mark.fault("T07")
@pytest.mark.parametrize("gone_s", [5, 300, 7_200])
def test_a_network_that_swallows_everything_is_noticed_and_the_gap_is_as_long_as_it_was(gone_s):
    async def scenario(r):
        await asyncio.sleep(60.2)
        r.venue.reachable = False
        for line in r.venue.open_lines():
            line.answers_pings = False
        await asyncio.sleep(gone_s)
        r.venue.reachable = True
        await asyncio.sleep(150)

    made = run(scenario)
    assert made.first_seen("price", "stale", after=60) <= 66
    (gap,) = made.outages("price")
    assert gap[0] == 60.0
    # the end is the first message after the first successful call: within one backoff of the network's return
    assert 60.2 + gone_s <= gap[1] <= 60.2 + gone_s + 61
    assert made.ever("price", 60.2 + gone_s + 62) == {"live"}
    assert made.ever("book", 60.2 + gone_s + 62) == {"live"}


@pytest.mark.fault("T14")
def test_all_venues_lost_at_once_are_called_within_their_budgets_and_are_one_incident():
    feeds = feeds_of(["ETH", "BTC"])

    async def scenario(r):
        r.venue.reachable = False
        await asyncio.sleep(600)

    made = run(scenario, feeds=feeds)
    routes = sum(len(feed.sockets) for feed in feeds.values())
    assert made.alarms == (f"{len(feeds)} of {len(feeds)} venues are not connected",)
    # full jitter over waits up to a minute: 7 short ones, then one in half a minute on average
    assert routes * 5 <= sum(made.venue.dials.values()) <= routes * 45
    for host in made.venue.dials:
        at = [when for when, whose in made.venue.dialled_at if whose == host]
        venues = sum(any(host in s.url for s in feed.sockets) for feed in feeds.values())
        assert (
            max(sum(t <= u < t + 300 for u in at) for t in at) <= 100 * venues
        )  # Binance: 300 in 5 min
        assert max(sum(t <= u < t + 1 for u in at) for t in at) <= 3 * venues  # OKX: three a second


@pytest.mark.fault("T20")
def test_no_second_and_no_hour_sees_more_messages_than_the_venue_allows():
    feeds = feeds_of(["ETH"], ["okx"])
    public = next(s for s in feeds["okx"].sockets if s.route == "public")

    async def scenario(r):
        await asyncio.sleep(5)
        connection = r.recorder.connections["okx", "public"]
        texts = feeds["okx"].again["ETH-USDT-SWAP"][1]
        for _ in range(400):  # a resynchronisation gone mad: 800 operations
            r.tasks.append(asyncio.create_task(connection.say(texts)))
        r.line = r.venue.open_lines("/public")[0]
        r.recorder.pulse.ill_routes = lambda now: {}
        await asyncio.sleep(7_200)

    made = run(scenario, feeds=feeds, tick_s=5.0)
    sent = sorted(made.line.said_at)
    counted = sorted(
        t for t, what in zip(made.line.said_at, made.line.said, strict=True) if what != "ping"
    )
    assert max(sum(t <= u < t + 1 for u in sent) for t in sent) <= public.sends_per_s
    assert max(sum(t <= u < t + 3_600 for u in counted) for t in counted) <= 480
    assert len(counted) > 480


@pytest.mark.fault("C03")
@pytest.mark.parametrize("by_s", [3_600.0, -3_600.0, -0.001])
def test_a_clock_that_is_set_blames_no_venue_and_is_noted(by_s):
    async def scenario(r):
        await asyncio.sleep(120)
        r.clock.wall_off = int(by_s * S)
        await asyncio.sleep(300)

    made = run(scenario)
    assert len(made.venue.lines) == 2
    for channel in ("price", "book", "trades", "quote", "liquidations"):
        assert made.ever(channel, 10) == {"live"}, channel
    assert not made.recorder.pulse.outages
    marks = [r for r in made.log.of("marker") if r.about == "clock set"]
    assert len(marks) == (1 if abs(by_s) > 0.05 else 0)
    monotonic = [record.monotonic for record in made.log.records]
    assert monotonic == sorted(monotonic)
    if marks:
        assert any(f"the clock was set by {by_s:+,.3f} s" in line for line in made.alarms)
        (skew,) = made.recorder.clocks.skews()
        assert skew.offset_ms == pytest.approx(-1_000 * by_s, abs=skew.error_ms + 1.0)
        assert skew.error_ms < 50.0
        assert any("our clock is" in line for line in made.alarms)


@pytest.mark.fault("C03")
@pytest.mark.parametrize("by_s", [3_600.0, -3_600.0])
def test_a_clock_that_is_set_makes_no_minute_look_empty(by_s):
    """Trades go on; a minute that cannot be told is left out, and none says that nothing was traded."""

    async def scenario(r):
        await asyncio.sleep(600)
        r.clock.wall_off = int(by_s * S)
        await asyncio.sleep(600)
        r.clock.wall_off = 0
        await asyncio.sleep(600)

    made = run(scenario)
    rows = [
        (int(ts - START) // S, int(prints))
        for batch in made.states.by_asset["ETH"].facts
        if batch.kind == "tape_1m"
        for ts, prints in zip(batch.ints("ts"), batch.ints("prints"), strict=True)
    ]
    assert len(rows) >= 8
    assert all(0 <= second < 1_800 for second, _ in rows)
    assert min(prints for _, prints in rows) >= 119


@pytest.mark.fault("C03")
def test_a_recording_begun_after_a_clock_ran_ahead_is_replayed_as_it_was_live():
    """What the first recording took for past, by the wrong clock, is the second one's present."""

    async def ahead(r):
        r.clock.wall_off = 1_500 * S
        await asyncio.sleep(120)

    async def right(r):
        await asyncio.sleep(300)

    first, second = run(ahead), run(right)
    states = States(("ETH",))
    intake = Intake(decoders(), states, pulse_of(FEEDS.values()))
    intake.take_all(first.log.records)
    states.by_asset["ETH"].facts.clear()
    intake.take_all(second.log.records)
    assert tape_of(states) == tape_of(second.states)
    assert len(tape_of(states)) >= 3


def tape_of(states):
    return [
        (int(ts), float(usd)) for batch in states.by_asset["ETH"].facts if batch.kind == "tape_1m"
        for ts, usd in zip(batch.ints("ts"), batch.floats("buy_usd"), strict=True)
    ]  # fmt: skip


@pytest.mark.fault("T16")
def test_a_loop_that_was_held_up_is_measured_and_no_venue_is_called_anew():
    async def scenario(r):
        await asyncio.sleep(90)
        r.loop.passed += 30.0  # half a minute of computing in one piece
        await asyncio.sleep(60)

    made = run(scenario)
    assert len(made.venue.lines) == 2
    assert made.reasons == []
    assert any("this process was held up for 3" in line for line in made.alarms)
    assert 29 <= made.recorder.watch.worst_late_s <= 31
    assert made.last["price"].state == "live"


@pytest.mark.fault("C04")
def test_a_clock_that_drifts_is_measured_and_said_when_it_is_half_a_second_off():
    async def scenario(r):
        async def drift():
            while True:  # 100 ppm
                await asyncio.sleep(10)
                r.clock.wall_off -= 1_000_000

        drifting = asyncio.create_task(drift())
        r.early, r.late = [], []
        await asyncio.sleep(4_000)
        r.early = r.recorder.alarms()
        await asyncio.sleep(3_000)
        r.late = r.recorder.alarms()
        r.skew = r.recorder.clocks.skews()[0]
        drifting.cancel()

    made = run(scenario, every_s=2.5, tick_s=5.0)
    assert not any("clock" in line for line in made.early)
    assert any("our clock is -" in line for line in made.late)
    assert made.skew.offset_ms == pytest.approx(700.0, abs=70.0)
    assert [r.about for r in made.log.of("marker")] == [""]  # its beginning: slow drift is no step


@pytest.mark.fault("C10")
def test_a_machine_that_slept_eight_hours_calls_everyone_anew_at_once():
    async def scenario(r):
        await asyncio.sleep(60)
        r.clock.slept += 8 * 3_600 * S
        await asyncio.sleep(60)

    made = run(scenario)
    assert made.reasons == ["the machine slept for 28,800 s"] * 2
    assert made.ever("price", 64) == {"live"}
    assert any("the machine slept for 28,800 s" in line for line in made.alarms)
    assert made.recorder.watch.steps == 0


@pytest.mark.fault("C12")
def test_messages_that_grow_older_on_arrival_make_their_channel_stale():
    async def scenario(r):
        await asyncio.sleep(60)
        for second in range(60):
            r.binance.ahead_ms = -500.0 * second  # half a second older each second
            await asyncio.sleep(1)

    made = run(scenario)
    assert made.reasons == []  # what is on its way would be lost
    assert made.last["price"].state == "stale"
    assert "old when they arrive" in made.last["price"].reason
    assert made.last["price"].lag_s > 10
    assert made.ever("price", 20, 60) == {"live"}


@pytest.mark.fault("C02")
def test_a_venue_whose_stamps_are_ahead_is_kept_and_flagged_and_its_age_is_never_negative():
    async def scenario(r):
        r.venue.answers.pop("/v1/time")
        r.binance.ahead_ms = 12_000.0
        await asyncio.sleep(60)

    made = run(scenario)
    status = made.last["price"]
    assert (status.state, status.lag_s) == ("live", 0.0)
    assert "ahead of our clock" in status.reason
    assert made.states.by_asset["ETH"].misdated == 0


@pytest.mark.fault("R07")
def test_a_fault_in_a_task_nobody_awaits_stops_the_recording_with_its_reason():
    async def main(loop):
        async with Run(loop) as made:
            made.venue.answers["/v1/depth"] = lambda: 1 / 0
            await asyncio.sleep(60)

    with pytest.raises(AssertionError, match="division by zero"):
        simulate(main)


@pytest.mark.fault("R03")
def test_while_the_engine_stands_still_for_a_minute_everything_is_kept_and_nobody_is_blamed():
    async def scenario(r):
        await asyncio.sleep(70)
        r.log.free.clear()
        await asyncio.sleep(60)
        r.behind = len(r.log.of("text")) - r.recorder.intake.frames[WHO]
        r.log.free.set()
        await asyncio.sleep(30.2)  # between two messages

    made = run(scenario)
    assert made.behind > 400
    trades = sum(b'"trade"' in record.body for record in made.log.of("text"))
    assert trades == made.binance.trades == made.last["trades"].messages
    assert made.reasons == []
    assert made.book == ("live", 0)
    assert made.last["price"].state == "live"
