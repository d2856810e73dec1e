"""Orders and scripts are read strictly; what is wrong is named."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.errors import BadInput
from airpocket.drill.orders import parse, read_script


def test_each_order_is_understood():
    assert parse("reduce 25%").coin(8.0) == 2.0
    assert parse("Reduce 10").coin(8.0) == 10.0
    assert parse("close").what == "close"
    stop = parse("stop 3,150.5 50%")
    assert (stop.price, stop.coin(8.0)) == (3_150.5, 4.0)
    assert parse("stop 3150").coin(8.0) == 8.0
    assert parse("margin 5_000").usd == 5_000.0
    hedge = parse("hedge long 10")
    assert (hedge.side, hedge.coin(8.0)) == ("long", 10.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no order"),
        ("sell all", "'sell all' is no order"),
        ("reduce", "is no order"),
        ("reduce 120%", "more than all"),
        ("reduce -5", "no number above 0"),
        ("stop nan", "no number above 0"),
        ("margin inf", "no number above 0"),
        ("hedge up 5", "is no order"),
    ],
)
def test_what_is_no_order_is_refused(text, words):
    with pytest.raises(BadInput, match=words):
        parse(text)


@given(st.text())
def test_no_text_breaks_the_reader(text):
    with suppress(BadInput):
        assert parse(text).text


def test_a_script_gives_seconds_and_orders(tmp_path):
    path = tmp_path / "orders.txt"
    path.write_text("# what to do\n00:30 stop 3150\n\n12:05 reduce 50%  # half\n1:00:00 close\n")
    assert [(at, order.text) for at, order in read_script(path)] == [
        (30, "stop 3150"),
        (725, "reduce 50%"),
        (3_600, "close"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soon close", "line 1: 'soon' is no time"),
        ("00:75 close", "line 1: '00:75' is no time"),
        ("05:00 close\n04:00 close", "line 2: 04:00 is before"),
        ("05:00 panic", "line 1: 'panic' is no order"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, text, words):
    path = tmp_path / "orders.txt"
    path.write_text(text)
    with pytest.raises(BadInput, match=words):
        read_script(path)
    with pytest.raises(BadInput, match="can't be read"):
        read_script(tmp_path / "none.txt")
