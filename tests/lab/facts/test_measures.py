"""Measures of stylised facts on series whose answer is known from their law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.lab.facts import measures

COUNT = 200_000


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(11)


def test_a_normal_series_has_no_excess_kurtosis_and_a_two_sided_exponential_one_has_three(rng):
    assert measures.excess_kurtosis(rng.standard_normal(COUNT)) == pytest.approx(0.0, abs=0.05)
    assert measures.excess_kurtosis(rng.laplace(size=COUNT)) == pytest.approx(3.0, abs=0.3)


@pytest.mark.parametrize("index", [1.5, 3.0, 5.0])
def test_the_tail_index_of_pareto_sizes_is_their_exponent(rng, index):
    signs = rng.choice([-1.0, 1.0], COUNT)
    found = measures.tail_index(signs * (1.0 + rng.pareto(index, COUNT)))

    assert found == pytest.approx(index, rel=0.05)


def test_an_autoregressive_series_remembers_by_the_power_of_the_lag(rng):
    values, shocks = np.zeros(COUNT), rng.standard_normal(COUNT)
    for k in range(1, COUNT):
        values[k] = 0.8 * values[k - 1] + shocks[k]

    for lag in (1, 5, 10):
        assert measures.autocorrelation(values, lag) == pytest.approx(0.8**lag, abs=0.02)


@pytest.mark.parametrize("exponent", [0.5, 0.6, 1.0])
def test_the_impact_exponent_of_a_power_law_is_found_through_noise(rng, exponent):
    size = 1.0 + rng.pareto(1.5, COUNT)
    sign = rng.choice([-1.0, 1.0], COUNT)
    noise = 0.5 * rng.standard_normal(COUNT)
    move = 1e-4 * (sign * size**exponent + noise)

    assert measures.impact_exponent(sign * size, move) == pytest.approx(exponent, abs=0.03)


def test_seconds_without_trades_say_nothing_of_impact(rng):
    flow = rng.choice([-1.0, 1.0], 2_000) * (1.0 + rng.pareto(1.5, 2_000))
    move = np.sign(flow) * np.abs(flow) ** 0.5
    idle = np.zeros(500)

    found = measures.impact_exponent(
        np.concatenate([flow, idle]), np.concatenate([move, idle + 9.0])
    )

    assert found == measures.impact_exponent(flow, move)


def test_the_largest_rise_goes_from_a_low_to_a_later_high():
    # 100 → 90 is the deepest, but 50 → 80 rises most; the final fall counts nothing
    rise = measures.largest_rise(np.array([100.0, 120.0, 50.0, 60.0, 80.0, 45.0, 50.0]))

    assert rise == measures.Rise(2, 4, pytest.approx(0.6))
    assert measures.largest_rise(np.array([3.0, 2.0, 1.0])) is None


@given(st.lists(st.floats(1.0, 1e4), min_size=2, max_size=60))
def test_no_pair_of_prices_rises_more_than_the_largest_rise(prices):
    rise = measures.largest_rise(np.array(prices))
    most = max(later / one for k, one in enumerate(prices) for later in prices[k:]) - 1.0

    assert (0.0 if rise is None else rise.move) == pytest.approx(most)


def test_a_constant_step_is_its_own_volatility():
    steps = 0.001 * np.where(np.arange(1_440) % 2, 1.0, -1.0)

    assert measures.volatility_percent_per_day(steps, 1_440) == pytest.approx(0.1 * 1_440**0.5)


def test_what_is_too_short_or_never_moved_has_no_measure():
    few, still = np.ones(20), np.zeros(500)

    for measure in (measures.excess_kurtosis, measures.tail_index):
        assert measure(few) is None
        assert measure(still) is None
    assert measures.autocorrelation(np.arange(500.0), 60) is None
    assert measures.autocorrelation(still, 1) is None
    assert measures.volatility_percent_per_day(few, 1_440) is None
    assert measures.impact_exponent(few, few) is None
