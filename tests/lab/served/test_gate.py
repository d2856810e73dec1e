"""The gate on loopback: the shipped recorder records a simulated market; limits, faults and ends as venues do."""

import asyncio
import json

import httpx
import pytest
from lab.served.worlds import FIRST, world
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from airpocket.domain.errors import BadInput
from airpocket.domain.units import SECOND_NS
from airpocket.ingest.connection import ConnectionSettings
from airpocket.ingest.pace import BackoffSettings
from airpocket.ingest.venues.registry import FEEDS
from airpocket.ingest.world import SystemClock
from airpocket.lab.server.faults import Action
from airpocket.lab.server.gate import Gate, GateSettings
from airpocket.lab.server.house import House
from airpocket.live.recorder import RecorderSettings
from airpocket.live.replay import Replay
from airpocket.live.session import RAW, Session, SessionSettings

MINUTE_NS = 60 * SECOND_NS
OWN_BARS = {
    "binance_usdm",
    "binance_coinm",
    "binance_spot",
    "bybit_linear",
    "okx",
}  # the recorder uses theirs
MACHINE = SystemClock()
FAST = RecorderSettings(
    connection=ConnectionSettings(backoff=BackoffSettings(first_s=0.05, most_s=0.2, proof_s=0.1)), tick_s=0.1,
    kick_s=3_600.0,
)  # fmt: skip
SOLO = ("sim_bybit", "sim_hyperliquid")  # left out where Binance alone is enough


class LateClock:
    """The machine's clock, set so that it starts a few seconds before a minute ends."""

    def __init__(self, left_s=3.0):
        self._ahead = MINUTE_NS - MACHINE.now() % MINUTE_NS - round(left_s * SECOND_NS)

    def now(self):
        return MACHINE.now() + self._ahead

    def monotonic(self):
        return MACHINE.monotonic()


class HeldClock(LateClock):
    """Goes no further than `held_s` from where it was read first, until it is let go on from there."""

    def __init__(self, held_s):
        super().__init__()
        self._held_ns, self._most, self._lost = round(held_s * SECOND_NS), None, 0

    def now(self):
        now = super().now()
        self._most = self._most or now + self._held_ns
        return now - self._lost if self._held_ns == 0 else min(now, self._most)

    def go_on(self):
        self._lost = max(0, super().now() - self._most)
        self._held_ns = 0


class Served:
    """A gate that runs while the test does."""

    def __init__(self, made, *, speed=2.0, actions=(), settings=None, clock=None):
        self.clock = clock or LateClock()
        self.house = House(made, 1, speed, actions)
        self.gate = Gate(self.house, self.clock, settings)

    async def __aenter__(self):
        await self.gate.__aenter__()
        self._running = asyncio.create_task(self.gate.run())
        return self

    async def __aexit__(self, *_):
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.gate.__aexit__()

    def feeds(self, *venues):
        """The shipped feeds of what is served."""
        symbols = {}
        for contract in self.house.contracts:
            if not venues or contract.venue in venues:
                symbols.setdefault(contract.venue, []).append(contract.symbol)
        return {venue: FEEDS[venue](tuple(names)) for venue, names in symbols.items()}

    def session(self, store, *venues, for_s=20.0):
        settings = SessionSettings(gate=self.gate.address, for_s=for_s, recorder=FAST, flush_s=0.5)
        return Session(store, ("ETH",), self.feeds(*venues), self.clock, settings)

    async def record(self, store, *venues, until, for_s=25.0):
        """Record until a condition holds; the finished session. Its states are looked at before it ends."""
        session = self.session(store, *venues, for_s=for_s)
        task = asyncio.create_task(session.run())
        while not task.done():
            await asyncio.sleep(0.05)
            if session.recorder is not None and until(session):
                session.stop()
                break
        await task
        return session

    def websocket(self, path, **more):
        return connect(f"ws://{self.gate.address}{path}", proxy=None, **more)

    async def get(self, path, method="GET"):
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.request(method, f"http://{self.gate.address}{path}")


