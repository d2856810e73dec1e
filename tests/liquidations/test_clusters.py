"""Clusters: peaks that stand out are found with their reach, ripples are not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpocket.liquidations.clusters import clusters_of, peaks, smoothed
from airpocket.liquidations.records import Ladder
from airpocket.liquidations.settings import MapSettings


def bump(x, at, width, height):
    return height * np.exp(-0.5 * ((x - at) / width) ** 2)


def test_two_hills_are_two_peaks_and_ripples_are_none():
    x = np.arange(400.0)
    hills = bump(x, 100, 10, 50.0) + bump(x, 250, 20, 80.0)
    found = peaks(hills + np.sin(x), 8.0)
    assert [round(peak.at, -1) for peak in found] == [100, 250]
    assert found[0].first < 95
    assert 105 < found[0].last < 175 < found[1].first
    assert found[1].height == pytest.approx(80.0, abs=3.0)


def test_nothing_and_a_plain_slope_hold_no_inner_peak():
    assert peaks(np.zeros(50), 0.0) == []
    assert [peak.at for peak in peaks(np.arange(50.0), 5.0)] == [49]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.integers(1, 9))
def test_smoothing_keeps_what_lies_inside(values, window):
    array = np.array([0.0] * 9 + values + [0.0] * 9)
    assert smoothed(array, window).sum() == pytest.approx(array.sum(), abs=1e-6)


@given(st.integers(0, 500))
def test_peaks_lie_in_their_own_reach_and_stand_out(seed):
    rng = np.random.default_rng(seed)
    values = smoothed(rng.gamma(0.3, 10.0, 300), 5)
    for peak in peaks(values, 2.0):
        assert peak.first <= peak.at <= peak.last
        assert values[peak.at] == values[peak.first : peak.last + 1].max() or peak.height >= 2.0
        assert peak.height >= 2.0


def test_a_cluster_says_where_how_much_and_how_sure():
    s = MapSettings()
    edge = 3000.0 * np.exp(s.width * np.arange(-400, 401))
    middle = np.sqrt(edge[1:] * edge[:-1])
    above = bump(np.arange(800.0), 450, 5, 1e6) * (middle > 3000)
    draws = np.stack([0.5 * above, above, 2.0 * above])
    none = Ladder(np.zeros(800), np.zeros((3, 800)))
    (cluster,) = clusters_of(edge, Ladder(above, draws), none, 3000.0, s)
    assert cluster.side == "short"
    assert cluster.distance_percent == pytest.approx(100 * (np.exp(0.0505) - 1), abs=0.1)
    assert cluster.low < cluster.peak < cluster.high
    assert cluster.share > 0.7
    assert cluster.amount.low == pytest.approx(0.6 * cluster.amount.usd)
    assert cluster.amount.high == pytest.approx(1.8 * cluster.amount.usd)
