"""Depth: half-times, pull-back and hours of the week, on series whose answers are known."""

from dataclasses import replace

import numpy as np
import pytest
from cascade.calibrate.series import NOW
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.cascade.calibrate.depth import (
    Depths,
    displacement,
    joined_bands,
    pull_back_of,
    refill_of,
)
from airpocket.cascade.calibrate.hours import PRIOR_SD, hours_of, stated_shape
from airpocket.cascade.calibrate.settings import CalibrationSettings
from airpocket.domain.units import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

FAST = replace(CalibrationSettings(), draws=200)
MONDAY = 4 * DAY_NS + 2_800 * 7 * DAY_NS


def eaten(half, shocks, *, every=400, traded=True, share=0.4, seed=0):
    """Half-second looks at a side of 1 million dollars of which a share is eaten now and then; it comes back."""
    rng = np.random.default_rng(seed)
    n = every * (shocks + 1)
    depth, taken, gone = np.empty(n), np.zeros(n), 0.0
    for k in range(n):
        gone *= 0.5 ** (0.5 / half)
        if k % every == 0 and k:
            gone += share
            taken[k] = share * 1e6 if traded else 0.0
        depth[k] = 1e6 * (1.0 - gone) * np.exp(0.01 * rng.normal())
    at = np.arange(n, dtype=np.int64) * SECOND_NS // 2
    return at, depth, taken


@pytest.mark.parametrize("half", [1.0, 5.0, 12.0])
def test_the_half_time_of_depth_is_found(half):
    found = refill_of(*eaten(half, 20), NOW, "made", FAST)
    assert found.events == 20
    assert found.value == pytest.approx(half, abs=0.6)


def test_depth_that_goes_without_trades_was_pulled_and_is_no_shock():
    assert refill_of(*eaten(5.0, 20, traded=False), NOW, "made", FAST).events == 0


def test_few_shocks_and_shocks_that_never_mend_are_unknown():
    few = refill_of(*eaten(5.0, 5), NOW, "made", FAST)
    assert few.value is None
    assert "8 are needed" in few.estimate.unknown
    lame = refill_of(*eaten(1e4, 3), NOW, "made", replace(FAST, least_shocks=1))
    assert lame.value is None
    assert "not mended" in lame.estimate.unknown


def ran(days, eta, *, seed=0, noise=0.1, levels=0.3):
    """Minutes of a random walk, and a depth that shrinks by e^(−η|d|/σ); its level changes from day to day."""
    rng = np.random.default_rng(seed)
    n = 1_440 * days
    end = MONDAY + MINUTE_NS * np.arange(1, n + 1, dtype=np.int64)
    price = np.cumsum(1e-3 * rng.standard_t(4, n))
    away, size = displacement(end, price, FAST)
    level = np.repeat(levels * rng.normal(size=days), 1_440)
    log_depth = level - eta * np.abs(np.nan_to_num(away)) + noise * rng.normal(size=n)
    return end, price, Depths(end, 5e6 * np.exp(log_depth)), size


@pytest.mark.parametrize("eta", [0.0, 0.1, 0.5])
def test_eta_is_found_whatever_the_level_of_the_day(eta):
    inside = 0
    for seed in range(6):
        end, price, depths, size = ran(6, eta, seed=seed)
        found = pull_back_of(depths, end, price, NOW, "made", FAST)
        assert found.eta.value == pytest.approx(eta, abs=0.02)
        inside += found.eta.estimate.low <= eta <= found.eta.estimate.high
        ratio = found.per_log.estimate.high / found.eta.estimate.high
        assert ratio == pytest.approx(1.0 / np.nanmedian(size), rel=1e-6)
    assert inside >= 2  # 5 of 6 expected; fewer than 2 in 2 of 1,000 such tests


def test_displacement_never_looks_ahead_and_begins_anew_after_a_hole():
    end, price, _, _ = ran(2, 0.0)
    whole, _ = displacement(end, price, FAST)
    cut, _ = displacement(end[:700], price[:700], FAST)
    assert np.array_equal(whole[:700], cut, equal_nan=True)
    late = end + np.where(np.arange(len(end)) >= 500, 3 * HOUR_NS, 0)
    holed, _ = displacement(late, price, FAST)
    assert np.isnan(holed[500:600]).all()
    assert np.array_equal(holed[:500], whole[:500], equal_nan=True)


def test_a_few_days_give_no_eta():
    end, price, depths, _ = ran(3, 0.5)
    assert "needed" in pull_back_of(depths, end, price, NOW, "made", FAST).eta.estimate.unknown
    empty = Depths(np.empty(0, np.int64), np.empty(0))
    assert pull_back_of(empty, end, price, NOW, "made", FAST).eta.value is None


def weeks(count, shape, *, noise=0.15, seed=0):
    rng = np.random.default_rng(seed)
    at = MONDAY + HOUR_NS * np.arange(168 * count, dtype=np.int64)
    level = np.repeat(rng.normal(size=count), 168)
    return Depths(
        at, 1e6 * np.exp(level + np.tile(shape, count) + noise * rng.normal(size=len(at)))
    )


def test_hours_are_found_and_their_ranges_hold_them():
    shape = stated_shape() * 0.5
    shape[5 * 24 :] -= 0.3  # a weekend that the stated shape knows nothing of
    shape -= shape.mean()
    found = hours_of(weeks(8, shape), NOW, "made", FAST)
    assert found.weeks == 8
    assert np.abs(np.log(found.multiple) - shape).max() < 0.2
    inside = (np.log(found.low) <= shape) & (shape <= np.log(found.high))
    assert 0.65 < inside.mean() < 0.95
    assert (found.high / found.low < np.exp(2 * 1.2816 * PRIOR_SD)).all()


def test_without_weeks_the_stated_shape_stands_with_its_source():
    none = hours_of(Depths(np.empty(0, np.int64), np.empty(0)), NOW, "made", FAST)
    two = hours_of(weeks(2, stated_shape() * 0.0), NOW, "made", FAST)
    for found in (none, two):
        assert found.weeks == 0
        assert found.as_of is None
        assert np.allclose(np.log(found.multiple), stated_shape())
        assert "Amberdata" in found.source
        assert "3 are needed" in found.source


def test_the_stated_shape_peaks_at_eleven_and_is_lowest_at_twenty_one():
    shape = stated_shape().reshape(7, 24)
    assert (shape.argmax(axis=1) == 11).all()
    assert (shape.argmin(axis=1) == 21).all()
    assert np.exp(shape[0, 21] - shape[0, 11]) == pytest.approx(2.36 / 3.86)
    assert shape.mean() == pytest.approx(0.0, abs=1e-12)


@given(st.integers(3, 9), st.integers(0, 50))
@settings(max_examples=10)
def test_more_weeks_never_widen_a_range_much(count, seed):
    shape = stated_shape()
    few, many = (
        hours_of(weeks(n, shape, seed=seed), NOW, "made", FAST) for n in (count, 4 * count)
    )
    assert np.median(many.high / many.low) < np.median(few.high / few.low)


def test_only_moments_with_both_sides_count():
    at = np.array([1, 1, 2, 3, 3], dtype=np.int64)
    percent, usd = np.array([-1.0, 1.0, 1.0, -1.0, 1.0]), np.array([2.0, 3.0, 9.0, 4.0, 5.0])
    found = joined_bands(at, percent, usd, 1.0)
    assert found.at.tolist() == [1, 3]
    assert found.usd.tolist() == [5.0, 9.0]
