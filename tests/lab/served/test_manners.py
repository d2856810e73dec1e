"""Each venue's confirmations, errors, heartbeats and ids, as venues.md §3 has them; no sockets."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from lab.served.worlds import FIRST, WIRE, opened, world

from airpocket.delivery.cli import main
from airpocket.domain.units import SECOND_NS
from airpocket.lab.dialects.contract import Contract, decimals, served
from airpocket.lab.dialects.ledger import Ledger, View
from airpocket.lab.dialects.speech import Close, Manners, Question
from airpocket.lab.exchange import journal
from airpocket.lab.runs.worldcheck import read_world
from airpocket.lab.server.faults import Action, Faults
from airpocket.lab.server.limits import KeepAlive, Rate, Weights
from airpocket.lab.server.pace import Pace

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "worlds" / "every_venue.toml"


@pytest.fixture(scope="module")
def house():
    return opened(world(FIRST), speed=5.0)


def talk(house, venue, path, *texts, query="", at=WIRE):
    """What a new client hears back: frames decoded, closings as they are."""
    dialect = house.dialects[venue]
    client = dialect.open(path, query, at)
    said = [one for text in texts for one in dialect.hear(client, text, at)]
    dialect.gone(client)
    return [one if isinstance(one, Close) or one == "pong" else json.loads(one) for one in said]


def say(**words):
    return json.dumps(words)


def test_okx_confirms_each_argument_and_names_what_it_does_not_have(house):
    args = [
        {"channel": "trades", "instId": "ETH-USDT-SWAP"},
        {"channel": "trades", "instId": "XRP-USDT-SWAP"},
    ]
    first, error = talk(house, "okx", "/ws/v5/public", say(op="subscribe", args=args))
    assert (first["event"], first["arg"]) == ("subscribe", args[0])
    assert (error["event"], error["code"]) == ("error", "60018")
    assert "instId:XRP-USDT-SWAP doesn't exist" in error["msg"]


def test_okx_drops_names_beside_the_type_of_liquidations_silently(house):
    asked = {"channel": "liquidation-orders", "instType": "SWAP", "instId": "ETH-USDT-SWAP"}
    [confirmed] = talk(house, "okx", "/ws/v5/public", say(op="subscribe", args=[asked]))
    assert confirmed["arg"] == {"channel": "liquidation-orders", "instType": "SWAP"}
    alone = {"channel": "liquidation-orders", "instId": "ETH-USDT-SWAP"}
    [error] = talk(house, "okx", "/ws/v5/public", say(op="subscribe", args=[alone]))
    assert error["code"] == "60018"


def test_okx_has_candles_on_the_business_address_alone(house):
    args = say(op="subscribe", args=[{"channel": "candle1m", "instId": "ETH-USDT-SWAP"}])
    assert talk(house, "okx", "/ws/v5/public", args)[0]["event"] == "error"
    assert talk(house, "okx", "/ws/v5/business", args)[0]["event"] == "subscribe"
    assert talk(house, "okx", "/ws/v5/public", "ping") == ["pong"]


def test_okx_takes_480_operations_an_hour_and_cuts_after_thirty_silent_seconds(house):
    dialect = house.dialects["okx"]
    client = dialect.open("/ws/v5/public", "", WIRE)
    one = say(op="subscribe", args=[{"channel": "tickers", "instId": "NONE"}])
    answers = [json.loads(dialect.hear(client, one, WIRE)[0])["code"] for _ in range(481)]
    assert answers == ["60018"] * 480 + ["60014"]
    assert dialect.tick(client, WIRE + 30 * SECOND_NS) == []
    assert isinstance(dialect.tick(client, WIRE + 31 * SECOND_NS)[0], Close)


def test_deribit_leaves_what_it_does_not_know_out_without_an_error(house):
    channels = ["book.ETH-PERPETUAL.100ms", "book.NOPE.100ms", "trades.ETH-PERPETUAL.100ms"]
    asked = say(jsonrpc="2.0", id=3, method="public/subscribe", params={"channels": channels})
    granted, snapshot = talk(house, "deribit", "/ws/api/v2", asked)
    assert granted["result"] == [channels[0], channels[2]]
    assert (granted["id"], granted["testnet"]) == (3, False)
    assert snapshot["params"]["data"]["type"] == "snapshot"
    assert "prev_change_id" not in snapshot["params"]["data"]


def test_deribit_sends_no_second_snapshot_and_refuses_raw_books(house):
    asked = say(id=1, method="public/subscribe", params={"channels": ["book.ETH-PERPETUAL.100ms"]})
    assert len(talk(house, "deribit", "/ws/api/v2", asked, asked)) == 3
    raw = say(id=5, method="public/subscribe", params={"channels": ["book.ETH-PERPETUAL.raw"]})
    assert talk(house, "deribit", "/ws/api/v2", raw)[0]["error"]["code"] == 13778


def test_deribit_tests_the_client_and_leaves_who_does_not_answer(house):
    dialect = house.dialects["deribit"]
    client = dialect.open("/ws/api/v2", "", WIRE)
    low = json.loads(
        dialect.hear(
            client, say(id=1, method="public/set_heartbeat", params={"interval": 5}), WIRE
        )[0]
    )
    assert "error" in low
    dialect.hear(client, say(id=1, method="public/set_heartbeat", params={"interval": 30}), WIRE)
    [test] = dialect.tick(client, WIRE + 30 * SECOND_NS)
    assert json.loads(test)["params"] == {"type": "test_request"}
    dialect.hear(client, say(id=2, method="public/test", params={}), WIRE + 31 * SECOND_NS)
    assert dialect.tick(client, WIRE + 45 * SECOND_NS) == []
    dialect.tick(client, WIRE + 61 * SECOND_NS)
    assert dialect.tick(client, WIRE + 72 * SECOND_NS) == [Close(4000, "heartbeat")]


def test_deribit_takes_ten_subscriptions_at_once(house):
    asked = say(id=1, method="public/subscribe", params={"channels": []})
    found = talk(house, "deribit", "/ws/api/v2", *[asked] * 11)
    assert [f["result"] for f in found[:10]] == [[]] * 10
    assert found[10]["error"]["code"] == 10028
    assert isinstance(found[11], Close)


def test_bybit_refuses_a_whole_request_for_one_unknown_topic(house):
    args = ["publicTrade.ETHUSDT", "publicTrade.NOPE"]
    [refused] = talk(house, "bybit_linear", "/v5/public/linear", say(op="subscribe", args=args))
    assert (refused["success"], refused["ret_msg"]) == (
        False,
        "error:handler not found,topic:publicTrade.NOPE",
    )
    [pong] = talk(house, "bybit_linear", "/v5/public/linear", say(op="ping"))
    assert (pong["success"], pong["ret_msg"], pong["op"]) == (True, "pong", "ping")


def test_hyperliquid_repeats_a_subscription_with_its_defaults_and_says_when_there_was_one(house):
    asked = say(method="subscribe", subscription={"type": "l2Book", "coin": "ETH"})
    confirmed, book, again = talk(house, "hyperliquid", "/ws", asked, asked)
    full = {"type": "l2Book", "coin": "ETH", "nSigFigs": None, "mantissa": None, "fast": False}
    assert confirmed["data"] == {"method": "subscribe", "subscription": full}
    assert book["channel"] == "l2Book"
    assert again["channel"] == "error"
    assert again["data"].startswith("Already subscribed: ")


def test_coinbase_counts_a_connections_messages_and_wants_a_subscription_soon(house):
    wanted = [
        say(type="subscribe", channel=name, product_ids=["ETH-USD"])
        for name in ("level2", "heartbeats")
    ]
    found = talk(house, "coinbase", "/", *wanted)
    assert [frame["sequence_num"] for frame in found] == [0, 1, 2]
    assert [frame["channel"] for frame in found] == ["l2_data", "subscriptions", "subscriptions"]
    dialect = house.dialects["coinbase"]
    idle = dialect.open("/", "", WIRE)
    assert dialect.tick(idle, WIRE + 4 * SECOND_NS) == []
    assert dialect.tick(idle, WIRE + 6 * SECOND_NS) == [Close(1000, "no subscription")]


def test_binance_answers_wrong_questions_with_its_own_codes(house):
    dialect = house.dialects["binance_usdm"]
    wrong = dialect.answer(Question("GET", "/fapi/v1/depth", "symbol=NOPE&limit=1000"), WIRE)
    assert (wrong.status, json.loads(wrong.body)["code"]) == (400, -1121)
    deep = dialect.answer(Question("GET", "/fapi/v1/depth", "symbol=ETHUSDT&limit=1001"), WIRE)
    assert (deep.status, json.loads(deep.body)["code"]) == (400, -4021)
    info = json.loads(dialect.answer(Question("GET", "/fapi/v1/exchangeInfo", ""), WIRE).body)
    assert [each["symbol"] for each in info["symbols"]] == ["ETHUSDT"]
    assert dialect.weight(Question("GET", "/fapi/v1/depth", "limit=1000")) == 20
    assert (
        house.dialects["binance_spot"].weight(Question("GET", "/api/v3/depth", "limit=5000")) == 250
    )
    assert dialect.open("/market/stream/x", "", WIRE) == 404


def test_an_okx_chain_jumps_keeps_alive_and_names_its_predecessor():
    house = opened(world(FIRST), speed=1.0)
    dialect = house.dialects["okx"]
    client = dialect.open("/ws/v5/public", "", WIRE)
    dialect.hear(
        client, say(op="subscribe", args=[{"channel": "books", "instId": "ETH-USDT-SWAP"}]), WIRE
    )
    links = []
    for told in house.until(WIRE + 15 * SECOND_NS):
        links += [
            json.loads(f.text)["data"][0] for f in told.frames if f.topic == "books/ETH-USDT-SWAP"
        ]
    steps = [link["seqId"] - link["prevSeqId"] for link in links]
    assert all(now["prevSeqId"] == before["seqId"] for before, now in pairwise(links))
    assert min(steps) >= 0
    assert max(steps) > 7
    assert {link["checksum"] for link in links} == {0}


def test_a_window_tells_what_enters_it_when_a_level_goes():
    """A book shown three deep: the fourth level appears as soon as one of the three is gone."""
    ledger = Ledger(Contract(0, "bybit_linear", "ETHUSDT", "ETH", "linear", 0.1, 0.01))
    view = View(ledger, 3)
    for change, (tick, lots) in enumerate([(100, 5), (99, 4), (98, 3), (97, 2), (96, 1)], 1):
        ledger.take((journal.DEPTH, 0, 0, tick, lots, 1, change, 0))
    bids, asks = view.step()
    assert [(level.tick, level.lots) for level in bids] == [(100, 5), (99, 4), (98, 3)]
    assert asks == []
    ledger.take((journal.DEPTH, 0, 0, 99, 0, 1, 6, 0))
    bids, _ = view.step()
    assert [(level.tick, level.lots, level.was) for level in bids] == [(99, 0, 4), (97, 2, 0)]
    assert view.sides()[0] == [(100, 5), (98, 3), (97, 2)]


def test_weight_is_forgiven_with_the_next_window_and_bans_grow():
    weights = Weights(Manners(weight=10, weight_s=60.0))
    assert weights.ask(10, 0) is None
    refusals = [weights.ask(1, SECOND_NS) for _ in range(11)]
    assert [r.status for r in refusals] == [429] * 10 + [418]
    assert (refusals[0].headers["Retry-After"], refusals[10].headers["Retry-After"]) == (
        "59",
        "120",
    )
    assert weights.ask(1, 100 * SECOND_NS).status == 418
    assert weights.ask(1, 122 * SECOND_NS) is None
    again = [weights.ask(11, 130 * SECOND_NS) for _ in range(11)]
    assert again[10].headers["Retry-After"] == "240"


def test_messages_are_counted_over_a_second():
    inbound = Rate(2, 1.0)
    times = [0, 1, 2, SECOND_NS + 1, SECOND_NS + 2, SECOND_NS + 3]
    assert [inbound.too_many(at) for at in times] == [False, False, True, False, False, True]


def test_who_answers_no_ping_in_time_is_cut_and_an_unasked_pong_does_not_count():
    """Binance spot: a ping each twenty seconds, a pong within a minute."""
    alive = KeepAlive(Manners(ping_every_s=20.0, pong_within_s=60.0), 0)
    alive.ponged()
    assert [alive.tick(at * SECOND_NS) for at in (19, 20, 79)] == ["", "ping", ""]
    alive.ponged()
    assert [alive.tick(at * SECOND_NS) for at in (81, 140, 142)] == ["ping", "", "cut"]


def test_the_two_times_agree_at_any_speed():
    pace = Pace(1_000, 5 * SECOND_NS, 60.0)
    assert pace.to_virtual(6 * SECOND_NS) == 1_000 + 60 * SECOND_NS
    assert pace.to_wire(1_000 + 60 * SECOND_NS) == 6 * SECOND_NS


def test_a_market_may_be_entered_in_its_course():
    """Hours that nobody heard: the book is the engine's, and their trades are no news."""
    late = opened(world((), without=("sim_bybit", "sim_hyperliquid")), speed=5.0, from_h=0.05)
    assert late.session.now - late.session.world.start_ns == 186 * SECOND_NS
    ledger, terms = late.dialects["binance_usdm"].by_symbol["ETHUSDT"], late.session.market.books[1]
    assert (ledger.best()[0], ledger.best()[2]) == (int(terms.bid), int(terms.ask))
    [first, *_] = [told for told in late.until(WIRE + SECOND_NS) if told.venue == "binance_usdm"]
    assert all(
        json.loads(f.text).get("E", WIRE) * 10**6 >= WIRE
        for f in first.frames
        if "kline" not in f.topic
    )


