"""Keys, narrow screens, both colour schemes, and every state in which an answer can be."""

import base64
import json
from pathlib import Path

import pytest
from browsing import colours, soon
from stand_in import ROOT, health, recorded

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


SHOWN_S = """(() => {
  const [first, second] = document.querySelector('.canvas').marketChart.candles.data();
  return second.time - first.time;
})()"""  # interval of the candles drawn


def lit(page) -> tuple[int, int]:
    """How many pixels of the candles' pane are clearly orange, and clearly blue."""
    return colours(
        page.screenshot(
            clip={**page.locator(".stage .canvas").bounding_box(), "width": 700, "height": 300}
        )
    )


def test_keys_lead_everywhere(visit):
    page = visit().page
    page.keyboard.press("3")
    assert page.evaluate("document.activeElement.id") == "triggers"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#triggers li.open").wait_for()
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="hidden")
    page.keyboard.press("t")
    page.locator("html[data-theme=light]").wait_for()
    page.locator(".stage").focus()
    range_of = (
        "document.querySelector('.canvas').marketChart.chart.timeScale().getVisibleLogicalRange()"
    )
    before = page.evaluate(range_of)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("-")
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    after = page.evaluate(range_of)
    assert after["to"] == pytest.approx(before["to"] - 10)
    assert after["to"] - after["from"] == pytest.approx(1.25 * (before["to"] - before["from"]))


def test_the_heatmap_lies_behind_the_candles_and_goes_when_told(visit):
    page = visit().page
    for key in ("l", "f", "n"):
        page.keyboard.press(key)
    soon(lambda: lit(page)[0] > 200, page)
    before = sum(lit(page))
    page.keyboard.press("h")
    soon(lambda: sum(lit(page)) < before / 20, page)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_needs_no_sideways_scrolling(visit, scheme):
    page = visit(color_scheme=scheme, **PHONE).page
    page.get_by_role("button", name="Plan it").click()
    page.wait_for_selector(".plan")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    bright = sum(int(v) for v in paper.removeprefix("rgb(").removesuffix(")").split(","))
    assert (bright > 600) == (scheme == "light")


