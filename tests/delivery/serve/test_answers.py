"""The answers: one real edition of the simulated market, served, described, and the same as the commands print."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import jsonschema
import numpy as np
import pytest
import schemathesis
from delivery.serve.house import House
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from airpocket.brief import as_json
from airpocket.brief.compose import compose
from airpocket.delivery.answers import assessor_at
from airpocket.delivery.serve import asks
from airpocket.delivery.serve.documents import edition_of
from airpocket.delivery.serve.engine import Engine
from airpocket.delivery.serve.heat_frame import changed_since, pack, unpack
from airpocket.delivery.serve.heat_head import numbered
from airpocket.delivery.serve.job import Job
from airpocket.delivery.serve.link import Note
from airpocket.delivery.serve.others import Others
from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.ingest.lake import Lake
from airpocket.ingest.replay import newest
from airpocket.liquidations.records import Unmapped

POSITION = {
    "venue": "sim_perp", "symbol": "ETHUSDT", "side": "short", "size_coin": 50, "entry_price": 3500,
    "opened_at": "2026-01-14T00:00:00Z", "margin_mode": "isolated", "leverage_x": 10,
}  # fmt: skip


ACCOUNT = {
    "positions": [
        {"venue": "deribit", "symbol": "ETH-PERPETUAL", "side": "short", "size_usd": 175_000, "id": "p",
         "entry_price": 3500, "opened_at": "2026-01-14T00:00:00Z", "margin_mode": "cross"}],
    "options": [
        {"venue": "deribit", "symbol": "ETH-27MAR26-4000-C", "side": "long", "size_coin": 50,
         "volatility_percent": 65}],
    "balances": [{"venue": "deribit", "currency": "ETH", "amount": 60}],
}  # fmt: skip
AS_FILE = """
[[position]]
venue = "deribit"
symbol = "ETH-PERPETUAL"
side = "short"
size_usd = 175000
id = "p"
entry_price = 3500
opened_at = 2026-01-14T00:00:00Z
margin_mode = "cross"

[[option]]
venue = "deribit"
symbol = "ETH-27MAR26-4000-C"
side = "long"
size_coin = 50
volatility_percent = 65

