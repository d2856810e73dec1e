"""The batched scan equals the exact one, and the plain Python twin, for every scenario."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.cascade import fuel
from airpocket.cascade.fuel import Ladder, Scenarios, ignition_at, screen
from airpocket.cascade.static import static_scan


def made(seed, levels, scenarios, draws=3):
    rng = np.random.default_rng(seed)
    forced = np.cumsum(rng.gamma(0.3, 3.0, (draws, levels)) * rng.uniform(0, 2, (draws, 1)), axis=1)
    ladder = Ladder(
        np.linspace(0.0, 0.1, levels),
        np.cumsum(rng.gamma(1.0, 1.0, levels)),
        np.cumsum(rng.gamma(0.5, 1.0, levels)),
        forced,
    )
    return ladder, Scenarios(
        rng.uniform(0, 20, scenarios), rng.uniform(0, 2, scenarios), rng.uniform(0, 2, scenarios),
        rng.uniform(0, 1.5, scenarios), rng.integers(0, draws, scenarios),
    )  # fmt: skip


def absorbed_by(ladder, scenarios, n):
    return scenarios.depth[n] * ladder.visible + scenarios.refill[n] * ladder.latent


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 31, 32, 33, 64, 200]))
def test_every_scenario_stops_where_the_exact_scan_stops(seed, levels):
    ladder, scenarios = made(seed, levels, 40)
    found = screen(ladder, scenarios)
    for n in range(40):
        forced = scenarios.fuel[n] * ladder.forced[scenarios.draw[n]]
        exact = static_scan(absorbed_by(ladder, scenarios, n), forced, scenarios.push[n : n + 1])
        assert found.stop[n] == exact.stop_index[0]
        assert found.stopped[n] == exact.stopped[0]


@pytest.mark.fault("L10")
@given(st.integers(0, 2**32 - 1))
def test_what_is_absorbed_is_the_push_and_what_it_set_off(seed):
    ladder, scenarios = made(seed, 100, 40)
    found = screen(ladder, scenarios)
    for n in np.flatnonzero(found.stopped & (found.stop > 0)):
        at = found.reached[n]
        assert ladder.distance[found.stop[n] - 1] <= at <= ladder.distance[found.stop[n]]
        holds = np.interp(at, ladder.distance, absorbed_by(ladder, scenarios, n))
        forced = np.interp(at, ladder.distance, ladder.forced[scenarios.draw[n]])
        assert found.absorbed[n] == pytest.approx(holds, rel=1e-9)
        assert found.absorbed[n] == pytest.approx(scenarios.push[n] + scenarios.fuel[n] * forced)


@given(st.integers(0, 2**32 - 1))
def test_the_compiled_kernels_equal_their_python_twins_bit_by_bit(seed):
    ladder, scenarios = made(seed, 70, 12)
    found = screen(ladder, scenarios)
    out = np.empty(12, np.int64), np.empty(12), np.empty(12)
    rows = np.stack([scenarios.push, scenarios.depth, scenarios.refill, scenarios.fuel])
    levels = np.stack([ladder.distance, ladder.visible, ladder.latent])
    fuel._screen.py_func(levels, ladder.forced, rows, scenarios.draw, out)
    assert np.array_equal(np.minimum(out[0], 69), found.stop)
    assert np.array_equal(out[1], found.reached)
    assert np.array_equal(out[2], found.absorbed)


@given(st.integers(0, 2**32 - 1))
def test_the_cost_at_chosen_levels_is_the_running_maximum_there(seed):
    ladder, scenarios = made(seed, 90, 20)
    rows = np.array([0, 1, 40, 40, 89])
    found = ignition_at(ladder, scenarios, rows)
    for n in range(20):
        net = (
            absorbed_by(ladder, scenarios, n) - scenarios.fuel[n] * ladder.forced[scenarios.draw[n]]
        )
        np.testing.assert_allclose(found[n], np.maximum.accumulate(net)[rows], rtol=1e-12)


def test_a_push_that_nothing_stops_takes_the_whole_ladder():
    ladder = Ladder(np.array([0.0, 0.1]), np.array([0.0, 5.0]), np.zeros(2), np.zeros((1, 2)))
    one = np.ones(1)
    found = screen(ladder, Scenarios(9 * one, one, one, one, np.zeros(1, np.int64)))
    assert (found.stop[0], found.stopped[0], found.reached[0], found.absorbed[0]) == (
        1, False, 0.1, 5.0)  # fmt: skip


def test_what_the_shortcut_could_get_wrong_is_refused():
    up, falls = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    with pytest.raises(ValueError, match="visible"):
        Ladder(up, falls, up, up[None])
    with pytest.raises(ValueError, match="forced has 3 levels"):
        Ladder(up, up, up, np.zeros((1, 3)))
    one, first = np.ones(1), np.zeros(1, np.int64)
    with pytest.raises(ValueError, match="fuel"):
        Scenarios(one, one, one, -one, first)
    ladder = Ladder(up, up, up, up[None])
    with pytest.raises(ValueError, match="draw 1 of 1"):
        screen(ladder, Scenarios(one, one, one, one, first + 1))
    with pytest.raises(ValueError, match="levels"):
        ignition_at(ladder, Scenarios(one, one, one, one, first), np.array([2]))