def alone(**more):
    return world((), without=SOLO, **more)


def book_of(session, venue="binance_usdm", symbol="ETHUSDT"):
    return session.states.by_asset["ETH"].markets[venue, symbol].book


@pytest.mark.fault("D09")
def test_the_shipped_recorder_records_every_venue_and_its_replay_sees_the_same(tmp_path):
    """All channels that speak are live, every book is whole; the sparse ones are proven by their routes."""
    seen, ill = {}, []

    def all_live(session):
        now = session.recorder.status()
        due = [
            c
            for c in now
            if c.channel != "bars" and not (c.venue == "okx" and c.channel.startswith("option"))
        ]
        told = {c.venue for c in now if c.channel == "bars" and c.messages}
        books = session.states.by_asset["ETH"].markets
        if any(c.reason == "stopped" for c in due):
            return False
        ill[:] = [(c.venue, c.channel, c.state, c.reason) for c in due if c.state != "live"]
        if ill or not told >= OWN_BARS:
            return False
        seen.update({key: (m.book.state, m.book.gaps) for key, m in books.items()})
        return True

    async def run():
        async with Served(world(FIRST), speed=3.0) as served:
            session = await served.record(tmp_path, until=all_live, for_s=120.0)
            return session, served.gate

    session, gate = asyncio.run(run())
    assert ill == []
    assert len(seen) == 8
    assert set(seen.values()) == {("live", 0)}
    assert not session.recorder.intake.refused
    assert set(gate.opened.values()) == {1}  # nobody had to call twice
    found = Replay(("ETH",)).run(tmp_path / RAW)
    assert found.journal == Replay(("ETH",)).run(tmp_path / RAW).journal
    assert (found.events, found.records) == (
        session.recorder.intake.events,
        session.recorder.intake.records,
    )


def test_a_route_that_confirms_and_never_speaks_is_served_as_in_april_2026(tmp_path):
    """The unrouted address accepts market streams, and depth alone flows."""

    async def run():
        async with (
            Served(alone()) as served,
            served.websocket("/fstream.binance.com/stream") as socket,
        ):
            wanted = ["ethusdt@depth@100ms", "ethusdt@markPrice@1s", "ethusdt@aggTrade"]
            await socket.send(json.dumps({"method": "SUBSCRIBE", "params": wanted, "id": 7}))
            first = json.loads(await socket.recv())
            streams = {json.loads(await socket.recv())["stream"] for _ in range(25)}
            return first, streams

    first, streams = asyncio.run(run())
    assert first == {"result": None, "id": 7}
    assert streams == {"ethusdt@depth@100ms"}


@pytest.mark.fault("B01")
def test_a_dropped_change_is_noticed_and_mended(tmp_path):
    actions = [Action(1.5, "drop_delta", "binance_usdm")]
    session = faulty(
        tmp_path, actions, lambda s: known(s) and book_of(s).gaps and book_of(s).state == "live"
    )
    assert book_of(session).gaps == 1


@pytest.mark.fault("B02")
def test_a_repeated_change_is_counted_and_changes_nothing(tmp_path):
    actions = [Action(1.5, "duplicate_delta", "binance_usdm", count=3)]
    session = faulty(tmp_path, actions, lambda s: known(s) and book_of(s).repeated >= 3)
    assert book_of(session).gaps == 0


@pytest.mark.fault("B03")
def test_changes_out_of_order_are_never_applied_out_of_order(tmp_path):
    actions = [Action(1.5, "reorder_deltas", "binance_usdm")]
    session = faulty(
        tmp_path, actions, lambda s: known(s) and book_of(s).gaps and book_of(s).state == "live"
    )
    assert book_of(session).gaps >= 1


