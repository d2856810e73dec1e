"""Many paths: they converge to the fine integration, keep the model's laws, and depend on nothing but the seed."""

from dataclasses import replace

import numba
import numpy as np
import pytest
from cascade.grounds import ALPHA, deal, even
from hypothesis import given
from hypothesis import strategies as st

from airpocket.cascade import gpu
from airpocket.cascade.integrate import peak_of
from airpocket.cascade.paths import LANES, Course, Ground, keys_of, run
from airpocket.cascade.step import U, noise

QUIET = Course(steps=600, push_s=0.0)


def mixed_in_python(x):
    x ^= x >> 16
    x = x * 0x21F0AAAD & 0xFFFFFFFF
    x ^= x >> 15
    x = x * 0xD35A2D97 & 0xFFFFFFFF
    return x ^ x >> 15


def noise_in_python(step, one, other):
    word = mixed_in_python(mixed_in_python(step * 0x9E3779B9 + one & 0xFFFFFFFF) ^ other)
    total = sum(word >> shift & 0xFF for shift in (0, 8, 16, 24))
    return (total - 510) / (4 * 65_535 / 12) ** 0.5


@numba.njit
def _dice(steps, one, other):
    return np.array([noise(U(k), one, other) for k in range(steps)])


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_the_dice_are_the_counters(one, other):
    found = _dice(20, U(one), U(other))
    assert found == pytest.approx([noise_in_python(k, one, other) for k in range(20)], abs=1e-6)


def test_the_dice_have_mean_0_variance_1_and_know_nothing_of_each_other():
    one, other = keys_of(400, 7)
    assert len(set(one.tolist())) == 400
    dice = np.array([_dice(1_000, a, b) for a, b in zip(one, other, strict=True)])
    assert abs(dice.mean()) < 4 / np.sqrt(dice.size)
    assert abs(dice.var() - 1.0) < 4 * np.sqrt(2 / dice.size)
    for lag in (1, 2, 7):
        assert abs((dice[:, lag:] * dice[:, :-lag]).mean()) < 5 / np.sqrt(dice.size)
        assert abs((dice[lag:] * dice[:-lag]).mean()) < 5 / np.sqrt(dice.size)
    ends = dice.sum(axis=1) / np.sqrt(1_000)
    assert abs((ends**4).mean() - 3.0) < 1.5  # as good as normal


@pytest.mark.parametrize(("reproduction", "recovery_s"), [(0.5, 60.0), (0.9, 12.0), (1.2, 24.0)])
def test_short_steps_come_to_the_fine_integration(reproduction, recovery_s):
    ground, errors = even(reproduction, buckets=4_000), []
    fine = peak_of(ground, 0.002, 6.0, recovery_s).high
    for step_s in (0.4, 0.1, 0.025):
        course = Course(steps=round(120 / step_s), step_s=step_s, push_s=0.0)
        found = run(ground, deal(1, jump=0.002, recovery_s=recovery_s), course)
        errors.append(abs(float(found.high[0]) / fine - 1.0))
    assert errors[2] < 0.01
    assert errors[2] < errors[1] < errors[0]


def test_without_fuel_a_lasting_push_moves_price_by_what_it_buys():
    found = run(even(0.0), deal(3, push_usd=[6e7, -6e7, 0.0], lasts=1.0), Course(steps=100))
    assert found.end == pytest.approx([0.02, -0.02, 0.0], abs=1e-6)
    assert found.high == pytest.approx([0.02, 0.0, 0.0], abs=1e-6)
    assert found.bought_usd.tolist() == found.sold_usd.tolist() == [0.0, 0.0, 0.0]


def test_what_fades_comes_back_and_what_lasts_stays():
    found = run(even(0.0), deal(2, push_usd=6e7, lasts=[0.0, 0.5], recovery_s=5.0), Course())
    assert found.end[0] == pytest.approx(0.0, abs=1e-6)
    assert found.end[1] == pytest.approx(0.01, abs=1e-6)
    assert (found.high > found.end).all()