def test_faults_begin_hold_and_end():
    faults = Faults([Action(2.0, "ban", "okx", for_s=3.0)], WIRE)
    assert faults.turn(WIRE) == ([], [])
    begun, over = faults.turn(WIRE + 2 * SECOND_NS)
    assert ([a.what for a in begun], over) == (["ban"], [])
    assert faults.running("ban") is not None
    assert [a.what for a in faults.turn(WIRE + 5 * SECOND_NS)[1]] == ["ban"]
    assert faults.running("ban") is None


@pytest.mark.parametrize(("unit", "factor"), [("us", 1_000), ("s", 0.001)])
def test_stamps_flip_their_unit_and_come_back(unit, factor):
    house = opened(world((), without=("sim_bybit", "sim_hyperliquid")), speed=5.0,
                   actions=[Action(1.0, "stamps", "binance_usdm", unit, for_s=1.0)])  # fmt: skip
    client = house.dialects["binance_usdm"].open(
        "/public/stream", "streams=ethusdt@depth@100ms", WIRE
    )
    stamps = {0: set(), 1: set(), 2: set()}  # by second
    for told in house.until(WIRE + 3 * SECOND_NS - 1):
        for frame in told.frames:
            if told.venue == "binance_usdm" and frame.topic in client.topics:
                stamps[(told.now - WIRE) // SECOND_NS].add(json.loads(frame.text)["E"])
    ms = WIRE // 10**6
    for second, expected in ((0, ms), (1, ms * factor), (2, ms)):
        assert stamps[second]
        assert all(stamp == pytest.approx(expected, rel=1e-6) for stamp in stamps[second])


def test_the_example_world_has_every_kind_of_venue():
    every = "binance_spot binance_usdm binance_coinm bybit_linear okx deribit hyperliquid coinbase"
    assert {contract.venue for contract in served(read_world(EXAMPLE))} == set(every.split())


def test_steps_have_the_decimals_they_need():
    assert [decimals(step) for step in (0.001, 0.5, 10.0, 0.01 / 0.1)] == [3, 1, 0, 1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--seed", "-1"], "--seed must lie between"),
        (["--seed", "1", "--port", "70000"], "--port must lie between"),
        (["--seed", "1", "--host", "0.0.0.0"], "served on loopback only"),  # noqa: S104
        (["--seed", "1", "--speed", "0"], "speed must lie between 0.01 and 1000, not 0"),
        (
            ["--seed", "1", "--from-h", "30"],
            "from_h must lie between 0 and 24, the world's end, not 30",
        ),
        (["--seed", "1", "--day", "0"], "--day must lie between"),
    ],
)
def test_the_command_names_what_it_cannot_take(capsys, arguments, told):
    assert main(["lab", "serve", str(EXAMPLE), *arguments]) == 2
    assert told in capsys.readouterr().err
