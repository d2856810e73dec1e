"""The standard pushes on the page: chances with errors, distances that end with the map, and the phase diagram."""

import re

import pytest
from brief import examples
from brief.pushed_examples import unwalked
from msgspec import structs

from airpocket.brief import markdown, terminal
from airpocket.brief.blocks import Grid, Words
from airpocket.brief.phase_picture import Pane, Spot, phase
from airpocket.brief.pushes_page import push_blocks, regime
from airpocket.brief.pushes_picture import pushes_picture
from airpocket.cascade.dynamics import overshoot_peak, runaway_threshold

RICH = examples.rich()
SECTION = RICH.cascade.pushes
PANE = Pane(0.0, 100.0, 0.0, 100.0, 1.0, 0.0, 5.0)


def grids():
    return [block for block in push_blocks(SECTION) if isinstance(block, Grid)]


def test_a_sentence_says_what_a_hundredth_of_a_days_volume_comes_to():
    first = push_blocks(SECTION)[0]
    assert isinstance(first, Words)
    assert "buying it carries price ≥ 15 % up (7.50 to ≥ 15); selling it" in first.text
    assert first.text.startswith("$180 mn, 1 % of a day's volume, within 60 s, simulated")


def test_chances_stand_with_their_errors_a_row_a_push():
    up = grids()[0]
    assert up.columns == ("Of a day's volume", "+1 %", "+5 %", "beyond +15 %")
    assert [row[0] for row in up.rows] == ["nobody pushes", "0.1 %: $18.0 mn", "1 %: $180 mn"]
    assert all(re.fullmatch(r"\d+\.\d ±\d\.\d", cell) for row in up.rows for cell in row[1:])


def test_what_lies_beyond_the_map_is_not_told():
    rows = grids()[1].rows
    assert rows[2][1:4] == ("≥ 15 (7.50 to ≥ 15)", "not known: beyond the map", "-")
    assert rows[1][1].startswith("0.70 (0.35 to 1.40)")


def test_without_paths_the_reason_stands_in_every_form():
    dark = structs.replace(
        RICH, cascade=structs.replace(RICH.cascade, pushes=unwalked("no book is stored"))
    )
    assert pushes_picture(dark) == ""
    for text in (terminal.render(dark, width=100, colour=False), markdown.render(dark)):
        assert "unknown: what pushes do, simulated: no book is stored" in text.replace("\n", " ")


@pytest.mark.parametrize(
    ("reproduction", "squeeze", "said"),
    [(0.5, 0.2, "ends by itself"), (1.5, 0.65, "speeds up first"), (3.0, 1.3, "nothing turns")],
)
def test_the_regime_follows_the_two_lines(reproduction, squeeze, said):
    way = SECTION.ways[0]
    changed = structs.replace(
        way,
        reproduction=structs.replace(way.reproduction, value=reproduction, low=0.0, high=9.0),
        squeeze=structs.replace(way.squeeze, value=squeeze, low=0.0, high=9.0),
    )
    assert said in regime(changed)


def test_the_pictures_name_their_origin_and_fit_wide_and_narrow_pages():
    text = pushes_picture(RICH)
    assert text.count("<svg") == 2
    assert text.count("MODELLED") == 4
    for svg in re.findall(r"<svg.*?</svg>", text):
        width, height = (
            float(part) for part in re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups()
        )
        for x, y in re.findall(r'c?x="(-?[\d.]+)" c?y="(-?[\d.]+)"', svg):
            assert 0.0 <= float(x) <= width
            assert 0.0 <= float(y) <= height


def test_bands_meet_where_the_closed_forms_say():
    drawn = phase(PANE, [])
    grows = re.search(r'class="grows" d="(.*?)Z"', drawn)[1]
    points = [tuple(map(float, part.split())) for part in re.split("[ML]", grows)[1:]]
    for kappa_tau, y in ((x / 100.0, y) for x, y in points):
        value = 5.0 * (1.0 - y / 100.0)
        assert min(abs(value - 1.0 - kappa_tau), abs(value - runaway_threshold(kappa_tau))) < 0.02


def test_lines_of_an_equal_peak_are_the_closed_forms():
    line = re.search(r'class="peak" d="(.*?)"', phase(PANE, [], peaks=(2.0,)))[1]
    points = [tuple(map(float, part.split())) for part in re.split("[ML]", line)[1:]]
    for x, y in points[5::10]:
        found = overshoot_peak(5.0 * (1.0 - y / 100.0), x / 100.0)
        assert found.peak == pytest.approx(2.0, abs=0.06)


def test_a_point_outside_stays_on_the_edge_and_its_label_is_escaped():
    drawn = phase(PANE, [Spot(9.0, 99.0, "<b>", "up", 0.0, 99.0)])
    assert 'cx="100.0" cy="0.0"' in drawn
    assert "<b>" not in drawn
