"""The static scan: known answers, brute force round by round, and ties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.cascade.static import jumps, static_scan


def rounds(absorb, forced, push):
    """The definition: the flow reaches a level, sets off what is forced there, and goes on."""
    flow, level = push, 0
    while True:
        reached = int(np.searchsorted(absorb, flow))
        if reached >= len(absorb):
            return len(absorb) - 1, False
        if reached == level and flow == push + forced[reached]:
            return reached, True
        level, grown = reached, push + forced[reached]
        if grown == flow:
            return reached, True
        flow = grown


def random_ladder(rng, levels=401):
    absorb = np.cumsum(rng.gamma(1.0, 1.0, levels))
    forced = np.cumsum(rng.gamma(0.3, 3.0, levels) * rng.uniform(0.0, 2.0))
    return absorb, forced, rng.uniform(0.0, 20.0)


def test_ten_thousand_random_ladders_stop_where_rounds_of_forced_flow_stop():
    rng = np.random.default_rng(0)
    for _ in range(10_000):
        absorb, forced, push = random_ladder(rng)
        found = static_scan(absorb, forced, np.array([push]))
        assert (found.stop_index[0], found.stopped[0]) == rounds(absorb, forced, push)


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_whole_numbers_with_ties_follow_the_definition_level_by_level(seed, levels):
    rng = np.random.default_rng(seed)
    absorb = np.cumsum(rng.integers(0, 4, levels)).astype(float) / 10
    forced = np.cumsum(rng.integers(0, 4, levels)).astype(float) / 10
    pushes = rng.integers(0, 30, 40) / 10
    found = static_scan(absorb, forced, pushes)
    for push, stop, stopped in zip(pushes, found.stop_index, found.stopped, strict=True):
        holds = [i for i in range(levels) if push + forced[i] <= absorb[i]]
        assert (stop, stopped) == ((holds[0], True) if holds else (levels - 1, False))


def test_equality_stops():
    found = static_scan(np.array([0.0, 10.0]), np.array([0.0, 2.0]), np.array([8.0, 8.000001]))
    assert found.stop_index.tolist() == [1, 1]
    assert found.stopped.tolist() == [True, False]


@given(st.integers(0, 2**32 - 1))
def test_passing_a_farther_level_never_costs_less_and_more_fuel_never_costs_more(seed):
    absorb, forced, _ = random_ladder(np.random.default_rng(seed), 80)
    nothing = np.zeros(1)
    cost = static_scan(absorb, forced, nothing).ignition_cost
    assert (np.diff(cost) >= 0).all()
    assert (static_scan(absorb, 1.5 * forced, nothing).ignition_cost <= cost).all()


def test_without_fuel_a_push_stops_where_the_book_holds_as_much():
    absorb = np.arange(101.0)
    found = static_scan(absorb, np.zeros(101), np.array([0.0, 7.0, 7.5, 100.0, 101.0]))
    assert found.stop_index.tolist() == [0, 7, 8, 100, 100]
    assert found.stopped.tolist() == [True] * 4 + [False]


@given(st.integers(0, 2**32 - 1))
def test_jumps_are_where_a_growing_push_skips_levels(seed):
    absorb, forced, _ = random_ladder(np.random.default_rng(seed), 60)
    net = absorb - forced
    for jump in jumps(net):
        if jump.push < 0:
            continue
        pushes = np.array([max(jump.push - 1e-9, 0.0), jump.push + 1e-9])
        found = static_scan(absorb, forced, pushes)
        assert found.stop_index[0] == jump.start
        if jump.stop is None:
            assert not found.stopped[1]
        else:
            assert found.stop_index[1] == jump.stop > jump.start + 1


@pytest.mark.parametrize(
    ("absorb", "forced", "push"),
    [([], [], [1]), ([0, 1], [0], [1]), ([0, 2, 1], [0, 0, 0], [1]), ([0, 1], [1, 0], [1]),
     ([0, 1], [0, 0], [-1]), ([0, np.nan], [0, 0], [1]), ([0, 1], [0, 0], [np.inf])],
)  # fmt: skip
def test_what_is_no_cumulative_ladder_is_refused(absorb, forced, push):
    with pytest.raises(ValueError, match=r".+"):
        static_scan(*(np.array(row, dtype=float) for row in (absorb, forced, push)))