def test_axe_finds_nothing_serious_in_either_scheme(visit):
    if not AXE.is_file():
        pytest.skip("no axe-core: npm ci in web/ brings it")
    page = visit(bypass_csp=True).page
    page.get_by_role("button", name="Plan it").click()
    page.wait_for_selector(".plan")
    page.locator("#triggers button").first.click()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for scheme in ("dark", "light"):
        page.locator(f"html[data-theme={scheme}]").wait_for(state="attached")
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        grave = [
            (each["id"], [node["html"][:120] for node in each["nodes"][:4]])
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert grave == [], scheme
        page.keyboard.press("t")


def test_a_stale_server_and_a_lost_one_are_announced_and_forgiven(visit, stand):
    page = visit().page
    assert page.locator(".banner").count() == 0
    stand.told = health(stale="the engine has said nothing for 40 s")
    banner = page.get_by_role("alert")
    banner.wait_for()
    assert "the engine has said nothing for 40 s" in banner.inner_text()
    stand.told = health()
    stand.sockets_open = False
    page.get_by_text("Connection lost").wait_for()
    assert "15 Jan 2026 12:05 UTC" in banner.inner_text()
    assert page.locator("#verdict .machine").is_visible()
    stand.sockets_open = True
    page.locator(".banner").wait_for(state="detached")


def test_an_answer_refused_says_why_and_one_on_its_way_arrives(visit, stand):
    stand.refuse = {
        "brief": (503, "the first edition is being made"),
        "fuel": (404, "this edition has no fuel: its brief says what is missing"),
    }
    page = visit().page
    page.get_by_role("status", name="brief is loading").wait_for()
    page.locator("#verdict", has_text="the first edition is being made").wait_for()
    page.locator("#fuel", has_text="this edition has no fuel").wait_for()
    stand.refuse = {}
    stand.told = health(
        documents={n: {"sequence": 2, "as_of": "", "made_at": ""} for n in ("brief", "fuel")}
    )
    page.wait_for_selector("#verdict .machine")
    page.wait_for_selector("svg.fuel")


def test_an_answer_that_comes_late_does_not_replace_a_later_one(visit, stand):
    page = visit().page
    stand.slow_s = {"interval=5m": 0.8}
    with page.expect_response(lambda answer: "interval=5m" in answer.url):
        page.get_by_role("button", name="5m", exact=True).click()
        page.get_by_role("button", name="15m", exact=True).click()
        soon(lambda: page.evaluate(SHOWN_S) == 900, page)
    page.wait_for_timeout(200)
    assert page.evaluate(SHOWN_S) == 900


def test_an_edition_told_of_for_the_first_time_is_asked_for_unless_it_is_here(visit, stand):
    """As after a seek: the answers came before the edition of the new moment was made."""
    stand.told = health(documents={})
    page = visit().page
    brief = json.loads(recorded("brief.json"))
    at = brief["as_of"]
    stand.told = health(documents={"brief": {"sequence": 6, "as_of": at, "made_at": at}})
    page.wait_for_timeout(600)
    assert [path for path, _ in stand.asked].count("brief") == 1
    stand.told = health(documents={})
    page.wait_for_timeout(600)
    brief["price"]["last"]["value"] = 4_321.5
    later = brief["as_of"] = "2026-01-15T12:06:00Z"
    stand.instead = {"brief": json.dumps(brief).encode(), "fuel": recorded("fuel.json")}
    edition = {"sequence": 7, "as_of": later, "made_at": later}
    stand.told = health(documents={"fuel": edition, "brief": edition}, epoch="e1")
    page.locator(".top", has_text="4,321.50").wait_for()
    assert [path for path, _ in stand.asked].count("fuel") == 2


def test_a_print_that_is_heard_and_told_is_drawn_once(visit, stand):
    fuel = json.loads(recorded("fuel.json"))
    stand.instead = {"fuel": json.dumps(fuel | {"prints": []}).encode()}
    key, until = "binance_usdm:ETHUSDT", 1_768_478_700.0  # of the fuel: 12:05
    prints = [
        {"time_s": until + late, "contract": key, "side": "buy", "price": 3650.0, "usd": usd, "sample": False}
        for late, usd in ((-3000.0, 5e6), (-30.0, 3e6), (2.0, 1e6))
    ]  # fmt: skip
    snapshot = {
        "at": "2026-01-15T12:05:05Z", "reference": key, "prices": [], "closed": [], "forced": prints, "cvd": {},
        "speed": 1.0, "bar": {"contract": key, "open_s": until, "open": 3650.0, "high": 3651.0, "low": 3649.0,
                              "close": 3650.0, "volume": 1.0, "taker_buy": 1.0},
    }  # fmt: skip
    stand.tape = [("tape", snapshot)]
    edition = {"sequence": 1, "as_of": "", "made_at": ""}
    stand.told = health(documents={"fuel": edition})
    page = visit().page
    drawn = (
        "document.querySelector('.canvas').marketChart.over.data.bubbles.map(({usd}) => usd).sort()"
    )
    page.get_by_role("button", name="5m", exact=True).click()
    soon(lambda: page.evaluate(SHOWN_S) == 300, page)
    page.wait_for_timeout(1_000)  # in which the snapshot comes some times
    soon(lambda: page.evaluate(drawn) == [1e6], page)
    told = [{"open_s": 1_768_478_400, "side": "short", "price": 3650.0, "notional_usd": 3e6, "count": 1,
             "at_least": False}]  # fmt: skip
    stand.instead = {"fuel": json.dumps(fuel | {"prints": told}).encode()}
    stand.told = health(documents={"fuel": edition | {"sequence": 2}})
    soon(lambda: page.evaluate(drawn) == [1e6, 3e6], page)


def test_the_price_stands_in_the_ladder_also_below_everything(visit, stand):
    brief = json.loads(recorded("brief.json"))
    now = brief["price"]["last"]["value"]
    brief["roadmap"]["zones"] = [z for z in brief["roadmap"]["zones"] if z["low"] > now]
    brief["map"]["clusters"] = [c for c in brief["map"]["clusters"] if c["peak"] > now]
    assert brief["roadmap"]["zones"]
    stand.instead = {"brief": json.dumps(brief).encode()}
    page = visit().page
    rows = page.locator(".ladder tbody tr")
    assert f"{now:,.2f}" in rows.last.inner_text()
    assert page.locator(".ladder .now").count() == 1


def test_a_market_with_nothing_known_shows_reasons_and_no_zeros(visit, stand):
    brief = json.loads(recorded("brief.json"))
    why = "no open interest of a perpetual is stored"
    brief["map"] |= {"unknown": why, "clusters": []}
    brief["cascade"] |= {"unknown": why, "easier": "unknown"}
    brief["cascade"]["pushes"] |= {"unknown": why, "ways": []}
    brief["at_risk"] |= {"shorts": [], "longs": []}
    brief["verdict"] |= {
        "state": "unknown",
        "direction": None,
        "since": None,
        "ahead": [],
        "because": [why],
    }
    fuel = json.loads(recorded("fuel.json")) | {
        "unknown": why,
        "ways": [],
        "prints": [],
        "prints_unknown": "none",
    }
    stand.instead = {"brief": json.dumps(brief).encode(), "fuel": json.dumps(fuel).encode()}
    stand.refuse = {"map/heat": (404, why)}
    page = visit().page
    tiles = page.locator("#verdict .tiles").inner_text()
    assert tiles.count(why) >= 6
    assert "$0" not in tiles
    for panel in ("chart", "fuel", "cascade"):
        page.locator(f"#{panel}", has_text=why).wait_for()


def test_text_from_outside_stays_text(visit, stand):
    nasty = '<img src=x onerror="document.title=1"><b>bold</b>'
    brief = json.loads(recorded("brief.json"))
    brief["answer"] = brief["verdict"]["because"][0] = nasty
    brief["triggers"][0]["title"] = nasty
    brief["health"]["missing"] = [nasty]
    brief["health"]["channels"][0]["symbol"] = nasty
    stand.instead = {"brief": json.dumps(brief).encode()}
    opened = visit()
    assert nasty in opened.page.locator("#verdict .sentence").inner_text()
    assert opened.page.locator("main img, main b:text-is('bold')").count() == 0
    assert opened.page.title() == "airpocket"
    assert opened.complaints == []


def test_without_a_key_the_page_says_how_to_get_one(visit, stand):
    opened = visit()
    other = opened.page.context.browser.new_context().new_page()
    other.goto(stand.address)
    other.get_by_text("airpocket serve --link").wait_for()
    other.context.close()


def test_the_replay_bar_moves_the_replay(visit, stand):
    page = visit().page
    page.get_by_role("button", name="play", exact=True).click()
    page.get_by_role("button", name="pause", exact=True).wait_for()
    page.get_by_role("button", name="16×").click()
    page.locator(".replay input").evaluate(
        "(bar, to) => { bar.value = String(Date.parse(to)); bar.dispatchEvent(new Event('change')); }",
        "2026-01-15T12:01:00Z",
    )
    page.locator(".replay time", has_text="12:01:00").wait_for()
    assert [body for path, body in stand.asked if path == "replay"] == [
        {"action": "play"}, {"action": "speed", "speed": 16}, {"action": "seek", "to": "2026-01-15T12:01:00.000Z"}
    ]  # fmt: skip


def test_the_replay_bar_stays_where_it_is_drawn_to_while_time_passes(visit, stand):
    page = visit().page
    bar = page.locator(".replay input")
    bar.evaluate(
        "(bar, to) => { bar.value = String(Date.parse(to)); bar.dispatchEvent(new Event('input')); }",
        "2026-01-15T12:01:00Z",
    )
    replay = stand.told["replay"] | {"at": "2026-01-15T12:04:00Z", "state": "playing"}
    stand.told = health(replay=replay)
    page.get_by_role("button", name="pause", exact=True).wait_for()
    assert "12:01:00" in page.locator(".replay time").inner_text()
    bar.evaluate("(bar) => bar.dispatchEvent(new Event('change'))")
    soon(lambda: stand.told["replay"]["at"].startswith("2026-01-15T12:01:00"), page)
    page.locator(".replay time", has_text="12:01:00").wait_for()
    assert float(bar.input_value()) / 1e3 == 1_768_478_460
    for event in ("input", "pointerup"):  # taken and let go where it stood
        bar.evaluate("(bar, name) => bar.dispatchEvent(new Event(name))", event)
    stand.told = health(replay=replay | {"at": "2026-01-15T12:02:00Z"})
    page.locator(".replay time", has_text="12:02:00").wait_for()


def test_a_push_is_walked_and_a_scored_drill_is_opened(visit, stand, tmp_path: Path):
    page = visit().page
    page.get_by_role("button", name="Walk it").click()
    page.get_by_text("$50.0 mn bought: furthest").wait_for()
    asked = next(body for path, body in stand.asked if path == "whatif")
    assert asked["push_usd"] == 50e6
    score = tmp_path / "drill.json"
    score.write_bytes(recorded("drill.json"))
    page.locator("#drill input[type=file]").set_input_files(score)
    told = json.loads(recorded("drill.json"))
    page.get_by_text(told["label"]).wait_for()
    assert "SIMULATED" in page.locator("#drill").inner_text()
    score.write_text("[", encoding="utf-8")
    page.locator("#drill input[type=file]").set_input_files(score)
    page.get_by_text("drill.json is not JSON").wait_for()
    assert base64.b64encode(recorded("drill.json")) not in str(stand.asked).encode(), (
        "nothing was sent"
    )