@pytest.mark.fault("B07")
@pytest.mark.parametrize(
    ("venue", "symbol"), [("bybit_linear", "ETHUSDT"), ("okx", "ETH-USDT-SWAP")]
)
def test_a_restart_that_the_venue_declares_is_no_gap(tmp_path, venue, symbol):
    """Bybit: u = 1, a new snapshot. OKX: seqId below prevSeqId, the chain goes on."""
    actions = [Action(1.5, "restart", venue)]
    counts = []

    def enough(session):
        if (venue, symbol) in session.states.by_asset["ETH"].markets:
            counts.append(book_of(session, venue, symbol).applied)
        return bool(counts) and counts[-1] > 30

    made = world((("sim_okx", "okx", "linear", 0.001),), without=("sim_hyperliquid",))
    session = faulty(tmp_path, actions, enough, made, venue)
    book = book_of(session, venue, symbol)
    assert book.gaps == 0
    ids = [
        json.loads(r)["data"]
        for r in sent(tmp_path)
        if b"orderbook" in r or (b'"books"' in r and b"seqId" in r)
    ]
    if venue == "okx":
        assert any(row[0]["seqId"] < row[0]["prevSeqId"] for row in ids)
    else:
        assert any(row["u"] == 1 for row in ids)


@pytest.mark.fault("B11")
def test_a_crossed_book_is_not_trusted_while_it_is_crossed(tmp_path):
    actions = [Action(1.5, "crossed_book", "bybit_linear", for_s=1.0)]
    seen = []

    def watched(session):
        if ("bybit_linear", "ETHUSDT") in session.states.by_asset["ETH"].markets:
            book = book_of(session, "bybit_linear")
            seen.append((book.state, book.reason.split(":")[0]))
        return ("untrusted", "crossed") in seen and seen[-1][0] == "live"

    faulty(tmp_path, actions, watched, world((), without=("sim_hyperliquid",)), "bybit_linear")
    assert ("untrusted", "crossed") in seen
    assert seen[-1][0] == "live"


@pytest.mark.fault("T08")
def test_a_broken_line_is_called_again_and_the_book_goes_on(tmp_path):
    actions = [Action(1.5, "disconnect", "binance_usdm")]
    opened = {}

    def again(session):
        return (
            opened["gate"].opened["binance_usdm public"] == 2 and book_of(session).state == "live"
        )

    faulty(tmp_path, actions, again, opened=opened)
    assert opened["gate"].opened["binance_usdm public"] == 2


def test_a_symbol_gone_silent_stops_while_the_route_speaks():
    """Half the streams of one socket: the other symbol's go on."""
    actions = [Action(0.5, "silent_symbol", "okx", "ETH-USDT-SWAP")]
    made = world((("sim_okx", "okx", "linear", 0.001), ("sim_okx_spot", "spot", "spot", 0.001)),
                 without=("sim_hyperliquid", "sim_bybit"))  # fmt: skip

    async def run():
        async with (
            Served(made, actions=actions) as served,
            served.websocket("/ws.okx.com:8443/ws/v5/public") as socket,
        ):
            args = [{"channel": "books", "instId": name} for name in ("ETH-USDT-SWAP", "ETH-USDT")]
            await asyncio.sleep(0.7)
            await socket.send(json.dumps({"op": "subscribe", "args": args}))
            heard = [json.loads(await socket.recv()) for _ in range(20)]
            return [m["arg"]["instId"] for m in heard if m.get("action") == "update"]

    told = asyncio.run(run())
    assert set(told) == {"ETH-USDT"}


def test_a_day_ends_connections_after_the_venues_notice():
    """A day of two seconds: spot tells serverShutdown, then leaves."""

    async def run():
        settings = GateSettings(day_s=2.0)
        path = "/stream.binance.com:9443/ws/ethusdt@trade"
        async with Served(alone(), settings=settings) as served, served.websocket(path) as socket:
            heard = []
            try:
                while True:
                    heard.append(json.loads(await socket.recv()))
            except ConnectionClosed as closed:
                return heard, closed.rcvd.code

    heard, code = asyncio.run(run())
    assert [h["e"] for h in heard].count("serverShutdown") == 1
    assert code == 1001


