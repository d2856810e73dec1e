"""A drill held in the page: seen, paused, traded on paper by button, key and word, ended and scored."""

import json

import pytest
from browsing import text_of
from stand_in import health, recorded

TOLD = json.loads(recorded("drilling.json"))


@pytest.fixture
def drilled(visit, stand):
    """The page of a server that holds a drill."""
    stand.told = health(mode="drill", replay=None)
    page = visit().page
    page.wait_for_selector("#drilling .orders")
    return page


def said(stand):
    return [body for path, body in stand.asked if path == "drill" and body]


def test_the_market_the_position_and_the_plan_are_told_first(drilled):
    text, held = text_of(drilled, "drilling"), TOLD["now"]["position"]
    assert drilled.locator("main > section").first.get_attribute("id") == "drilling"
    assert "SIMULATED" in text
    assert "paper only" in text
    assert f"short {held['size_coin']:.1f} from {held['entry_price']:,.2f}" in text
    assert f"{held['forced_price']:,.2f}, {held['distance_percent']:.1f} % away" in text
    assert TOLD["now"]["plan"] in text
    for each in TOLD["said"]:
        assert each["text"] in text
    assert drilled.locator("#position").count() == 0, "a real position has no place beside it"


def test_orders_go_by_button_by_key_and_in_words_and_none_overtakes_another(drilled, stand):
    stand.slow_s = {"reduce 50%": 0.8, "stop 3150": 0.4}
    drilled.get_by_role("button", name="reduce 50 %").click()
    drilled.locator("h2", has_text="Drill").first.click()
    drilled.keyboard.press("r")
    drilled.get_by_label("an order in words").fill("stop 3150 50%")
    drilled.keyboard.press("Enter")
    drilled.get_by_label("an order in words").fill("fly")
    drilled.keyboard.press("Enter")
    drilled.get_by_role("alert").get_by_text("'fly' is no order").wait_for()
    assert [body["order"] for body in said(stand)] == [
        "reduce 50%",
        "reduce 25%",
        "stop 3150 50%",
        "fly",
    ]


def test_time_passes_when_told_and_the_score_stands_at_the_end(drilled, stand):
    drilled.keyboard.press("Space")
    drilled.get_by_role("button", name="pause").click()
    drilled.get_by_role("button", name="go on").wait_for()
    drilled.get_by_role("button", name="300×").click()
    drilled.get_by_role("button", name="end and score").click()
    again = drilled.get_by_role("button", name="Again")
    again.wait_for()
    assert json.loads(recorded("drill.json"))["label"] in text_of(drilled, "drilling")
    drilled.keyboard.press("c")
    again.click()
    drilled.wait_for_selector("#drilling .orders")
    assert said(stand) == [
        {"action": "play"}, {"action": "pause"}, {"speed": 300}, {"order": "quit"}, {"action": "again"}
    ]  # fmt: skip
