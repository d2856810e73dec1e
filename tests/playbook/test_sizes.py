"""Sizes people type add up, whatever the position."""

import math

from hypothesis import given
from hypothesis import strategies as st

from airpocket.playbook.sizes import grid_of, rest_of, rounded_down, rounded_up, split

SIZES = st.floats(1e-6, 1e9)


@given(SIZES)
def test_thirds_add_up_to_the_position(whole) -> None:
    parts = split(whole, (1 / 3, 1 / 3, 1 / 3))
    assert math.isclose(math.fsum(parts), whole, rel_tol=1e-9)
    assert all(abs(part - whole / 3) <= 3 * grid_of(whole) for part in parts)


@given(SIZES, st.floats(0.0, 1.0))
def test_rounding_goes_the_way_it_says_and_stays_inside(whole, share) -> None:
    down, up = rounded_down(share * whole, whole), rounded_up(share * whole, whole)
    slack = 1e-6 * grid_of(whole)
    assert 0.0 <= down <= share * whole + slack
    assert share * whole - slack <= up <= whole
    assert math.isclose(rest_of(whole, down) + down, whole, rel_tol=1e-9)


def test_a_rest_has_no_binary_dust() -> None:
    assert rest_of(500.0, 465.6) == 34.4


def test_the_whole_stays_whole_whatever_its_digits() -> None:
    whole = 300_000 / 3_450
    assert rounded_down(whole, whole) == whole
    assert rest_of(whole, rounded_down(whole, whole)) == 0.0