def test_a_planned_halt_ends_connections_and_answers_503_until_it_is_over():
    halted = [{"from_h": 0.004, "venue": {"sim_binance": {"halted": True}}},
              {"from_h": 0.006, "venue": {"sim_binance": {"halted": False}}}]  # fmt: skip

    async def run():
        clock = HeldClock(
            4.5
        )  # the halt lasts from 3.6 to 5.4 s, and longer than it takes to look at it
        async with Served(alone(halted=halted), speed=4.0, clock=clock) as served:
            path = "/fstream.binance.com/public/ws/ethusdt@bookTicker"
            closed = statuses = None
            async with served.websocket(path) as socket:
                try:
                    while True:
                        await asyncio.wait_for(socket.recv(), 20.0)
                except ConnectionClosed as error:
                    closed = error.rcvd.code
            try:
                async with served.websocket(path):
                    pass
            except InvalidStatus as error:
                statuses = error.response.status_code
            rest = (
                await served.get("/fapi.binance.com/fapi/v1/openInterest?symbol=ETHUSDT")
            ).status_code
            spot = (await served.get("/api.binance.com/api/v3/depth?symbol=ETHUSDT")).status_code
            clock.go_on()
            await until_open(served)
            async with served.websocket(path) as socket:
                after = json.loads(await asyncio.wait_for(socket.recv(), 20.0))
            return closed, statuses, rest, spot, after["e"]

    assert asyncio.run(run()) == (1001, 503, 503, 200, "bookTicker")


def test_weight_is_counted_refused_and_those_who_go_on_are_banned():
    """2,400 a minute at 20 a snapshot: the 121st is refused, ten more, then the ban."""

    async def run():
        async with Served(alone(), clock=LateClock(50.0)) as served:
            url = f"http://{served.gate.address}/fapi.binance.com/fapi/v1/depth?symbol=ETHUSDT&limit=1000"
            async with httpx.AsyncClient(trust_env=False) as client:
                found = [await client.get(url) for _ in range(135)]
                other = await client.get(
                    url.replace("fapi.binance.com/fapi/v1", "api.binance.com/api/v3")
                )
            return found, other

    found, other = asyncio.run(run())
    assert [r.status_code for r in found[:120]] == [200] * 120
    assert found[119].headers["X-MBX-USED-WEIGHT-1M"] == "2400"
    assert [r.status_code for r in found[120:130]] == [429] * 10
    assert 1 <= int(found[120].headers["Retry-After"]) <= 60
    assert [r.status_code for r in found[130:]] == [418] * 5
    assert int(found[130].headers["Retry-After"]) == 120
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("path", "text", "most"),
    [
        ("/fstream.binance.com/public/ws", '{"method":"LIST_SUBSCRIPTIONS","id":1}', 10),
        ("/stream.binance.com:9443/ws", '{"method":"LIST_SUBSCRIPTIONS","id":1}', 5),
    ],
)
def test_more_messages_a_second_than_the_venue_takes_end_the_connection(path, text, most):
    async def run():
        async with Served(alone()) as served, served.websocket(path) as socket:
            for _ in range(most + 1):
                await socket.send(text)
            answers = 0
            try:
                while True:
                    await socket.recv()
                    answers += 1
            except ConnectionClosed as closed:
                return answers, closed.rcvd.code

    assert asyncio.run(run()) == (most, 1008)


def test_a_route_goes_dead_on_demand_while_the_other_flows():
    """T01 as an action: connected, and never a word, for a while."""
    actions = [Action(0.0, "ack_no_data", "binance_usdm", target="market", for_s=1.5)]

    async def run():
        async with Served(alone(), speed=5.0, actions=actions) as served:
            begin = served.house.now
            market = "/fstream.binance.com/market/ws/ethusdt@markPrice@1s"
            public = "/fstream.binance.com/public/ws/ethusdt@depth@100ms"
            async with served.websocket(market) as dead, served.websocket(public) as alive:
                await alive.recv()
                told = served.house.now - begin
                first = json.loads(await dead.recv())
                return told, first["E"] * 10**6 - begin

    alive, dead = asyncio.run(run())
    assert alive < 1.5 * SECOND_NS <= dead + SECOND_NS


