"""The renderings against two briefs made by hand: nothing lost, nothing steered by hostile text."""

import re
from collections import Counter
from html.parser import HTMLParser

import msgspec
import pytest
from brief import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from airpocket.brief import as_json, html, markdown, roadmap_page, terminal, words
from airpocket.brief.model import PriceSection
from airpocket.domain.estimates import Estimate, known, unknown
from airpocket.domain.tells import context

RICH, SIMULATED, EMPTY = examples.rich(), examples.rich(simulated=True), examples.empty()
UNITS = [words.USD, words.PRICE, words.COIN, words.PERCENT, words.PERCENT_YEAR, words.FUNDING_8H,
         words.RATIO, words.Z, words.HOURS, words.COUNT, words.BPS, words.RSI, "made up"]  # fmt: skip
HOSTILE = pytest.mark.parametrize("hostile", [
    "<script>x</script>", "<img src=x>", '"><b onload=x>', "a|b", "](javascript:x)", "[red]x[/red]", "\x1b[31mx",
    "\x9b31m", "\u202eevil", "`x`", "**x**", "$x$", "https://x.y", "www.x.y", "@x", "\n# x", "1. x", "- x",
])  # fmt: skip


class Read(HTMLParser):
    """Tags with their attribute names, and the text of every table row and paragraph."""

    def __init__(self):
        super().__init__()
        self.tags, self.rows = [], [""]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(sorted(name for name, _ in attrs))))
        if tag in ("tr", "p"):
            self.rows.append("")

    def handle_data(self, data):
        self.rows[-1] += data


def read(brief):
    reader = Read()
    reader.feed(html.render(brief))
    return reader


def estimates(value):
    if isinstance(value, Estimate):
        yield value
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from estimates(getattr(value, field))
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from estimates(each)


def with_text(text):
    """The rich brief with one text in every kind of place it can come from outside."""
    price = msgspec.structs.replace(
        RICH.price,
        reference=text,
        tells=[
            context("x", text, unknown(text, text)),
            context("y", text, known(1, text, as_of=1, now=1, source=text)),
        ],
        by_venue={text: RICH.price.last},
    )  # fmt: skip
    zone = msgspec.structs.replace(RICH.roadmap.zones[0], role=text, record=text)
    trigger = msgspec.structs.replace(
        RICH.triggers[0],
        title=text,
        state=text,
        because=[text],
        odds=text,
        record=text,
        refs=[text],
    )
    return msgspec.structs.replace(
        RICH,
        asset=text,
        answer=text,
        price=price,
        triggers=[trigger],
        verdict=msgspec.structs.replace(RICH.verdict, state=text, because=[text]),
        roadmap=msgspec.structs.replace(
            RICH.roadmap, zones=[zone, *RICH.roadmap.zones[1:]], missing=[text]
        ),
        record=msgspec.structs.replace(RICH.record, summary=text, entries=[text]),
    )


@pytest.mark.parametrize("brief", [RICH, EMPTY], ids=["rich", "empty"])
def test_every_figure_is_on_the_page_with_its_origin_and_age_or_its_reason(brief):
    rows = " \n ".join(" ".join(row.split()) for row in read(brief).rows)
    for estimate, times in Counter(words.figure(each) for each in estimates(brief)).items():
        parts = re.fullmatch(r"(.*?)(?: \((.* to .*)\))? \[(.*)\]", estimate)
        if parts is None:
            assert rows.count(estimate) >= times
        else:
            wanted = " ?".join(
                re.escape(part)
                for part in (parts[1], parts[2] and f"({parts[2]})", parts[3])
                if part
            )
            assert len(re.findall(wanted, rows)) >= times, estimate


@HOSTILE
@settings(max_examples=4, deadline=None)
@given(more=st.text(max_size=12))
@pytest.mark.fault("V14", "V16")
def test_hostile_text_adds_no_element_to_the_page(hostile, more):
    assert read(with_text(f"{hostile}{more}x")).tags == read(with_text("plain")).tags


@HOSTILE
@settings(max_examples=4, deadline=None)
@given(more=st.text(max_size=12))
@pytest.mark.fault("V16")
def test_hostile_text_adds_no_row_column_link_or_formula_to_the_markdown(hostile, more):
    told, calm = (
        markdown.render(with_text(f"x{hostile}{more}")),
        markdown.render(with_text("xplain")),
    )
    bare = re.sub(r"\\.", "", told)
    assert [line.count("|") for line in bare.splitlines()] == [
        line.count("|") for line in re.sub(r"\\.", "", calm).splitlines()
    ]
    assert not re.search(r"[\[\]`$<>@~]|://|www\.", bare)


@HOSTILE
@settings(max_examples=2, deadline=None)
@given(more=st.text(max_size=40), width=st.sampled_from([40, 60, 100]), colour=st.booleans())
@pytest.mark.fault("V14", "V16")
def test_hostile_text_neither_colours_nor_widens_the_terminal(hostile, more, width, colour):
    text = terminal.render(with_text(hostile + more), width=width, colour=colour)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", text) if colour else text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", bare)
    assert max(map(cell_len, bare.split("\n"))) <= width
    if "[red]" in hostile:
        assert "[red]" in bare  # markup is shown, not obeyed


