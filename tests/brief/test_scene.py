"""The scene that the interactive chart draws: what the brief tells, no more, and safe within a page."""

import json
import re
import zlib
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np
import pytest
from brief import examples
from msgspec.structs import replace

from airpocket.brief import as_json, html
from airpocket.brief.heat import heat_provenance
from airpocket.brief.scene import encoded, scene_of

RICH = examples.rich()
SCRIPT = "document.title = 'drawn' // no tag in it"


def scene(brief=RICH):
    found = scene_of(brief)
    assert found is not None
    return found


def test_only_candles_that_are_told_whole_are_drawn():
    price, bars = RICH.price, scene().bars
    whole = [at for at, close in enumerate(price.chart_close) if close is not None]
    assert 2 < len(whole) < len(price.chart_close), "the example has a gap"
    assert bars.close == pytest.approx([price.chart_close[at] for at in whole], rel=1e-6)
    assert [second + bars.interval_s for second in bars.open_s] == [
        price.chart_ts[at] // 10**9 for at in whole
    ]
    assert {len(column) for column in (bars.open, bars.high, bars.low, bars.close)} == {len(whole)}
    assert all(len(line.values) == len(whole) for pane in scene().panes for line in pane.lines)


def test_cells_are_the_root_of_the_dollars_and_keep_what_is_small():
    heat, grid = scene().heat, RICH.map.heat
    assert heat is not None
    rows = len(grid.edge) - 1
    cells = np.frombuffer(zlib.decompress(b64decode(heat.cells)), np.uint8).reshape(
        len(grid.ts), rows
    )
    usd = np.array(grid.forced) * [
        (low * high) ** 0.5 for low, high in zip(grid.edge, grid.edge[1:], strict=False)
    ]
    assert cells.max() == 255
    assert ((cells > 0) == (usd > 0)).all()
    assert np.abs(255 * np.sqrt(usd / usd.max()) - cells).max() <= 1.0


def test_what_is_not_known_is_named_and_not_drawn():
    blind = replace(
        RICH,
        map=replace(RICH.map, heat=None, unknown="no open interest"),
    )  # fmt: skip
    found = scene(blind)
    assert found.heat is None
    assert ("Heatmap", "no open interest") in found.missing
    assert scene_of(examples.empty()) is None
    old = replace(RICH.price, chart_open=[], chart_high=[], chart_low=[])
    assert scene_of(replace(RICH, price=old)) is None, "a brief of before has no candles"


def test_liquidations_stand_where_venues_told_them_or_are_named_as_unknown():
    found = scene()
    assert [(each.side, each.at_least) for each in found.prints] == [
        ("short", True), ("long", False)
    ]  # fmt: skip
    assert found.prints == RICH.price.chart_forced
    mute = replace(RICH.price, chart_forced=[], chart_forced_unknown="no venue here tells its")
    assert ("Liquidations", "no venue here tells its") in scene(replace(RICH, price=mute)).missing
    older = json.loads(as_json.render(RICH))
    del older["price"]["chart_forced"], older["price"]["chart_forced_unknown"]
    del older["map"]["heat"]["exact_percent"]
    found = scene(as_json.parse(json.dumps(older).encode()))
    assert found.prints == []
    assert ("Liquidations", "told by no brief of this age") in found.missing
    heat = as_json.parse(json.dumps(older).encode()).map.heat
    assert heat is not None
    assert heat_provenance(heat) == "modelled"


def test_funding_stands_in_per_cent_as_its_unit_says():
    pane = next(pane for pane in scene().panes if pane.id == "funding")
    told = [rate for rate in RICH.price.chart_funding if rate is not None]
    shown = [value for value in pane.lines[0].values if value is not None]
    assert max(shown) == pytest.approx(100 * max(told))


class Scripts(HTMLParser):
    """Scripts of a page: attributes and text."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.inside = False

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "script"
        if self.inside:
            self.found.append([dict(attrs), ""])

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "script"

    def handle_data(self, data):
        if self.inside:
            self.found[-1][1] += data


def scripts(page):
    reader = Scripts()
    reader.feed(page)
    return reader.found


def test_the_policy_lets_the_one_script_run_and_nothing_be_fetched():
    page = html.render(RICH, SCRIPT)
    policy = re.search(r'Policy" content="([^"]*)"', page)[1].replace("&#x27;", "'")
    print_ = b64encode(sha256(SCRIPT.encode()).digest()).decode()
    assert f"script-src 'sha256-{print_}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "connect" not in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]
    data, module = scripts(page)
    assert module == [{"type": "module"}, SCRIPT]
    assert json.loads(data[1])["schema"] == "airpocket.scene/2"
    assert "<script" not in html.render(RICH)
    assert "script-src" not in html.render(examples.empty(), SCRIPT), (
        "without candles there is nothing to run"
    )


@pytest.mark.fault("V14", "V16")
def test_hostile_text_stays_data_within_the_page():
    nasty = "</script><script>alert(1)</script><!--&\u2028"
    zone = replace(RICH.roadmap.zones[0], role=nasty)
    brief = replace(
        RICH, asset=nasty, roadmap=replace(RICH.roadmap, zones=[zone]),
        price=replace(RICH.price, reference=nasty),
    )  # fmt: skip
    text = encoded(scene(brief))
    assert not re.search("[<>&]", text)
    assert "</script>" in json.loads(text)["zones"][0]["role"]
    found = scripts(html.render(brief, SCRIPT))
    assert len(found) == 2
    assert found[1][1] == SCRIPT


@pytest.mark.parametrize("script", ["a</SCRIPT >", "<!-- x", "<script>", "a\r\nb"])
def test_a_script_that_would_end_early_is_refused(script):
    with pytest.raises(ValueError, match="within a page"):
        html.render(RICH, script)
