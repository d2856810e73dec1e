"""The flows section: the hinge first, three times a figure, holes left open, and names that can't break a page."""

import xml.etree.ElementTree as ET

import pytest
from brief import examples
from msgspec.structs import replace

from airpocket.brief import as_json, html, page, terminal
from airpocket.brief.drivers_page import driver_blocks, with_records
from airpocket.brief.drivers_picture import drivers_picture
from airpocket.domain.estimates import Estimate, known, unknown
from airpocket.domain.units import DAY_NS, parse_time
from airpocket.signals.driver_records import CatalystRow, DriverRow, DriverTable

RICH = examples.rich()
NOW = parse_time(RICH.as_of)


def driver(name: str, history: list[float | None], signal: Estimate, source: str) -> DriverRow:
    return DriverRow(
        id=name, title=name.replace("_", " "), implication="dry powder", state="supportive",
        because="it grew", label="7 d", signal=signal, score=unknown("sd", "3 earlier readings, 60 are needed"),
        event="2025-10-08T00:00:00Z", published="2025-10-09T06:00:00Z", first_seen="2025-10-09T13:00:00Z",
        standing="late", source=source, revised=2, relation=None, record="no history yet: 3 readings", refs=["M15"],
        parts={}, history_unit="USD",
        history_ts=[NOW - (len(history) - k) * DAY_NS for k in range(len(history))], history=history,
    )  # fmt: skip


FIGURE = known(1.5, "%", as_of=NOW - DAY_NS, now=NOW, source="x")
TABLE = DriverTable(
    rows=[
        driver("etf_creations", [5e8, -3e8, None, 2e8], FIGURE, "flows:ETH etf"),
        driver("stablecoin_issuance", [1e11, None, 1.1e11, 1.2e11], FIGURE, "flows:USDT supply"),
        replace(
            driver("custody", [], unknown("%", "no custody holding stored"), ""), standing="none",
            because="no custody holding stored",
        ),
    ],
    turns="etf_creations", turning="ETF creations is the hinge: a change by -$154 mn would stall it.",
    needed=FIGURE,
    catalysts=[CatalystRow(time="2025-10-29T18:00:00Z", hours=454.0, kind="macro", name="FOMC <b>",
                           confidence="certain", known_from="2024-08-09T00:00:00Z")],
    notes=["Overdue by their own cadence: etf creations (late)."],
)  # fmt: skip
BRIEF = replace(RICH, drivers=TABLE)


def text() -> str:
    [part] = [part for part in page.parts(BRIEF, every_channel=False) if part.id == "flows"]
    return terminal.sheet("", "", [part], simulated=False, width=160, colour=False)


def test_the_hinge_comes_first_and_each_figure_has_its_three_times() -> None:
    told = text()
    body = told[told.index("FLOWS") :]
    assert body.splitlines()[1].startswith("ETF creations is the hinge")
    for word in (
        "for 2025-10-08",
        "published 2025-10-09 06:00 UTC",
        "seen 2025-10-09 13:00 UTC",
        "late",
    ):
        assert word in " ".join(body.split())
    assert "Not told here (no history yet)" in body
    assert "custody: no custody holding stored" in body


def test_an_absent_day_breaks_the_line_and_draws_no_bar() -> None:
    drawn = drivers_picture(BRIEF)
    roomy = drawn[drawn.index("<svg") : drawn.index("</svg>") + 6]
    tree = ET.fromstring(roomy)  # noqa: S314 - our own drawing
    bars = [each for each in tree.iter("rect") if each.get("class", "").startswith("flow")]
    assert [each.get("class") for each in bars] == ["flow up", "flow down", "flow up"]
    [line] = [each.get("d", "") for each in tree.iter("path")]
    assert line.count("M") == 2


@pytest.mark.parametrize("rows", [[], [TABLE.rows[2]]])
def test_without_figures_there_is_no_picture(rows: list[DriverRow]) -> None:
    assert drivers_picture(replace(RICH, drivers=replace(TABLE, rows=rows))) == ""
    assert drivers_picture(RICH) == ""
    assert driver_blocks(RICH) == []


def test_names_from_outside_are_text_and_the_page_stays_whole() -> None:
    told = html.render(BRIEF)
    assert "FOMC &lt;b&gt;" in told
    assert "FOMC <b>" not in told
    assert as_json.parse(as_json.render(BRIEF)) == BRIEF


def test_the_graded_rows_carry_what_followed_them() -> None:
    rows = with_records(
        RICH.flows, replace(TABLE, rows=[replace(TABLE.rows[0], id=RICH.flows[0].id)])
    )
    assert rows[0].record == "no history yet: 3 readings"
    assert rows[1:] == RICH.flows[1:]
