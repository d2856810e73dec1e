"""Scores: known answers, and intervals that hold what they should."""

import numpy as np
import pytest

from airpocket.evaluation.scores import (
    BANDS,
    Points,
    blocks_of,
    error_of,
    ratio_interval,
    scored,
    shape_distance,
)


def points(truth, said, low=None, high=None, worlds=2):
    shape = (len(truth), len(BANDS))
    filled = lambda values: np.repeat(np.asarray(values, float)[:, None], len(BANDS), axis=1)  # noqa: E731
    nothing = np.full(shape, np.nan)
    return Points(
        np.arange(len(truth)) * worlds // len(truth), filled(truth), filled(said),
        nothing if low is None else filled(low), nothing if high is None else filled(high),
        np.zeros((len(truth), 2)),
    )  # fmt: skip


def test_error_bias_order_and_coverage_of_a_map_by_hand():
    made = points(
        [10, 20, 30, 40], [20, 20, 20, 60], low=[0, 10, 40, 0], high=[15, 25, 50, 100], worlds=1
    )
    one = scored(made)[0]
    assert one.error == pytest.approx(40 / 100)
    assert one.bias == pytest.approx(1.2)
    assert one.coverage == pytest.approx(0.75)
    assert one.rank == pytest.approx(1.0)
    assert scored(points([1, 2, 3, 4], [4, 3, 2, 1], worlds=1))[0].rank == pytest.approx(-1.0)


def test_a_map_without_intervals_has_no_coverage_and_an_empty_one_an_error_of_one():
    assert scored(points([1, 2, 3, 4], [0, 0, 0, 0]))[0].coverage is None
    assert error_of(np.array([3.0, 5.0]), np.zeros(2)) == 1.0


def test_shapes_apart_by_one_per_cent_are_one_apart_whatever_their_size():
    at = np.array([1.0, 2.0, 5.0])
    usd = np.array([3.0, 1.0, 1.0])
    assert shape_distance(at, usd, at + 1.0, 7.0 * usd) == pytest.approx(1.0)
    assert shape_distance(at, usd, at[::-1], usd[::-1]) == pytest.approx(0.0)
    assert np.isnan(shape_distance(at, 0.0 * usd, at, usd))


def test_the_paired_interval_holds_a_true_ratio_and_is_narrow_where_errors_move_together():
    rng = np.random.default_rng(4)
    truth = rng.gamma(5.0, 1.0, 240)
    off = rng.standard_normal(240)
    ours, theirs = points(truth, truth + 0.5 * off, worlds=8), points(truth, truth + off, worlds=8)
    value, low, high = ratio_interval(ours, theirs, 3.0, 1)
    assert value == pytest.approx(0.5)
    assert high - low < 1e-9
    noisy = points(truth, truth + 0.5 * rng.standard_normal(240), worlds=8)
    value, low, high = ratio_interval(noisy, theirs, 3.0, 1)
    assert low < 0.5 < high


def test_blocks_keep_to_their_world():
    world = np.array([0] * 8 + [1] * 3)
    found = blocks_of(world)
    assert [len(block) for block in found] == [6, 2, 3]
    assert all(len(set(world[block])) == 1 for block in found)
