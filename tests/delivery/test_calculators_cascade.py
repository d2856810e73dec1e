"""Calculators of cascade and levels: shapes that follow the input, and what is refused."""

import inspect
import re

import pytest

from airpocket.delivery.calculators import cascade, levels
from airpocket.delivery.calculators.registry import calculators
from airpocket.domain.errors import BadInput

LADDER = {"absorb_cumulative_usd_m": [0, 10, 20], "forced_cumulative_usd_m": [0, 2, 5]}
ALL = {**cascade.CALCULATORS, **levels.CALCULATORS}


def test_the_stop_has_the_shape_of_the_push():
    one = cascade.static_scan(**LADDER, push_usd_m=8)
    many = cascade.static_scan(**LADDER, push_usd_m=[8])
    assert (one["stop_index"], one["stopped_inside_grid"]) == (1, True)
    assert (many["stop_index"], many["stopped_inside_grid"]) == ([1], [True])
    assert cascade.static_scan(**LADDER, push_usd_m=[])["stop_index"] == []


def test_a_runaway_has_no_peak_and_no_time():
    found = cascade.overshoot_peak(reproduction_number=1.5, kappa_tau=0.04)
    assert found == {
        "runaway": True, "peak_multiplier": None, "time_to_peak_tau": None, "growth": True,
        "runaway_threshold": pytest.approx(1.44),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reproduction", "kappa_tau", "squeeze", "regime"),
    [
        (0.6, 0.25, 0.6 / 2.25, "ends by itself"),
        (1.5, 0.25, 1.5 / 2.25, "speeds up, then ends"),
        (2.25, 0.25, 1.0, "runs while fuel lasts"),
        (1.0, 0.0, 1.0, "runs while fuel lasts"),
    ],
)
def test_the_squeeze_number_is_one_where_nothing_turns_a_burst(
    reproduction, kappa_tau, squeeze, regime
):
    found = cascade.squeeze_number(reproduction_number=reproduction, kappa_tau=kappa_tau)
    assert found["squeeze_number"] == pytest.approx(squeeze)
    assert found["regime"] == regime
    assert found["growth_threshold"] <= found["runaway_threshold"]


@pytest.mark.real
def test_every_cascade_calculator_of_the_common_list_takes_the_inputs_it_names(shared):
    text = (shared / "oracles" / "CALCULATORS.md").read_text(encoding="utf-8")
    part = text.partition("## Foundation and cascade")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", part, re.M)
    assert len(rows) >= 8
    for name, inputs in rows:
        taken = inspect.signature(calculators()[name].function).parameters
        assert sorted(taken) == sorted(re.findall(r"`(\w+)`", inputs)), name


def test_two_venues_that_hear_each_other_feed_each_other():
    alone = cascade.next_generation_matrix(
        fuel_usd_bn_per_log_price=[6, 6],
        impact_log_price_per_usd_bn=[0.1, 0.1],
        pass_through=[[1, 0], [0, 1]],
    )
    joined = cascade.next_generation_matrix(
        fuel_usd_bn_per_log_price=[6, 6],
        impact_log_price_per_usd_bn=[0.1, 0.1],
        pass_through=[[1, 1], [1, 1]],
    )
    assert (alone["spectral_radius"], alone["self_sustaining"]) == (pytest.approx(0.6), False)
    assert (joined["spectral_radius"], joined["self_sustaining"]) == (pytest.approx(1.2), True)


def test_a_path_that_never_moves_has_no_correlation():
    found = levels.hayashi_yoshida(x_times=[0, 1], x_values=[1, 1], y_times=[0, 1], y_values=[0, 1])
    assert found == {"covariance": 0.0, "correlation": None}


def test_growing_by_pairs_of_rows_compares_pairs():
    rows = {"price": [1, 2, 3, 4, 5, 6], "volume": [5, 6, 10, 2, 2, 1]}
    pairs = levels.value_area(**rows, share_fraction=0.8, rule="two_row")
    assert (pairs["value_area_low"], pairs["value_area_high"]) == (1, 3)
    assert pairs["value_area_volume"] == 21


def test_pressure_is_answered_per_change_and_in_all():
    found = levels.order_flow_imbalance(
        bid_price=[100, 100, 101], bid_size=[5, 7, 2], ask_price=[102, 102, 102], ask_size=[4, 1, 1]
    )
    assert found == {"ofi": [5.0, 2.0], "sum": 7.0}


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("static_scan", {**LADDER, "push_usd_m": -1}),
        ("static_scan", {"absorb_cumulative_usd_m": [0, 2, 1], "forced_cumulative_usd_m": [0, 0, 0],
                         "push_usd_m": 1}),
        ("amplification", {"reproduction_number": 1.0}),
        ("overshoot_peak", {"reproduction_number": 0.5, "kappa_tau": -0.1}),
        ("runaway_threshold", {"kappa_tau": float("nan")}),
        ("next_generation_matrix", {"fuel_usd_bn_per_log_price": [1, 1],
                                    "impact_log_price_per_usd_bn": [1, 1],
                                    "pass_through": [[1, 0], [1]]}),
        ("sqrt_impact", {"y_coefficient": 0.8, "daily_vol_fraction": 0.03, "daily_volume_usd": 0,
                         "order_usd": 1}),
        ("r_slow", {"y_coefficient": 0.8, "daily_vol_fraction": 0.03, "daily_volume_usd": 1e9,
                    "fuel_usd_per_unit_move": 1e9, "move_fraction": 0}),
        ("value_area", {"price": [1, 2], "volume": [1]}),
        ("value_area", {"price": [2, 1], "volume": [1, 1]}),
        ("value_area", {"price": [1, 2], "volume": [0, 0]}),
        ("value_area", {"price": [1, 2], "volume": [1, 1], "rule": "three_rows"}),
        ("fibonacci_level", {"low_usd": 3, "high_usd": 2, "ratio": 0.5}),
        ("order_flow_imbalance", {"bid_price": [2, 2], "bid_size": [1, 1], "ask_price": [2, 3],
                                  "ask_size": [1, 1]}),
    ],
)  # fmt: skip
def test_an_impossible_input_is_refused_with_a_reason(name, inputs):
    with pytest.raises(BadInput, match=r"\w+"):
        ALL[name](**inputs)
