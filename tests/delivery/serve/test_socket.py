"""The websocket under friends and foes: order, snapshots, slow readers, floods, nonsense."""

import json
import socket as sockets
import time

import pytest
from delivery.serve.house import AS_OF, House, tape
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from airpocket.delivery.serve.hub import QUEUE
from airpocket.delivery.serve.link import Note


@pytest.fixture(scope="module")
def player(house):
    line = house.dial("player")
    house.say(line, Note(what="tape", as_of=AS_OF, fresh=True), tape(3600.0))
    return line


def closed(socket, within: float = 10.0) -> int:
    """The code with which the server closes."""
    with pytest.raises(ConnectionClosed) as found:
        drain(socket, within)
    return found.value.rcvd.code


def drain(socket, within: float) -> None:
    """Read until the server closes."""
    while True:
        socket.recv(within)


def heard(socket, topic: str) -> dict:
    """The next message of a topic."""
    while True:
        said = json.loads(socket.recv(10))
        if said["topic"] == topic:
            return said


def test_a_topic_begins_with_a_snapshot_and_goes_on_without_a_gap(house, player):
    with house.socket("tape") as socket:
        first = heard(socket, "tape")
        assert first["kind"] == "snapshot"
        assert first["data"]["prices"][0]["last"] == 3600.0
        for price in (3601.0, 3602.0, 3603.0):
            house.say(player, Note(what="tape", as_of=AS_OF), tape(price))
        told = [heard(socket, "tape") for _ in range(3)]
        assert [each["data"]["prices"][0]["last"] for each in told] == [3601.0, 3602.0, 3603.0]
        assert [each["sequence"] - first["sequence"] for each in told] == [1, 2, 3]
        assert {each["kind"] for each in told} == {"delta"}
        assert {each["as_of"] for each in told} == {"2026-01-15T12:05:05Z"}
        house.say(player, Note(what="tape", as_of=AS_OF), tape(3600.0))


def test_health_comes_by_itself(house):
    with house.socket("health") as socket:
        first, second = heard(socket, "health"), heard(socket, "health")
    assert first["data"]["asset"] == "ETH"
    assert first["data"]["stale"] == "no edition of the analysis is there yet"
    assert second["sequence"] == first["sequence"] + 1


def test_a_moved_replay_begins_a_new_epoch_with_snapshots(house, player):
    with house.socket("tape") as socket:
        before = heard(socket, "tape")
        house.say(player, Note(what="tape", as_of=AS_OF - 60, fresh=True), tape(3500.0))
        after = heard(socket, "tape")
    assert after["epoch"] != before["epoch"]
    assert after["kind"] == "snapshot"
    assert after["data"]["prices"][0]["last"] == 3500.0


@pytest.mark.fault("W13", "R02")
def test_whoever_does_not_read_gets_the_latest_snapshot_and_nobody_else_waits(house, player):
    """A burst of 10,000 messages; one client sleeps through it."""
    with house.socket("tape") as awake, house.socket("tape") as asleep:
        heard(awake, "tape"), heard(asleep, "tape")
        asleep_client = house.desk.hub.clients[-1]
        whole = json.loads(tape(0.0))
        whole["cvd"] = {f"c{i}": 1.0 for i in range(300)}  # more than a kernel's buffers hold
        for begin in range(0, 10_000, 500):
            bodies = []
            for number in range(begin, begin + 500):
                whole["prices"][0]["last"] = float(number)
                bodies.append(json.dumps(whole).encode())
            for body in bodies:
                house.say(player, Note(what="tape", as_of=AS_OF), body)
        last = 9_999
        while json.loads(awake.recv(10))["data"]["prices"][0]["last"] != float(last):
            pass
        assert asleep_client.dropped > 0
        assert len(asleep_client.waiting) <= QUEUE
        final = heard(asleep, "tape")
        while final["data"]["prices"][0]["last"] != float(last):
            final = heard(asleep, "tape")
        assert final["kind"] in ("snapshot", "delta")


