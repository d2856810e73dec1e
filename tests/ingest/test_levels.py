"""Levels read in one go are what the reader of single values makes of each, and refused where it refuses."""

import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.ingest.levels import Levels, in_coin
from airpocket.ingest.values import BadValue, nonnegative, positive

READ = msgspec.json.Decoder(Levels, strict=False)
TEXTS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=8).map(str),
    st.floats().map(repr),
    st.text(max_size=12),
    st.sampled_from(
        [
            "0",
            "-0",
            "0.000",
            "1e5",
            "1e400",
            "NaN",
            "inf",
            "1_0",
            "１２",
            "+1",
            ".5",
            "5.",
            "",
            " 1",
        ]
    ),
)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_each_level_is_what_the_reader_of_single_values_says_or_all_are_refused(rows):
    try:
        found = READ.decode(json.dumps(rows))
    except msgspec.DecodeError:
        return
    for (price, size), level in zip(rows, found, strict=True):
        assert level[0] == positive(price, "price") or float(price) >= 1e18
        assert level[1] == pytest.approx(float(size), abs=1e-18)
        assert level[1] >= 0.0
        assert math.isfinite(level[0])


@pytest.mark.parametrize(
    "bad", ["NaN", "inf", "-1", "1e400", "1_0", "１２", "0x10", "", "true", " 1", "1,5"]
)
def test_what_no_level_can_be_is_refused(bad):
    with pytest.raises(msgspec.DecodeError):
        READ.decode(json.dumps([[bad, "1"]]))
    with pytest.raises(msgspec.DecodeError):
        READ.decode(json.dumps([["1", bad]]))
    with pytest.raises(BadValue):
        positive(bad, "price")
    with pytest.raises(BadValue):
        nonnegative(bad, "size")


def test_contracts_become_coin_at_their_own_price():
    assert in_coin(((100.0, 5.0), (200.0, 0.0)), 10.0) == ((100.0, 0.5), (200.0, 0.0))
