"""λ, κ and what lasts: known parameters are found, a second calculation agrees, and too little stays unknown."""

from dataclasses import replace

import numpy as np
import pytest
from cascade.calibrate.series import NOW, tape
from hypothesis import given, settings
from hypothesis import strategies as st

from airpocket.cascade.calibrate.absorb import Absorption, over_book, staying
from airpocket.cascade.calibrate.blocks import (
    blocks_of,
    drawn,
    robust_weights,
    slopes,
    sums_of,
    total,
)
from airpocket.cascade.calibrate.impact import impact_of
from airpocket.cascade.calibrate.recovery import aftermath_of, memory, recovery_of
from airpocket.cascade.calibrate.settings import CalibrationSettings

FAST = replace(CalibrationSettings(), draws=200)


@given(seed=st.integers(0, 10_000), columns=st.integers(1, 3))
@settings(max_examples=25)
def test_slopes_of_block_sums_are_those_of_plain_least_squares(seed, columns):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(90, columns)) * 10.0 ** rng.integers(-2, 3, columns)
    y, weight = rng.normal(size=90), rng.uniform(0.1, 1.0, 90)
    sums = sums_of(x, y, weight, blocks_of(90, 1.0, 10.0, FAST))
    root = np.sqrt(weight)
    expected = np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0]
    assert slopes(sums.xx.sum(axis=0), sums.xy.sum(axis=0)) == pytest.approx(expected, rel=1e-6)
    counts = drawn(sums.blocks, FAST)
    assert (counts.sum(axis=1) == sums.blocks).all()
    rows = np.repeat(np.arange(90), counts[0].astype(int)[np.arange(90) // 10])
    again = np.linalg.lstsq(x[rows] * root[rows, None], y[rows] * root[rows], rcond=None)[0]
    drawn_slope = slopes(total(counts, sums.xx), total(counts, sums.xy))[0]
    assert drawn_slope == pytest.approx(again, rel=1e-5)


def test_one_wild_move_weighs_less_and_the_rest_as_they_are():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 1))
    y = 2.0 * x[:, 0] + 0.1 * rng.normal(size=400)
    y[7] += 1e3
    weight = robust_weights(x, y, FAST)
    assert weight[7] < 0.01
    assert (weight < 1.0).mean() < 0.03
    assert float((weight * x[:, 0]) @ y / ((weight * x[:, 0]) @ x[:, 0])) == pytest.approx(
        2.0, abs=0.02
    )


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_lambda_is_the_impact_of_a_market_in_which_all_lasts(scale):
    made = tape(4_000, lasts=1.0, impact=2e-10 * scale, noise=2e-5 * scale)
    found = impact_of(made, NOW, "made", FAST)
    for one in (found.both, found.buying, found.selling):
        assert one.estimate.low <= one.value <= one.estimate.high
        assert one.value == pytest.approx(2.0 * scale, rel=0.05)  # bp per million


def test_buying_and_selling_are_told_apart():
    made = tape(6_000, lasts=1.0, impact=0.0)
    slope = np.where(made.flow_usd > 0.0, 1e-10, 4e-10)
    bent = replace(made, log_price=made.log_price + np.cumsum(slope * made.flow_usd))
    found = impact_of(bent, NOW, "made", FAST)
    assert found.buying.value == pytest.approx(1.0, abs=0.15)
    assert found.selling.value == pytest.approx(4.0, abs=0.15)
    assert found.buying.estimate.high < found.selling.estimate.low


def test_y_is_that_of_a_square_root_market_on_bars_of_any_length():
    rng = np.random.default_rng(5)
    made = tape(20_000, impact=0.0, noise=0.0, follow=0.0)
    root = np.sign(made.flow_usd) * np.sqrt(np.abs(made.flow_usd))
    price = np.cumsum(3e-7 * root + 2e-4 * rng.normal(size=len(root)))
    found = impact_of(replace(made, log_price=price), NOW, "made", FAST)
    assert found.root.value == pytest.approx(1e4 * 3e-7 * 1e3, rel=0.1)
    sigma, volume = np.std(np.diff(price)), made.traded_usd.mean()
    assert found.y.value == pytest.approx(3e-7 * np.sqrt(volume) / sigma, rel=0.1)


@pytest.mark.parametrize(("half", "lasts"), [(4.0, 0.5), (10.0, 1 / 3), (40.0, 0.3)])
def test_half_life_and_lasting_share_are_found_though_buyers_follow_buyers(half, lasts):
    inside = shares = 0
    few = replace(FAST, draws=100)
    for seed in range(20):
        made = tape(3_600, half=half, lasts=lasts, noise=5e-6, seed=seed)
        found = recovery_of(made, NOW, "made", few)
        assert found.half_s.value == pytest.approx(half, rel=0.5)
        assert found.lasts.value == pytest.approx(lasts, abs=0.2)
        inside += found.half_s.estimate.low <= half <= found.half_s.estimate.high
        shares += found.lasts.estimate.low <= lasts <= found.lasts.estimate.high
    assert inside >= 11  # 16 of 20 expected
    assert shares >= 11


def test_the_fit_is_that_of_a_plain_search_over_half_lives():
    made = tape(3_000, half=12.0, noise=1e-6)
    use, move = made.joined, made.moves
    errors = {}
    for half in np.linspace(6.0, 24.0, 73):
        z = memory(made.flow_usd, made.joined, float(0.5 ** (1.0 / half)))
        x = np.stack([made.flow_usd, -z], axis=1)[use]
        _, left, *_ = np.linalg.lstsq(x, move[use], rcond=None)
        errors[half] = left[0]
    found = recovery_of(made, NOW, "made", replace(FAST, huber_share=0.0, huber_sd=1e9))
    assert found.half_s.value == pytest.approx(min(errors, key=errors.get), abs=0.4)
    assert found.half_s.value == pytest.approx(12.0, rel=0.02)


