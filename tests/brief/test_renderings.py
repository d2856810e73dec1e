"""The brief drawn four ways: nothing unsafe, nothing silently zero, the schema kept."""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest
import samples
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from airpocket.brief import as_json, html, markdown, terminal
from airpocket.brief.compose import compose
from airpocket.brief.words import LEAST_USD, figure
from airpocket.domain.estimates import Estimate, known, unknown
from airpocket.domain.units import HOUR_NS, TimeNs
from airpocket.pipeline import Assessor

ROOT = Path(__file__).resolve().parents[2]
HOURS = 24 * 60


def made():
    assessor = Assessor("ETH")
    for batch in (samples.bars(HOURS), samples.funding(HOURS // 8), samples.interest(HOURS)):
        assessor.apply(batch)
    return compose(assessor.assess(TimeNs(samples.START + HOURS * HOUR_NS)))


BRIEF = made()


def drawn(brief):
    return {
        "terminal": terminal.render(brief, width=100, colour=False),
        "markdown": markdown.render(brief),
        "html": html.render(brief),
    }


def estimates(value):
    if isinstance(value, Estimate):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from estimates(getattr(value, name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from estimates(each)
    elif isinstance(value, list):
        for each in value:
            yield from estimates(each)


@pytest.mark.parametrize("form", ["terminal", "markdown", "html"])
def test_the_answer_comes_first_and_every_section_has_its_place(form):
    text = drawn(BRIEF)[form]
    for heading in (
        "Triggers",
        "Verdict",
        "At risk",
        "Regimes",
        "Roadmap",
        "Flows",
        "Record",
        "Data health",
    ):
        assert re.search(heading, text, re.IGNORECASE)
    assert text.index("ETH at") < re.search("triggers", text, re.IGNORECASE).start()


def test_json_keeps_its_schema_and_its_committed_copy_is_current():
    brief = json.loads(as_json.render(BRIEF))
    schema = json.loads(
        (ROOT / "src/airpocket/brief/brief.schema.json").read_text(encoding="utf-8")
    )
    jsonschema.Draft202012Validator(schema).validate(brief)
    assert schema == json.loads(as_json.schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({**brief, "triggers": "none"})


def test_the_schema_script_finds_a_current_file():
    done = subprocess.run(
        [sys.executable, "scripts/brief_schema.py", "--check"], cwd=ROOT, check=False
    )
    assert done.returncode == 0


@settings(max_examples=6, deadline=None)
@given(
    st.text(max_size=60),
    st.sampled_from(["<script>alert(1)</script>", "[red]x[/red]", "a|b", "\x1b[31m", "\u202eevil"]),
)
def test_hostile_text_stays_text(text, hostile):
    brief = msgspec.structs.replace(BRIEF, answer=text + hostile, asset=hostile)
    forms = drawn(brief)
    assert "<script" not in forms["html"]
    assert all("\x1b" not in form and "\u202e" not in form for form in forms.values())


def test_the_page_asks_nothing_of_the_network():
    text = drawn(BRIEF)["html"]
    assert not re.search(r"https?:|src=|@import|url\(|<script|<link", text)


def test_every_known_figure_states_where_it_comes_from_and_every_unknown_why():
    text = drawn(BRIEF)["html"]
    assert any(e.known for e in estimates(BRIEF))
    for estimate in estimates(BRIEF):
        if not estimate.known:
            assert "unknown" in figure(estimate)
    assert text.count('class="badge"') >= 20


@given(
    st.sampled_from(["USD", "%", "coin", "sd", "% per 8 h", "quote per coin", "made-up"]),
    st.text(min_size=1, max_size=20),
)
def test_unknown_is_never_written_as_a_number(unit, reason):
    assert figure(unknown(unit, reason)).startswith("unknown")


@given(st.floats(1e-12, 1e18), st.sampled_from(["USD", "%", "coin", "sd", "quote per coin"]))
def test_a_small_figure_is_not_rounded_to_nothing(value, unit):
    assume(unit != "USD" or value >= LEAST_USD)  # less than that is no money
    shown = figure(known(value, unit, as_of=1, now=1, source="x"))
    assert re.search("[1-9]", shown.split("[")[0])


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_terminal_lines_fit_the_width(width):
    from rich.cells import cell_len

    assert (
        max(map(cell_len, terminal.render(BRIEF, width=width, colour=False).splitlines())) <= width
    )
