"""A recording against a small venue on loopback: nothing lost, faults named, and replay sees what live saw."""

import asyncio
import json

import pytest
from live.fake_venue import FakeVenue

from airpocket.domain.errors import BadInput
from airpocket.ingest.connection import ConnectionSettings
from airpocket.ingest.lake import Lake
from airpocket.ingest.log import reader
from airpocket.ingest.pace import BackoffSettings
from airpocket.ingest.replay import facts_of
from airpocket.ingest.world import SystemClock
from airpocket.live.feeds import feeds_of
from airpocket.live.recorder import RecorderSettings
from airpocket.live.replay import Replay
from airpocket.live.session import RAW, Session, SessionSettings

FAST = RecorderSettings(
    connection=ConnectionSettings(
        backoff=BackoffSettings(first_s=0.05, most_s=0.2, proof_s=0.1), calls_per_s=100.0
    ),
    tick_s=0.05,
    kick_s=3_600.0,
)


def now_ms():
    return SystemClock().now() // 1_000_000


SNAPSHOT = json.dumps(
    {"lastUpdateId": 100,  # without a time: said when heard, however late in the suite that is
     "bids": [["3000.0", "5"], ["2999.5", "7"]], "asks": [["3000.5", "4"], ["3001.0", "9"]]}
).encode()  # fmt: skip
OPEN_INTEREST = b'{"openInterest":"1000.5","symbol":"ETHUSDT","time":%d}' % now_ms()
REST = {
    "/fapi.binance.com/fapi/v1/depth": (200, SNAPSHOT),
    "/fapi.binance.com/fapi/v1/openInterest": (200, OPEN_INTEREST),
}


def depth(first, last, previous, bids=(), asks=()):
    data = {"e": "depthUpdate", "E": now_ms(), "T": now_ms(), "s": "ETHUSDT", "U": first,
            "u": last, "pu": previous, "b": list(bids), "a": list(asks)}  # fmt: skip
    return json.dumps({"stream": "ethusdt@depth@100ms", "data": data})


def trade(number, price="3000.5"):
    data = {"e": "trade", "E": now_ms(), "T": now_ms(), "s": "ETHUSDT", "t": number,
            "p": price, "q": "1.5", "X": "MARKET", "m": False}  # fmt: skip
    return json.dumps({"stream": "ethusdt@trade", "data": data})


def mark(price="3000.2"):
    data = {"e": "markPriceUpdate", "E": now_ms(), "s": "ETHUSDT", "p": price, "i": "3000",
            "P": "0", "r": "0.0001", "T": now_ms() + 3_600_000}  # fmt: skip
    return json.dumps({"stream": "ethusdt@markPrice@1s", "data": data})


def record(tmp_path, venue, for_s=1.5, settings=FAST, until=None, assets=("ETH",)):
    """Record from a fake venue for a while → the finished session."""

    async def run():
        async with venue:
            session = Session(
                tmp_path, assets, feeds_of(assets, ["binance_usdm"]), SystemClock(),
                SessionSettings(gate=venue.gate, for_s=for_s, recorder=settings, flush_s=0.5),
            )  # fmt: skip
            stop = asyncio.create_task(watch(session))
            await session.run()
            stop.cancel()
            return session

    async def watch(session):
        while until is not None:
            await asyncio.sleep(0.02)
            if session.recorder is not None and until(session):
                session.stop()
                return

    return asyncio.run(run())


def book_of(session):
    return session.states.by_asset["ETH"].markets["binance_usdm", "ETHUSDT"].book


def frames_in(tmp_path, kind="text"):
    return [r.body for r in reader.records(tmp_path / RAW) if r.kind == kind]


async def steady(connection, path):
    """Speaks on both routes until the other side hangs up."""
    last = 100
    for number in range(1, 10_000):
        if "/public/" in path:
            await connection.send(
                depth(last + 1 if number > 1 else 95, last + 3, last, [["3000.0", str(number)]])
            )
            last += 3
            await connection.send(trade(number))
        else:
            await connection.send(mark())
        await asyncio.sleep(0.01)