def test_memory_is_the_plain_sum_and_forgets_at_a_hole():
    flow, joined = np.arange(1.0, 7.0), np.array([False, True, True, False, True, True])
    found = memory(flow, joined, 0.5)
    assert found.tolist() == [0.0, 0.5, 1.25, 0.0, 2.0, 0.5 * (2.0 + 5.0)]


def test_where_nothing_fades_no_half_life_is_given():
    known = 0
    for seed in range(5):
        found = recovery_of(tape(3_000, lasts=1.0, noise=5e-5, seed=seed), NOW, "made", FAST)
        known += found.half_s.value is not None
        if found.half_s.value is None:
            assert "can be told from none" in found.half_s.estimate.unknown
    assert known <= 1


@pytest.mark.parametrize("n", [0, 1, 2, 59, 300])
def test_too_little_is_unknown_with_the_reason_and_never_zero(n):
    made = tape(max(n, 1))
    short = replace(made, **{name: getattr(made, name)[:n] for name in (
        "end", "log_price", "flow_usd", "traded_usd", "joined")})  # fmt: skip
    impact, recovery = impact_of(short, NOW, "made", FAST), recovery_of(short, NOW, "made", FAST)
    if n < 60:
        assert "needed" in impact.both.estimate.unknown
    assert recovery.half_s.value is None
    assert "needed" in recovery.half_s.estimate.unknown
    assert all(one.value is None for one in aftermath_of(short, NOW, "made", FAST).share)


def test_without_flow_there_is_no_impact():
    made = tape(600)
    still = replace(made, flow_usd=0.0 * made.flow_usd)
    assert impact_of(still, NOW, "made", FAST).both.value is None
    assert recovery_of(still, NOW, "made", FAST).lasts.value is None


def test_the_path_after_large_flow_falls_to_what_lasts():
    made = tape(40_000, half=5.0, lasts=0.4, follow=0.0, noise=1e-6)
    found = aftermath_of(made, NOW, "made", FAST)
    assert found.events > 100
    assert found.share[found.after_s.index(30.0)].value == pytest.approx(0.44, abs=0.06)
    shares = [one.value for one in found.share]
    assert shares[0] > shares[2] > shares[-1]


def test_what_absorbs_a_push_reconciles_book_and_law():
    made = tape(4_000, lasts=1.0, impact=2e-10)
    impact = impact_of(made, NOW, "made", FAST)
    assert over_book(impact, 1.0 / 2e-10, NOW).value == pytest.approx(1.0, rel=0.05)
    absorption = Absorption(impact, 5e9, "")
    found = absorption.refill(50e6, 10.0, 1 / 3, NOW)
    end = 50e6 * 2e-10  # the tape's own law, a straight line
    left = staying(60.0, 10.0, 1 / 3)
    assert 50e6 / (5e9 * found.value) * left == pytest.approx(end, rel=0.05)
    assert found.estimate.provenance == "mixed"
    assert absorption.refill(200e6, 10.0, 1 / 3, NOW).value == pytest.approx(found.value)
    # a book that is four times as dense from half a per cent on absorbs as much with less on top of it

    def thick_beyond(move):
        return 5e9 * move + 15e9 * max(move - 0.005, 0.0)

    met = absorption.refill(50e6, 10.0, 1 / 3, NOW, thick_beyond)
    assert thick_beyond(end) * met.value == pytest.approx(50e6 * left, rel=0.1)
    assert met.value < found.value
    assert (
        Absorption(impact, None, "no depth").refill(1e6, 10.0, 0.3, NOW).estimate.unknown
        == "no depth"
    )


@pytest.mark.parametrize("exponent", [0.5, 0.75, 1.0])
def test_how_bent_the_law_is_comes_out_of_the_bars(exponent):
    rng = np.random.default_rng(3)
    flow = 1e6 * rng.standard_t(3, 3_000)
    move = 1e-4 * np.sign(flow) * np.abs(flow / 1e6) ** exponent + 5e-5 * rng.normal(size=3_000)
    made = replace(tape(3_000), flow_usd=flow, traded_usd=np.abs(flow), log_price=np.cumsum(move))
    law = impact_of(made, NOW, "made", FAST).law
    low, high = np.quantile(law.exponent[1:], (0.1, 0.9))
    assert low - 0.05 <= exponent <= high + 0.05
    assert high - low < 0.3
    end, (less, more) = law.moves(100e6)
    assert end == pytest.approx(1e-4 * 100.0**exponent, rel=0.25)
    assert less < end < more or exponent in (0.5, 1.0)


@given(over=st.floats(0.01, 1e4), half=st.floats(0.1, 1e4), lasts=st.floats(0.0, 1.0))
def test_what_is_left_of_a_push_lies_between_what_lasts_and_all(over, half, lasts):
    share = staying(over, half, lasts)
    assert lasts - 1e-12 <= share <= 1.0 + 1e-12
    steps = 2_000  # the sum that the formula is the limit of
    ages = over * (np.arange(steps) + 0.5) / steps
    assert share == pytest.approx(
        float(np.mean(lasts + (1 - lasts) * 0.5 ** (ages / half))), rel=1e-2, abs=1e-4
    )


def test_settings_that_give_no_interval_are_refused():
    with pytest.raises(ValueError, match="interval"):
        CalibrationSettings(draws=1)
    with pytest.raises(ValueError, match="length"):
        CalibrationSettings(steps_s=(0.0,))
