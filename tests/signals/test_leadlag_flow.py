"""Hayashi–Yoshida and order-flow imbalance against plain double loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.signals.flow import order_flow_imbalance
from airpocket.signals.leadlag import hayashi_yoshida


def path(rng, points):
    times = np.cumsum(rng.integers(1, 4, points)).astype(float)
    return times, rng.normal(size=points)


@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(2, 30))
def test_the_covariance_is_the_sum_over_overlapping_intervals(seed, n, m):
    rng = np.random.default_rng(seed)
    (s, x), (t, y) = path(rng, n), path(rng, m)
    plain = sum(
        (x[i + 1] - x[i]) * (y[j + 1] - y[j])
        for i in range(n - 1)
        for j in range(m - 1)
        if max(s[i], t[j]) < min(s[i + 1], t[j + 1])
    )
    found = hayashi_yoshida(s, x, t, y)
    assert found.covariance == pytest.approx(plain, abs=1e-9)
    turned = hayashi_yoshida(t, y, s, x)
    assert turned.covariance == pytest.approx(found.covariance, abs=1e-9)


def test_a_path_moves_with_itself_and_a_still_one_with_nothing():
    times, values = path(np.random.default_rng(0), 50)
    assert hayashi_yoshida(times, values, times, values).correlation == pytest.approx(1.0)
    still = hayashi_yoshida(times, values, times, np.zeros(50))
    assert still.covariance == 0.0
    assert math.isnan(still.correlation)


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_imbalance_follows_the_four_rules(seed, n):
    rng = np.random.default_rng(seed)
    bid = 100.0 + rng.integers(-1, 2, n).cumsum()
    ask = bid + rng.integers(1, 3, n)
    bid_size, ask_size = rng.integers(0, 9, n).astype(float), rng.integers(0, 9, n).astype(float)
    found = order_flow_imbalance(bid, bid_size, ask, ask_size)
    for k in range(1, n):
        plain = 0.0
        plain += bid_size[k] if bid[k] >= bid[k - 1] else 0.0
        plain -= bid_size[k - 1] if bid[k] <= bid[k - 1] else 0.0
        plain -= ask_size[k] if ask[k] <= ask[k - 1] else 0.0
        plain += ask_size[k - 1] if ask[k] >= ask[k - 1] else 0.0
        assert found[k - 1] == plain


def test_a_crossed_quote_and_a_clock_that_stands_are_refused():
    two = np.array([1.0, 2.0])
    with pytest.raises(ValueError, match="below its ask"):
        order_flow_imbalance(two, two, two, two)
    with pytest.raises(ValueError, match="must rise"):
        hayashi_yoshida(np.array([1.0, 1.0]), two, two, two)
