"""A drill behind the server: the pace of its market, what it tells, and the routes; on paper throughout."""

import json
import threading
from dataclasses import replace

import msgspec
import pytest
from drill.test_play import Prices

from airpocket.delivery.serve.drill_pace import Pace
from airpocket.delivery.serve.drill_tape import DrillTape
from airpocket.delivery.serve.driller import Driller
from airpocket.delivery.serve.job import Drilling, Job
from airpocket.delivery.serve.models import Tape
from airpocket.delivery.serve.start import Asked, planned
from airpocket.domain.errors import BadInput
from airpocket.domain.units import MINUTE_NS, SECOND_NS, parse_time
from airpocket.drill.market import Second
from airpocket.drill.play import Ticket
from airpocket.ingest.world import SystemClock

BEGIN = int(parse_time("2026-03-02T05:00Z"))


class Wall:
    """A clock that a test moves."""

    def __init__(self):
        self.at = 0

    def now(self):
        return self.at

    def monotonic(self):
        return self.at


def second(at_s, last=3_000.0, **more):
    return Second(BEGIN + at_s * SECOND_NS, last, last, last - 0.1, last + 0.1, **more)


def test_time_passes_at_the_pace_chosen_and_not_while_it_rests():
    wall = Wall()
    pace = Pace(wall, 10.0)
    pace.say("reduce 25%")
    assert [order.text for order in pace.orders(1)] == ["reduce 25%"], (
        "an order is heard while paused"
    )
    pace.move(playing=True)
    wall.at += SECOND_NS
    assert pace.orders(11) == []
    pace.say("close")
    pace.say("stop 3150")
    assert [order.what for order in pace.orders(50)] == ["close", "stop"], (
        "before its second is due"
    )


def test_a_market_that_was_slow_goes_on_from_there_and_does_not_hurry_after():
    wall = Wall()
    pace = Pace(wall, 10.0)
    pace.move(playing=True)
    wall.at += 100 * SECOND_NS
    assert pace.orders(1) == []
    done = threading.Event()
    waiting = threading.Thread(target=lambda: (pace.orders(5), done.set()))
    waiting.start()
    assert not done.wait(0.2), "seconds 2 to 5 are not due yet"
    wall.at += SECOND_NS
    assert done.wait(10)
    waiting.join()


def test_an_order_that_is_none_is_refused_and_the_end_is_told_to_the_market():
    pace = Pace(Wall(), 10.0)
    with pytest.raises(BadInput, match="is no order"):
        pace.say("fly")
    for _ in range(100):
        pace.say("reduce 1%")
    with pytest.raises(BadInput, match="'close': 100 orders wait already"):
        pace.say("close")
    pace.end()
    assert [order.what for order in pace.orders(1)] == ["quit"]
    assert pace.rest() is False


def test_a_drill_that_is_wanted_again_begins_paused_and_forgets_old_orders():
    pace = Pace(Wall(), 10.0)
    pace.move(playing=True)
    pace.say("close")
    pace.again()
    assert pace.rest() is True
    assert not pace.playing
    pace.end()
    assert [order.what for order in pace.orders(1)] == ["quit"]


