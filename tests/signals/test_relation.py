"""What followed a driver: a planted relation is found, none is found where none is, and the future is not used."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.domain.units import DAY_NS, HOUR_NS, parse_time
from airpocket.market.bars import Bars
from airpocket.signals.driver_records import Relation
from airpocket.signals.relation import (
    RelationSettings,
    excludes_zero,
    forced_size,
    later_returns,
    relation,
    stationary,
    trailing_scores,
)

START = parse_time("2024-01-01T00:00Z")
QUICK = RelationSettings(draws=200)


def bars(log_price) -> Bars:
    ts = START + HOUR_NS * np.arange(len(log_price), dtype=np.int64)
    close = 2_000.0 * np.exp(log_price)
    values = np.stack([close, close, close, close, *[np.full(len(close), np.nan)] * 3])
    return Bars(ts, ts + HOUR_NS, values)


def world(days: int, seed: int, effect: float) -> tuple[Bars, np.ndarray, np.ndarray]:
    """Hourly prices and a daily reading that, known at noon, moves the next five days by `effect` a sd."""
    chance = np.random.default_rng(seed)
    reading = chance.standard_normal(days)
    drift = np.repeat(np.convolve(reading, np.ones(5) * effect / 5, mode="full")[:days], 24) / 24
    path = np.cumsum(0.003 * chance.standard_normal(24 * days) + np.roll(drift, 12))
    known_at = START + DAY_NS * np.arange(days, dtype=np.int64) + 12 * HOUR_NS
    return bars(path), known_at, reading


def told(hours: Bars, known_at, reading, settings=QUICK) -> Relation:
    found = relation(known_at, reading, hours, int(hours.end[-1]), settings)
    assert isinstance(found, Relation), found
    return found


def test_a_planted_relation_is_found_with_its_sign() -> None:
    found = told(*world(500, 1, 0.03))
    assert found.after_high.value is not None
    assert found.after_low.value is not None
    assert found.after_high.value > 2.0
    assert found.after_low.value < -2.0
    assert excludes_zero(found.after_high)
    assert excludes_zero(found.after_low)


def test_where_nothing_follows_few_intervals_exclude_zero() -> None:
    found = [told(*world(400, seed, 0.0)) for seed in range(10)]
    clear = sum(excludes_zero(each) for one in found for each in (one.after_high, one.after_low))
    assert clear <= 5  # of 20; five in a hundred by right, more by overlap


@pytest.mark.fault("D01")
@settings(max_examples=6)
@given(cut=st.integers(150, 290), seed=st.integers(0, 5))
def test_prices_after_the_last_window_change_nothing(cut: int, seed: int) -> None:
    hours, known_at, reading = world(300, seed, 0.01)
    end = int(known_at[cut])
    before = relation(known_at[:cut], reading[:cut], hours.until(end), end, QUICK)
    torn = bars(np.log(hours.close / 2_000.0) + np.where(hours.end > end, 1.0, 0.0))
    after = relation(known_at[:cut], reading[:cut], torn.until(end), end, QUICK)
    assert before == after


@pytest.mark.fault("D01")
@settings(max_examples=25)
@given(n=st.integers(61, 200), at=st.integers(60, 199), seed=st.integers(0, 9))
def test_a_score_sees_earlier_readings_only(n: int, at: int, seed: int) -> None:
    at = min(at, n - 1)
    values = np.random.default_rng(seed).standard_normal(n)
    changed = values.copy()
    changed[at + 1 :] = 1e6
    np.testing.assert_array_equal(
        trailing_scores(values, 250, 60)[: at + 1], trailing_scores(changed, 250, 60)[: at + 1]
    )


def test_history_that_came_all_at_once_is_one_reading_and_no_history() -> None:
    hours, known_at, reading = world(300, 0, 0.0)
    found = relation(np.full(300, known_at[-10]), reading, hours, int(hours.end[-1]), QUICK)
    assert found == "no history yet: 0 readings can be judged, 60 are needed"


@pytest.mark.fault("D12")
def test_a_return_across_a_hole_or_beyond_the_end_is_unknown() -> None:
    hours, known_at, _ = world(30, 0, 0.0)
    kept = (hours.ts < START + 10 * DAY_NS) | (hours.ts >= START + 12 * DAY_NS)
    holed = Bars(hours.ts[kept], hours.end[kept], hours.values[:, kept])
    later = later_returns(known_at, holed, 5 * DAY_NS)
    assert np.isnan(later[[5, 6, 10, 11]]).all()  # before the hole by five days, and in it
    assert np.isnan(later[25:]).all()
    assert np.isfinite(later[[0, 4, 7, 12, 24]]).all()


def test_a_jump_is_a_move_of_forced_size_and_a_hole_is_none() -> None:
    chance = np.random.default_rng(0)
    path = np.cumsum(0.001 * chance.standard_normal(1_200))
    path[1_000:] += 0.1
    up, down = forced_size(bars(path), QUICK)
    assert up[1_000:1_024].all()
    assert not up[:1_000].any()
    assert not down.any()
    calm = bars(path)
    kept = np.abs(np.arange(1_200) - 1_000) > 30
    assert not forced_size(Bars(calm.ts[kept], calm.end[kept], calm.values[:, kept]), QUICK)[
        0
    ].any()


@pytest.mark.parametrize("block", [5.0, 20.0])
def test_resampled_rows_run_on_in_blocks_of_the_length_asked_for(block: float) -> None:
    drawn = stationary(400, block, 200, 1)
    runs = (np.diff(drawn, axis=1) % 400 == 1).mean()
    assert runs == pytest.approx(1.0 - 1.0 / block, abs=0.01)
    assert np.bincount(drawn.ravel(), minlength=400).min() > 100
