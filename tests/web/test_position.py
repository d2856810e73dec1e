"""A position entered in the page: its plan, what it survives, its hedges, and the sliders that change it."""

import json

import pytest
from stand_in import health, recorded

PLAN = json.loads(recorded("plan.json"))["plans"][0]
SHEET = json.loads(recorded("hedge.json"))["hedges"][0]
TEST = json.loads(recorded("stress.json"))["accounts"][0]


@pytest.fixture
def planned(visit):
    """The page with the form sent as it stands."""
    page = visit().page
    page.get_by_role("button", name="Plan it").click()
    page.locator(".hedges table").wait_for()
    return page


def move(slider, value: float) -> None:
    slider.evaluate(
        "(bar, value) => { bar.value = String(value);"
        " for (const kind of ['input', 'change']) bar.dispatchEvent(new Event(kind, {bubbles: true})); }",
        value,
    )


def price(text: str) -> float:
    return float(text.split(" ", maxsplit=1)[0].replace(",", ""))


def test_the_recorded_answers_are_of_the_position_in_the_form(planned, stand):
    asked = {
        path: body["positions"][0] for path, body in stand.asked if body and "positions" in body
    }
    assert asked.keys() == {"plan", "stress", "hedge"}
    for key in ("venue", "symbol", "side", "size_coin", "entry_price", "margin_mode", "leverage_x"):
        assert {held[key] for held in asked.values()} == {PLAN["position"][key]}, key


def test_the_exit_follows_the_sliders(planned):
    planned.get_by_text(PLAN["answer"]).wait_for()
    tells = {tell["id"]: tell["estimate"]["value"] for tell in PLAN["margin"]["tells"]}
    shown = planned.locator(".exit b").first
    before = price(shown.inner_text())
    assert before == pytest.approx(tells["liquidation"], rel=1e-4)
    move(planned.locator(".sliders input").first, 50)
    planned.locator(".exit", has_text="as it is").wait_for()
    assert price(shown.inner_text()) > before


def test_every_shock_and_every_exit_is_told(planned):
    text = planned.locator(".survives").inner_text()
    assert TEST["answer"] in text
    gaps = [each for each in TEST["outcomes"] if each["kind"] == "gap"]
    assert planned.locator(".gaps li").count() == len(gaps)
    assert planned.locator(".gaps .out").count() == sum(each["liquidated"] is True for each in gaps)
    rows = planned.locator(".survives table").first.locator("tbody tr")
    others = [each for each in TEST["outcomes"] if each["kind"] != "gap"]
    assert rows.count() == len(others)
    for row, told in zip(rows.all_inner_texts(), others, strict=True):
        assert told["title"] in row
        assert told["note"] in row
        assert ("forced out" if told["liquidated"] else "survives") in row
    fails = planned.locator(".survives table").last.get_by_text("fails", exact=True)
    assert fails.count() == sum(each["works"] is False for each in TEST["exits"])


def test_a_hedge_is_drawn_into_the_payoff_and_one_that_cannot_be_says_why(planned):
    text = planned.locator(".hedges").inner_text()
    assert SHEET["answer"] in text
    for hedge in SHEET["hedges"]:
        assert hedge["title"] in text
        assert (hedge["unknown"] or "") in text
    assert planned.locator(".payoff .hedged").count() == 0
    planned.get_by_role("button", name="draw call spread").click()
    assert planned.locator(".payoff .hedged").count() == 2
    plain, hedged = (
        planned.locator(f".payoff {name}").first.get_attribute("d") for name in (".bare", ".hedged")
    )
    # a short that is hedged by calls loses less at the right edge
    assert float(hedged.rpartition(" ")[2]) < float(plain.rpartition(" ")[2])


def test_another_gap_is_asked_of_the_server_with_the_same_position(planned, stand):
    stand.asked.clear()
    move(planned.get_by_label("hold up to"), 25)
    planned.get_by_text("without any: up to").wait_for()
    ((path, body),) = [each for each in stand.asked if each[0] == "hedge"]
    assert path == "hedge"
    assert body["gap_percent"] == 25
    assert body["buffer"] == SHEET["buffer"]
    assert body["positions"][0]["size_coin"] == PLAN["position"]["size_coin"]


def test_hedges_that_are_refused_leave_the_plan_standing(visit, stand):
    stand.refuse = {"hedge": (404, "nothing is known of its options")}
    page = visit().page
    page.get_by_role("button", name="Plan it").click()
    page.get_by_text("nothing is known of its options").wait_for()
    assert PLAN["answer"] in page.locator("#position").inner_text()
    assert page.locator(".survives table").first.is_visible()


def test_the_price_that_was_typed_outlives_a_new_price(visit, stand):
    page = visit().page
    entry = page.locator("input[name=entry]")
    brief = json.loads(recorded("brief.json"))
    before = brief["price"]["last"]["value"]
    assert float(entry.input_value()) == round(before * 0.96)

    def moved(sequence: int, last: float) -> None:
        brief["price"]["last"]["value"] = last
        stand.instead = {"brief": json.dumps(brief).encode()}
        edition = {"sequence": sequence, "as_of": "", "made_at": ""}
        stand.told = health(documents={"brief": edition})
        page.locator(".top", has_text=f"{last:,.2f}").wait_for()

    moved(2, before + 100.0)
    assert float(entry.input_value()) == round((before + 100.0) * 0.96)
    entry.fill("3111.5")
    moved(3, before + 200.0)
    assert entry.input_value() == "3111.5"


def test_another_position_ends_what_was_asked_of_the_one_before(visit, stand):
    page = visit().page
    stand.slow_s = {'"size_coin":500': 0.5}
    with page.expect_response("**/plan"):
        page.get_by_role("button", name="Plan it").click()
    page.locator("input[name=size]").fill("7")
    page.get_by_role("button", name="Plan it").click()
    page.locator(".hedges table").wait_for()
    page.wait_for_timeout(700)  # in which a stress test of the first would have been answered
    hedged = [body["positions"][0]["size_coin"] for path, body in stand.asked if path == "hedge"]
    assert hedged == [7]


def test_a_second_position_leaves_nothing_of_the_first(planned, stand):
    exit_ = planned.locator("p.exit")
    move(planned.locator(".sliders input").first, 50)
    planned.locator(".exit", has_text="as it is").wait_for()
    other = json.loads(recorded("plan.json"))
    for gap in other["plans"][0]["gap_test"]["gaps"]:
        gap["equity"]["value"] += 50_000.0
    before = price(exit_.locator("b").inner_text())
    stand.instead, stand.slow_s = {"plan": json.dumps(other).encode()}, {"/hedge": 0.5}
    planned.get_by_role("button", name="Plan it").click()
    planned.locator(".hedges table").wait_for(state="detached")
    planned.locator(".hedges table").wait_for()
    assert "as it is" not in exit_.inner_text()
    assert price(exit_.locator("b").inner_text()) != before
    stand.instead, stand.refuse = {}, {"plan": (422, "leverage_x: too high")}
    planned.get_by_role("button", name="Plan it").click()
    planned.locator("#position", has_text="leverage_x: too high").wait_for()
    assert exit_.count() == 0
    assert PLAN["answer"] not in planned.locator("#position").inner_text()