def test_up_and_down_are_mirror_images():
    found = run(even(0.8), deal(2, jump=[0.003, -0.003], lasts=0.3), QUIET)
    assert found.high[0] == pytest.approx(-found.low[1], rel=1e-5)
    assert found.bought_usd[0] == pytest.approx(found.sold_usd[1], rel=1e-4)
    assert found.high_s[0] == found.low_s[1]


def test_what_was_forced_is_what_the_ladder_holds_up_to_the_extremes():
    ground = even(0.7, buckets=512)
    found = run(ground, deal(500, volatility=4e-4, push_usd=2e7, lasts=0.3), Course(steps=400))
    for extreme, forced in ((found.high, found.bought_usd), (found.low, found.sold_usd)):
        # a last new extreme, at the very end, forces nobody yet
        assert (forced <= 0.7 * ALPHA * np.abs(extreme) + 2e3).all()
    settled = found.high > found.end + 1e-4
    expected = 0.7 * ALPHA * found.high[settled]
    assert found.bought_usd[settled] == pytest.approx(expected, rel=1e-3)


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.2), st.floats(0.0, 1.2), st.floats(0.0, 0.9))
def test_more_fuel_never_makes_a_smaller_move(seed, one, other, lasts):
    edges = np.linspace(-0.5, 0.5, 501)
    ground = Ground(edges, np.maximum(edges, 0.0)[None, :] * ALPHA, np.full(500, ALPHA))
    low, high = sorted((one, other))
    found = run(
        ground, deal(2, fuel=[low, high], volatility=0.0, jump=0.002, push_usd=1e7, lasts=lasts),
        Course(steps=200, seed=seed),
    )  # fmt: skip
    assert found.high[1] >= found.high[0] * (1 - 1e-6)
    assert found.bought_usd[1] >= found.bought_usd[0] * (1 - 1e-5)


def test_makers_who_step_back_make_it_worse():
    terms = deal(1, jump=0.004)
    calm, scared = (run(even(0.6), terms, replace(QUIET, pull=pull)) for pull in (0.0, 100.0))
    assert scared.high[0] > 1.05 * calm.high[0]
    bounded = run(even(0.6), terms, replace(QUIET, pull=100.0, most_pull=1.0))
    assert bounded.high[0] == calm.high[0]


def test_the_seed_alone_decides():
    ground = even(0.6)
    terms = deal(
        1_500, volatility=3e-4, push_usd=2e7, lasts=0.3, reach=0.005, passed=0.8, mark_lag_s=20.0
    )
    course = Course(steps=150, marks=5, seed=11, ahead=(1.0, 0.8))
    before = numba.get_num_threads()
    whole = run(ground, terms, course)
    try:
        numba.set_num_threads(1)
        alone = run(ground, terms, course)
    finally:
        numba.set_num_threads(before)
    other = run(ground, terms, replace(course, seed=12))
    for name in whole._fields:
        assert np.array_equal(getattr(whole, name), getattr(alone, name)), name
    assert not np.array_equal(whole.end, other.end)
    few = {f: getattr(terms, f)[:LANES] for f in terms.__dataclass_fields__}
    assert np.array_equal(run(ground, type(terms)(**few), course).end, whole.end[:LANES])


def test_paths_spread_as_the_volatility_says():
    found = run(even(0.0), deal(4_000, volatility=2e-4), Course(steps=900, marks=9, push_s=0.0))
    assert found.end.std() == pytest.approx(2e-4 * 30.0, rel=0.05)
    assert found.fan.shape == (9, 4_000)
    assert np.array_equal(found.fan[-1], found.end)
    assert found.fan[3].std() == pytest.approx(2e-4 * 20.0, rel=0.05)
    # Brownian extremes: E max = σ √(2T/π), a little less when looked at once a second
    assert found.high.mean() == pytest.approx(2e-4 * np.sqrt(2 * 900 / np.pi), rel=0.05)


