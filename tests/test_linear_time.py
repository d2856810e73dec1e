"""No text a venue or user writes takes more than linear time: patterns that could are not in the code."""

import ast
import contextlib
import re
from pathlib import Path

import pytest
from ingest.venues.wires import FRAMES, decode, frame

from airpocket.brief import words
from airpocket.delivery.cli.printing import printable
from airpocket.domain.errors import UndecodableFrame, UnknownInstrument
from airpocket.domain.instruments import instrument, instruments_of, venues
from airpocket.ingest.peek import wire_channel
from airpocket.ingest.values import BadValue, decimal_seconds_ns, number, rfc3339_ns
from airpocket.ingest.venues.deribit.names import read
from airpocket.live.refusals import _plain

SOURCE = Path(__file__).resolve().parent.parent / "src"
MAKERS = ("compile", "fullmatch", "match", "search", "sub", "findall", "split", "_family")
LONG = 100_000  # a quadratic reader would take minutes for it


def patterns():
    """Every literal pattern in the code: (file, pattern)."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            of_re = (
                not isinstance(node.func, ast.Attribute)
                or getattr(node.func.value, "id", "") == "re"
            )
            first = node.args[0]
            if (
                name in MAKERS
                and of_re
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str | bytes)
            ):
                yield path.name, first.value


def repeats(parsed, within=False):
    """Whether an unbounded repeat holds another: the shape that takes exponential time."""
    for op, argument in parsed:
        if op in (re._constants.MAX_REPEAT, re._constants.MIN_REPEAT):
            endless = argument[1] is re._constants.MAXREPEAT
            if endless and within:
                return True
            separated = (
                len(argument[2]) and argument[2][0][0] is re._constants.LITERAL
            )  # (/\w+)* is linear
            if repeats(argument[2], within or (endless and not separated)):
                return True
        elif op is re._constants.SUBPATTERN:
            if repeats(argument[3], within):
                return True
        elif op is re._constants.BRANCH and any(repeats(each, within) for each in argument[1]):
            return True
    return False


@pytest.mark.fault("V22")
def test_no_pattern_in_the_code_repeats_a_repeat():
    found = list(patterns())
    assert len(found) > 40
    assert not [(file, p) for file, p in found if repeats(re._parser.parse(p))]


@pytest.mark.fault("V22")
def test_the_check_of_patterns_can_fail():
    assert repeats(re._parser.parse(r"(\d+)*x"))
    assert repeats(re._parser.parse(r"([ab]|(b+))+"))
    assert not repeats(re._parser.parse(r"(\d{1,3},)*\d+"))


@pytest.mark.fault("V22")
@pytest.mark.parametrize(
    "text",
    ["9" * LONG, "." * LONG, "1." * LONG, "-" * LONG, "0" * LONG + "x", "A" * LONG, "A-" * LONG, "'" * LONG,
     '"' * LONG, "1e" * LONG, "_" * LONG, " " * LONG, "\x1b" * LONG, "USDT" * LONG, "<" * LONG],
    ids=lambda text: repr(text[:6]),
)  # fmt: skip
def test_a_hundred_thousand_characters_are_read_or_refused(text):
    for reader in (number, rfc3339_ns, decimal_seconds_ns):
        with contextlib.suppress(BadValue):
            reader(text, "value")
    for venue in venues():
        with contextlib.suppress(UnknownInstrument):
            instrument(venue, text)
    with contextlib.suppress(UnknownInstrument):
        instruments_of(text)
    assert read(text).kind == "other"
    assert len(wire_channel(b'{"topic":"' + text.encode())) <= 60
    assert len(_plain("okx", f"okx: {text}")) <= 160
    words.plain(text)
    printable(text)
    for venue in FRAMES:
        with contextlib.suppress(UndecodableFrame):
            decode(venue, frame(venue, "trade", price=f'"{text}"'.replace("\x1b", "\\u001b")))


@pytest.mark.fault("V22", "V06")
def test_numbers_of_any_size_are_shown_without_a_search():
    for value in (1e18, 1e300, 5e-324, -1e18, float(2**63), 0.1 + 0.2, 0.0):
        for unit in (words.USD, words.PRICE, words.COIN, words.PERCENT, words.COUNT):
            shown = words.with_unit(value, unit)
            assert 0 < len(shown) < 500
            assert shown.isprintable()
