"""Frames that are not understood, through the intake: counted by field, and no figure rests on what is missing."""

import json

import pytest

from airpocket.domain.errors import StoreDamaged
from airpocket.ingest.log.records import Record
from airpocket.ingest.venues.registry import VENUES
from airpocket.live.drift import Drift, remembered
from airpocket.live.faults import Faults
from airpocket.live.feeds import decoders, feeds_of
from airpocket.live.intake import LOST, Intake
from airpocket.live.recorder import pulse_of
from airpocket.live.session import States

S = 1_000_000_000
T0 = 1_790_000_040 * S
USDM = "binance_usdm"


class Ear:
    """An intake with everything that judges it, and the words of the venues."""

    def __init__(self, *venues, asset="ETH"):
        feeds = feeds_of([asset], venues)
        self.states, self.pulse = States((asset,), feeds), pulse_of(feeds.values())
        self.intake = Intake(decoders(), self.states, self.pulse)
        self.faults = Faults(self.pulse, self.states, self.intake.refusals)
        self.now, self.ids = T0, 0
        for venue in venues:
            for socket in feeds[venue].sockets:
                self.hear(venue, b"", f"{socket.route}#1", "connect")

    def hear(self, venue, body, connection="public#1", kind="text"):
        return self.intake.take(
            Record(heard=self.now, venue=venue, connection=connection, kind=kind, body=body, about="",
                   monotonic=self.now)
        )  # fmt: skip

    def tick(self, seconds=1.0):
        self.now += int(seconds * S)
        self.faults.tell(self.pulse.status(self.now), self.now, self.now)

    def state(self, venue, symbol, channel):
        return self.pulse.state_of(venue, symbol, channel, self.now)

    def market(self, venue, symbol):
        return self.states.by_asset["ETH"].markets[venue, symbol]

    def trade(self, **more):
        self.ids += 1
        data = {"e": "trade", "E": self.now // 10**6, "T": self.now // 10**6, "s": "ETHUSDT", "t": self.ids,
                "p": "3000.5", "q": "1.5", "X": "MARKET", "m": False, **more}  # fmt: skip
        return json.dumps({"stream": "ethusdt@trade", "data": data}, separators=(",", ":")).encode()

    def forced(self, side="SELL"):
        order = {"s": "ETHUSDT", "S": side, "p": "3000", "q": "1", "ap": "3000", "z": "1",
                 "T": self.now // 10**6}  # fmt: skip
        data = {"e": "forceOrder", "E": self.now // 10**6, "o": order}
        return json.dumps(
            {"stream": "ethusdt@forceOrder", "data": data}, separators=(",", ":")
        ).encode()


def coinbase_book(kind="update", price="3000.5", size="2", number=1):
    update = {
        "side": "bid",
        "event_time": "2026-09-21T14:14:00Z",
        "price_level": price,
        "new_quantity": size,
    }
    event = {"type": kind, "product_id": "ETH-USD", "updates": [update]}
    return json.dumps({"channel": "l2_data", "timestamp": "2026-09-21T14:14:00Z", "sequence_num": number,
                       "events": [event]}).encode()  # fmt: skip


@pytest.mark.fault("V01")
def test_refusals_are_counted_by_venue_channel_and_field_within_bounds():
    ear = Ear(USDM)
    for n in range(2_000):
        ear.hear(USDM, ear.trade(p=f"x{n}"))
        ear.hear(USDM, ear.trade(T=n))
        ear.hear(USDM, ear.forced(side=f"S{n}"), "market#1")
        ear.hear(USDM, b'{"stream":"w%d@x","data":[]}' % n)
    assert ear.intake.refused == {
        (USDM, "trade: $.p: Expected `float`, got `str`"): 2_000,
        (USDM, "trade: trade time … is no time between … and …"): 2_000,
        (USDM, "forceOrder: order side …"): 2_000,
        (USDM, "x: Expected `object`, got `array`"): 2_000,
    }
    for n in range(2_000):
        ear.hear(USDM, b'{"stream":"a@w%d","data":[]}' % n)
    assert len(ear.intake.refused) <= 501
    assert sum(ear.intake.refused.values()) == 10_000
    assert len(ear.intake.refusals.examples) == 20


@pytest.mark.fault("V11")
def test_a_field_renamed_in_every_message_makes_its_channel_degraded_and_no_other():
    ear = Ear(USDM)
    for _ in range(90):
        ear.hear(USDM, ear.trade())
        ear.tick()
    assert ear.state(USDM, "ETHUSDT", "trades")[0] == "live"
    for _ in range(10):
        ear.hear(USDM, ear.trade().replace(b'"p":', b'"price":'))
        ear.hear(USDM, ear.forced(), "market#1")
        ear.tick()
    state, reason = ear.state(USDM, "ETHUSDT", "trades")
    assert state == "degraded"
    assert "not understood" in reason
    assert ear.state(USDM, "ETHUSDT", "liquidations")[0] != "degraded"
    for _ in range(70):
        ear.hear(USDM, ear.trade())
        ear.tick()
    assert ear.state(USDM, "ETHUSDT", "trades")[0] == "live"


@pytest.mark.fault("V11", "V04")
@pytest.mark.parametrize(("every", "state"), [(500, "degraded"), (5_000, "live")])
def test_a_thousandth_is_the_measure(every, state):
    """One in 500, of size zero, is too many; one in 5,000 is a slip."""
    ear = Ear(USDM)
    for n in range(1, 60_001):
        ear.hear(USDM, ear.trade(q="0") if n % every == 0 else ear.trade())
        if n % 1_000 == 0:
            ear.tick()
    assert ear.state(USDM, "ETHUSDT", "trades")[0] == state


@pytest.mark.fault("V11")
def test_a_channel_that_speaks_seldom_is_degraded_after_three_frames_in_a_row():
    """A silent liquidation feed looks like calm: three that can't be read are enough."""
    ear = Ear(USDM)
    for n in range(3):
        ear.hear(USDM, ear.forced(side="LONG"), "market#1")
        ear.tick(20)
        assert (ear.state(USDM, "ETHUSDT", "liquidations")[0] == "degraded") == (n == 2)
    ear.hear(USDM, ear.forced(), "market#1")
    ear.tick()
    assert ear.state(USDM, "ETHUSDT", "liquidations")[0] != "degraded"


@pytest.mark.fault("V04", "V11")
def test_a_minute_of_which_a_trade_was_not_understood_is_not_whole():
    ear = Ear(USDM)
    ear.hear(USDM, ear.trade())
    ear.tick(60)
    ear.hear(USDM, ear.trade())
    tape = ear.market(USDM, "ETHUSDT").tape
    assert tape.running.whole
    ear.hear(USDM, ear.trade(q="0"))
    assert not tape.running.whole
    assert tape.running.prints == 1


@pytest.mark.fault("T04")
def test_a_minute_in_which_trades_have_stopped_coming_is_not_whole():
    """Prices go on, so the connection lives; how many trades there were is not known, and not zero."""
    ear = Ear(USDM)
    for _ in range(120):
        ear.hear(USDM, ear.trade())
        ear.tick()
    tape = ear.market(USDM, "ETHUSDT").tape
    assert tape.running.whole
    for _ in range(110):
        ear.tick()
        ear.hear(USDM, ear.forced())
    assert ear.state(USDM, "ETHUSDT", "trades")[0] == "stale"
    assert not tape.running.whole


@pytest.mark.fault("S01")
def test_a_replay_across_a_kill_ends_what_the_killed_recorder_had_open():
    """Its connections ended without a word: the minute has a hole, and the book waits for proof."""
    ear = Ear(USDM, "coinbase")
    for _ in range(70):
        ear.hear(USDM, ear.trade())
        ear.hear("coinbase", coinbase_book("snapshot"))
        ear.tick()
    tape, book = ear.market(USDM, "ETHUSDT").tape, ear.market("coinbase", "ETH-USD").book
    assert tape.running.whole
    assert book.state == "live"
    ear.hear("", b'{"event":"begun"}', "log", "marker")
    assert not tape.running.whole
    assert not tape.heard_by
    assert book.state == "untrusted"


@pytest.mark.fault("V11")
def test_a_book_without_numbers_can_not_be_trusted_once_a_change_was_not_understood():
    """Nothing in Coinbase's next change would tell that one is missing."""
    ear = Ear("coinbase")
    ear.hear("coinbase", coinbase_book("snapshot"))
    book = ear.market("coinbase", "ETH-USD").book
    assert book.state == "live"
    ear.hear("coinbase", coinbase_book(price="NaN"))
    assert (book.state, book.reason) == ("untrusted", "a message of it was lost or not understood")
    assert ear.states.wanting() == [("coinbase", "ETH-USD")]
    ear.tick()
    assert ear.state("coinbase", "ETH-USD", "book")[0] == "degraded"
    ear.hear("coinbase", coinbase_book(price="3001.0"))
    assert book.state == "untrusted"
    ear.hear("coinbase", coinbase_book("snapshot"))
    ear.tick()
    assert ear.state("coinbase", "ETH-USD", "book")[0] == "live"


@pytest.mark.fault("B01")
def test_a_message_that_a_connection_s_count_passed_over_ends_trust_in_all_it_brought():
    """Coinbase's changes have no numbers of their own, its connections have: of all their channels together."""
    ear = Ear("coinbase")
    ear.hear("coinbase", coinbase_book("snapshot", number=0))
    for number in (1, 2, 2, 3):
        ear.hear("coinbase", coinbase_book(number=number))
    book, tape = ear.market("coinbase", "ETH-USD").book, ear.market("coinbase", "ETH-USD").tape
    tape.heard("public#1", ear.now)
    tape.running.whole = True
    assert book.state == "live"
    ear.hear(
        "coinbase", b'{"channel":"heartbeats","sequence_num":6,"events":[]}'
    )  # 4 and 5 never came
    assert book.state == "untrusted"
    assert not tape.running.whole
    assert ear.intake.refused["coinbase", LOST] == 2
    ear.hear("coinbase", b"", "public#1", "disconnect")
    ear.hear("coinbase", coinbase_book("snapshot", number=0), "public#2")
    ear.hear("coinbase", coinbase_book(number=1), "public#2")
    assert book.state == "live"


def bybit_book(kind, last, bids=(), asks=()):
    data = {"s": "ETHUSDT", "b": list(bids), "a": list(asks), "u": last, "seq": 1}
    return json.dumps(
        {"topic": "orderbook.200.ETHUSDT", "type": kind, "ts": T0 // 10**6, "data": data}
    ).encode()


@pytest.mark.fault("B08", "B20")
def test_a_delisted_contract_is_said_to_be_and_asked_for_no_more():
    ear = Ear("bybit_linear")
    levels = ([["3000", "1"]], [["3001", "1"]])
    ear.hear("bybit_linear", bybit_book("snapshot", 5, *levels))
    ear.hear("bybit_linear", bybit_book("snapshot", 1))
    ear.tick()
    assert ear.state("bybit_linear", "ETHUSDT", "trades")[0] == "delisted"
    for last in (2, 3):
        ear.hear("bybit_linear", bybit_book("delta", last, *levels))
    ear.hear("bybit_linear", bybit_book("snapshot", 9, *levels))
    book = ear.market("bybit_linear", "ETHUSDT").book
    assert (book.state, book.levels, book.ignored) == ("delisted", None, 3)
    assert ear.states.wanting() == []


@pytest.mark.fault("B07")
def test_a_restart_of_the_venue_is_one_snapshot_and_no_alarm():
    ear = Ear("bybit_linear")
    levels = ([["3000", "1"]], [["3001", "1"]])
    ear.hear("bybit_linear", bybit_book("snapshot", 5, *levels))
    ear.hear("bybit_linear", bybit_book("delta", 1, [["2990", "1"]], [["2991", "1"]]))
    ear.hear("bybit_linear", bybit_book("delta", 2, [["2990", "2"]]))
    ear.tick()
    book = ear.market("bybit_linear", "ETHUSDT").book
    assert tuple(book.levels.touch()) == (2_990.0, 2.0, 2_991.0, 1.0)
    assert (book.gaps, book.restarts) == (0, 1)
    assert ear.state("bybit_linear", "ETHUSDT", "book")[0] == "live"


@pytest.mark.fault("B11")
def test_a_book_that_stays_crossed_degrades_its_channel_and_wants_a_snapshot():
    ear = Ear("bybit_linear")
    ear.hear("bybit_linear", bybit_book("snapshot", 5, [["3000", "1"]], [["3001", "1"]]))
    ear.hear("bybit_linear", bybit_book("delta", 6, [["3002", "1"]]))
    ear.tick()
    state, reason = ear.state("bybit_linear", "ETHUSDT", "book")
    assert (state, reason) == ("degraded", "crossed: bid 3002 at or above ask 3001")
    ear.tick()
    ear.hear("bybit_linear", bybit_book("delta", 7, [["2999", "1"]]))
    assert ear.states.wanting() == [("bybit_linear", "ETHUSDT")]
    ear.hear("bybit_linear", bybit_book("delta", 8, [["3002", "0"]]))
    ear.tick()
    assert ear.state("bybit_linear", "ETHUSDT", "book")[0] == "live"


@pytest.mark.fault("V10")
def test_a_new_kind_of_message_is_counted_and_takes_no_trust_away():
    ear = Ear("coinbase")
    ear.hear("coinbase", coinbase_book("snapshot"))
    for _ in range(50):
        ear.hear("coinbase", b'{"channel":"futures_balance","events":[]}')
        ear.tick(0.1)
    assert ear.market("coinbase", "ETH-USD").book.state == "live"
    assert ear.state("coinbase", "ETH-USD", "book")[0] == "live"
    news = ear.intake.drift.news(ear.intake.refusals.unknown, ear.now)
    assert [(n.venue, n.what, n.seen) for n in news] == [
        ("coinbase", "unknown channel 'futures_balance'", 50)
    ]


@pytest.mark.fault("V10", "V11")
def test_a_new_field_and_a_new_type_are_news_told_once_a_day():
    ear = Ear(USDM)
    for _ in range(64 * 110):
        ear.hear(USDM, ear.trade())
    drift = ear.intake.drift
    assert drift.news({}, ear.now) == ()
    first = ear.now
    for _ in range(640):
        ear.hear(USDM, ear.trade(nq="1.5", st=1, E=str(first // 10**6)))
    news = drift.news({}, ear.now)
    assert [(n.channel, n.what, n.since) for n in news] == [
        ("trade", "field data.E text", first), ("trade", "field data.nq text", first),
        ("trade", "field data.st number", first),
    ]  # fmt: skip
    assert {n.seen for n in news} == {10}
    assert len(drift.untold(news, ear.now)) == 3
    ear.now += 3_600 * S
    for _ in range(64):
        ear.hear(USDM, ear.trade(zz=True))
    news = drift.news({}, ear.now)
    assert drift.untold(news, ear.now) == []  # not twice in a day
    assert drift.untold(news, ear.now + 86_400 * S) == [
        "new in the messages of binance_usdm: trade field data.zz truth"
    ]


@pytest.mark.fault("V10")
def test_what_is_normal_is_remembered_and_stays_within_bounds(tmp_path):
    drift = Drift()

    def look(body):
        drift.look(
            Record(
                heard=T0,
                venue=USDM,
                connection="c#1",
                kind="text",
                body=body,
                about="",
                monotonic=T0,
            )
        )

    for n in range(2_000):
        look(json.dumps({"stream": "ethusdt@trade", "data": {f"f{n}": 1, f"币{n}": 1}}).encode())
        look(json.dumps({"topic": f"t{n}.ETHUSDT", "data": [1, [2, {"x": None}]]}).encode())
    drift.save(tmp_path)
    assert (tmp_path / "fields.json").stat().st_size < 1_000_000
    again = remembered(tmp_path)
    assert [n.what for n in again.news({}, T0)] == []
    drift = again
    look(b'{"stream":"ethusdt@trade","data":{"f1":1}}')
    look(b'{"stream":"ethusdt@trade","data":{"f1":"1"}}')
    assert [
        n.what for n in again.news({}, T0)
    ] == []  # the list of its fields is full: no more are learned
    (tmp_path / "fields.json").write_bytes(b"{]")
    with pytest.raises(StoreDamaged, match="learned anew"):
        remembered(tmp_path)


@pytest.mark.fault("V12", "V14", "V17")
@pytest.mark.parametrize("venue", sorted(VENUES))
def test_nothing_a_frame_holds_stops_the_intake(venue):
    ear = Ear(venue)
    for body in (b"", b"\xff\xfe", b"[" * 10_000, b"\x1f\x8b\x08" + b"\0" * 100, b'{"a":"\\ud800"}', b"null",
                 b'{"stream":"\\u202e@depth"}', b'{"topic":"' + b"x" * 5_000 + b'"}', b'{"e":1e999}'):  # fmt: skip
        for kind in ("text", "binary", "rest"):
            assert ear.hear(venue, body, kind=kind) == []
    ear.tick()
    assert sum(ear.intake.refused.values()) == 27
    for _, reason in ear.intake.refused:
        reason.encode("utf-8")