def test_the_tape_tells_minutes_and_every_forced_dollar_once():
    tape = DrillTape("sim_binance:ETHUSDT")
    assert tape.tell(1.0, whole=True) is None
    for at_s in range(1, 121):
        tape.take(second(at_s, 3_000.0 + at_s % 7, volume_coin=2.0, taker_buy_coin=1.5,
                         forced_buy_usd=1e6 if at_s == 30 else 0.0))  # fmt: skip
    at, body = tape.tell(30.0, whole=False)
    told = msgspec.json.decode(body, type=Tape)
    assert at == BEGIN + 120 * SECOND_NS
    (first,) = told.closed
    assert (first.open_s * SECOND_NS, first.volume, first.taker_buy) == (BEGIN, 120.0, 90.0)
    assert told.bar is not None
    assert told.bar.open_s * SECOND_NS == BEGIN + MINUTE_NS
    assert [print_.usd for print_ in told.forced] == [1e6]
    assert told.forced[0].side == "buy"
    assert tape.tell(30.0, whole=False) is None, "nothing is new"
    tape.take(replace(second(121)))
    again = msgspec.json.decode(tape.tell(30.0, whole=False)[1], type=Tape)
    assert again.forced == []
    assert [bar.open_s for bar in again.closed] == [(BEGIN + MINUTE_NS) // SECOND_NS]


def test_a_server_without_a_drill_says_so(house):
    status, _, body = house.get("/api/v1/drill")
    assert status == 404
    assert json.loads(body)["code"] == "no_drill"


@pytest.mark.parametrize(
    "body", [{}, {"order": "close", "speed": 2}, {"order": ""}, {"action": "fly"}, {"speed": 0}]
)
def test_a_wrong_question_is_refused_before_it_reaches_the_drill(house, body):
    assert house.ask("POST", "/api/v1/drill", body)[0] == 422


JOB = Job(role="engine", asset="ETH", mode="drill", folder="", store="", speed=1_000.0)


def test_a_drill_is_told_second_by_second_and_scored_as_the_command_scores_it():
    market = Prices(3_000.0, 3_010.0, 3_020.0, 3_030.0, 3_290.0)
    ticket = Ticket("short", 10.0, 3_000.0, 3_000.0)
    driller = Driller(JOB, SystemClock(), lambda: (market, ticket), for_s=4)

    def told(at_s, **asked):
        """What is told at a second, once it has come."""
        for _ in range(6_000):  # kernels may have to be compiled first
            found = json.loads(driller.answer("drill", json.dumps(asked).encode())[1])
            if found["at_s"] == at_s:
                return found
            asked = {}
            threading.Event().wait(0.02)
        raise AssertionError(f"second {at_s} never came")

    status, body = driller.answer("drill", b'{"order": "close"}')
    assert status == 422
    assert "has not begun yet" in json.loads(body)["message"]
    trading = threading.Thread(target=driller.drill)
    trading.start()
    first = told(1)
    assert (first["state"], first["label"]) == ("paused", "SIMULATED prices, seed 0")
    assert first["now"]["position"]["size_coin"] == 10.0
    second_ = told(2, order="reduce 25%")
    assert second_["now"]["position"]["size_coin"] == 7.5
    assert second_["said"][0]["text"].startswith("reduce 25%: bought 2.5")
    third = told(3, order="stop 3150")
    assert [stop["price"] for stop in third["now"]["position"]["stops"]] == [3_150.0]
    driller.answer("drill", b'{"action": "play"}')
    while driller.state.state != "scored":
        threading.Event().wait(0.02)
    last = told(4)
    assert last["now"]["position"]["size_coin"] == 0.0, "the stop was met"
    assert last["score"]["schema"] == "airpocket.drill/1"
    assert last["score"]["position"]["opened_at"].endswith("Z")
    assert last["marks"] == [[1, 3_010.0]]
    status, body = driller.answer("drill", b'{"order": "close"}')
    assert status == 422
    assert "is over" in json.loads(body)["message"]
    assert driller.answer("whatif", b"{}")[0] == 404
    driller.pace.end()
    trading.join(10)
    assert not trading.is_alive()


def test_a_drill_that_cannot_begin_says_why_and_waits():
    def begin():
        raise BadInput("--leverage must lie between 1 and 50")

    driller = Driller(JOB, SystemClock(), begin)
    driller.pace.end()
    driller.drill()
    assert driller.state.trouble == "--leverage must lie between 1 and 50"
    assert driller.state.now is None


@pytest.mark.parametrize(
    ("wanted", "more", "why"),
    [
        ({"scenario": "squeeze"}, {"demo": True}, "--drill makes its own market"),
        ({"scenario": "nowhere"}, {}, "no world 'nowhere'"),
        ({"scenario": "squeeze", "venue": "sim_spot"}, {}, "linear perpetuals here: sim_binance"),
    ],
)
def test_a_drill_that_cannot_be_is_refused_before_anything_starts(wanted, more, why):
    asked = Asked(asset="ETH", drill=Drilling(**wanted), **more)
    with pytest.raises(BadInput, match=why), planned(asked):
        pass
