"""Answers that nobody should send: they change no prototype, and a lying or a huge one takes the page nowhere."""

import json
import struct

import pytest
from stand_in import recorded

POISON = {"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}


def poisoned(told):
    """The same tree with the names of prototypes in every object."""
    if isinstance(told, list):
        return [poisoned(each) for each in told]
    if isinstance(told, dict):
        return {key: poisoned(each) for key, each in told.items()} | POISON
    return told


def heat_of(**changes) -> bytes:
    """The recorded heatmap under a head that says something else."""
    whole = recorded("heat.bin")
    length = struct.unpack("<I", whole[4:8])[0]
    head = json.dumps(json.loads(whole[8 : 8 + length]) | changes).encode()
    head += b" " * (-len(head) % 8)
    return whole[:4] + struct.pack("<I", len(head)) + head + whole[8 + length :]


@pytest.mark.fault("W19")
def test_names_of_prototypes_are_names_like_others(visit, stand):
    stand.instead = {"brief": json.dumps(poisoned(json.loads(recorded("brief.json")))).encode()}
    stand.told = poisoned(stand.told)
    opened = visit()
    assert opened.page.locator("#verdict .sentence").inner_text()
    assert (
        opened.page.evaluate("[({}).polluted, [].polluted, (() => 0).polluted, Object.polluted]")
        == [None] * 4
    )
    assert opened.complaints == []


@pytest.mark.fault("W19")
@pytest.mark.parametrize("head", [{"columns": 10**9}, {"rows": -1}, {"columns": 1e308}])
def test_a_heatmap_that_lies_of_its_size_leaves_the_page_standing(visit, stand, head):
    stand.instead = {"map/heat": heat_of(**head)}
    opened = visit()
    assert opened.page.locator("#verdict .sentence").inner_text()
    assert opened.page.locator("#chart canvas").count() > 0


@pytest.mark.fault("W19")
def test_a_huge_chart_is_borne(visit, stand):
    rows = 60_000
    bars = json.loads(recorded("bars-5m.json"))
    last = bars["open_s"][-1]
    for key, column in bars.items():
        if isinstance(column, list) and key != "contracts":
            bars[key] = (column * (rows // len(column) + 1))[-rows:]
    bars["open_s"] = [last - 300 * at for at in reversed(range(rows))]
    stand.instead = {"bars": json.dumps(bars).encode()}
    opened = visit()
    drawn = opened.page.evaluate(
        "Math.max(...document.querySelector('.canvas').marketChart.chart.panes().flatMap("
        "(pane) => pane.getSeries().map((series) => series.data().length)))"
    )
    assert 1_000 < drawn < 2_000
    assert opened.page.locator("#verdict .sentence").inner_text()
    assert opened.complaints == []