def test_a_flapping_venue_confirms_and_hangs_up():
    actions = [Action(0.0, "flap", "bybit_linear")]

    async def run():
        made = world((), without=("sim_hyperliquid",))
        async with Served(made, actions=actions) as served:
            await asyncio.sleep(0.1)
            async with served.websocket("/stream.bybit.com/v5/public/linear") as socket:
                await socket.send('{"op":"subscribe","args":["publicTrade.ETHUSDT"]}')
                confirmed = json.loads(await socket.recv())
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
            return confirmed["success"], closed.value.rcvd.code

    assert asyncio.run(run()) == (True, 1001)


def test_a_ban_closes_every_door_and_says_for_how_long():
    actions = [Action(0.0, "ban", "binance_usdm", for_s=300.0)]

    async def run():
        async with Served(alone(), actions=actions) as served:
            await asyncio.sleep(0.2)
            rest = await served.get("/fapi.binance.com/fapi/v1/openInterest?symbol=ETHUSDT")
            with pytest.raises(InvalidStatus) as refused:
                async with served.websocket("/fstream.binance.com/public/ws/ethusdt@trade"):
                    pass
            return rest, refused.value.response

    rest, refused = asyncio.run(run())
    assert (rest.status_code, rest.headers["Retry-After"]) == (418, "300")
    assert refused.status_code == 418


def test_hyperliquid_hangs_up_without_a_word_on_an_unknown_coin():
    made = world((), without=("sim_bybit",))

    async def run():
        async with Served(made) as served, served.websocket("/api.hyperliquid.xyz/ws") as socket:
            subscription = {"type": "l2Book", "coin": "btc"}
            await socket.send(json.dumps({"method": "subscribe", "subscription": subscription}))
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            return closed.value.rcvd

    assert asyncio.run(run()) is None  # 1006: no closing frame came


def test_more_new_connections_a_second_than_okx_takes_are_refused():
    made = world((("sim_okx", "okx", "linear", 0.001),), without=SOLO)

    async def run():
        async with Served(made) as served:
            path = "/ws.okx.com:8443/ws/v5/public"
            async with served.websocket(path), served.websocket(path), served.websocket(path):
                with pytest.raises(InvalidStatus) as refused:
                    async with served.websocket(path):
                        pass
            return refused.value.response.status_code

    assert asyncio.run(run()) == 429


def test_what_is_not_served_is_not_found_and_nothing_else_is_served():
    async def run():
        async with Served(alone()) as served:
            answers = [
                await served.get(path)
                for path in ("/", "/futures.kraken.com/ws/v1", "/fapi.binance.com/x")
            ]
            raw = await served.get("/api.hyperliquid.xyz/info", "POST")
            return [a.status_code for a in (*answers, raw)]

    assert asyncio.run(run()) == [404, 404, 404, 404]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org", ""])  # noqa: S104
def test_only_loopback_is_bound(host):
    with pytest.raises(BadInput, match="loopback only"):
        GateSettings(host=host)


def test_an_unknown_action_or_venue_is_named():
    with pytest.raises(BadInput, match="action 'explode' unknown; there are: ack_no_data"):
        Action(0.0, "explode", "okx")
    with pytest.raises(BadInput, match="venue 'okx'; served: binance_spot, binance_usdm"):
        House(alone(), 1, 1.0, [Action(0.0, "ban", "okx")])


async def until_open(served):
    while served.house.halted:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


def known(session):
    return ("binance_usdm", "ETHUSDT") in session.states.by_asset["ETH"].markets


def sent(store):
    from airpocket.ingest.log import reader

    return [r.body for r in reader.records(store / RAW) if r.kind == "text"]


def faulty(store, actions, until, made=None, *venues, opened=None):
    """Record Binance (or `venues`) under a schedule of faults until a condition holds."""

    async def run():
        async with Served(made or alone(), actions=actions) as served:
            if opened is not None:
                opened["gate"] = served.gate
            return await served.record(store, *(venues or ("binance_usdm",)), until=until)

    return asyncio.run(run())
