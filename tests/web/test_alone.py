"""The chart alone: in the brief's page, from a file, with and without scripts; and as a notebook's widget."""

import gzip
import json
import re

import msgspec
import pytest
from brief import examples
from browsing import colours, soon

import airpocket
from airpocket.brief import html
from airpocket.delivery.chart_script import chart_script
from airpocket.domain.errors import BadInput, NothingKnown

BRIEF = examples.rich(simulated=True)


@pytest.fixture
def opened(browser, tmp_path):
    """A page of this machine's disk, with what it asked for and complained of."""
    contexts = []

    def open_(text, **options):
        path = tmp_path / "page.html"
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(viewport={"width": 1000, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        asked, complaints = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        return page, asked, complaints

    yield open_
    for context in contexts:
        context.close()


def orange(page) -> int:
    """How many pixels of the picture are clearly orange."""
    return colours(page.locator(".ap-canvas").screenshot())[0]


def test_the_script_is_small_and_whole_in_itself():
    script = chart_script()
    assert len(gzip.compress(script.encode(), 9)) <= 90_000
    assert not re.search(r"\bimport\s*[({\"'*]|\bfetch\(|XMLHttpRequest|WebSocket|\beval\(", script)
    assert len(html.render(BRIEF, script).encode()) <= 600_000


def test_the_brief_draws_its_chart_from_one_file_and_asks_for_nothing(opened):
    page, asked, complaints = opened(html.render(BRIEF, chart_script()), color_scheme="dark")
    page.wait_for_selector("html.drawn")
    page.wait_for_selector(".ap-legend")
    assert "Funding" in page.locator(".ap-legend").first.inner_text()
    assert page.locator(".ap-stamp").inner_text() == "SIMULATED"
    lit = orange(page)
    assert lit > 500
    page.get_by_role("button", name="heatmap").click()
    page.get_by_role("button", name="levels").click()
    soon(lambda: orange(page) < lit / 2, page)
    assert not page.locator("figure.heat").is_visible(), "the chart shows the same"
    page.emulate_media(media="print")
    assert page.locator("figure.heat").is_visible()
    assert not page.locator(".ap-canvas").is_visible()
    assert len(asked) == 1
    assert complaints == []


def test_without_scripts_the_still_pictures_are_there(opened):
    page, asked, _ = opened(html.render(BRIEF, chart_script()), java_script_enabled=False)
    assert page.locator("figure.heat svg").is_visible()
    assert not page.locator("#airpocket-chart").is_visible()
    assert len(asked) == 1


def test_text_from_outside_stays_text_in_the_picture(opened):
    nasty = "<img src=x onerror=alert(1)>"
    zone = msgspec.structs.replace(BRIEF.roadmap.zones[0], role=nasty)
    brief = msgspec.structs.replace(
        BRIEF, roadmap=msgspec.structs.replace(BRIEF.roadmap, zones=[zone]),
        price=msgspec.structs.replace(BRIEF.price, reference=f"binance_usdm:{nasty}"),
    )  # fmt: skip
    page, asked, complaints = opened(html.render(brief, chart_script()))
    page.wait_for_selector("html.drawn")
    assert nasty in page.locator(".ap-ohlc").inner_text()
    assert page.locator("img").count() == 0
    assert len(asked) == 1
    assert complaints == []


HARNESS = """<!doctype html><meta charset="utf-8"><div id="cell"></div>
<script type="application/json" id="state">%s</script>
<script type="module">
  const state = JSON.parse(document.getElementById("state").textContent);
  const heard = {};
  const model = {
    get: (name) => state[name],
    on: (event, act) => { (heard[event] ??= []).push(act); },
    off: (event, act) => { heard[event] = heard[event].filter((each) => each !== act); },
  };
  window.change = (name, value) => { state[name] = value; heard["change:" + name].forEach((act) => act()); };
  window.left = () => Object.values(heard).flat().length;
  const bytes = new Blob([state._esm], {type: "text/javascript"});
  const found = await import(URL.createObjectURL(bytes));
  window.remove = await found.default.render({model, el: document.getElementById("cell")});
  document.body.dataset.ready = "1";
</script>"""


def test_the_widget_draws_in_a_cell_follows_its_traits_and_leaves_nothing(opened):
    widget = airpocket.widget(BRIEF, height=400, theme="dark")
    state = widget.get_state()
    assert {"scene", "theme", "height", "_esm"} <= state.keys()
    told = json.dumps({key: state[key] for key in ("scene", "theme", "height", "_esm")})
    page, asked, complaints = opened(HARNESS % told.replace("<", "\\u003c"))
    page.wait_for_selector("body[data-ready]")
    page.wait_for_selector(".ap-legend")
    assert page.locator(".ap-stage").bounding_box()["height"] == 400
    assert page.locator(".ap-chart").get_attribute("data-theme") == "dark"
    assert orange(page) > 500
    page.evaluate("window.change('theme', 'light')")
    page.locator(".ap-chart[data-theme=light]").wait_for()
    good = json.dumps(state["scene"])
    with page.expect_event("pageerror"):
        page.evaluate("window.change('scene', {schema: 'airpocket.scene/9'})")
    page.locator(".ap-chart").wait_for(state="detached")
    page.evaluate(f"window.change('scene', {good})")
    page.locator(".ap-chart[data-theme=light]").wait_for()
    complaints.clear()
    page.evaluate("window.remove()")
    page.locator(".ap-chart").wait_for(state="detached")
    assert page.evaluate("window.left()") == 0
    assert [url for url in asked if not url.startswith(("file:", "blob:"))] == []
    assert complaints == []


def test_a_widget_shows_another_brief_in_its_place():
    widget = airpocket.widget(BRIEF)
    calm = msgspec.structs.replace(BRIEF, asset="BTC")
    widget.show(calm)
    assert widget.scene["asset"] == "BTC"
    with pytest.raises(NothingKnown, match="fewer than two candles"):
        widget.show(examples.empty())
    assert widget.scene["asset"] == "BTC"


def test_a_widget_that_cannot_be_says_why():
    with pytest.raises(BadInput, match="name the store"):
        airpocket.widget("ETH")
    with pytest.raises(BadInput, match="height"):
        airpocket.widget(BRIEF, height=10)