@pytest.mark.parametrize(
    "first",
    ["", "null", "[]", '{"op": "subscribe", "topics": ["tape"]}', '{"op": "auth"}', '{"op": "auth", "ticket": 7}',
     '{"op": "auth", "ticket": "guess"}', '{"op": "auth", "ticket": NaN}', "[" * 5_000, "\u2028"],
)  # fmt: skip
def test_without_a_ticket_first_there_is_nothing(house, first):
    with connect(f"ws://127.0.0.1:{house.port}/ws", origin=house.origin) as socket:
        socket.send(first)
        assert closed(socket) == 1008


def test_silence_is_not_waited_for(house):
    with connect(f"ws://127.0.0.1:{house.port}/ws", origin=house.origin) as socket:
        assert closed(socket) == 1008


def test_a_ticket_works_once(house):
    ticket = house.ticket()
    address = f"ws://127.0.0.1:{house.port}/ws"
    with connect(address, origin=house.origin) as one, connect(address, origin=house.origin) as two:
        one.send(json.dumps({"op": "auth", "ticket": ticket}))
        assert json.loads(one.recv(10))["topic"] == "welcome"
        two.send(json.dumps({"op": "auth", "ticket": ticket}))
        assert closed(two) == 1008


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", None]
)
@pytest.mark.fault("W02")
def test_another_site_can_not_even_open_one(house, origin):
    named = None if origin is None else origin.format(port=house.port)
    with (
        pytest.raises(InvalidStatus) as found,
        connect(f"ws://127.0.0.1:{house.port}/ws", origin=named),
    ):
        pass
    assert found.value.response.status_code == 403


def test_a_program_without_an_origin_shows_the_token(house):
    headers = {"Authorization": f"Bearer {house.token}"}
    with connect(f"ws://127.0.0.1:{house.port}/ws", additional_headers=headers) as socket:
        socket.send(json.dumps({"op": "auth", "ticket": house.ticket()}))
        assert json.loads(socket.recv(10))["topic"] == "welcome"


@pytest.mark.parametrize(
    "nonsense",
    ["", "{", "7", "null", "{}", '{"op": "drop table"}', '{"op": "subscribe"}',
     '{"op": "subscribe", "topics": "tape"}',
     '{"op": "subscribe", "topics": ["tape", "tape"]}', '{"op": "subscribe", "topics": [{"a": 1}]}',
     '{"op": "ping", "id": "<script>"}', '{"op": "ping", "id": Infinity}', "[" * 9_000],
)  # fmt: skip
def test_nonsense_is_answered_and_not_obeyed(house, nonsense):
    with house.socket() as socket:
        socket.send(nonsense)
        said = heard(socket, "error")
        assert said["data"]["code"] == "bad_message"
        socket.send('{"op": "ping", "id": 7}')
        assert heard(socket, "pong")["data"] == {"id": 7}


def test_much_nonsense_ends_it(house):
    with house.socket() as socket:
        for _ in range(5):
            socket.send("nonsense")
        assert closed(socket) == 1008


def test_what_is_too_large_or_no_text_ends_it(house):
    with house.socket() as socket:
        socket.send("a" * 20_000)
        assert closed(socket) == 1009
    with house.socket() as socket:
        socket.send(b"\x00\x01")
        assert closed(socket) == 1003
    assert house.get("/api/v1/health")[0] == 200


def test_bytes_that_are_no_websocket_hurt_nobody(house):
    with house.socket() as socket:
        raw: sockets.socket = socket.socket
        raw.sendall(b"\xff" * 64)
        with pytest.raises(ConnectionClosed):
            drain(socket, 10.0)
    assert house.get("/api/v1/health")[0] == 200


def test_no_more_clients_than_there_is_room_for():
    with House(clients=2) as small, small.socket():
        with (
            small.socket(),
            connect(f"ws://127.0.0.1:{small.port}/ws", origin=small.origin) as third,
        ):
            third.send(json.dumps({"op": "auth", "ticket": small.ticket()}))
            assert closed(third) == 1013
        for _ in range(100):
            if len(small.desk.hub.clients) < 2:
                break
            time.sleep(0.02)
        with small.socket():
            pass
