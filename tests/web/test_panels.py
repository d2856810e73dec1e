"""Every panel says what the answers say: figures, reasons, and nothing of its own."""

import json
import re

import browsing
import pytest
from stand_in import recorded

BRIEF = json.loads(recorded("brief.json"))
FUNDING = json.loads(recorded("funding.json"))
FUEL = json.loads(recorded("fuel.json"))


def text_of(shown, panel: str) -> str:
    return browsing.text_of(shown.page, panel)


@pytest.mark.parametrize("panel", browsing.PANELS)
def test_a_panel_is_there_and_shows_no_leftovers_of_code(shown, panel):
    browsing.check_text(shown.page, panel)


def test_the_verdict_stands_with_its_sentence_and_reasons(shown):
    text, verdict = text_of(shown, "verdict"), BRIEF["verdict"]
    assert BRIEF["answer"].removeprefix("SIMULATED: ") in text
    assert shown.page.locator("#verdict .machine .now").inner_text() == verdict["state"]
    for line in (*verdict["because"], *verdict["would_change"]):
        assert line in text


def test_the_tiles_hold_the_figures_of_the_brief(shown):
    text = text_of(shown, "verdict")
    band = next(b for b in BRIEF["at_risk"]["shorts"] if b["within_percent"] == 5.0)["forced_usd"]
    millions = [f"${band[end] / 1e6:.0f} mn" for end in ("value", "low", "high")]
    assert f"{millions[0]} ○" in text.replace("○", " ○").replace("  ", " ")
    assert f"{millions[1]} – {millions[2]}" in text
    assert (
        f"{next(t for t in BRIEF['verdict']['ahead'] if t['id'] == 'squeeze_up')['estimate']['value']:.2f}×"
        in text
    )


def test_the_price_age_and_invention_stand_in_the_bar(shown):
    bar = shown.page.locator(".top").inner_text().replace("\u202f", " ")
    assert f"{BRIEF['price']['last']['value']:,.2f}" in bar
    assert "SIMULATED" in bar
    assert "15 Jan 2026 12:05 UTC" in bar
    assert "replay" in bar


def test_each_trigger_counts_its_tells_and_opens_to_them(shown):
    for row in BRIEF["triggers"]:
        item = shown.page.locator("#triggers li", has_text=row["title"]).first
        judged = [tell for tell in row["tells"] if tell["condition"]]
        assert f"{sum(t['met'] is True for t in judged)}/{len(judged)}" in item.inner_text()
        assert row["state"] in item.inner_text()
    item = shown.page.locator("#triggers li").first
    item.get_by_role("button").first.click()
    opened = item.inner_text()
    for tell in BRIEF["triggers"][0]["tells"]:
        assert tell["label"] in opened
        assert tell["condition"] in opened
    assert f"Record: {BRIEF['triggers'][0]['record']}" in opened
    item.get_by_role("button").first.click()


def test_what_is_unknown_says_why(shown):
    blind = next(row for row in BRIEF["triggers"] if row["state"] == "unknown")
    assert blind["because"][0] in text_of(shown, "triggers")
    cell = shown.page.locator("#carry .unknown").first
    assert cell.inner_text() == "unknown"
    cell.focus()
    tip = shown.page.get_by_role("tooltip")
    reasons = {
        c[k]["unknown"]
        for c in FUNDING["contracts"]
        for k in ("funding_8h", "interest_coin", "premium")
    }
    assert tip.locator("p").first.inner_text().removeprefix("unknown: ") in reasons
    shown.page.keyboard.press("Escape")


def test_forced_and_resting_dollars_are_told_by_distance(shown):
    text, way = text_of(shown, "fuel"), FUEL["ways"][0]
    row = way["percent"].index(10.0)
    assert f"${way['forced_usd'][row] / 1e6:.0f} mn" in text
    assert way["resting_usd"][row] is None, "beyond the stored orders"
    absorbed = way["absorbed_usd"][row] / 1e6
    assert 10.0 <= absorbed < 1_000.0
    assert f"≈ ${absorbed:.{0 if absorbed >= 100.0 else 1}f} mn" in text
    shown.page.get_by_role("button", name="±3 %").click()
    assert "+3.0 %" in text_of(shown, "fuel")
    shown.page.get_by_role("button", name="±10 %").click()


def test_pushes_levels_venues_flows_and_channels_are_listed(shown):
    cascade = text_of(shown, "cascade")
    way = next(w for w in BRIEF["cascade"]["pushes"]["ways"] if w["direction"] == "up")
    for push in way["pushes"][1:]:
        assert f"{push['share_percent']:.1f} % of a day" in cascade
    levels = text_of(shown, "levels")
    zone = next(z for z in BRIEF["roadmap"]["zones"] if z["role"] == "squeeze_zone")
    assert f"{zone['low']:,.0f} – {zone['high']:,.0f}" in levels
    met = sum(rule["status"] == "met" for rule in BRIEF["roadmap"]["rules"])
    assert f"{met} of {len(BRIEF['roadmap']['rules'])} confirmation rules met" in levels
    assert "Binance ETHUSDT" in text_of(shown, "carry")
    for flow in BRIEF["flows"]:
        assert flow["title"] in text_of(shown, "flows")
    channels = BRIEF["health"]["channels"]
    assert shown.page.locator("#health .cell").count() == len(channels)
    assert shown.page.locator("#health .cell:not(.ok)").count() == sum(
        c["state"] != "ok" for c in channels
    )
    for missing in BRIEF["health"]["missing"]:
        assert missing in text_of(shown, "health")


def test_the_panes_below_the_candles_name_each_venue(shown):
    legends = [
        each.replace("\u202f", " ") for each in shown.page.locator(".legend").all_inner_texts()
    ]
    assert [each.split(" ")[0] for each in legends] == ["Funding", "Open", "Basis", "CVD"]
    assert "Bybit" in legends[0]
    assert "Binance spot" in legends[3]


def test_a_figure_explains_itself_on_focus_and_leads_to_the_glossary(shown):
    figure = shown.page.locator("#verdict .fig").first
    figure.focus()
    tip = shown.page.get_by_role("tooltip")
    told = tip.inner_text()
    for word in (
        "modelled: rests on assumptions",
        "10–90 %",
        "as of",
        "source",
        "at risk within 5 %",
    ):
        assert word in told
    tip.get_by_role("button", name="more").click()
    assert shown.page.locator("dialog .found dt").inner_text() == "at risk within 5 %"
    shown.page.keyboard.press("Escape")
    shown.page.locator("dialog").wait_for(state="hidden")


@pytest.mark.fault("W20")
def test_nothing_was_asked_of_another_machine_and_the_policy_held(shown):
    outside = [
        url for url in shown.asked if not re.match(r"(http|ws)://127\.0\.0\.1:\d+/|data:", url)
    ]
    assert outside == []
    assert len(shown.asked) > 8
    assert shown.complaints == []