[[balance]]
venue = "deribit"
currency = "ETH"
amount = 60
"""


@pytest.fixture(scope="module")
def found(bundled):
    """(store, assessment, edition) of the bundled simulated market at its end."""
    lake = Lake(bundled)
    now = newest(lake, "ETH")
    assessor = assessor_at(lake, "ETH", now)
    assessment = assessor.assess(now)
    edition = edition_of(assessment, TimeNs(now - HOUR_NS), assessment.map)
    return bundled, assessment, edition


@pytest.fixture(scope="module")
def served(found):
    """A house whose engine is this test: it tells the edition, and answers questions."""
    store, assessment, edition = found
    with House() as house:
        line = house.dial("engine")
        for name, body in edition.documents.items():
            house.say(line, Note(what="document", name=name, as_of=edition.as_of), body)
        house.say(line, Note(what="document", name="health", as_of=edition.as_of), edition.health)
        heat = pack(edition.grid, "snapshot", "", 0)
        house.say(line, Note(what="heat", as_of=edition.as_of, full=True), heat)
        house.say(line, Note(what="edition", as_of=edition.as_of), edition.head)
        others = Others(Lake(store))

        def work() -> None:
            while (told := house.heard(line, None)) is not None:
                if told[0].what == "ask":
                    status, body = asks.answer(told[0].name, told[1], assessment, store, others)
                    house.say(line, Note(what="answer", number=told[0].number, status=status), body)

        worker = threading.Thread(target=work)
        worker.start()
        while not house.desk.board.edition:
            threading.Event().wait(0.01)
        yield house
        house.inside(line.close)
        worker.join()


def got(house, path: str):
    status, _, body = house.get(path)
    assert status == 200
    return json.loads(body)


def test_the_brief_is_the_commands_own(served, found):
    _, assessment, _ = found
    assert got(served, "/api/v1/brief") == json.loads(as_json.render(compose(assessment)))


def test_every_answer_is_of_one_moment_and_says_that_it_is_simulated(served, found):
    _, _, edition = found
    for name in ("map", "levels", "cascade", "triggers", "flows", "funding", "bars?interval=1h"):
        answer = got(served, f"/api/v1/{name}")
        assert answer["simulated"] is True, name
        assert answer["as_of"] == got(served, "/api/v1/brief")["as_of"], name
    health = got(served, "/api/v1/health")
    assert set(health["documents"]) >= {"brief", "map", "bars/5m"}
    assert health["as_of"] == json.loads(edition.head)["as_of"]


def resolved(served, struct: str):
    described = got(served, "/openapi.json")
    return {"$ref": f"#/components/schemas/{struct}", "components": described["components"]}


@pytest.mark.parametrize(
    ("path", "struct"),
    [
        ("brief", "Brief"), ("map", "MapView"), ("levels", "LevelsView"), ("cascade", "CascadeView"),
        ("triggers", "Triggers"), ("flows", "FlowsView"), ("funding", "Funding"), ("bars", "BarColumns"),
        ("health", "ServerHealth"),
    ],
)  # fmt: skip
def test_answers_are_as_described(served, path, struct):
    jsonschema.Draft202012Validator(resolved(served, struct)).validate(
        got(served, f"/api/v1/{path}")
    )


def test_bars_rise_strictly_and_are_whole(served):
    for interval, length in (
        ("1m", 60),
        ("5m", 300),
        ("1h", 3_600),
        ("4h", 14_400),
        ("1d", 86_400),
    ):
        bars = got(served, f"/api/v1/bars?interval={interval}")
        opens = np.array(bars["open_s"])
        assert bars["interval_s"] == length
        assert (np.diff(opens) > 0).all()
        assert (opens % length == 0).all()
        low, high = np.array(bars["low"]), np.array(bars["high"])
        assert (low <= np.array(bars["close"])).all()
        assert (np.array(bars["close"]) <= high).all()
    short = got(served, "/api/v1/bars?interval=1h&limit=7")
    assert short["open_s"] == got(served, "/api/v1/bars?interval=1h")["open_s"][-7:]


def test_bars_of_hours_are_those_of_five_minutes_put_together(served):
    fine, coarse = (got(served, f"/api/v1/bars?interval={i}") for i in ("5m", "15m"))
    at = {open_s: row for row, open_s in enumerate(fine["open_s"])}
    compared = 0
    for row, open_s in enumerate(coarse["open_s"]):
        parts = [at.get(open_s + 300 * k) for k in range(3)]
        if None in parts:
            continue
        compared += 1
        assert coarse["open"][row] == fine["open"][parts[0]]
        assert coarse["high"][row] == max(fine["high"][part] for part in parts)
        assert coarse["low"][row] == min(fine["low"][part] for part in parts)
        assert coarse["close"][row] == fine["close"][parts[-1]]
    assert compared > 20


def test_the_heatmap_holds_the_dollars_of_the_map(served, found):
    _, assessment, edition = found
    status, headers, body = served.get("/api/v1/map/heat")
    assert status == 200
    assert headers["content-type"] == "application/octet-stream"
    head, time_s, close, cells = unpack(body)
    assert head.simulated
    assert (head.columns, head.rows) == cells.shape == edition.grid.cells.shape
    assert (np.diff(time_s) > 0).all()
    assert len(head.edge) == head.rows + 1
    assert close[-1] == pytest.approx(assessment.map.price, rel=1e-6)
    usd = head.full_usd * (cells[-1] / 255.0) ** 2
    first = int(np.searchsorted(assessment.map.edge, head.edge[0] * (1 - 1e-6)))
    truth = (assessment.map.shorts.usd + assessment.map.longs.usd)[first : first + head.rows]
    assert usd.sum() == pytest.approx(truth.sum(), rel=0.02)
    assert ((cells[-1] == 0) == (truth == 0.0)).all()


def test_heat_goes_on_by_columns(found):
    _, _, edition = found
    grid = edition.grid
    assert changed_since(None, grid) is None
    assert changed_since(grid, grid) == len(grid.cells) - 1
    earlier = type(grid)(**{f: getattr(grid, f) for f in grid.__slots__} | {
        "time_s": grid.time_s[:-3], "close": grid.close[:-3], "cells": grid.cells[:-3]})  # fmt: skip
    since = changed_since(earlier, grid)
    assert since == len(grid.cells) - 4
    head, time_s, _, cells = unpack(numbered(pack(grid, "delta", "", 0, since), "e", 7))
    assert (head.kind, head.epoch, head.sequence, head.columns) == ("delta", "e", 7, 4)
    assert (cells == grid.cells[-4:]).all()
    assert (time_s == grid.time_s[-4:]).all()


def test_a_state_message_has_the_page_in_it(served):
    with served.socket("state", "heat") as socket:
        state = json.loads(socket.recv(10))
        heat = socket.recv(10)
    jsonschema.Draft202012Validator(resolved(served, "State")).validate(state["data"])
    assert state["data"]["answer"].startswith("SIMULATED")
    assert unpack(heat)[0].kind == "snapshot"


def test_a_what_if_and_a_plan_are_the_commands_own(served):
    status, _, body = served.ask(
        "POST", "/api/v1/whatif", {"push_usd": 5e6, "paths": 1_024, "minutes": 1}
    )
    assert status == 200
    assert json.loads(body)["schema"] == "airpocket.whatif/1"
    status, _, body = served.ask("POST", "/api/v1/plan", {"positions": [POSITION]})
    assert status == 200
    jsonschema.Draft202012Validator(resolved(served, "Plans")).validate(json.loads(body))


@pytest.mark.parametrize(
    ("path", "struct"), [("plan", "Plans"), ("stress", "StressTests"), ("hedge", "Hedges")]
)
def test_a_whole_account_is_answered_alike_as_entries_and_as_a_file(served, path, struct):
    status, _, body = served.ask("POST", f"/api/v1/{path}", ACCOUNT)
    assert status == 200, body
    jsonschema.Draft202012Validator(resolved(served, struct)).validate(json.loads(body))
    assert served.ask("POST", f"/api/v1/{path}", {"toml": AS_FILE})[2] == body


def test_an_option_changes_what_an_account_survives(served):
    def at_gap(body):
        [account] = json.loads(served.ask("POST", "/api/v1/stress", body)[2])["accounts"]
        [gap] = [each for each in account["outcomes"] if each["id"] == "gap+20"]
        return gap["equity"]["value"]

    without = at_gap(ACCOUNT | {"options": []})
    sold = [option | {"side": "short"} for option in ACCOUNT["options"]]
    assert at_gap(ACCOUNT | {"options": sold}) < without
    assert at_gap(ACCOUNT) == pytest.approx(
        without, rel=1e-12
    )  # a bought one is worth more, and no margin


def whole_numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [n for each in value for n in whole_numbers(each)]
    return [value] if isinstance(value, int) else []


def test_no_answer_tells_a_time_that_a_browser_cannot_hold(served, found):
    """Nanoseconds since 1970 outgrow the numbers of JavaScript: times are text, columns count seconds."""
    _, _, edition = found
    for name, body in edition.documents.items():
        assert all(abs(n) < 2**53 for n in whole_numbers(json.loads(body))), name
    for path in ("plan", "stress", "hedge"):
        told = json.loads(served.ask("POST", f"/api/v1/{path}", ACCOUNT)[2])
        assert all(abs(n) < 2**53 for n in whole_numbers(told)), path


def test_flows_tell_every_driver(served, found):
    _, assessment, _ = found
    told = got(served, "/api/v1/flows")
    assert [row["id"] for row in told["drivers"]["rows"]] == [
        row.id for row in assessment.drivers().rows
    ]
    assert len(told["drivers"]["rows"]) > len(told["flows"])
    assert told["hinge"]["id"] == "hinge"


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("whatif", {}, "nothing is asked"),
        ("whatif", {"push_usd": "much"}, "push_usd"),
        ("whatif", {"push_usd": 1e6, "venues": ["moon"]}, "moon"),
        ("whatif", {"push_usd": 1e6, "paths": 10**9}, "paths"),
        ("whatif", {"push_usd": 1e6, "colour": 1}, "colour"),
        ("plan", {"positions": []}, "positions"),
        ("plan", {"positions": [POSITION | {"symbol": "<script>"}]}, "<script>"),
        ("plan", {"positions": [POSITION | {"opened_at": "yesterday"}]}, "opened_at"),
        ("plan", {"positions": [POSITION | {"size_coin": -1}]}, "size_coin"),
        ("plan", {}, "nothing is held"),
        ("plan", {"toml": AS_FILE, "portfolio_usd": 1}, "give one"),
        ("stress", {"toml": "[[position]]\nvenue = 1"}, "toml, position 1, field 'venue'"),
        ("stress", {"toml": "[" * 5_000}, "toml"),
        ("stress", {"toml": AS_FILE * 3}, "two positions have the id 'p'"),
        ("stress", {"options": ACCOUNT["options"] * 41}, "options"),
        ("stress", {"toml": AS_FILE + '[[balance]]\nvenue = "okx"\ncurrency = "BTC"\namount = 1\n' * 41},
         "more than 40 [[balance]]"),
        ("hedge", ACCOUNT | {"gap_percent": 0}, "gap_percent"),
        ("hedge", {"positions": [POSITION] * 5}, "at most 4 positions"),
        ("hedge", {"options": ACCOUNT["options"]}, "no [[position]]"),
        ("replay", {"action": "seek"}, "to"),
        ("replay", {"action": "seek", "to": "0000-99-99"}, "to"),
        ("replay", {"action": "speed", "speed": 0}, "speed"),
    ],
)  # fmt: skip
@pytest.mark.fault("W12")
def test_what_is_wrong_with_a_question_is_named(served, path, body, named):
    status, headers, answer = served.ask("POST", f"/api/v1/{path}", body)
    assert status == 422
    assert headers["content-type"] == "application/json"
    assert named in json.loads(answer)["message"]


def test_before_an_engine_calls_its_answers_are_said_to_be_missing():
    with House() as fresh:
        assert json.loads(fresh.get("/api/v1/brief")[2])["code"] == "engine_down"
        assert fresh.ask("POST", "/api/v1/whatif", {"push_usd": 1e6})[0] == 503
        assert fresh.get("/api/v1/map/heat")[0] == 503
        assert fresh.ask("GET", "/api/v1/replay")[0] == 404


def test_an_engine_that_dies_over_a_question_leaves_an_answer():
    with House() as fresh:
        line = fresh.dial("engine")
        while fresh.desk.switchboard.silent_s("engine") is None:
            threading.Event().wait(0.01)
        told: list[int] = []
        asking = threading.Thread(
            target=lambda: told.append(fresh.ask("POST", "/api/v1/whatif", {"push_usd": 1e6})[0])
        )
        asking.start()
        assert fresh.heard(line)[0].what == "ask"
        fresh.inside(line.close)
        asking.join(10)
        assert told == [503]


@pytest.mark.fault("W06")
def test_names_from_outside_stay_text():
    with House() as fresh:
        player = fresh.dial("player")
        nasty = {
            "label": "<script>alert(1)</script>", "replay": None, "alarms": ["<img src=x onerror=alert(1)>"],
            "feeds": [{"venue": "</script>", "symbol": "<b>", "channel": "price", "state": "live",
                       "messages": 1, "age_s": None, "reason": "&<>"}],
        }  # fmt: skip
        fresh.say(player, Note(what="replay"), json.dumps(nasty).encode())
        while not fresh.desk.board.heard.label:
            threading.Event().wait(0.01)
        status, headers, body = fresh.get("/api/v1/health")
        assert status == 200
        assert headers["content-type"] == "application/json"
        assert headers["x-content-type-options"] == "nosniff"
        assert json.loads(body)["feeds"][0]["symbol"] == "<b>"


CHECKS = (
    schemathesis.checks.status_code_conformance,
    schemathesis.checks.content_type_conformance,
    schemathesis.checks.response_schema_conformance,
)


def fuzz(served, examples: int, left_out: tuple[str, ...]) -> int:
    """Requests made of the description, right ones and wrong ones; returns how many.

    No answer may be a server error (503 says that the engine is away) or one that is not described.
    """
    schema = schemathesis.openapi.from_dict(got(served, "/openapi.json"))
    headers = {"Authorization": f"Bearer {served.token}", "Origin": served.origin}
    count = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path.endswith(left_out):
            continue
        for mode in GenerationMode:

            @settings(
                max_examples=examples, database=None, derandomize=True, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=operation.as_strategy(generation_mode=mode))
            def one(case):
                nonlocal count
                count += 1
                response = case.call(base_url=served.origin, headers=headers)
                assert response.status_code < 500 or response.status_code == 503, response.text
                case.validate_response(response, checks=CHECKS)

            with suppress(Unsatisfiable):  # nothing to get wrong
                one()
    return count


@pytest.fixture
def unhurried(served, monkeypatch):
    monkeypatch.setattr(served.desk.keys, "hurried", lambda: False)


@pytest.mark.fault("W14")
def test_requests_made_of_the_description_get_answers_as_described(served, unhurried):
    # a what-if works for seconds, and five wrong codes lock the door
    assert fuzz(served, 2, ("whatif", "session")) > 30


@pytest.mark.slow
@pytest.mark.fault("W14")
def test_many_requests_made_of_the_description_get_answers_as_described(served, unhurried, told):
    asked = fuzz(served, 150, ("whatif",))
    assert asked > 1_000
    told(f"{asked:,} requests, no server error")


def test_the_map_before_may_be_missing(found):
    _, assessment, _ = found
    edition = edition_of(assessment, TimeNs(assessment.market.now - HOUR_NS), Unmapped("not yet"))
    assert json.loads(edition.documents["map"])["since"]["unknown"]


def test_a_move_is_answered_with_where_the_replay_stands_after_it():
    stands = {
        "first": "2026-01-15T11:59:50Z", "last": "2026-01-15T12:05:05Z", "at": "2026-01-15T12:00:00Z",
        "speed": 1.0, "state": "paused", "loop": False,
    }  # fmt: skip

    def report(state: str, heeded: int) -> bytes:
        return json.dumps({"heeded": heeded, "replay": {**stands, "state": state}}).encode()

    with House() as fresh, ThreadPoolExecutor(1) as other:
        player = fresh.dial("player")
        fresh.say(player, Note(what="replay"), report("paused", 0))
        asked = other.submit(fresh.ask, "POST", "/api/v1/replay", {"action": "play"})
        told = fresh.heard(player)
        assert told is not None
        fresh.say(player, Note(what="replay"), report("paused", 0))  # was on its way already
        fresh.say(player, Note(what="replay"), report("playing", told[0].number))
        status, _, body = asked.result()
        assert (status, json.loads(body)["state"]) == (200, "playing")


def test_an_answer_goes_to_the_web_process_that_asked(tmp_path):
    class Ear:
        def __init__(self):
            self.heard = []

        async def send(self, note, body=b""):
            self.heard.append((note.what, note.number))
            return True

    asked, later = Ear(), Ear()

    async def run():
        job = Job(role="engine", asset="ETH", mode="store", folder="", store=str(tmp_path))
        engine = Engine(job)
        engine._heed(asked, Note(what="ask", name="whatif", number=3), b"{}")
        engine._line = later
        await asyncio.gather(*engine._answering)

    asyncio.run(run())
    assert (asked.heard, later.heard) == ([("answer", 3)], [])