@pytest.mark.fault("D09")
def test_what_is_heard_is_kept_and_a_replay_sees_the_same(tmp_path):
    sent = []

    async def speak(connection, path):
        if "/public/" in path:
            frames = [
                depth(95, 103, 90),
                depth(104, 106, 103, [["3000.0", "0"]], [["3000.25", "2"]]),
            ]
            frames += [trade(n) for n in range(500)]
            for frame in frames:
                sent.append(frame.encode())
                await connection.send(frame)
        await asyncio.sleep(30)

    session = record(
        tmp_path, FakeVenue(speak, REST), until=lambda s: s.recorder.intake.events > 505
    )
    public = [r.body for r in reader.records(tmp_path / RAW) if r.kind == "text"]
    assert public == sent
    assert book_of(session).applied == 3  # the snapshot and both changes
    assert not session.recorder.intake.refused
    replay = Replay(("ETH",))
    found = replay.run(tmp_path / RAW)
    again = Replay(("ETH",)).run(tmp_path / RAW)
    assert found.journal == again.journal
    assert (found.events, found.records) == (
        session.recorder.intake.events,
        session.recorder.intake.records,
    )
    assert replay.states.by_asset["ETH"].markets["binance_usdm", "ETHUSDT"].book.applied == 3


@pytest.mark.fault("B01", "B04")
def test_a_missing_change_makes_the_book_untrusted_until_a_snapshot_mends_it(tmp_path):
    """The gap is named before anyone sees the book, and one snapshot is asked for."""
    snapshots = iter([100, 300, 300, 300, 300])
    states = []

    def fresh():
        return (
            200,
            SNAPSHOT.replace(b'"lastUpdateId": 100', b'"lastUpdateId": %d' % next(snapshots)),
            {},
        )

    async def speak(connection, path):
        if "/public/" in path:
            await connection.send(depth(95, 103, 90))
            await asyncio.sleep(0.6)
            await connection.send(depth(200, 210, 199))
            for n in range(1, 200):
                await connection.send(depth(290 + n, 291 + n, 290 + n))
                await asyncio.sleep(0.02)

    venue = FakeVenue(speak, {**REST, "/fapi.binance.com/fapi/v1/depth": fresh})

    def mended(session):
        if ("binance_usdm", "ETHUSDT") not in session.states.by_asset["ETH"].markets:
            return False
        book = book_of(session)
        states.append((book.state, book.reason))
        return book.gaps == 1 and book.state == "live" and book.applied > 4

    session = record(tmp_path, venue, for_s=8.0, until=mended)
    assert book_of(session).gaps == 1
    assert any("after 103 came 200 to 210" in reason for _, reason in states)
    assert 2 <= venue.asked["/fapi.binance.com/fapi/v1/depth"] <= 3


@pytest.mark.fault("T01")
def test_a_dead_route_is_called_once_more_and_then_stays_ill(tmp_path):
    """T01: the market route connects and never speaks."""

    async def speak(connection, path):
        if "/public/" in path:
            await steady(connection, path)
        await asyncio.sleep(60)

    session = Session(tmp_path, ("ETH",), feeds_of(["ETH"], ["binance_usdm"]), SystemClock())
    assert session.recorder is None
    venue = FakeVenue(speak, REST)
    found = record(tmp_path / "s", venue, for_s=14.0)
    states = {status.channel: status for status in found.recorder.status()}
    assert venue.opened["/fstream.binance.com/market/stream"] == 2
    assert venue.opened["/fstream.binance.com/public/stream"] == 1
    assert states["price"].messages == states["liquidations"].messages == 0
    assert states["trades"].messages > 0