@given(
    st.sampled_from(UNITS),
    st.text(alphabet=st.characters(exclude_categories=["N", "C"]), max_size=30),
)
def test_an_unknown_figure_shows_no_digit_in_any_form(unit, reason):
    dark = unknown(unit, reason)
    price = PriceSection(
        reference="x", last=dark, tells=[context("x", "Mark", dark)], by_venue={},
        chart_ts=[], chart_close=[], chart_interest=[], chart_funding=[],
    )  # fmt: skip
    brief = msgspec.structs.replace(EMPTY, price=price)
    bare = words.figure(dark).removesuffix(words.plain(reason))
    assert not re.search(r"\d", bare)
    for text in (terminal.render(brief, width=200, colour=False), markdown.render(brief)):
        marked = next(line for line in text.split("\n") if "Mark" in line)
        assert "unknown: " in marked
        assert not re.search(r"\d", marked)
    assert '"value": null' in as_json.render(brief).decode()


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(UNITS))
def test_a_known_figure_shows_a_zero_only_for_zero(value, unit):
    shown = words.number(value, unit)
    assert len(shown) < 32
    assert (value == 0) == (not re.search("[1-9]", shown))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.23e9, words.USD, "$1.23 bn"),
        (-4.5e6, words.USD, "-$4.50 mn"),
        (999.96e6, words.USD, "$1.00 bn"),
        (0.0123, words.FUNDING_8H, "+0.0123 %/8h"),
        (-0.01, words.FUNDING_8H, "-0.0100 %/8h"),
        (2.274e6, words.COIN, "2.27 mn coin"),
        (812_400, words.COIN, "812,400 coin"),
        (4312.5, words.PRICE, "4,312.50 per coin"),
        (0.00001234, words.PRICE, "1.234e-05 per coin"),
        (12, words.COUNT, "12"),
        (7.84, words.PERCENT_YEAR, "7.84 % a year"),
        (1.5, "barrels", "1.50 barrels"),
    ],
)
def test_figures_are_written_in_their_unit(value, unit, text):
    assert words.with_unit(value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (360, "6 min"), (7200, "2 h"), (200_000, "2 d")]
)
def test_ages_are_told_in_their_largest_sensible_unit(seconds, text):
    assert words.age(seconds) == f"{text} old"


def test_simulated_data_say_so_first_in_every_form_and_in_every_picture():
    assert terminal.render(SIMULATED, width=60, colour=False).startswith("*** SIMULATED DATA")
    assert markdown.render(SIMULATED).startswith("> **SIMULATED DATA")
    text = html.render(SIMULATED)
    assert text.partition("<body>")[2].startswith('<p class="simulated">SIMULATED DATA')
    pictures = re.findall(r"<svg.*?</svg>", text)
    assert len(pictures) == 5
    assert all(">SIMULATED</text>" in each and "MEASURED" not in each for each in pictures)
    assert as_json.parse(as_json.render(SIMULATED)).health.simulated
    for form in (
        terminal.render(RICH, width=60, colour=False),
        markdown.render(RICH),
        html.render(RICH),
    ):
        assert "SIMULATED" not in form


def test_the_answer_is_the_first_line():
    assert terminal.render(RICH, width=300, colour=False).split("\n")[0] == RICH.answer
    assert markdown.render(RICH).split("\n")[0] == f"# {RICH.answer}"


@pytest.mark.parametrize("brief", [RICH, SIMULATED, EMPTY], ids=["rich", "simulated", "empty"])
def test_json_reads_back_as_the_same_brief(brief):
    assert as_json.parse(as_json.render(brief)) == brief
    assert list(msgspec.json.decode(as_json.render(brief))) == [
        "schema", "asset", "as_of", "answer", "price", "health", "at_risk", "triggers", "verdict",
        "regimes", "clusters", "map", "cascade", "flows", "drivers", "roadmap", "shorts", "longs", "record",
    ]  # fmt: skip


def test_json_of_another_schema_is_refused_by_name():
    other = as_json.render(EMPTY).replace(b"airpocket.brief/5", b"airpocket.brief/9")
    with pytest.raises(msgspec.ValidationError, match=r"airpocket\.brief/9"):
        as_json.parse(other)


def test_the_ladder_has_the_price_between_what_is_above_and_what_is_below():
    grid = roadmap_page.ladder(RICH.roadmap.zones, RICH.price.last)
    names = [row[0] for row in grid.rows]
    assert names == [
        "discovery trigger (resistance)", "squeeze zone (resistance)", "resistance 1",
        "pivot", "PRICE NOW", "immediate support", "major support",
    ]  # fmt: skip
    assert grid.rows[grid.marked][0] == "PRICE NOW"


def test_the_funding_pane_is_in_percent_and_a_gap_breaks_the_price_line():
    text = html.render(RICH)
    path = re.search(r'class="price" d="([^"]*)"', text)[1]
    assert path.count("M") == 2
    ticks = re.search(r"funding in force, % per 8 h", text)
    before = re.findall(r'class="tick before"[^>]*>([^<]*)<', text[: ticks.start()])
    assert max(map(float, before[-2:])) == 0.01  # a rate of 0.00015 is 0.015 %


def test_colour_only_repeats_what_the_words_say():
    coloured = terminal.render(RICH, width=100, colour=True)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    plain = terminal.render(RICH, width=100, colour=False)
    assert [line.rstrip() for line in bare.split("\n")] == plain.split("\n")
    assert "\x1b[" in coloured
    assert "\x1b" not in plain
