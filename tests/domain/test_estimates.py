"""A figure is a number with everything needed to trust it, or unknown with a reason."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.domain.estimates import Estimate, known, unknown


def test_a_value_and_a_reason_exclude_each_other():
    with pytest.raises(ValueError, match="never both or neither"):
        Estimate(unit="USD")
    with pytest.raises(ValueError, match="never both or neither"):
        Estimate(unit="USD", value=1.0, unknown="why")


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_what_is_no_number_becomes_unknown_never_zero(value):
    estimate = known(value, "USD", as_of=1, now=2, source="x")
    assert estimate.known == math.isfinite(value)
    assert estimate.value != 0 or value == 0


def test_a_value_from_the_future_is_refused():
    with pytest.raises(ValueError, match="look-ahead"):
        known(1.0, "USD", as_of=2, now=1, source="x")


def test_an_unknown_figure_neither_meets_nor_misses_a_threshold():
    assert unknown("USD", "gone").above(0) is None
    assert unknown("USD", "gone").below(0) is None


def test_intervals_have_two_ends_in_order():
    with pytest.raises(ValueError, match="upside down"):
        known(1.0, "USD", as_of=1, now=1, source="x", interval=(2.0, 0.0))
    with pytest.raises(ValueError, match="both ends"):
        Estimate(unit="USD", value=1.0, low=0.5)
