"""Stops from open interest: a known share is found again, and nothing is claimed where nothing was seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.liquidations.stops import MOMENTS, fall_seen, share_of_stops

ALL, SLOPES = np.array([0.05, 0.95]), np.array([0.6, 0.8])


def seen(share, *, hours=600, noise=0.004, slope=0.7, seed=0):
    """Moments of hours in which price ran through what a share of stops adds."""
    rng = np.random.default_rng(seed)
    moments = np.zeros(MOMENTS)
    for _ in range(hours):
        unstopped, added = rng.gamma(0.3, 0.01), rng.gamma(0.3, 0.03)
        fall = slope * (unstopped + share * added) + noise * rng.standard_normal() - 0.002
        fall_seen(moments, fall, unstopped, added, 1.0)
    return moments


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_known_share_is_found_again(share):
    low, middle, high = (
        share_of_stops(seen(share), ALL, SLOPES, q, 1.0) for q in (0.05, 0.5, 0.95)
    )
    assert low <= middle <= high
    assert low - 0.06 <= share <= high + 0.06
    assert high - low < 0.5


@given(st.floats(0.0, 1.0))
def test_without_hours_the_prior_stands(quantile):
    assert share_of_stops(np.zeros(MOMENTS), ALL, SLOPES, quantile, 1.0) == pytest.approx(
        0.05 + 0.9 * quantile
    )


def test_noise_widens_the_belief_and_a_known_share_stays():
    spans = []
    for noise in (0.002, 0.05):
        moments = seen(0.5, noise=noise)
        spans.append(np.ptp([share_of_stops(moments, ALL, SLOPES, q, 1.0) for q in (0.1, 0.9)]))
    assert spans[1] > 1.5 * spans[0]
    assert share_of_stops(seen(0.5), np.full(2, 0.3), SLOPES, 0.7, 1.0) == 0.3


def test_a_change_of_unit_is_no_fall():
    moments = seen(0.5)
    before = moments.copy()
    fall_seen(moments, 0.9, 0.01, 0.01, 0.9)
    fall_seen(moments, float("nan"), 0.01, 0.01, 0.9)
    assert np.array_equal(moments, before)
