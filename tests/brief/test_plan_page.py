"""Plans as pages: every section in every form, inside the width, with nothing left blank."""

import msgspec
import pytest
from msgspec import structs
from playbook.situations import NOW, position, situation
from rich.cells import cell_len

from airpocket.brief import markdown, plan_json, plan_page, terminal
from airpocket.domain.units import HOUR_NS
from airpocket.playbook.plan import plan_for

HEADINGS = [
    "What to do", "Margin", "Overnight gap", "Leverage", "Funding", "On the way to your liquidation",
    "The market now",
]  # fmt: skip
SHORT = [
    "Staggered exits",
    "Exits by rule",
    "Exits in thin books",
    "Scenario table",
    "Trim into thin books",
]
LONG = ["Stop", "Exits in thin books", "Staggered bids", "Adds", "Scale out"]
BOTH = ["Events ahead", "Funding discipline", "Hedges", "About this plan"]


def plan_of(side):
    held = position(side, id="mine", note="hold [link](x) | <b>", margin="isolated")
    return plan_for(held, situation())


def page(plan, width, *, colour=False):
    return terminal.sheet(
        plan.answer, plan_page.head_line(plan), plan_page.parts(plan), simulated=plan.simulated,
        width=width, colour=colour,
    )  # fmt: skip


@pytest.mark.parametrize(("side", "own"), [("short", SHORT), ("long", LONG)])
def test_every_section_is_there_in_order(side, own) -> None:
    plan = plan_of(side)
    headings = [part.heading for part in plan_page.parts(plan)]
    assert headings == [*HEADINGS, *own, *BOTH]
    text = page(plan, 100)
    written = markdown.sheet(
        plan.answer, plan_page.head_line(plan), plan_page.parts(plan), simulated=False
    )
    for heading in headings:
        assert heading.upper() in text
        assert f"\n## {heading}\n" in written
    assert text.startswith(plan.answer[:60])


@pytest.mark.parametrize("width", [40, 72, 80, 100, 120])
@pytest.mark.parametrize("side", ["short", "long"])
def test_the_page_keeps_to_its_width(side, width) -> None:
    lines = page(plan_of(side), width).splitlines()
    assert max(cell_len(line) for line in lines) <= width


def test_every_step_says_when_what_and_what_stays_open() -> None:
    for side in ("short", "long"):
        plan = plan_of(side)
        for play in plan.plays:
            assert play.steps or play.unknown
            for step in play.steps:
                assert step.condition
                assert step.action
                assert step.because
                assert step.record == "not yet evaluated"
                assert step.uncovered
                assert step.refs


def test_the_json_has_times_as_text_and_reads_back() -> None:
    plan = plan_of("short")
    told = msgspec.json.decode(plan_json.render([plan, plan_of("long")]))
    assert len(told["plans"]) == 2
    first = told["plans"][0]
    assert list(first) == [field.name for field in structs.fields(plan)]
    assert first["schema"] == "airpocket.plan/3"
    assert first["position"]["opened_at"] == "2025-05-05T23:00:00Z"
    assert first["mark"]["as_of"] == first["as_of"] == "2025-05-06T00:00:00Z"
    assert first["answer"] == plan.answer
    steps = [step for play in first["plays"] for step in play["steps"]]
    assert {"condition", "action", "size_coin", "invalidation", "cost", "uncovered"} <= set(
        steps[0]
    )


def test_text_from_the_file_cannot_open_a_link_or_a_tag() -> None:
    plan = plan_of("short")
    written = markdown.sheet(
        plan.answer, plan_page.head_line(plan), plan_page.parts(plan), simulated=False
    )
    assert "hold \\[link\\](x) \\| &lt;b&gt;" in written


def test_a_plan_without_a_price_still_fills_a_page() -> None:
    plan = plan_for(position(), situation(now=NOW + 3 * HOUR_NS))
    text = page(plan, 100)
    assert "no price of binance_usdm:ETHUSDT" in text
    assert "MARGIN" in text
