"""Closed forms against an independent integration, limits, and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.cascade import dynamics


def integrated_peak(reproduction, kappa_tau, *, step=2e-3, until=400.0):
    """First peak of displacement z and pending flow u by fourth-order Runge–Kutta; None while it rises.

    In units of the latency: z' = −κτ z + u, u' = R max(z', 0) − u. The two-variable form of the model,
    not the damped oscillator that the closed form solves.
    """

    def slope(z, u):
        rise = -kappa_tau * z + u
        return rise, reproduction * rise - u

    z, u, time = 1.0, float(reproduction), 0.0
    while time < until:
        if -kappa_tau * z + u <= 0.0:
            return z, time
        a, b = slope(z, u)
        c, d = slope(z + step / 2 * a, u + step / 2 * b)
        e, f = slope(z + step / 2 * c, u + step / 2 * d)
        g, h = slope(z + step * e, u + step * f)
        z, u = z + step / 6 * (a + 2 * c + 2 * e + g), u + step / 6 * (b + 2 * d + 2 * f + h)
        time += step
        if z > 1e9:
            break
    return None


@pytest.mark.parametrize(
    ("reproduction", "kappa_tau"),
    [(0.5, 0.1), (0.8, 0.1), (0.9, 0.5), (1.0, 0.25), (1.2, 0.25), (1.5, 1.0), (3.0, 2.0),
     (0.3, 0.01), (0.25, 0.25), (0.1, 0.3), (0.36, 0.16), (1.5, 0.25), (1.3, 0.1)],
)  # fmt: skip
def test_the_peak_is_that_of_the_integrated_equations(reproduction, kappa_tau):
    found = dynamics.overshoot_peak(reproduction, kappa_tau)
    peak, time = integrated_peak(reproduction, kappa_tau)
    assert found.peak == pytest.approx(peak, rel=1e-6)
    assert found.time_to_peak == pytest.approx(time, abs=5e-3)
    assert found.growth == (reproduction > 1 + kappa_tau)


@given(st.floats(0.001, 3.0))
def test_runaway_begins_exactly_at_the_threshold(kappa_tau):
    edge = dynamics.runaway_threshold(kappa_tau)
    assert dynamics.overshoot_peak(edge * (1 + 1e-9), kappa_tau).runaway
    below = dynamics.overshoot_peak(edge * (1 - 1e-3), kappa_tau)
    assert not below.runaway
    assert below.peak is not None
    assert below.peak >= 1.0


@pytest.mark.parametrize("kappa_tau", [0.01, 0.25, 1.0, 2.5])
def test_past_the_threshold_the_integrated_equations_never_turn(kappa_tau):
    edge = dynamics.runaway_threshold(kappa_tau)
    assert integrated_peak(1.02 * edge, kappa_tau, step=1e-2) is None
    assert integrated_peak(0.98 * edge, kappa_tau, step=1e-2) is not None


@given(st.floats(0.02, 3.0), st.floats(0.02, 3.0))
def test_a_peak_is_continuous_where_the_kind_of_solution_changes(kappa_tau, share):
    critical = (1 - math.sqrt(kappa_tau)) ** 2
    for edge in (critical, 1 + kappa_tau, kappa_tau, share):
        near = [dynamics.overshoot_peak(max(edge + shift, 0), kappa_tau) for shift in (-1e-7, 1e-7)]
        peaks = [found.peak for found in near]
        if None not in peaks and max(peaks) < 1e3:
            assert peaks[0] == pytest.approx(peaks[1], rel=1e-4)


@given(st.floats(0.01, 0.95))
def test_without_resilience_the_peak_is_the_static_amplification(reproduction):
    static = dynamics.amplification(reproduction)
    assert dynamics.overshoot_peak(reproduction, 0.0).peak == pytest.approx(static)
    assert dynamics.overshoot_peak(reproduction, 1e-9).peak == pytest.approx(static, rel=1e-4)


def test_branching_probabilities_add_up_and_equal_a_simulation():
    sizes = list(range(1, 2000))
    chance = np.array(dynamics.borel(0.8, sizes))
    assert chance.sum() == pytest.approx(1.0, abs=1e-9)
    assert chance @ np.array(sizes) == pytest.approx(5.0, rel=1e-6)
    rng = np.random.default_rng(3)
    died = 0
    for _ in range(20_000):
        alive = 1
        while 0 < alive < 200:
            alive = rng.poisson(1.5 * alive)
        died += alive == 0
    assert 1 - died / 20_000 == pytest.approx(dynamics.survival_probability(1.5), abs=0.012)
    assert dynamics.survival_probability(1.0) == 0.0
    assert dynamics.survival_probability(1.0001) == pytest.approx(0.0002, rel=1e-2)
    assert dynamics.borel(0.0, [1, 2]) == [1.0, 0.0]


@given(st.floats(0.0, 0.1), st.floats(0.0, 0.2))
def test_the_square_root_stop_solves_its_own_equation(constant, initial):
    stop = dynamics.sqrt_limit_stop(constant, initial)
    assert stop == pytest.approx(initial + constant * math.sqrt(stop), abs=1e-12)


def test_the_law_and_its_inverse_agree():
    move = dynamics.sqrt_impact(0.8, 0.035, 25e9, 6e9)
    [back] = dynamics.sqrt_absorbed(np.array([move]), 0.8, 0.035, 25e9)
    assert back == pytest.approx(6e9)


def test_two_venues_that_only_feed_each_other_sustain_by_their_geometric_mean():
    found = dynamics.next_generation_matrix(
        np.array([2.0, 8.0]), np.array([0.5, 0.5]), np.array([[0.0, 1.0], [1.0, 0.0]])
    )
    assert found.spectral_radius == pytest.approx(2.0)
    assert found.self_sustaining
    one = dynamics.next_generation_matrix(np.array([2.0]), np.array([0.5]), np.array([[1.0]]))
    assert not one.self_sustaining  # exactly one is the edge, not beyond it


def test_numbers_without_an_answer_are_refused():
    refused = [
        lambda: dynamics.amplification(1.0),
        lambda: dynamics.amplification(-0.1),
        lambda: dynamics.overshoot_peak(math.nan, 0.1),
        lambda: dynamics.runaway_threshold(-1),
        lambda: dynamics.r_slow(0.1, 0.0),
        lambda: dynamics.sqrt_impact(0.8, 0.03, 0.0, 1.0),
        lambda: dynamics.sqrt_limit_stop(0.1, -0.1),
        lambda: dynamics.borel(1.2, [1]),
        lambda: dynamics.borel(0.5, [0]),
        lambda: dynamics.survival_probability(math.inf),
        lambda: dynamics.next_generation_matrix(np.ones(2), np.ones(2), np.ones((2, 3))),
        lambda: dynamics.sqrt_absorbed(np.ones(1), 0.8, 0.0, 1e9),
    ]
    for ask in refused:
        with pytest.raises(ValueError, match=r".+"):
            ask()