@pytest.mark.fault("T09")
def test_a_server_that_hangs_up_at_once_is_called_ever_more_slowly(tmp_path):
    """T09: each connection ends right after it opened; connecting alone never resets the waits."""

    async def flap(connection, path):
        await connection.close()

    venue = FakeVenue(flap, REST)
    slow = RecorderSettings(
        connection=ConnectionSettings(
            backoff=BackoffSettings(first_s=0.2, most_s=1.0, proof_s=5.0), calls_per_s=100.0
        ),
        tick_s=0.1,
    )
    record(tmp_path, venue, for_s=3.0, settings=slow)
    assert 3 <= venue.opened["/fstream.binance.com/public/stream"] <= 20
    kinds = [r.kind for r in reader.records(tmp_path / RAW)]
    assert kinds.count("connect") >= 6
    assert kinds.count("disconnect") >= 6


@pytest.mark.fault("T10")
@pytest.mark.parametrize("status", [403, 451])
def test_a_venue_that_refuses_for_good_is_not_called_again(tmp_path, status):
    """T10: no loop at a closed door."""
    refused = {"upgrade": (status, b"no"), "/fapi.binance.com": (status, b"no")}
    venue = FakeVenue(steady, refused)
    session = record(tmp_path, venue, for_s=10.0)
    assert all(str(status) in c.refused for c in session.recorder.connections.values())
    assert sorted(path.rsplit("/")[-1] for path in venue.asked) == [
        "exchangeInfo", "fundingInfo", "openInterest", "origin", "time",
    ]  # fmt: skip
    assert set(venue.asked.values()) == {1}


@pytest.mark.fault("B06", "T10")
def test_a_ban_is_obeyed(tmp_path):
    """418 with Retry-After: nothing more is asked."""
    banned = {**REST, "/fapi.binance.com/fapi/v1/depth": (418, b"banned", {"Retry-After": "120"}),
              "/fapi.binance.com/fapi/v1/openInterest": (429, b"slow", {"Retry-After": "120"})}  # fmt: skip
    venue = FakeVenue(steady, banned)
    record(tmp_path, venue, for_s=4.0)
    assert venue.asked["/fapi.binance.com/fapi/v1/openInterest"] == 1
    assert venue.asked["/fapi.binance.com/fapi/v1/depth"] <= 1


@pytest.mark.fault("V01", "V12", "V13")
def test_poison_frames_are_kept_and_counted_and_end_no_connection(tmp_path):
    good = trade(7)
    poison = ["", "{", "[1,2", '{"e":"trade"}', '{"data":{"e":"aggTrade","p":"NaN"},"stream":"x"}', "\ufeff{}",
              '{"a":' * 20_000, json.dumps({"e": "novelty"}), trade(2**64), trade(1, "1_000")]  # fmt: skip

    async def speak(connection, path):
        if "/public/" in path:
            for frame in poison:
                await connection.send(frame)
            await connection.send(b"\x00\xff\xfe")
            await connection.send(good)
        await asyncio.sleep(30)

    venue = FakeVenue(speak, REST)
    session = record(
        tmp_path, venue, for_s=6.0, until=lambda s: s.recorder.intake.frames["binance_usdm"] > 12
    )
    assert sum(session.recorder.intake.refused.values()) == 11
    assert venue.opened["/fstream.binance.com/public/stream"] == 1
    kept = [r.body for r in reader.records(tmp_path / RAW) if r.kind in ("text", "binary")]
    assert [body for body in kept if body not in (good.encode(), b"\x00\xff\xfe")] == [
        frame.encode() for frame in poison
    ]


@pytest.mark.fault("T17")
def test_a_giant_frame_ends_the_connection_and_it_is_opened_again(tmp_path):
    """T17: more than 16 MB inflated is refused on the wire, not read."""
    calls = []

    async def speak(connection, path):
        if "/public/" in path and not calls:
            calls.append(1)
            await connection.send("x" * (17 * 1024 * 1024))
        await steady(connection, path)

    venue = FakeVenue(speak, REST)
    session = record(
        tmp_path, venue, for_s=8.0,
        until=lambda s: venue.opened["/fstream.binance.com/public/stream"] > 1 and s.recorder.intake.events > 5,
    )  # fmt: skip
    assert venue.opened["/fstream.binance.com/public/stream"] == 2
    reasons = [r.about for r in reader.records(tmp_path / RAW) if r.kind == "disconnect"]
    assert any("1009" in reason for reason in reasons)
    assert session.recorder.intake.events > 5


