"""What becomes of a minute's impact: known shares are found, a bounce is not one, and too little is unknown."""

from dataclasses import replace

import numpy as np
import pytest

from airpocket.cascade.calibrate.propagator import after_of, lasting
from airpocket.cascade.calibrate.recovery import recovery_of
from airpocket.cascade.calibrate.settings import CalibrationSettings
from tests.cascade.calibrate.series import NOW, tape

FAST = replace(CalibrationSettings(), draws=100)


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_the_lasting_share_is_found_where_a_half_life_is_taken_for_known(share):
    inside = 0
    for seed in range(6):
        made = tape(7_200, half=10.0, lasts=share, noise=2e-6, seed=seed).coarser(10.0)
        found = lasting(after_of(made, NOW, "made", FAST), FAST)
        assert found.value == pytest.approx(share, abs=0.15)
        inside += found.estimate.low - 1e-9 <= share <= found.estimate.high + 1e-9
    assert inside >= 3


def test_what_is_left_is_that_of_a_minutes_even_push():
    """θ/(θ + (1 − θ) g) with g the mean of what is left of a minute's impacts, added up one by one."""
    half, share = 10.0, 0.4
    left = np.mean(0.5 ** ((np.arange(60_000) + 0.5) / 1_000.0 / half))
    made = tape(20_000, half=half, lasts=share, noise=1e-7, seed=3).coarser(10.0)
    found = after_of(made, NOW, "made", FAST)
    assert found.value == pytest.approx(share / (share + (1.0 - share) * left), abs=0.06)


def test_prices_that_bounce_between_bid_and_offer_pass_for_nothing_that_fades():
    made = tape(7_200, lasts=1.0, noise=2e-6, follow=0.0)
    bounced = replace(made, log_price=made.log_price + 2e-5 * np.sign(made.flow_usd))
    assert recovery_of(bounced, NOW, "made", FAST).lasts.value is None
    found = lasting(after_of(bounced.coarser(10.0), NOW, "made", FAST), FAST)
    assert found.value > 0.85


def test_a_price_that_goes_on_is_told_above_one_and_all_of_it_lasts():
    made = tape(7_200, lasts=1.0, noise=1e-6, follow=0.0)
    later = np.convolve(made.log_price, np.full(120, 1.0 / 120.0))[: len(made)]
    found = after_of(replace(made, log_price=later).coarser(10.0), NOW, "made", FAST)
    assert found.estimate.low > 1.3
    assert lasting(found, FAST).estimate.low == lasting(found, FAST).value == 1.0


def test_minute_bars_do_as_well():
    made = tape(200_000, half=10.0, lasts=0.4, noise=2e-6).coarser(60.0)
    assert lasting(after_of(made, NOW, "made", FAST), FAST).value == pytest.approx(0.4, abs=0.15)


@pytest.mark.parametrize("minutes", [0, 1, 30])
def test_too_little_is_unknown_with_the_reason(minutes):
    made = tape(max(60 * minutes, 1)).coarser(10.0)
    found = lasting(after_of(made, NOW, "made", FAST), FAST)
    assert found.value is None
    assert "are needed" in found.estimate.unknown


def test_without_flow_and_over_holes_nothing_is_told():
    made = tape(7_200).coarser(10.0)
    still = replace(made, flow_usd=np.zeros(len(made)))
    assert after_of(still, NOW, "made", FAST).value is None
    torn = replace(made, joined=made.joined & (np.arange(len(made)) % 20 > 0))
    assert after_of(torn, NOW, "made", FAST).value is None