def test_each_group_of_paths_runs_on_its_own_draw_of_the_map():
    edges = np.linspace(-0.1, 0.1, 101)
    rows = np.stack([np.zeros(101), np.abs(edges) * 0.8 * ALPHA])
    terms = deal(2 * LANES, jump=0.004, draw=np.repeat([0, 1], LANES))
    found = run(Ground(edges, rows, np.full(100, ALPHA)), terms, QUIET)
    assert set(found.high[:LANES].tolist()) == {np.float32(0.004)}
    assert (found.high[LANES:] > 0.005).all()


def test_no_path_is_no_error():
    assert run(even(0.5), deal(0), QUIET).high.shape == (0,)


@pytest.mark.parametrize(
    ("changed", "word"),
    [({"volatility": np.nan}, "volatility"), ({"depth": 0.0}, "depth"), ({"latency_s": np.inf}, "latency_s"),
     ({"recovery_s": np.nan}, "recovery_s"), ({"booked": 1.5}, "booked"), ({"fuel": -1.0}, "fuel"),
     ({"jump": np.nan}, "jump"), ({"push_usd": np.inf}, "push_usd"), ({"lasts": -0.1}, "lasts")],
)  # fmt: skip
def test_a_deal_that_cannot_be_is_refused_by_name(changed, word):
    with pytest.raises(ValueError, match=word):
        deal(2, **changed)


@pytest.mark.parametrize(
    ("edges", "forced", "depth", "word"),
    [([0.0, 0.1, 0.2], [0, 1, 2], [1, 1], "edges"), ([-0.1, 0.05, 0.1], [1, 1, 1], [1, 1], "equally"),
     ([-0.1, 0.0, 0.1], [1, 0], [1, 1], "forced_usd"), ([-0.1, 0.0, 0.1], [0, 1, 0.5], [1, 1], "fall"),
     ([-0.1, 0.0, 0.1], [1, 0, np.nan], [1, 1], "finite"), ([-0.1, 0.0, 0.1], [1, 0, 1], [1, 0], "depth")],
)  # fmt: skip
def test_a_ground_that_cannot_be_is_refused(edges, forced, depth, word):
    with pytest.raises(ValueError, match=word):
        Ground(np.array(edges, float), np.array(forced, float), np.array(depth, float))


@pytest.mark.parametrize(
    "changed",
    [
        {"steps": 0},
        {"step_s": 0.0},
        {"marks": 700},
        {"pull": -1.0},
        {"most_pull": 0.5},
        {"seed": -1},
    ],
)
def test_a_course_that_cannot_be_is_refused(changed):
    with pytest.raises(ValueError, match=r"course|push_s|seed"):
        Course(**changed)


@pytest.mark.skipif(gpu.gpu() is None, reason="no GPU here, or the extra gpu is not installed")
def test_a_gpu_walks_the_same_paths():
    ground, course = even(0.8), Course(steps=300, marks=4, pull=20.0, seed=5)
    terms = deal(
        1_000,
        volatility=3e-4,
        push_usd=2e7,
        lasts=0.3,
        jump=0.001,
        reach=0.005,
        passed=0.8,
        mark_lag_s=20.0,
    )
    ours, theirs = run(ground, terms, course), gpu.run(ground, terms, course)
    for name in ours._fields:
        expected = getattr(ours, name)
        # a last bit decides whether a rung at the path's end is reached: some dollars of millions
        near = 2e-5 * max(1.0, float(abs(expected).max()))
        assert getattr(theirs, name) == pytest.approx(expected, rel=1e-4, abs=near), name


def test_without_a_gpu_one_is_told_where_to_go(monkeypatch):
    monkeypatch.setattr(gpu, "gpu", lambda: None)
    assert not gpu.can_run(even(0.5))
    with pytest.raises(ValueError, match="paths"):
        gpu.run(even(0.5), deal(1), QUIET)