@pytest.mark.fault("T02", "T13")
def test_an_old_connection_goes_only_when_its_successor_has_brought_data(tmp_path):
    """T02, T13: rotation without a hole: no trade id is missing."""
    started = now_ms()

    async def speak(connection, path):
        if "/market/" in path:
            await steady(connection, path)
            return
        last, told = 100, (now_ms() - started) // 20
        while True:
            await connection.send(
                depth(last + 1, last + 3, last) if last > 100 else depth(95, 103, 90)
            )
            last += 3
            number = (now_ms() - started) // 20
            for each in range(told + 1, number + 1):  # every connection is told of every trade
                await connection.send(trade(each))
            told = number
            quote = {"e": "bookTicker", "u": 1, "s": "ETHUSDT", "b": "3000", "B": "1", "a": "3001", "A": "1",
                     "T": now_ms(), "E": now_ms()}  # fmt: skip
            await connection.send(json.dumps({"stream": "ethusdt@bookTicker", "data": quote}))
            await asyncio.sleep(0.02)

    async def run():
        async with FakeVenue(speak, REST) as venue:
            feeds = feeds_of(["ETH"], ["binance_usdm"])
            feed = feeds["binance_usdm"]
            young = tuple(
                type(s)(**{**{f: getattr(s, f) for f in s.__slots__}, "life_s": 1.0})
                for s in feed.sockets
            )
            feeds = {"binance_usdm": type(feed)(feed.venue, young, feed.polls, feed.snapshots)}
            session = Session(
                tmp_path, ("ETH",), feeds, SystemClock(),
                SessionSettings(gate=venue.gate, for_s=4.5, recorder=FAST),
            )  # fmt: skip
            await session.run()
            return venue

    venue = asyncio.run(run())
    assert venue.opened["/fstream.binance.com/public/stream"] >= 3
    records = list(reader.records(tmp_path / RAW))
    ends = [r for r in records if r.kind == "disconnect" and r.connection.startswith("public")]
    assert [r.about for r in ends[:-1]] == ["relieved by a younger connection"] * (len(ends) - 1)
    heard = {json.loads(r.body)["data"]["t"] for r in records if b'"trade"' in r.body}
    assert heard == set(range(min(heard), max(heard) + 1))


def test_the_gate_and_the_assets_are_checked(tmp_path):
    feeds = feeds_of(["ETH"], ["binance_usdm"])
    with pytest.raises(BadInput, match="name an asset"):
        Session(tmp_path, (), feeds, SystemClock())
    with pytest.raises(BadInput, match="without a scheme"):
        Session(tmp_path, ("ETH",), feeds, SystemClock(), SessionSettings(gate="ws://x:1"))
    with pytest.raises(BadInput, match="no feed of 'mtgox'"):
        feeds_of(["ETH"], ["mtgox"])


@pytest.mark.fault("T01")
def test_a_silent_liquidation_channel_makes_forced_flow_unknown(tmp_path):
    """Silence of the feed is not calm: the state is kept with the facts, and the brief says so."""

    async def speak(connection, path):
        if "/public/" in path:
            await steady(connection, path)
        await asyncio.sleep(60)

    record(tmp_path, FakeVenue(speak, REST), for_s=2.0)
    batches = list(facts_of(Lake(tmp_path), "ETH", SystemClock().now() + 10**9))
    states = {}
    for batch in batches:
        if batch.kind == "channel_state" and batch.venue == "binance_usdm":
            for name, state in zip(batch.texts("channel"), batch.texts("state"), strict=True):
                states[str(name)] = str(state)
    assert states["liquidations"] in ("silent", "down")
    assert states["price"] in ("waiting", "silent", "down")
