"""Learning from prints: shares add up, likelihood never falls, and a known mix is found again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.liquidations.learn import (
    gamma_poisson,
    knee_of,
    learned,
    maximised,
    told_of,
    typical_print,
    weights_of,
)

shares = st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4).map(
    lambda values: np.array(values) / sum(values)
)


@settings(max_examples=60, deadline=None)
@given(shares, st.lists(st.floats(0.0, 1e4), min_size=3, max_size=3),
       st.lists(st.floats(0.0, 1e4), min_size=3, max_size=3), st.floats(0.1, 100.0))  # fmt: skip
def test_the_m_step_stays_on_the_simplex(prior, caught, offered, strength):
    mix = prior.copy()
    maximised(mix, np.array(caught), np.array(offered), prior, strength)
    assert mix.sum() == pytest.approx(1.0)
    assert (mix >= 0.0).all()


def taught(flows, tells, mix, caught, sizes, prior, *, rate=1.0, strength=20.0, knee=None, shape=2.0):  # fmt: skip
    """Learns in place from hours that fell evenly into their steps."""
    hours = len(tells)
    learned(flows, np.ones((2, 3)), tells, np.ones(hours), mix, caught, sizes,
            np.zeros(1) if knee is None else knee, hours, prior, rate, strength, strength, shape, 1.0)  # fmt: skip


def told(mix, *, hours=400, rate=1.0, size=10.0, seed=0):
    """Flows of three classes, the prints that they led to and the sums of sizes."""
    rng = np.random.default_rng(seed)
    flows = rng.gamma(0.5, 800.0, (hours, 2, 3))
    tells = size * rng.poisson(rate * flows @ mix[1:] / size)
    return flows, tells.astype(float), np.array([tells.sum(), size * tells.sum()])


def penalised(mix, flows, tells, prior, side, *, size=10.0, strength=0.5):
    means = flows[:, side] @ mix[1:] / size + 1e-300
    counts = tells[:, side] / size
    likely = sum(gamma_poisson(y, mean, 2.0) for y, mean in zip(counts, means, strict=True))
    return likely + strength * (prior * np.log(mix)).sum()


def test_em_finds_the_mix_and_the_penalised_likelihood_never_falls():
    true = np.array([0.4, 0.3, 0.05, 0.25])
    flows, tells, sizes = told(true)
    prior = np.full((2, 4), 0.25)
    mix, caught = np.full((3, 4), 0.25), np.zeros((2, 3))
    before = -np.inf
    for _ in range(40):
        taught(flows, tells, mix, caught, sizes, prior, strength=1.0)
        now = sum(penalised(mix[2], flows, tells, prior[0], side) for side in range(2))
        assert now >= before - 1e-6 * abs(now) - 2.0  # background aside
        before = now
    assert mix[:2] == pytest.approx(np.stack([true, true]), abs=0.05)


def test_a_few_hours_that_err_by_a_factor_do_not_set_the_mix():
    true = np.array([0.4, 0.3, 0.05, 0.25])
    flows, tells, sizes = told(true)
    flows[:5, :, 0] *= 200.0  # the model has a run reach many positions that were not there
    prior, off = np.full((2, 4), 0.25), []
    for shape in (2.0, 1e9):  # as it is, and every hour taken at its word
        mix, caught = np.full((3, 4), 0.25), np.zeros((2, 3))
        for _ in range(40):
            taught(flows, tells, mix, caught, sizes, prior, strength=1.0, shape=shape)
        off.append(np.abs(mix[2] - true).sum())
    assert off[0] < 0.15
    assert off[1] > 0.3


def test_hours_nobody_listened_to_teach_nothing():
    flows, tells, sizes = told(np.array([0.4, 0.3, 0.05, 0.25]))
    prior = np.full((2, 4), 0.25)
    mixes = []
    for cut in (False, True):
        mix, caught = np.full((3, 4), 0.25), np.zeros((2, 3))
        shown = tells.copy()
        if cut:
            shown[200:] = np.nan
            flows[200:] = 1e9
        taught(flows, shown, mix, caught, sizes, prior, strength=5.0)
        mixes.append(mix)
    assert np.isfinite(mixes[1]).all()
    assert mixes[1][0] == pytest.approx(mixes[0][0], abs=0.08)


def test_no_prints_leave_the_prior():
    prior = np.full((2, 4), 0.25)
    mix, caught = np.full((3, 4), 0.25), np.zeros((2, 3))
    taught(np.ones((10, 2, 3)), np.full((10, 2), np.nan), mix, caught, np.zeros(2), prior)
    assert (mix == 0.25).all()


def test_a_feed_that_tells_less_in_bursts_hides_no_class():
    true = np.array([0.4, 0.3, 0.05, 0.25])
    rng = np.random.default_rng(5)
    flows = np.stack([rng.gamma(shape, 300.0 / shape, (800, 2)) for shape in (4.0, 1.0, 0.05)], 2)
    forced = flows @ true[1:] / 10.0
    share = np.array([[told_of(hour.sum(), 8.0, 1.0)] for hour in forced])
    tells = 10.0 * rng.poisson(forced * share)
    sizes, prior = np.array([tells.sum(), 10.0 * tells.sum()]), np.full((2, 4), 0.25)
    mixes = []
    for rate in (float((forced * share).sum() / forced.sum()), 1.0):
        mix, caught, knee = np.full((3, 4), 0.25), np.zeros((2, 3)), np.zeros(1)
        for _ in range(40):
            taught(flows, tells, mix, caught, sizes, prior, rate=rate, strength=1.0, knee=knee)
        mixes.append(mix[2])
    assert mixes[0] == pytest.approx(true, abs=0.06)
    assert mixes[1][3] < 0.7 * true[3]  # who is forced out in bursts is missed by a steady rate


@given(st.floats(0.05, 0.98), st.integers(0, 1_000))
def test_the_knee_tells_the_share_of_the_whole(rate, seed):
    rng = np.random.default_rng(seed)
    forced, spread, weight = rng.gamma(0.3, 30.0, 50), rng.uniform(1, 12, 50), rng.uniform(size=50)
    knee = knee_of(forced, spread, weight, rate)
    shares = [told_of(f, knee * s, rate) for f, s in zip(forced, spread, strict=True)]
    assert (weight * forced) @ np.array(shares) == pytest.approx(
        rate * (weight * forced).sum(), rel=1e-3
    )
    assert knee_of(forced, spread, weight, 1.0) == np.inf


@given(st.floats(0.0, 1e4), st.floats(0.01, 1e3))
def test_a_lone_print_is_told_and_a_bigger_burst_is_told_less(forced, knee):
    assert told_of(0.0, knee, 0.5) == 1.0
    assert told_of(forced, np.inf, 0.5) == 1.0
    assert told_of(forced, knee, 0.5) >= told_of(2.0 * forced, knee, 0.5)
    assert forced * told_of(forced, knee, 0.5) <= 2.0 * forced * told_of(2.0 * forced, knee, 0.5)


@given(st.floats(0.1, 50.0), st.floats(0.01, 50.0))
def test_an_hour_is_likeliest_under_its_own_mean(count, other):
    assert gamma_poisson(count, count, 2.0) >= gamma_poisson(count, other, 2.0) - 1e-12


def test_typical_prints_weigh_by_size_and_worlds_by_likelihood():
    assert typical_print(np.array([0.0, 0.0])) == 0.0
    assert typical_print(np.array([3.0, 5.0])) == pytest.approx(5.0 / 3.0)
    weight = weights_of(np.array([-1e6, 0.0, np.log(3.0)]))
    assert weight == pytest.approx([0.0, 0.25, 0.75])
